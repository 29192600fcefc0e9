/* SPDX-License-Identifier: Apache-2.0 */
/*
 * civil - dates by counting in eras of 400 years, years from 1 March so that the leap day is last.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
#include "scheduler/base/civil.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_PER_ERA      146097
#define DAYS_BEFORE_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */
#define DAY_TEXT_BYTES    10

static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

int64_t hs_civil_get_day_no(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = divide_down(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100
           + day_of_year - DAYS_BEFORE_EPOCH;
}

struct hs_civil hs_civil_get_date(int64_t day_no)
{
    int64_t shifted = day_no + DAYS_BEFORE_EPOCH;
    int64_t era = divide_down(shifted, DAYS_PER_ERA);
    int64_t day = shifted - era * DAYS_PER_ERA;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct hs_civil date = {
        .year = year + era * 400 + (month >= 10 ? 1 : 0),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };

    return date;
}

int hs_civil_get_weekday(int64_t day_no)
{
    return (int)(((day_no + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int hs_civil_parse_day(const char *text, int64_t *ret_day_no, struct hs_err *err)
{
    static const char shape[] = "dddd-dd-dd";
    struct hs_civil read = {0}, made;
    bool is_good = strlen(text) == DAY_TEXT_BYTES;

    for (size_t i = 0; is_good && i < DAY_TEXT_BYTES; i++) {
        is_good = shape[i] == 'd' ? isdigit((unsigned char)text[i]) != 0 : text[i] == shape[i];
    }
    if (is_good) {
        read.year = atoi(text);
        read.month = atoi(text + 5);
        read.day = atoi(text + 8);
        is_good = read.month >= 1 && read.month <= 12;
    }
    if (is_good) {
        /* counting turns 31 April into 1 May; we refuse it */
        made = hs_civil_get_date(hs_civil_get_day_no(read.year, read.month, read.day));
        is_good = made.month == read.month && made.day == read.day;
    }
    if (!is_good) {
        return hs_err_set(err, HS_E_INVALID, "", "'%.40s' is no day, write it as 2026-12-24", text);
    }
    *ret_day_no = hs_civil_get_day_no(read.year, read.month, read.day);
    return 0;
}
