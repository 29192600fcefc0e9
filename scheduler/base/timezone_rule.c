/* SPDX-License-Identifier: Apache-2.0 */
/* timezone_rule - read by hand over a counted string, no NUL and no locale. */
#include "scheduler/base/timezone_rule.h"

#include <ctype.h>

#include "scheduler/base/civil.h"
#include "scheduler/base/units.h"

#define NAME_MIN      3
#define OFFSET_MAX_H  24
#define CHANGE_MAX_H  167
#define CHANGE_NORMAL 7200 /* two o'clock where no time is given */

struct cursor {
    const char *at;
    const char *end;
};

static bool read_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool read_number(struct cursor *cursor, int max, int *ret_value)
{
    int value = 0;
    const char *first = cursor->at;

    while (cursor->at < cursor->end && isdigit((unsigned char)*cursor->at) && value <= max) {
        value = value * 10 + (*cursor->at++ - '0');
    }
    *ret_value = value;
    return cursor->at > first && value <= max;
}

/* "CET" or "<+0330>" */
static bool read_name(struct cursor *cursor)
{
    const char *first = cursor->at;

    if (read_char(cursor, '<')) {
        while (cursor->at < cursor->end && *cursor->at != '>') {
            cursor->at++;
        }
        return cursor->at - first - 1 >= NAME_MIN && read_char(cursor, '>');
    }
    while (cursor->at < cursor->end && isalpha((unsigned char)*cursor->at)) {
        cursor->at++;
    }
    return cursor->at - first >= NAME_MIN;
}

/* "[+-]h[:m[:s]]" */
static bool read_clock(struct cursor *cursor, int max_h, int32_t *ret_s)
{
    int32_t sign = 1;
    int hours, minutes = 0, seconds = 0;

    if (read_char(cursor, '-')) {
        sign = -1;
    } else {
        (void)read_char(cursor, '+');
    }
    if (!read_number(cursor, max_h, &hours)) {
        return false;
    }
    if (read_char(cursor, ':')) {
        if (!read_number(cursor, 59, &minutes)
            || (read_char(cursor, ':') && !read_number(cursor, 59, &seconds))) {
            return false;
        }
    }
    *ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool read_day(struct cursor *cursor, struct hs_timezone_rule_change *change)
{
    if (read_char(cursor, 'M')) {
        change->kind = 'M';
        return read_number(cursor, 12, &change->month) && change->month >= 1
               && read_char(cursor, '.') && read_number(cursor, 5, &change->week)
               && change->week >= 1 && read_char(cursor, '.')
               && read_number(cursor, 6, &change->weekday);
    }
    if (read_char(cursor, 'J')) {
        change->kind = 'J';
        return read_number(cursor, 365, &change->day) && change->day >= 1;
    }
    change->kind = 'n';
    return read_number(cursor, 365, &change->day);
}

static bool read_change(struct cursor *cursor, struct hs_timezone_rule_change *change)
{
    change->at_s = CHANGE_NORMAL;
    return read_char(cursor, ',') && read_day(cursor, change)
           && (!read_char(cursor, '/') || read_clock(cursor, CHANGE_MAX_H, &change->at_s));
}

bool hs_timezone_rule_parse(const char *text, size_t n_bytes, struct hs_timezone_rule *ret_rule)
{
    struct cursor cursor = {text, text + n_bytes};
    struct hs_timezone_rule rule = {0};
    int32_t west_s;

    if (!read_name(&cursor) || !read_clock(&cursor, OFFSET_MAX_H, &west_s)) {
        return false;
    }
    rule.standard_s = -west_s; /* POSIX counts west of Greenwich */
    rule.summer_s = rule.standard_s + 3600;
    if (cursor.at < cursor.end) {
        rule.has_summer = true;
        if (!read_name(&cursor)) {
            return false;
        }
        if (cursor.at < cursor.end && *cursor.at != ',') {
            if (!read_clock(&cursor, OFFSET_MAX_H, &west_s)) {
                return false;
            }
            rule.summer_s = -west_s;
        }
        if (!read_change(&cursor, &rule.to_summer) || !read_change(&cursor, &rule.to_standard)) {
            return false;
        }
    }
    if (cursor.at != cursor.end) {
        return false;
    }
    *ret_rule = rule;
    return true;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t get_change_day_no(const struct hs_timezone_rule_change *change, int64_t year)
{
    int64_t new_year = hs_civil_get_day_no(year, 1, 1);
    int64_t first, day, next;

    if (change->kind == 'n') {
        return new_year + change->day;
    }
    if (change->kind == 'J') {
        return new_year + change->day - 1 + (change->day >= 60 && is_leap(year) ? 1 : 0);
    }
    first = hs_civil_get_day_no(year, change->month, 1);
    /* ours counts from Monday, POSIX from Sunday */
    day = first + (change->weekday + 6 - hs_civil_get_weekday(first) + 7) % 7
          + 7 * (change->week - 1);
    next = change->month == 12 ? hs_civil_get_day_no(year + 1, 1, 1)
                               : hs_civil_get_day_no(year, change->month + 1, 1);
    return day < next ? day : day - 7;
}

void hs_timezone_rule_get_events(const struct hs_timezone_rule *rule, int64_t year,
                                 struct hs_timezone_rule_event ret_events[2])
{
    ret_events[0].at_s = get_change_day_no(&rule->to_standard, year) * HS_S_PER_DAY
                         + rule->to_standard.at_s - rule->summer_s;
    ret_events[0].offset_s = rule->standard_s;
    ret_events[1].at_s = get_change_day_no(&rule->to_summer, year) * HS_S_PER_DAY
                         + rule->to_summer.at_s - rule->standard_s;
    ret_events[1].offset_s = rule->summer_s;
}

int32_t hs_timezone_rule_get_offset_s(const struct hs_timezone_rule *rule, int64_t at_s)
{
    struct hs_timezone_rule_event events[2];
    int64_t year = hs_civil_get_date(at_s / HS_S_PER_DAY).year;
    int64_t newest_at_s = INT64_MIN;
    int32_t offset_s = rule->standard_s;

    /* a change of one year may lie in the next by UTC */
    for (int64_t y = year - 1; rule->has_summer && y <= year + 1; y++) {
        hs_timezone_rule_get_events(rule, y, events);
        for (int i = 0; i < 2; i++) {
            if (events[i].at_s <= at_s && events[i].at_s >= newest_at_s) {
                newest_at_s = events[i].at_s;
                offset_s = events[i].offset_s;
            }
        }
    }
    return offset_s;
}
