/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_sticky - everything at once, where heat is wanted most; moves only for a clear gain.
 *
 * A loop's score is 0.5 (demand - captured) / larger of both + 0.5 (1 - E / E_max), from the
 * meters of now. The queue is asap's (easy.h), hosts in order of their loop's score. Then, at
 * every submit, end and slot's end, interruptible jobs are gone through, most work left (vCPUs x
 * time) first: one moves to the best loop that has room for it if that leads its own by more
 * than 0.2. At most a tenth, rounded down, of the jobs that run may move in one slot, and none
 * that has two slots or less to go: it would be done before it paid.
 */
#include <math.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/easy.h"
#include "scheduler/sim/simheat.h"
#include "scheduler/sim/simroom.h"

#define MOVE_LEAD       0.2 /* simulator.md, sticky */
#define MOVE_JOBS_RATIO 0.1 /* of the running jobs, each slot; simulator.md, sticky */
#define MOVE_LEFT_SLOTS 2.0 /* a job with no more to go stays */

struct candidate {
    size_t job_idx;
    double work_vcpu_s;
};

struct sticky {
    struct hs_simqueue queue;
    struct hs_easy easy;
    double *scores; /* [n_loops] as last read */
    HS_VEC(struct candidate) candidates;
    size_t n_moved; /* in the open slot */
};

static double get_score(const struct hs_simrun *run, size_t loop_idx)
{
    double demand_w = hs_simheat_get_demand_w(run, loop_idx);
    double captured_w = hs_simheat_get_captured_w(run, loop_idx);
    double larger_w = fmax(demand_w, captured_w);
    double lack_ratio = larger_w > 0 ? (demand_w - captured_w) / larger_w : 0;

    return 0.5 * lack_ratio + 0.5 * (1 - hs_simheat_get_fill_ratio(run, loop_idx));
}

static const double *read_scores(void *arg)
{
    struct sticky *sticky = arg;

    for (size_t l = 0; l < sticky->queue.run->scenario->estate->n_loops; l++) {
        sticky->scores[l] = get_score(sticky->queue.run, l);
    }
    return sticky->scores;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->work_vcpu_s != y->work_vcpu_s) {
        return x->work_vcpu_s > y->work_vcpu_s ? -1 : 1;
    }
    return x->job_idx < y->job_idx ? -1 : x->job_idx > y->job_idx;
}

/** Best score of a loop with any room at all. */
static double get_best_score(const struct sticky *sticky)
{
    const struct hs_estate *estate = sticky->queue.run->scenario->estate;
    double best = -(double)INFINITY;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        if (hs_simrun_get_free_vcpus(sticky->queue.run, h) > 0) {
            best = fmax(best, sticky->scores[estate->hosts[h].loop_idx]);
        }
    }
    return best;
}

/** What runs and might move, most work left first. @return how many jobs run in all */
static size_t list_candidates(struct sticky *sticky)
{
    const struct hs_simrun *run = sticky->queue.run;
    double min_left_s = MOVE_LEFT_SLOTS * (double)run->scenario->slot_s;
    double best = get_best_score(sticky);
    size_t n_running = 0;

    sticky->candidates.n = 0;
    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        const struct hs_simqueue_host *host = &sticky->queue.hosts[h];
        double score = sticky->scores[run->scenario->estate->hosts[h].loop_idx];

        n_running += host->running.n;
        for (size_t i = 0; best - score > MOVE_LEAD && i < host->running.n; i++) {
            size_t job_idx = host->running.items[i].job_idx;
            const struct hs_simjob *job = &run->jobs->items[job_idx];
            double left_s = hs_simqueue_get_left_s(&sticky->queue, job_idx);

            if (job->interruptible && left_s > min_left_s) {
                struct candidate candidate = {job_idx, left_s * (double)job->vcpus};

                HS_VEC_PUSH(&sticky->candidates, candidate);
            }
        }
    }
    if (sticky->candidates.n > 1) {
        qsort(sticky->candidates.items, sticky->candidates.n, sizeof(*sticky->candidates.items),
              compare_candidates);
    }
    return n_running;
}

/** Host with most free vCPUs on the best loop that has room and leads @own by enough. */
static size_t find_target(const struct sticky *sticky, uint32_t vcpus, double own)
{
    const struct hs_simrun *run = sticky->queue.run;
    const struct hs_estate *estate = run->scenario->estate;
    size_t best = SIZE_MAX;
    double best_score = 0;
    uint32_t best_free = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        double score = sticky->scores[estate->hosts[h].loop_idx];
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(run, h);

        if (score - own > MOVE_LEAD && free_vcpus >= vcpus
            && (best == SIZE_MAX || score > best_score
                || (score == best_score && free_vcpus > best_free))
            && hs_simroom_check(run, h, vcpus)) {
            best = h;
            best_score = score;
            best_free = free_vcpus;
        }
    }
    return best;
}

static void move_jobs(struct sticky *sticky)
{
    const struct hs_simrun *run = sticky->queue.run;
    size_t n_max;

    read_scores(sticky);
    n_max = (size_t)floor(MOVE_JOBS_RATIO * (double)list_candidates(sticky));
    for (size_t i = 0; i < sticky->candidates.n && sticky->n_moved < n_max; i++) {
        size_t job_idx = sticky->candidates.items[i].job_idx;
        size_t from = run->scenario->estate->hosts[run->states[job_idx].host_idx].loop_idx;
        size_t host_idx =
            find_target(sticky, run->jobs->items[job_idx].vcpus, sticky->scores[from]);

        if (host_idx != SIZE_MAX) {
            hs_simqueue_move(&sticky->queue, job_idx, host_idx);
            sticky->n_moved++;
            read_scores(sticky);
        }
    }
}

static void sticky_submit(void *arg, size_t job_idx)
{
    struct sticky *sticky = arg;

    hs_easy_add(&sticky->easy, job_idx);
}

static void sticky_schedule(void *arg, bool is_slot_end)
{
    struct sticky *sticky = arg;

    sticky->n_moved = is_slot_end ? 0 : sticky->n_moved;
    hs_easy_apply(&sticky->easy);
    move_jobs(sticky);
}

static int sticky_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                        struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    static const struct hs_simqueue_ops ops = {
        .submit = sticky_submit, .take_back = sticky_submit, .schedule = sticky_schedule};
    struct sticky sticky = {.scores =
                                hs_xcalloc(run->scenario->estate->n_loops, sizeof(*sticky.scores))};

    (void)err;
    sticky.easy = (struct hs_easy){.queue = &sticky.queue, .rank = read_scores, .arg = &sticky};
    hs_simqueue_init(&sticky.queue, run);
    hs_simqueue_drive(&sticky.queue, &ops, &sticky, options);
    hs_easy_fini(&sticky.easy);
    hs_simqueue_fini(&sticky.queue);
    HS_VEC_FINI(&sticky.candidates);
    free(sticky.scores);
    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN, (double)NAN};
    return 0;
}

const struct hs_controller_ops hs_controller_sticky_ops = {
    .name = "sticky",
    .summary = "asap where heat is wanted most; moves a job only for a clear gain",
    .drive = sticky_drive,
};
