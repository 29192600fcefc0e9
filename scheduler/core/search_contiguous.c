/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search_contiguous - where work that runs through costs least.
 *
 * Every start is priced by the difference of two sums of its kind's slot prices, which is no more
 * than it costs; those from the least up are asked for a host and priced exactly.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"

#define FULL_MAX  8  /* starts without a host before every host is looked at for all of them */
#define EXACT_MAX 16 /* starts priced exactly where there are many jobs to place */

/* A machine that is there holds its memory while it waits: is there room for that? */
static bool is_held_until(const struct hs_search *search, const struct hs_place_job *job,
                          size_t host_idx, size_t start)
{
    return hs_fit_check_memory(search->fit, host_idx, &job->size, hs_search_held_from(job, start),
                               start);
}

/* For each start slot the tightest host of @kind that fits all the way, SIZE_MAX if none. */
static void find_hosts(const struct hs_search *search, const struct hs_kind *kind,
                       const struct hs_place_job *job, size_t first, size_t last, size_t *ret_hosts)
{
    int32_t best_free[HS_PLAN_SLOTS_MAX];
    size_t need[HS_PLAN_SLOTS_MAX];
    bool fits[HS_PLAN_SLOTS_MAX];
    size_t end = first; /* no run that starts by @last reaches further */

    for (size_t s = first; s <= last; s++) {
        ret_hosts[s] = SIZE_MAX;
        best_free[s] = INT32_MAX;
        need[s] = hs_search_count_slots(search, s, job->remaining_s);
        end = s + need[s];
    }
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];
        size_t room = 0; /* slots that fit from t on without a break */

        if (!hs_search_may_use_host(search, h, job)) {
            continue;
        }
        hs_fit_fill(search->fit, h, &job->size, first, true, fits);
        for (size_t t = end; t-- > first;) {
            room = fits[t] ? room + 1 : 0;
            if (t <= last && room >= need[t] && hs_fit_get_vcpus(search->fit, h, t) < best_free[t]
                && is_held_until(search, job, h, t)) {
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

static double price_run(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t start)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    double run_wh[HS_PLAN_SLOTS_MAX];
    size_t n = fill_run(search, job, hs_search_elec_w(kind, job), start, run_wh);
    double elec_cur = 0.0;
    double seen_s = 0.0;

    for (size_t i = 0; i < n; i++) {
        seen_s += hs_search_slot_s(search, start + i);
        elec_cur += hs_cur_from_wh(run_wh[i], elec[start + i]);
        run_wh[i] *= kind->capture_ratio;
    }
    double end_at_s = hs_search_start_at_s(search, start) + job->remaining_s;
    double stop_cur =
        job->is_running && start > 0 ? hs_search_price_stop(search, kind, job, 0) : 0.0;

    double net_cur = elec_cur;
    double tail_cur = hs_search_price_tail(search, kind, job, seen_s, &elec_cur);

    return net_cur + tail_cur + stop_cur + hs_search_price_waiting(search, job, end_at_s, elec_cur)
           - hs_thermal_get_run_worth(search->thermals[kind->loop_idx], start, run_wh, n);
}

static void set_run(const struct hs_search *search, const struct hs_place_job *job, size_t host_idx,
                    size_t start, double cost_cur, struct hs_search_offer *ret_offer)
{
    size_t n = hs_search_count_slots(search, start, job->remaining_s);

    *ret_offer = hs_search_no_offer;
    ret_offer->cost_cur = cost_cur;
    ret_offer->placement.job_id = job->job_id;
    ret_offer->placement.host_idx = host_idx;
    ret_offer->placement.held_slot = hs_search_held_from(job, start);
    ret_offer->placement.first_slot = start;
    ret_offer->placement.last_slot = start + n - 1;
    ret_offer->placement.cost_cur = cost_cur;
    for (size_t t = start; t < start + n; t++) {
        hs_search_set_slot(&ret_offer->placement, t);
    }
}

/* --- by slot prices --- */

/* Sum of a run's prices: whole slots off the running sum, the last one by the hour. */
static double sum_run(const double *sum_cur_per_w, const struct hs_search *search, size_t start,
                      size_t n, double remaining_s)
{
    size_t last = start + n - 1;
    double before_s =
        n > 1 ? hs_search_slot_s(search, start) + (double)(n - 2) * (double)search->slot_s : 0.0;
    double last_s = hs_search_slot_s(search, last);
    double part = fmin(remaining_s - before_s, last_s) / last_s;

    return sum_cur_per_w[last] - sum_cur_per_w[start]
           + part * (sum_cur_per_w[last + 1] - sum_cur_per_w[last]);
}

static double price_by_slots(const struct hs_search *search, const struct hs_kind *kind,
                             const struct hs_place_job *job, size_t start, size_t n)
{
    double elec_w = hs_search_elec_w(kind, job);
    double elec_cur = elec_w * sum_run(kind->elec_cur_per_w, search, start, n, job->remaining_s);
    double end_at_s = hs_search_start_at_s(search, start) + job->remaining_s;
    double stop_cur =
        job->is_running && start > 0 ? hs_search_price_stop(search, kind, job, 0) : 0.0;

    double seen_s = hs_search_slot_s(search, start) + (double)(n - 1) * (double)search->slot_s;
    double tail_cur = hs_search_price_tail(search, kind, job, seen_s, &elec_cur);

    return elec_w * sum_run(kind->net_cur_per_w, search, start, n, job->remaining_s) + tail_cur
           + stop_cur + hs_search_price_waiting(search, job, end_at_s, elec_cur);
}

/* Costs of all starts in which some host has the vCPUs all the way; INFINITY for the others. */
static void price_starts(const struct hs_search *search, const struct hs_kind *kind,
                         const struct hs_place_job *job, size_t first, size_t last,
                         double *ret_cost_cur)
{
    size_t end = last + hs_search_count_slots(search, last, job->remaining_s);
    size_t room = 0; /* slots with room from t on without a break */
    const int32_t *free_vcpus = hs_search_room(search, kind, job);

    for (size_t t = end; t-- > first;) {
        size_t need = t <= last ? hs_search_count_slots(search, t, job->remaining_s) : SIZE_MAX;

        room = free_vcpus[t] >= job->size.vcpus ? room + 1 : 0;
        if (t <= last) {
            ret_cost_cur[t] = room >= need ? price_by_slots(search, kind, job, t, need) : INFINITY;
        }
    }
}

/* The tightest host of @kind that has room for a run, or SIZE_MAX. */
static size_t find_host(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t start, size_t n)
{
    size_t best = SIZE_MAX;
    int32_t best_free = INT32_MAX;

    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];
        int32_t free_vcpus = hs_fit_get_vcpus(search->fit, h, start);

        if (free_vcpus < best_free && free_vcpus >= job->size.vcpus
            && hs_search_may_use_host(search, h, job)
            && hs_fit_check_span(search->fit, h, &job->size, start, start + n - 1)
            && is_held_until(search, job, h, start)) {
            best = h;
            best_free = free_vcpus;
        }
    }
    return best;
}

/* Starts that no host can carry all the way are not worth a price. */
static void drop_full(const struct hs_search *search, const struct hs_kind *kind,
                      const struct hs_place_job *job, size_t first, size_t last, double *cost_cur)
{
    size_t hosts[HS_PLAN_SLOTS_MAX];

    find_hosts(search, kind, job, first, last, hosts);
    for (size_t s = first; s <= last; s++) {
        cost_cur[s] = hosts[s] == SIZE_MAX ? (double)INFINITY : cost_cur[s];
    }
}

/* Better than @io_offer on @kind, if there is: starts from the least that they may cost up. */
static void search_kind(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t first, size_t last,
                        struct hs_search_offer *io_offer)
{
    double cost_cur[HS_PLAN_SLOTS_MAX];
    size_t n_exact_max = search->is_thorough ? SIZE_MAX : EXACT_MAX;

    price_starts(search, kind, job, first, last, cost_cur);
    for (size_t n_full = 0, n_exact = 0; n_exact < n_exact_max;) {
        size_t best = first;

        for (size_t s = first + 1; s <= last; s++) {
            best = cost_cur[s] < cost_cur[best] ? s : best;
        }
        if (!(cost_cur[best] < io_offer->cost_cur)) {
            return;
        }
        size_t n = hs_search_count_slots(search, best, job->remaining_s);
        size_t host_idx = find_host(search, kind, job, best, n);

        cost_cur[best] = INFINITY;
        if (host_idx == SIZE_MAX) {
            if (++n_full == FULL_MAX) {
                drop_full(search, kind, job, first, last, cost_cur);
            }
            continue;
        }
        double exact_cur = price_run(search, kind, job, best);

        n_exact++;
        if (exact_cur < io_offer->cost_cur) {
            set_run(search, job, host_idx, best, exact_cur, io_offer);
        }
    }
}

void hs_search_contiguous(const struct hs_search *search, const struct hs_place_job *job,
                          size_t first, size_t last, struct hs_search_offer *ret_offer)
{
    *ret_offer = hs_search_no_offer;
    if (first >= search->n_slots || last < first || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t k = 0; k < search->kinds->n; k++) {
        const struct hs_kind *kind = &search->kinds->items[k];

        if (hs_search_may_use(search, kind, job)) {
            search_kind(search, kind, job, first, last, ret_offer);
        }
    }
}

void hs_search_earliest(const struct hs_search *search, const struct hs_place_job *job,
                        size_t first, struct hs_search_offer *ret_offer)
{
    size_t hosts[HS_PLAN_SLOTS_MAX];
    size_t soonest = search->n_slots;

    *ret_offer = hs_search_no_offer;
    for (size_t k = 0; k < search->kinds->n && first < search->n_slots; k++) {
        if (hs_search_may_use(search, &search->kinds->items[k], job)) {
            find_hosts(search, &search->kinds->items[k], job, first, search->n_slots - 1, hosts);
            for (size_t s = first; s < soonest; s++) {
                soonest = hosts[s] != SIZE_MAX ? s : soonest;
            }
        }
    }
    if (soonest < search->n_slots) {
        hs_search_contiguous(search, job, soonest, soonest, ret_offer);
    }
}
