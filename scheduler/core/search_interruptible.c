/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search_interruptible - in which stretches work that may stop costs least.
 *
 * Priced slot by slot, which is exact while its slots do not share a tank's ceiling or floor; the
 * cheapest slots, stops counted, are a shortest path (slotpath.h); the result is priced once more
 * as a whole.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"
#include "scheduler/core/slotpath.h"

#define OWN_PATHS_MAX 3 /* hosts that get a path of their own where none carries the ideal */

/* A window cut into stretches of the minimum run, each taken or left as a whole. */
struct blocks {
    size_t first; /* slot */
    size_t last;
    size_t per_block; /* slots; the last block may have fewer */
    size_t n;
    float run_s[HS_PLAN_SLOTS_MAX];
    float cost_cur[HS_PLAN_SLOTS_MAX];
    float fits_cur[HS_PLAN_SLOTS_MAX]; /* the same, INFINITY where it does not fit */
};

/* --- blocks --- */

static void cut_blocks(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                       size_t last, struct blocks *ret_blocks)
{
    size_t per_block = (size_t)((job->min_run_s + search->slot_s - 1) / search->slot_s);
    size_t n_slots = last - first + 1;

    ret_blocks->first = first;
    ret_blocks->last = last;
    ret_blocks->per_block = per_block = per_block > 0 ? per_block : 1;
    ret_blocks->n = (n_slots + per_block - 1) / per_block;
    for (size_t b = 0; b < ret_blocks->n; b++) {
        size_t begin = b * per_block;
        size_t n = begin + per_block <= n_slots ? per_block : n_slots - begin;

        ret_blocks->run_s[b] = (float)((double)n * (double)search->slot_s);
    }
    if (first == 0) {
        ret_blocks->run_s[0] -= (float)((double)search->slot_s - hs_search_slot_s(search, 0));
    }
}

/* What slots @first..@last cost on @kind by themselves, ret_cost_cur[0] for @first. */
static void price_slots(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t first, size_t last,
                        float *restrict ret_cost_cur)
{
    const struct hs_thermal *thermal = search->thermals[kind->loop_idx];
    double elec_w = hs_search_elec_w(kind, job);
    double waited_s =
        (double)search->from_at_s - fmax((double)search->now_at_s, (double)job->earliest_at_s);
    double wait_per_s = elec_w * search->waiting_weight / HS_S_PER_DAY;
    const double *restrict net = kind->net_cur_per_w;
    const double *restrict elec = kind->elec_cur_per_w;

    for (size_t t = first; t <= last; t++) {
        double bought = elec[t + 1] - elec[t];
        double late_s = waited_s + (double)t * (double)search->slot_s;

        bought = bought < 0 ? -bought : bought;
        late_s = late_s > 0 ? late_s : 0.0;
        ret_cost_cur[t - first] =
            (float)(elec_w * (net[t + 1] - net[t]) + wait_per_s * bought * late_s);
    }
    for (size_t t = first; search->is_thorough && !search->is_guided && t <= last; t++) {
        double heat_wh = hs_wh_from_w(elec_w * kind->capture_ratio, hs_search_slot_s(search, t));
        double by_price_cur = elec_w * (elec[t + 1] - elec[t] - net[t + 1] + net[t]);

        ret_cost_cur[t - first] +=
            (float)(by_price_cur - hs_thermal_get_worth(thermal, t, heat_wh));
    }
}

static void price_blocks(const struct hs_search *search, const struct hs_kind *kind,
                         const struct hs_place_job *job, struct blocks *io_blocks)
{
    float slot_cur[HS_PLAN_SLOTS_MAX];
    size_t n_slots = io_blocks->last - io_blocks->first + 1;

    if (io_blocks->per_block == 1) {
        price_slots(search, kind, job, io_blocks->first, io_blocks->last, io_blocks->cost_cur);
        return;
    }
    price_slots(search, kind, job, io_blocks->first, io_blocks->last, slot_cur);
    for (size_t b = 0; b < io_blocks->n; b++) {
        size_t begin = b * io_blocks->per_block;

        io_blocks->cost_cur[b] = 0.0F;
        for (size_t i = begin; i < begin + io_blocks->per_block && i < n_slots; i++) {
            io_blocks->cost_cur[b] += slot_cur[i];
        }
    }
}

/* Blocks whose slots do not all have @vcpus free cost INFINITY. */
static void bar_full(struct blocks *io_blocks, const int32_t *free_vcpus, int32_t vcpus)
{
    const int32_t *restrict room = &free_vcpus[io_blocks->first];
    size_t n_slots = io_blocks->last - io_blocks->first + 1;

    if (io_blocks->per_block == 1) {
        for (size_t i = 0; i < n_slots; i++) {
            io_blocks->fits_cur[i] = room[i] >= vcpus ? io_blocks->cost_cur[i] : (float)INFINITY;
        }
        return;
    }
    memcpy(io_blocks->fits_cur, io_blocks->cost_cur, io_blocks->n * sizeof(float));
    for (size_t i = 0; i < n_slots; i++) {
        if (room[i] < vcpus) {
            io_blocks->fits_cur[i / io_blocks->per_block] = INFINITY;
        }
    }
}

/* The same by everything that a host has, for a job that may go nowhere else. */
static void bar_unfit(const struct hs_search *search, const struct hs_place_job *job,
                      size_t host_idx, struct blocks *io_blocks)
{
    bool fits[HS_PLAN_SLOTS_MAX];

    hs_fit_fill(search->fit, host_idx, &job->size, io_blocks->first, true, fits);
    memcpy(io_blocks->fits_cur, io_blocks->cost_cur, io_blocks->n * sizeof(float));
    for (size_t t = io_blocks->first; t <= io_blocks->last; t++) {
        if (!fits[t]) {
            io_blocks->fits_cur[(t - io_blocks->first) / io_blocks->per_block] = INFINITY;
        }
    }
}

/* The least that the work can cost here: all of it in the cheapest block. */
static double find_least_cur(const struct blocks *blocks, double remaining_s)
{
    float least_cur = INFINITY;

    for (size_t b = 0; b < blocks->n; b++) {
        least_cur = blocks->fits_cur[b] < least_cur ? blocks->fits_cur[b] : least_cur;
    }
    return (double)least_cur * ceil(remaining_s / (double)blocks->run_s[blocks->n > 1]);
}

/* --- paths --- */

/* The slots of a path, ascending. */
struct choice {
    uint8_t slots[HS_PLAN_SLOTS_MAX];
    size_t n;
};

static bool find_path(const struct hs_search *search, const struct hs_kind *kind,
                      const struct hs_place_job *job, const struct blocks *blocks,
                      struct choice *ret_choice)
{
    bool taken[HS_PLAN_SLOTS_MAX];
    struct hs_slotpath path = {
        .cost_cur = blocks->fits_cur,
        .run_s = blocks->run_s,
        .n_blocks = blocks->n,
        .stop_cur = (float)hs_search_price_stop(search, kind, job, blocks->first),
        .is_running = job->is_running && blocks->first == 0,
        .must_run_first = job->must_run_now && blocks->first == 0,
    };

    double left_s = job->remaining_s;

    ret_choice->n = 0;
    if (!isfinite(hs_slotpath_find(&path, job->remaining_s, taken))) {
        return false;
    }
    for (size_t b = 0; b < blocks->n; b++) {
        size_t begin = blocks->first + b * blocks->per_block;
        size_t end = begin + blocks->per_block;

        end = end <= blocks->last ? end : blocks->last + 1;
        /* the last block is left when the work is done */
        for (size_t t = begin; taken[b] && t < end && left_s > HS_SEARCH_DONE_S; t++) {
            ret_choice->slots[ret_choice->n++] = (uint8_t)t;
            left_s -= hs_search_slot_s(search, t);
        }
    }
    return ret_choice->n > 0;
}

/* Price @choice on @host_idx exactly and take it if it is better. */
static void offer(const struct hs_search *search, const struct hs_kind *kind,
                  const struct hs_place_job *job, size_t host_idx, const struct choice *choice,
                  struct hs_search_offer *io_offer)
{
    struct hs_placement placement = {
        .job_id = job->job_id,
        .host_idx = host_idx,
        .first_slot = choice->slots[0],
        .last_slot = choice->slots[choice->n - 1],
        .held_slot = hs_search_held_from(job, choice->slots[0]),
    };

    for (size_t i = 0; i < choice->n; i++) {
        hs_search_set_slot(&placement, choice->slots[i]);
    }
    placement.cost_cur = hs_search_price_placement(search, kind, job, &placement);
    if (placement.cost_cur < io_offer->cost_cur) {
        io_offer->cost_cur = placement.cost_cur;
        io_offer->placement = placement;
    }
}

/* How many of @choice's slots host @host_idx has the vCPUs for. */
static size_t count_fitting(const struct hs_search *search, const struct hs_place_job *job,
                            const struct choice *choice, size_t host_idx)
{
    const int32_t *free_vcpus = hs_fit_get_row(search->fit, host_idx);
    size_t n = 0;

    for (size_t i = 0; i < choice->n; i++) {
        n += free_vcpus[choice->slots[i]] >= job->size.vcpus;
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
                         const struct hs_place_job *job, const struct choice *ideal,
                         size_t *ret_hosts, bool *ret_has_ideal)
{
    size_t counts[OWN_PATHS_MAX] = {0};
    size_t held = hs_search_held_from(job, ideal->slots[0]);
    size_t n = 0;

    *ret_has_ideal = false;
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];

        if (!hs_search_may_use_host(search, h, job)) {
            continue;
        }
        size_t count = count_fitting(search, job, ideal, h);

        if (count == ideal->n
            && hs_fit_check_slots(search->fit, h, &job->size, held, ideal->slots, ideal->n)) {
            *ret_has_ideal = true;
            ret_hosts[0] = h;
            return 1;
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

/* Better than @io_offer on @kind: the kind's ideal if one host can carry it, else the best own. */
static void search_kind(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, struct blocks *blocks,
                        struct hs_search_offer *io_offer)
{
    struct choice ideal;
    size_t hosts[OWN_PATHS_MAX];
    bool has_ideal;

    if (!find_path(search, kind, job, blocks, &ideal)) {
        return;
    }
    size_t n_hosts = rank_hosts(search, kind, job, &ideal, hosts, &has_ideal);

    if (has_ideal) {
        offer(search, kind, job, hosts[0], &ideal, io_offer);
        return;
    }
    for (size_t i = 0; i < n_hosts; i++) {
        struct choice own;

        bar_unfit(search, job, hosts[i], blocks);
        if (find_path(search, kind, job, blocks, &own)
            && hs_fit_check_memory(search->fit, hosts[i], &job->size,
                                   hs_search_held_from(job, own.slots[0]), own.slots[own.n - 1])) {
            offer(search, kind, job, hosts[i], &own, io_offer);
        }
    }
}

void hs_search_interruptible(const struct hs_search *search, const struct hs_place_job *job,
                             size_t first, size_t last, struct hs_search_offer *ret_offer)
{
    struct blocks blocks;
    const struct hs_kind *kind;
    size_t n = 0;

    *ret_offer = hs_search_no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    cut_blocks(search, job, first, last < search->n_slots ? last : search->n_slots - 1, &blocks);
    for (size_t k = 0; k < search->kinds->n; k++) {
        kind = &search->kinds->items[k];
        if (hs_search_may_use(search, kind, job)) {
            price_blocks(search, kind, job, &blocks);
            bar_full(&blocks, hs_search_room(search, kind, job), job->size.vcpus);
            search->bids[n++] =
                (struct hs_search_bid){kind, find_least_cur(&blocks, job->remaining_s)};
        }
    }
    while ((kind = hs_search_next(search->bids, &n, ret_offer->cost_cur)) != NULL) {
        price_blocks(search, kind, job, &blocks);
        bar_full(&blocks, hs_search_room(search, kind, job), job->size.vcpus);
        search_kind(search, kind, job, &blocks, ret_offer);
    }
}
