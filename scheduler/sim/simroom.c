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

/** W that a host's rack and its site leave it now; may be negative; INFINITY without limits. */
static double get_left_w(const struct hs_simrun *run, size_t host_idx)
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
                  <= get_left_w(run, host_idx) + HS_SIMROOM_SLACK_W;
}

uint32_t hs_simroom_get_most_free(const struct hs_simrun *run)
{
    uint32_t most = 0;

    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(run, h);

        most = free_vcpus > most ? free_vcpus : most;
    }
    return most;
}

bool hs_simroom_is_limited(const struct hs_estate *estate, size_t host_idx)
{
    const struct hs_host *host = &estate->hosts[host_idx];
    double rack_w = 0, site_w = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        rack_w += estate->hosts[h].rack_idx == host->rack_idx ? estate->hosts[h].max_w : 0;
        site_w += estate->hosts[h].site_idx == host->site_idx ? estate->hosts[h].max_w : 0;
    }
    return rack_w > estate->racks[host->rack_idx].limit_w + HS_SIMROOM_SLACK_W
           || site_w > estate->sites[host->site_idx].limit_w + HS_SIMROOM_SLACK_W;
}
