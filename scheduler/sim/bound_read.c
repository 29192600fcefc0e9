/* SPDX-License-Identifier: Apache-2.0 */
/* bound_read - from the columns of a solution to the figures of a report. */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/bound_priv.h"

/** What is being summed. */
struct bound_reading {
    const struct hs_bound *b;
    const double *values;
    struct hs_simrun_result *result;
};

static double get_wh(const struct bound_reading *reading, size_t column)
{
    return reading->values[column] * HS_BOUND_WH_PER_UNIT;
}

/** IT power of a rack's idle and pinned part, and of the classes: electricity and captured heat. */
static void read_power(const struct bound_reading *reading, size_t slot)
{
    const struct hs_bound *b = reading->b;
    const struct hs_estate *estate = b->scenario->estate;

    for (size_t r = 0; r < estate->n_racks; r++) {
        struct hs_account *account = &reading->result->sites[estate->racks[r].site_idx];
        double it_wh = hs_bound_get_base_w(b, r, slot) * b->slot_h;

        account->it_wh += it_wh;
        account->captured_heat_wh += it_wh * estate->racks[r].capture_ratio;
    }
    for (size_t k = 0; k < b->n_classes; k++) {
        struct hs_account *account = &reading->result->sites[b->classes[k].site_idx];
        double it_wh = reading->values[hs_bound_get_busy_column(b, slot, k)]
                       * b->classes[k].elec_w_per_vcpu * b->slot_h;

        account->it_wh += it_wh;
        account->captured_heat_wh += it_wh * b->classes[k].capture_ratio;
    }
}

/** @return electricity of rejection, Wh */
static double read_loop(const struct bound_reading *reading, size_t slot, size_t loop_idx)
{
    const struct hs_bound *b = reading->b;
    const struct hs_estate *estate = b->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    struct hs_account *account = &reading->result->sites[loop->site_idx];
    double rejected_wh =
        get_wh(reading, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_REJECTED));

    account->rejected_heat_wh += rejected_wh;
    account->lost_heat_wh +=
        get_wh(reading, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_LOST));
    for (size_t s = loop->first_sink_idx; s < loop->first_sink_idx + loop->n_sinks; s++) {
        const struct hs_sink *sink = &estate->sinks[s];
        double demand_wh = hs_bound_get_demand_wh(b, s, slot);
        double backup_wh = get_wh(reading, hs_bound_get_sink_column(b, slot, s));
        double cost_cur = hs_cur_from_wh(backup_wh, b->worth[s]);

        account->demand_heat_wh += demand_wh;
        account->backup_heat_wh += backup_wh;
        account->useful_heat_wh += demand_wh - backup_wh;
        account->cost_cur += cost_cur;
        account->gco2 +=
            hs_gco2_from_wh(backup_wh, sink->backup_gco2_per_kwh) / sink->backup_efficiency_ratio;
        reading->result->backup_cur += cost_cur;
    }
    return rejected_wh * loop->rejection_elec_ratio;
}

static void read_site(const struct bound_reading *reading, size_t slot, size_t site_idx,
                      double it_before_wh)
{
    const struct hs_bound *b = reading->b;
    const struct hs_site *site = &b->scenario->estate->sites[site_idx];
    struct hs_account *account = &reading->result->sites[site_idx];
    double it_wh = account->it_wh - it_before_wh;
    double aux_wh = it_wh * site->aux_elec_ratio;
    double cost_cur;

    for (size_t l = site->first_loop_idx; l < site->first_loop_idx + site->n_loops; l++) {
        aux_wh += read_loop(reading, slot, l);
    }
    cost_cur = hs_cur_from_wh(it_wh + aux_wh, hs_bound_get_elec_cur_per_mwh(b, site_idx, slot));
    account->aux_wh += aux_wh;
    account->cost_cur += cost_cur;
    account->gco2 += hs_gco2_from_wh(
        it_wh + aux_wh, b->trace->gco2_per_kwh[site_idx * b->scenario->n_slots + slot]);
    reading->result->electricity_cur += cost_cur;
}

/** Heat left in the tanks, credited as in a run. */
static void read_tanks(const struct bound_reading *reading)
{
    const struct hs_bound *b = reading->b;
    const struct hs_estate *estate = b->scenario->estate;

    for (size_t l = 0; l < estate->n_loops && b->scenario->n_slots > 0; l++) {
        size_t column = hs_bound_get_loop_column(b, b->scenario->n_slots - 1, l, HS_BOUND_ENERGY);
        double left_wh = get_wh(reading, column) - hs_tank_max_wh(&estate->loops[l].tank) / 2;
        double credit_cur = hs_cur_from_wh(left_wh, b->left_worth[l]);
        struct hs_account *account = &reading->result->sites[estate->loops[l].site_idx];

        account->stored_heat_wh += left_wh;
        account->cost_cur -= credit_cur;
        account->gco2 -= hs_gco2_from_wh(left_wh, b->left_gco2_per_kwh[l]);
        reading->result->backup_cur -= credit_cur;
    }
}

/** Work that the end of the run leaves undone costs the mean electricity, as in a run. */
static void read_undone(const struct bound_reading *reading)
{
    const struct hs_bound *b = reading->b;
    struct hs_simrun_result *result = reading->result;
    size_t n_slots = b->scenario->n_slots;
    double undone_vcpu_h, missing_cur;

    if ((b->flags & HS_BOUND_LATE) == 0 || n_slots == 0 || !(result->total.it_wh > 0)) {
        return;
    }
    undone_vcpu_h = reading->values[hs_bound_get_late_column(b, n_slots - 1)];
    missing_cur =
        undone_vcpu_h * b->mean_w_per_vcpu * result->electricity_cur / result->total.it_wh;
    result->electricity_cur += missing_cur;
    result->total.cost_cur += missing_cur;
}

void hs_bound_read(const struct hs_bound *bound, const double *values,
                   struct hs_simrun_result *ret_result)
{
    size_t n_sites = bound->scenario->estate->n_sites;
    struct hs_simrun_result result = {
        .is_bound = true,
        .n_sites = n_sites,
        .jobs_total = bound->jobs->n,
        .wait_s_mean = (double)NAN,
    };
    struct bound_reading reading = {.b = bound, .values = values, .result = &result};
    HS_AUTO_MEM double *it_before_wh = hs_xcalloc(n_sites, sizeof(double));

    result.sites = hs_xcalloc(n_sites, sizeof(*result.sites));
    for (size_t t = 0; t < bound->scenario->n_slots; t++) {
        for (size_t s = 0; s < n_sites; s++) {
            it_before_wh[s] = result.sites[s].it_wh;
        }
        read_power(&reading, t);
        for (size_t s = 0; s < n_sites; s++) {
            read_site(&reading, t, s, it_before_wh[s]);
        }
    }
    read_tanks(&reading);
    for (size_t s = 0; s < n_sites; s++) {
        hs_account_add(&result.total, &result.sites[s]);
    }
    read_undone(&reading);
    *ret_result = result;
}
