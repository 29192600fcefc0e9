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

#define FULL_MAX  2 /* starts without a host before every host is looked at for all of them */
#define EXACT_MAX 4 /* starts priced exactly where there are many jobs to place */

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

/* Part of a run's last slot that it takes, for runs from slot 1 on. */
static double last_part(const struct hs_search *search, size_t n, double remaining_s)
{
    double slot_s = (double)search->slot_s;

    return fmin(remaining_s - (double)(n - 1) * slot_s, slot_s) / slot_s;
}

/* A start whose slots are not all alike: slot 0 is shorter, or the horizon cuts the run. */
static double price_odd(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t start)
{
    double elec_w = hs_search_elec_w(kind, job);
    double left_s = job->remaining_s;
    double net_cur = 0.0;
    double elec_cur = 0.0;

    for (size_t t = start; t < search->n_slots && left_s > 1e-9; t++) {
        double slot_s = hs_search_slot_s(search, t);
        double part = fmin(left_s, slot_s) / slot_s;

        net_cur += part * elec_w * (kind->net_cur_per_w[t + 1] - kind->net_cur_per_w[t]);
        elec_cur += part * elec_w * (kind->elec_cur_per_w[t + 1] - kind->elec_cur_per_w[t]);
        left_s -= slot_s;
    }
    double end_at_s = hs_search_start_at_s(search, start) + job->remaining_s;
    double tail_cur =
        hs_search_price_tail(search, kind, job, job->remaining_s - fmax(left_s, 0.0), &elec_cur);

    return net_cur + tail_cur + hs_search_price_waiting(search, job, end_at_s, elec_cur);
}

/* The same for starts @first..@last whose slots are: differences of sums. */
static void price_alike(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t first, size_t last,
                        double *restrict ret_cost_cur)
{
    size_t n = hs_search_count_slots(search, first, job->remaining_s);
    double part = last_part(search, n, job->remaining_s);
    double elec_w = hs_search_elec_w(kind, job);
    double soonest_at_s = fmax((double)search->now_at_s, (double)job->earliest_at_s);
    double per_s = search->waiting_weight / HS_S_PER_DAY;
    double from_at_s = (double)search->from_at_s - soonest_at_s;
    double slot_s = (double)search->slot_s;
    const double *restrict net = kind->net_cur_per_w;
    const double *restrict elec = kind->elec_cur_per_w;

    for (size_t s = first; s <= last; s++) {
        double whole = net[s + n - 1] + part * (net[s + n] - net[s + n - 1]) - net[s];
        double bought = elec[s + n - 1] + part * (elec[s + n] - elec[s + n - 1]) - elec[s];
        double late_s = from_at_s + (double)s * slot_s;

        bought = bought < 0 ? -bought : bought;
        late_s = late_s > 0 ? late_s : 0.0;
        ret_cost_cur[s] = elec_w * (whole + per_s * bought * late_s);
    }
}

/* Starts at which no host of the kind has the vCPUs all the way cost INFINITY. */
static void bar_full(const struct hs_search *search, const struct hs_kind *kind,
                     const struct hs_place_job *job, size_t first, size_t last, double *cost_cur)
{
    size_t end = last + hs_search_count_slots(search, last, job->remaining_s);
    size_t n_first = hs_search_count_slots(search, first, job->remaining_s);
    size_t n = first < last ? hs_search_count_slots(search, first + 1, job->remaining_s) : 0;
    size_t room = 0; /* slots with room from t on without a break */
    const int32_t *free_vcpus = hs_search_room(search, kind, job);

    for (size_t t = end; t-- > first;) {
        size_t need = t == first ? n_first : n;

        need = t + need > search->n_slots ? search->n_slots - t : need;
        room = free_vcpus[t] >= job->size.vcpus ? room + 1 : 0;
        if (t <= last && room < need) {
            cost_cur[t] = INFINITY;
        }
    }
}

/* What each start costs at the least; the least of all. */
static double price_starts(const struct hs_search *search, const struct hs_kind *kind,
                           const struct hs_place_job *job, size_t first, size_t last,
                           double *ret_cost_cur)
{
    size_t n = hs_search_count_slots(search, first > 0 ? first : 1, job->remaining_s);
    size_t n_alike_end = search->n_slots - n; /* starts up to here, cut or not, have n slots */
    size_t from = first > 0 ? first : 1;
    size_t to = last < n_alike_end ? last : n_alike_end;
    double stop_cur = job->is_running ? hs_search_price_stop(search, kind, job, 0) : 0.0;
    double least_cur = INFINITY;

    /* a run that the horizon cuts at its very end may be longer than its slots */
    if (hs_search_slot_s(search, n_alike_end) * (double)n < job->remaining_s - 1e-6) {
        to = 0;
    }
    if (from <= to) {
        price_alike(search, kind, job, from, to, ret_cost_cur);
    }
    for (size_t s = first; s <= last; s++) {
        if (s < from || s > to) {
            ret_cost_cur[s] = price_odd(search, kind, job, s);
        }
        ret_cost_cur[s] += s > 0 ? stop_cur : 0.0;
    }
    bar_full(search, kind, job, first, last, ret_cost_cur);
    for (size_t s = first; s <= last; s++) {
        least_cur = ret_cost_cur[s] < least_cur ? ret_cost_cur[s] : least_cur;
    }
    return least_cur;
}

/* The tightest host of @kind that has room for a run, or SIZE_MAX. */
static size_t find_host(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t start, size_t n)
{
    size_t best = SIZE_MAX;
    int32_t best_free = INT32_MAX;
    uint8_t slots[HS_PLAN_SLOTS_MAX];

    for (size_t i = 0; i < n; i++) {
        slots[i] = (uint8_t)(start + i);
    }
    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];
        int32_t free_vcpus = hs_fit_get_row(search->fit, h)[start];

        if (free_vcpus < best_free && free_vcpus >= job->size.vcpus
            && hs_search_may_use_host(search, h, job)
            && hs_fit_check_slots(search->fit, h, &job->size, hs_search_held_from(job, start),
                                  slots, n)) {
            best = h;
            best_free = free_vcpus;
        }
    }
    return best;
}

/* Starts at which no one host has the vCPUs all the way are not worth a price. */
static void drop_full(const struct hs_search *search, const struct hs_kind *kind,
                      const struct hs_place_job *job, size_t first, size_t last, double *cost_cur)
{
    bool has_host[HS_PLAN_SLOTS_MAX] = {0};
    size_t n_run = hs_search_count_slots(search, first > 0 ? first : 1, job->remaining_s);
    size_t end = last + n_run < search->n_slots ? last + n_run : search->n_slots;

    for (size_t i = 0; i < kind->n_hosts; i++) {
        const int32_t *free_vcpus = hs_fit_get_row(search->fit, kind->hosts[i]);
        size_t room = 0; /* slots with room from t on without a break */

        if (!hs_search_may_use_host(search, kind->hosts[i], job)) {
            continue;
        }
        for (size_t t = end; t-- > first;) {
            room = free_vcpus[t] >= job->size.vcpus ? room + 1 : 0;
            has_host[t] |= room >= n_run || t + room == search->n_slots;
        }
    }
    for (size_t s = first; s <= last; s++) {
        cost_cur[s] = has_host[s] ? cost_cur[s] : (double)INFINITY;
    }
}

/* Better than @io_offer on @kind, if there is: starts from the least that they may cost up. */
static void search_kind(const struct hs_search *search, const struct hs_kind *kind,
                        const struct hs_place_job *job, size_t first, size_t last,
                        struct hs_search_offer *io_offer)
{
    double cost_cur[HS_PLAN_SLOTS_MAX];
    size_t n_exact_max = search->is_thorough ? SIZE_MAX : EXACT_MAX;

    (void)price_starts(search, kind, job, first, last, cost_cur);
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

        double exact_cur = cost_cur[best];

        cost_cur[best] = INFINITY;
        if (host_idx == SIZE_MAX) {
            if (++n_full == FULL_MAX) {
                drop_full(search, kind, job, first, last, cost_cur);
            }
            continue;
        }
        n_exact++;
        exact_cur = search->is_guided ? exact_cur : price_run(search, kind, job, best);
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
    const struct hs_kind *kind;
    double cost_cur[HS_PLAN_SLOTS_MAX];
    size_t n = 0;

    for (size_t k = 0; k < search->kinds->n; k++) {
        kind = &search->kinds->items[k];
        if (hs_search_may_use(search, kind, job)) {
            search->bids[n++] = (struct hs_search_bid){
                kind, price_starts(search, kind, job, first, last, cost_cur)};
        }
    }
    while ((kind = hs_search_next(search->bids, &n, ret_offer->cost_cur)) != NULL) {
        search_kind(search, kind, job, first, last, ret_offer);
    }
}

/* The first start from @first on at which the kind has the vCPUs all the way, on whatever hosts. */
static size_t find_room_from(const struct hs_search *search, const struct hs_kind *kind,
                             const struct hs_place_job *job, size_t first)
{
    const int32_t *free_vcpus = hs_search_room(search, kind, job);
    size_t start = first;
    size_t need = hs_search_count_slots(search, start, job->remaining_s);

    for (size_t t = first; t < search->n_slots && t < start + need; t++) {
        if (free_vcpus[t] < job->size.vcpus) {
            start = t + 1;
            need = start < search->n_slots ? hs_search_count_slots(search, start, job->remaining_s)
                                           : 0;
        }
    }
    return start;
}

/* The first start in @first..@end-1 that a host of @kind has room for, or @end. */
static size_t find_soonest(const struct hs_search *search, const struct hs_kind *kind,
                           const struct hs_place_job *job, size_t first, size_t end)
{
    size_t hosts[HS_PLAN_SLOTS_MAX];
    size_t start = find_room_from(search, kind, job, first);

    for (size_t n_full = 0; start < end && n_full < FULL_MAX; n_full++) {
        size_t n = hs_search_count_slots(search, start, job->remaining_s);

        if (find_host(search, kind, job, start, n) != SIZE_MAX) {
            return start;
        }
        start = find_room_from(search, kind, job, start + 1);
    }
    if (start >= end) {
        return end;
    }
    find_hosts(search, kind, job, start, end - 1, hosts);
    while (start < end && hosts[start] == SIZE_MAX) {
        start++;
    }
    return start;
}

void hs_search_earliest(const struct hs_search *search, const struct hs_place_job *job,
                        size_t first, struct hs_search_offer *ret_offer)
{
    size_t soonest = search->n_slots;

    *ret_offer = hs_search_no_offer;
    for (size_t k = 0; k < search->kinds->n && first < soonest; k++) {
        if (hs_search_may_use(search, &search->kinds->items[k], job)) {
            soonest = find_soonest(search, &search->kinds->items[k], job, first, soonest);
        }
    }
    if (soonest < search->n_slots) {
        hs_search_contiguous(search, job, soonest, soonest, ret_offer);
    }
}

/* The first start from @first to @last at which host @host_idx fits all the way, SIZE_MAX if none.
 */
static size_t find_start(const struct hs_search *search, const struct hs_place_job *job,
                         size_t host_idx, size_t first, size_t last)
{
    bool fits[HS_PLAN_SLOTS_MAX];
    size_t room = 0; /* slots that fit from t on without a break */
    size_t start = SIZE_MAX;

    hs_fit_fill(search->fit, host_idx, &job->size, first, true, fits);
    for (size_t t = search->n_slots; t-- > first;) {
        room = fits[t] ? room + 1 : 0;
        if (t <= last && room > 0 && room >= hs_search_count_slots(search, t, job->remaining_s)
            && is_held_until(search, job, host_idx, t)) {
            start = t;
        }
    }
    return start;
}

void hs_search_first(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                     struct hs_search_offer *ret_offer)
{
    size_t soonest = search->n_slots;
    size_t host_idx = SIZE_MAX;

    *ret_offer = hs_search_no_offer;
    for (size_t h = 0; h < search->estate->n_hosts && first < soonest; h++) {
        const struct hs_kind *kind = &search->kinds->items[search->kinds->of_host[h]];

        if (hs_search_may_use(search, kind, job) && hs_search_may_use_host(search, h, job)) {
            size_t start = find_start(search, job, h, first, soonest - 1);

            soonest = start < soonest ? start : soonest;
            host_idx = start == soonest ? h : host_idx;
        }
    }
    if (host_idx != SIZE_MAX) {
        const struct hs_kind *kind = &search->kinds->items[search->kinds->of_host[host_idx]];

        set_run(search, job, host_idx, soonest, price_run(search, kind, job, soonest), ret_offer);
    }
}

/* Has the kind the vCPUs all the way from @start on, on whatever hosts? */
static bool has_room(const struct hs_search *search, const struct hs_kind *kind,
                     const struct hs_place_job *job, size_t start, size_t n)
{
    const int32_t *free_vcpus = hs_search_room(search, kind, job);
    bool has = true;

    for (size_t t = start; t < start + n && t < search->n_slots && has; t++) {
        has = free_vcpus[t] >= job->size.vcpus;
    }
    return has;
}

void hs_search_last(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                    size_t last, struct hs_search_offer *ret_offer)
{
    *ret_offer = hs_search_no_offer;
    if (first >= search->n_slots || last == SIZE_MAX) {
        return;
    }
    last = last < search->n_slots ? last : search->n_slots - 1;
    for (size_t s = last + 1; s-- > first;) {
        size_t n = hs_search_count_slots(search, s, job->remaining_s);

        for (size_t k = 0; k < search->kinds->n; k++) {
            const struct hs_kind *kind = &search->kinds->items[k];
            size_t host_idx = SIZE_MAX;

            if (hs_search_may_use(search, kind, job) && has_room(search, kind, job, s, n)) {
                host_idx = find_host(search, kind, job, s, n);
            }
            if (host_idx != SIZE_MAX) {
                set_run(search, job, host_idx, s, price_run(search, kind, job, s), ret_offer);
                return;
            }
        }
    }
}
