/* SPDX-License-Identifier: Apache-2.0 */
/* timetext - times and durations as text, by hand so that no locale or time zone can interfere. */
#include "scheduler/base/timetext.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/units.h"

#define TIME_HINT     "write 2026-01-05T18:00:00Z, 18:00, 'tomorrow 06:00' or now+2h"
#define DURATION_HINT "write a number and a unit, such as 90m, 1h30m or 2d"

/* Longer spans are slips of the pen; the bound also keeps sums of times far from overflow. */
#define DURATION_MAX_S (INT64_C(3660) * HS_S_PER_DAY)

static const struct {
    char letter;
    int64_t span_s;
} units[] = {{'w', 7 * HS_S_PER_DAY}, {'d', HS_S_PER_DAY}, {'h', 3600}, {'m', 60}, {'s', 1}};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

void hs_timetext_format(int64_t at_s, char *ret_text)
{
    time_t at = (time_t)at_s;
    struct tm tm = {0};

    if (gmtime_r(&at, &tm) == NULL
        || strftime(ret_text, HS_TIMETEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        snprintf(ret_text, HS_TIMETEXT_MAX, "%lld", (long long)at_s);
    }
}

/* Read exactly @n_digits digits and move on; false if there are fewer. */
static bool read_digits(const char **cursor, int n_digits, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < n_digits; i++) {
        if (!isdigit((unsigned char)**cursor)) {
            return false;
        }
        value = value * 10 + (**cursor - '0');
        (*cursor)++;
    }
    *ret_value = value;
    return true;
}

static bool read_char(const char **cursor, const char *any_of)
{
    if (**cursor == '\0' || strchr(any_of, **cursor) == NULL) {
        return false;
    }
    (*cursor)++;
    return true;
}

/* "HH:MM" or "HH:MM:SS" into seconds of the day; a leap second counts as the next one. */
static bool read_clock(const char **cursor, int64_t *ret_s)
{
    int hour, minute, second = 0;

    if (!read_digits(cursor, 2, &hour) || !read_char(cursor, ":")
        || !read_digits(cursor, 2, &minute)
        || (read_char(cursor, ":") && !read_digits(cursor, 2, &second))) {
        return false;
    }
    *ret_s = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

static bool read_date(const char **cursor, int64_t *ret_at_s)
{
    struct tm tm = {0};
    struct tm made;
    time_t at;
    int year, month;

    if (!read_digits(cursor, 4, &year) || !read_char(cursor, "-") || !read_digits(cursor, 2, &month)
        || !read_char(cursor, "-") || !read_digits(cursor, 2, &tm.tm_mday)) {
        return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    made = tm;
    at = timegm(&made);
    *ret_at_s = at;
    /* timegm() turns 31 April into 1 May; we refuse it. */
    return made.tm_mon == tm.tm_mon && made.tm_mday == tm.tm_mday && tm.tm_mday > 0;
}

/* "Z" or "+01:00" into the offset east of UTC. */
static bool read_offset(const char **cursor, int64_t *ret_s)
{
    int64_t sign = **cursor == '-' ? -1 : 1;
    int hour, minute;

    *ret_s = 0;
    if (read_char(cursor, "Zz")) {
        return true;
    }
    if (!read_char(cursor, "+-") || !read_digits(cursor, 2, &hour) || !read_char(cursor, ":")
        || !read_digits(cursor, 2, &minute)) {
        return false;
    }
    *ret_s = sign * (hour * 3600 + minute * 60);
    return hour < 24 && minute < 60;
}

static bool parse_rfc3339(const char *text, int64_t *ret_at_s)
{
    const char *cursor = text;
    int64_t day_at_s, clock_s, offset_s;

    if (!read_date(&cursor, &day_at_s) || !read_char(&cursor, "Tt ")
        || !read_clock(&cursor, &clock_s)) {
        return false;
    }
    if (read_char(&cursor, ".")) {
        while (isdigit((unsigned char)*cursor)) {
            cursor++;
        }
    }
    if (!read_offset(&cursor, &offset_s) || *cursor != '\0') {
        return false;
    }
    *ret_at_s = day_at_s + clock_s - offset_s;
    return true;
}

static bool parse_clock(const char *text, int64_t *ret_s)
{
    const char *cursor = text;

    return read_clock(&cursor, ret_s) && *cursor == '\0';
}

static int parse_now(const char *text, const char *rest, int64_t now_at_s, int64_t *ret_at_s,
                     struct hs_err *err)
{
    int64_t span_s = 0;
    int rc = 0;

    if (*rest == '+' || *rest == '-') {
        rc = hs_timetext_parse_duration(rest + 1, &span_s, err);
    } else if (*rest != '\0') {
        rc = hs_err_set(err, HS_E_INVALID, "", "'%.64s' is not a time; " TIME_HINT, text);
    }
    if (rc == 0) {
        *ret_at_s = *rest == '-' ? now_at_s - span_s : now_at_s + span_s;
    }
    return rc;
}

static int64_t start_of_day(int64_t at_s)
{
    int64_t rest_s = at_s % HS_S_PER_DAY;

    return at_s - (rest_s < 0 ? rest_s + HS_S_PER_DAY : rest_s);
}

int hs_timetext_parse(const char *text, int64_t now_at_s, int64_t *ret_at_s, struct hs_err *err)
{
    static const char tomorrow[] = "tomorrow ";
    int64_t clock_s;

    if (strncmp(text, "now", 3) == 0) {
        return parse_now(text, text + 3, now_at_s, ret_at_s, err);
    }
    if (parse_rfc3339(text, ret_at_s)) {
        return 0;
    }
    if (parse_clock(text, &clock_s)) {
        int64_t at_s = start_of_day(now_at_s) + clock_s;

        *ret_at_s = at_s > now_at_s ? at_s : at_s + HS_S_PER_DAY;
        return 0;
    }
    if (strncmp(text, tomorrow, sizeof(tomorrow) - 1) == 0
        && parse_clock(text + sizeof(tomorrow) - 1, &clock_s)) {
        *ret_at_s = start_of_day(now_at_s) + HS_S_PER_DAY + clock_s;
        return 0;
    }
    return hs_err_set(err, HS_E_INVALID, "", "'%.64s' is not a time; " TIME_HINT, text);
}

/* One "30m"; units must come in falling order, so @first_unit is where to look from. */
static bool read_part(const char **cursor, size_t *first_unit, int64_t *ret_s)
{
    int64_t n = 0;

    if (!isdigit((unsigned char)**cursor)) {
        return false;
    }
    for (; isdigit((unsigned char)**cursor); (*cursor)++) {
        n = n * 10 + (**cursor - '0');
        if (n > DURATION_MAX_S) {
            return false;
        }
    }
    for (size_t i = *first_unit; i < N_UNITS; i++) {
        if (**cursor == units[i].letter) {
            (*cursor)++;
            *first_unit = i + 1;
            *ret_s += n * units[i].span_s;
            return *ret_s <= DURATION_MAX_S;
        }
    }
    return false;
}

int hs_timetext_parse_duration(const char *text, int64_t *ret_s, struct hs_err *err)
{
    const char *cursor = text;
    size_t first_unit = 0;
    int64_t span_s = 0;

    if (*text != '\0' && strspn(text, "0123456789") == strlen(text)) {
        return hs_err_set(err, HS_E_INVALID, "",
                          "'%.32s' has no unit; write %.32ss, %.32sm or %.32sh", text, text, text,
                          text);
    }
    do {
        if (!read_part(&cursor, &first_unit, &span_s)) {
            return hs_err_set(err, HS_E_INVALID, "", "'%.64s' is not a duration; " DURATION_HINT,
                              text);
        }
    } while (*cursor != '\0');
    *ret_s = span_s;
    return 0;
}

void hs_timetext_format_duration(int64_t span_s, char *ret_text)
{
    int64_t rest_s = span_s < 0 ? -span_s : span_s;
    size_t n = 0;

    if (rest_s == 0) {
        snprintf(ret_text, HS_TIMETEXT_MAX, "0s");
        return;
    }
    if (span_s < 0) {
        ret_text[n++] = '-';
    }
    for (size_t i = 1; i < N_UNITS; i++) { /* from days on: weeks are read, not written */
        int64_t count = rest_s / units[i].span_s;

        if (count > 0 && n < HS_TIMETEXT_MAX) {
            n += (size_t)snprintf(ret_text + n, HS_TIMETEXT_MAX - n, "%lld%c", (long long)count,
                                  units[i].letter);
        }
        rest_s -= count * units[i].span_s;
    }
}
