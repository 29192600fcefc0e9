/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simheat - what a loop's meters say now: demand, captured heat, how full the tank is.
 *
 * For rivals that go by readings, not by plans. Demand is the open slot's, captured heat follows
 * from the electricity that the racks draw at this instant, the tank is as the last slot left it.
 */

#include <stddef.h>

#include "scheduler/sim/simrun.h"

/** Heat that the loop's sinks want, W; a sink that is out wants none. */
double hs_simheat_get_demand_w(const struct hs_simrun *run, size_t loop_idx);

/** Heat that the loop's racks give, W. */
double hs_simheat_get_captured_w(const struct hs_simrun *run, size_t loop_idx);

/** How full the loop's tank is, 0 to 1; 0 without a tank. */
double hs_simheat_get_fill_ratio(const struct hs_simrun *run, size_t loop_idx);
