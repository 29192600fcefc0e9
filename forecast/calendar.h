/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * calendar - the day as people at a site live it: local hour, weekday, holiday.
 *
 * Heat follows people, people follow the wall clock: a profile by UTC hours would be an hour off
 * for half of the year. Pure: rules come in as values. Never changes after it was made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/timezone.h"

struct hs_site;
struct hs_calendar;

/** One hour as it is lived. */
struct hs_calendar_hour {
    int hour;        /* 0..23, local */
    int weekday;     /* 0 Monday .. 6 Sunday, local */
    int64_t day_no;  /* local days since 1970-01-01 */
    bool is_holiday; /* a public holiday, or a day the site is closed; local day */
};

/**
 * The calendar of a site. Owned by the caller.
 *
 * @param timezone  kept; NULL: UTC
 * @param site      whose holidays and closed days count; borrowed; NULL: none
 */
struct hs_calendar *hs_calendar_new(const struct hs_timezone *timezone, const struct hs_site *site);

/**
 * The hour in which @at_s lies: a few ns. Where an hour of UTC holds parts of two local hours it
 * is the one of @at_s. Holidays are known from 1970 to 2099.
 *
 * @param calendar  NULL: UTC without holidays
 */
struct hs_calendar_hour hs_calendar_get_hour(const struct hs_calendar *calendar, int64_t at_s);

/** Accepts NULL. */
void hs_calendar_free(struct hs_calendar *calendar);
HS_DEFINE_AUTO(hs_calendar);
