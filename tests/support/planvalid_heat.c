/* SPDX-License-Identifier: Apache-2.0 */
/* planvalid_heat - the plant of docs/simulator.md with nodes: 1, written down once more. */
#include "tests/support/planvalid_heat.h"

#include <math.h>

#include "scheduler/base/mem.h"

/** The sink of loop @l that is worth most of those not served yet. */
static size_t find_next_sink(const struct planvalid_case *valid, size_t l, const bool *is_served)
{
    const struct hs_heatloop *loop = &valid->estate->loops[l];
    const double *worth = valid->frame->thermal[l].sink_cur_per_mwh;
    size_t best = SIZE_MAX;

    for (size_t k = 0; k < loop->n_sinks; k++) {
        if (!is_served[k] && (best == SIZE_MAX || worth[k] > worth[best])) {
            best = k;
        }
    }
    return best;
}

/** Serve the sinks of a slot from @served_wh in order of worth; the rest is backup's. */
static double get_backup_cur(const struct planvalid_case *valid, size_t l, size_t t,
                             double served_wh)
{
    const struct hs_thermal_input *input = &valid->frame->thermal[l];
    size_t n_sinks = valid->estate->loops[l].n_sinks;
    HS_AUTO_MEM bool *is_served = hs_xcalloc(n_sinks, sizeof(*is_served));
    double cur = 0;

    for (size_t i = 0; i < n_sinks; i++) {
        size_t k = find_next_sink(valid, l, is_served);
        double demand_wh = input->sink_demand_wh[k * valid->n_slots + t];
        double got_wh = fmin(served_wh, demand_wh);

        is_served[k] = true;
        served_wh -= got_wh;
        cur += (demand_wh - got_wh) * input->sink_cur_per_mwh[k] * 1e-6;
    }
    return cur;
}

void planvalid_heat_run(const struct planvalid_case *valid, size_t l, size_t t, double span_s,
                        double captured_wh, double *stored_wh, struct planvalid_report *report)
{
    const struct hs_heatloop *loop = &valid->estate->loops[l];
    const struct hs_thermal_input *input = &valid->frame->thermal[l];
    const struct hs_tank *tank = &loop->tank;
    double h = span_s / 3600;
    double room_per_k = tank->volume_l * 1.163;
    double full_wh = tank->present ? room_per_k * (tank->max_c - tank->min_c) : 0;
    double demand_wh = 0;

    if (tank->present) {
        double water_c = tank->min_c + *stored_wh / room_per_k;
        double loss_wh = tank->loss_w_per_k * (water_c - tank->ambient_c) * h;

        *stored_wh -= fmin(*stored_wh, fmax(0, loss_wh));
    }
    for (size_t k = 0; k < loop->n_sinks; k++) {
        demand_wh += input->sink_demand_wh[k * valid->n_slots + t];
    }
    double direct_wh = fmin(captured_wh, demand_wh);
    double over_wh = captured_wh - direct_wh;
    double charge_wh = fmin(over_wh, fmin(full_wh - *stored_wh, tank->charge_limit_w * h));

    charge_wh = tank->present ? fmax(0, charge_wh) : 0;
    *stored_wh += charge_wh;
    double draw_wh = fmin(demand_wh - direct_wh, fmin(*stored_wh, tank->draw_limit_w * h));

    draw_wh = tank->present ? draw_wh : 0;
    *stored_wh -= draw_wh;
    report->reject_cur += (over_wh - charge_wh) * input->reject_cur_per_wh[t];
    report->backup_cur += get_backup_cur(valid, l, t, direct_wh + draw_wh);
    if (input->floor_wh != NULL) {
        report->floor_cur += fmax(0, input->floor_wh[t] - *stored_wh) * input->floor_cur_per_wh;
    }
}
