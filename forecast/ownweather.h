/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * ownweather - where nobody issues a weather forecast, the site's own sensor goes on: the usual
 * day of the last week, and what the newest hour differs from it fades away.
 */

#include "forecast/heathistory.h"

/** @param ret_hours  [n_hours] after the newest; unknown where a week says nothing */
void hs_ownweather_continue(const struct hs_heathistory *history, size_t n_hours,
                            struct hs_weather *ret_hours);
