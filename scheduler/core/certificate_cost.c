/* SPDX-License-Identifier: Apache-2.0 */
/* certificate_cost - what a plan costs, as certificate.h defines it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

/* One job's placement, walked through. */
struct walk {
    size_t kind;
    double elec_cur; /* per vCPU, as the others */
    double stop_cur;
    double end;  /* of the work, slots from the horizon's start */
    double left; /* work past the horizon, slots */
};

static void walk_slots(const struct hs_certificate *cert, const struct hs_place_job *given,
                       const struct hs_certificate_job *job, const struct hs_placement *placement,
                       double *ret_heat_wh, struct walk *ret_walk)
{
    size_t k = cert->kind_of_host[placement->host_idx];
    size_t first = placement->first_slot;
    const double *stop_cur = &cert->stop_cur[k * cert->n_slots];
    bool has_run = false;

    *ret_walk = (struct walk){.kind = k, .left = job->need};
    ret_walk->stop_cur = job->is_running && first > 0 ? stop_cur[0] : 0.0;
    for (size_t t = first; t <= placement->last_slot; t++) {
        size_t i = k * cert->n_slots + t;
        bool runs = hs_plan_runs(placement, t) && ret_walk->left > HS_CERTIFICATE_LEAST_WORK;
        double speed = hs_place_get_speed(given, placement, t);
        double part = runs ? fmin(ret_walk->left / cert->len[t], speed) : 0.0;

        ret_walk->stop_cur +=
            has_run && !runs && ret_walk->left > HS_CERTIFICATE_LEAST_WORK ? stop_cur[t] : 0.0;
        ret_walk->elec_cur += part * cert->elec_cur[i];
        ret_walk->left -= part * cert->len[t];
        ret_walk->end =
            runs ? (double)(t + 1) - (1.0 - part / speed) * cert->len[t] : ret_walk->end;
        ret_heat_wh[t] = part * cert->heat_wh[i] * job->vcpus;
        has_run = runs;
    }
    ret_walk->left = ret_walk->left > HS_CERTIFICATE_LEAST_WORK ? ret_walk->left : 0.0;
    ret_walk->end = ret_walk->left > 0 ? (double)cert->n_slots + ret_walk->left : ret_walk->end;
}

static double price_unplaced(const struct hs_certificate *cert,
                             const struct hs_certificate_job *job)
{
    double tail_cur = INFINITY;

    if (job->freedom == HS_PLACE_FILLER) {
        return 0.0;
    }
    if (job->freedom == HS_PLACE_AT_ONCE) {
        return job->late_cur;
    }
    for (size_t i = 0; i < job->set_n; i++) {
        tail_cur = fmin(tail_cur, cert->kinds[cert->sets.items[job->set_first + i]].tail_cur);
    }
    tail_cur = job->set_n > 0 ? tail_cur : 0.0;
    return job->need * tail_cur
           + (job->need <= job->tail_max + HS_CERTIFICATE_LEAST_WORK ? 0.0 : job->late_cur);
}

/* To go on elsewhere costs at least what a stop does. */
static double price_move(const struct hs_certificate *cert, const struct hs_place_job *given,
                         const struct hs_placement *placement)
{
    size_t k = cert->kind_of_host[placement->host_idx];

    return cert->stop_cur[k * cert->n_slots + placement->first_slot]
           * fmax(1.0, given->move_s / cert->stop_s);
}

/* What the plan gives and uses is where the search for prices begins. */
static void book(struct hs_certificate *cert, const struct hs_placement *placement,
                 const struct walk *walk, const double *heat_wh)
{
    size_t n = cert->n_slots;
    size_t at = cert->kinds[walk->kind].loop_idx * n;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double whole_wh = cert->heat_wh[walk->kind * n + t];

        cert->mean_given_wh[at + t] += heat_wh[t];
        cert->mean_used_vcpus[at + t] += whole_wh > 0 ? heat_wh[t] / whole_wh * cert->len[t] : 0.0;
    }
}

/* What a filler's work within the horizon is worth. */
static double price_filling(const struct hs_certificate *cert, const struct hs_place_job *given,
                            const struct hs_certificate_job *job, const struct walk *walk)
{
    double done_s = (job->need - walk->left) * cert->slot_s;
    double done_wh = hs_wh_from_w(cert->kinds[walk->kind].elec_w, done_s);

    return job->freedom == HS_PLACE_FILLER ? hs_cur_from_wh(done_wh, given->ceiling_cur_per_mwh)
                                           : 0.0;
}

/* Cost of one placement per vCPU; its heat is laid. */
static double price_job(struct hs_certificate *cert, const struct hs_place_job *given,
                        const struct hs_certificate_job *job, const struct hs_placement *placement)
{
    double heat_wh[HS_PLAN_SLOTS_MAX];
    struct walk walk;

    if (placement->host_idx == SIZE_MAX) {
        return price_unplaced(cert, job);
    }
    walk_slots(cert, given, job, placement, heat_wh, &walk);
    if (given->host_idx != SIZE_MAX && given->host_idx != placement->host_idx) {
        walk.stop_cur += price_move(cert, given, placement);
    }
    size_t n = placement->last_slot - placement->first_slot + 1;
    size_t loop_idx = cert->kinds[walk.kind].loop_idx;

    book(cert, placement, &walk, heat_wh);
    hs_thermal_lay(cert->thermals[loop_idx], placement->first_slot, &heat_wh[placement->first_slot],
                   n);
    if (job->freedom == HS_PLACE_AT_ONCE) {
        return walk.elec_cur + walk.stop_cur
               + (placement->first_slot > job->first ? job->late_cur : 0.0);
    }
    double end_at_s = (double)cert->from_at_s + walk.end * cert->slot_s;
    double soonest_at_s =
        fmax((double)cert->now_at_s, (double)given->earliest_at_s) + given->remaining_s;
    double all_cur =
        walk.elec_cur
        + walk.left * cert->elec_sum[(walk.kind + 1) * (cert->n_slots + 1) - 1] / cert->n_len;
    double wait_cur =
        cert->waiting_weight * fabs(all_cur) * fmax(0.0, end_at_s - soonest_at_s) / HS_S_PER_DAY;

    return walk.elec_cur + walk.stop_cur + walk.left * cert->kinds[walk.kind].tail_cur + wait_cur
           - price_filling(cert, given, job, &walk)
           + (end_at_s > (double)given->due_at_s + 0.5 ? job->late_cur : 0.0);
}

static int compare_ids(const void *left, const void *right)
{
    const struct hs_placement *a = *(const struct hs_placement *const *)left;
    const struct hs_placement *b = *(const struct hs_placement *const *)right;

    return a->job_id < b->job_id ? -1 : a->job_id > b->job_id;
}

static const struct hs_placement *find_placement(const struct hs_placement *const *sorted, size_t n,
                                                 uint64_t job_id)
{
    size_t low = 0;
    size_t high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (sorted[mid]->job_id < job_id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < n && sorted[low]->job_id == job_id ? sorted[low] : NULL;
}

double hs_certificate_get_cost(struct hs_certificate *cert, const struct hs_placement *placements,
                               size_t n)
{
    HS_AUTO_MEM const struct hs_placement **sorted =
        hs_xcalloc(n, sizeof(const struct hs_placement *));
    double cost_cur = 0.0;
    size_t j = 0;

    for (size_t i = 0; i < n; i++) {
        sorted[i] = &placements[i];
    }
    memset(cert->mean_given_wh, 0, cert->n_loops * cert->n_slots * sizeof(double));
    memset(cert->mean_used_vcpus, 0, cert->n_loops * cert->n_slots * sizeof(double));
    cert->has_plan = true;
    qsort(sorted, n, sizeof(const struct hs_placement *), compare_ids);
    for (size_t l = 0; l < cert->n_loops; l++) {
        hs_thermal_set(cert->thermals[l], &cert->inputs[l]);
    }
    for (size_t i = 0; i < cert->n_given; i++) {
        const struct hs_place_job *given = &cert->given[i];

        if (hs_certificate_is_fixed(given)) {
            continue;
        }
        const struct hs_certificate_job *job = &cert->jobs[j++];
        const struct hs_placement *placement = find_placement(sorted, n, given->job_id);

        if (placement == NULL) {
            return NAN;
        }
        cost_cur += price_job(cert, given, job, placement) * job->vcpus;
    }
    for (size_t l = 0; l < cert->n_loops; l++) {
        (void)hs_thermal_settle(cert->thermals[l]);
        cost_cur += hs_thermal_get_cost(cert->thermals[l]);
    }
    return cost_cur;
}
