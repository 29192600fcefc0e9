/* SPDX-License-Identifier: Apache-2.0 */
/* simqueue - a heap of ends, lists of what runs. */
#include "scheduler/sim/simqueue.h"

#include <math.h>

#include "scheduler/base/heap.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/simroom.h"

#define PROGRESS_SLOTS 96 /* a day of quarter hours between two words of progress */

static bool ends_before(const struct hs_simqueue_end *a, const struct hs_simqueue_end *b)
{
    return a->at_s < b->at_s || (a->at_s == b->at_s && a->job_idx < b->job_idx);
}

/** Drop ends of jobs that were suspended, thrown off or put off since. @return next end */
static double get_next_end_at_s(struct hs_simqueue *queue)
{
    while (queue->ends.n > 0) {
        struct hs_simqueue_end end = queue->ends.items[0];

        if (queue->run->states[end.job_idx].state == HS_SIMRUN_RUNNING
            && hs_simrun_get_end_at_s(queue->run, end.job_idx) == end.at_s) {
            return end.at_s;
        }
        (void)HS_HEAP_TAKE(queue->ends.items, &queue->ends.n, ends_before);
    }
    return (double)INFINITY;
}

static void add_running(struct hs_simqueue_host *host, struct hs_simqueue_running running)
{
    size_t i = host->running.n;

    HS_VEC_PUSH(&host->running, running);
    for (; i > 0 && host->running.items[i - 1].expected_at_s > running.expected_at_s; i--) {
        host->running.items[i] = host->running.items[i - 1];
    }
    host->running.items[i] = running;
}

static void remove_running(struct hs_simqueue_host *host, size_t job_idx)
{
    size_t n = 0;

    for (size_t i = 0; i < host->running.n; i++) {
        if (host->running.items[i].job_idx != job_idx) {
            host->running.items[n++] = host->running.items[i];
        }
    }
    host->running.n = n;
}

void hs_simqueue_init(struct hs_simqueue *queue, struct hs_simrun *run)
{
    *queue = (struct hs_simqueue){.run = run};
    queue->hosts = hs_xcalloc(run->scenario->estate->n_hosts, sizeof(*queue->hosts));
    queue->is_limited = hs_xcalloc(run->scenario->estate->n_hosts, sizeof(*queue->is_limited));
    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        queue->is_limited[h] = hs_simroom_is_limited(run->scenario->estate, h);
    }
}

double hs_simqueue_get_left_s(const struct hs_simqueue *queue, size_t job_idx)
{
    return fmax(0, queue->run->jobs->items[job_idx].estimate_s
                       + queue->run->states[job_idx].overhead_s
                       - hs_simrun_get_ran_s(queue->run, job_idx));
}

/** It runs on @host_idx now: keep its end and its place. */
static void enlist(struct hs_simqueue *queue, size_t job_idx, size_t host_idx)
{
    struct hs_simqueue_running running = {job_idx, queue->run->at_s
                                                       + hs_simqueue_get_left_s(queue, job_idx)};

    struct hs_simqueue_end end = {hs_simrun_get_end_at_s(queue->run, job_idx), job_idx};

    HS_HEAP_PUSH(&queue->ends, end, ends_before);
    add_running(&queue->hosts[host_idx], running);
}

void hs_simqueue_start(struct hs_simqueue *queue, size_t job_idx, size_t host_idx)
{
    hs_simrun_start_job(queue->run, job_idx, host_idx);
    enlist(queue, job_idx, host_idx);
}

void hs_simqueue_move(struct hs_simqueue *queue, size_t job_idx, size_t host_idx)
{
    remove_running(&queue->hosts[queue->run->states[job_idx].host_idx], job_idx);
    hs_simrun_move_job(queue->run, job_idx, host_idx);
    enlist(queue, job_idx, host_idx);
}

void hs_simqueue_suspend(struct hs_simqueue *queue, size_t job_idx)
{
    remove_running(&queue->hosts[queue->run->states[job_idx].host_idx], job_idx);
    hs_simrun_suspend_job(queue->run, job_idx);
}

/** Jobs whose host was lost now. */
static void take_back(struct hs_simqueue *queue, const struct hs_simqueue_ops *ops, void *arg)
{
    size_t job_idx;

    hs_simrun_apply_events(queue->run);
    while (hs_simrun_take_thrown(queue->run, &job_idx)) {
        remove_running(&queue->hosts[queue->run->states[job_idx].host_idx], job_idx);
        ops->take_back(arg, job_idx);
    }
}

static void take_instant(struct hs_simqueue *queue, const struct hs_simqueue_ops *ops, void *arg,
                         double at_s)
{
    struct hs_simrun *run = queue->run;
    bool is_slot_end = at_s >= hs_simrun_slot_end_at_s(run);

    hs_simrun_advance(run, at_s);
    while (get_next_end_at_s(queue) <= at_s) {
        size_t job_idx = HS_HEAP_TAKE(queue->ends.items, &queue->ends.n, ends_before).job_idx;

        remove_running(&queue->hosts[run->states[job_idx].host_idx], job_idx);
        hs_simrun_end_job(run, job_idx);
    }
    take_back(queue, ops, arg);
    while (queue->next_submit < run->jobs->n
           && run->jobs->items[queue->next_submit].submit_at_s <= at_s) {
        ops->submit(arg, queue->next_submit++);
    }
    if (at_s < (double)hs_scenario_end_at_s(run->scenario)) {
        ops->schedule(arg, is_slot_end);
    }
}

static double get_next_at_s(struct hs_simqueue *queue, const struct hs_simqueue_ops *ops, void *arg)
{
    double at_s = fmin(hs_simrun_slot_end_at_s(queue->run), get_next_end_at_s(queue));

    at_s = fmin(at_s, hs_simrun_next_event_at_s(queue->run));
    if (queue->next_submit < queue->run->jobs->n) {
        at_s = fmin(at_s, queue->run->jobs->items[queue->next_submit].submit_at_s);
    }
    if (ops->get_next_at_s != NULL) {
        at_s = fmin(at_s, ops->get_next_at_s(arg));
    }
    return at_s;
}

void hs_simqueue_drive(struct hs_simqueue *queue, const struct hs_simqueue_ops *ops, void *arg,
                       const struct hs_controller_options *options)
{
    struct hs_simrun *run = queue->run;
    double end_at_s = (double)hs_scenario_end_at_s(run->scenario);
    double span_s = end_at_s - (double)run->scenario->start_at_s;
    size_t reported_slot = 0;

    take_instant(queue, ops, arg, run->at_s);
    while (run->at_s < end_at_s && !run->is_stopped) {
        take_instant(queue, ops, arg, get_next_at_s(queue, ops, arg));
        if (options->progress != NULL && run->slot >= reported_slot + PROGRESS_SLOTS) {
            reported_slot = run->slot;
            options->progress(1 - (end_at_s - run->at_s) / span_s, options->progress_arg);
        }
    }
}

void hs_simqueue_fini(struct hs_simqueue *queue)
{
    for (size_t h = 0; h < queue->run->scenario->estate->n_hosts; h++) {
        HS_VEC_FINI(&queue->hosts[h].running);
    }
    free(queue->is_limited);
    free(queue->hosts);
    queue->hosts = NULL;
    HS_VEC_FINI(&queue->ends);
}
