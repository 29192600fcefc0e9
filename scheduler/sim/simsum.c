/* SPDX-License-Identifier: Apache-2.0 */
/* simsum - punctuality, the heat left in the tanks, the work that was not done. */
#include "scheduler/sim/simsum.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define SIMSUM_LATE_TOLERANCE_S 1e-6 /* rounding of sums of decimals in traces */

/** Mean W per vCPU over the estate, for work that never got a host. */
static double get_mean_w_per_vcpu(const struct hs_estate *estate)
{
    double sum_w = 0, sum_vcpus = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        sum_w += hs_host_elec_w_per_vcpu(host) * (double)host->vcpus;
        sum_vcpus += (double)host->vcpus;
    }
    return sum_vcpus > 0 ? sum_w / sum_vcpus : 0;
}

/** Sum up punctuality. @return Wh that undone jobs still miss */
static double sum_jobs(const struct hs_simrun *run, struct hs_simrun_result *result)
{
    double w_per_vcpu = get_mean_w_per_vcpu(run->scenario->estate);
    double missing_wh = 0, wait_s = 0;
    size_t n_started = 0;

    for (size_t j = 0; j < run->jobs->n; j++) {
        const struct hs_simjob *job = &run->jobs->items[j];
        const struct hs_simrun_job *state = &run->states[j];
        bool is_done = state->state == HS_SIMRUN_DONE;
        double late_s = (is_done ? state->ended_at_s : run->at_s) - job->due_at_s;

        if (!isnan(state->started_at_s)) {
            wait_s += state->started_at_s - job->submit_at_s;
            n_started++;
        }
        if (is_done) {
            result->jobs_done++;
        } else {
            double left_s = fmax(0, job->run_s + state->overhead_s - hs_simrun_get_ran_s(run, j));

            missing_wh += hs_wh_from_w((double)job->vcpus * w_per_vcpu, left_s);
        }
        if (!is_done || late_s > SIMSUM_LATE_TOLERANCE_S) {
            result->jobs_late++;
            result->late_s_max = fmax(result->late_s_max, late_s);
            result->late_s_sum += fmax(0, late_s);
        }
    }
    result->wait_s_mean = n_started > 0 ? wait_s / (double)n_started : (double)NAN;
    return missing_wh;
}

/** What the site paid for electricity in the mean, cur/MWh. */
static double get_mean_elec_cur_per_mwh(const struct hs_simrun *run)
{
    double wh = 0;

    for (size_t s = 0; s < run->scenario->estate->n_sites; s++) {
        wh += run->accounts[s].it_wh + run->accounts[s].aux_wh;
    }
    return wh > 0 ? run->electricity_cur / wh * 1e6 : 0;
}

/** Credit heat left in a loop's tank with what it would have replaced. */
static void credit_loop(const struct hs_simrun *run, size_t loop_idx,
                        struct hs_simrun_result *result)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    double left_wh = run->tank_wh[loop_idx] - hs_tank_max_wh(&loop->tank) / 2;
    double elec_cur_per_mwh = get_mean_elec_cur_per_mwh(run);
    double weight = 0, worth = 0, gco2 = 0, credit_cur;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_sink *sink = &estate->sinks[k];
        struct hs_sink_lift lift = hs_sink_get_lift(sink, loop->supply_c);
        /* by the loop heat that the sink could have had */
        double wanted_wh = run->demand_wh[k] * lift.demand_ratio * lift.heat_ratio;

        weight += wanted_wh;
        worth += wanted_wh * hs_sink_get_lifted_worth(&lift, run->worth[k], elec_cur_per_mwh);
        gco2 += wanted_wh * sink->backup_gco2_per_kwh / sink->backup_efficiency_ratio;
    }
    if (!(weight > 0)) {
        return;
    }
    credit_cur = hs_cur_from_wh(left_wh, worth / weight);
    result->backup_cur -= credit_cur;
    result->sites[loop->site_idx].cost_cur -= credit_cur;
    result->sites[loop->site_idx].gco2 -= hs_gco2_from_wh(left_wh, gco2 / weight);
}

void hs_simsum_get(const struct hs_simrun *run, struct hs_simrun_result *ret_result)
{
    const struct hs_estate *estate = run->scenario->estate;
    struct hs_simrun_result result = {.n_sites = estate->n_sites, .jobs_total = run->jobs->n};
    double missing_wh, missing_cur = 0;

    result.sites = hs_xcalloc(estate->n_sites, sizeof(*result.sites));
    memcpy(result.sites, run->accounts, estate->n_sites * sizeof(*result.sites));
    result.electricity_cur = run->electricity_cur;
    result.backup_cur = run->backup_cur;
    result.n_slots_over_rejection = run->n_slots_over_rejection;
    result.over_limit_s = run->over_limit_s;
    result.moves = run->moves;
    result.suspends = run->suspends;
    result.restarts = run->restarts;
    result.overhead_wh = run->overhead_wh;
    result.lost_work_wh = run->lost_work_wh;
    for (size_t l = 0; l < estate->n_loops; l++) {
        credit_loop(run, l, &result);
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        hs_account_add(&result.total, &result.sites[s]);
    }
    missing_wh = sum_jobs(run, &result);
    if (missing_wh > 0 && result.total.it_wh > 0) {
        missing_cur = missing_wh * result.electricity_cur / result.total.it_wh;
    }
    result.electricity_cur += missing_cur;
    result.total.cost_cur += missing_cur;
    *ret_result = result;
}
