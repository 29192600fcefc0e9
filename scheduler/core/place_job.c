/* SPDX-License-Identifier: Apache-2.0 */
/* place_job - where one job goes; see place_priv.h. */
#include "scheduler/core/place_priv.h"

#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"

/* Shares that save less of the job's cost than this are not worth the change. */
#define LEAST_SHARED_RATIO 1e-3

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

bool hs_place_get_starts(const struct hs_place *place, const struct hs_place_job *job,
                         double end_at_s, size_t *ret_first, size_t *ret_last)
{
    *ret_first = first_start(place, job);
    *ret_last = last_start(place, job, end_at_s);
    if (*ret_last == SIZE_MAX || *ret_last < *ret_first || *ret_first >= place->n_slots) {
        return false;
    }
    *ret_last = *ret_last < place->n_slots ? *ret_last : place->n_slots - 1;
    return true;
}

size_t hs_place_count_slots(const struct hs_place *place, const struct hs_place_job *job,
                            size_t start)
{
    return hs_search_count_slots(&place->search, start, job->remaining_s);
}

bool hs_place_is_hopeless(const struct hs_place *place, const struct hs_place_job *job)
{
    return job->is_hopeless
           || hs_search_start_at_s(&place->search, first_start(place, job)) + job->remaining_s
                  > (double)job->due_at_s;
}

void hs_place_fill_run(const struct hs_place *place, const struct hs_place_job *job,
                       size_t host_idx, size_t start, struct hs_placement *ret_placement)
{
    double left_s = job->remaining_s;
    size_t t = start;

    *ret_placement = (struct hs_placement){
        .job_id = job->job_id,
        .host_idx = host_idx,
        .held_slot = hs_search_held_from(job, start),
        .first_slot = start,
    };
    for (; t < place->n_slots && left_s > 1e-9; t++) {
        hs_search_set_slot(ret_placement, t);
        left_s -= hs_search_slot_s(&place->search, t);
    }
    ret_placement->last_slot = t - 1;
}

void hs_place_fill_fixed(const struct hs_place *place, const struct hs_place_job *job,
                         struct hs_placement *ret_placement)
{
    hs_place_fill_run(place, job, job->host_idx, 0, ret_placement);
    ret_placement->is_hopeless = hs_place_is_hopeless(place, job);
    ret_placement->is_late = ret_placement->is_hopeless;
}

void hs_place_fix(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_placement placement;

    hs_place_fill_fixed(place, job, &placement);
    hs_place_commit(place, job, &placement);
}

/* Does the offer stop what has to go on for now, or is it none? */
static bool is_no_run_now(const struct hs_place_job *job, const struct hs_search_offer *offer)
{
    return offer->placement.host_idx == SIZE_MAX
           || (job->must_run_now && offer->placement.first_slot > 0);
}

/* Interruptible work that can no longer wait: run through if any host allows, else any slots. */
static void search_late(struct hs_place *place, const struct hs_place_job *job, size_t first,
                        struct hs_search_offer *ret_offer)
{
    struct hs_search_offer parts;

    hs_search_earliest(&place->search, job, first, ret_offer);
    if (job->freedom == HS_PLACE_INTERRUPTIBLE && is_no_run_now(job, ret_offer)) {
        hs_search_interruptible(&place->search, job, first, place->n_slots - 1, &parts);
        if (ret_offer->placement.host_idx == SIZE_MAX || !is_no_run_now(job, &parts)) {
            *ret_offer = parts;
        }
    }
}

static void search_at_full(struct hs_place *place, const struct hs_place_job *job, size_t first,
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
    if (!place->search.is_thorough && ret_offer->placement.host_idx != SIZE_MAX) {
        return;
    }
    /* Slots are priced one by one, a run as a whole: where the tank binds, the run may be better.
     * Not if it would start later than its minimum run allows. */
    bool must_go_on = job->must_run_now && first == 0;
    bool is_stopped = ret_offer->placement.host_idx != SIZE_MAX && is_no_run_now(job, ret_offer);

    hs_search_contiguous(&place->search, job, first, must_go_on && !is_stopped ? 0 : last,
                         &through);
    if (must_go_on && ret_offer->placement.host_idx == SIZE_MAX && is_no_run_now(job, &through)) {
        hs_search_contiguous(&place->search, job, first, last, &through);
    }
    if (through.cost_cur < ret_offer->cost_cur) {
        *ret_offer = through;
    }
}

/* Its share chosen by slot, where that is cheaper than to run at full share. */
static void search_shares(struct hs_place *place, const struct hs_place_job *job, size_t first,
                          double end_at_s, struct hs_search_offer *io_offer)
{
    size_t end_slot = slot_of(place, end_at_s);
    struct hs_search_offer shared;

    if (!hs_place_is_elastic(job) || end_slot == 0) {
        return;
    }
    hs_search_elastic(&place->search, job, first, end_slot - 1, io_offer->cost_cur, &shared);
    if (shared.placement.host_idx != SIZE_MAX
        && !(shared.cost_cur
             >= io_offer->cost_cur - LEAST_SHARED_RATIO * fabs(io_offer->cost_cur))) {
        *io_offer = shared;
    }
}

static void search_in_time(struct hs_place *place, const struct hs_place_job *job, size_t first,
                           double end_at_s, struct hs_search_offer *ret_offer)
{
    search_at_full(place, job, first, end_at_s, ret_offer);
    search_shares(place, job, first, end_at_s, ret_offer);
}

double hs_place_get_end_at_s(const struct hs_place *place, const struct hs_place_job *job,
                             const struct hs_placement *placement)
{
    double left_s = job->remaining_s;
    double end_at_s = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot && left_s > 1e-9; t++) {
        if (hs_plan_runs(placement, t)) {
            double speed = hs_place_get_speed(job, placement, t);
            double run_s = fmin(left_s / speed, hs_search_slot_s(&place->search, t));

            end_at_s = hs_search_start_at_s(&place->search, t) + run_s;
            left_s -= run_s * speed;
        }
    }
    return end_at_s + left_s;
}

double hs_place_get_slack_s(const struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *placement)
{
    return (double)job->due_at_s - hs_place_get_end_at_s(place, job, placement);
}

static bool ends_late(const struct hs_place *place, const struct hs_place_job *job,
                      const struct hs_placement *placement)
{
    return hs_place_get_slack_s(place, job, placement) < -0.5;
}

/* What keeps a machine's boot and the end of a slot from making a job late, s. */
static double margin_s(const struct hs_place *place)
{
    return (double)place->search.slot_s;
}

bool hs_place_can_wait(const struct hs_place *place, const struct hs_place_job *job)
{
    size_t last = last_start(place, job, (double)job->due_at_s - margin_s(place));

    return last != SIZE_MAX && last > 0;
}

/* Mark slots from @t on while they fit and work is left. @return how many */
static size_t fill_stretch(const struct hs_place *place, const bool *fits, size_t t,
                           double *io_left_s, struct hs_placement *placement)
{
    size_t n = 0;

    for (; t + n < place->n_slots && fits[t + n] && *io_left_s > HS_SEARCH_DONE_S; n++) {
        hs_search_set_slot(placement, t + n);
        *io_left_s -= hs_search_slot_s(&place->search, t + n);
    }
    return n;
}

/*
 * What has to go on for now, where its host is closed or capped before the work is done, and what
 * is left of it would not fit behind that: it runs whenever it may, to its end or the horizon's.
 */
static void search_between(struct hs_place *place, const struct hs_place_job *job,
                           struct hs_search_offer *io_offer)
{
    size_t least = (size_t)((job->min_run_s + place->search.slot_s - 1) / place->search.slot_s);
    struct hs_placement placement = {.job_id = job->job_id, .host_idx = job->host_idx};
    double left_s = job->remaining_s;
    bool fits[HS_PLAN_SLOTS_MAX];

    hs_fit_fill(place->fit, job->host_idx, &job->size, 0, true, fits);
    for (size_t t = 0; t < place->n_slots && left_s > HS_SEARCH_DONE_S; t++) {
        struct hs_placement before = placement;
        double before_s = left_s;
        size_t n = fill_stretch(place, fits, t, &left_s, &placement);

        if (n < least && left_s > HS_SEARCH_DONE_S && t + n < place->n_slots) {
            placement = before;
            left_s = before_s;
        } else if (n > 0) {
            placement.last_slot = t + n - 1;
        }
        t += n;
    }
    bool is_whole = left_s <= HS_SEARCH_DONE_S || placement.last_slot + 1 == place->n_slots;

    if (!hs_plan_runs(&placement, 0) || !is_whole
        || !hs_search_may_use_host(&place->search, job->host_idx, job)
        || !hs_search_placement_fits(&place->search, job, &placement, fits)) {
        return;
    }
    placement.cost_cur = hs_search_price(&place->search, job, &placement);
    *io_offer = (struct hs_search_offer){placement, placement.cost_cur};
}

/* As late as it can run and still be in time, whatever it costs. */
static void search_last(struct hs_place *place, const struct hs_place_job *job, size_t first,
                        struct hs_search_offer *ret_offer)
{
    double due_at_s = (double)job->due_at_s;

    hs_search_last(&place->search, job, first, last_start(place, job, due_at_s - margin_s(place)),
                   ret_offer);
    if (ret_offer->placement.host_idx == SIZE_MAX) {
        search_in_time(place, job, first, due_at_s, ret_offer);
    }
}

static void find_offer(struct hs_place *place, const struct hs_place_job *job,
                       enum hs_place_mode mode, struct hs_search_offer *ret_offer)
{
    size_t first = first_start(place, job);
    double due_at_s = (double)job->due_at_s;
    bool waits = job->freedom != HS_PLACE_AT_ONCE && mode != HS_PLACE_MODE_EARLIEST
                 && !hs_place_is_first(mode);

    ret_offer->placement.host_idx = SIZE_MAX;
    if (hs_place_is_first(mode) && !job->must_run_now) {
        hs_search_first(&place->search, job, first, ret_offer);
        return;
    }
    if (waits && mode == HS_PLACE_MODE_LAST && !job->must_run_now) {
        search_last(place, job, first, ret_offer);
        waits = false;
    }
    /* less of the margin where there is no room for all of it */
    for (double left_s = job->margin_s; waits && left_s > fmax(margin_s(place), job->margin_s / 8)
                                        && ret_offer->placement.host_idx == SIZE_MAX;
         left_s /= 2) {
        search_in_time(place, job, first, due_at_s - left_s, ret_offer);
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
    if (job->must_run_now && job->freedom == HS_PLACE_INTERRUPTIBLE
        && is_no_run_now(job, ret_offer)) {
        search_between(place, job, ret_offer);
    }
}

/* Could it start when the horizon is over and still be in time? Then it need not fit into it. */
static bool can_follow(const struct hs_place *place, const struct hs_place_job *job)
{
    double end_at_s = hs_search_start_at_s(&place->search, place->n_slots);

    return end_at_s + job->remaining_s <= (double)job->due_at_s;
}

double hs_place_get_ceiling(const struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *placement)
{
    double heat_wh[HS_PLAN_SLOTS_MAX];

    return hs_cur_from_wh(hs_search_heat(&place->search, job, placement, heat_wh),
                          job->ceiling_cur_per_mwh);
}

static void find_filler(struct hs_place *place, const struct hs_place_job *job,
                        struct hs_search_offer *ret_offer)
{
    size_t end_slot = slot_of(place, (double)job->due_at_s);

    hs_search_interruptible(&place->search, job, first_start(place, job),
                            end_slot > 0 ? end_slot - 1 : 0, ret_offer);
    if (ret_offer->placement.host_idx != SIZE_MAX
        && !(ret_offer->cost_cur < hs_place_get_ceiling(place, job, &ret_offer->placement))) {
        ret_offer->placement.host_idx = SIZE_MAX;
    }
}

/* The same on any host, if the move pays for itself or makes the job end in time. */
static void find_elsewhere(struct hs_place *place, const struct hs_place_job *job,
                           enum hs_place_mode mode, struct hs_search_offer *io_offer)
{
    struct hs_place_job unbound = hs_place_unbind(job);
    struct hs_search_offer other;

    if (job->freedom == HS_PLACE_FILLER) {
        find_filler(place, &unbound, &other);
    } else {
        find_offer(place, &unbound, mode, &other);
    }
    if (!hs_search_is_move(job, &other.placement)
        || !hs_place_can_wait_there(place, job, &other.placement)) {
        return;
    }
    other.cost_cur += hs_search_price_move(&place->search, job, &other.placement);
    other.placement.cost_cur = other.cost_cur;
    if (io_offer->placement.host_idx == SIZE_MAX) {
        *io_offer = other;
        return;
    }
    bool is_late = ends_late(place, job, &io_offer->placement);

    if (is_late != ends_late(place, &unbound, &other.placement)
            ? is_late
            : mode != HS_PLACE_MODE_EARLIEST && other.cost_cur < io_offer->cost_cur) {
        *io_offer = other;
    }
}

/* What runs through where it is may still run slower while heat is worth less. */
static void find_shares(struct hs_place *place, const struct hs_place_job *job,
                        struct hs_placement *ret_placement)
{
    struct hs_search_offer offer;

    hs_place_settle(place);
    hs_place_fill_fixed(place, job, ret_placement);
    offer.placement = *ret_placement;
    offer.cost_cur = hs_search_price(&place->search, job, ret_placement);
    offer.placement.cost_cur = offer.cost_cur;
    search_shares(place, job, 0, (double)job->due_at_s - margin_s(place), &offer);
    *ret_placement = offer.placement;
}

void hs_place_find(struct hs_place *place, const struct hs_place_job *job, enum hs_place_mode mode,
                   struct hs_placement *ret_placement)
{
    struct hs_search_offer offer;

    if (job->freedom == HS_PLACE_FIXED && hs_place_is_elastic(job)) {
        find_shares(place, job, ret_placement);
        return;
    }
    if (job->freedom == HS_PLACE_FIXED) {
        hs_place_find_live(place, job, ret_placement);
        return;
    }
    hs_place_settle(place);
    if (job->freedom == HS_PLACE_FILLER) {
        find_filler(place, job, &offer);
    } else {
        find_offer(place, job, mode, &offer);
    }
    if (job->is_movable && job->host_idx != SIZE_MAX
        && (mode != HS_PLACE_MODE_STILL || job->freedom == HS_PLACE_FILLER)) {
        find_elsewhere(place, job, mode, &offer);
    }
    if (offer.placement.host_idx == SIZE_MAX) {
        *ret_placement = (struct hs_placement){
            .job_id = job->job_id,
            .host_idx = SIZE_MAX,
            .first_slot = SIZE_MAX,
            .last_slot = SIZE_MAX,
            .is_late = job->freedom != HS_PLACE_FILLER && !can_follow(place, job),
            .is_hopeless = hs_place_is_hopeless(place, job),
        };
        return;
    }
    offer.placement.is_hopeless = hs_place_is_hopeless(place, job);
    offer.placement.is_late = job->is_hopeless || ends_late(place, job, &offer.placement);
    if (offer.placement.first_slot == 0 && !hs_place_can_wait(place, job)) {
        offer.placement.is_forced = true;
    }
    *ret_placement = offer.placement;
}

void hs_place_put(struct hs_place *place, const struct hs_place_job *job, enum hs_place_mode mode)
{
    struct hs_placement placement;

    if (job->freedom == HS_PLACE_FIXED) {
        hs_place_fix(place, job);
        return;
    }
    hs_place_hold_memory(place, job, false);
    hs_place_find(place, job, mode, &placement);
    hs_place_adopt(place, job, &placement);
}
