/* SPDX-License-Identifier: Apache-2.0 */
/* limit_parse - see limit_parse.h. */
#include "policies/limit_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"

#define POINTER_MAX 300
#define CLOCK_MAX   16

/* October to March, and April to September: when heating is on, and when it is not. */
#define WINTER_MONTHS 0x0e07U
#define SUMMER_MONTHS 0x01f8U

static const char *const season_words[] = {"winter", "summer", NULL};
static const char *const day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

struct limit_read {
    struct hs_limit limit;
    char from[CLOCK_MAX];
    char to[CLOCK_MAX];
    char season[HS_NAME_MAX];
};

#define AT(member) .offset = offsetof(struct limit_read, member)

static const struct hs_conf_field fields[] = {
    {.name = "site",
     .type = HS_CONF_NAME,
     AT(limit.site),
     .size = HS_NAME_MAX,
     .required = true,
     .help = "name of the site"},
    {.name = "loop",
     .type = HS_CONF_NAME,
     AT(limit.loop),
     .size = HS_NAME_MAX,
     .help = "heat loop of the site whose racks it holds for; the whole site if neither is given"},
    {.name = "rack",
     .type = HS_CONF_NAME,
     AT(limit.rack),
     .size = HS_NAME_MAX,
     .help = "rack of the site that it holds for"},
    {.name = "elec_w",
     .type = HS_CONF_REAL,
     AT(limit.elec_w),
     .min = 0,
     .max = INFINITY,
     .unit = "W",
     .required = true,
     .help = "most IT electricity in that time"},
    {.name = "from",
     .type = HS_CONF_TEXT,
     AT(from),
     .size = CLOCK_MAX,
     .help = "HH:MM, local time of the site; the whole day if neither is given"},
    {.name = "to",
     .type = HS_CONF_TEXT,
     AT(to),
     .size = CLOCK_MAX,
     .help = "HH:MM, local time of the site; before `from` it is that of the next day"},
    {.name = "season",
     .type = HS_CONF_WORD,
     AT(season),
     .size = HS_NAME_MAX,
     .words = season_words,
     .help = "winter: October to March; summer: April to September; all year if not given"},
    {.name = "months",
     .type = HS_CONF_CHILDREN,
     .help = "list of months, 1 to 12, in which it holds; instead of `season`"},
    {.name = "days",
     .type = HS_CONF_CHILDREN,
     .help = "list of days on which it begins: mon, tue, wed, thu, fri, sat, sun"},
    {.name = "why",
     .type = HS_CONF_TEXT,
     AT(limit.why),
     .size = sizeof(((struct limit_read *)0)->limit.why),
     .help = "for those who wonder; said wherever it holds something back"},
};
const struct hs_conf_table hs_limit_table = {"limit", fields, sizeof(fields) / sizeof(fields[0])};

/* "22:00" in minutes; -1 if it is no such time. */
static int parse_clock(const char *text)
{
    int64_t at_s;

    if (strlen(text) != 5 || hs_timetext_parse(text, -1, &at_s, NULL) != 0) {
        return -1;
    }
    return (int)(at_s % HS_S_PER_DAY / 60);
}

static bool read_clocks(const struct limit_read *read, const char *pointer,
                        struct hs_limit *ret_limit, struct hs_conf_report *report)
{
    if (read->from[0] == '\0' && read->to[0] == '\0') {
        return true;
    }
    ret_limit->from_min = parse_clock(read->from);
    ret_limit->to_min = parse_clock(read->to);
    if (ret_limit->from_min < 0 || ret_limit->to_min < 0) {
        hs_conf_report_add(report, pointer, "'from' and 'to' must be times such as 22:00");
        return false;
    }
    return true;
}

static unsigned get_month_bit(const json_t *item)
{
    json_int_t month = json_is_integer(item) ? json_integer_value(item) : 0;

    return month >= 1 && month <= 12 ? 1U << (month - 1) : 0U;
}

static unsigned get_day_bit(const json_t *item)
{
    for (unsigned i = 0; json_is_string(item) && day_words[i] != NULL; i++) {
        if (strcmp(json_string_value(item), day_words[i]) == 0) {
            return 1U << i;
        }
    }
    return 0U;
}

/* Bits of the list; @all where there is none, 0 after saying what is wrong. */
static unsigned read_bits(const json_t *list, const char *pointer, const char *what, unsigned all,
                          unsigned (*get_bit)(const json_t *item), struct hs_conf_report *report)
{
    unsigned bits = 0;
    size_t i;
    json_t *item;

    if (list == NULL || json_is_null(list)) {
        return all;
    }
    json_array_foreach (list, i, item) {
        unsigned bit = get_bit(item);

        if (bit == 0) {
            hs_conf_report_add(report, pointer, "must be a list of %s", what);
            return 0;
        }
        bits |= bit;
    }
    if (bits == 0) {
        hs_conf_report_add(report, pointer, "must be a list of %s, one at least", what);
    }
    return bits;
}

bool hs_limit_parse_item(const json_t *item, const char *pointer, struct hs_limit *ret_limit,
                         struct hs_conf_report *report)
{
    struct limit_read read = {.limit = {.months = HS_LIMIT_EVERY_MONTH}};
    char months[POINTER_MAX];
    char days[POINTER_MAX];
    bool is_right = hs_conf_read(&hs_limit_table, item, pointer, &read, report);

    snprintf(months, sizeof(months), "%.200s/months", pointer);
    snprintf(days, sizeof(days), "%.200s/days", pointer);
    if (!is_right) {
        return false;
    }
    *ret_limit = read.limit;
    if (ret_limit->loop[0] != '\0' && ret_limit->rack[0] != '\0') {
        hs_conf_report_add(report, pointer, "either 'loop' or 'rack', not both");
        return false;
    }
    if (read.season[0] != '\0' && json_object_get(item, "months") != NULL) {
        hs_conf_report_add(report, pointer, "either 'season' or 'months', not both");
        return false;
    }
    ret_limit->months =
        read_bits(json_object_get(item, "months"), months, "months, numbers from 1 to 12",
                  HS_LIMIT_EVERY_MONTH, get_month_bit, report);
    ret_limit->days =
        read_bits(json_object_get(item, "days"), days, "days: mon, tue, wed, thu, fri, sat, sun",
                  HS_LIMIT_EVERY_DAY, get_day_bit, report);
    if (read.season[0] != '\0') {
        ret_limit->months = read.season[0] == 'w' ? WINTER_MONTHS : SUMMER_MONTHS;
    }
    return read_clocks(&read, pointer, ret_limit, report) && ret_limit->months != 0
           && ret_limit->days != 0;
}
