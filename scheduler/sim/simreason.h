/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simreason - why hsched's decisions put a job where it is: the plan's word and the explanation.
 *
 * For controllers that drive core/cycle; they hand it out through hs_simrun_reason_fn.
 */

#include "scheduler/base/jsonx.h"
#include "scheduler/core/cycle.h"

/**
 * `plan`: {text: the action's own clause, planned_start, planned_end, elec_cur_per_mwh and
 * heat_cur_per_mwh of the slot of @now_at_s on the host's loop, is_forced, is_late, is_hopeless};
 * `explanation`: as `hsched explain`.
 *
 * @return owned by the caller; NULL if the cycle does not know the job
 */
json_t *hs_simreason_format(const struct hs_cycle *cycle, const struct hs_estate *estate,
                            const struct hs_action *action, int64_t now_at_s);
