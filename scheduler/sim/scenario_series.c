/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_series - entry by entry; a bad one is said once and does not make others bad. */
#include "scheduler/sim/scenario_series.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/signal.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/scenario_fields.h"

#define SPEC_FIELDS_MAX 8
#define OWN_FIELDS      2 /* beside the spec's */
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define NOTE_MAX        256

/** One entry of heat, weather, price or carbon: the spec first, as its table wants. */
struct series_entry {
    struct hs_signal_spec spec;
    char thing[HS_PATH_MAX];
    char issued[sizeof(((struct hs_signal_spec *)NULL)->csv)]; /* "" if none is named */
};

struct series_reader {
    struct hs_scenario *scenario;
    const json_t *root;
    const char *dir;
    struct hs_conf_report *report;
    struct hs_signal_cache *cache;
    struct hs_series **outdoor_c; /* [n_sites] until the site's weather takes it */
};

/** Refuse a series that misses more than a day at either end of the run. */
static void check_cover(struct series_reader *reader, const struct hs_series *series,
                        const char *pointer)
{
    const struct hs_scenario *scenario = reader->scenario;
    char from[HS_TIMETEXT_MAX] = "never", to[HS_TIMETEXT_MAX] = "never";
    char start[HS_TIMETEXT_MAX], end[HS_TIMETEXT_MAX];
    int64_t first_at_s = INT64_MAX, last_at_s = INT64_MIN;

    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            first_at_s = first_at_s < series->at_s[i] ? first_at_s : series->at_s[i];
            last_at_s = series->at_s[i] + series->step_s;
        }
    }
    if (first_at_s > last_at_s || first_at_s > scenario->start_at_s + HS_S_PER_DAY
        || last_at_s < hs_scenario_end_at_s(scenario) - HS_S_PER_DAY) {
        if (first_at_s <= last_at_s) {
            hs_timetext_format(first_at_s, from);
            hs_timetext_format(last_at_s, to);
        }
        hs_timetext_format(scenario->start_at_s, start);
        hs_timetext_format(hs_scenario_end_at_s(scenario), end);
        hs_conf_report_add(reader->report, pointer,
                           "the series covers %s to %s, not the run from %s to %s; choose another "
                           "start, or shift_s",
                           from, to, start, end);
    }
}

__attribute__((format(printf, 2, 3))) static void add_note(struct hs_scenario *scenario,
                                                           const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    scenario->notes = hs_xrealloc(scenario->notes, scenario->n_notes + 1, sizeof(*scenario->notes));
    scenario->notes[scenario->n_notes++] = hs_xstrdup(text);
}

/** Say what of the series is not known, so that nobody takes a held value for a measured one. */
static void note_unknown(struct series_reader *reader, const struct hs_signal_quantity *quantity,
                         const struct series_entry *entry, const struct hs_series *series,
                         const struct hs_signal_odd *odd)
{
    struct hs_scenario *scenario = reader->scenario;
    double known_ratio =
        hs_series_get_known_ratio(series, scenario->start_at_s, hs_scenario_end_at_s(scenario));
    char where[HS_FILETEXT_WHERE_MAX];

    if (odd->n > 0) {
        add_note(scenario, "%s: %g %s is no %s; %zu such value%s of '%s' count%s as unknown",
                 odd->where, odd->value, quantity->unit, quantity->name, odd->n,
                 odd->n == 1 ? "" : "s", entry->spec.column, odd->n == 1 ? "s" : "");
    }
    if (known_ratio < 1) {
        hs_filetext_format_where(entry->spec.csv, 0, where);
        add_note(scenario,
                 "%s: '%s' for '%s' is unknown for %.3g %% of the run; the last value holds", where,
                 entry->spec.column, entry->thing, 100 * (1 - known_ratio));
    }
}

struct series_group {
    const char *key;       /* in the scenario */
    const char *thing_key; /* in an entry: "sink" or "site" */
    const struct hs_signal_quantity *quantity;
    size_t (*find)(const struct hs_estate *estate, const char *path);
    struct hs_series **series;
    bool *is_listed; /* [things] by an entry, be it a bad one */
    bool has_issued; /* an entry may name recorded forecasts */
    /* what else the entry says of its thing; optional */
    void (*read_more)(struct series_reader *reader, const struct series_entry *entry,
                      size_t thing_idx, const char *pointer);
};

/** The file of a series, from the folder of the scenario. @return false if the path is too long */
static bool resolve(const struct series_reader *reader, const char *path,
                    char ret_path[HS_SCENARIO_PATH_MAX])
{
    int n = path[0] == '/' ? snprintf(ret_path, HS_SCENARIO_PATH_MAX, "%s", path)
                           : snprintf(ret_path, HS_SCENARIO_PATH_MAX, "%s/%s", reader->dir, path);

    return n < HS_SCENARIO_PATH_MAX;
}

/** A sink's file may have the weather too: it holds for its site, unless that has an entry. */
static void read_air_of_sink(struct series_reader *reader, const struct series_entry *entry,
                             size_t sink_idx, const char *pointer)
{
    const struct hs_estate *estate = reader->scenario->estate;
    size_t site_idx = estate->loops[estate->sinks[sink_idx].loop_idx].site_idx;
    struct hs_signal_options options = {.base_dir = reader->dir, .cache = reader->cache};
    struct hs_scenario_air *air = &reader->scenario->air[site_idx];
    struct hs_err cause = {0};

    (void)pointer;
    if (air->t_out_c == NULL
        && hs_scenario_air_read_beside_heat(air, &entry->spec, &options, &cause) != 0) {
        /* nobody named that column: what is wrong with it need not stop the run */
        add_note(reader->scenario, "%s: %s; this weather is left out", cause.where, cause.text);
    }
}

/** The entry's own temperature has been read; take the rest of it instead of a sink's. */
static void read_air_of_site(struct series_reader *reader, const struct series_entry *entry,
                             size_t site_idx, const char *pointer)
{
    struct hs_signal_options options = {.base_dir = reader->dir, .cache = reader->cache};
    struct hs_scenario_air *air = &reader->scenario->air[site_idx];
    struct hs_err cause = {0};
    char path[HS_SCENARIO_PATH_MAX];
    int rc;

    hs_scenario_air_fini(air);
    air->t_out_c = HS_STEAL(reader->outdoor_c[site_idx]);
    air->issued_shift_s = entry->spec.shift_s;
    rc = hs_scenario_air_read(air, &entry->spec, &options, &cause);
    if (rc == 0 && entry->issued[0] != '\0') {
        rc = resolve(reader, entry->issued, path)
                 ? hs_issuedcsv_read(path, &air->issued, &cause)
                 : hs_err_set(&cause, HS_E_INVALID, entry->issued, "the path is too long");
    }
    if (rc != 0) {
        hs_conf_report_add(reader->report, pointer, "%s: %s", cause.where, cause.text);
    }
}

static void read_series_entry(struct series_reader *reader, const struct series_group *group,
                              const json_t *object, const char *pointer)
{
    struct hs_conf_field fields[SPEC_FIELDS_MAX + OWN_FIELDS] = {
        {.name = group->thing_key,
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct series_entry, thing),
         .size = HS_PATH_MAX,
         .required = true},
        {.name = "issued",
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct series_entry, issued),
         .size = sizeof(((struct series_entry *)NULL)->issued)},
    };
    size_t n_own = group->has_issued ? 2 : 1;
    size_t n_spec = hs_signal_spec_table.n_fields;
    struct hs_conf_table table = {.name = group->key, .fields = fields, .n_fields = n_own + n_spec};
    struct series_entry entry = {0};
    struct hs_series *series = NULL;
    struct hs_err cause = {0};
    struct hs_signal_odd odd = {0};
    struct hs_signal_options options = {
        .base_dir = reader->dir, .quantity = group->quantity, .odd = &odd, .cache = reader->cache};
    size_t thing_idx;

    memcpy(fields + n_own, hs_signal_spec_table.fields, n_spec * sizeof(fields[0]));
    if (!hs_conf_read(&table, object, pointer, &entry, reader->report)) {
        return;
    }
    thing_idx = group->find(reader->scenario->estate, entry.thing);
    if (thing_idx == SIZE_MAX) {
        hs_conf_report_add(reader->report, pointer, "no %s '%s' in the estate", group->thing_key,
                           entry.thing);
        return;
    }
    if (group->is_listed[thing_idx]) {
        hs_conf_report_add(reader->report, pointer, "%s '%s' is listed twice", group->thing_key,
                           entry.thing);
        return;
    }
    group->is_listed[thing_idx] = true;
    if (hs_signal_load_with(&entry.spec, &options, &series, &cause) != 0) {
        hs_conf_report_add(reader->report, pointer, "%s: %s", cause.where, cause.text);
        return;
    }
    check_cover(reader, series, pointer);
    note_unknown(reader, group->quantity, &entry, series, &odd);
    group->series[thing_idx] = series;
    if (group->read_more != NULL) {
        group->read_more(reader, &entry, thing_idx, pointer);
    }
}

/** An entry that cannot be read lists its thing all the same: one mistake, one error. */
static void list_anyway(struct series_reader *reader, const struct series_group *group,
                        const json_t *object)
{
    const char *thing = json_string_value(json_object_get(object, group->thing_key));
    size_t thing_idx = thing != NULL ? group->find(reader->scenario->estate, thing) : SIZE_MAX;

    if (thing_idx != SIZE_MAX) {
        group->is_listed[thing_idx] = true;
    }
}

static void read_series_group(struct series_reader *reader, const struct series_group *group)
{
    const json_t *array = hs_scenario_fields_get_array(reader->root, group->key, reader->report);
    size_t i;
    const json_t *object;

    json_array_foreach (array, i, object) {
        char pointer[64];

        snprintf(pointer, sizeof(pointer), "/%s/%zu", group->key, i);
        read_series_entry(reader, group, object, pointer);
        list_anyway(reader, group, object);
    }
}

void hs_scenario_series_read(struct hs_scenario *scenario, const json_t *root, const char *dir,
                             struct hs_conf_report *report)
{
    HS_AUTO(hs_signal_cache) cache = hs_signal_cache_new();
    const struct hs_estate *estate = scenario->estate;
    size_t n_sinks = estate->n_sinks, n_sites = estate->n_sites;
    HS_AUTO_MEM struct hs_series **outdoor_c = hs_xcalloc(n_sites, sizeof(struct hs_series *));
    struct series_reader reader = {scenario, root, dir, report, cache, outdoor_c};
    HS_AUTO_MEM bool *is_listed = hs_xcalloc(n_sinks + 3 * n_sites, sizeof(bool));

    scenario->demand_heat_w = hs_xcalloc(n_sinks, sizeof(struct hs_series *));
    scenario->air = hs_xcalloc(n_sites, sizeof(*scenario->air));
    scenario->price = hs_xcalloc(n_sites, sizeof(struct hs_series *));
    scenario->gco2_per_kwh = hs_xcalloc(n_sites, sizeof(struct hs_series *));

    const struct series_group groups[] = {
        {.key = "heat",
         .thing_key = "sink",
         .quantity = &hs_signal_heat,
         .find = hs_estate_find_sink,
         .series = scenario->demand_heat_w,
         .is_listed = is_listed,
         .read_more = read_air_of_sink},
        {.key = "weather",
         .thing_key = "site",
         .quantity = &hs_signal_outdoor,
         .find = hs_estate_find_site,
         .series = outdoor_c,
         .is_listed = is_listed + n_sinks,
         .has_issued = true,
         .read_more = read_air_of_site},
        {.key = "price",
         .thing_key = "site",
         .quantity = &hs_signal_price,
         .find = hs_estate_find_site,
         .series = scenario->price,
         .is_listed = is_listed + n_sinks + n_sites},
        {.key = "carbon",
         .thing_key = "site",
         .quantity = &hs_signal_carbon,
         .find = hs_estate_find_site,
         .series = scenario->gco2_per_kwh,
         .is_listed = is_listed + n_sinks + 2 * n_sites},
    };

    for (size_t i = 0; i < COUNT(groups); i++) {
        read_series_group(&reader, &groups[i]);
    }
    for (size_t k = 0; k < n_sinks; k++) {
        if (!is_listed[k]) {
            hs_conf_report_add(report, "/heat", "sink '%s' has no series", estate->sinks[k].path);
        }
    }
}
