/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simsum - what a run that is over comes to.
 *
 * Sums sites and jobs, credits the heat left in the tanks with the backup heat that it would have
 * replaced, and charges work that was not done at the run's mean cost of electricity, so that
 * leaving work undone never pays. docs/simulator.md, "What a run does".
 */

#include "scheduler/sim/simrun.h"

/**
 * @param run         at its end (hs_simrun_finish() brings it there)
 * @param ret_result  its sites are the caller's (free)
 */
void hs_simsum_get(const struct hs_simrun *run, struct hs_simrun_result *ret_result);
