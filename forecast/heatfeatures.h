/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatfeatures - what explains the heat of an hour in a linear model: the hour of the day, working
 * day or not, the air as walls feel it with bends where heating stops, sun and wind.
 */

#include <stdbool.h>
#include <stdint.h>

#include "forecast/airfilter.h"
#include "forecast/calendar.h"

#define HS_HEATFEATURES_N 78

/** Dimensionless, of the order of 1. @param ret_x  [HS_HEATFEATURES_N] */
void hs_heatfeatures_describe(const struct hs_airfilter *air, const struct hs_calendar *calendar,
                              int64_t no, double *ret_x);

/** The sum of what describe says times @coefs [HS_HEATFEATURES_N], without the many zeros. */
double hs_heatfeatures_explain(const struct hs_airfilter *air, const struct hs_calendar *calendar,
                               int64_t no, const double *coefs);

/** Weight of the wish that each coefficient is zero. @param ret_pull  [HS_HEATFEATURES_N] */
void hs_heatfeatures_get_pull(double pull, double *ret_pull);

/** True on days on which people do not work. */
bool hs_heatfeatures_is_free(const struct hs_calendar_hour *hour);
