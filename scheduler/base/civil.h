/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** civil - days since 1970-01-01 as dates of the Gregorian calendar and back. No time zone. */

#include <stdint.h>

#include "scheduler/base/err.h"

struct hs_civil {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

/** @param day  any: the 0th is the day before the first, the 32nd of January the 1st of February */
int64_t hs_civil_get_day_no(int64_t year, int month, int day);

struct hs_civil hs_civil_get_date(int64_t day_no);

/** 0 Monday .. 6 Sunday. */
int hs_civil_get_weekday(int64_t day_no);

/** "2026-12-24". @return 0 or -HS_E_INVALID saying what would be right */
int hs_civil_parse_day(const char *text, int64_t *ret_day_no, struct hs_err *err);
