/* SPDX-License-Identifier: Apache-2.0 */
/* heatdrive - hosts, actions and instants of a run; see heatdrive.h. */
#include "scheduler/sim/heatdrive.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/compute/compute_sim.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/sim/heatfaults.h"
#include "scheduler/sim/heatworld.h"
#include "scheduler/sim/simreason.h"

#define HEATDRIVE_EPOCH          1
#define HEATDRIVE_STEPS_MAX      1000 /* steps at one instant; more is a loop without end */
#define HEATDRIVE_PROGRESS_SLOTS 4

/** An action on its way to a host. */
struct asked {
    struct hs_heatdrive *drive;
    struct hs_action action;
};

int64_t hs_heatdrive_get_at_s(const struct hs_heatdrive *drive)
{
    return hs_clock_at_s(drive->clock);
}

void hs_heatdrive_push(struct hs_heatdrive *drive, struct hs_event event)
{
    event.at_s = event.at_s != 0 ? event.at_s : hs_heatdrive_get_at_s(drive);
    HS_VEC_PUSH(&drive->events, event);
}

/* --- what hosts say --- */

static void on_changed(void *arg, size_t host_idx, const struct hs_machine *machine)
{
    hs_heatdrive_push(arg, (struct hs_event){.kind = HS_EVENT_MACHINE_CHANGED,
                                             .host_idx = host_idx,
                                             .machine = *machine});
}

static void ignore_done(int rc, const struct hs_err *err, void *arg)
{
}

static void on_ended(void *arg, size_t host_idx, const struct hs_machine_end *end)
{
    struct hs_heatdrive *drive = arg;
    size_t job_idx = hs_heatfaults_get_job_idx(drive, end->job_id);

    hs_simrun_advance(drive->run, hs_clock_at_exact_s(drive->clock));
    if (end->has_exit_status) {
        hs_simrun_end_job(drive->run, job_idx);
    } else if (drive->run->states[job_idx].state == HS_SIMRUN_RUNNING) {
        hs_simrun_suspend_job(drive->run, job_idx);
    }
    hs_heatdrive_push(drive, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED,
                                               .host_idx = host_idx,
                                               .job_id = end->job_id,
                                               .has_exit_status = end->has_exit_status,
                                               .exit_status = end->exit_status});
    if (drive->run->states[job_idx].state != HS_SIMRUN_DONE) {
        hs_heatfaults_submit_again(drive, job_idx);
    }
    if (drive->computes[host_idx]->ops->clean != NULL) {
        hs_compute_clean(drive->computes[host_idx], end->job_id, ignore_done, NULL);
    }
}

static void on_link(void *arg, size_t host_idx, bool up, const char *text)
{
}

static void on_listed(int rc, const struct hs_err *err, const struct hs_machine *machines,
                      size_t n_machines, void *arg)
{
    struct asked *asked = arg;

    /* nothing runs before the start, so the list is empty and need not be kept */
    if (rc == 0) {
        hs_heatdrive_push(asked->drive, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                                                          .host_idx = asked->action.host_idx});
    }
    free(asked);
}

/** A job that lies suspended counts as moved when it goes on. */
static void take_move(struct hs_heatdrive *drive, size_t job_idx, const struct hs_action *action)
{
    if (drive->run->states[job_idx].state == HS_SIMRUN_RUNNING) {
        hs_simrun_move_job(drive->run, job_idx, action->to_host_idx);
    }
    hs_compute_sim_add_need(drive->computes[action->to_host_idx], action->job_id,
                            drive->run->scenario->move_s);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    struct asked *asked = arg;
    struct hs_heatdrive *drive = asked->drive;
    const struct hs_action *action = &asked->action;
    size_t job_idx = hs_heatfaults_get_job_idx(drive, action->job_id);
    struct hs_event event = {.kind = HS_EVENT_ACTION_DONE, .op_id = action->op_id, .rc = rc};

    hs_simrun_advance(drive->run, hs_clock_at_exact_s(drive->clock));
    drive->acting = action;
    if (rc == 0 && (action->kind == HS_ACTION_START || action->kind == HS_ACTION_RESUME)) {
        hs_simrun_start_job(drive->run, job_idx, action->host_idx);
    } else if (rc == 0 && action->kind == HS_ACTION_SUSPEND) {
        hs_simrun_suspend_job(drive->run, job_idx);
        hs_compute_sim_add_need(drive->computes[action->host_idx], action->job_id,
                                drive->run->scenario->suspend_s);
    }
    if (rc == 0 && action->kind == HS_ACTION_MOVE) {
        take_move(drive, job_idx, action);
    }
    if (rc == 0 && action->kind == HS_ACTION_THROTTLE) {
        hs_simrun_throttle_job(drive->run, job_idx, action->share);
    }
    drive->acting = NULL;
    if (err != NULL) {
        snprintf(event.text, sizeof(event.text), "%s", err->text);
    }
    hs_heatdrive_push(drive, event);
    free(asked);
}

/* --- what the cycle wants --- */

static void start_machine(struct hs_heatdrive *drive, struct asked *asked)
{
    const struct hs_job *job = hs_cycle_get_job(drive->cycle, asked->action.job_id);
    struct hs_machine_spec spec = {
        .job_id = job->id,
        .epoch = HEATDRIVE_EPOCH,
        .class_word = hs_job_class_word(job->base_class),
        .image = job->image,
        .script = job->script,
        .vcpus = job->vcpus,
        .memory_mib = job->memory_mib,
        .duration_s = job->duration_s,
    };
    char need[64];
    const char *env[] = {need};

    /* the truth is the machine's alone: the cycle knows the estimate */
    snprintf(need, sizeof(need), "HSCHED_SIM_RUN_S=%.6f",
             hs_simrun_get_need_s(drive->run, hs_heatfaults_get_job_idx(drive, job->id),
                                  asked->action.host_idx));
    spec.env = env;
    spec.n_env = 1;
    hs_compute_create(drive->computes[asked->action.host_idx], &spec, on_done, asked);
}

static void act(struct hs_heatdrive *drive, const struct hs_action *action)
{
    struct asked *asked = hs_xcalloc(1, sizeof(*asked));

    *asked = (struct asked){drive, *action};
    if (action->kind == HS_ACTION_MOVE) {
        hs_compute_move(drive->computes[action->host_idx], action->job_id,
                        drive->computes[action->to_host_idx], on_done, asked);
    } else if (drive->run->faults->is_host_closed[action->host_idx]
               && (action->kind == HS_ACTION_START || action->kind == HS_ACTION_RESUME)) {
        struct hs_err err;
        int rc = hs_err_set(&err, HS_E_UNAVAILABLE, "sim:", "the host is in maintenance");

        on_done(rc, &err, asked);
    } else if (action->kind == HS_ACTION_THROTTLE) {
        hs_compute_throttle(drive->computes[action->host_idx], action->job_id, action->share,
                            on_done, asked);
    } else if (action->kind == HS_ACTION_START) {
        start_machine(drive, asked);
    } else {
        hs_compute_act(drive->computes[action->host_idx], action->job_id, action->kind, on_done,
                       asked);
    }
}

static void step(struct hs_heatdrive *drive)
{
    struct hs_decision decision = {0};
    double begun_mono_s = hs_clock_mono_s(drive->watch);

    hs_cycle_step(drive->cycle, hs_heatdrive_get_at_s(drive), drive->events.items, drive->events.n,
                  &decision);
    if (decision.planned) {
        double took_ms = (hs_clock_mono_s(drive->watch) - begun_mono_s) * 1e3;

        const struct hs_cycle_bound *bound = hs_cycle_get_bound(drive->cycle);

        HS_VEC_PUSH(&drive->plan_ms, took_ms);
        if (bound != NULL && bound->at_s == hs_heatdrive_get_at_s(drive)
            && !isnan(bound->gap_ratio)) {
            HS_VEC_PUSH(&drive->gaps, bound->gap_ratio);
        }
    }
    drive->events.n = 0;
    drive->wake_at_s = decision.wake_at_s;
    for (size_t i = 0; drive->options->note != NULL && i < decision.n_notes; i++) {
        drive->options->note(&decision.notes[i], drive->options->note_arg);
    }
    for (size_t i = 0; i < decision.n_actions; i++) {
        act(drive, &decision.actions[i]);
    }
}

/** Job ends, then submits, then slot ends; then decide until nothing is left to do now. */
static int take_instant(struct hs_heatdrive *drive, double at_s, struct hs_err *err)
{
    int rc;

    hs_virtual_executor_advance(drive->executor, at_s);
    hs_simrun_advance(drive->run, at_s);
    hs_heatfaults_tell(drive);
    rc = hs_heatworld_tell_jobs(drive, at_s, err);
    if (rc != 0) {
        return rc;
    }
    hs_heatworld_tell_slots(drive);
    if (drive->events.n == 0 && (double)drive->wake_at_s > at_s) {
        return 0;
    }
    for (int i = 0; i < HEATDRIVE_STEPS_MAX; i++) {
        step(drive);
        hs_virtual_executor_advance(drive->executor, at_s);
        if (drive->events.n == 0) {
            return 0;
        }
    }
    return hs_err_set(err, HS_E_INTERNAL, "heat", "decisions at one instant have no end");
}

static double get_next_at_s(const struct hs_heatdrive *drive)
{
    double at_s = hs_simrun_slot_end_at_s(drive->run);
    double wake_at_s = fmax((double)drive->wake_at_s, drive->run->at_s + 1);

    at_s = fmin(at_s, hs_virtual_executor_next_at_s(drive->executor));
    at_s = fmin(at_s, wake_at_s);
    at_s = fmin(at_s, hs_heatworld_next_at_s(drive));
    at_s = fmin(at_s, hs_simrun_next_event_at_s(drive->run));
    return fmax(at_s, drive->run->at_s);
}

/* --- life --- */

static int open_hosts(struct hs_heatdrive *drive, struct hs_err *err)
{
    const struct hs_estate *estate = drive->run->scenario->estate;

    drive->hosts = hs_xcalloc(estate->n_hosts, sizeof(*drive->hosts));
    drive->computes = hs_xcalloc(estate->n_hosts, sizeof(struct hs_compute *));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        struct hs_compute_options options = {
            .executor = hs_virtual_executor_get(drive->executor),
            .clock = drive->clock,
            .host = &drive->hosts[h],
            .host_idx = h,
            .listener = {.changed = on_changed, .ended = on_ended, .link = on_link, .arg = drive},
        };
        struct asked *asked;
        int rc;

        drive->hosts[h] = estate->hosts[h];
        snprintf(drive->hosts[h].uri, sizeof(drive->hosts[h].uri), "sim:");
        rc = hs_compute_new(&options, &drive->computes[h], err);
        if (rc != 0) {
            return rc;
        }
        asked = hs_xcalloc(1, sizeof(*asked));
        *asked = (struct asked){drive, {.host_idx = h}};
        hs_compute_list(drive->computes[h], on_listed, asked);
    }
    return 0;
}

static void close_drive(struct hs_heatdrive *drive)
{
    for (size_t h = 0; drive->computes != NULL && h < drive->run->scenario->estate->n_hosts; h++) {
        hs_compute_free(drive->computes[h]);
    }
    for (size_t i = 0; i < drive->events.n; i++) {
        hs_job_free(drive->events.items[i].job);
    }
    HS_VEC_FINI(&drive->events);
    HS_VEC_FINI(&drive->gaps);
    HS_VEC_FINI(&drive->plan_ms);
    free(drive->computes);
    free(drive->hosts);
    hs_heatworld_close(drive);
    hs_heatfaults_close(drive);
    hs_virtual_executor_free(drive->executor);
    hs_clock_free(drive->watch);
    hs_clock_free(drive->clock);
}

static void fill_stats(struct hs_heatdrive *drive, struct hs_controller_stats *ret_stats)
{
    size_t n = drive->plan_ms.n;

    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN, (double)NAN};
    if (n > 0) {
        hs_reals_sort(drive->plan_ms.items, n);
        ret_stats->plan_ms_p50 = drive->plan_ms.items[n / 2];
        ret_stats->plan_ms_p99 = drive->plan_ms.items[n * 99 / 100];
    }
    if (drive->gaps.n > 0) {
        hs_reals_sort(drive->gaps.items, drive->gaps.n);
        ret_stats->plan_gap_ratio_p50 = drive->gaps.items[drive->gaps.n / 2];
    }
}

static int run_to_end(struct hs_heatdrive *drive, const struct hs_controller_options *options,
                      struct hs_err *err)
{
    struct hs_simrun *run = drive->run;
    double end_at_s = (double)hs_scenario_end_at_s(run->scenario);
    size_t reported_slot = 0;
    int rc = take_instant(drive, run->at_s, err);

    while (rc == 0 && run->at_s < end_at_s && !run->is_stopped) {
        rc = take_instant(drive, fmin(get_next_at_s(drive), end_at_s), err);
        if (options->progress != NULL && run->slot >= reported_slot + HEATDRIVE_PROGRESS_SLOTS) {
            reported_slot = run->slot;
            options->progress((double)run->slot / (double)run->scenario->n_slots,
                              options->progress_arg);
        }
    }
    return rc;
}

static json_t *give_reason(void *arg, size_t job_idx)
{
    const struct hs_heatdrive *drive = arg;

    return drive->acting != NULL ? hs_simreason_format(drive->cycle, drive->run->scenario->estate,
                                                       drive->acting, hs_heatdrive_get_at_s(drive))
                                 : NULL;
}

int hs_heatdrive_run(struct hs_simrun *run, const struct hs_heatdrive_options *drive_options,
                     const struct hs_controller_options *options,
                     struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    struct hs_heatdrive drive = {
        .run = run, .options = options, .knows_future = drive_options->knows_future};
    int rc;

    drive.clock = hs_clock_new_virtual(run->scenario->start_at_s);
    drive.watch = hs_clock_new_real();
    drive.executor = hs_virtual_executor_new(drive.clock);
    drive.wake_at_s = run->scenario->start_at_s;
    hs_heatworld_open(&drive);
    run->reason = give_reason;
    run->reason_arg = &drive;
    rc = open_hosts(&drive, err);
    if (rc == 0) {
        rc = run_to_end(&drive, options, err);
    }
    if (rc == 0) {
        fill_stats(&drive, ret_stats);
    }
    run->reason = NULL;
    close_drive(&drive);
    return rc;
}
