/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * limit - a cap on IT electricity by the clock and the season, at a site, loop or rack.
 *
 * Hours are those of the site's wall clock. A window may pass midnight; its season, months and
 * days are those of the day on which it begins. Plain value; pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/timezone.h"
#include "scheduler/model/site.h"

#define HS_LIMIT_EVERY_MONTH 0x0fffU
#define HS_LIMIT_EVERY_DAY   0x7fU

struct hs_limit {
    char site[HS_NAME_MAX];
    char loop[HS_NAME_MAX]; /* "": not of a loop */
    char rack[HS_NAME_MAX]; /* "": not of a rack; with neither it is the whole site's */
    double elec_w;
    int from_min;    /* minutes after midnight, local */
    int to_min;      /* the same as from_min: all day */
    unsigned months; /* bit 0: January */
    unsigned days;   /* bit 0: Monday */
    char why[128];
};

/** Does it hold at @at_s? @param timezone  of its site; NULL: UTC */
bool hs_limit_holds(const struct hs_limit *limit, const struct hs_timezone *timezone, int64_t at_s);

/** Does it hold at any instant of [@from_at_s, @until_at_s)? */
bool hs_limit_touches(const struct hs_limit *limit, const struct hs_timezone *timezone,
                      int64_t from_at_s, int64_t until_at_s);
