/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * airfilter - weather as walls feel it: low-pass filtered over hours and days. A building's
 * need follows the slow temperature more than the one at the window. Plain value.
 */

#include <stdbool.h>

#include "forecast/weather.h"

#define HS_AIRFILTER_N 4 /* now, and over 5, 20 and 72 h */

struct hs_airfilter {
    double t_c[HS_AIRFILTER_N]; /* from fast to slow */
    double ghi_w_per_m2;        /* of this hour; 0 where unknown */
    double slow_ghi_w_per_m2;   /* over 6 h */
    double wind_m_per_s;        /* of this hour; 0 where unknown */
    bool has_air;               /* an outdoor temperature has been seen */
};

/** An hour goes by. What is unknown stays as it was. */
void hs_airfilter_step(struct hs_airfilter *filter, const struct hs_weather *weather);
