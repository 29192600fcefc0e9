/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_balance - the true heat balance of one loop over one span: the simulated plant's physics.
 *
 * Shared by plant_sim (demo, tests) and hsim; apart from core's tank model on purpose, or the
 * planner would be tested against its twin. Source: interfaces.md, "The plant in hsim", nodes: 1.
 * Pure.
 */

#include <stddef.h>

#include "scheduler/model/estate.h"

/** What happened in the span, all Wh. */
struct hs_plant_balance {
    double captured_wh;
    double useful_wh; /* direct + from the tank */
    double rejected_wh;
    double lost_wh;
    double stored_wh; /* change in the tank */
    double demand_wh;
    double backup_wh;
};

/**
 * Advance the loop's tank by @span_s.
 *
 * @param captured_w       heat captured, mean over the span, W
 * @param sink_demand_w    [n_sinks of the loop] mean demand, W
 * @param sink_worth       [n_sinks] cur/MWh, decides who is served first
 * @param io_tank_wh       usable energy, in and out
 * @param ret_useful_wh    [n_sinks] heat handed to each sink; nullable
 */
void hs_plant_balance_apply(const struct hs_heatloop *loop, const struct hs_sink *sinks,
                            double span_s, double captured_w, const double *sink_demand_w,
                            const double *sink_worth, double *io_tank_wh, double *ret_useful_wh,
                            struct hs_plant_balance *ret_balance);
