/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simratio - how much of what was possible a controller got: between `asap` and the bounds.
 *
 * Source: simulator.md, "Report order". Pure; NAN is absent.
 */

#include <stdbool.h>

#include "scheduler/sim/simrun.h"

/** The results that others are measured with; NULL: not in the report. Borrowed. */
struct hs_simratio_marks {
    const struct hs_simrun_result *asap;
    const struct hs_simrun_result *bound;
    const struct hs_simrun_result *bound_useful;
};

/**
 * (asap - controller) ÷ (asap - bound), of cost.
 *
 * @return NAN without asap or bound, where the bound is none (no schedule is in time), or where
 *         less than 1 % of asap's cost can be saved
 */
double hs_simratio_get_value(const struct hs_simratio_marks *marks,
                             const struct hs_simrun_result *result);

/**
 * (controller - asap) ÷ (bound_useful - asap), of recovery (useful heat ÷ IT energy).
 *
 * @return NAN as above, or where bound_useful does not exceed asap by 0.2 points
 */
double hs_simratio_get_recovery(const struct hs_simratio_marks *marks,
                                const struct hs_simrun_result *result);

/** More late jobs than asap, or more late seconds in all: whatever was saved, it does not count. */
bool hs_simratio_is_later(const struct hs_simrun_result *asap,
                          const struct hs_simrun_result *result);
