/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_pairs - jobs moved two at a time; see place_priv.h.
 *
 * A job may sit where another would cost less, and neither moves while the other stays: a host is
 * full, or a tank is. So two are taken out at once, the one chooses first, then the other. That is
 * the square of the number of jobs, and done where they are few.
 */
#include "scheduler/core/place_priv.h"

#include <math.h>

#define TRIES_MAX 300 /* pairs looked at in a plan */

/* What work past the horizon costs depends on all others: it would move to and fro. */
static bool is_seen(const struct hs_place *place, const struct hs_placement *placement)
{
    return placement->host_idx != SIZE_MAX && placement->last_slot + 1 < place->n_slots;
}

static bool may_pair(const struct hs_place *place, size_t i)
{
    const struct hs_place_job *job = place->placed.items[i];

    return is_seen(place, &place->placements.items[i]) && !place->placements.items[i].is_late
           && (job->freedom == HS_PLACE_CONTIGUOUS || job->freedom == HS_PLACE_INTERRUPTIBLE)
           && !job->must_run_now;
}

/* Might @i go where @k is? */
static bool may_follow(const struct hs_place *place, size_t i, size_t k)
{
    const struct hs_place_job *job = place->placed.items[i];
    size_t host_idx = place->placements.items[k].host_idx;

    return i != k && may_pair(place, k)
           && (job->host_idx == SIZE_MAX || job->host_idx == host_idx || job->is_movable)
           && (job->site_allowed == NULL
               || job->site_allowed[place->estate->hosts[host_idx].site_idx]);
}

/* Take job @i out. @return what its place costs as things stand without it */
static double take_out(struct hs_place *place, size_t i)
{
    hs_place_take_out(place, i);
    hs_place_settle(place);
    return hs_search_price(&place->search, place->placed.items[i], &place->placements.items[i]);
}

/* Put job @i, taken out, where it costs least now. @return that, INFINITY if it comes to be late */
static double put_anew(struct hs_place *place, size_t i)
{
    const struct hs_place_job *job = place->placed.items[i];
    double left_s = hs_place_get_slack_s(place, job, &place->placements.items[i]);
    double wanted_s = fmax(job->margin_s, (double)place->search.slot_s);
    struct hs_placement placement;

    hs_place_find(place, job, HS_PLACE_MODE_CHEAPEST, &placement);
    hs_place_put_back(place, i, &placement);
    if (!is_seen(place, &placement) || placement.is_late
        || hs_place_get_slack_s(place, job, &placement) < fmin(left_s, wanted_s) - 0.5) {
        return INFINITY;
    }
    return placement.cost_cur;
}

/* Let @i choose as if @k were not there, then @k. @return false with nothing changed */
static bool try_pair(struct hs_place *place, size_t i, size_t k)
{
    struct hs_placement before_i = place->placements.items[i];
    struct hs_placement before_k = place->placements.items[k];
    double before_i_cur = take_out(place, i);
    double before_k_cur = take_out(place, k);
    double now_i_cur = put_anew(place, i);

    if (!hs_plan_is_same_place(&before_i, &place->placements.items[i])) {
        double now_k_cur = put_anew(place, k);
        double least_cur = hs_place_get_least_gain(place, place->placed.items[i], &before_i);

        if (now_i_cur + now_k_cur < before_i_cur + before_k_cur - least_cur) {
            return true;
        }
        hs_place_take_out(place, k);
    }
    hs_place_take_out(place, i);
    hs_place_put_back(place, i, &before_i);
    hs_place_put_back(place, k, &before_k);
    return false;
}

size_t hs_place_improve_pairs(struct hs_place *place,
                              bool (*has_turn)(const struct hs_place *place,
                                               const struct hs_place_job *job))
{
    size_t n_tries = 0;
    size_t n_moved = 0;

    for (size_t i = 0; i < place->placements.n; i++) {
        if (!may_pair(place, i) || (has_turn != NULL && !has_turn(place, place->placed.items[i]))) {
            continue;
        }
        for (size_t k = 0; k < place->placements.n && n_tries < TRIES_MAX; k++) {
            if (may_follow(place, i, k)) {
                n_moved += try_pair(place, i, k);
                n_tries++;
            }
        }
    }
    return n_moved;
}
