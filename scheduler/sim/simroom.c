/* SPDX-License-Identifier: Apache-2.0 */
/* simroom - free vCPUs, rack and feeder. */
#include "scheduler/sim/simroom.h"

#include <math.h>

double hs_simroom_get_site_w(const struct hs_simrun *run, size_t site_idx)
{
    const struct hs_site *site = &run->scenario->estate->sites[site_idx];
    double sum_w = 0;

    for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
        sum_w += run->rack_elec_w[r];
    }
    return sum_w;
}

double hs_simroom_get_left_w(const struct hs_simrun *run, size_t host_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_host *host = &estate->hosts[host_idx];
    double left_w = estate->racks[host->rack_idx].limit_w - run->rack_elec_w[host->rack_idx];

    if (isfinite(estate->sites[host->site_idx].limit_w)) {
        left_w = fmin(left_w, estate->sites[host->site_idx].limit_w
                                  - hs_simroom_get_site_w(run, host->site_idx));
    }
    return left_w;
}

bool hs_simroom_check(const struct hs_simrun *run, size_t host_idx, uint32_t vcpus)
{
    const struct hs_host *host = &run->scenario->estate->hosts[host_idx];

    return hs_simrun_get_free_vcpus(run, host_idx) >= vcpus
           && hs_host_elec_w_per_vcpu(host) * (double)vcpus
                  <= hs_simroom_get_left_w(run, host_idx) + HS_SIMROOM_SLACK_W;
}
