/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_perfect - hsched's own decisions, told the future: what is left between it and the
 * bound is the planner's, what is left between it and `heat` is the forecast's.
 */
#include "scheduler/sim/controller.h"
#include "scheduler/sim/heatdrive.h"

static int perfect_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                         struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    return hs_heatdrive_run(run, &(struct hs_heatdrive_options){.knows_future = true}, options,
                            ret_stats, err);
}

const struct hs_controller_ops hs_controller_perfect_ops = {
    .name = "perfect",
    .summary = "hsched's own decisions with true demand, run times and arrivals",
    .drive = perfect_drive,
};
