/* SPDX-License-Identifier: Apache-2.0 */
/* place - in which order jobs are placed and which of two plans stands; see place.h. */
#include "scheduler/core/place.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/search.h"

/*
 * With few jobs every price is exact. With more, a loop is solved again only when heat worth
 * SPARE_RATIO of its store has been laid into it, and its curves may stray by SLACK_RATIO of a full
 * tank's worth: on the shared scenarios the plans cost the same within 0.1 %, in a twentieth of
 * the time.
 */
#define EXACT_JOBS_MAX 32
#define SPARE_RATIO    2e-2
#define SLACK_RATIO    1e-4

/* In a refresh every job looks for its place anew once in so many slots; the others keep theirs. */
#define REFRESH_TURNS 8

enum mode {
    MODE_REFRESH,  /* the last plan, and anew what is new or has its turn */
    MODE_CHEAPEST, /* every job anew */
    MODE_KEEP,     /* what the last plan promised, then the others */
    MODE_EARLIEST, /* as soon as possible */
    MODE_COUNT_,
};

struct reserved {
    size_t host_idx;
    struct hs_fit_size size;
    size_t first_slot;
    size_t last_slot;
};

struct hs_place {
    const struct hs_estate *estate;
    size_t n_slots;
    struct hs_kinds *kinds;
    struct hs_fit *fit;
    struct hs_thermal **thermals; /* [n_loops] */
    bool *barred;                 /* [n_hosts] */
    struct hs_search search;

    /* the frame, copied so that a second plan can start from it */
    struct hs_thermal_input *inputs; /* [n_loops] pointing into the arrays below */
    double *captured_wh;             /* [n_loops][n_slots] */
    double *reject_cur_per_wh;       /* [n_loops][n_slots] */
    double *sink_demand_wh;          /* [n_sinks][n_slots] */
    double *sink_cur_per_mwh;        /* [n_sinks] */
    double *elec_cur_per_mwh;        /* [n_sites][n_slots] */
    HS_VEC(struct reserved) reserved;

    HS_VEC(struct hs_placement) placements;
    size_t n_late;
    size_t n_avoidable;   /* late, and another plan might not be */
    struct hs_plan *plan; /* rebuilt when asked for */
    bool is_plan_stale;
    bool is_exact;        /* few jobs */
    bool is_reset_wanted; /* the frame has changed since the last reset */
    bool is_room_stale;   /* much was taken: look at every host's room at once */
    bool is_reset;        /* no price has been read since the last reset */
};

/* --- life --- */

struct hs_place *hs_place_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_place *place = hs_xcalloc(1, sizeof(*place));

    assert(n_slots > 0 && n_slots <= HS_PLAN_SLOTS_MAX);
    place->estate = estate;
    place->n_slots = n_slots;
    place->is_exact = true;
    place->kinds = hs_kinds_new(estate, n_slots);
    place->fit = hs_fit_new(estate, n_slots);
    place->barred = hs_xcalloc(estate->n_hosts, sizeof(*place->barred));
    place->thermals = hs_xcalloc(estate->n_loops, sizeof(struct hs_thermal *));
    for (size_t l = 0; l < estate->n_loops; l++) {
        place->thermals[l] = hs_thermal_new(&estate->loops[l], estate->loops[l].n_sinks, n_slots);
    }
    place->inputs = hs_xcalloc(estate->n_loops, sizeof(*place->inputs));
    place->captured_wh = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    place->reject_cur_per_wh = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    place->sink_demand_wh = hs_xcalloc(estate->n_sinks * n_slots, sizeof(double));
    place->sink_cur_per_mwh = hs_xcalloc(estate->n_sinks, sizeof(double));
    place->elec_cur_per_mwh = hs_xcalloc(estate->n_sites * n_slots, sizeof(double));
    return place;
}

void hs_place_free(struct hs_place *place)
{
    if (place == NULL) {
        return;
    }
    hs_plan_free(place->plan);
    HS_VEC_FINI(&place->placements);
    HS_VEC_FINI(&place->reserved);
    free(place->elec_cur_per_mwh);
    free(place->sink_cur_per_mwh);
    free(place->sink_demand_wh);
    free(place->reject_cur_per_wh);
    free(place->captured_wh);
    free(place->inputs);
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        hs_thermal_free(place->thermals[l]);
    }
    free(place->thermals);
    free(place->barred);
    hs_fit_free(place->fit);
    hs_kinds_free(place->kinds);
    free(place);
}

/* --- the frame --- */

static void copy_input(struct hs_place *place, size_t loop_idx, const struct hs_thermal_input *from)
{
    const struct hs_heatloop *loop = &place->estate->loops[loop_idx];
    size_t n = place->n_slots;
    struct hs_thermal_input *to = &place->inputs[loop_idx];
    double *captured_wh = &place->captured_wh[loop_idx * n];
    double *reject = &place->reject_cur_per_wh[loop_idx * n];
    double *demand_wh = &place->sink_demand_wh[loop->first_sink_idx * n];
    double *worth = &place->sink_cur_per_mwh[loop->first_sink_idx];

    memcpy(captured_wh, from->captured_wh, n * sizeof(double));
    memcpy(reject, from->reject_cur_per_wh, n * sizeof(double));
    memcpy(demand_wh, from->sink_demand_wh, loop->n_sinks * n * sizeof(double));
    memcpy(worth, from->sink_cur_per_mwh, loop->n_sinks * sizeof(double));
    *to = *from;
    to->captured_wh = captured_wh;
    to->reject_cur_per_wh = reject;
    to->sink_demand_wh = demand_wh;
    to->sink_cur_per_mwh = worth;
    to->is_lazy = true;
}

/* Back to the horizon as it was before any job; heat is not priced before settle(). */
static void reset(struct hs_place *place)
{
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        place->inputs[l].slack_ratio = place->is_exact ? 0.0 : SLACK_RATIO;
        hs_thermal_set(place->thermals[l], &place->inputs[l]);
    }
    hs_fit_clear(place->fit);
    for (size_t i = 0; i < place->reserved.n; i++) {
        const struct reserved *reserved = &place->reserved.items[i];
        struct hs_placement span = {.host_idx = reserved->host_idx,
                                    .first_slot = reserved->first_slot,
                                    .held_slot = reserved->first_slot,
                                    .last_slot = reserved->last_slot};

        memset(span.slots, 0xff, sizeof(span.slots));
        hs_fit_take(place->fit, &span, &reserved->size);
    }
    place->is_room_stale = true;
    place->placements.n = 0;
    place->n_late = 0;
    place->n_avoidable = 0;
    place->is_plan_stale = true;
    place->is_reset = true;
}

/* Prices for the next job: loops that took much heat since the last time are solved again. */
static void settle(struct hs_place *place)
{
    double slot_h[HS_PLAN_SLOTS_MAX];

    for (size_t t = 0; t < place->n_slots; t++) {
        slot_h[t] = hs_search_slot_s(&place->search, t) / HS_S_PER_H;
    }
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        hs_thermal_settle(place->thermals[l], place->is_exact ? 0.0 : SPARE_RATIO);
    }
    if (place->is_room_stale) {
        hs_kinds_set_room(place->kinds, place->fit, place->barred);
        place->is_room_stale = false;
    }
    hs_kinds_set_prices(place->kinds, slot_h, place->elec_cur_per_mwh, place->thermals,
                        place->is_reset);
    place->is_reset = false;
}

/* What was taken in since the last reset may have been nothing but a frame. */
static void reset_if_wanted(struct hs_place *place)
{
    if (place->is_reset_wanted) {
        place->is_reset_wanted = false;
        reset(place);
    }
}

void hs_place_set(struct hs_place *place, const struct hs_place_frame *frame)
{
    const struct hs_estate *estate = place->estate;

    assert(frame->now_at_s >= frame->from_at_s
           && frame->now_at_s < frame->from_at_s + estate->slot_s);
    for (size_t l = 0; l < estate->n_loops; l++) {
        copy_input(place, l, &frame->thermal[l]);
    }
    memcpy(place->elec_cur_per_mwh, frame->elec_cur_per_mwh,
           estate->n_sites * place->n_slots * sizeof(double));
    memset(place->barred, 0, estate->n_hosts * sizeof(*place->barred));
    place->reserved.n = 0;
    place->search = (struct hs_search){
        .estate = estate,
        .kinds = place->kinds,
        .fit = place->fit,
        .thermals = place->thermals,
        .elec_cur_per_mwh = place->elec_cur_per_mwh,
        .barred = place->barred,
        .n_slots = place->n_slots,
        .from_at_s = frame->from_at_s,
        .now_at_s = frame->now_at_s,
        .slot_s = estate->slot_s,
        .waiting_weight = frame->waiting_weight,
        .suspend_s = frame->suspend_s,
    };
    place->is_reset_wanted = true;
}

void hs_place_reserve(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size)
{
    hs_place_reserve_slots(place, host_idx, size, 0, place->n_slots - 1);
}

void hs_place_reserve_slots(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size,
                            size_t first, size_t last)
{
    (void)HS_VEC_PUSH(&place->reserved, ((struct reserved){host_idx, *size, first, last}));
    place->is_reset_wanted = true;
}

void hs_place_bar(struct hs_place *place, size_t host_idx)
{
    place->barred[host_idx] = true;
    place->is_reset_wanted = true;
}

/* --- one job --- */

static void count_late(struct hs_place *place, const struct hs_placement *placement)
{
    place->n_late += placement->is_late;
    place->n_avoidable += placement->is_late && !placement->is_hopeless;
}

/* Take @offer's room and put its heat into its loop. */
static void commit(struct hs_place *place, const struct hs_place_job *job,
                   const struct hs_placement *placement)
{
    double heat_wh[HS_PLAN_SLOTS_MAX];
    size_t first = placement->first_slot;
    size_t loop_idx = place->estate->hosts[placement->host_idx].loop_idx;

    (void)hs_search_heat(&place->search, job, placement, heat_wh);
    hs_fit_take(place->fit, placement, &job->size);
    if (!place->is_room_stale) {
        hs_kinds_take_room(place->kinds, place->fit, place->barred, placement, job->size.vcpus);
    }
    hs_thermal_lay(place->thermals[loop_idx], first, &heat_wh[first],
                   placement->last_slot - first + 1);
    (void)HS_VEC_PUSH(&place->placements, *placement);
    count_late(place, placement);
    place->is_plan_stale = true;
}

/* The slot that holds instant @at_s; may lie past the horizon. */
static size_t slot_of(const struct hs_place *place, double at_s)
{
    double slots = (at_s - (double)place->search.from_at_s) / (double)place->search.slot_s;

    return slots <= 0 ? 0 : (size_t)floor(slots + 1e-9);
}

/* First slot that a job may start in: the one now, or the first whole one after its earliest. */
static size_t first_start(const struct hs_place *place, const struct hs_place_job *job)
{
    if (job->earliest_at_s <= place->search.now_at_s) {
        return 0;
    }
    double slots =
        (double)(job->earliest_at_s - place->search.from_at_s) / (double)place->search.slot_s;

    return (size_t)ceil(slots - 1e-9);
}

/*
 * Latest slot to start in so that a run-through ends by @end_at_s; SIZE_MAX if it is too late
 * for any.
 */
static size_t last_start(const struct hs_place *place, const struct hs_place_job *job,
                         double end_at_s)
{
    double latest_at_s = end_at_s - job->remaining_s;

    if (latest_at_s < (double)place->search.now_at_s) {
        return SIZE_MAX;
    }
    return slot_of(place, latest_at_s);
}

/* Too long for the time that is left: no plan is to blame. */
static bool is_hopeless(const struct hs_place *place, const struct hs_place_job *job)
{
    return job->is_hopeless
           || hs_search_start_at_s(&place->search, first_start(place, job)) + job->remaining_s
                  > (double)job->due_at_s;
}

/* Occupy its host from now to its end, fit or not: it runs already. */
static void place_fixed(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_placement placement = {.job_id = job->job_id, .host_idx = job->host_idx};
    double left_s = job->remaining_s;
    size_t t = 0;

    for (; t < place->n_slots && left_s > 1e-9; t++) {
        placement.slots[t / 64] |= UINT64_C(1) << (t % 64);
        left_s -= hs_search_slot_s(&place->search, t);
    }
    placement.last_slot = t - 1;
    placement.is_hopeless = is_hopeless(place, job);
    placement.is_late = placement.is_hopeless;
    commit(place, job, &placement);
}

/* Interruptible work that can no longer wait: run through if any host allows, else any slots. */
static void search_late(struct hs_place *place, const struct hs_place_job *job, size_t first,
                        struct hs_search_offer *ret_offer)
{
    hs_search_earliest(&place->search, job, first, ret_offer);
    if (ret_offer->placement.host_idx == SIZE_MAX && job->freedom == HS_PLACE_INTERRUPTIBLE) {
        hs_search_interruptible(&place->search, job, first, place->n_slots - 1, ret_offer);
    }
}

static void search_in_time(struct hs_place *place, const struct hs_place_job *job, size_t first,
                           double end_at_s, struct hs_search_offer *ret_offer)
{
    size_t last = last_start(place, job, end_at_s);

    if (job->freedom == HS_PLACE_CONTIGUOUS) {
        hs_search_contiguous(&place->search, job, first, last, ret_offer);
        return;
    }
    /* Interruptible: any slots that end by then. */
    size_t end_slot = slot_of(place, end_at_s);

    if (last == SIZE_MAX || end_slot == 0) {
        hs_search_contiguous(&place->search, job, first, last, ret_offer);
        return;
    }
    struct hs_search_offer through;

    hs_search_interruptible(&place->search, job, first, end_slot - 1, ret_offer);
    /* Slots are priced one by one, a run as a whole: where the tank binds, the run may be better.
     */
    hs_search_contiguous(&place->search, job, first, last, &through);
    if (through.cost_cur < ret_offer->cost_cur) {
        *ret_offer = through;
    }
}

static bool ends_late(const struct hs_place *place, const struct hs_place_job *job,
                      const struct hs_placement *placement)
{
    double left_s = job->remaining_s;
    double end_at_s = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot && left_s > 1e-9; t++) {
        if (hs_plan_runs(placement, t)) {
            double run_s = fmin(left_s, hs_search_slot_s(&place->search, t));

            end_at_s = hs_search_start_at_s(&place->search, t) + run_s;
            left_s -= run_s;
        }
    }
    return end_at_s + left_s > (double)job->due_at_s + 0.5;
}

/* What keeps a machine's boot and the end of a slot from making a job late, s. */
static double margin_s(const struct hs_place *place)
{
    return (double)place->search.slot_s;
}

/* Could it start in the next slot and still be in time? */
static bool can_wait(const struct hs_place *place, const struct hs_place_job *job)
{
    size_t last = last_start(place, job, (double)job->due_at_s - margin_s(place));

    return last != SIZE_MAX && last > 0;
}

static void find_offer(struct hs_place *place, const struct hs_place_job *job, enum mode mode,
                       struct hs_search_offer *ret_offer)
{
    size_t first = first_start(place, job);
    double due_at_s = (double)job->due_at_s;
    bool waits = job->freedom != HS_PLACE_AT_ONCE && mode != MODE_EARLIEST;

    ret_offer->placement.host_idx = SIZE_MAX;
    if (waits && job->margin_s > margin_s(place)) {
        search_in_time(place, job, first, due_at_s - job->margin_s, ret_offer);
    }
    if (waits && ret_offer->placement.host_idx == SIZE_MAX) {
        search_in_time(place, job, first, due_at_s - margin_s(place), ret_offer);
    }
    if (waits && ret_offer->placement.host_idx == SIZE_MAX) {
        search_in_time(place, job, first, due_at_s, ret_offer);
    }
    if (ret_offer->placement.host_idx == SIZE_MAX) {
        search_late(place, job, first, ret_offer);
        ret_offer->placement.is_forced = ret_offer->placement.host_idx != SIZE_MAX;
    }
}

/* Could it start when the horizon is over and still be in time? Then it need not fit into it. */
static bool can_follow(const struct hs_place *place, const struct hs_place_job *job)
{
    double end_at_s = hs_search_start_at_s(&place->search, place->n_slots);

    return end_at_s + job->remaining_s + margin_s(place) <= (double)job->due_at_s;
}

/* Where @job goes, host_idx SIZE_MAX for nowhere. Takes nothing. */
static void find_placement(struct hs_place *place, const struct hs_place_job *job, enum mode mode,
                           struct hs_placement *ret_placement)
{
    struct hs_search_offer offer;

    settle(place);
    if (job->freedom == HS_PLACE_FILLER) {
        size_t end_slot = slot_of(place, (double)job->due_at_s);

        hs_search_interruptible(&place->search, job, first_start(place, job),
                                end_slot > 0 ? end_slot - 1 : 0, &offer);
        if (!(offer.cost_cur < 0)) {
            offer.placement.host_idx = SIZE_MAX;
        }
    } else {
        find_offer(place, job, mode, &offer);
    }
    if (offer.placement.host_idx == SIZE_MAX) {
        *ret_placement = (struct hs_placement){
            .job_id = job->job_id,
            .host_idx = SIZE_MAX,
            .first_slot = SIZE_MAX,
            .last_slot = SIZE_MAX,
            .is_late = job->freedom != HS_PLACE_FILLER && !can_follow(place, job),
        };
        return;
    }
    offer.placement.is_late = job->is_hopeless || ends_late(place, job, &offer.placement);
    if (offer.placement.first_slot == 0 && !can_wait(place, job)) {
        offer.placement.is_forced = true;
    }
    *ret_placement = offer.placement;
}

/* A machine that is there holds its memory until its job has a placement that says how long. */
static void hold_memory(struct hs_place *place, const struct hs_place_job *job, bool is_held)
{
    struct hs_placement whole = {.host_idx = job->host_idx, .last_slot = place->n_slots - 1};

    if (job->host_idx == SIZE_MAX || job->freedom == HS_PLACE_FIXED) {
        return;
    }
    if (is_held) {
        hs_fit_take(place->fit, &whole, &job->size);
    } else {
        hs_fit_give(place->fit, &whole, &job->size);
    }
}

static void place_one(struct hs_place *place, const struct hs_place_job *job, enum mode mode)
{
    struct hs_placement placement;

    if (job->freedom == HS_PLACE_FIXED) {
        place_fixed(place, job);
        return;
    }
    hold_memory(place, job, false);
    find_placement(place, job, mode, &placement);
    placement.is_hopeless = is_hopeless(place, job);
    if (placement.host_idx != SIZE_MAX) {
        commit(place, job, &placement);
        return;
    }
    hold_memory(place, job, true);
    (void)HS_VEC_PUSH(&place->placements, placement);
    count_late(place, &placement);
    place->is_plan_stale = true;
}

/* --- all jobs --- */

/*
 * In which order jobs choose: what runs through, what must start at once, what is bound to the
 * host that holds it (it has nowhere else to go), what may go anywhere, and filler at last.
 */
static int rank_of(const struct hs_place_job *job)
{
    switch (job->freedom) {
    case HS_PLACE_FIXED:
        return 0;
    case HS_PLACE_AT_ONCE:
        return 1;
    case HS_PLACE_CONTIGUOUS:
    case HS_PLACE_INTERRUPTIBLE:
        return job->host_idx != SIZE_MAX ? 2 : 3;
    case HS_PLACE_FILLER:
        break;
    }
    return 4;
}

/* Within a rank, what must start soonest. */
static int compare_urgency(const void *left, const void *right)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;
    double a_latest_s = (double)a->due_at_s - a->remaining_s;
    double b_latest_s = (double)b->due_at_s - b->remaining_s;

    if (rank_of(a) != rank_of(b)) {
        return rank_of(a) - rank_of(b);
    }
    if (fabs(a_latest_s - b_latest_s) > 0.5) {
        return a_latest_s < b_latest_s ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return a->job_id < b->job_id ? -1 : a->job_id > b->job_id;
}

/* Does the job look for its place anew in this slot's refresh? */
static bool has_turn(const struct hs_place *place, const struct hs_place_job *job)
{
    uint64_t slot = (uint64_t)(place->search.from_at_s / place->search.slot_s);

    return (job->job_id + slot) % REFRESH_TURNS == 0;
}

/* Give the job what it was promised; false if it was promised nothing that still holds. */
static bool keep_one(struct hs_place *place, const struct hs_place_job *job, enum mode mode)
{
    struct hs_placement placement;

    if (job->freedom == HS_PLACE_FIXED) {
        place_fixed(place, job); /* first: nothing else may take its room */
        return true;
    }
    if ((job->freedom != HS_PLACE_CONTIGUOUS && job->freedom != HS_PLACE_INTERRUPTIBLE)
        || (mode == MODE_REFRESH && has_turn(place, job))) {
        return false;
    }
    hold_memory(place, job, false);
    if (!hs_search_keep(&place->search, job, &placement)) {
        hold_memory(place, job, true);
        return false;
    }
    placement.is_late = false;
    placement.is_hopeless = false;
    placement.is_forced = placement.first_slot == 0 && !can_wait(place, job);
    commit(place, job, &placement);
    return true;
}

static void place_all(struct hs_place *place, const struct hs_place_job *const *order,
                      size_t n_jobs, enum mode mode)
{
    HS_AUTO_MEM bool *is_kept = hs_xcalloc(n_jobs, sizeof(bool));
    bool keeps = mode == MODE_KEEP || mode == MODE_REFRESH;

    place->is_reset_wanted = false;
    reset(place);
    for (size_t i = 0; i < n_jobs; i++) {
        hold_memory(place, order[i], true);
    }
    for (size_t i = 0; i < n_jobs; i++) {
        is_kept[i] = keeps && keep_one(place, order[i], mode);
    }
    for (size_t i = 0; i < n_jobs; i++) {
        if (!is_kept[i]) {
            place_one(place, order[i], mode);
        }
    }
}

/* Any mode will do until nobody is late who need not be; the first that comes nearest stands. */
static void try_modes(struct hs_place *place, const struct hs_place_job *const *order,
                      size_t n_jobs, enum mode first)
{
    enum mode best = first;
    enum mode mode = first;
    size_t n_best = SIZE_MAX;

    for (; mode < MODE_COUNT_ && n_best > 0; mode++) {
        place_all(place, order, n_jobs, mode);
        if (place->n_avoidable < n_best) {
            n_best = place->n_avoidable;
            best = mode;
        }
    }
    if (best + 1 != mode) {
        place_all(place, order, n_jobs, best);
    }
}

static void plan_from(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs,
                      enum mode first)
{
    HS_AUTO_MEM const struct hs_place_job **order =
        hs_xcalloc(n_jobs, sizeof(const struct hs_place_job *));

    for (size_t i = 0; i < n_jobs; i++) {
        order[i] = &jobs[i];
    }
    qsort(order, n_jobs, sizeof(const struct hs_place_job *), compare_urgency);
    place->is_exact = n_jobs <= EXACT_JOBS_MAX;
    try_modes(place, order, n_jobs, first);
}

void hs_place_plan(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs)
{
    plan_from(place, jobs, n_jobs, MODE_CHEAPEST);
}

void hs_place_refresh(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs)
{
    plan_from(place, jobs, n_jobs, n_jobs > EXACT_JOBS_MAX ? MODE_REFRESH : MODE_CHEAPEST);
}

const struct hs_placement *hs_place_insert(struct hs_place *place, const struct hs_place_job *job)
{
    reset_if_wanted(place);
    place_one(place, job, MODE_CHEAPEST);
    return &place->placements.items[place->placements.n - 1];
}

void hs_place_try(struct hs_place *place, const struct hs_place_job *job,
                  struct hs_placement *ret_placement)
{
    assert(job->freedom != HS_PLACE_FIXED);
    reset_if_wanted(place);
    find_placement(place, job, MODE_CHEAPEST, ret_placement);
}

double hs_place_price_now(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_search_offer offer;

    reset_if_wanted(place);
    settle(place);
    hs_search_contiguous(&place->search, job, 0, 0, &offer);
    return offer.placement.host_idx == SIZE_MAX ? NAN : offer.cost_cur;
}

/* --- the plan --- */

static void fill_loop(struct hs_place *place, size_t loop_idx)
{
    const struct hs_heatloop *loop = &place->estate->loops[loop_idx];
    const struct hs_thermal *thermal = place->thermals[loop_idx];
    size_t n = place->n_slots;

    for (size_t t = 0; t < n; t++) {
        double slot_s = hs_search_slot_s(&place->search, t);
        double demand_wh = 0.0;

        for (size_t k = 0; k < loop->n_sinks; k++) {
            demand_wh += place->sink_demand_wh[(loop->first_sink_idx + k) * n + t];
        }
        place->plan->heat_cur_per_mwh[loop_idx * n + t] = hs_thermal_get_price(thermal, t);
        place->plan->elec_cur_per_mwh[loop_idx * n + t] =
            place->elec_cur_per_mwh[loop->site_idx * n + t];
        place->plan->demand_heat_w[loop_idx * n + t] = hs_w_from_wh(demand_wh, slot_s);
        place->plan->tank_wh[loop_idx * n + t] = hs_thermal_get_tank_wh(thermal, t);
    }
}

static void fill_it_power(struct hs_place *place)
{
    const struct hs_estate *estate = place->estate;
    size_t n = place->n_slots;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        for (size_t t = 0; t < n; t++) {
            int32_t busy_vcpus = (int32_t)host->vcpus - hs_fit_get_vcpus(place->fit, h, t);

            double elec_w = hs_host_elec_w(host, busy_vcpus);

            place->plan->it_w[host->loop_idx * n + t] += elec_w;
            place->plan->cost_cur +=
                hs_cur_from_wh(hs_wh_from_w(elec_w, hs_search_slot_s(&place->search, t)),
                               place->elec_cur_per_mwh[host->site_idx * n + t]);
        }
    }
}

const struct hs_placement *hs_place_get_placements(const struct hs_place *place, size_t *ret_n)
{
    *ret_n = place->placements.n;
    return place->placements.items;
}

const struct hs_plan *hs_place_get_plan(struct hs_place *place)
{
    if (!place->is_plan_stale) {
        return place->plan;
    }
    reset_if_wanted(place);
    hs_plan_free(place->plan);
    place->plan = hs_plan_new(place->search.from_at_s, place->search.slot_s, place->n_slots,
                              place->estate->n_loops);
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        hs_thermal_settle(place->thermals[l], 0);
        fill_loop(place, l);
        place->plan->cost_cur += hs_thermal_get_cost(place->thermals[l]);
    }
    fill_it_power(place);
    place->plan->placements = hs_xcalloc(place->placements.n, sizeof(struct hs_placement));
    if (place->placements.n > 0) {
        memcpy(place->plan->placements, place->placements.items,
               place->placements.n * sizeof(struct hs_placement));
    }
    place->plan->n_placements = place->placements.n;
    place->plan->n_late = place->n_late;
    place->is_plan_stale = false;
    return place->plan;
}
