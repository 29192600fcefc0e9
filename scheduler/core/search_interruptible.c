/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search_interruptible - in which stretches work that may stop costs least.
 *
 * Priced slot by slot (each slot's heat alone), which is exact while its slots do not share a
 * tank's ceiling or floor; the cheapest slots, stops counted, are a shortest path (slotpath.h);
 * the result is priced once more as a whole.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"
#include "scheduler/core/slotpath.h"

#define OWN_PATHS_MAX 3 /* hosts that get a path of their own where none carries the ideal */

/* Cut @first..@last into blocks of the minimum run and price each on @kind by itself. */
static size_t cut_blocks(const struct hs_search *search, const struct hs_kind *kind,
                         const struct hs_place_job *job, size_t first, size_t last,
                         struct hs_slotpath_block *ret_blocks)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    size_t per_block = (size_t)ceil((double)job->min_run_s / (double)search->slot_s);
    double elec_w = hs_search_elec_w(kind, job);
    const struct hs_thermal *thermal = search->thermals[kind->loop_idx];
    size_t n_blocks = 0;

    per_block = per_block > 0 ? per_block : 1;
    for (size_t t = first; t <= last; t += per_block) {
        struct hs_slotpath_block block = {.first = t};
        double heat_wh[HS_PLAN_SLOTS_MAX];

        for (size_t i = t; i <= last && i < t + per_block; i++) {
            double slot_wh = hs_wh_from_w(elec_w, hs_search_slot_s(search, i));

            block.run_s += hs_search_slot_s(search, i);
            block.cost_cur += hs_cur_from_wh(slot_wh, elec[i]);
            heat_wh[block.n++] = slot_wh * kind->capture_ratio;
        }
        block.cost_cur += hs_search_price_waiting(
            search, job, hs_search_start_at_s(search, t) + job->remaining_s, block.cost_cur);
        block.cost_cur -= block.n == 1 ? hs_thermal_get_worth(thermal, t, heat_wh[0])
                                       : hs_thermal_get_run_worth(thermal, t, heat_wh, block.n);
        ret_blocks[n_blocks++] = block;
    }
    return n_blocks;
}

static void set_taken(const struct hs_place_job *job, size_t host_idx,
                      const struct hs_slotpath_block *blocks, size_t n_blocks, const bool *taken,
                      struct hs_placement *ret_placement)
{
    *ret_placement = hs_search_no_offer.placement;
    ret_placement->job_id = job->job_id;
    ret_placement->host_idx = host_idx;
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t t = blocks[b].first; taken[b] && t < blocks[b].first + blocks[b].n; t++) {
            hs_search_set_slot(ret_placement, t);
            ret_placement->first_slot =
                ret_placement->first_slot == SIZE_MAX ? t : ret_placement->first_slot;
            ret_placement->last_slot = t;
        }
    }
    ret_placement->held_slot = hs_search_held_from(job, ret_placement->first_slot);
}

/* Slots in which some host of @kind has the vCPUs; false if no host may be used at all. */
static bool fill_any(const struct hs_search *search, const struct hs_kind *kind,
                     const struct hs_place_job *job, size_t first, bool *ret_any)
{
    const int32_t *free_vcpus = hs_search_room(search, kind, job);
    bool is_usable = false;

    for (size_t t = first; t < search->n_slots; t++) {
        ret_any[t] = free_vcpus[t] >= job->size.vcpus;
    }
    for (size_t i = 0; i < kind->n_hosts && !is_usable; i++) {
        is_usable = hs_search_may_use_host(search, kind->hosts[i], job);
    }
    return is_usable;
}

/* How many of @placement's slots host @host_idx could run. */
static size_t count_fitting(const struct hs_search *search, const struct hs_place_job *job,
                            const struct hs_placement *placement, size_t host_idx)
{
    const int32_t *free_vcpus = hs_fit_get_row(search->fit, host_idx);
    size_t n = 0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        n += hs_plan_runs(placement, t) && free_vcpus[t] >= job->size.vcpus;
    }
    return n;
}

/*
 * The hosts that could run most of @ideal, best first; if one can run all of it, it is alone.
 *
 * @param ret_hosts  [OWN_PATHS_MAX]
 * @return how many; *ret_has_ideal says whether the one carries it
 */
static size_t rank_hosts(const struct hs_search *search, const struct hs_kind *kind,
                         const struct hs_place_job *job, struct hs_placement *ideal,
                         size_t *ret_hosts, bool *ret_has_ideal)
{
    size_t counts[OWN_PATHS_MAX] = {0};
    size_t n_runs = hs_plan_count_runs(ideal);
    size_t n = 0;

    *ret_has_ideal = false;
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];

        if (!hs_search_may_use_host(search, h, job)) {
            continue;
        }
        size_t count = count_fitting(search, job, ideal, h);
        bool fits[HS_PLAN_SLOTS_MAX];

        ideal->host_idx = h;
        if (count == n_runs) {
            hs_fit_fill(search->fit, h, &job->size, ideal->first_slot, true, fits);
            if (hs_search_placement_fits(search, job, ideal, fits)) {
                *ret_has_ideal = true;
                return 1;
            }
        }
        size_t at = n < OWN_PATHS_MAX ? n++ : OWN_PATHS_MAX;

        while (at > 0 && counts[at - 1] < count) {
            if (at < OWN_PATHS_MAX) {
                counts[at] = counts[at - 1];
                ret_hosts[at] = ret_hosts[at - 1];
            }
            at--;
        }
        if (at < OWN_PATHS_MAX) {
            counts[at] = count;
            ret_hosts[at] = h;
        }
    }
    return n;
}

/* The cheapest path that one of @hosts can carry by itself. */
static void search_hosts(const struct hs_search *search, const struct hs_place_job *job,
                         const struct hs_slotpath *ideal_path, const size_t *hosts, size_t n_hosts,
                         struct hs_search_offer *io_offer)
{
    bool fits[HS_PLAN_SLOTS_MAX];
    struct hs_slotpath path = *ideal_path;

    path.fits = fits;
    for (size_t i = 0; i < n_hosts; i++) {
        bool taken[HS_PLAN_SLOTS_MAX] = {0};
        struct hs_placement own;

        hs_fit_fill(search->fit, hosts[i], &job->size, path.blocks[0].first, true, fits);
        double cost_cur = hs_slotpath_find(&path, job->remaining_s, taken);

        if (cost_cur < io_offer->cost_cur) {
            set_taken(job, hosts[i], path.blocks, path.n_blocks, taken, &own);
            if (hs_search_placement_fits(search, job, &own, fits)) {
                io_offer->placement = own;
                io_offer->cost_cur = cost_cur;
            }
        }
    }
}

/* Best offer on @kind: the kind's ideal if one host can carry it, else the best single host. */
static void search_kind(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, const struct hs_slotpath_block *blocks,
                        size_t n_blocks, struct hs_search_offer *ret_offer)
{
    size_t first = blocks[0].first;
    bool fits[HS_PLAN_SLOTS_MAX];
    bool taken[HS_PLAN_SLOTS_MAX] = {0};
    size_t hosts[OWN_PATHS_MAX];
    bool has_ideal;
    struct hs_slotpath path = {
        .blocks = blocks,
        .n_blocks = n_blocks,
        .fits = fits,
        .stop_cur = hs_search_price_stop(search, kind, job, first),
        .is_running = job->is_running && first == 0,
        .must_run_first = job->must_run_now && first == 0,
    };
    struct hs_placement ideal;

    *ret_offer = hs_search_no_offer;
    if (!fill_any(search, kind, job, first, fits)) {
        return;
    }
    double ideal_cur = hs_slotpath_find(&path, job->remaining_s, taken);

    if (!isfinite(ideal_cur)) {
        return;
    }
    set_taken(job, SIZE_MAX, blocks, n_blocks, taken, &ideal);
    size_t n_hosts = rank_hosts(search, kind, job, &ideal, hosts, &has_ideal);

    if (has_ideal) {
        ret_offer->placement = ideal;
        ret_offer->cost_cur = ideal_cur;
        return;
    }
    search_hosts(search, job, &path, hosts, n_hosts, ret_offer);
}

void hs_search_interruptible(const struct hs_search *search, const struct hs_place_job *job,
                             size_t first, size_t last, struct hs_search_offer *ret_offer)
{
    struct hs_slotpath_block blocks[HS_PLAN_SLOTS_MAX];

    *ret_offer = hs_search_no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t k = 0; k < search->kinds->n; k++) {
        const struct hs_kind *kind = &search->kinds->items[k];
        struct hs_search_offer offer;

        if (!hs_search_may_use(search, kind, job)) {
            continue;
        }
        size_t n_blocks = cut_blocks(search, kind, job, first, last, blocks);

        search_kind(search, kind, job, blocks, n_blocks, &offer);
        if (offer.placement.host_idx == SIZE_MAX) {
            continue;
        }
        offer.cost_cur = hs_search_price_placement(search, kind, job, &offer.placement);
        offer.placement.cost_cur = offer.cost_cur;
        if (offer.cost_cur < ret_offer->cost_cur) {
            *ret_offer = offer;
        }
    }
}
