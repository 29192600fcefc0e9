/* SPDX-License-Identifier: Apache-2.0 */
/* search - what its files share, and the last plan's promise; see search.h. */
#include "scheduler/core/search.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/search_priv.h"

/* A stop costs as much as five minutes of the job's electricity: the guest's caches, the people's
 * trust. Less than that is not worth a change. */
#define STOP_COST_S 300.0

const struct hs_search_offer hs_search_no_offer = {
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

void hs_search_set_slot(struct hs_placement *placement, size_t t)
{
    placement->slots[t / 64] |= UINT64_C(1) << (t % 64);
}

/* A machine that is there already holds its memory from now on, whenever it runs again. */
size_t hs_search_held_from(const struct hs_place_job *job, size_t first_slot)
{
    return job->host_idx != SIZE_MAX ? 0 : first_slot;
}

/* Slots a run of @run_s takes from @start on, cut at the horizon. */
size_t hs_search_count_slots(const struct hs_search *search, size_t start, double run_s)
{
    double left_s = run_s - hs_search_slot_s(search, start);
    size_t n = 1;

    if (left_s > 0) {
        n += (size_t)ceil(left_s / (double)search->slot_s - 1e-9);
    }
    return start + n > search->n_slots ? search->n_slots - start : n;
}

double hs_search_elec_w(const struct hs_kind *kind, const struct hs_place_job *job)
{
    return kind->elec_w_per_vcpu * job->size.vcpus * hs_place_get_full_share(job);
}

static const struct hs_kind *kind_of(const struct hs_search *search, size_t host_idx)
{
    return &search->kinds->items[search->kinds->of_host[host_idx]];
}

/* IT energy that @placement takes in each of its slots; the sum. */
static double fill_placement(const struct hs_search *search, const struct hs_kind *kind,
                             const struct hs_place_job *job, const struct hs_placement *placement,
                             double *ret_it_wh)
{
    double left_s = job->remaining_s;
    double sum_wh = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double run_s = 0.0;

        if (hs_plan_runs(placement, t)) {
            run_s =
                fmin(left_s, hs_search_slot_s(search, t) * hs_place_get_speed(job, placement, t));
            left_s -= run_s;
        }
        ret_it_wh[t] = hs_wh_from_w(hs_search_elec_w(kind, job), run_s);
        sum_wh += ret_it_wh[t];
    }
    return sum_wh;
}

double hs_search_heat(const struct hs_search *search, const struct hs_place_job *job,
                      const struct hs_placement *placement, double *ret_wh)
{
    const struct hs_kind *kind = kind_of(search, placement->host_idx);
    double it_wh = fill_placement(search, kind, job, placement, ret_wh);

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        ret_wh[t] *= kind->capture_ratio;
    }
    return it_wh;
}

bool hs_search_may_use(const struct hs_search *search, const struct hs_kind *kind,
                       const struct hs_place_job *job)
{
    if (job->host_idx != SIZE_MAX && kind_of(search, job->host_idx) != kind) {
        return false;
    }
    return job->site_allowed == NULL || job->site_allowed[kind->site_idx];
}

bool hs_search_may_use_host(const struct hs_search *search, size_t host_idx,
                            const struct hs_place_job *job)
{
    return !search->barred[host_idx] && (job->host_idx == SIZE_MAX || job->host_idx == host_idx)
           && hs_fit_check_ever(search->fit, host_idx, &job->size);
}

const int32_t *hs_search_room(const struct hs_search *search, const struct hs_kind *kind,
                              const struct hs_place_job *job)
{
    return job->host_idx != SIZE_MAX ? hs_fit_get_row(search->fit, job->host_idx)
                                     : kind->room_vcpus;
}

/* What waiting until @end_at_s costs: a day of it is waiting_weight of the job's electricity. */
double hs_search_price_waiting(const struct hs_search *search, const struct hs_place_job *job,
                               double end_at_s, double elec_cur)
{
    double soonest_at_s =
        fmax((double)search->now_at_s, (double)job->earliest_at_s) + job->remaining_s;
    double late_s = fmax(0.0, end_at_s - soonest_at_s);

    return search->waiting_weight * fabs(elec_cur) * late_s / HS_S_PER_DAY;
}

double hs_search_price_tail(const struct hs_search *search, const struct hs_kind *kind,
                            const struct hs_place_job *job, double seen_s, double *io_elec_cur)
{
    double tail_s = job->remaining_s - seen_s;
    size_t n = search->n_slots;

    if (tail_s < 1.0) {
        return 0.0;
    }
    double horizon_s = hs_search_slot_s(search, 0) + (double)(n - 1) * (double)search->slot_s;
    double share_w = hs_search_elec_w(kind, job) * tail_s / horizon_s;

    *io_elec_cur += share_w * kind->elec_cur_per_w[n];
    return share_w * kind->net_cur_per_w[n];
}

/* One stop with work left, at the price of slot @t. */
double hs_search_price_stop(const struct hs_search *search, const struct hs_kind *kind,
                            const struct hs_place_job *job, size_t t)
{
    double elec_cur_per_mwh = search->elec_cur_per_mwh[kind->site_idx * search->n_slots + t];

    double stop_s = fmax(STOP_COST_S, search->suspend_s);

    return hs_cur_from_wh(hs_wh_from_w(hs_search_elec_w(kind, job), stop_s),
                          fabs(elec_cur_per_mwh));
}

const struct hs_kind *hs_search_next(struct hs_search_bid *bids, size_t *io_n, double best_cur)
{
    size_t best = 0;

    for (size_t i = 1; i < *io_n; i++) {
        best = bids[i].least_cur < bids[best].least_cur ? i : best;
    }
    if (*io_n == 0 || !(bids[best].least_cur < best_cur)) {
        return NULL;
    }
    const struct hs_kind *kind = bids[best].kind;

    bids[best] = bids[--*io_n];
    return kind;
}

/* --- a whole placement --- */

/* What the heat of @it_wh is worth by the prices of slots alone, less what room costs there. */
static double price_by_slots(const struct hs_search *search, const struct hs_kind *kind,
                             const struct hs_placement *placement, const double *it_wh)
{
    const double *elec = kind->elec_cur_per_w;
    const double *net = kind->net_cur_per_w;
    double worth_cur = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double worth_cur_per_w = elec[t + 1] - elec[t] - net[t + 1] + net[t];

        worth_cur += hs_w_from_wh(it_wh[t], hs_search_slot_s(search, t)) * worth_cur_per_w;
    }
    return worth_cur;
}

/* The whole placement's exact cost: what the slots are worth together. */
double hs_search_price_placement(const struct hs_search *search, const struct hs_kind *kind,
                                 const struct hs_place_job *job,
                                 const struct hs_placement *placement)
{
    const double *elec = &search->elec_cur_per_mwh[kind->site_idx * search->n_slots];
    double heat_wh[HS_PLAN_SLOTS_MAX];
    double worth_cur = 0.0;
    double elec_cur = 0.0;
    double stop_cur = 0.0;
    double seen_s = 0.0;
    size_t first = placement->first_slot;
    size_t n = placement->last_slot - first + 1;

    (void)fill_placement(search, kind, job, placement, heat_wh);
    if (search->is_guided) {
        worth_cur = price_by_slots(search, kind, placement, heat_wh);
    }
    stop_cur += job->is_running && first > 0 ? hs_search_price_stop(search, kind, job, 0) : 0.0;
    for (size_t t = first; t < first + n; t++) {
        elec_cur += hs_cur_from_wh(heat_wh[t], elec[t]);
        heat_wh[t] *= kind->capture_ratio;
        seen_s += hs_plan_runs(placement, t)
                      ? hs_search_slot_s(search, t) * hs_place_get_speed(job, placement, t)
                      : 0.0;
        if (t > first && hs_plan_runs(placement, t - 1) && !hs_plan_runs(placement, t)) {
            stop_cur += hs_search_price_stop(search, kind, job, t);
        }
    }
    double speed = hs_place_get_speed(job, placement, placement->last_slot);
    double last_s = job->remaining_s - seen_s
                    + hs_search_slot_s(search, placement->last_slot) * speed; /* of work in it */
    double end_at_s = hs_search_start_at_s(search, placement->last_slot) + last_s / speed;
    double net_cur = elec_cur;
    double tail_cur = hs_search_price_tail(search, kind, job, seen_s, &elec_cur);

    if (!search->is_guided) {
        worth_cur =
            hs_thermal_get_run_worth(search->thermals[kind->loop_idx], first, &heat_wh[first], n);
    }
    return net_cur + tail_cur + stop_cur + hs_search_price_waiting(search, job, end_at_s, elec_cur)
           - worth_cur;
}

double hs_search_price_move(const struct hs_search *search, const struct hs_place_job *job,
                            const struct hs_placement *placement)
{
    if (!hs_search_is_move(job, placement)) {
        return 0.0;
    }
    const struct hs_kind *kind = kind_of(search, placement->host_idx);
    double elec_cur_per_mwh =
        search->elec_cur_per_mwh[kind->site_idx * search->n_slots + placement->first_slot];
    bool is_suspended_first = job->is_running && job->freedom != HS_PLACE_FIXED;
    double move_s = fmax(STOP_COST_S, job->move_s + (is_suspended_first ? search->suspend_s : 0.0));

    return hs_cur_from_wh(hs_wh_from_w(hs_search_elec_w(kind, job), move_s),
                          fabs(elec_cur_per_mwh));
}

double hs_search_price(const struct hs_search *search, const struct hs_place_job *job,
                       const struct hs_placement *placement)
{
    return hs_search_price_placement(search, kind_of(search, placement->host_idx), job, placement)
           + hs_search_price_move(search, job, placement);
}

bool hs_search_placement_fits(const struct hs_search *search, const struct hs_place_job *job,
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

/* --- what the last plan promised --- */

/* The slots of @last that still lie ahead, counted from this horizon's start. */
static bool move_on(const struct hs_search *search, const struct hs_place_job *job,
                    struct hs_placement *ret_placement)
{
    size_t gone = (size_t)((search->from_at_s - job->last_from_at_s) / search->slot_s);
    size_t end = search->n_slots; /* where the old horizon ends in this one */

    *ret_placement = *job->last;
    ret_placement->first_slot = SIZE_MAX;
    memset(ret_placement->slots, 0, sizeof(ret_placement->slots));
    memset(ret_placement->cut_low, 0, sizeof(ret_placement->cut_low));
    memset(ret_placement->cut_high, 0, sizeof(ret_placement->cut_high));
    if (gone > job->last->last_slot) {
        return false;
    }
    end -= gone;
    for (size_t t = 0; t < search->n_slots; t++) {
        /* what ran to the old horizon's end goes on beyond it */
        bool runs = t < end ? hs_plan_runs(job->last, t + gone)
                            : hs_plan_runs(job->last, search->n_slots - 1);

        if (runs) {
            hs_search_set_slot(ret_placement, t);
            hs_plan_set_cut(ret_placement, t,
                            hs_plan_get_cut(job->last, t < end ? t + gone : search->n_slots - 1));
            ret_placement->first_slot =
                ret_placement->first_slot == SIZE_MAX ? t : ret_placement->first_slot;
            ret_placement->last_slot = t;
        }
    }
    ret_placement->held_slot = hs_search_held_from(job, ret_placement->first_slot);
    return ret_placement->first_slot != SIZE_MAX;
}

/* Does the work fit into its slots, or into them and what follows the horizon, by its due time? */
static bool ends_in_time(const struct hs_search *search, const struct hs_place_job *job,
                         const struct hs_placement *placement)
{
    double left_s = job->remaining_s;
    size_t t = placement->first_slot;

    for (; t <= placement->last_slot && left_s > 0; t++) {
        if (hs_plan_runs(placement, t)) {
            double speed = hs_place_get_speed(job, placement, t);
            double run_s = fmin(left_s / speed, hs_search_slot_s(search, t));

            left_s -= run_s * speed;
            if (hs_search_start_at_s(search, t) + run_s > (double)job->due_at_s) {
                return false;
            }
        }
    }
    if (t == search->n_slots && hs_plan_runs(placement, t - 1)) {
        return hs_search_start_at_s(search, t) + left_s / hs_place_get_speed(job, placement, t - 1)
               <= (double)job->due_at_s;
    }
    return left_s < 1.0;
}

/* Leave out the slots that follow the end of the work: some of it is done by now. */
static void leave_when_done(const struct hs_search *search, const struct hs_place_job *job,
                            struct hs_placement *placement)
{
    double left_s = job->remaining_s;
    size_t last = placement->first_slot;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (hs_plan_runs(placement, t) && left_s > HS_SEARCH_DONE_S) {
            left_s -= hs_search_slot_s(search, t) * hs_place_get_speed(job, placement, t);
            last = t;
        } else {
            placement->slots[t / 64] &= ~(UINT64_C(1) << (t % 64));
            hs_plan_set_cut(placement, t, 0);
        }
    }
    placement->last_slot = last;
}

bool hs_search_keep(const struct hs_search *search, const struct hs_place_job *job,
                    struct hs_placement *ret_placement)
{
    bool fits[HS_PLAN_SLOTS_MAX];
    struct hs_placement moved;

    if (job->last == NULL || job->last->host_idx == SIZE_MAX
        || (hs_plan_is_cut(job->last) && !hs_place_is_elastic(job)) || !move_on(search, job, &moved)
        || (job->must_run_now && moved.first_slot > 0)
        || !hs_search_may_use_host(search, moved.host_idx, job)
        || !ends_in_time(search, job, &moved)) {
        return false;
    }
    leave_when_done(search, job, &moved);
    hs_fit_fill(search->fit, moved.host_idx, &job->size, 0, true, fits);
    if (!hs_search_placement_fits(search, job, &moved, fits)) {
        return false;
    }
    *ret_placement = moved;
    return true;
}
