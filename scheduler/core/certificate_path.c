/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_path - the cheapest slots of work that may stop, at given prices.
 *
 * A shortest path over (slots, slots of work done, running or not), asked for only on kinds whose
 * cheapest slots, stops left out, could beat the best so far. Work at shares takes these slots.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/least.h"
#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

/* --- what may stop --- */

/* Cheapest slots of work without regard to stops: no more than any path costs. */
static double price_slots(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                          size_t k, double enough_cur)
{
    const uint16_t *order = &cert->order[k * cert->n_slots];
    const double *price_cur = &cert->price_cur[k * cert->n_slots];
    double tail_cur = job->tail_max > 0 ? cert->kinds[k].tail_cur : (double)INFINITY;
    double left = job->need;
    double sum_cur = 0.0;

    for (size_t i = 0; i < cert->n_slots && left > HS_CERTIFICATE_LEAST_WORK; i++) {
        size_t t = order[i];

        if (t < job->first || t >= job->end) {
            continue;
        }
        double len = cert->len[t];

        if (price_cur[t] >= tail_cur * len || sum_cur + left * price_cur[t] / len >= enough_cur) {
            break;
        }
        double part = hs_least(left, len);

        sum_cur += part / len * price_cur[t];
        left -= part;
    }
    return left > HS_CERTIFICATE_LEAST_WORK ? sum_cur + left * tail_cur : sum_cur;
}

/* The slots that price_slots() takes, as parts of slots. */
static void fill_slots(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                       size_t k, double *ret_parts)
{
    const uint16_t *order = &cert->order[k * cert->n_slots];
    const double *price_cur = &cert->price_cur[k * cert->n_slots];
    double tail_cur = job->tail_max > 0 ? cert->kinds[k].tail_cur : (double)INFINITY;
    double left = job->need;

    memset(ret_parts, 0, cert->n_slots * sizeof(*ret_parts));
    for (size_t i = 0; i < cert->n_slots && left > HS_CERTIFICATE_LEAST_WORK; i++) {
        size_t t = order[i];
        double len = cert->len[t];

        if (t < job->first || t >= job->end) {
            continue;
        }
        if (price_cur[t] >= tail_cur * len) {
            return;
        }
        ret_parts[t] = hs_least(left / len, 1.0);
        left -= len;
    }
}

/* Where a path begins and what it has to do. */
struct path {
    size_t kind;
    size_t first;
    size_t end;
    size_t n;         /* slots to take, the last one but in part */
    double part;      /* of the last */
    double wait_cur;  /* a slot's delay */
    double wait_from; /* the end before which nobody waits, slots */
    double tail_max;
    bool is_running;
    double begin_cur; /* spent before the first slot */
};

/* States in a row: more slots than there are cannot be taken. */
static size_t get_stride(const struct path *path)
{
    size_t n_rows = path->end - path->first + 1;

    return path->n < n_rows ? path->n : n_rows;
}

/* Least cost of @path and where it ends: after slot *ret_end, or with *ret_done slots before the
 * tail (*ret_end then is the path's end). */
static double find_path(struct hs_certificate *cert, const struct path *path, size_t *ret_end,
                        size_t *ret_done)
{
    const double *price_cur = &cert->price_cur[path->kind * cert->n_slots];
    const double *stop_cur = &cert->stop_cur[path->kind * cert->n_slots];
    size_t n = path->n;
    double best_cur = INFINITY;
    double *run = cert->path_run;
    double *idle = cert->path_idle;
    size_t most = 0;
    bool has_tail = path->tail_max > 0;
    size_t stride = get_stride(path);

    run[0] = path->is_running ? path->begin_cur : (double)INFINITY;
    idle[0] = path->is_running ? (double)INFINITY : path->begin_cur;
    for (size_t t = path->first; t < path->end; t++) {
        double *restrict next_run = run + stride;
        double *restrict next_idle = idle + stride;
        size_t ahead = path->end - t;
        size_t least = !has_tail && n > ahead ? n - ahead : 0;

        if (most == n - 1) {
            double end_cur = hs_least(run[n - 1], idle[n - 1]) + path->part * price_cur[t]
                             + path->wait_cur * fmax(0.0, (double)t + path->part - path->wait_from);

            if (end_cur < best_cur) {
                best_cur = end_cur;
                *ret_end = t;
                *ret_done = n;
            }
        } else {
            most++;
            run[most] = INFINITY;
            idle[most] = INFINITY;
        }
        double price = price_cur[t];
        double stop = stop_cur[t];

        next_run[0] = INFINITY;
        for (size_t k = least > 1 ? least : 1; k <= most; k++) {
            next_run[k] = hs_least(run[k - 1], idle[k - 1]) + price;
        }
        for (size_t k = least; k <= most; k++) {
            next_idle[k] = hs_least(idle[k], run[k] + stop);
        }
        run += stride;
        idle += stride;
    }
    for (size_t k = 0; has_tail && path->end == cert->n_slots && k <= most; k++) {
        double rest = (double)(n - 1 - k) + path->part;
        double end_cur = hs_least(run[k], idle[k]) + rest * cert->kinds[path->kind].tail_cur;

        if (rest <= path->tail_max + HS_CERTIFICATE_LEAST_WORK && end_cur < best_cur) {
            best_cur = end_cur;
            *ret_end = path->end;
            *ret_done = k;
        }
    }
    return best_cur;
}

/* The slots that the path just found takes, as parts of slots. */
static void trace_path(const struct hs_certificate *cert, const struct path *path, size_t end,
                       size_t done, double *ret_parts)
{
    size_t stride = get_stride(path);
    size_t k = done;
    size_t t = end;
    const double *stop_cur = &cert->stop_cur[path->kind * cert->n_slots];

    if (end < path->end || done == path->n) {
        ret_parts[end] = path->part;
        k = path->n - 1;
    }
    const double *run = &cert->path_run[(t - path->first) * stride];
    const double *idle = &cert->path_idle[(t - path->first) * stride];
    bool runs = run[k] <= idle[k];

    while (t > path->first) {
        run -= stride;
        idle -= stride;
        t--;
        if (runs) {
            ret_parts[t] = 1.0;
            k--;
            runs = run[k] <= idle[k];
        } else {
            runs = run[k] + stop_cur[t] < idle[k];
        }
    }
}

static void set_work(struct path *path, double need)
{
    path->n = (size_t)ceil(need - HS_CERTIFICATE_LEAST_WORK);
    path->part = need - (double)(path->n - 1);
}

/* A stretch of the job's slots, @need to do in it. */
static void try_path(struct hs_certificate *cert, struct path *path, double need,
                     struct hs_certificate_choice *io_best, double *io_parts, double first_part)
{
    size_t end = 0;
    size_t done = 0;

    if (path->first > path->end) {
        return;
    }
    set_work(path, need);
    double cur = find_path(cert, path, &end, &done);

    if (cur < io_best->cur) {
        *io_best = (struct hs_certificate_choice){.cur = cur, .kind = path->kind, .is_path = true};
        memset(io_parts, 0, cert->n_slots * sizeof(*io_parts));
        trace_path(cert, path, end, done, io_parts);
        io_parts[0] += first_part;
    }
}

/* Least electricity of a slot of the job's work, were it the cheapest all through. */
static double find_wait_cur(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                            size_t k)
{
    double least_cur = INFINITY;

    for (size_t t = job->first; t < job->end; t++) {
        least_cur = hs_least(least_cur, cert->elec_cur[k * cert->n_slots + t] / cert->len[t]);
    }
    least_cur = job->tail_max > 0 || !(least_cur > 0) || isinf(least_cur) ? 0.0 : least_cur;
    return cert->waiting_weight * least_cur * job->need * cert->slot_s / HS_S_PER_DAY;
}

static void run_in_parts(struct hs_certificate *cert, const struct hs_certificate_job *job,
                         size_t k, struct hs_certificate_choice *io_best, double *io_parts)
{
    double first_len = cert->len[0];
    struct path path = {.kind = k,
                        .first = job->first,
                        .end = job->end,
                        .wait_cur = cert->waiting_weight > 0 ? find_wait_cur(cert, job, k) : 0.0,
                        .wait_from = (double)job->first + job->need,
                        .tail_max = job->tail_max,
                        .is_running = job->is_running && job->first == 0};

    if (job->first > 0 || first_len > 1.0 - HS_CERTIFICATE_LEAST_WORK || job->end <= job->first) {
        path.begin_cur = job->is_running && job->first > 0 ? cert->stop_cur[k * cert->n_slots] : 0;
        try_path(cert, &path, job->need, io_best, io_parts, 0.0);
        return;
    }
    double first_cur = cert->price_cur[k * cert->n_slots];

    path.wait_from += 1.0 - first_len;
    if (job->need <= first_len + HS_CERTIFICATE_LEAST_WORK) {
        double part = job->need / first_len;

        if (part * first_cur < io_best->cur) {
            *io_best =
                (struct hs_certificate_choice){.cur = part * first_cur, .kind = k, .is_path = true};
            memset(io_parts, 0, cert->n_slots * sizeof(*io_parts));
            io_parts[0] = part;
        }
    } else {
        path.first = 1;
        path.begin_cur = first_cur;
        path.is_running = true;
        try_path(cert, &path, job->need - first_len, io_best, io_parts, 1.0);
    }
    path.first = 1;
    path.is_running = false;
    path.begin_cur = job->is_running ? cert->stop_cur[k * cert->n_slots] : 0.0;
    try_path(cert, &path, job->need, io_best, io_parts, 0.0);
}

void hs_certificate_choose_parts(struct hs_certificate *cert, const struct hs_certificate_job *job,
                                 struct hs_certificate_choice *io_best, double *io_parts)
{
    size_t first = SIZE_MAX;
    double first_cur = io_best->cur;

    for (size_t i = 0; i < job->set_n; i++) {
        double cur = price_slots(cert, job, cert->sets.items[job->set_first + i], first_cur);

        if (cur < first_cur) {
            first_cur = cur;
            first = i;
        }
    }
    if (first == SIZE_MAX) {
        return;
    }
    if (job->is_elastic) {
        size_t k = cert->sets.items[job->set_first + first];

        *io_best = (struct hs_certificate_choice){.cur = first_cur, .kind = k, .is_path = true};
        fill_slots(cert, job, k, io_parts);
        return;
    }
    run_in_parts(cert, job, cert->sets.items[job->set_first + first], io_best, io_parts);
    for (size_t i = 0; i < job->set_n; i++) {
        size_t k = cert->sets.items[job->set_first + i];

        if (i != first && price_slots(cert, job, k, io_best->cur) < io_best->cur) {
            run_in_parts(cert, job, k, io_best, io_parts);
        }
    }
}
