/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simscene - what a run looks like at one decision: the queue, the hosts, the heat, the prices.
 *
 * For `hsim replay`: made right after the decision took effect.
 */

#include <stdio.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/sim/simrun.h"

/**
 * `decision`, `job`, `host`, `running`, `waiting`, `loops`, `explanation` (docs/simulator.md).
 *
 * @param line  the decision's line (decisionlog.h)
 * @return owned by the caller
 */
json_t *hs_simscene_format(const struct hs_simrun *run, size_t job_idx, const char *line);

/** The same for people. */
void hs_simscene_print(const json_t *scene, FILE *out);
