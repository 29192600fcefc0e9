/* SPDX-License-Identifier: Apache-2.0 */
/* estate_parse - estate.json into flat arrays, with the checks that see more than one field. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/units.h"
#include "scheduler/base/vec.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/pointmap.h"
#include "scheduler/model/sitefill.h"

#define POINTER_MAX 300

#define AT(member) .offset = offsetof(struct hs_estate, member)

static const char *const api_words[] = {"hsched.estate/v1", NULL};

static const struct hs_conf_field fields[] = {
    {.name = "api",
     .type = HS_CONF_WORD,
     .words = api_words,
     .default_text = "hsched.estate/v1",
     .help = "version of this format"},
    {.name = "estate",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "name of the estate"},
    {.name = "cell",
     .type = HS_CONF_NAME,
     AT(cell),
     .size = HS_NAME_MAX,
     .default_text = "main",
     .help = "name of the cell that runs it"},
    {.name = "slot_s",
     .type = HS_CONF_INT64,
     AT(slot_s),
     .min = 60,
     .max = 86400,
     .unit = "s",
     .has_default = true,
     .default_number = 900,
     .help = "length of a planning slot; divides a day without rest"},
    {.name = "currency",
     .type = HS_CONF_TEXT,
     AT(currency),
     .size = 8,
     .default_text = "EUR",
     .help = "code of the currency (cur) of all prices"},
    {.name = "carbon_price_cur_per_t",
     .type = HS_CONF_REAL,
     AT(carbon_price_cur_per_t),
     .min = 0,
     .max = 1e5,
     .unit = "cur/t",
     .has_default = true,
     .default_number = 0,
     .help = "what a tonne of CO2 weighs in every cost"},
    {.name = "sites",
     .type = HS_CONF_CHILDREN,
     .table = &hs_site_table,
     .required = true,
     .help = "its sites"},
};
const struct hs_conf_table hs_estate_table = {"estate", fields, sizeof(fields) / sizeof(fields[0])};

/* Everything that grows while the file is read. */
struct builder {
    HS_VEC(struct hs_site) sites;
    HS_VEC(struct hs_heatloop) loops;
    HS_VEC(struct hs_sink) sinks;
    HS_VEC(struct hs_rack) racks;
    HS_VEC(struct hs_host) hosts;
    struct hs_assumed_list *assumed;
    struct hs_conf_report *report;
};

/* Names are bounded by their fields, so this never cuts; gcc cannot know that of snprintf(). */
__attribute__((format(printf, 3, 4))) static void write_path(char *ret_path, size_t n_bytes,
                                                             const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(ret_path, n_bytes, fmt, ap);
    va_end(ap);
}

/* The items of list @key, or NULL; an object in its place is an error. */
static const json_t *get_list(const json_t *object, const char *key, const char *pointer,
                              struct hs_conf_report *report)
{
    const json_t *list = json_object_get(object, key);
    char where[POINTER_MAX];

    if (json_is_object(list)) {
        write_path(where, sizeof(where), "%s/%s", pointer, key);
        hs_conf_report_add(report, where, "must be a list in square brackets, not an object");
        return NULL;
    }
    return json_is_array(list) ? list : NULL;
}

/* True the first time @name is seen among its siblings. */
static bool check_unique(json_t *seen, const char *what, const char *name, const char *pointer,
                         struct hs_conf_report *report)
{
    char where[POINTER_MAX];

    if (*name == '\0') {
        return false;
    }
    if (json_object_get(seen, name) == NULL) {
        hs_jsonx_set_bool(seen, name, 1);
        return true;
    }
    write_path(where, sizeof(where), "%s/name", pointer);
    hs_conf_report_add(report, where, "there is already a %s named '%s' here", what, name);
    return false;
}

static void check_tank(const struct hs_heatloop *loop, const char *pointer,
                       struct hs_conf_report *report)
{
    char where[POINTER_MAX];

    if (loop->tank.present && !(loop->tank.min_c < loop->tank.max_c)) {
        write_path(where, sizeof(where), "%s/tank/max_c", pointer);
        hs_conf_report_add(report, where, "must be above min_c (%.10g °C), is %.10g °C",
                           loop->tank.min_c, loop->tank.max_c);
    }
}

/* Fill what the file left open from the catalogue and the site's electricity. */
static void resolve_backup(const struct builder *b, struct hs_sink *sink,
                           const struct hs_site *site, const char *pointer)
{
    const struct hs_catalogue_backup *kind = hs_catalogue_find_backup(sink->backup_kind);
    char where[POINTER_MAX];

    if (kind == NULL) {
        return; /* reported as a wrong or missing word */
    }
    write_path(sink->backup_kind, sizeof(sink->backup_kind), "%s", kind->name);
    write_path(where, sizeof(where), "%s/backup", pointer);
    if (isnan(sink->backup_efficiency_ratio)) {
        sink->backup_efficiency_ratio = kind->efficiency_ratio;
        hs_assumed_add_real(b->assumed, sink->path, "backup/efficiency_ratio",
                            kind->efficiency_ratio, kind->source);
    }
    if (isnan(sink->backup_price_cur_per_mwh) && kind->uses_electricity) {
        sink->backup_price_cur_per_mwh = site->price_cur_per_mwh;
    } else if (isnan(sink->backup_price_cur_per_mwh)) {
        hs_conf_report_add(b->report, where, "'price_cur_per_mwh' is missing: price of the fuel");
    }
    if (isnan(sink->backup_gco2_per_kwh) && kind->uses_electricity) {
        sink->backup_gco2_per_kwh = site->gco2_per_kwh;
    } else if (isnan(sink->backup_gco2_per_kwh) && !isnan(kind->gco2_per_kwh)) {
        sink->backup_gco2_per_kwh = kind->gco2_per_kwh;
        hs_assumed_add_real(b->assumed, sink->path, "backup/gco2_per_kwh", kind->gco2_per_kwh,
                            kind->source);
    }
    if (isnan(sink->backup_gco2_per_kwh)) {
        hs_conf_report_add(b->report, where,
                           "'gco2_per_kwh' is missing: ask the network's operator");
    }
}

static void resolve_kind(const struct builder *b, struct hs_sink *sink, const struct hs_site *site,
                         const char *pointer)
{
    const struct hs_catalogue_template *template_row =
        hs_catalogue_find_template(site->template_name);
    const struct hs_catalogue_sink *kind;

    if (*sink->kind == '\0' && template_row != NULL) {
        write_path(sink->kind, sizeof(sink->kind), "%s", template_row->sink_kind);
        hs_assumed_add_word(b->assumed, sink->path, "kind", sink->kind, "the site's template");
    }
    kind = hs_catalogue_find_sink(sink->kind);
    if (kind == NULL) {
        hs_conf_report_add(b->report, pointer, "'kind' is missing: what wants the heat");
    } else if (isnan(sink->supply_min_c)) {
        sink->supply_min_c = kind->supply_min_c;
        hs_assumed_add_real(b->assumed, sink->path, "supply_min_c", kind->supply_min_c,
                            kind->source);
    }
}

static void check_sink(const struct hs_sink *sink, const struct hs_heatloop *loop,
                       const char *pointer, struct hs_conf_report *report)
{
    char where[POINTER_MAX];

    if (loop->tank.present && strcmp(sink->lift, "none") == 0
        && loop->tank.min_c < sink->supply_min_c) {
        write_path(where, sizeof(where), "%s/supply_min_c", pointer);
        hs_conf_report_add(report, where,
                           "is %.10g °C, but the tank may be as cold as its min_c of %.10g °C; "
                           "raise min_c, or give the sink a lift (preheat, heat-pump)",
                           sink->supply_min_c, loop->tank.min_c);
    }
}

static void read_sinks(struct builder *b, const json_t *loop_json, const char *pointer)
{
    const json_t *list = get_list(loop_json, "sinks", pointer, b->report);
    struct hs_heatloop *loop = &b->loops.items[b->loops.n - 1];
    const struct hs_site *site = &b->sites.items[loop->site_idx];
    json_auto_t *seen = hs_jsonx_object();
    size_t i;
    json_t *item;

    loop->first_sink_idx = b->sinks.n;
    json_array_foreach (list, i, item) {
        struct hs_sink sink = {.loop_idx = b->loops.n - 1};
        char where[POINTER_MAX];
        bool is_good;

        write_path(where, sizeof(where), "%s/sinks/%zu", pointer, i);
        is_good = hs_conf_read(&hs_sink_table, item, where, &sink, b->report);
        write_path(sink.path, sizeof(sink.path), "%s/%s", loop->path, sink.name);
        if (is_good) {
            resolve_kind(b, &sink, site, where);
            resolve_backup(b, &sink, site, where);
            check_sink(&sink, loop, where, b->report);
        }
        check_unique(seen, "sink", sink.name, where, b->report);
        HS_VEC_PUSH(&b->sinks, sink);
    }
    loop->n_sinks = b->sinks.n - loop->first_sink_idx;
}

static void read_loops(struct builder *b, const json_t *site_json, const char *pointer)
{
    const json_t *list = get_list(site_json, "loops", pointer, b->report);
    struct hs_site *site = &b->sites.items[b->sites.n - 1];
    json_auto_t *seen = hs_jsonx_object();
    size_t i;
    json_t *item;

    site->first_loop_idx = b->loops.n;
    json_array_foreach (list, i, item) {
        struct hs_heatloop loop = {.site_idx = b->sites.n - 1};
        char where[POINTER_MAX];

        write_path(where, sizeof(where), "%s/loops/%zu", pointer, i);
        if (hs_conf_read(&hs_heatloop_table, item, where, &loop, b->report)) {
            check_tank(&loop, where, b->report);
        }
        check_unique(seen, "loop", loop.name, where, b->report);
        write_path(loop.path, sizeof(loop.path), "%s/%s", site->name, loop.name);
        HS_VEC_PUSH(&b->loops, loop);
        read_sinks(b, item, where);
    }
    site->n_loops = b->loops.n - site->first_loop_idx;
}

static void check_host(const struct hs_host *host, const char *pointer,
                       struct hs_conf_report *report)
{
    char where[POINTER_MAX];

    if (!(host->max_w >= host->idle_w)) {
        write_path(where, sizeof(where), "%s/max_w", pointer);
        hs_conf_report_add(report, where, "must be at least idle_w (%.10g W), is %.10g W",
                           host->idle_w, host->max_w);
    }
    if (host->pinned_vcpus > host->vcpus) {
        write_path(where, sizeof(where), "%s/pinned_vcpus", pointer);
        hs_conf_report_add(report, where, "must be at most vcpus (%u), is %u", host->vcpus,
                           host->pinned_vcpus);
    }
}

/* One row of the file becomes `count` hosts. */
static void add_hosts(struct builder *b, const struct hs_host *row, json_t *seen,
                      const char *pointer)
{
    const struct hs_site *site = &b->sites.items[row->site_idx];
    uint32_t count = row->count > 1 ? row->count : 1;

    for (uint32_t k = 1; k <= count; k++) {
        struct hs_host host = *row;

        if (count > 1) {
            int n = snprintf(host.name, sizeof(host.name), "%s-%u", row->name, k);

            if (n >= (int)sizeof(host.name)) {
                hs_conf_report_add(b->report, pointer, "'%s-%u' is longer than %d bytes", row->name,
                                   k, HS_NAME_MAX - 1);
                return;
            }
        }
        if (!check_unique(seen, "host", host.name, pointer, b->report)) {
            return;
        }
        write_path(host.path, sizeof(host.path), "%s/%s", site->name, host.name);
        HS_VEC_PUSH(&b->hosts, host);
    }
}

static void read_hosts(struct builder *b, const json_t *rack_json, json_t *seen,
                       const char *pointer)
{
    const json_t *list = get_list(rack_json, "hosts", pointer, b->report);
    struct hs_rack *rack = &b->racks.items[b->racks.n - 1];
    size_t i;
    json_t *item;

    rack->first_host_idx = b->hosts.n;
    json_array_foreach (list, i, item) {
        struct hs_host host = {
            .site_idx = rack->site_idx,
            .rack_idx = b->racks.n - 1,
            .loop_idx = rack->loop_idx,
        };
        char where[POINTER_MAX];

        write_path(where, sizeof(where), "%s/hosts/%zu", pointer, i);
        if (hs_conf_read(&hs_host_table, item, where, &host, b->report)) {
            check_host(&host, where, b->report);
        }
        add_hosts(b, &host, seen, where);
    }
    rack->n_hosts = b->hosts.n - rack->first_host_idx;
}

static void report_loop(const struct builder *b, const struct hs_site *site, const char *name,
                        const char *pointer)
{
    HS_AUTO_MEM const char **words = hs_xcalloc(site->n_loops + 1, sizeof(*words));
    const char *nearest;
    char where[POINTER_MAX];

    for (size_t i = 0; i < site->n_loops; i++) {
        words[i] = b->loops.items[site->first_loop_idx + i].name;
    }
    if (*name == '\0') {
        hs_conf_report_add(b->report, pointer, "'loop' is missing: site '%s' has %zu loops",
                           site->name, site->n_loops);
        return;
    }
    write_path(where, sizeof(where), "%s/loop", pointer);
    nearest = hs_conf_nearest(words, name);
    nearest = nearest != NULL ? nearest : words[0];
    hs_conf_report_add(b->report, where, "site '%s' has no loop '%s'%s%s%s", site->name, name,
                       nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'?" : "");
}

/* Find the rack's loop and its capture ratio: rack's, else loop's, else the cooling's. */
static void resolve_rack(const struct builder *b, struct hs_rack *rack, const char *pointer)
{
    const struct hs_site *site = &b->sites.items[rack->site_idx];
    const struct hs_catalogue_cooling *cooling = hs_catalogue_find_cooling(rack->cooling);
    bool only_one = *rack->loop == '\0' && site->n_loops == 1;

    for (size_t i = 0; i < site->n_loops; i++) {
        const struct hs_heatloop *loop = &b->loops.items[site->first_loop_idx + i];

        if (only_one || strcmp(loop->name, rack->loop) == 0) {
            write_path(rack->loop, sizeof(rack->loop), "%s", loop->name);
            rack->loop_idx = site->first_loop_idx + i;
            if (isnan(rack->capture_ratio)) {
                rack->capture_ratio = loop->capture_ratio;
            }
            if (isnan(rack->capture_ratio) && cooling != NULL) {
                rack->capture_ratio = cooling->capture_ratio;
                hs_assumed_add_real(b->assumed, rack->path, "capture_ratio", cooling->capture_ratio,
                                    cooling->source);
            }
            return;
        }
    }
    report_loop(b, site, rack->loop, pointer);
}

static void read_racks(struct builder *b, const json_t *site_json, const char *pointer)
{
    const json_t *list = get_list(site_json, "racks", pointer, b->report);
    struct hs_site *site = &b->sites.items[b->sites.n - 1];
    json_auto_t *seen = hs_jsonx_object();
    json_auto_t *seen_hosts = hs_jsonx_object();
    size_t i;
    json_t *item;

    site->first_rack_idx = b->racks.n;
    json_array_foreach (list, i, item) {
        struct hs_rack rack = {.site_idx = b->sites.n - 1};
        char where[POINTER_MAX];
        bool is_good;

        write_path(where, sizeof(where), "%s/racks/%zu", pointer, i);
        is_good = hs_conf_read(&hs_rack_table, item, where, &rack, b->report);
        write_path(rack.path, sizeof(rack.path), "%s/%s", site->name, rack.name);
        if (is_good) {
            resolve_rack(b, &rack, where);
        }
        check_unique(seen, "rack", rack.name, where, b->report);
        HS_VEC_PUSH(&b->racks, rack);
        read_hosts(b, item, seen_hosts, where);
    }
    site->n_racks = b->racks.n - site->first_rack_idx;
}

static void read_sites(struct builder *b, const json_t *object, const char *pointer)
{
    const json_t *list = get_list(object, "sites", pointer, b->report);
    json_auto_t *seen = hs_jsonx_object();
    char where[POINTER_MAX];
    size_t i;
    json_t *item;

    if (list != NULL && json_array_size(list) == 0) {
        write_path(where, sizeof(where), "%s/sites", pointer);
        hs_conf_report_add(b->report, where, "an estate has at least one site");
    }
    json_array_foreach (list, i, item) {
        struct hs_site site = {0};

        write_path(where, sizeof(where), "%s/sites/%zu", pointer, i);
        (void)hs_conf_read(&hs_site_table, item, where, &site, b->report);
        hs_site_read_days(item, where, &site, b->assumed, b->report);
        check_unique(seen, "site", site.name, where, b->report);
        HS_VEC_PUSH(&b->sites, site);
        read_loops(b, item, where);
        read_racks(b, item, where);
    }
}

static void check_slot(const struct hs_estate *estate, const char *pointer,
                       struct hs_conf_report *report)
{
    char where[POINTER_MAX];

    if (estate->slot_s > 0 && HS_S_PER_DAY % estate->slot_s != 0) {
        write_path(where, sizeof(where), "%s/slot_s", pointer);
        hs_conf_report_add(report, where,
                           "must divide a day (86400 s) without rest, such as 900 or 3600, is %lld",
                           (long long)estate->slot_s);
    }
}

int hs_estate_parse_json(const json_t *object, const char *pointer, struct hs_conf_report *report,
                         struct hs_estate **ret_estate)
{
    HS_AUTO(hs_estate) estate = hs_xcalloc(1, sizeof(*estate));
    struct builder b = {.report = report, .assumed = &estate->assumed};
    size_t n_errors_before = report->n_errors;
    json_auto_t *filled = hs_jsonx_dup_deep(object);

    hs_sitefill_apply(filled, &estate->assumed);
    if (hs_conf_read(&hs_estate_table, filled, pointer, estate, report)) {
        check_slot(estate, pointer, report);
    }
    read_sites(&b, filled, pointer);
    estate->sites = b.sites.items;
    estate->n_sites = b.sites.n;
    estate->loops = b.loops.items;
    estate->n_loops = b.loops.n;
    estate->sinks = b.sinks.items;
    estate->n_sinks = b.sinks.n;
    estate->racks = b.racks.items;
    estate->n_racks = b.racks.n;
    estate->hosts = b.hosts.items;
    estate->n_hosts = b.hosts.n;
    if (report->n_errors == n_errors_before) { /* else names may be missing */
        estate->points = hs_xcalloc(1, sizeof(*estate->points));
        hs_pointmap_read(estate, filled, pointer, report, estate->points);
    }
    if (report->n_errors > n_errors_before) {
        return -HS_E_INVALID;
    }
    *ret_estate = HS_STEAL(estate);
    return 0;
}

int hs_estate_parse(const char *file, const char *text, struct hs_conf_report *report,
                    struct hs_estate **ret_estate)
{
    json_auto_t *json = NULL;
    int rc = hs_conf_parse(file, text, report, &json);

    return rc == 0 ? hs_estate_parse_json(json, "", report, ret_estate) : rc;
}
