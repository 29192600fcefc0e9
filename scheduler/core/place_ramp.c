/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_ramp - heat that rises no faster than cooling follows, where that is worth it.
 *
 * A rack's cooling follows so much more heat a slot. Starts that bring more in one slot are looked
 * at one by one: if another start costs the job less than the breach that it takes away, it goes
 * there. See place_priv.h.
 */
#include "scheduler/core/place_priv.h"

#include <math.h>

#define LEAST_W    1.0 /* less is rounding */
#define S_PER_MIN  60.0
#define TRIES_MAX  64 /* jobs looked at in a plan */
#define STARTS_MAX 8  /* later starts of one job */

/* Captured heat of a rack in @slot, W. */
static double get_heat_w(const struct hs_place *place, const struct hs_rack *rack, size_t slot)
{
    double elec_w = 0.0;

    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        elec_w += hs_place_get_elec_w(place, h, slot);
    }
    return elec_w * rack->capture_ratio;
}

/* Heat that @slot brings beyond what the rack's cooling follows, W. */
static double get_over_w(const struct hs_place *place, const struct hs_rack *rack, size_t slot)
{
    double room_w = rack->ramp_w_per_min * (double)place->search.slot_s / S_PER_MIN;

    return fmax(0.0, get_heat_w(place, rack, slot) - get_heat_w(place, rack, slot - 1) - room_w);
}

/* What all breaches of the rack that holds @host_idx cost, cur. */
static double price_breaches(const struct hs_place *place, size_t host_idx)
{
    const struct hs_rack *rack = &place->estate->racks[place->estate->hosts[host_idx].rack_idx];
    double over_w = 0.0;

    for (size_t t = 1; hs_rack_has_ramp(rack) && t < place->n_slots; t++) {
        over_w += get_over_w(place, rack, t);
    }
    return over_w * 1e-3 * place->ramp_cur_per_kw;
}

static bool may_wait(const struct hs_place *place, size_t i, const struct hs_rack *rack,
                     size_t slot)
{
    const struct hs_placement *placement = &place->placements.items[i];
    enum hs_place_freedom freedom = place->placed.items[i]->freedom;
    size_t host_idx = placement->host_idx;

    return host_idx != SIZE_MAX && placement->first_slot == slot && !placement->is_late
           && (freedom == HS_PLACE_CONTIGUOUS || freedom == HS_PLACE_INTERRUPTIBLE)
           && host_idx >= rack->first_host_idx && host_idx < rack->first_host_idx + rack->n_hosts;
}

/* Where job @i, taken out, goes if it starts after @slot. @return whether it is in time there */
static bool find_later(struct hs_place *place, size_t i, size_t slot,
                       struct hs_placement *ret_placement)
{
    struct hs_place_job later = *place->placed.items[i];

    later.earliest_at_s = (int64_t)hs_search_start_at_s(&place->search, slot + 1);
    hs_place_find(place, &later, HS_PLACE_MODE_CHEAPEST, ret_placement);
    return ret_placement->host_idx != SIZE_MAX && !ret_placement->is_late
           && !ret_placement->is_forced;
}

/* What @before costs without its breaches; filler that has no place forgoes what its heat pays. */
static double price_before(const struct hs_place *place, const struct hs_place_job *job,
                           const struct hs_placement *before, const struct hs_placement *now)
{
    return before->host_idx != SIZE_MAX ? hs_search_price(&place->search, job, before)
                                        : hs_place_get_ceiling(place, job, now);
}

/* Job @i, taken out, goes to @now if that costs less than @before, breaches counted. */
static bool try_place(struct hs_place *place, size_t i, const struct hs_placement *before,
                      struct hs_placement *now, double taken_cur)
{
    const struct hs_place_job *job = place->placed.items[i];
    bool is_near = before->host_idx != SIZE_MAX
                   && place->estate->hosts[now->host_idx].rack_idx
                          == place->estate->hosts[before->host_idx].rack_idx;
    double before_cur = taken_cur + price_before(place, job, before, now);

    before_cur += is_near ? 0.0 : price_breaches(place, now->host_idx);
    now->cost_cur = hs_search_price(&place->search, job, now); /* waiting from its own time */
    hs_place_put_back(place, i, now);

    double now_cur = now->cost_cur + price_breaches(place, now->host_idx);

    if (before->host_idx != SIZE_MAX && !is_near) {
        now_cur += price_breaches(place, before->host_idx);
    }

    if (now_cur >= before_cur) {
        hs_place_take_out(place, i);
        return false;
    }
    return true;
}

/*
 * Job @i starts after @slot if that costs less than it takes from the breaches.
 *
 * @return whether it does
 */
static bool try_later(struct hs_place *place, size_t i, size_t slot)
{
    struct hs_placement before = place->placements.items[i];
    double taken_cur = price_breaches(place, before.host_idx);
    struct hs_placement now;

    hs_place_take_out(place, i);
    for (int k = 0; k < STARTS_MAX && find_later(place, i, slot, &now); k++) {
        if (try_place(place, i, &before, &now, taken_cur)) {
            return true;
        }
        slot = now.first_slot; /* others start there, too */
    }
    hs_place_put_back(place, i, &before);
    return false;
}

bool hs_place_move_by_ramps(struct hs_place *place, size_t i, struct hs_placement *now)
{
    struct hs_placement before = place->placements.items[i];
    double taken_cur = before.host_idx != SIZE_MAX ? price_breaches(place, before.host_idx) : 0.0;

    hs_place_take_out(place, i);
    hs_place_settle(place);
    if (try_place(place, i, &before, now, taken_cur)) {
        return true;
    }
    hs_place_put_back(place, i, &before);
    return false;
}

/* @return jobs that start later */
static size_t soften(struct hs_place *place, const struct hs_rack *rack, size_t slot,
                     size_t *io_n_tries)
{
    size_t n_moved = 0;

    for (size_t i = 0; i < place->placements.n && *io_n_tries < TRIES_MAX
                       && get_over_w(place, rack, slot) > LEAST_W;
         i++) {
        if (may_wait(place, i, rack, slot)) {
            (*io_n_tries)++;
            n_moved += try_later(place, i, slot);
        }
    }
    return n_moved;
}

size_t hs_place_soften_ramps(struct hs_place *place)
{
    size_t n_tries = 0;
    size_t n_moved = 0;

    for (size_t r = 0; place->ramp_cur_per_kw > 0 && r < place->estate->n_racks; r++) {
        const struct hs_rack *rack = &place->estate->racks[r];

        for (size_t t = 1; hs_rack_has_ramp(rack) && t < place->n_slots; t++) {
            n_moved += soften(place, rack, t, &n_tries);
        }
    }
    return n_moved;
}
