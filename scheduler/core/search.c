/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search - see search.h.
 *
 * A contiguous start is priced exactly: the tank is run forward with the job's heat and the rest
 * of the horizon read off the value function. Interruptible work is priced slot by slot (each
 * slot's heat alone), which is exact while its slots do not share a tank's ceiling or floor; the
 * cheapest slots, stops counted, are a shortest path (slotpath.h); the result is priced once more
 * as a whole.
 */
#include "scheduler/core/search.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/slotpath.h"

/* A stop costs as much as five minutes of the job's electricity: the guest's caches, the people's
 * trust. Less than that is not worth a change. */
#define STOP_COST_S 300.0

static const struct hs_search_offer no_offer = {
    .placement = {.host_idx = SIZE_MAX, .first_slot = SIZE_MAX, .last_slot = SIZE_MAX},
    .cost_cur = INFINITY,
};

double hs_search_slot_s(const struct hs_search *search, size_t t)
{
    if (t > 0) {
        return (double)search->slot_s;
    }
    return (double)(search->from_at_s + search->slot_s - search->now_at_s);
}

double hs_search_start_at_s(const struct hs_search *search, size_t t)
{
    return t == 0 ? (double)search->now_at_s
                  : (double)search->from_at_s + (double)t * (double)search->slot_s;
}

static void set_slot(struct hs_placement *placement, size_t t)
{
    placement->slots[t / 64] |= UINT64_C(1) << (t % 64);
}

/* A machine that is there already holds its memory from now on, whenever it runs again. */
static size_t held_from(const struct hs_place_job *job, size_t first_slot)
{
    return job->host_idx != SIZE_MAX ? 0 : first_slot;
}

/* Slots a run of @run_s takes from @start on, cut at the horizon. */
static size_t count_slots(const struct hs_search *search, size_t start, double run_s)
{
    double left_s = run_s - hs_search_slot_s(search, start);
    size_t n = 1;

    if (left_s > 0) {
        n += (size_t)ceil(left_s / (double)search->slot_s - 1e-9);
    }
    return start + n > search->n_slots ? search->n_slots - start : n;
}

static double job_elec_w(const struct hs_search_kind *kind, const struct hs_place_job *job)
{
    return kind->elec_w_per_vcpu * job->size.vcpus;
}

static const struct hs_search_kind *kind_of(const struct hs_search *search, size_t host_idx)
{
    for (size_t k = 0; k < search->n_kinds; k++) {
        for (size_t i = 0; i < search->kinds[k].n_hosts; i++) {
            if (search->kinds[k].hosts[i] == host_idx) {
                return &search->kinds[k];
            }
        }
    }
    return NULL;
}

/* IT energy that @placement takes in each of its slots; the sum. */
static double fill_placement(const struct hs_search *search, const struct hs_search_kind *kind,
                             const struct hs_place_job *job, const struct hs_placement *placement,
                             double *ret_it_wh)
{
    double left_s = job->remaining_s;
    double sum_wh = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double run_s = 0.0;

        if (hs_plan_runs(placement, t)) {
            run_s = fmin(left_s, hs_search_slot_s(search, t));
            left_s -= run_s;
        }
        ret_it_wh[t] = hs_wh_from_w(job_elec_w(kind, job), run_s);
        sum_wh += ret_it_wh[t];
    }
    return sum_wh;
}

double hs_search_heat(const struct hs_search *search, const struct hs_place_job *job,
                      const struct hs_placement *placement, double *ret_wh)
{
    const struct hs_search_kind *kind = kind_of(search, placement->host_idx);
    double it_wh = fill_placement(search, kind, job, placement, ret_wh);

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        ret_wh[t] *= kind->capture_ratio;
    }
    return it_wh;
}

static bool may_use(const struct hs_search_kind *kind, const struct hs_place_job *job)
{
    return job->site_allowed == NULL || job->site_allowed[kind->site_idx];
}

static bool may_use_host(const struct hs_search *search, size_t host_idx,
                         const struct hs_place_job *job)
{
    return !search->barred[host_idx] && (job->host_idx == SIZE_MAX || job->host_idx == host_idx)
           && hs_fit_check_ever(search->fit, host_idx, &job->size);
}

/* What waiting until @end_at_s costs: a day of it is waiting_weight of the job's electricity. */
static double price_waiting(const struct hs_search *search, const struct hs_place_job *job,
                            double end_at_s, double elec_cur)
{
    double soonest_at_s =
        fmax((double)search->now_at_s, (double)job->earliest_at_s) + job->remaining_s;
    double late_s = fmax(0.0, end_at_s - soonest_at_s);

    return search->waiting_weight * fabs(elec_cur) * late_s / HS_S_PER_DAY;
}

/* One stop with work left, at the price of slot @t. */
static double price_stop(const struct hs_search *search, const struct hs_search_kind *kind,
                         const struct hs_place_job *job, size_t t)
{
    double elec_cur_per_mwh = search->elec_cur_per_mwh[kind->site_idx * search->n_slots + t];

    double stop_s = fmax(STOP_COST_S, search->suspend_s);

    return hs_cur_from_wh(hs_wh_from_w(job_elec_w(kind, job), stop_s), fabs(elec_cur_per_mwh));
}

/* --- contiguous --- */

/* For each start slot the tightest host of @kind that fits all the way, SIZE_MAX if none. */
static void find_hosts(const struct hs_search *search, const struct hs_search_kind *kind,
                       const struct hs_place_job *job, size_t first, size_t last, size_t *ret_hosts)
{
    int32_t best_free[HS_PLAN_SLOTS_MAX];
    size_t need[HS_PLAN_SLOTS_MAX];
    bool fits[HS_PLAN_SLOTS_MAX];
    size_t end = first; /* no run that starts by @last reaches further */

    for (size_t s = first; s <= last; s++) {
        ret_hosts[s] = SIZE_MAX;
        best_free[s] = INT32_MAX;
        need[s] = count_slots(search, s, job->remaining_s);
        end = s + need[s];
    }
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];
        size_t room = 0; /* slots that fit from t on without a break */

        if (!may_use_host(search, h, job)) {
            continue;
        }
        hs_fit_fill(search->fit, h, &job->size, first, true, fits);
        for (size_t t = end; t-- > first;) {
            room = fits[t] ? room + 1 : 0;
            if (t <= last && room >= need[t]
                && hs_fit_get_vcpus(search->fit, h, t) < best_free[t]) {
                best_free[t] = hs_fit_get_vcpus(search->fit, h, t);
                ret_hosts[t] = h;
            }
        }
    }
}

/* Fill @run_wh [n] with what a run from @start takes; returns the number of slots. */
static size_t fill_run(const struct hs_search *search, const struct hs_place_job *job,
                       double elec_w, size_t start, double *run_wh)
{
    double left_s = job->remaining_s;
    size_t n = 0;

    for (size_t t = start; t < search->n_slots && left_s > 1e-9; t++) {
        double run_s = fmin(left_s, hs_search_slot_s(search, t));

        run_wh[n++] = hs_wh_from_w(elec_w, run_s);
        left_s -= run_s;
    }
    return n;
}

static double price_run(const struct hs_search *search, const struct hs_search_kind *kind,
                        const struct hs_place_job *job, size_t start)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    double run_wh[HS_PLAN_SLOTS_MAX];
    size_t n = fill_run(search, job, job_elec_w(kind, job), start, run_wh);
    double elec_cur = 0.0;

    for (size_t i = 0; i < n; i++) {
        elec_cur += hs_cur_from_wh(run_wh[i], elec[start + i]);
        run_wh[i] *= kind->capture_ratio;
    }
    double end_at_s = hs_search_start_at_s(search, start) + job->remaining_s;
    double stop_cur = job->is_running && start > 0 ? price_stop(search, kind, job, 0) : 0.0;

    return elec_cur + stop_cur + price_waiting(search, job, end_at_s, elec_cur)
           - hs_thermal_get_run_worth(search->thermals[kind->loop_idx], start, run_wh, n);
}

static void set_run(const struct hs_search *search, const struct hs_place_job *job, size_t host_idx,
                    size_t start, double cost_cur, struct hs_search_offer *ret_offer)
{
    size_t n = count_slots(search, start, job->remaining_s);

    *ret_offer = no_offer;
    ret_offer->cost_cur = cost_cur;
    ret_offer->placement.job_id = job->job_id;
    ret_offer->placement.host_idx = host_idx;
    ret_offer->placement.held_slot = held_from(job, start);
    ret_offer->placement.first_slot = start;
    ret_offer->placement.last_slot = start + n - 1;
    ret_offer->placement.cost_cur = cost_cur;
    for (size_t t = start; t < start + n; t++) {
        set_slot(&ret_offer->placement, t);
    }
}

void hs_search_contiguous(const struct hs_search *search, const struct hs_place_job *job,
                          size_t first, size_t last, struct hs_search_offer *ret_offer)
{
    size_t hosts[HS_PLAN_SLOTS_MAX];

    *ret_offer = no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t k = 0; k < search->n_kinds; k++) {
        const struct hs_search_kind *kind = &search->kinds[k];

        if (!may_use(kind, job)) {
            continue;
        }
        find_hosts(search, kind, job, first, last, hosts);
        for (size_t s = first; s <= last; s++) {
            if (hosts[s] == SIZE_MAX) {
                continue;
            }
            double cost_cur = price_run(search, kind, job, s);

            if (cost_cur < ret_offer->cost_cur) {
                set_run(search, job, hosts[s], s, cost_cur, ret_offer);
            }
        }
    }
}

void hs_search_earliest(const struct hs_search *search, const struct hs_place_job *job,
                        size_t first, struct hs_search_offer *ret_offer)
{
    size_t hosts[HS_PLAN_SLOTS_MAX];
    size_t soonest = search->n_slots;

    *ret_offer = no_offer;
    for (size_t k = 0; k < search->n_kinds && first < search->n_slots; k++) {
        if (may_use(&search->kinds[k], job)) {
            find_hosts(search, &search->kinds[k], job, first, search->n_slots - 1, hosts);
            for (size_t s = first; s < soonest; s++) {
                soonest = hosts[s] != SIZE_MAX ? s : soonest;
            }
        }
    }
    if (soonest < search->n_slots) {
        hs_search_contiguous(search, job, soonest, soonest, ret_offer);
    }
}

/* --- interruptible --- */

/* Cut @first..@last into blocks of the minimum run and price each on @kind by itself. */
static size_t cut_blocks(const struct hs_search *search, const struct hs_search_kind *kind,
                         const struct hs_place_job *job, size_t first, size_t last,
                         struct hs_slotpath_block *ret_blocks)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    size_t per_block = (size_t)ceil((double)job->min_run_s / (double)search->slot_s);
    double elec_w = job_elec_w(kind, job);
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
        block.cost_cur += price_waiting(
            search, job, hs_search_start_at_s(search, t) + job->remaining_s, block.cost_cur);
        block.cost_cur -=
            hs_thermal_get_run_worth(search->thermals[kind->loop_idx], t, heat_wh, block.n);
        ret_blocks[n_blocks++] = block;
    }
    return n_blocks;
}

static void set_taken(const struct hs_place_job *job, size_t host_idx,
                      const struct hs_slotpath_block *blocks, size_t n_blocks, const bool *taken,
                      struct hs_placement *ret_placement)
{
    *ret_placement = no_offer.placement;
    ret_placement->job_id = job->job_id;
    ret_placement->host_idx = host_idx;
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t t = blocks[b].first; taken[b] && t < blocks[b].first + blocks[b].n; t++) {
            set_slot(ret_placement, t);
            ret_placement->first_slot =
                ret_placement->first_slot == SIZE_MAX ? t : ret_placement->first_slot;
            ret_placement->last_slot = t;
        }
    }
    ret_placement->held_slot = held_from(job, ret_placement->first_slot);
}

/* The whole placement's exact cost: what the slots are worth together. */
static double price_placement(const struct hs_search *search, const struct hs_search_kind *kind,
                              const struct hs_place_job *job, const struct hs_placement *placement)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    double heat_wh[HS_PLAN_SLOTS_MAX];
    double elec_cur = 0.0;
    double stop_cur = 0.0;
    size_t first = placement->first_slot;
    size_t n = placement->last_slot - first + 1;

    (void)fill_placement(search, kind, job, placement, heat_wh);
    stop_cur += job->is_running && first > 0 ? price_stop(search, kind, job, 0) : 0.0;
    for (size_t t = first; t < first + n; t++) {
        elec_cur += hs_cur_from_wh(heat_wh[t], elec[t]);
        heat_wh[t] *= kind->capture_ratio;
        if (t > first && hs_plan_runs(placement, t - 1) && !hs_plan_runs(placement, t)) {
            stop_cur += price_stop(search, kind, job, t);
        }
    }
    double end_at_s = hs_search_start_at_s(search, placement->last_slot)
                      + hs_search_slot_s(search, placement->last_slot);

    return elec_cur + stop_cur + price_waiting(search, job, end_at_s, elec_cur)
           - hs_thermal_get_run_worth(search->thermals[kind->loop_idx], first, &heat_wh[first], n);
}

static bool placement_fits(const struct hs_search *search, const struct hs_place_job *job,
                           const struct hs_placement *placement, const bool *fits)
{
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (hs_plan_runs(placement, t) && !fits[t]) {
            return false;
        }
    }
    return hs_fit_check_memory(search->fit, placement->host_idx, &job->size, placement->held_slot,
                               placement->last_slot);
}

/* Slots in which some host of @kind fits; true if any host may be used at all. */
static bool fill_any(const struct hs_search *search, const struct hs_search_kind *kind,
                     const struct hs_place_job *job, size_t first, bool *ret_any)
{
    bool fits[HS_PLAN_SLOTS_MAX];
    bool found = false;

    memset(ret_any, 0, search->n_slots * sizeof(bool));
    for (size_t i = 0; i < kind->n_hosts; i++) {
        if (may_use_host(search, kind->hosts[i], job)) {
            hs_fit_fill(search->fit, kind->hosts[i], &job->size, first, true, fits);
            for (size_t t = first; t < search->n_slots; t++) {
                ret_any[t] |= fits[t];
            }
            found = true;
        }
    }
    return found;
}

/* Best offer on @kind: the kind's ideal if one host can carry it, else the best single host. */
static void search_kind(const struct hs_search *search, const struct hs_search_kind *kind,
                        const struct hs_place_job *job, const struct hs_slotpath_block *blocks,
                        size_t n_blocks, struct hs_search_offer *ret_offer)
{
    size_t first = blocks[0].first;
    bool fits[HS_PLAN_SLOTS_MAX];
    bool taken[HS_PLAN_SLOTS_MAX] = {0};
    struct hs_slotpath path = {
        .blocks = blocks,
        .n_blocks = n_blocks,
        .fits = fits,
        .stop_cur = price_stop(search, kind, job, first),
        .is_running = job->is_running && first == 0,
        .must_run_first = job->must_run_now && first == 0,
    };
    struct hs_placement ideal;

    *ret_offer = no_offer;
    if (!fill_any(search, kind, job, first, fits)) {
        return;
    }
    double ideal_cur = hs_slotpath_find(&path, job->remaining_s, taken);

    if (!isfinite(ideal_cur)) {
        return;
    }
    set_taken(job, SIZE_MAX, blocks, n_blocks, taken, &ideal);
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];

        if (!may_use_host(search, h, job)) {
            continue;
        }
        hs_fit_fill(search->fit, h, &job->size, first, true, fits);
        ideal.host_idx = h;
        if (placement_fits(search, job, &ideal, fits)) {
            ret_offer->placement = ideal;
            ret_offer->cost_cur = ideal_cur;
            return;
        }
    }
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];
        struct hs_placement own;

        if (!may_use_host(search, h, job)) {
            continue;
        }
        hs_fit_fill(search->fit, h, &job->size, first, true, fits);
        memset(taken, 0, sizeof(taken));
        double cost_cur = hs_slotpath_find(&path, job->remaining_s, taken);

        if (cost_cur < ret_offer->cost_cur) {
            set_taken(job, h, blocks, n_blocks, taken, &own);
            if (placement_fits(search, job, &own, fits)) {
                ret_offer->placement = own;
                ret_offer->cost_cur = cost_cur;
            }
        }
    }
}

void hs_search_interruptible(const struct hs_search *search, const struct hs_place_job *job,
                             size_t first, size_t last, struct hs_search_offer *ret_offer)
{
    struct hs_slotpath_block blocks[HS_PLAN_SLOTS_MAX];

    *ret_offer = no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t k = 0; k < search->n_kinds; k++) {
        const struct hs_search_kind *kind = &search->kinds[k];
        struct hs_search_offer offer;

        if (!may_use(kind, job)) {
            continue;
        }
        size_t n_blocks = cut_blocks(search, kind, job, first, last, blocks);

        search_kind(search, kind, job, blocks, n_blocks, &offer);
        if (offer.placement.host_idx == SIZE_MAX) {
            continue;
        }
        offer.cost_cur = price_placement(search, kind, job, &offer.placement);
        offer.placement.cost_cur = offer.cost_cur;
        if (offer.cost_cur < ret_offer->cost_cur) {
            *ret_offer = offer;
        }
    }
}

/* --- what the last plan promised --- */

/* The slots of @last that still lie ahead, counted from this horizon's start. */
static bool move_on(const struct hs_search *search, const struct hs_place_job *job,
                    struct hs_placement *ret_placement)
{
    size_t gone = (size_t)((search->from_at_s - job->last_from_at_s) / search->slot_s);

    *ret_placement = no_offer.placement;
    ret_placement->job_id = job->job_id;
    ret_placement->host_idx = job->last->host_idx;
    for (size_t t = 0; t + gone < HS_PLAN_SLOTS_MAX && t < search->n_slots; t++) {
        if (hs_plan_runs(job->last, t + gone)) {
            set_slot(ret_placement, t);
            ret_placement->first_slot =
                ret_placement->first_slot == SIZE_MAX ? t : ret_placement->first_slot;
            ret_placement->last_slot = t;
        }
    }
    ret_placement->held_slot = held_from(job, ret_placement->first_slot);
    return ret_placement->first_slot != SIZE_MAX;
}

/* Does the work fit into its slots, and is it done by its due time? */
static bool ends_in_time(const struct hs_search *search, const struct hs_place_job *job,
                         const struct hs_placement *placement)
{
    double left_s = job->remaining_s;

    for (size_t t = placement->first_slot; t <= placement->last_slot && left_s > 0; t++) {
        if (hs_plan_runs(placement, t)) {
            double run_s = fmin(left_s, hs_search_slot_s(search, t));

            left_s -= run_s;
            if (hs_search_start_at_s(search, t) + run_s > (double)job->due_at_s) {
                return false;
            }
        }
    }
    return left_s < 1.0;
}

void hs_search_last(const struct hs_search *search, const struct hs_place_job *job,
                    struct hs_search_offer *ret_offer)
{
    bool fits[HS_PLAN_SLOTS_MAX];
    struct hs_placement moved;

    *ret_offer = no_offer;
    if (job->last == NULL || job->last->host_idx == SIZE_MAX || !move_on(search, job, &moved)
        || !may_use_host(search, moved.host_idx, job) || !ends_in_time(search, job, &moved)) {
        return;
    }
    hs_fit_fill(search->fit, moved.host_idx, &job->size, 0, true, fits);
    if (placement_fits(search, job, &moved, fits)) {
        ret_offer->placement = moved;
        ret_offer->cost_cur = price_placement(search, kind_of(search, moved.host_idx), job, &moved);
        ret_offer->placement.cost_cur = ret_offer->cost_cur;
    }
}
