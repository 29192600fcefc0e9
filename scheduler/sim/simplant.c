/* SPDX-License-Identifier: Apache-2.0 */
/* simplant - heat from racks to sinks, slot by slot. */
#include "scheduler/sim/simplant.h"

#include <math.h>
#include <stdio.h>

#include "adapters/plant/plant_balance.h"
#include "adapters/plant/plant_capture.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"

void hs_simplant_open(struct hs_simrun *run)
{
    const struct hs_estate *estate = run->scenario->estate;

    for (size_t l = 0; l < estate->n_loops; l++) {
        run->tank_wh[l] = hs_tank_max_wh(&estate->loops[l].tank) / 2;
        hs_plant_tank_init(&estate->loops[l].tank, run->tank_wh[l], &run->tanks[l]);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        run->rack_captured_w[r] = run->rack_elec_w[r] * estate->racks[r].capture_ratio;
    }
}

/** Heat that the loop's racks hand over. @param ret_missed_wh  what their cooling was too slow for
 */
static double capture(struct hs_simrun *run, size_t loop_idx, double *ret_missed_wh)
{
    const struct hs_estate *estate = run->scenario->estate;
    double captured_wh = 0;

    *ret_missed_wh = 0;
    for (size_t r = 0; r < estate->n_racks; r++) {
        const struct hs_rack *rack = &estate->racks[r];
        double heat_wh = run->rack_elec_wh[r] * rack->capture_ratio, part_wh;

        if (rack->loop_idx != loop_idx) {
            continue;
        }
        part_wh = hs_plant_capture_apply(rack, heat_wh, (double)run->scenario->slot_s,
                                         &run->rack_captured_w[r]);
        captured_wh += part_wh;
        *ret_missed_wh += heat_wh - part_wh;
    }
    return captured_wh;
}

/** What the loop's sinks want of it, and what a Wh of loop heat is worth to each. */
static void offer(struct hs_simrun *run, size_t loop_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    size_t n_slots = run->scenario->n_slots;
    double elec_cur_per_mwh = run->trace->elec_cur_per_mwh[loop->site_idx * n_slots + run->slot];

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        struct hs_sink_lift lift = hs_sink_get_lift(&estate->sinks[k], loop->supply_c);
        double demand_w = run->trace->demand_heat_w[k * n_slots + run->slot];

        /* a part that is out wants nothing */
        run->slot_demand_w[k] =
            demand_w * hs_simfaults_get_served_ratio(run->faults, k, (double)run->scenario->slot_s);
        run->slot_worth[k] = hs_sink_get_lifted_worth(&lift, run->worth[k], elec_cur_per_mwh);
    }
}

/** Add to a balance what faults kept out of it: stranded heat is rejected, demand is backup's. */
static void add_faults(const struct hs_simrun *run, size_t loop_idx, double stranded_wh,
                       struct hs_plant_balance *balance)
{
    const struct hs_heatloop *loop = &run->scenario->estate->loops[loop_idx];

    balance->captured_wh += stranded_wh;
    balance->rejected_wh += stranded_wh;
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        double demand_w = run->trace->demand_heat_w[k * run->scenario->n_slots + run->slot];
        double missing_wh =
            hs_wh_from_w(demand_w - run->slot_demand_w[k], (double)run->scenario->slot_s);

        balance->demand_wh += missing_wh;
        balance->backup_wh += missing_wh;
        run->slot_demand_w[k] = demand_w;
    }
}

/** Keep the first slot whose heat does not close: a fault of this program, not of the scenario. */
static void check(struct hs_simrun *run, size_t loop_idx, const struct hs_plant_balance *balance)
{
    const struct hs_heatloop *loop = &run->scenario->estate->loops[loop_idx];
    struct hs_err err = {0};
    char at[HS_TIMETEXT_MAX];

    if (run->rc != 0 || hs_plant_balance_check(loop, balance, &err) == 0) {
        return;
    }
    hs_timetext_format(run->scenario->start_at_s + (int64_t)run->slot * run->scenario->slot_s, at);
    run->rc = hs_err_set(&run->err, HS_E_INTERNAL, loop->path, "slot of %s: %.120s", at, err.text);
}

static void add_account(struct hs_simrun *run, size_t loop_idx,
                        const struct hs_plant_balance *balance)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    struct hs_account *account = &run->accounts[loop->site_idx];

    account->captured_heat_wh += balance->captured_wh;
    account->useful_heat_wh += balance->useful_wh;
    account->rejected_heat_wh += balance->rejected_wh;
    account->lost_heat_wh += balance->lost_wh;
    account->stored_heat_wh += balance->stored_wh;
    account->demand_heat_wh += balance->demand_wh;
    account->backup_heat_wh += balance->backup_wh;
    account->lift_elec_wh += balance->lift_wh;
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_sink *sink = &estate->sinks[k];
        double demand_wh = hs_wh_from_w(run->slot_demand_w[k], (double)run->scenario->slot_s);
        double backup_wh = fmax(0, demand_wh - run->slot_useful_wh[k] - run->slot_lift_wh[k]);
        double cost_cur = hs_cur_from_wh(backup_wh, run->worth[k]);

        run->demand_wh[k] += demand_wh;
        run->useful_wh[k] += run->slot_useful_wh[k];
        run->backup_cur += cost_cur;
        account->cost_cur += cost_cur;
        account->gco2 +=
            hs_gco2_from_wh(backup_wh, sink->backup_gco2_per_kwh) / sink->backup_efficiency_ratio;
    }
}

double hs_simplant_close_loop(struct hs_simrun *run, size_t loop_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    size_t first = loop->first_sink_idx;
    double slot_s = (double)run->scenario->slot_s, missed_wh;
    double captured_wh = capture(run, loop_idx, &missed_wh);
    double stranded_wh = fmin(run->faults->stranded_wh[loop_idx], captured_wh);
    struct hs_plant_balance_input input = {
        .span_s = slot_s,
        .captured_w = hs_w_from_wh(captured_wh - stranded_wh, slot_s),
        .sink_demand_w = run->slot_demand_w + first,
        .sink_worth = run->slot_worth + first,
    };
    struct hs_plant_balance balance;

    offer(run, loop_idx);
    hs_plant_balance_apply(loop, estate->sinks + first, &input, &run->tanks[loop_idx],
                           run->slot_useful_wh + first, run->slot_lift_wh + first, &balance);
    run->tank_wh[loop_idx] = run->tanks[loop_idx].stored_wh;
    add_faults(run, loop_idx, stranded_wh, &balance);
    check(run, loop_idx, &balance);
    run->captured_wh[loop_idx] += balance.captured_wh;
    run->rejected_w[loop_idx] = hs_w_from_wh(balance.rejected_wh, slot_s);
    run->n_slots_over_rejection += run->rejected_w[loop_idx] > run->faults->limit_w[loop_idx];
    run->accounts[loop->site_idx].missed_heat_wh += missed_wh;
    add_account(run, loop_idx, &balance);
    return (balance.rejected_wh + missed_wh) * loop->rejection_elec_ratio + balance.lift_wh;
}
