/* SPDX-License-Identifier: Apache-2.0 */
/* simheat - sums over sinks and racks. */
#include "scheduler/sim/simheat.h"

double hs_simheat_get_demand_w(const struct hs_simrun *run, size_t loop_idx)
{
    const struct hs_heatloop *loop = &run->scenario->estate->loops[loop_idx];
    size_t n_slots = run->scenario->n_slots;
    size_t slot = run->slot < n_slots ? run->slot : n_slots - 1;
    double sum_w = 0;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        if (!run->faults->is_sink_off[k] && !run->faults->is_pump_off[loop_idx]) {
            sum_w += run->trace->demand_heat_w[k * n_slots + slot];
        }
    }
    return sum_w;
}

double hs_simheat_get_captured_w(const struct hs_simrun *run, size_t loop_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_site *site = &estate->sites[estate->loops[loop_idx].site_idx];
    double sum_w = 0;

    for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
        if (estate->racks[r].loop_idx == loop_idx) {
            sum_w += run->rack_elec_w[r] * estate->racks[r].capture_ratio;
        }
    }
    return sum_w;
}

double hs_simheat_get_fill_ratio(const struct hs_simrun *run, size_t loop_idx)
{
    double max_wh = hs_tank_max_wh(&run->scenario->estate->loops[loop_idx].tank);

    return max_wh > 0 ? run->tank_wh[loop_idx] / max_wh : 0;
}
