/* SPDX-License-Identifier: Apache-2.0 */
/* site - field table. */
#include "scheduler/model/site.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/civil.h"
#include "scheduler/model/assumed.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/heatloop.h"
#include "scheduler/model/holidays.h"
#include "scheduler/model/pointmap.h"
#include "scheduler/model/rack.h"

#define POINTER_MAX   300
#define DAY_MAX_BYTES 64
#define CLOSED_MAX_D  366 /* days; a longer span is a slip of the pen */

#define AT(member) .offset = offsetof(struct hs_site, member)

static const struct hs_conf_field electricity_fields[] = {
    {.name = "price_cur_per_mwh",
     .type = HS_CONF_REAL,
     AT(price_cur_per_mwh),
     .min = -1e5,
     .max = 1e5,
     .unit = "cur/MWh",
     .required = true,
     .help = "price where no price series is given"},
    {.name = "gco2_per_kwh",
     .type = HS_CONF_REAL,
     AT(gco2_per_kwh),
     .min = 0,
     .max = 3000,
     .unit = "g/kWh",
     .has_default = true,
     .default_number = 0,
     .help = "carbon intensity where no carbon series is given"},
    {.name = "limit_w",
     .type = HS_CONF_REAL,
     AT(limit_w),
     .min = 1,
     .max = INFINITY,
     .unit = "W",
     .has_default = true,
     .default_number = INFINITY,
     .help = "what the grid connection carries"},
};
static const struct hs_conf_table electricity_table = {
    "electricity", electricity_fields, sizeof(electricity_fields) / sizeof(electricity_fields[0])};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     AT(name),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "unique in the estate"},
    {.name = "template",
     .type = HS_CONF_WORD,
     AT(template_name),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_template_words,
     .help = "kind of building; fills what the file leaves open (catalogue.md)"},
    {.name = "redundancy",
     .type = HS_CONF_WORD,
     AT(redundancy),
     .size = HS_NAME_MAX,
     .words = hs_catalogue_redundancy_words,
     .default_text = "n",
     .help = "how much of the rejection may fail; sizes a template's, and less is noted"},
    {.name = "timezone",
     .type = HS_CONF_TEXT,
     AT(timezone),
     .size = HS_NAME_MAX,
     .default_text = "UTC",
     .help = "IANA name of its local time, which people and their heat follow (estate.md)"},
    {.name = "holidays",
     .type = HS_CONF_WORD,
     AT(holidays),
     .size = HS_NAME_MAX,
     .words = hs_holidays_words,
     .default_text = "auto",
     .help = "whose public holidays it keeps; auto: the country of its timezone, if that is one"},
    {.name = "closed",
     .type = HS_CONF_ANY,
     .help = "list of further days off: 2026-12-24, or first/last: 2026-07-02/2026-08-15"},
    {.name = "latitude",
     .type = HS_CONF_REAL,
     AT(latitude),
     .min = -90,
     .max = 90,
     .unit = "°",
     .has_default = true,
     .default_number = NAN,
     .help = "north is positive"},
    {.name = "longitude",
     .type = HS_CONF_REAL,
     AT(longitude),
     .min = -180,
     .max = 180,
     .unit = "°",
     .has_default = true,
     .default_number = NAN,
     .help = "east is positive"},
    {.name = "electricity",
     .type = HS_CONF_OBJECT,
     .table = &electricity_table,
     .present_offset = SIZE_MAX,
     .required = true,
     .help = "what electricity costs and emits"},
    {.name = "aux_elec_ratio",
     .type = HS_CONF_REAL,
     AT(aux_elec_ratio),
     .min = 0,
     .max = 3,
     .has_default = true,
     .default_number = 0,
     .help = "electricity of pumps and cooling for each Wh of IT"},
    {.name = "loops",
     .type = HS_CONF_CHILDREN,
     .table = &hs_heatloop_table,
     .required = true,
     .help = "its heat loops"},
    {.name = "racks", .type = HS_CONF_CHILDREN, .table = &hs_rack_table, .help = "its racks"},
    {.name = "points",
     .type = HS_CONF_CHILDREN,
     .table = &hs_pointmap_table,
     .help = "where its readings come from, by quantity: docs/plant.md"},
};

const struct hs_conf_table hs_site_table = {"site", fields, sizeof(fields) / sizeof(fields[0])};

/* "2026-12-24" or "2026-07-02/2026-08-15". */
static int read_closed(const char *text, struct hs_site_closed *ret_closed, struct hs_err *err)
{
    const char *slash = strchr(text, '/');
    char first[DAY_MAX_BYTES];
    struct hs_site_closed closed = {0};
    int rc;

    snprintf(first, sizeof(first), "%.*s", slash != NULL ? (int)(slash - text) : (int)strlen(text),
             text);
    rc = hs_civil_parse_day(first, &closed.first_day_no, err);
    closed.last_day_no = closed.first_day_no;
    if (rc == 0 && slash != NULL) {
        rc = hs_civil_parse_day(slash + 1, &closed.last_day_no, err);
    }
    if (rc == 0 && closed.last_day_no < closed.first_day_no) {
        rc = hs_err_set(err, HS_E_INVALID, "", "'%.40s' ends before it begins", text);
    }
    if (rc == 0 && closed.last_day_no - closed.first_day_no >= CLOSED_MAX_D) {
        rc = hs_err_set(err, HS_E_INVALID, "", "'%.40s' is longer than a year", text);
    }
    if (rc == 0) {
        *ret_closed = closed;
    }
    return rc;
}

static void read_closed_list(const json_t *list, const char *pointer, struct hs_site *site,
                             struct hs_conf_report *report)
{
    size_t i;
    const json_t *item;

    if (list == NULL || json_is_null(list)) {
        return;
    }
    if (!json_is_array(list)) {
        hs_conf_report_add(report, pointer,
                           "must be a list of days, such as [\"2026-12-24\", "
                           "\"2026-07-02/2026-08-15\"]");
        return;
    }
    if (json_array_size(list) > HS_SITE_CLOSED_MAX) {
        hs_conf_report_add(report, pointer, "at most %d entries fit, there are %zu",
                           HS_SITE_CLOSED_MAX, json_array_size(list));
        return;
    }
    json_array_foreach (list, i, item) {
        char where[POINTER_MAX + 24];
        struct hs_err err;

        snprintf(where, sizeof(where), "%s/%zu", pointer, i);
        if (!json_is_string(item)) {
            hs_conf_report_add(report, where, "must be a day in quotes, such as \"2026-12-24\"");
        } else if (read_closed(json_string_value(item), &site->closed[site->n_closed], &err) != 0) {
            hs_conf_report_add(report, where, "%s", err.text);
        } else {
            site->n_closed++;
        }
    }
}

void hs_site_read_days(const json_t *object, const char *pointer, struct hs_site *site,
                       struct hs_assumed_list *assumed, struct hs_conf_report *report)
{
    const char *country = hs_holidays_resolve(site->holidays, site->timezone);
    char where[POINTER_MAX];

    if (strcmp(site->holidays, "auto") == 0) {
        snprintf(site->holidays, sizeof(site->holidays), "%s", country);
        if (strcmp(country, "none") != 0) {
            hs_assumed_add_word(assumed, site->name, "holidays", country,
                                "country of the time zone (estate.md)");
        }
    }
    snprintf(where, sizeof(where), "%s/closed", pointer);
    read_closed_list(json_object_get(object, "closed"), where, site, report);
}
