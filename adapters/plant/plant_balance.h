/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_balance - the true heat balance of one loop over one span: the simulated plant's physics.
 *
 * Shared by plant_sim (demo, tests) and hsim; apart from core's tank model on purpose, or the
 * planner would be tested against its twin. Source: docs/simulator.md, Plant; the tank's
 * layers are plant_tank's, lifts hs_sink_get_lift()'s. Pure.
 */

#include <stddef.h>

#include "adapters/plant/plant_tank.h"
#include "scheduler/base/err.h"
#include "scheduler/model/estate.h"

#define HS_PLANT_BALANCE_TOLERANCE 1e-6 /* of the captured heat */

/** What a loop faces over a span. All borrowed for the call. */
struct hs_plant_balance_input {
    double span_s;
    double captured_w;           /* heat captured, mean over the span */
    const double *sink_demand_w; /* [n_sinks of the loop] mean demand */
    const double *sink_worth;    /* [n_sinks] cur/MWh of loop heat, decides who is served first */
};

/** What happened in the span, all Wh. */
struct hs_plant_balance {
    double captured_wh;
    double useful_wh; /* loop heat handed to sinks: direct + from the tank */
    double lift_wh;   /* heat pumps' electricity, which warms the sinks too */
    double rejected_wh;
    double lost_wh;
    double stored_wh; /* change in the tank */
    double demand_wh; /* = useful + lift + backup */
    double backup_wh;
};

/**
 * Advance the loop's tank by the span: loss, direct service in order of worth, charge, rejection,
 * draw, backup.
 *
 * @param ret_useful_wh  [n_sinks] loop heat handed to each sink; nullable
 * @param ret_lift_wh    [n_sinks] electricity of each sink's heat pump; nullable
 */
void hs_plant_balance_apply(const struct hs_heatloop *loop, const struct hs_sink *sinks,
                            const struct hs_plant_balance_input *input,
                            struct hs_plant_tank *io_tank, double *ret_useful_wh,
                            double *ret_lift_wh, struct hs_plant_balance *ret_balance);

/**
 * See whether all heat of the span went somewhere.
 *
 * @return 0, -HS_E_INTERNAL if more than HS_PLANT_BALANCE_TOLERANCE of it is missing
 */
int hs_plant_balance_check(const struct hs_heatloop *loop, const struct hs_plant_balance *balance,
                           struct hs_err *err);
