/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_jobs - the cheapest choice of each job at given prices, apart from all others.
 *
 * Everything is per vCPU. What runs through is a difference of sums for each start; for what may
 * stop see certificate_path.c.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/least.h"
#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

/* --- rows --- */

/* Insertion, as the order of the step before is nearly right. */
static void sort_row(const double *price_cur, double first_len, uint16_t *order, size_t n)
{
    double unit_cur[HS_PLAN_SLOTS_MAX];

    memcpy(unit_cur, price_cur, n * sizeof(*unit_cur));
    unit_cur[0] /= first_len;
    for (size_t i = 1; i < n; i++) {
        uint16_t slot = order[i];
        double cur = unit_cur[slot];
        size_t at = i;

        while (at > 0
               && (unit_cur[order[at - 1]] > cur
                   || (unit_cur[order[at - 1]] == cur && order[at - 1] > slot))) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = slot;
    }
}

void hs_certificate_set_rows(struct hs_certificate *cert)
{
    size_t n = cert->n_slots;

    for (size_t k = 0; k < cert->n_kinds; k++) {
        struct hs_certificate_kind *kind = &cert->kinds[k];
        const double *heat_cur_per_wh = &cert->heat_cur_per_wh[kind->loop_idx * n];
        const double *room_cur = &cert->room_cur[kind->loop_idx * n];
        const double *elec_cur = &cert->elec_cur[k * n];
        const double *heat_wh = &cert->heat_wh[k * n];
        double *restrict price_cur = &cert->price_cur[k * n];
        double *restrict price_sum = &cert->price_sum[k * (n + 1)];

        for (size_t t = 0; t < n; t++) {
            price_cur[t] =
                elec_cur[t] - heat_wh[t] * heat_cur_per_wh[t] + room_cur[t] * cert->len[t];
        }
        for (size_t t = 0; t < n; t++) {
            price_sum[t + 1] = price_sum[t] + price_cur[t];
        }
        sort_row(price_cur, cert->len[0], &cert->order[k * n], n);
        size_t least = cert->order[k * n];

        kind->least_cur = hs_least(kind->tail_cur, price_cur[least] / cert->len[least]);
    }
}

/* --- what runs through --- */

/* What waiting until a run from @start ends costs: its delay in days by its electricity. */
static double price_waiting(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                            size_t k, size_t start, size_t last, double part, double tail)
{
    const double *elec_sum = &cert->elec_sum[k * (cert->n_slots + 1)];
    double elec_cur = elec_sum[last] - elec_sum[start]
                      + part * cert->elec_cur[k * cert->n_slots + last]
                      + tail * elec_sum[cert->n_slots] / cert->n_len;
    double delay = start > job->first ? (double)(start - job->first) : 0.0;

    delay -= job->first == 0 && start > 0 ? 1.0 - cert->len[0] : 0.0;
    return cert->waiting_weight * fabs(elec_cur) * delay * cert->slot_s / HS_S_PER_DAY;
}

/* A run from @start in all its parts: the first slot may be short, the end past the horizon. */
static double price_run(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                        size_t k, size_t start)
{
    const double *price_sum = &cert->price_sum[k * (cert->n_slots + 1)];
    double left = job->need - cert->len[start];
    size_t last = start + 1; /* slots before this one are taken whole */
    double part;
    double tail = 0.0;
    double stop_cur = job->is_running && start > 0 ? cert->stop_cur[k * cert->n_slots] : 0.0;

    if (left <= 0) {
        last = start;
        part = job->need / cert->len[start];
    } else {
        double whole = floor(left + HS_CERTIFICATE_LEAST_WORK);
        double room = (double)(cert->n_slots - last);

        whole = hs_least(whole, room);
        last += (size_t)whole;
        part = left - whole > HS_CERTIFICATE_LEAST_WORK ? left - whole : 0.0;
    }
    if (last == cert->n_slots) {
        tail = part;
        part = 0.0;
        last--;
        return price_sum[last + 1] - price_sum[start] + stop_cur
               + (job->freedom == HS_PLACE_AT_ONCE ? 0.0 : tail * cert->kinds[k].tail_cur)
               + price_waiting(cert, job, k, start, last, 1.0, tail);
    }
    return price_sum[last] - price_sum[start] + part * cert->price_cur[k * cert->n_slots + last]
           + stop_cur + price_waiting(cert, job, k, start, last, part, 0.0);
}

/* Starts in whole slots whose run ends within the horizon: nothing but differences. */
static void scan_starts(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                        size_t k, size_t first, size_t last, struct hs_certificate_choice *io_best)
{
    const double *price_sum = &cert->price_sum[k * (cert->n_slots + 1)];
    const double *price_cur = &cert->price_cur[k * cert->n_slots];
    double whole = floor(job->need + HS_CERTIFICATE_LEAST_WORK);
    double part = job->need - whole > HS_CERTIFICATE_LEAST_WORK ? job->need - whole : 0.0;
    size_t n = (size_t)whole;
    double stop_cur = job->is_running ? cert->stop_cur[k * cert->n_slots] : 0.0;
    double least[HS_PLAN_SLOTS_MAX];

    for (size_t s = first; s <= last; s++) {
        least[s] = price_sum[s + n] - price_sum[s] + stop_cur;
    }
    for (size_t s = first; part > 0 && s <= last; s++) {
        least[s] += part * price_cur[s + n];
    }
    for (size_t s = first; cert->waiting_weight > 0 && s <= last; s++) {
        least[s] += part > 0 ? price_waiting(cert, job, k, s, s + n, part, 0.0)
                             : price_waiting(cert, job, k, s, s + n - 1, 1.0, 0.0);
    }
    for (size_t s = first; s <= last; s++) {
        if (least[s] < io_best->cur) {
            *io_best =
                (struct hs_certificate_choice){.cur = least[s], .kind = k, .start = (double)s};
        }
    }
}

static void run_through(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                        size_t k, struct hs_certificate_choice *io_best)
{
    size_t n = (size_t)ceil(job->need - HS_CERTIFICATE_LEAST_WORK);
    size_t s = job->first;

    if (s == 0) {
        double cur = price_run(cert, job, k, s++);

        if (cur < io_best->cur) {
            *io_best = (struct hs_certificate_choice){.cur = cur, .kind = k};
        }
    }
    if (s <= job->last_start && s + n <= cert->n_slots) {
        size_t last = cert->n_slots - n < job->last_start ? cert->n_slots - n : job->last_start;

        scan_starts(cert, job, k, s, last, io_best);
        s = last + 1;
    }
    for (; s <= job->last_start; s++) {
        double cur = price_run(cert, job, k, s);

        if (cur < io_best->cur) {
            *io_best = (struct hs_certificate_choice){.cur = cur, .kind = k, .start = (double)s};
        }
    }
}

/* --- a job --- */

/* Nothing within the horizon: after it, late, or for filler not at all. */
static struct hs_certificate_choice find_other(const struct hs_certificate *cert,
                                               const struct hs_certificate_job *job)
{
    struct hs_certificate_choice other = {.cur = 0.0, .kind = SIZE_MAX, .start = -1.0};
    double least_cur = INFINITY;
    double tail_cur = INFINITY;

    if (job->freedom == HS_PLACE_FILLER) {
        other.cur = job->fill_cur;
        return other;
    }
    for (size_t i = 0; i < job->set_n; i++) {
        const struct hs_certificate_kind *kind = &cert->kinds[cert->sets.items[job->set_first + i]];

        least_cur = hs_least(least_cur, kind->least_cur);
        tail_cur = hs_least(tail_cur, kind->tail_cur);
    }
    least_cur = job->set_n > 0 ? least_cur : 0.0;
    tail_cur = job->set_n > 0 ? tail_cur : 0.0;
    if (job->freedom == HS_PLACE_AT_ONCE) {
        other.cur =
            job->late_cur + hs_least(job->need, (double)cert->n_slots) * hs_least(least_cur, 0.0);
        return other;
    }
    other.cur = job->late_cur + job->need * least_cur;
    if (job->need <= job->tail_max + HS_CERTIFICATE_LEAST_WORK) {
        other.cur = hs_least(other.cur, job->need * tail_cur);
    }
    return other;
}

/* Book what the choice takes. */
static void take(struct hs_certificate *cert, const struct hs_certificate_job *job,
                 const struct hs_certificate_choice *choice, double *parts)
{
    size_t n = cert->n_slots;
    size_t first = job->first;
    size_t end = job->end;

    if (choice->kind == SIZE_MAX) {
        return;
    }
    if (!choice->is_path) {
        double left = job->need;

        first = (size_t)choice->start;
        for (end = first; end < n && left > HS_CERTIFICATE_LEAST_WORK; end++) {
            parts[end] = hs_least(left / cert->len[end], 1.0);
            left -= cert->len[end];
        }
    }
    const double *heat_wh = &cert->heat_wh[choice->kind * n];
    double *restrict given_wh = &cert->given_wh[cert->kinds[choice->kind].loop_idx * n];
    double *restrict used_vcpus = &cert->used_vcpus[cert->kinds[choice->kind].loop_idx * n];

    for (size_t t = first; t < end; t++) {
        given_wh[t] += parts[t] * heat_wh[t] * job->vcpus;
        used_vcpus[t] += parts[t] * cert->len[t] * job->vcpus;
    }
}

double hs_certificate_choose_jobs(struct hs_certificate *cert, size_t first, size_t stride)
{
    double parts[HS_PLAN_SLOTS_MAX] = {0};
    double sum_cur = 0.0;

    for (size_t j = first; j < cert->n_jobs; j += stride) {
        const struct hs_certificate_job *job = &cert->jobs[j];
        struct hs_certificate_choice best = find_other(cert, job);

        if (job->can_start && job->freedom != HS_PLACE_INTERRUPTIBLE
            && job->freedom != HS_PLACE_FILLER) {
            for (size_t i = 0; i < job->set_n; i++) {
                run_through(cert, job, cert->sets.items[job->set_first + i], &best);
            }
        } else if (job->first < cert->n_slots) {
            hs_certificate_choose_parts(cert, job, &best, parts);
        }
        sum_cur += (best.cur - job->fill_cur) * job->vcpus;
        take(cert, job, &best, parts);
    }
    return sum_cur;
}
