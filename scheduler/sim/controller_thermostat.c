/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_thermostat - heat on demand, loop by loop: what a good heating controller would do.
 *
 * At every submit, end and slot's end it goes through the waiting jobs by latest start (due less
 * what is left by the estimate less one slot). One starts on the neediest loop that calls for
 * heat, that is with a tank below half or with more demand than captured heat; at its latest
 * start it starts on the neediest loop that has room, whether that calls or not. Need is demand
 * less captured heat, W. At a slot's end, after the starts, each loop that has its tank above
 * 95 % and captures more than it is asked for suspends interruptible jobs, most slack first,
 * until it captures no more than that. A job at its latest start is left alone.
 */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/simheat.h"
#include "scheduler/sim/simqueue.h"
#include "scheduler/sim/simroom.h"

#define CALL_FILL_RATIO 0.50 /* a tank below this calls for heat; simulator.md, thermostat */
#define FULL_FILL_RATIO 0.95 /* a tank above this wants none; simulator.md, thermostat */

struct thermostat {
    struct hs_simqueue queue;
    HS_VEC(size_t) waiting; /* by latest start, then by submit; also what is suspended */
    double *need_w;         /* [n_loops] demand less captured heat now */
    bool *calls;            /* [n_loops] for heat now */
};

static double get_latest_at_s(const struct thermostat *thermostat, size_t job_idx)
{
    const struct hs_simrun *run = thermostat->queue.run;

    return run->jobs->items[job_idx].due_at_s - hs_simqueue_get_left_s(&thermostat->queue, job_idx)
           - (double)run->scenario->slot_s;
}

static void add_waiting(struct thermostat *thermostat, size_t job_idx)
{
    double latest_at_s = get_latest_at_s(thermostat, job_idx);
    size_t i = thermostat->waiting.n, *items;

    HS_VEC_PUSH(&thermostat->waiting, job_idx);
    items = thermostat->waiting.items;
    for (; i > 0 && get_latest_at_s(thermostat, items[i - 1]) > latest_at_s; i--) {
        items[i] = items[i - 1];
    }
    items[i] = job_idx;
}

static void read_loop(struct thermostat *thermostat, size_t loop_idx)
{
    const struct hs_simrun *run = thermostat->queue.run;
    double need_w =
        hs_simheat_get_demand_w(run, loop_idx) - hs_simheat_get_captured_w(run, loop_idx);

    thermostat->need_w[loop_idx] = need_w;
    thermostat->calls[loop_idx] =
        need_w > 0 || hs_simheat_get_fill_ratio(run, loop_idx) < CALL_FILL_RATIO;
}

/** @return whether any loop calls for heat */
static bool read_loops(struct thermostat *thermostat)
{
    bool is_called = false;

    for (size_t l = 0; l < thermostat->queue.run->scenario->estate->n_loops; l++) {
        read_loop(thermostat, l);
        is_called |= thermostat->calls[l];
    }
    return is_called;
}

/** Host with most free vCPUs on the neediest loop with room that calls or, if forced, need not. */
static size_t find_host(const struct thermostat *thermostat, uint32_t vcpus, bool is_forced)
{
    const struct hs_simrun *run = thermostat->queue.run;
    const struct hs_estate *estate = run->scenario->estate;
    size_t best = SIZE_MAX;
    double best_need_w = 0;
    uint32_t best_free = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        size_t loop_idx = estate->hosts[h].loop_idx;
        double need_w = thermostat->need_w[loop_idx];
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(run, h);

        if (free_vcpus >= vcpus && (is_forced || thermostat->calls[loop_idx])
            && (best == SIZE_MAX || need_w > best_need_w
                || (need_w == best_need_w && free_vcpus > best_free))
            && hs_simroom_check(run, h, vcpus)) {
            best = h;
            best_need_w = need_w;
            best_free = free_vcpus;
        }
    }
    return best;
}

static void start_waiting(struct thermostat *thermostat)
{
    struct hs_simrun *run = thermostat->queue.run;
    size_t *waiting = thermostat->waiting.items, n = thermostat->waiting.n, n_kept = 0, i = 0;
    uint32_t most_free = hs_simroom_get_most_free(run);
    bool is_called = read_loops(thermostat);

    for (; i < n; i++) {
        bool is_forced = get_latest_at_s(thermostat, waiting[i]) <= run->at_s;
        uint32_t vcpus = run->jobs->items[waiting[i]].vcpus;
        size_t host_idx = SIZE_MAX;

        if (most_free == 0 || (!is_forced && !is_called)) {
            break; /* nor does any after it start: they come by latest start */
        }
        if (vcpus <= most_free) {
            host_idx = find_host(thermostat, vcpus, is_forced);
        }
        if (host_idx == SIZE_MAX) {
            waiting[n_kept++] = waiting[i];
        } else {
            hs_simqueue_start(&thermostat->queue, waiting[i], host_idx);
            most_free = hs_simroom_get_most_free(run);
            is_called = read_loops(thermostat);
        }
    }
    for (; i < n; i++) {
        waiting[n_kept++] = waiting[i];
    }
    thermostat->waiting.n = n_kept;
}

/** Interruptible job of a loop with most slack; SIZE_MAX if none has any. */
static size_t find_slackest(const struct thermostat *thermostat, size_t loop_idx)
{
    const struct hs_simrun *run = thermostat->queue.run;
    size_t best = SIZE_MAX;
    double best_at_s = run->at_s;

    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        const struct hs_simqueue_host *host = &thermostat->queue.hosts[h];
        bool is_ours = run->scenario->estate->hosts[h].loop_idx == loop_idx;

        for (size_t i = 0; is_ours && i < host->running.n; i++) {
            size_t job_idx = host->running.items[i].job_idx;
            double latest_at_s = get_latest_at_s(thermostat, job_idx);

            if (run->jobs->items[job_idx].interruptible
                && (latest_at_s > best_at_s
                    || (latest_at_s == best_at_s && best != SIZE_MAX && job_idx < best))) {
                best = job_idx;
                best_at_s = latest_at_s;
            }
        }
    }
    return best;
}

static void shed_surplus(struct thermostat *thermostat, size_t loop_idx)
{
    const struct hs_simrun *run = thermostat->queue.run;

    if (!(hs_simheat_get_fill_ratio(run, loop_idx) > FULL_FILL_RATIO)) {
        return;
    }
    while (hs_simheat_get_captured_w(run, loop_idx) > hs_simheat_get_demand_w(run, loop_idx)) {
        size_t job_idx = find_slackest(thermostat, loop_idx);

        if (job_idx == SIZE_MAX) {
            return;
        }
        hs_simqueue_suspend(&thermostat->queue, job_idx);
        add_waiting(thermostat, job_idx);
    }
}

static void thermostat_submit(void *arg, size_t job_idx)
{
    add_waiting(arg, job_idx);
}

static void thermostat_schedule(void *arg, bool is_slot_end)
{
    struct thermostat *thermostat = arg;

    start_waiting(thermostat);
    for (size_t l = 0; is_slot_end && l < thermostat->queue.run->scenario->estate->n_loops; l++) {
        shed_surplus(thermostat, l);
    }
}

static int thermostat_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                            struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    static const struct hs_simqueue_ops ops = {.submit = thermostat_submit,
                                               .take_back = thermostat_submit,
                                               .schedule = thermostat_schedule};
    size_t n_loops = run->scenario->estate->n_loops;
    struct thermostat thermostat = {.need_w = hs_xcalloc(n_loops, sizeof(double)),
                                    .calls = hs_xcalloc(n_loops, sizeof(bool))};

    (void)err;
    hs_simqueue_init(&thermostat.queue, run);
    hs_simqueue_drive(&thermostat.queue, &ops, &thermostat, options);
    hs_simqueue_fini(&thermostat.queue);
    HS_VEC_FINI(&thermostat.waiting);
    free(thermostat.calls);
    free(thermostat.need_w);
    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN, (double)NAN};
    return 0;
}

const struct hs_controller_ops hs_controller_thermostat_ops = {
    .name = "thermostat",
    .summary = "starts work while a loop calls for heat, suspends it while a tank is full",
    .drive = thermostat_drive,
};
