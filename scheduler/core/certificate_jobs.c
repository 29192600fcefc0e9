/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_jobs - the cheapest choice of each job at given prices, apart from all others.
 *
 * Everything is per vCPU. What runs through is a difference of sums for each start. What may stop
 * is a shortest path over (slots, slots of work done, running or not), asked for only on kinds
 * whose cheapest slots, stops left out, could beat the best so far.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

#define LEAST_WORK 1e-9 /* slots: less is rounding */

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* A job's choice. Slots of work that lie past the horizon belong to no slot here. */
struct choice {
    double cur; /* per vCPU */
    size_t kind;
    bool is_path; /* its slots are in the scratch of the path */
    double start; /* run-through: first slot; negative: nothing within the horizon */
};

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

        kind->least_cur = smaller(kind->tail_cur, price_cur[least] / cert->len[least]);
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
        double whole = floor(left + LEAST_WORK);
        double room = (double)(cert->n_slots - last);

        whole = smaller(whole, room);
        last += (size_t)whole;
        part = left - whole > LEAST_WORK ? left - whole : 0.0;
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
                        size_t k, size_t first, size_t last, struct choice *io_best)
{
    const double *price_sum = &cert->price_sum[k * (cert->n_slots + 1)];
    const double *price_cur = &cert->price_cur[k * cert->n_slots];
    double whole = floor(job->need + LEAST_WORK);
    double part = job->need - whole > LEAST_WORK ? job->need - whole : 0.0;
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
            *io_best = (struct choice){.cur = least[s], .kind = k, .start = (double)s};
        }
    }
}

static void run_through(const struct hs_certificate *cert, const struct hs_certificate_job *job,
                        size_t k, struct choice *io_best)
{
    size_t n = (size_t)ceil(job->need - LEAST_WORK);
    size_t s = job->first;

    if (s == 0) {
        double cur = price_run(cert, job, k, s++);

        if (cur < io_best->cur) {
            *io_best = (struct choice){.cur = cur, .kind = k};
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
            *io_best = (struct choice){.cur = cur, .kind = k, .start = (double)s};
        }
    }
}

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

    for (size_t i = 0; i < cert->n_slots && left > LEAST_WORK; i++) {
        size_t t = order[i];

        if (t < job->first || t >= job->end) {
            continue;
        }
        double len = cert->len[t];

        if (price_cur[t] >= tail_cur * len || sum_cur + left * price_cur[t] / len >= enough_cur) {
            break;
        }
        double part = smaller(left, len);

        sum_cur += part / len * price_cur[t];
        left -= part;
    }
    return left > LEAST_WORK ? sum_cur + left * tail_cur : sum_cur;
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
    for (size_t i = 0; i < cert->n_slots && left > LEAST_WORK; i++) {
        size_t t = order[i];
        double len = cert->len[t];

        if (t < job->first || t >= job->end) {
            continue;
        }
        if (price_cur[t] >= tail_cur * len) {
            return;
        }
        ret_parts[t] = smaller(left / len, 1.0);
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
            double end_cur = smaller(run[n - 1], idle[n - 1]) + path->part * price_cur[t]
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
            next_run[k] = smaller(run[k - 1], idle[k - 1]) + price;
        }
        for (size_t k = least; k <= most; k++) {
            next_idle[k] = smaller(idle[k], run[k] + stop);
        }
        run += stride;
        idle += stride;
    }
    for (size_t k = 0; has_tail && path->end == cert->n_slots && k <= most; k++) {
        double rest = (double)(n - 1 - k) + path->part;
        double end_cur = smaller(run[k], idle[k]) + rest * cert->kinds[path->kind].tail_cur;

        if (rest <= path->tail_max + LEAST_WORK && end_cur < best_cur) {
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
    path->n = (size_t)ceil(need - LEAST_WORK);
    path->part = need - (double)(path->n - 1);
}

/* A stretch of the job's slots, @need to do in it. */
static void try_path(struct hs_certificate *cert, struct path *path, double need,
                     struct choice *io_best, double *io_parts, double first_part)
{
    size_t end = 0;
    size_t done = 0;

    if (path->first > path->end) {
        return;
    }
    set_work(path, need);
    double cur = find_path(cert, path, &end, &done);

    if (cur < io_best->cur) {
        *io_best = (struct choice){.cur = cur, .kind = path->kind, .is_path = true};
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
        least_cur = smaller(least_cur, cert->elec_cur[k * cert->n_slots + t] / cert->len[t]);
    }
    least_cur = job->tail_max > 0 || !(least_cur > 0) || isinf(least_cur) ? 0.0 : least_cur;
    return cert->waiting_weight * least_cur * job->need * cert->slot_s / HS_S_PER_DAY;
}

static void run_in_parts(struct hs_certificate *cert, const struct hs_certificate_job *job,
                         size_t k, struct choice *io_best, double *io_parts)
{
    double first_len = cert->len[0];
    struct path path = {.kind = k,
                        .first = job->first,
                        .end = job->end,
                        .wait_cur = cert->waiting_weight > 0 ? find_wait_cur(cert, job, k) : 0.0,
                        .wait_from = (double)job->first + job->need,
                        .tail_max = job->tail_max,
                        .is_running = job->is_running && job->first == 0};

    if (job->first > 0 || first_len > 1.0 - LEAST_WORK || job->end <= job->first) {
        path.begin_cur = job->is_running && job->first > 0 ? cert->stop_cur[k * cert->n_slots] : 0;
        try_path(cert, &path, job->need, io_best, io_parts, 0.0);
        return;
    }
    double first_cur = cert->price_cur[k * cert->n_slots];

    path.wait_from += 1.0 - first_len;
    if (job->need <= first_len + LEAST_WORK) {
        double part = job->need / first_len;

        if (part * first_cur < io_best->cur) {
            *io_best = (struct choice){.cur = part * first_cur, .kind = k, .is_path = true};
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

/* --- a job --- */

/* Nothing within the horizon: after it, late, or for filler not at all. */
static struct choice find_other(const struct hs_certificate *cert,
                                const struct hs_certificate_job *job)
{
    struct choice other = {.cur = 0.0, .kind = SIZE_MAX, .start = -1.0};
    double least_cur = INFINITY;
    double tail_cur = INFINITY;

    if (job->freedom == HS_PLACE_FILLER) {
        other.cur = job->fill_cur;
        return other;
    }
    for (size_t i = 0; i < job->set_n; i++) {
        const struct hs_certificate_kind *kind = &cert->kinds[cert->sets.items[job->set_first + i]];

        least_cur = smaller(least_cur, kind->least_cur);
        tail_cur = smaller(tail_cur, kind->tail_cur);
    }
    least_cur = job->set_n > 0 ? least_cur : 0.0;
    tail_cur = job->set_n > 0 ? tail_cur : 0.0;
    if (job->freedom == HS_PLACE_AT_ONCE) {
        other.cur =
            job->late_cur + smaller(job->need, (double)cert->n_slots) * smaller(least_cur, 0.0);
        return other;
    }
    other.cur = job->late_cur + job->need * least_cur;
    if (job->need <= job->tail_max + LEAST_WORK) {
        other.cur = smaller(other.cur, job->need * tail_cur);
    }
    return other;
}

static void choose_parts(struct hs_certificate *cert, const struct hs_certificate_job *job,
                         struct choice *io_best, double *io_parts)
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

        *io_best = (struct choice){.cur = first_cur, .kind = k, .is_path = true};
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

/* Book what the choice takes. */
static void take(struct hs_certificate *cert, const struct hs_certificate_job *job,
                 const struct choice *choice, double *parts)
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
        for (end = first; end < n && left > LEAST_WORK; end++) {
            parts[end] = smaller(left / cert->len[end], 1.0);
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
        struct choice best = find_other(cert, job);

        if (job->can_start && job->freedom != HS_PLACE_INTERRUPTIBLE
            && job->freedom != HS_PLACE_FILLER) {
            for (size_t i = 0; i < job->set_n; i++) {
                run_through(cert, job, cert->sets.items[job->set_first + i], &best);
            }
        } else if (job->first < cert->n_slots) {
            choose_parts(cert, job, &best, parts);
        }
        sum_cur += (best.cur - job->fill_cur) * job->vcpus;
        take(cert, job, &best, parts);
    }
    return sum_cur;
}
