/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_heat - hsched's own decisions: core/cycle driven as the daemon drives it.
 *
 * It sees what a daemon would see: requests (never run times), meters after the fact, prices and
 * carbon known ahead. Machines are compute_sim's on the virtual executor; what they do is told to
 * simrun, which keeps the truth. A slot's demand comes to the cycle when the slot has passed,
 * stamped with the slot's start.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/compute/compute.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/virtual_executor.h"

#define HEAT_EPOCH          1
#define HEAT_STEPS_MAX      1000 /* steps at one instant; more is a loop without end */
#define HEAT_PROGRESS_SLOTS 4

struct heat {
    struct hs_simrun *run;
    struct hs_clock *clock; /* virtual */
    struct hs_clock *watch; /* real: how long planning takes */
    struct hs_virtual_executor *executor;
    struct hs_host *hosts; /* [n_hosts] the estate's, every uri "sim:" */
    struct hs_compute **computes;
    struct hs_cycle *cycle;
    HS_VEC(struct hs_event) events; /* since the last step */
    HS_VEC(double) plan_ms;
    size_t next_submit;
    size_t told_slot; /* slots whose readings were given */
    int64_t wake_at_s;
};

/** An action on its way to a host. */
struct heat_action {
    struct heat *heat;
    struct hs_action action;
};

static int64_t now_at_s(const struct heat *heat)
{
    return hs_clock_at_s(heat->clock);
}

static void push_event(struct heat *heat, struct hs_event event)
{
    event.at_s = event.at_s != 0 ? event.at_s : now_at_s(heat);
    HS_VEC_PUSH(&heat->events, event);
}

/** Job ids count from 1 in order of submit. */
static size_t job_idx_of(uint64_t job_id)
{
    return (size_t)job_id - 1;
}

/* --- what hosts say --- */

static void on_changed(void *arg, size_t host_idx, const struct hs_machine *machine)
{
    push_event(arg, (struct hs_event){.kind = HS_EVENT_MACHINE_CHANGED,
                                      .host_idx = host_idx,
                                      .machine = *machine});
}

static void ignore_done(int rc, const struct hs_err *err, void *arg)
{
}

static void on_ended(void *arg, size_t host_idx, const struct hs_machine_end *end)
{
    struct heat *heat = arg;
    size_t job_idx = job_idx_of(end->job_id);

    hs_simrun_advance(heat->run, hs_clock_at_exact_s(heat->clock));
    if (end->has_exit_status) {
        hs_simrun_end_job(heat->run, job_idx);
    } else if (heat->run->states[job_idx].state == HS_SIMRUN_RUNNING) {
        hs_simrun_suspend_job(heat->run, job_idx);
    }
    push_event(heat, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED,
                                       .host_idx = host_idx,
                                       .job_id = end->job_id,
                                       .has_exit_status = end->has_exit_status,
                                       .exit_status = end->exit_status});
    if (heat->computes[host_idx]->ops->clean != NULL) {
        hs_compute_clean(heat->computes[host_idx], end->job_id, ignore_done, NULL);
    }
}

static void on_link(void *arg, size_t host_idx, bool up, const char *text)
{
}

static void on_listed(int rc, const struct hs_err *err, const struct hs_machine *machines,
                      size_t n_machines, void *arg)
{
    struct heat_action *asked = arg;

    /* nothing runs before the start, so the list is empty and need not be kept */
    if (rc == 0) {
        push_event(asked->heat, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                                                  .host_idx = asked->action.host_idx});
    }
    free(asked);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    struct heat_action *asked = arg;
    struct heat *heat = asked->heat;
    const struct hs_action *action = &asked->action;
    size_t job_idx = job_idx_of(action->job_id);
    struct hs_event event = {.kind = HS_EVENT_ACTION_DONE, .op_id = action->op_id, .rc = rc};

    hs_simrun_advance(heat->run, hs_clock_at_exact_s(heat->clock));
    if (rc == 0 && (action->kind == HS_ACTION_START || action->kind == HS_ACTION_RESUME)) {
        hs_simrun_start_job(heat->run, job_idx, action->host_idx);
    } else if (rc == 0 && action->kind == HS_ACTION_SUSPEND) {
        hs_simrun_suspend_job(heat->run, job_idx);
    }
    if (err != NULL) {
        snprintf(event.text, sizeof(event.text), "%s", err->text);
    }
    push_event(heat, event);
    free(asked);
}

/* --- what the cycle wants --- */

static void start_machine(struct heat *heat, struct heat_action *asked)
{
    const struct hs_job *job = hs_cycle_get_job(heat->cycle, asked->action.job_id);
    struct hs_machine_spec spec = {
        .job_id = job->id,
        .epoch = HEAT_EPOCH,
        .class_word = hs_job_class_word(job->base_class),
        .image = job->image,
        .script = job->script,
        .env = (const char *const *)job->env,
        .n_env = job->n_env,
        .vcpus = job->vcpus,
        .memory_mib = job->memory_mib,
        .duration_s = job->duration_s,
    };

    hs_compute_create(heat->computes[asked->action.host_idx], &spec, on_done, asked);
}

static void act(struct heat *heat, const struct hs_action *action)
{
    struct heat_action *asked = hs_xcalloc(1, sizeof(*asked));

    *asked = (struct heat_action){heat, *action};
    if (action->kind == HS_ACTION_START) {
        start_machine(heat, asked);
    } else {
        hs_compute_act(heat->computes[action->host_idx], action->job_id, action->kind, on_done,
                       asked);
    }
}

static void step(struct heat *heat)
{
    struct hs_decision decision = {0};
    double begun_mono_s = hs_clock_mono_s(heat->watch);

    hs_cycle_step(heat->cycle, now_at_s(heat), heat->events.items, heat->events.n, &decision);
    if (decision.planned) {
        double took_ms = (hs_clock_mono_s(heat->watch) - begun_mono_s) * 1e3;

        HS_VEC_PUSH(&heat->plan_ms, took_ms);
    }
    heat->events.n = 0;
    heat->wake_at_s = decision.wake_at_s;
    for (size_t i = 0; i < decision.n_actions; i++) {
        act(heat, &decision.actions[i]);
    }
}

/* --- the world's news --- */

static void push_reading(struct heat *heat, enum hs_point_kind kind, size_t thing_idx, double value,
                         int64_t taken_at_s, int64_t at_s)
{
    struct hs_event event = {
        .kind = HS_EVENT_READING,
        .at_s = at_s,
        .reading = {.point = {.kind = kind, .thing_idx = thing_idx, .height_ratio = 0.5},
                    .value = value,
                    .taken_at_s = taken_at_s,
                    .received_at_s = at_s,
                    .quality = HS_QUALITY_GOOD},
    };

    push_event(heat, event);
}

/** The mean demand of the slot that has just passed, which began at @slot_at_s. */
static void push_demand(struct heat *heat, int64_t slot_at_s)
{
    const struct hs_scenario *scenario = heat->run->scenario;
    size_t slot = (size_t)((slot_at_s - scenario->start_at_s) / scenario->slot_s);

    for (size_t k = 0; k < scenario->estate->n_sinks; k++) {
        /* a second before the slot's end, so that the slot is closed with it */
        push_reading(heat, HS_POINT_DEMAND_HEAT_W, k,
                     heat->run->trace->demand_heat_w[k * scenario->n_slots + slot], slot_at_s,
                     slot_at_s + scenario->slot_s - 1);
    }
}

static void push_plant(struct heat *heat, int64_t at_s)
{
    const struct hs_estate *estate = heat->run->scenario->estate;

    for (size_t k = 0; k < estate->n_sinks; k++) {
        push_reading(heat, HS_POINT_USEFUL_HEAT_WH, k, heat->run->useful_wh[k], at_s, at_s);
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        const struct hs_tank *tank = &estate->loops[l].tank;

        if (tank->present) {
            push_reading(heat, HS_POINT_TANK_C, l, hs_tank_c_from_wh(tank, heat->run->tank_wh[l]),
                         at_s, at_s);
        }
        push_reading(heat, HS_POINT_CAPTURED_HEAT_WH, l, heat->run->captured_wh[l], at_s, at_s);
        push_reading(heat, HS_POINT_REJECTED_HEAT_W, l, heat->run->rejected_w[l], at_s, at_s);
    }
}

/** Readings of every slot that has ended and was not told yet. */
static void push_slots(struct heat *heat)
{
    const struct hs_scenario *scenario = heat->run->scenario;

    while (heat->told_slot < heat->run->slot) {
        int64_t slot_at_s = scenario->start_at_s + (int64_t)heat->told_slot * scenario->slot_s;

        push_demand(heat, slot_at_s);
        heat->told_slot++;
        push_plant(heat, slot_at_s + scenario->slot_s);
    }
}

static struct hs_job *make_request(const struct hs_simjob *simjob, uint64_t job_id)
{
    struct hs_job *job = hs_job_new();
    char env[64];

    job->id = job_id;
    snprintf(job->name, sizeof(job->name), "trace-%llu-%u", (unsigned long long)simjob->record_idx,
             simjob->piece);
    job->vcpus = simjob->vcpus;
    job->memory_mib = simjob->memory_mib;
    job->duration_s = (int64_t)ceil(simjob->estimate_s);
    job->due_at_s = (int64_t)floor(simjob->due_at_s);
    job->interruptible = simjob->interruptible;
    job->state = HS_JOB_WAITING;
    job->submitted_at_s = (int64_t)floor(simjob->submit_at_s);
    job->since_at_s = job->submitted_at_s;
    /* for the simulated machine only; the cycle does not read a job's environment */
    snprintf(env, sizeof(env), "HSCHED_SIM_RUN_S=%.6f", simjob->run_s);
    job->env = hs_xcalloc(1, sizeof(*job->env));
    job->env[0] = hs_xstrdup(env);
    job->n_env = 1;
    return job;
}

static int push_submits(struct heat *heat, double at_s, struct hs_err *err)
{
    const struct hs_simjobs *jobs = heat->run->jobs;

    while (heat->next_submit < jobs->n && jobs->items[heat->next_submit].submit_at_s <= at_s) {
        HS_AUTO(hs_job)
        job = make_request(&jobs->items[heat->next_submit], (uint64_t)heat->next_submit + 1);
        char cannot_meet[192];
        int rc = hs_cycle_check_job(heat->cycle, job, now_at_s(heat), cannot_meet, err);

        if (rc != 0) {
            return rc;
        }
        push_event(heat, (struct hs_event){.kind = HS_EVENT_JOB, .job = HS_STEAL(job)});
        heat->next_submit++;
    }
    return 0;
}

/** Job ends, then submits, then slot ends; then decide until nothing is left to do now. */
static int take_instant(struct heat *heat, double at_s, struct hs_err *err)
{
    int rc;

    hs_virtual_executor_advance(heat->executor, at_s);
    hs_simrun_advance(heat->run, at_s);
    rc = push_submits(heat, at_s, err);
    if (rc != 0) {
        return rc;
    }
    push_slots(heat);
    if (heat->events.n == 0 && (double)heat->wake_at_s > at_s) {
        return 0;
    }
    for (int i = 0; i < HEAT_STEPS_MAX; i++) {
        step(heat);
        hs_virtual_executor_advance(heat->executor, at_s);
        if (heat->events.n == 0) {
            return 0;
        }
    }
    return hs_err_set(err, HS_E_INTERNAL, "heat", "decisions at one instant have no end");
}

static double get_next_at_s(const struct heat *heat)
{
    const struct hs_simjobs *jobs = heat->run->jobs;
    double at_s = hs_simrun_slot_end_at_s(heat->run);
    double wake_at_s = fmax((double)heat->wake_at_s, heat->run->at_s + 1);

    at_s = fmin(at_s, hs_virtual_executor_next_at_s(heat->executor));
    at_s = fmin(at_s, wake_at_s);
    if (heat->next_submit < jobs->n) {
        at_s = fmin(at_s, jobs->items[heat->next_submit].submit_at_s);
    }
    return fmax(at_s, heat->run->at_s);
}

/* --- life --- */

static int open_hosts(struct heat *heat, struct hs_err *err)
{
    const struct hs_estate *estate = heat->run->scenario->estate;

    heat->hosts = hs_xcalloc(estate->n_hosts, sizeof(*heat->hosts));
    heat->computes = hs_xcalloc(estate->n_hosts, sizeof(struct hs_compute *));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        struct hs_compute_options options = {
            .executor = hs_virtual_executor_get(heat->executor),
            .clock = heat->clock,
            .host = &heat->hosts[h],
            .host_idx = h,
            .listener = {.changed = on_changed, .ended = on_ended, .link = on_link, .arg = heat},
        };
        struct heat_action *asked;
        int rc;

        heat->hosts[h] = estate->hosts[h];
        snprintf(heat->hosts[h].uri, sizeof(heat->hosts[h].uri), "sim:");
        rc = hs_compute_new(&options, &heat->computes[h], err);
        if (rc != 0) {
            return rc;
        }
        asked = hs_xcalloc(1, sizeof(*asked));
        *asked = (struct heat_action){heat, {.host_idx = h}};
        hs_compute_list(heat->computes[h], on_listed, asked);
    }
    return 0;
}

static void open_cycle(struct heat *heat)
{
    const struct hs_scenario *scenario = heat->run->scenario;
    const struct hs_estate *estate = scenario->estate;
    struct hs_cycle_options options = {
        .estate = estate, .policy = scenario->policy, .now_at_s = scenario->start_at_s};

    heat->cycle = hs_cycle_new(&options);
    for (size_t s = 0; s < estate->n_sites; s++) {
        hs_cycle_set_signal(heat->cycle, s, HS_SIGNAL_PRICE, scenario->price[s]);
        hs_cycle_set_signal(heat->cycle, s, HS_SIGNAL_CARBON, scenario->gco2_per_kwh[s]);
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        hs_cycle_train(heat->cycle, k, scenario->demand_heat_w[k]);
    }
    /* what the meters of the last slot before the start say */
    for (size_t k = 0; k < estate->n_sinks; k++) {
        double mean_w =
            hs_series_get_mean(scenario->demand_heat_w[k], scenario->start_at_s - scenario->slot_s,
                               scenario->start_at_s);

        if (mean_w >= 0) {
            push_reading(heat, HS_POINT_DEMAND_HEAT_W, k, mean_w,
                         scenario->start_at_s - scenario->slot_s, scenario->start_at_s);
        }
    }
    push_plant(heat, scenario->start_at_s);
}

static void close_heat(struct heat *heat)
{
    for (size_t h = 0; heat->computes != NULL && h < heat->run->scenario->estate->n_hosts; h++) {
        hs_compute_free(heat->computes[h]);
    }
    for (size_t i = 0; i < heat->events.n; i++) {
        hs_job_free(heat->events.items[i].job);
    }
    HS_VEC_FINI(&heat->events);
    HS_VEC_FINI(&heat->plan_ms);
    free(heat->computes);
    free(heat->hosts);
    hs_cycle_free(heat->cycle);
    hs_virtual_executor_free(heat->executor);
    hs_clock_free(heat->watch);
    hs_clock_free(heat->clock);
}

static int compare_ms(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void fill_stats(struct heat *heat, struct hs_controller_stats *ret_stats)
{
    size_t n = heat->plan_ms.n;

    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN};
    if (n > 0) {
        qsort(heat->plan_ms.items, n, sizeof(double), compare_ms);
        ret_stats->plan_ms_p50 = heat->plan_ms.items[n / 2];
        ret_stats->plan_ms_p99 = heat->plan_ms.items[n * 99 / 100];
    }
}

static int run_to_end(struct heat *heat, const struct hs_controller_options *options,
                      struct hs_err *err)
{
    struct hs_simrun *run = heat->run;
    double end_at_s = (double)hs_scenario_end_at_s(run->scenario);
    size_t reported_slot = 0;
    int rc = take_instant(heat, run->at_s, err);

    while (rc == 0 && run->at_s < end_at_s) {
        rc = take_instant(heat, fmin(get_next_at_s(heat), end_at_s), err);
        if (options->progress != NULL && run->slot >= reported_slot + HEAT_PROGRESS_SLOTS) {
            reported_slot = run->slot;
            options->progress((double)run->slot / (double)run->scenario->n_slots,
                              options->progress_arg);
        }
    }
    return rc;
}

static int heat_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                      struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    struct heat heat = {.run = run};
    int rc;

    if (run->scenario->move_s > 0 || run->scenario->suspend_s > 0) {
        return hs_err_set(err, HS_E_UNSUPPORTED, "/costs",
                          "costs of moves and suspends are not supported yet; leave them out");
    }
    heat.clock = hs_clock_new_virtual(run->scenario->start_at_s);
    heat.watch = hs_clock_new_real();
    heat.executor = hs_virtual_executor_new(heat.clock);
    heat.wake_at_s = run->scenario->start_at_s;
    open_cycle(&heat);
    rc = open_hosts(&heat, err);
    if (rc == 0) {
        rc = run_to_end(&heat, options, err);
    }
    if (rc == 0) {
        fill_stats(&heat, ret_stats);
    }
    close_heat(&heat);
    return rc;
}

const struct hs_controller_ops hs_controller_heat_ops = {
    .name = "heat",
    .summary = "hsched's own decisions, from what its daemon would see",
    .drive = heat_drive,
};
