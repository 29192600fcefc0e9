/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatscale - heat in units of the sink's own mean over its first days, so that models need not
 * know a house from a town; and which hours are worth learning from. Plain value.
 */

#include <stdbool.h>

#include "forecast/heathistory.h"

struct hs_heatscale {
    double n_hours; /* known hours that made the mean, at most three days */
    double mean_w;
    double n_frozen; /* hours since the meter's value last changed */
    double newest_w;
};

/** True once a day is known: values can be scaled. */
bool hs_heatscale_is_known(const struct hs_heatscale *scale);

/** The newest closed hour in units of the mean; NAN if unknown. Once for each hour. */
double hs_heatscale_take(struct hs_heatscale *scale, const struct hs_heathistory *history);

/**
 * True if the meter has said the same for over three days: a shut valve or a stuck meter says
 * nothing about weather and habit, so there is nothing to learn from it.
 */
bool hs_heatscale_is_frozen(const struct hs_heatscale *scale);
