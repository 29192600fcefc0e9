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
 * `plan`: {planned_start, planned_end, elec_cur_per_mwh and heat_cur_per_mwh of the slot of
 * @now_at_s on @loop_idx, is_forced, is_late, is_hopeless}; `explanation`: as `hsched explain`.
 *
 * @return owned by the caller; NULL if the cycle does not know the job
 */
json_t *hs_simreason_format(const struct hs_cycle *cycle, uint64_t job_id, size_t loop_idx,
                            int64_t now_at_s);
