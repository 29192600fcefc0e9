/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_improve - jobs taken out and placed anew, one after the other; see place_priv.h.
 *
 * Each job sees the heat of all the others, where it saw only that of those placed before it. A
 * move is made if what it saves, as the tank runs, is more than a stated share of the job's own
 * cost; so every pass leaves a plan that costs less, and ends.
 */
#include "scheduler/core/place_priv.h"

#include <math.h>

#include "scheduler/base/mem.h"

/* A move that saves less of the job's electricity than this is not worth it, nor, where a place was
 * promised before, the change of mind. */
#define LEAST_GAIN_RATIO 5e-4
#define LEAST_KEPT_RATIO 5e-3

/* So many jobs in a row for which there is no place: the others have none either. */
#define FAILURES_MAX 24

/* A job whose next best place costs so much more of its electricity is left in peace. */
#define FAR_RATIO 0.005

/* May the job be somewhere else than where it is? */
static bool may_move(const struct hs_place_job *job)
{
    return job->freedom == HS_PLACE_CONTIGUOUS || job->freedom == HS_PLACE_INTERRUPTIBLE
           || job->freedom == HS_PLACE_FILLER || job->is_movable || hs_place_is_elastic(job);
}

/* What the job's electricity costs at its site's mean price. */
static double get_elec_cur(const struct hs_place *place, const struct hs_place_job *job,
                           size_t host_idx)
{
    const struct hs_kind *kind = &place->kinds->items[place->kinds->of_host[host_idx]];
    double horizon_s = hs_search_slot_s(&place->search, 0)
                       + (double)(place->n_slots - 1) * (double)place->search.slot_s;

    return kind->elec_w_per_vcpu * job->size.vcpus * job->remaining_s / horizon_s
           * fabs(kind->elec_cur_per_w[place->n_slots]);
}

double hs_place_get_least_gain(const struct hs_place *place, const struct hs_place_job *job,
                               const struct hs_placement *before)
{
    return (place->is_refresh && job->last != NULL ? LEAST_KEPT_RATIO : LEAST_GAIN_RATIO)
           * get_elec_cur(place, job, before->host_idx);
}

/* Filler may go nowhere; what is bound holds memory then that others may have by now. */
static bool may_stay_out(const struct hs_place *place, const struct hs_place_job *job)
{
    return job->freedom == HS_PLACE_FILLER
           && (job->host_idx == SIZE_MAX
               || hs_fit_check_memory(place->fit, job->host_idx, &job->size, 0,
                                      place->n_slots - 1));
}

/* What was to move live, and now is not, may find its room gone to others. */
static bool may_return(const struct hs_place *place, const struct hs_place_job *job,
                       const struct hs_placement *before, const struct hs_placement *now)
{
    return job->freedom != HS_PLACE_FIXED || before->host_idx == now->host_idx
           || now->host_idx != job->host_idx
           || hs_fit_check_span(place->fit, now->host_idx, &job->size, 0, now->last_slot);
}

/* Is @now worth giving up @before for? */
static bool is_better(const struct hs_place *place, const struct hs_place_job *job,
                      const struct hs_placement *before, double before_cur,
                      const struct hs_placement *now)
{
    if (now->host_idx == SIZE_MAX) {
        return before->host_idx != SIZE_MAX && may_stay_out(place, job)
               && !(before_cur < hs_place_get_ceiling(place, job, before));
    }
    if (before->is_late != now->is_late) {
        return before->is_late;
    }
    if (before->host_idx == SIZE_MAX) {
        return true;
    }
    return now->cost_cur < before_cur - hs_place_get_least_gain(place, job, before)
           && !hs_plan_is_same_place(now, before);
}

/* What was put off for a ramp does not come back for less than the breach costs. */
static bool keeps_ramps(const struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *before, const struct hs_placement *now)
{
    return place->minds_ramps && now->host_idx != SIZE_MAX && before->is_late == now->is_late
           && (before->host_idx != SIZE_MAX || job->freedom == HS_PLACE_FILLER);
}

/* Place one job anew. @return whether it moved; *ret_is_far says that it hardly ever will */
static bool improve_one(struct hs_place *place, size_t i, bool *ret_is_far)
{
    const struct hs_place_job *job = place->placed.items[i];
    struct hs_placement before = place->placements.items[i];
    struct hs_placement now;
    double before_cur = INFINITY;

    hs_place_take_out(place, i);
    hs_place_find(place, job, HS_PLACE_MODE_CHEAPEST, &now);
    if (before.host_idx != SIZE_MAX) {
        before_cur = hs_search_price(&place->search, job, &before);
    }
    bool moves =
        is_better(place, job, &before, before_cur, &now) && may_return(place, job, &before, &now);

    *ret_is_far =
        !moves && before.host_idx != SIZE_MAX
        && now.cost_cur > before_cur + FAR_RATIO * get_elec_cur(place, job, before.host_idx);
    if (moves && keeps_ramps(place, job, &before, &now)) {
        hs_place_put_back(place, i, &before);
        return hs_place_move_by_ramps(place, i, &now);
    }
    if (moves) {
        hs_place_put_back(place, i, &now);
    } else {
        hs_place_undo_take_out(place, i);
    }
    return moves;
}

/* @return whether placement @i is given up for an earlier one */
static bool advance_one(struct hs_place *place, size_t i)
{
    struct hs_placement before = place->placements.items[i];
    struct hs_placement now;

    hs_place_take_out(place, i);
    hs_place_find(place, place->placed.items[i], HS_PLACE_MODE_CHEAPEST, &now);
    if (now.host_idx != SIZE_MAX && (before.is_late || !now.is_late)
        && (before.host_idx == SIZE_MAX || now.first_slot < before.first_slot)) {
        hs_place_put_back(place, i, &now);
        return true;
    }
    hs_place_undo_take_out(place, i);
    return false;
}

size_t hs_place_advance(struct hs_place *place)
{
    size_t n_found = 0;

    for (size_t i = 0, n_failed = 0; i < place->placements.n && n_failed < FAILURES_MAX; i++) {
        const struct hs_placement *placement = &place->placements.items[i];
        const struct hs_place_job *job = place->placed.items[i];
        bool has_none = placement->host_idx == SIZE_MAX;
        bool is_in_haste = job->freedom == HS_PLACE_AT_ONCE || placement->is_hopeless;

        if (job->freedom == HS_PLACE_FILLER || job->freedom == HS_PLACE_FIXED
            || (!has_none && (!is_in_haste || placement->first_slot == 0))) {
            continue;
        }
        bool is_found = advance_one(place, i);

        n_found += is_found;
        n_failed = is_found ? 0 : n_failed + has_none;
    }
    return n_found;
}

size_t hs_place_improve(struct hs_place *place, size_t n_passes,
                        bool (*has_turn)(const struct hs_place *place,
                                         const struct hs_place_job *job))
{
    HS_AUTO_MEM bool *is_far = hs_xcalloc(place->placements.n, sizeof(*is_far));
    size_t n_moved = 0;

    for (size_t pass = 0; pass < n_passes; pass++) {
        size_t n_before = n_moved;

        for (size_t i = 0; i < place->placements.n; i++) {
            const struct hs_place_job *job = place->placed.items[i];

            if (may_move(job) && !is_far[i] && (has_turn == NULL || has_turn(place, job))) {
                n_moved += improve_one(place, i, &is_far[i]);
            }
        }
        if (n_moved == n_before) {
            break;
        }
    }
    return n_moved;
}
