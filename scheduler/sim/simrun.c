/* SPDX-License-Identifier: Apache-2.0 */
/* simrun - integrate, close slots, start and stop jobs. */
#include "scheduler/sim/simrun.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/simplant.h"
#include "scheduler/sim/simsum.h"

#define SIMRUN_LIMIT_SLACK_W 1e-2 /* rounding of sums of watts */

static void set_rack_power(struct hs_simrun *run, size_t rack_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_rack *rack = &estate->racks[rack_idx];
    double sum_w = 0;

    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        if (!run->faults->is_host_down[h]) {
            sum_w += hs_host_elec_w(host, (double)host->pinned_vcpus + (double)run->busy_vcpus[h]
                                              - run->unused_vcpus[h]);
        }
    }
    run->rack_elec_w[rack_idx] = sum_w;
}

struct hs_simrun *hs_simrun_new(const struct hs_scenario *scenario, const struct hs_trace *trace,
                                const struct hs_simjobs *jobs)
{
    const struct hs_estate *estate = scenario->estate;
    struct hs_simrun *run = hs_xcalloc(1, sizeof(*run));

    run->scenario = scenario;
    run->trace = trace;
    run->jobs = jobs;
    run->at_s = (double)scenario->start_at_s;
    run->faults = hs_simfaults_new(&scenario->events, estate);
    run->states = hs_xcalloc(jobs->n, sizeof(*run->states));
    run->busy_vcpus = hs_xcalloc(estate->n_hosts, sizeof(*run->busy_vcpus));
    run->unused_vcpus = hs_xcalloc(estate->n_hosts, sizeof(double));
    run->rack_elec_w = hs_xcalloc(estate->n_racks, sizeof(double));
    run->rack_elec_wh = hs_xcalloc(estate->n_racks, sizeof(double));
    run->tank_wh = hs_xcalloc(estate->n_loops, sizeof(double));
    run->tanks = hs_xcalloc(estate->n_loops, sizeof(*run->tanks));
    run->rack_captured_w = hs_xcalloc(estate->n_racks, sizeof(double));
    run->demand_wh = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->useful_wh = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->captured_wh = hs_xcalloc(estate->n_loops, sizeof(double));
    run->rejected_w = hs_xcalloc(estate->n_loops, sizeof(double));
    run->worth = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->accounts = hs_xcalloc(estate->n_sites, sizeof(*run->accounts));
    run->slot_demand_w = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->slot_useful_wh = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->slot_lift_wh = hs_xcalloc(estate->n_sinks, sizeof(double));
    run->slot_worth = hs_xcalloc(estate->n_sinks, sizeof(double));
    for (size_t j = 0; j < jobs->n; j++) {
        run->states[j] = (struct hs_simrun_job){.host_idx = SIZE_MAX,
                                                .share = 1.0,
                                                .started_at_s = (double)NAN,
                                                .ended_at_s = (double)NAN};
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        run->worth[k] =
            hs_sink_worth_cur_per_mwh(&estate->sinks[k], estate->carbon_price_cur_per_t);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        set_rack_power(run, r);
    }
    hs_simplant_open(run);
    return run;
}

double hs_simrun_slot_end_at_s(const struct hs_simrun *run)
{
    size_t n_ended = run->slot < run->scenario->n_slots ? run->slot + 1 : run->scenario->n_slots;

    return (double)(run->scenario->start_at_s + (int64_t)n_ended * run->scenario->slot_s);
}

static void close_site(struct hs_simrun *run, size_t site_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_site *site = &estate->sites[site_idx];
    struct hs_account *account = &run->accounts[site_idx];
    size_t at = site_idx * run->scenario->n_slots + run->slot;
    double it_wh = 0, aux_wh = 0, cost_cur;

    for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
        it_wh += run->rack_elec_wh[r];
    }
    aux_wh = it_wh * site->aux_elec_ratio;
    for (size_t l = site->first_loop_idx; l < site->first_loop_idx + site->n_loops; l++) {
        aux_wh += hs_simplant_close_loop(run, l);
    }
    cost_cur = hs_cur_from_wh(it_wh + aux_wh, run->trace->elec_cur_per_mwh[at]);
    account->it_wh += it_wh;
    account->aux_wh += aux_wh;
    account->cost_cur += cost_cur;
    account->gco2 += hs_gco2_from_wh(it_wh + aux_wh, run->trace->gco2_per_kwh[at]);
    run->electricity_cur += cost_cur;
}

static void close_slot(struct hs_simrun *run)
{
    const struct hs_estate *estate = run->scenario->estate;

    for (size_t s = 0; s < estate->n_sites; s++) {
        close_site(run, s);
    }
    if (run->watcher.slot_closed != NULL) {
        run->watcher.slot_closed(run->watcher.arg);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        run->rack_elec_wh[r] = 0;
    }
    hs_simfaults_open_slot(run->faults);
    run->slot++;
}

/** Some rack or feeder draws more than it may; no controller should let it. */
static bool is_over_limit(const struct hs_simrun *run)
{
    const struct hs_estate *estate = run->scenario->estate;
    bool is_over = false;

    for (size_t s = 0; s < estate->n_sites; s++) {
        const struct hs_site *site = &estate->sites[s];
        double site_w = 0;

        for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
            is_over |= run->rack_elec_w[r] > estate->racks[r].limit_w + SIMRUN_LIMIT_SLACK_W;
            site_w += run->rack_elec_w[r];
        }
        is_over |= site_w > site->limit_w + SIMRUN_LIMIT_SLACK_W;
    }
    return is_over;
}

static void integrate(struct hs_simrun *run, double at_s)
{
    double span_s = at_s - run->at_s;

    assert(span_s >= 0);
    hs_simfaults_run(run->faults, span_s, run->rack_elec_w);
    for (size_t r = 0; r < run->scenario->estate->n_racks; r++) {
        run->rack_elec_wh[r] += hs_wh_from_w(run->rack_elec_w[r], span_s);
    }
    run->over_limit_s += span_s > 0 && is_over_limit(run) ? span_s : 0;
    run->at_s = at_s;
}

void hs_simrun_advance(struct hs_simrun *run, double at_s)
{
    while (run->slot < run->scenario->n_slots && at_s > run->at_s) {
        double slot_end_at_s = hs_simrun_slot_end_at_s(run);
        double to_at_s = fmin(fmin(at_s, slot_end_at_s), hs_simrun_next_event_at_s(run));

        if (to_at_s > run->at_s) {
            integrate(run, to_at_s);
        } else {
            hs_simrun_apply_events(run); /* of now, that nobody asked for */
        }
        if (to_at_s >= slot_end_at_s) {
            close_slot(run);
        }
    }
}

double hs_simrun_next_event_at_s(const struct hs_simrun *run)
{
    return hs_simfaults_next_at_s(run->faults);
}

bool hs_simrun_is_host_up(const struct hs_simrun *run, size_t host_idx)
{
    return !run->faults->is_host_down[host_idx];
}

uint32_t hs_simrun_get_free_vcpus(const struct hs_simrun *run, size_t host_idx)
{
    const struct hs_host *host = &run->scenario->estate->hosts[host_idx];
    uint32_t used = host->pinned_vcpus + run->busy_vcpus[host_idx];

    return host->vcpus > used && !run->faults->is_host_closed[host_idx] ? host->vcpus - used : 0;
}

static void tell(const struct hs_simrun *run, size_t job_idx, enum hs_simrun_change change)
{
    if (run->watcher.job_changed != NULL) {
        run->watcher.job_changed(run->watcher.arg, job_idx, change);
    }
}

/** Work that was done before goes on at another host. */
static bool is_move(const struct hs_simrun_job *state, size_t host_idx)
{
    return (state->ran_s > 0 || state->state == HS_SIMRUN_SUSPENDED) && state->host_idx != host_idx;
}

static void add_overhead(struct hs_simrun_job *state, double overhead_s)
{
    state->overhead_s += overhead_s;
    state->unpaid_s += overhead_s;
}

/** vCPUs that it holds and leaves idle. */
static double get_unused_vcpus(const struct hs_simrun *run, size_t job_idx)
{
    return (1.0 - run->states[job_idx].share) * (double)run->jobs->items[job_idx].vcpus;
}

/** What it has got done in the stretch that it is running, s at full share. */
static double get_stretch_s(const struct hs_simrun *run, size_t job_idx)
{
    const struct hs_simrun_job *state = &run->states[job_idx];

    return (run->at_s - state->stretch_at_s) * state->share;
}

void hs_simrun_start_job(struct hs_simrun *run, size_t job_idx, size_t host_idx)
{
    struct hs_simrun_job *state = &run->states[job_idx];
    enum hs_simrun_change change = HS_SIMRUN_START;

    assert(state->state == HS_SIMRUN_WAITING || state->state == HS_SIMRUN_SUSPENDED);
    assert(hs_simrun_get_free_vcpus(run, host_idx) >= run->jobs->items[job_idx].vcpus);
    if (isnan(state->started_at_s)) {
        state->started_at_s = run->at_s;
    }
    if (state->ran_s > 0 || state->state == HS_SIMRUN_SUSPENDED) {
        change = is_move(state, host_idx) ? HS_SIMRUN_MOVE : HS_SIMRUN_RESUME;
    }
    if (change == HS_SIMRUN_MOVE) {
        run->moves++;
        add_overhead(state, run->scenario->move_s);
    }
    state->share = state->state == HS_SIMRUN_WAITING ? 1.0 : state->share;
    state->state = HS_SIMRUN_RUNNING;
    state->host_idx = host_idx;
    state->stretch_at_s = run->at_s;
    run->busy_vcpus[host_idx] += run->jobs->items[job_idx].vcpus;
    run->unused_vcpus[host_idx] += get_unused_vcpus(run, job_idx);
    set_rack_power(run, run->scenario->estate->hosts[host_idx].rack_idx);
    tell(run, job_idx, change);
}

/** Electricity that a running job has used for @span_s of work. */
static double get_job_wh(const struct hs_simrun *run, size_t job_idx, double span_s)
{
    const struct hs_host *host = &run->scenario->estate->hosts[run->states[job_idx].host_idx];

    return hs_wh_from_w(hs_host_elec_w_per_vcpu(host) * (double)run->jobs->items[job_idx].vcpus,
                        span_s);
}

static void leave_host(struct hs_simrun *run, size_t job_idx)
{
    const struct hs_simrun_job *state = &run->states[job_idx];

    run->busy_vcpus[state->host_idx] -= run->jobs->items[job_idx].vcpus;
    run->unused_vcpus[state->host_idx] -= get_unused_vcpus(run, job_idx);
    if (run->busy_vcpus[state->host_idx] == 0) {
        run->unused_vcpus[state->host_idx] = 0; /* what is left are rounding errors */
    }
    set_rack_power(run, run->scenario->estate->hosts[state->host_idx].rack_idx);
}

static void end_stretch(struct hs_simrun *run, size_t job_idx)
{
    struct hs_simrun_job *state = &run->states[job_idx];
    double span_s = get_stretch_s(run, job_idx);
    double paid_s = fmin(span_s, state->unpaid_s);

    assert(state->state == HS_SIMRUN_RUNNING);
    state->ran_s += span_s;
    state->unpaid_s -= paid_s;
    run->overhead_wh += get_job_wh(run, job_idx, paid_s);
    state->stretch_at_s = run->at_s;
}

static void stop_job(struct hs_simrun *run, size_t job_idx)
{
    end_stretch(run, job_idx);
    leave_host(run, job_idx);
}

/** Its host is off: the stretch is lost, overhead that it paid there too. */
static void throw_job(struct hs_simrun *run, size_t job_idx)
{
    struct hs_simrun_job *state = &run->states[job_idx];

    run->lost_work_wh += get_job_wh(run, job_idx, get_stretch_s(run, job_idx));
    run->restarts++;
    leave_host(run, job_idx);
    state->state = HS_SIMRUN_WAITING;
    HS_VEC_PUSH(&run->thrown, job_idx);
    tell(run, job_idx, HS_SIMRUN_LOST);
}

void hs_simrun_apply_events(struct hs_simrun *run)
{
    if (!hs_simfaults_apply(run->faults, run->at_s)) {
        return;
    }
    for (size_t j = 0; j < run->jobs->n; j++) {
        if (run->states[j].state == HS_SIMRUN_RUNNING
            && !hs_simrun_is_host_up(run, run->states[j].host_idx)) {
            throw_job(run, j);
        }
    }
    for (size_t r = 0; r < run->scenario->estate->n_racks; r++) {
        set_rack_power(run, r);
    }
}

bool hs_simrun_take_thrown(struct hs_simrun *run, size_t *ret_job_idx)
{
    if (run->thrown.n == 0) {
        return false;
    }
    *ret_job_idx = run->thrown.items[0];
    run->thrown.n--;
    memmove(run->thrown.items, run->thrown.items + 1, run->thrown.n * sizeof(size_t));
    return true;
}

void hs_simrun_suspend_job(struct hs_simrun *run, size_t job_idx)
{
    stop_job(run, job_idx);
    run->states[job_idx].state = HS_SIMRUN_SUSPENDED;
    run->suspends++;
    add_overhead(&run->states[job_idx], run->scenario->suspend_s);
    tell(run, job_idx, HS_SIMRUN_SUSPEND);
}

void hs_simrun_move_job(struct hs_simrun *run, size_t job_idx, size_t host_idx)
{
    stop_job(run, job_idx);
    run->states[job_idx].state = HS_SIMRUN_SUSPENDED; /* for no time, and not counted as one */
    hs_simrun_start_job(run, job_idx, host_idx);
}

void hs_simrun_throttle_job(struct hs_simrun *run, size_t job_idx, double share)
{
    struct hs_simrun_job *state = &run->states[job_idx];

    if (state->state == HS_SIMRUN_RUNNING) {
        end_stretch(run, job_idx);
        run->unused_vcpus[state->host_idx] -= get_unused_vcpus(run, job_idx);
    }
    state->share = share;
    if (state->state == HS_SIMRUN_RUNNING) {
        run->unused_vcpus[state->host_idx] += get_unused_vcpus(run, job_idx);
        set_rack_power(run, run->scenario->estate->hosts[state->host_idx].rack_idx);
    }
}

void hs_simrun_end_job(struct hs_simrun *run, size_t job_idx)
{
    stop_job(run, job_idx);
    run->states[job_idx].state = HS_SIMRUN_DONE;
    run->states[job_idx].ended_at_s = run->at_s;
    tell(run, job_idx, HS_SIMRUN_END);
}

double hs_simrun_get_ran_s(const struct hs_simrun *run, size_t job_idx)
{
    const struct hs_simrun_job *state = &run->states[job_idx];

    return state->state == HS_SIMRUN_RUNNING ? state->ran_s + get_stretch_s(run, job_idx)
                                             : state->ran_s;
}

double hs_simrun_get_end_at_s(const struct hs_simrun *run, size_t job_idx)
{
    const struct hs_simrun_job *state = &run->states[job_idx];

    assert(state->state == HS_SIMRUN_RUNNING);
    return state->stretch_at_s
           + (run->jobs->items[job_idx].run_s + state->overhead_s - state->ran_s) / state->share;
}

double hs_simrun_get_need_s(const struct hs_simrun *run, size_t job_idx, size_t host_idx)
{
    const struct hs_simrun_job *state = &run->states[job_idx];
    double move_s = is_move(state, host_idx) ? run->scenario->move_s : 0;

    return run->jobs->items[job_idx].run_s + state->overhead_s + move_s
           - hs_simrun_get_ran_s(run, job_idx);
}

int hs_simrun_check(const struct hs_simrun *run, struct hs_err *err)
{
    return run->rc == 0 ? 0 : hs_err_set(err, HS_E_INTERNAL, run->err.where, "%s", run->err.text);
}

void hs_simrun_finish(struct hs_simrun *run, struct hs_simrun_result *ret_result)
{
    hs_simrun_advance(run, (double)hs_scenario_end_at_s(run->scenario));
    hs_simsum_get(run, ret_result);
}

void hs_simrun_free(struct hs_simrun *run)
{
    if (run == NULL) {
        return;
    }
    HS_VEC_FINI(&run->thrown);
    free(run->slot_worth);
    free(run->slot_lift_wh);
    free(run->slot_useful_wh);
    free(run->slot_demand_w);
    free(run->accounts);
    free(run->worth);
    free(run->rejected_w);
    free(run->captured_wh);
    free(run->useful_wh);
    free(run->demand_wh);
    free(run->rack_captured_w);
    free(run->tanks);
    free(run->tank_wh);
    free(run->rack_elec_wh);
    free(run->rack_elec_w);
    free(run->unused_vcpus);
    free(run->busy_vcpus);
    free(run->states);
    hs_simfaults_free(run->faults);
    free(run);
}
