/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * holidays - public holidays by country, computed from the rules of its law. Pure.
 *
 * Right from the year 2000 on. A holiday that law moves from a weekend is given on both days:
 * people keep the first, and stay at home on the second.
 */

#include <stddef.h>
#include <stdint.h>

#define HS_HOLIDAYS_MAX 40 /* in one year of one country */

/** "auto", "none", then countries and their parts: "DE", "DE-NW"; NULL-terminated. */
extern const char *const hs_holidays_words[];

/**
 * Country or part meant by @word: for "auto" the country of the time zone where that is one of
 * ours. Static; "none" where there is none.
 */
const char *hs_holidays_resolve(const char *word, const char *timezone);

/** Easter Sunday of the western churches, days since 1970-01-01. */
int64_t hs_holidays_get_easter(int64_t year);

/**
 * Holidays of @year, in no order, a day perhaps twice; one of a year's first days may be kept on
 * the last of the year before.
 *
 * @param country       one of the words; "none", "auto" and unknown ones have no holidays
 * @param ret_day_nos   [HS_HOLIDAYS_MAX] days since 1970-01-01
 * @return how many
 */
size_t hs_holidays_list(const char *country, int64_t year, int64_t *ret_day_nos);
