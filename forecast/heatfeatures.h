/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatfeatures - what explains the heat of an hour in a linear model: the hour of the day, working
 * day or not, the air as walls feel it with bends where heating stops, sun and wind.
 */

#include <stdint.h>

#include "forecast/airfilter.h"
#include "forecast/calendar.h"

#define HS_HEATFEATURES_N 78

/** Dimensionless, of the order of 1. @param ret_x  [HS_HEATFEATURES_N] */
void hs_heatfeatures_describe(const struct hs_airfilter *air, const struct hs_calendar *calendar,
                              int64_t no, double *ret_x);

/** Weight of the wish that each coefficient is zero. @param ret_pull  [HS_HEATFEATURES_N] */
void hs_heatfeatures_get_pull(double pull, double *ret_pull);

/** True on days on which people do not work. */
int hs_heatfeatures_is_free(const struct hs_calendar_hour *hour);
