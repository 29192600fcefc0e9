/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plan_asap - as soon as possible: what the planner is held against.
 *
 * First come, first served; a job takes the first slots in which one host it may use has room for
 * it without a break, before or behind those that came earlier. Whoever comes at one instant is
 * served by due time. Heat and prices are not looked at. Shares no code with the planner.
 */

#include "scheduler/model/plan.h"
#include "tests/bench/plan_cases.h"

/** @param ret_placements [n_jobs] @return how many end late or find no room in the horizon */
size_t plan_asap_make(const struct plan_cases *cases, struct hs_placement *ret_placements);
