/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * calendar - the day as people at a site live it: local hour, weekday, holiday.
 *
 * Heat follows people, people follow the wall clock: a profile by UTC hours would be an hour off
 * for half of the year. Pure: rules come in as values.
 */

#include <stdbool.h>
#include <stdint.h>

struct hs_calendar;

/** One hour as it is lived. */
struct hs_calendar_hour {
    int hour;        /* 0..23, local */
    int weekday;     /* 0 Monday .. 6 Sunday, local */
    int64_t day_no;  /* local days since 1970-01-01 */
    bool is_holiday; /* a public holiday, local day */
};

/** The hour in which @at_s lies. @param calendar  NULL: UTC without holidays */
struct hs_calendar_hour hs_calendar_get_hour(const struct hs_calendar *calendar, int64_t at_s);
