/* SPDX-License-Identifier: Apache-2.0 */
/* maintenance - see maintenance.h. */
#include "scheduler/model/maintenance.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"

static const char *const kind_words[] = {"site", "loop", "rack", "host", "boiler", NULL};

struct maintenance_read {
    struct hs_maintenance it;
    char from[HS_TIMETEXT_MAX];
    char until[HS_TIMETEXT_MAX];
    int64_t span_s;
};

#define AT(member) .offset = offsetof(struct maintenance_read, member)

static const struct hs_conf_field fields[] = {
    {.name = "id", .type = HS_CONF_UINT64, AT(it.id), .help = "given by hschedd"},
    {.name = "kind",
     .type = HS_CONF_WORD,
     AT(it.kind),
     .size = HS_NAME_MAX,
     .words = kind_words,
     .required = true,
     .help = "what is out of use"},
    {.name = "name",
     .type = HS_CONF_TEXT,
     AT(it.name),
     .size = HS_PATH_MAX,
     .required = true,
     .help = "its name: SITE, SITE/LOOP, SITE/RACK, SITE/HOST or, of a boiler, SITE/LOOP/SINK"},
    {.name = "from",
     .type = HS_CONF_TEXT,
     AT(from),
     .size = HS_TIMETEXT_MAX,
     .has_default = true,
     .default_text = "now",
     .help = "when it begins"},
    {.name = "until",
     .type = HS_CONF_TEXT,
     AT(until),
     .size = HS_TIMETEXT_MAX,
     .help = "when it ends; or `for`"},
    {.name = "for",
     .type = HS_CONF_DURATION,
     AT(span_s),
     .min = 60,
     .max = 31536000,
     .help = "how long it lasts; or `until`"},
    {.name = "off",
     .type = HS_CONF_BOOL,
     AT(it.is_off),
     .has_default = true,
     .help = "its hosts are switched off: their idle heat is gone as well"},
    {.name = "why", .type = HS_CONF_TEXT, AT(it.why), .size = 128, .help = "for those who wonder"},
    {.name = "owner", .type = HS_CONF_TEXT, AT(it.owner), .size = 64, .help = "who does it"},
    {.name = "contact",
     .type = HS_CONF_TEXT,
     AT(it.contact),
     .size = 96,
     .help = "how to reach them"},
    {.name = "escalation",
     .type = HS_CONF_TEXT,
     AT(it.escalation),
     .size = 96,
     .help = "whom to call if it goes wrong"},
};
const struct hs_conf_table hs_maintenance_table = {"maintenance", fields,
                                                   sizeof(fields) / sizeof(fields[0])};

static bool read_time(const char *text, const char *pointer, int64_t now_at_s, int64_t *ret_at_s,
                      struct hs_conf_report *report)
{
    struct hs_err err;

    if (hs_timetext_parse(text, now_at_s, ret_at_s, &err) != 0) {
        hs_conf_report_add(report, pointer, "%s", err.text);
        return false;
    }
    return true;
}

int hs_maintenance_parse(const json_t *json, int64_t now_at_s, struct hs_maintenance *ret_it,
                         struct hs_conf_report *report)
{
    struct maintenance_read read = {.it = {.id = 0}};

    if (!hs_conf_read(&hs_maintenance_table, json, "", &read, report)
        || !read_time(read.from, "/from", now_at_s, &read.it.from_at_s, report)) {
        return -HS_E_INVALID;
    }
    if ((read.until[0] != '\0') == (read.span_s > 0)) {
        hs_conf_report_add(report, "", "say when it ends: either 'until' or 'for'");
        return -HS_E_INVALID;
    }
    read.it.until_at_s = read.it.from_at_s + read.span_s;
    if (read.until[0] != '\0'
        && !read_time(read.until, "/until", now_at_s, &read.it.until_at_s, report)) {
        return -HS_E_INVALID;
    }
    if (read.it.until_at_s <= read.it.from_at_s) {
        hs_conf_report_add(report, "/until", "it has to end after it begins");
        return -HS_E_INVALID;
    }
    *ret_it = read.it;
    return 0;
}

int hs_maintenance_check(const struct hs_maintenance *it, const struct hs_estate *estate,
                         struct hs_err *err)
{
    size_t idx = strcmp(it->kind, "site") == 0     ? hs_estate_find_site(estate, it->name)
                 : strcmp(it->kind, "loop") == 0   ? hs_estate_find_loop(estate, it->name)
                 : strcmp(it->kind, "rack") == 0   ? hs_estate_find_rack(estate, it->name)
                 : strcmp(it->kind, "boiler") == 0 ? hs_estate_find_sink(estate, it->name)
                                                   : hs_estate_find_host(estate, it->name);

    return idx != SIZE_MAX ? 0
                           : hs_err_set(err, HS_E_NOTFOUND, "/name", "no %s '%s' in the estate",
                                        it->kind, it->name);
}

bool hs_maintenance_covers(const struct hs_maintenance *it, const struct hs_estate *estate,
                           size_t host_idx)
{
    const struct hs_host *host = &estate->hosts[host_idx];
    const char *path = strcmp(it->kind, "site") == 0   ? estate->sites[host->site_idx].name
                       : strcmp(it->kind, "loop") == 0 ? estate->loops[host->loop_idx].path
                       : strcmp(it->kind, "rack") == 0 ? estate->racks[host->rack_idx].path
                                                       : host->path;

    return strcmp(it->kind, "boiler") != 0 && strcmp(it->name, path) == 0;
}

size_t hs_maintenance_find_sink(const struct hs_maintenance *it, const struct hs_estate *estate)
{
    return strcmp(it->kind, "boiler") == 0 ? hs_estate_find_sink(estate, it->name) : SIZE_MAX;
}

json_t *hs_maintenance_format(const struct hs_maintenance *it)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_int(json, "id", (int64_t)it->id);
    hs_jsonx_set_text(json, "kind", it->kind);
    hs_jsonx_set_text(json, "name", it->name);
    hs_jsonx_set_at(json, "from", it->from_at_s);
    hs_jsonx_set_at(json, "until", it->until_at_s);
    hs_jsonx_set_bool(json, "off", it->is_off);
    hs_jsonx_set_text(json, "why", it->why);
    hs_jsonx_set_text(json, "owner", it->owner);
    hs_jsonx_set_text(json, "contact", it->contact);
    hs_jsonx_set_text(json, "escalation", it->escalation);
    return json;
}
