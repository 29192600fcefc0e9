/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_heat - hsched's own decisions, told what its daemon would be told: requests (never
 * run times), meters after the fact, prices and carbon known ahead.
 */
#include "scheduler/sim/controller.h"
#include "scheduler/sim/heatdrive.h"

static int heat_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                      struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    return hs_heatdrive_run(run, &(struct hs_heatdrive_options){.knows_future = false}, options,
                            ret_stats, err);
}

const struct hs_controller_ops hs_controller_heat_ops = {
    .name = "heat",
    .summary = "hsched's own decisions, from what its daemon would see",
    .drive = heat_drive,
};
