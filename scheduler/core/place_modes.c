/* SPDX-License-Identifier: Apache-2.0 */
/* place_modes - in which order jobs choose, and which of several plans stands; see place_priv.h. */
#include "scheduler/core/place_priv.h"

#include <math.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/* In a refresh every job looks for its place anew once in so many slots; the others keep theirs. */
#define REFRESH_TURNS 8

/* With more late jobs than one in so many, the plan as a whole is at fault: it is not repaired. */
#define REPAIR_SHARE 50

/* Slack of less than this part of its run leaves a job little choice. */
#define TIGHT_RATIO 0.6

/* How often each job may look again, with many jobs and with few. */
#define N_PASSES       2
#define N_PASSES_SMALL 8

#define PAIR_JOBS_MAX 50 /* few enough to move them two at a time */

#define ROUNDS_MAX 8 /* of making room and taking it */

/* A refresh with no more than one late job in so many is not begun anew for them. */
#define BEAR_SHARE 1000

/* With more jobs, the first and the last places are not looked for: it takes long. */
#define FIRST_JOBS_MAX 2000
#define LAST_JOBS_MAX  500

/* Its shortest run is not over: nobody may have its room. Filler runs where its heat pays. */
static bool must_go_on(const struct hs_place_job *job)
{
    return job->must_run_now && job->freedom != HS_PLACE_FILLER;
}

/*
 * In which order jobs choose: what runs through or has to go on for now, what must start at once,
 * what is bound to the host that holds it (it has nowhere else to go), what may go anywhere, and
 * filler at last.
 */
static int rank_of(const struct hs_place_job *job)
{
    if (must_go_on(job) && job->freedom != HS_PLACE_FIXED) {
        return 1;
    }
    switch (job->freedom) {
    case HS_PLACE_FIXED:
        return 0;
    case HS_PLACE_AT_ONCE:
        return 2;
    case HS_PLACE_CONTIGUOUS:
    case HS_PLACE_INTERRUPTIBLE:
        return job->host_idx != SIZE_MAX ? 3 : 4;
    case HS_PLACE_FILLER:
        break;
    }
    return 5;
}

/* Where due times alone decide: what is where it is, all others, filler. */
static int class_of(const struct hs_place_job *job)
{
    int rank = rank_of(job);

    return rank < 2 ? rank : job->freedom == HS_PLACE_FILLER ? 3 : 2;
}

static int compare_due(const struct hs_place_job *a, const struct hs_place_job *b)
{
    double a_latest_s = (double)a->due_at_s - a->remaining_s;
    double b_latest_s = (double)b->due_at_s - b->remaining_s;

    if (fabs(a_latest_s - b_latest_s) > 0.5) {
        return a_latest_s < b_latest_s ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return a->job_id < b->job_id ? -1 : a->job_id > b->job_id;
}

/* Within a rank, what must start soonest. */
static int compare_urgency(const void *left, const void *right)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;

    return rank_of(a) != rank_of(b) ? rank_of(a) - rank_of(b) : compare_due(a, b);
}

/* Where everything starts as early as it can, due times alone decide who is first. */
static int compare_earliest(const void *left, const void *right)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;
    int a_class = class_of(a);
    int b_class = class_of(b);

    return a_class != b_class ? a_class - b_class : compare_due(a, b);
}

/* First due, first served. */
static int compare_first(const void *left, const void *right)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;
    int a_class = class_of(a);
    int b_class = class_of(b);

    if (a_class != b_class || a->due_at_s == b->due_at_s) {
        return a_class != b_class ? a_class - b_class : compare_due(a, b);
    }
    return a->due_at_s < b->due_at_s ? -1 : 1;
}

/* So many that not everything can be tried. */
static bool has_many(size_t n_jobs)
{
    return n_jobs > HS_PLACE_THOROUGH_JOBS_MAX;
}

/* Who has little choice: its host is the only one, or its run is most of the time that it has. */
static bool is_tight(const struct hs_place_job *job, int64_t now_at_s)
{
    double slack_s = (double)(job->due_at_s - now_at_s) - job->remaining_s;

    return (job->host_idx != SIZE_MAX && !job->is_movable)
           || slack_s < TIGHT_RATIO * job->remaining_s;
}

/*
 * After who has little choice: last due, first served, so that whoever is due soon finds what is
 * left before. In a pool that is as good as can be; first due, first served is not, where long runs
 * wait behind short ones. @param arg  now
 */
static int compare_last(const void *left, const void *right, void *arg)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;
    bool is_a_tight = is_tight(a, *(const int64_t *)arg);
    bool is_b_tight = is_tight(b, *(const int64_t *)arg);

    if (class_of(a) != class_of(b)) {
        return class_of(a) - class_of(b);
    }
    if (is_a_tight != is_b_tight) {
        return is_a_tight ? -1 : 1;
    }
    if (is_a_tight || a->due_at_s == b->due_at_s) {
        return compare_due(a, b);
    }
    return a->due_at_s > b->due_at_s ? -1 : 1;
}

/* Does the job look for its place anew in this slot's refresh? */
static bool has_turn(const struct hs_place *place, const struct hs_place_job *job)
{
    uint64_t slot = (uint64_t)(place->search.from_at_s / place->search.slot_s);

    return (job->job_id + slot) % REFRESH_TURNS == 0;
}

/* What runs and cannot stop goes on where it is, at the shares that it was promised. */
static void keep_fixed(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_placement placement;

    if (hs_place_is_elastic(job) && hs_search_keep(&place->search, job, &placement)
        && placement.first_slot == 0 && hs_plan_count_runs(&placement) == placement.last_slot + 1) {
        placement.is_late = false;
        placement.is_hopeless = false;
        hs_place_commit(place, job, &placement);
    } else {
        hs_place_fix(place, job);
    }
}

/* Give the job what it was promised; false if it was promised nothing that still holds. */
static bool keep_one(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_placement placement;
    struct hs_place_job kept = *job;

    if (job->freedom == HS_PLACE_FIXED) {
        keep_fixed(place, job); /* first: nothing else may take its room */
        return true;
    }
    if (job->freedom == HS_PLACE_FILLER) {
        return false; /* when all others have their place */
    }
    hs_place_hold_memory(place, job, false);
    if (job->last != NULL && hs_search_is_move(job, job->last)) {
        kept = hs_place_unbind(job);
    }
    bool is_late = !hs_search_keep(&place->search, &kept, &placement);

    kept.due_at_s = INT64_MAX; /* what was to be late stays so until there is room */
    if ((is_late
         && (job->last == NULL || !job->last->is_late
             || !hs_search_keep(&place->search, &kept, &placement)))
        || !hs_place_can_wait_there(place, job, &placement)) {
        hs_place_hold_memory(place, job, true);
        return false;
    }
    placement.is_late = is_late || job->is_hopeless;
    placement.is_hopeless = hs_place_is_hopeless(place, job);
    placement.is_forced = placement.first_slot == 0 && !hs_place_can_wait(place, job);
    hs_place_commit(place, job, &placement);
    return true;
}

/* What was promised to filler, while its heat still pays for it. */
static bool keep_filler(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_placement placement;
    struct hs_place_job kept = *job;

    if (job->freedom != HS_PLACE_FILLER || job->last == NULL) {
        return false;
    }
    hs_place_settle(place);
    hs_place_hold_memory(place, job, false);
    if (hs_search_is_move(job, job->last)) {
        kept = hs_place_unbind(job);
    }
    if (hs_search_keep(&place->search, &kept, &placement)
        && hs_place_can_wait_there(place, job, &placement)) {
        placement.cost_cur = hs_search_price(&place->search, job, &placement);
        if (placement.cost_cur < hs_place_get_ceiling(place, job, &placement)) {
            hs_place_commit(place, job, &placement);
            return true;
        }
    }
    hs_place_hold_memory(place, job, true);
    return false;
}

/* With more late jobs than this the plan as a whole is at fault. */
static size_t most_late(size_t n_jobs)
{
    return n_jobs / REPAIR_SHARE + 8;
}

/*
 * Jobs choose by prices that stand while they choose: those of the guide, or, where the earliest
 * place is looked for, those of the heat that is there anyhow.
 */
static void fix_prices(struct hs_place *place, enum hs_place_mode mode)
{
    if (mode == HS_PLACE_MODE_GUIDED) {
        hs_kinds_guide(place->kinds, place->slot_h, place->guide_heat, place->guide_room);
    } else {
        hs_place_settle(place);
    }
    place->search.is_guided = true;
}

/* Prices follow what is placed again. */
static void release_prices(struct hs_place *place)
{
    place->search.is_guided = false;
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        (void)hs_thermal_settle(place->thermals[l]);
        hs_kinds_set_prices(place->kinds, l, place->slot_h, place->thermals[l], 0);
    }
}

/*
 * Every job in its place, none of them looked at twice.
 *
 * @return false if so many were late that the rest was left out
 */
static bool lay_out(struct hs_place *place, const struct hs_place_job *const *order, size_t n_jobs,
                    enum hs_place_mode mode)
{
    HS_AUTO_MEM bool *is_kept = hs_xcalloc(n_jobs, sizeof(bool));
    bool keeps = mode == HS_PLACE_MODE_KEEP || mode == HS_PLACE_MODE_REFRESH;
    bool has_prices = mode == HS_PLACE_MODE_GUIDED || mode == HS_PLACE_MODE_EARLIEST;
    bool may_give_up =
        has_many(n_jobs) && (mode == HS_PLACE_MODE_GUIDED || mode == HS_PLACE_MODE_CHEAPEST);
    size_t n_late_max = may_give_up ? most_late(n_jobs) : SIZE_MAX;
    size_t n_laid = 0;

    place->is_reset_wanted = false;
    hs_place_reset(place);
    for (size_t i = 0; i < n_jobs; i++) {
        hs_place_hold_memory(place, order[i], true);
    }
    if (has_prices) {
        fix_prices(place, mode);
    }
    for (size_t i = 0; i < n_jobs; i++) {
        is_kept[i] = keeps && keep_one(place, order[i]);
        if (!is_kept[i] && rank_of(order[i]) <= 1) {
            hs_place_put(place, order[i], mode); /* before anybody else keeps what he has */
            is_kept[i] = true;
        }
    }
    for (; n_laid < n_jobs && place->n_avoidable <= n_late_max; n_laid++) {
        if (!is_kept[n_laid] && !(keeps && keep_filler(place, order[n_laid]))) {
            hs_place_put(place, order[n_laid], mode);
        }
    }
    if (has_prices) {
        release_prices(place);
    }
    return n_laid == n_jobs;
}

/* Make room for those who come late, if they are few. */
static void repair(struct hs_place *place, size_t n_jobs, enum hs_place_mode mode)
{
    bool is_for_time =
        mode == HS_PLACE_MODE_EARLIEST || mode == HS_PLACE_MODE_LAST || hs_place_is_first(mode);

    if (is_for_time || place->n_avoidable <= most_late(n_jobs)) {
        hs_place_repair(place);
    }
}

static void sort_for(const struct hs_place *place, const struct hs_place_job **order, size_t n_jobs,
                     enum hs_place_mode mode)
{
    int64_t now_at_s = place->search.now_at_s;

    if (mode == HS_PLACE_MODE_LAST) {
        qsort_r(order, n_jobs, sizeof(const struct hs_place_job *), compare_last, &now_at_s);
        return;
    }
    qsort(order, n_jobs, sizeof(const struct hs_place_job *),
          hs_place_is_first(mode)          ? compare_first
          : mode == HS_PLACE_MODE_EARLIEST ? compare_earliest
                                           : compare_urgency);
}

/*
 * The same, in the order that suits the mode, and room made for those who come late.
 *
 * @return how many are late and need not be; SIZE_MAX if it came to nothing
 */
static size_t lay_out_in_time(struct hs_place *place, const struct hs_place_job **order,
                              size_t n_jobs, enum hs_place_mode mode)
{
    sort_for(place, order, n_jobs, mode);
    if (!lay_out(place, order, n_jobs, mode)) {
        return SIZE_MAX;
    }
    repair(place, n_jobs, mode);
    return place->n_avoidable;
}

/*
 * Moves make room, and room makes moves. Where there are few jobs, nothing is left to find in the
 * end: the same plan comes out when it is asked for again.
 */
static void settle(struct hs_place *place, size_t n_jobs, enum hs_place_mode mode)
{
    bool is_small = !has_many(n_jobs);
    bool is_partial = mode == HS_PLACE_MODE_REFRESH && !is_small;
    bool goes_on = true;

    for (size_t i = 0; i < ROUNDS_MAX && goes_on; i++) {
        size_t n_late = place->n_avoidable;
        size_t n_moved = 0;

        if (mode != HS_PLACE_MODE_KEEP && (i == 0 || is_small)) {
            n_moved = hs_place_improve(place, is_small ? N_PASSES_SMALL : N_PASSES,
                                       is_partial ? has_turn : NULL);
            if (n_jobs <= PAIR_JOBS_MAX && n_moved == 0 && !place->minds_ramps) {
                n_moved =
                    hs_place_improve_pairs(place, mode == HS_PLACE_MODE_REFRESH ? has_turn : NULL);
            }
        }
        n_moved = is_small ? n_moved : 0;
        n_moved += hs_place_advance(place);
        repair(place, n_jobs, mode);
        goes_on = n_moved > 0 || place->n_avoidable < n_late;
    }
}

/* Has anybody been promised anything? */
static bool has_promises(const struct hs_place_job *const *order, size_t n_jobs)
{
    bool has = false;

    for (size_t i = 0; i < n_jobs && !has; i++) {
        has = order[i]->last != NULL;
    }
    return has;
}

static bool has_movable(const struct hs_place_job *const *order, size_t n_jobs)
{
    bool has = false;

    for (size_t i = 0; i < n_jobs && !has; i++) {
        has = order[i]->is_movable;
    }
    return has;
}

/* @param first  what the plan was begun with: a refresh has kept every promise already */
static bool can_try(const struct hs_place *place, const struct hs_place_job *const *order,
                    size_t n_jobs, enum hs_place_mode mode, enum hs_place_mode first)
{
    switch (mode) {
    case HS_PLACE_MODE_GUIDED:
        return place->guide_heat != NULL;
    case HS_PLACE_MODE_KEEP:
        return has_promises(order, n_jobs) && !(first == HS_PLACE_MODE_REFRESH && has_many(n_jobs));
    case HS_PLACE_MODE_FIRST:
        return n_jobs <= FIRST_JOBS_MAX;
    case HS_PLACE_MODE_LAST:
        return n_jobs <= LAST_JOBS_MAX;
    case HS_PLACE_MODE_STILL:
        return n_jobs <= FIRST_JOBS_MAX && has_movable(order, n_jobs);
    default:
        return true;
    }
}

/* Any mode will do until nobody is late who need not be; the first that comes nearest stands. */
static void try_modes(struct hs_place *place, const struct hs_place_job **order, size_t n_jobs,
                      enum hs_place_mode first)
{
    enum hs_place_mode best = first;
    enum hs_place_mode last = first;
    size_t n_best = SIZE_MAX;
    size_t n_borne = 0;

    for (enum hs_place_mode mode = first; mode < HS_PLACE_MODE_COUNT_ && n_best > n_borne; mode++) {
        if (!can_try(place, order, n_jobs, mode, first)) {
            continue;
        }
        size_t n_late = lay_out_in_time(place, order, n_jobs, mode);

        last = mode;
        if (n_late < n_best) {
            n_best = n_late;
            best = mode;
        }
        n_borne = mode == HS_PLACE_MODE_REFRESH ? n_jobs / BEAR_SHARE : n_borne;
    }
    if (best != last) {
        (void)lay_out_in_time(place, order, n_jobs, best);
    }
    place->is_refresh = best == HS_PLACE_MODE_REFRESH;
    place->minds_ramps = place->is_refresh && place->ramp_cur_per_kw > 0;
    settle(place, n_jobs, best);
    for (size_t i = 0; i < ROUNDS_MAX && place->ramp_cur_per_kw > 0; i++) {
        place->minds_ramps = true;
        if (hs_place_soften_ramps(place) == 0 || has_many(n_jobs)) {
            return;
        }
        settle(place, n_jobs, best); /* room and heat are where they were not before */
    }
}

/* The heat that a job of the plan gives a loop in a slot, in the mean. */
static double find_probe_wh(const struct hs_place *place, const struct hs_place_job *const *jobs,
                            size_t n_jobs)
{
    double heat_w = 0.0; /* a vCPU's */
    double vcpus = 0.0;

    for (size_t k = 0; k < place->kinds->n; k++) {
        heat_w += place->kinds->items[k].elec_w_per_vcpu * place->kinds->items[k].capture_ratio;
    }
    for (size_t i = 0; i < n_jobs; i++) {
        vcpus += (double)jobs[i]->size.vcpus;
    }
    return n_jobs == 0 || place->kinds->n == 0
               ? 0.0
               : hs_wh_from_w(heat_w / (double)place->kinds->n * vcpus / (double)n_jobs,
                              (double)place->search.slot_s);
}

void hs_place_plan_from(struct hs_place *place, const struct hs_place_job **order, size_t n_jobs,
                        enum hs_place_mode first)
{
    place->search.is_thorough = !has_many(n_jobs);
    place->probe_wh = find_probe_wh(place, order, n_jobs);
    try_modes(place, order, n_jobs, first);
}

static void plan_all(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs,
                     enum hs_place_mode first)
{
    HS_AUTO_MEM const struct hs_place_job **order =
        hs_xcalloc(n_jobs, sizeof(const struct hs_place_job *));

    for (size_t i = 0; i < n_jobs; i++) {
        order[i] = &jobs[i];
    }
    place->probe_wh = find_probe_wh(place, order, n_jobs);
    if (!hs_place_plan_parts(place, jobs, n_jobs, first)) {
        hs_place_plan_from(place, order, n_jobs, first);
    }
}

void hs_place_plan(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs)
{
    plan_all(place, jobs, n_jobs, HS_PLACE_MODE_GUIDED);
}

void hs_place_refresh(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs)
{
    plan_all(place, jobs, n_jobs, HS_PLACE_MODE_REFRESH);
}
