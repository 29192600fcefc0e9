/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search_elastic - in which slots, and at which share of its vCPUs' time, work costs least.
 *
 * The share is chosen in quarters. A shortest path over (blocks to come, units of work left,
 * running or not), where a unit is what a quarter gets done in a whole block; a block is a slot,
 * or the shortest run of work that may stop. Each block is priced by itself at each share, so that
 * a quarter more costs more where heat is worth less the more of it there is; the result is priced
 * once more as a whole. Room is taken in full whatever the share.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"

#define QUARTERS      4
#define EQUAL_RATIO   1e-9 /* costs that differ by less are equal */
#define OWN_PATHS_MAX 3    /* hosts that get a path of their own where none carries the ideal */

struct block {
    size_t first;
    size_t n;
    size_t units[QUARTERS + 1];    /* got done at so many quarters */
    double cost_cur[QUARTERS + 1]; /* of that */
};

/* What to do with some work left: quarters if it stood still before, and if it ran. */
struct choice {
    uint8_t idle;
    uint8_t busy;
};

struct elastic {
    const struct hs_search *search;
    const struct hs_kind *kind;
    const struct hs_place_job *job;
    struct block blocks[HS_PLAN_SLOTS_MAX];
    size_t n_blocks;
    size_t n_units; /* of work */
    double stop_cur;
    bool must_run_first;
    bool is_running;
    struct choice *choices; /* [n_blocks][n_units + 1] */
    double *idle;           /* [2][n_units + 1] cost to go, standing still before the block */
    double *busy;           /* the same, running */
};

/* --- blocks --- */

/* Seconds of work that a quarter gets done in a whole block of @per_block slots. */
static double unit_s(const struct elastic *elastic, size_t per_block)
{
    return (double)per_block * (double)elastic->search->slot_s / elastic->job->share_max;
}

static void price_block(const struct elastic *elastic, struct block *block, unsigned quarters)
{
    const struct hs_search *search = elastic->search;
    const struct hs_kind *kind = elastic->kind;
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    double elec_w = hs_search_elec_w(kind, elastic->job) * quarters / elastic->job->share_max;
    double heat_wh[HS_PLAN_SLOTS_MAX];
    double elec_cur = 0.0;

    for (size_t i = 0; i < block->n; i++) {
        double slot_wh = hs_wh_from_w(elec_w, hs_search_slot_s(search, block->first + i));

        elec_cur += hs_cur_from_wh(slot_wh, elec[block->first + i]);
        heat_wh[i] = slot_wh * kind->capture_ratio;
    }
    block->cost_cur[quarters] = elec_cur
                                + hs_search_price_waiting(search, elastic->job,
                                                          hs_search_start_at_s(search, block->first)
                                                              + elastic->job->remaining_s,
                                                          elec_cur)
                                - hs_thermal_get_run_worth(search->thermals[kind->loop_idx],
                                                           block->first, heat_wh, block->n);
}

/* Cut @first..@last into blocks and price each at every share. */
static void cut_blocks(struct elastic *elastic, size_t first, size_t last)
{
    const struct hs_place_job *job = elastic->job;
    const struct hs_search *search = elastic->search;
    bool may_stop = job->freedom == HS_PLACE_INTERRUPTIBLE;
    size_t per_block = may_stop ? (size_t)ceil((double)job->min_run_s / (double)search->slot_s) : 1;

    per_block = per_block > 0 ? per_block : 1;
    elastic->n_blocks = 0;
    for (size_t t = first; t <= last; t += per_block) {
        struct block *block = &elastic->blocks[elastic->n_blocks++];
        double lasts_s = 0.0;

        *block =
            (struct block){.first = t, .n = last - t + 1 < per_block ? last - t + 1 : per_block};
        for (size_t i = t; i < t + block->n; i++) {
            lasts_s += hs_search_slot_s(search, i);
        }
        for (unsigned q = job->share_min; q <= job->share_max; q++) {
            double work_s = lasts_s * q / job->share_max;

            block->units[q] = (size_t)floor(work_s / unit_s(elastic, per_block) + 1e-9);
            price_block(elastic, block, q);
        }
    }
    elastic->n_units = (size_t)ceil(job->remaining_s / unit_s(elastic, per_block) - 1e-9);
    elastic->n_units = elastic->n_units > 0 ? elastic->n_units : 1;
}

/* --- the path --- */

static bool block_fits(const struct block *block, const bool *fits)
{
    for (size_t t = block->first; t < block->first + block->n; t++) {
        if (!fits[t]) {
            return false;
        }
    }
    return true;
}

/*
 * The best share to run @block at with @k units left; among equals the most, as room comes free
 * the sooner. The last of it is run no faster than it has to be.
 *
 * @return what it and the rest cost
 */
static double find_share(const struct elastic *elastic, const struct block *block, size_t k,
                         const double *after_busy, uint8_t *ret_quarters)
{
    unsigned least = elastic->job->share_min;
    double best_cur = INFINITY;

    for (unsigned q = elastic->job->share_max; q >= least; q--) {
        size_t done = block->units[q] < k ? block->units[q] : k;
        double part = block->units[q] > k ? (double)k / (double)block->units[q] : 1.0;
        double cur = part * block->cost_cur[q] + after_busy[k - done];

        if ((block->units[q] <= k || q == least)
            && (isinf(best_cur) || cur < best_cur - EQUAL_RATIO * fabs(best_cur))) {
            best_cur = cur;
            *ret_quarters = (uint8_t)q;
        }
    }
    return best_cur;
}

static void step_back(struct elastic *elastic, size_t b, bool fits)
{
    size_t row = elastic->n_units + 1;
    double *idle = &elastic->idle[(b % 2) * row];
    double *busy = &elastic->busy[(b % 2) * row];
    const double *after_idle = &elastic->idle[((b + 1) % 2) * row];
    const double *after_busy = &elastic->busy[((b + 1) % 2) * row];
    bool is_forced = b == 0 && elastic->must_run_first && fits;

    for (size_t k = 1; k <= elastic->n_units; k++) {
        struct choice *choice = &elastic->choices[b * row + k];
        uint8_t quarters = 0;
        double run_cur = fits ? find_share(elastic, &elastic->blocks[b], k, after_busy, &quarters)
                              : (double)INFINITY;
        double stopped_cur = after_idle[k] + elastic->stop_cur;

        *choice = (struct choice){0};
        idle[k] = after_idle[k];
        busy[k] = stopped_cur;
        if (is_forced || run_cur <= idle[k]) {
            idle[k] = run_cur;
            choice->idle = quarters;
        }
        if (is_forced || run_cur <= busy[k]) {
            busy[k] = run_cur;
            choice->busy = quarters;
        }
    }
}

static void set_block(const struct elastic *elastic, const struct block *block, unsigned quarters,
                      double *io_left_s, struct hs_placement *placement)
{
    size_t end = block->first + block->n;

    for (size_t t = block->first; t<end && * io_left_s> HS_SEARCH_DONE_S; t++) {
        hs_search_set_slot(placement, t);
        hs_plan_set_cut(placement, t, elastic->job->share_max - quarters);
        placement->first_slot = placement->first_slot == SIZE_MAX ? t : placement->first_slot;
        placement->last_slot = t;
        *io_left_s -=
            hs_search_slot_s(elastic->search, t) * quarters / (double)elastic->job->share_max;
    }
}

/* The cheapest way through the blocks that @fits. @return its cost, or INFINITY */
static double find_path(struct elastic *elastic, const bool *fits,
                        struct hs_placement *ret_placement)
{
    const struct hs_place_job *job = elastic->job;
    size_t row = elastic->n_units + 1;
    double left_s = job->remaining_s;
    size_t k = elastic->n_units;
    bool runs = elastic->is_running;

    for (size_t i = 0; i < 2 * row; i++) {
        elastic->idle[i] = elastic->busy[i] = i % row == 0 ? 0.0 : (double)INFINITY;
    }
    for (size_t b = elastic->n_blocks; b-- > 0;) {
        step_back(elastic, b, block_fits(&elastic->blocks[b], fits));
    }
    double cost_cur = runs ? elastic->busy[k] : elastic->idle[k];

    *ret_placement = hs_search_no_offer.placement;
    ret_placement->job_id = job->job_id;
    for (size_t b = 0; b < elastic->n_blocks && k > 0 && isfinite(cost_cur); b++) {
        const struct choice *choice = &elastic->choices[b * row + k];
        unsigned quarters = runs ? choice->busy : choice->idle;
        size_t done = elastic->blocks[b].units[quarters];

        runs = quarters > 0;
        if (runs) {
            set_block(elastic, &elastic->blocks[b], quarters, &left_s, ret_placement);
            k -= done < k ? done : k;
        }
    }
    ret_placement->held_slot = hs_search_held_from(job, ret_placement->first_slot);
    return ret_placement->first_slot != SIZE_MAX ? cost_cur : (double)INFINITY;
}

/* --- hosts --- */

/* A host of the kind that can carry all of @ideal. */
static bool find_host(const struct elastic *elastic, struct hs_placement *ideal)
{
    const struct hs_search *search = elastic->search;
    bool fits[HS_PLAN_SLOTS_MAX];

    for (size_t i = 0; i < elastic->kind->n_hosts; i++) {
        size_t h = elastic->kind->hosts[i];

        if (!hs_search_may_use_host(search, h, elastic->job)
            || hs_fit_get_row(search->fit, h)[ideal->first_slot] < elastic->job->size.vcpus) {
            continue;
        }
        ideal->host_idx = h;
        hs_fit_fill(search->fit, h, &elastic->job->size, ideal->first_slot, true, fits);
        if (hs_search_placement_fits(search, elastic->job, ideal, fits)) {
            return true;
        }
    }
    return false;
}

/* The cheapest path that one of the first few hosts can carry by itself. */
static bool find_own(struct elastic *elastic, struct hs_placement *ret_placement)
{
    const struct hs_search *search = elastic->search;
    double best_cur = INFINITY;
    size_t n_tried = 0;

    for (size_t i = 0; i < elastic->kind->n_hosts && n_tried < OWN_PATHS_MAX; i++) {
        bool fits[HS_PLAN_SLOTS_MAX];
        struct hs_placement own;
        size_t h = elastic->kind->hosts[i];

        if (!hs_search_may_use_host(search, h, elastic->job)) {
            continue;
        }
        n_tried++;
        hs_fit_fill(search->fit, h, &elastic->job->size, elastic->blocks[0].first, true, fits);
        double cost_cur = find_path(elastic, fits, &own);

        own.host_idx = h;
        if (cost_cur < best_cur && hs_search_placement_fits(search, elastic->job, &own, fits)) {
            best_cur = cost_cur;
            *ret_placement = own;
        }
    }
    return isfinite(best_cur);
}

/* Is there time for all of it, were every block free? */
static bool is_enough(const struct elastic *elastic)
{
    size_t most = 0;

    for (size_t b = 0; b < elastic->n_blocks; b++) {
        most += elastic->blocks[b].units[elastic->job->share_max];
    }
    return most >= elastic->n_units;
}

static void search_kind(struct elastic *elastic, double max_cur, struct hs_search_offer *ret_offer)
{
    const struct hs_search *search = elastic->search;
    const struct hs_place_job *job = elastic->job;
    const int32_t *free_vcpus = hs_search_room(search, elastic->kind, job);
    bool fits[HS_PLAN_SLOTS_MAX];
    struct hs_placement placement;

    *ret_offer = hs_search_no_offer;
    for (size_t t = elastic->blocks[0].first; t < search->n_slots; t++) {
        fits[t] = free_vcpus[t] >= job->size.vcpus;
    }
    double ideal_cur = find_path(elastic, fits, &placement);

    if (!isfinite(ideal_cur)
        || (!find_host(elastic, &placement) && !find_own(elastic, &placement))) {
        return;
    }
    double cost_cur = hs_search_price_placement(search, elastic->kind, job, &placement);

    if (cost_cur < max_cur) {
        ret_offer->placement = placement;
        ret_offer->placement.cost_cur = cost_cur;
        ret_offer->cost_cur = cost_cur;
    }
}

void hs_search_elastic(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                       size_t last, double max_cur, struct hs_search_offer *ret_offer)
{
    bool may_stop = job->freedom == HS_PLACE_INTERRUPTIBLE;

    *ret_offer = hs_search_no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t k = 0; k < search->kinds->n; k++) {
        struct hs_search_offer offer;
        struct elastic elastic = {
            .search = search,
            .kind = &search->kinds->items[k],
            .job = job,
            .is_running = (job->is_running || job->freedom == HS_PLACE_FIXED) && first == 0,
            .must_run_first = (job->must_run_now || job->freedom == HS_PLACE_FIXED) && first == 0,
        };

        if (!hs_search_may_use(search, elastic.kind, job)) {
            continue;
        }
        elastic.stop_cur =
            may_stop ? hs_search_price_stop(search, elastic.kind, job, first) : (double)INFINITY;
        cut_blocks(&elastic, first, last);
        if (!is_enough(&elastic)) {
            continue;
        }
        size_t row = elastic.n_units + 1;
        HS_AUTO_MEM struct choice *choices =
            hs_xcalloc(elastic.n_blocks * row, sizeof(struct choice));
        HS_AUTO_MEM double *costs = hs_xcalloc(4 * row, sizeof(double));

        elastic.choices = choices;
        elastic.idle = costs;
        elastic.busy = costs + 2 * row;
        search_kind(&elastic, fmin(max_cur, ret_offer->cost_cur), &offer);
        if (offer.cost_cur < ret_offer->cost_cur) {
            *ret_offer = offer;
        }
    }
}
