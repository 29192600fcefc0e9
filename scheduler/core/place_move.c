/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_move - jobs that may go on on another host; see place_priv.h.
 *
 * Work that may be suspended is looked for twice: on its own host, and on any, with the price of
 * the move. What runs and cannot stop moves live. It has one host in a plan, so a plan says only
 * whether to move now; that a later move would save more is looked up, and then it stays for now.
 */
#include "scheduler/core/place_priv.h"

#include <math.h>

#define LATER_MOVES 8 /* so many later instants are compared with now */

struct hs_place_job hs_place_unbind(const struct hs_place_job *job)
{
    struct hs_place_job unbound = *job;

    unbound.host_idx = SIZE_MAX;
    unbound.is_movable = false;
    return unbound;
}

/* What @placement costs from slot @first on, the horizon's end taken for the end. */
static double price_from(const struct hs_place *place, const struct hs_place_job *job,
                         const struct hs_placement *placement, size_t first)
{
    struct hs_place_job rest = hs_place_unbind(job);
    struct hs_placement later = *placement;
    double seen_s = 0.0;

    later.first_slot = first;
    for (size_t t = 0; t <= placement->last_slot; t++) {
        if (t < first) {
            later.slots[t / 64] &= ~(UINT64_C(1) << (t % 64));
        } else {
            seen_s += hs_search_slot_s(&place->search, t) * hs_place_get_speed(job, placement, t);
        }
    }
    rest.is_running = false; /* going on is no stop */
    rest.remaining_s = fmin(rest.remaining_s, seen_s);
    return hs_search_price(&place->search, &rest, &later);
}

void hs_place_find_live(struct hs_place *place, const struct hs_place_job *job,
                        struct hs_placement *ret_placement)
{
    struct hs_place_job unbound = hs_place_unbind(job);
    struct hs_search_offer offer;
    struct hs_placement there;

    hs_place_settle(place);
    hs_place_fill_fixed(place, job, ret_placement);
    hs_search_contiguous(&place->search, &unbound, 0, 0, &offer);
    if (offer.placement.host_idx == SIZE_MAX || offer.placement.host_idx == job->host_idx) {
        return;
    }
    size_t n = ret_placement->last_slot + 1;
    size_t step = n > LATER_MOVES ? n / LATER_MOVES : 1;
    double now_cur = 0.0;

    there = *ret_placement;
    there.host_idx = offer.placement.host_idx;
    there.cost_cur = offer.cost_cur + hs_search_price_move(&place->search, job, &there);
    for (size_t t = 0; t < n; t += step) {
        double saved_cur = price_from(place, job, ret_placement, t)
                           - price_from(place, job, &there, t)
                           - hs_search_price_move(&place->search, job, &there);

        now_cur = t == 0 ? saved_cur : now_cur;
        if (saved_cur > now_cur) {
            return;
        }
    }
    if (now_cur > 0) {
        *ret_placement = there;
    }
}
