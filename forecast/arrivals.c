/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrivals - see arrivals.h.
 *
 * A cell's mean m after n weeks is drawn to the mean of its hour of the day, and that to the mean
 * of all hours, as if the wider mean had been seen for LEAN weeks (days):
 *     (n m + LEAN wider) / (n + LEAN)
 * Forgetting: a cell counts at most MEMORY_WEEKS, so that each later week weighs 1 / MEMORY_WEEKS.
 */
#include "forecast/arrivals.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/packtext.h"

#define HOUR_S        3600
#define STATE_VERSION 2
#define LEAN          4.0
#define MEMORY_WEEKS  8.0
/* Hours until the mean of all is believed: what came in the first one may be all there is. */
#define BELIEF_HOURS 24.0

/* Jobs that must have ended before their run / request is believed, and how fast it is forgotten:
 * a job's part is halved after about 700 others. */
#define ENDED_MIN    10.0
#define ENDED_FORGET 0.999

/* 1970-01-01 was a Thursday. */
static size_t hour_of_week(int64_t at_s)
{
    return (size_t)((at_s / HOUR_S + 3 * 24) % HS_ARRIVALS_HOURS);
}

void hs_arrivals_init(struct hs_arrivals *arrivals, int64_t at_s)
{
    memset(arrivals, 0, sizeof(*arrivals));
    arrivals->hour_at_s = at_s - at_s % HOUR_S;
}

/* --- learning --- */

static void learn(double *mean, double value, double n)
{
    *mean += (value - *mean) / n;
}

static void close_cell(struct hs_arrivals_cell *cell, const struct hs_arrivals_sum *sum)
{
    double n = fmin(cell->n_weeks + 1.0, MEMORY_WEEKS);
    double off_vcpu_s = sum->work_vcpu_s - cell->mean.work_vcpu_s;

    cell->n_weeks = n;
    /* Welford's step; with n held it is the exponentially weighted one */
    cell->work_var = (1.0 - 1.0 / n) * (cell->work_var + off_vcpu_s * off_vcpu_s / n);
    learn(&cell->mean.work_vcpu_s, sum->work_vcpu_s, n);
    learn(&cell->mean.run_work, sum->run_work, n);
    learn(&cell->mean.window_work, sum->window_work, n);
}

void hs_arrivals_advance(struct hs_arrivals *arrivals, int64_t at_s)
{
    for (; arrivals->hour_at_s + HOUR_S <= at_s; arrivals->hour_at_s += HOUR_S) {
        size_t hour = hour_of_week(arrivals->hour_at_s);

        for (size_t k = 0; k < HS_ARRIVALS_N_KINDS; k++) {
            close_cell(&arrivals->cells[k][hour], &arrivals->open[k]);
        }
        memset(arrivals->open, 0, sizeof(arrivals->open));
    }
}

void hs_arrivals_observe(struct hs_arrivals *arrivals, const struct hs_arrivals_request *request)
{
    struct hs_arrivals_sum *sum = &arrivals->open[request->kind];
    double work_vcpu_s = request->vcpus * request->run_s;
    double window_s = fmax((double)(request->due_at_s - request->at_s), 0.0);

    if (request->at_s < arrivals->hour_at_s) {
        return; /* of an hour that is closed: an earlier life has learned it */
    }
    hs_arrivals_advance(arrivals, request->at_s);
    sum->work_vcpu_s += work_vcpu_s;
    sum->run_work += request->run_s * work_vcpu_s;
    sum->window_work += window_s * work_vcpu_s;
}

void hs_arrivals_observe_end(struct hs_arrivals *arrivals, double vcpus, double request_s,
                             double run_s)
{
    if (!(request_s > 0) || !(run_s >= 0)) {
        return;
    }
    arrivals->ended_run_vcpu_s *= ENDED_FORGET;
    arrivals->ended_request_vcpu_s *= ENDED_FORGET;
    arrivals->ended_run_vcpu_s += vcpus * fmin(run_s, request_s);
    arrivals->ended_request_vcpu_s += vcpus * request_s;
    arrivals->n_ended += 1.0;
}

double hs_arrivals_get_run_ratio(const struct hs_arrivals *arrivals)
{
    if (arrivals->n_ended < ENDED_MIN || !(arrivals->ended_run_vcpu_s > 0)) {
        return 1.0;
    }
    return arrivals->ended_run_vcpu_s / arrivals->ended_request_vcpu_s;
}

/* --- expecting --- */

/* Weighted sums of cells, for the wider means. */
struct pool {
    double n;
    struct hs_arrivals_sum sum;
    double work_square; /* sum of n (variance + mean^2) */
};

static void add_cell(struct pool *pool, const struct hs_arrivals_cell *cell)
{
    double mean_vcpu_s = cell->mean.work_vcpu_s;

    pool->n += cell->n_weeks;
    pool->sum.work_vcpu_s += cell->n_weeks * mean_vcpu_s;
    pool->sum.run_work += cell->n_weeks * cell->mean.run_work;
    pool->sum.window_work += cell->n_weeks * cell->mean.window_work;
    pool->work_square += cell->n_weeks * (cell->work_var + mean_vcpu_s * mean_vcpu_s);
}

/* The pool's means with @wider seen LEAN times more. */
static struct pool lean_on(const struct pool *pool, const struct pool *wider)
{
    double scale = 1.0 / (pool->n + LEAN);

    return (struct pool){
        .n = 1.0,
        .sum = {.work_vcpu_s = (pool->sum.work_vcpu_s + LEAN * wider->sum.work_vcpu_s) * scale,
                .run_work = (pool->sum.run_work + LEAN * wider->sum.run_work) * scale,
                .window_work = (pool->sum.window_work + LEAN * wider->sum.window_work) * scale},
        .work_square = (pool->work_square + LEAN * wider->work_square) * scale,
    };
}

static struct pool all_hours(const struct hs_arrivals_cell *cells)
{
    struct pool pool = {0};

    for (size_t hour = 0; hour < HS_ARRIVALS_HOURS; hour++) {
        add_cell(&pool, &cells[hour]);
    }
    if (pool.n > 0) {
        pool.sum.work_vcpu_s /= pool.n;
        pool.sum.run_work /= pool.n;
        pool.sum.window_work /= pool.n;
        pool.work_square /= pool.n;
    }
    return pool;
}

static struct pool expect_hour(const struct hs_arrivals_cell *cells, const struct pool *all,
                               size_t hour)
{
    struct pool day = {0};
    struct pool own = {0};

    for (size_t h = hour % 24; h < HS_ARRIVALS_HOURS; h += 24) {
        add_cell(&day, &cells[h]);
    }
    add_cell(&own, &cells[hour]);
    day = lean_on(&day, all);
    return lean_on(&own, &day);
}

/* Part of the hour that begins at @hour_at_s that lies in [from, to). */
static double overlap_ratio(int64_t hour_at_s, int64_t from_at_s, int64_t to_at_s)
{
    int64_t first = hour_at_s > from_at_s ? hour_at_s : from_at_s;
    int64_t last = hour_at_s + HOUR_S < to_at_s ? hour_at_s + HOUR_S : to_at_s;

    return last > first ? (double)(last - first) / HOUR_S : 0.0;
}

static void fill_bucket(const struct hs_arrivals *arrivals, const struct pool *all,
                        int64_t from_at_s, int64_t to_at_s, struct hs_arrivals_bucket *bucket)
{
    const struct hs_arrivals_cell *cells = arrivals->cells[bucket->kind];
    double run_ratio = hs_arrivals_get_run_ratio(arrivals);
    struct hs_arrivals_sum sum = {0};
    double var = 0.0;

    for (int64_t at_s = from_at_s - from_at_s % HOUR_S; at_s < to_at_s; at_s += HOUR_S) {
        struct pool hour = expect_hour(cells, all, hour_of_week(at_s));
        double part = overlap_ratio(at_s, from_at_s, to_at_s);

        sum.work_vcpu_s += part * hour.sum.work_vcpu_s;
        sum.run_work += part * hour.sum.run_work;
        sum.window_work += part * hour.sum.window_work;
        var += part * fmax(hour.work_square - hour.sum.work_vcpu_s * hour.sum.work_vcpu_s, 0.0);
    }
    bucket->release_at_s = from_at_s + (to_at_s - from_at_s) / 2;
    bucket->due_at_s = bucket->release_at_s;
    if (!(sum.work_vcpu_s > 0)) {
        return;
    }
    bucket->work_vcpu_s = sum.work_vcpu_s * run_ratio;
    bucket->spread_vcpu_s = sqrt(var) * run_ratio;
    bucket->run_s = sum.run_work / sum.work_vcpu_s * run_ratio;
    bucket->due_at_s += (int64_t)fmax(sum.window_work / sum.work_vcpu_s, bucket->run_s);
}

void hs_arrivals_expect(const struct hs_arrivals *arrivals, enum hs_arrivals_kind kind,
                        int64_t from_at_s, int64_t bucket_s, size_t n_buckets,
                        struct hs_arrivals_bucket *ret_buckets)
{
    struct pool all = all_hours(arrivals->cells[kind]);
    double belief = fmin(1.0, all.n / BELIEF_HOURS);

    assert(bucket_s > 0);
    for (size_t i = 0; i < n_buckets; i++) {
        int64_t at_s = from_at_s + (int64_t)i * bucket_s;

        ret_buckets[i] = (struct hs_arrivals_bucket){.kind = kind};
        fill_bucket(arrivals, &all, at_s, at_s + bucket_s, &ret_buckets[i]);
        ret_buckets[i].work_vcpu_s *= belief;
    }
}

json_t *hs_arrivals_save(const struct hs_arrivals *arrivals)
{
    HS_AUTO_MEM char *text = hs_packtext_format(arrivals, sizeof(*arrivals));
    json_t *saved = hs_jsonx_object();

    hs_jsonx_set_int(saved, "version", STATE_VERSION);
    hs_jsonx_set_text(saved, "state", text);
    return saved;
}

static bool is_amount(double value)
{
    return isfinite(value) && value >= 0;
}

static bool check_sum(const struct hs_arrivals_sum *sum)
{
    return is_amount(sum->work_vcpu_s) && is_amount(sum->run_work) && is_amount(sum->window_work);
}

/* An hour that is none would be counted up to now, or index before the week. */
static bool check(const struct hs_arrivals *arrivals)
{
    bool is_fine = arrivals->hour_at_s >= 0 && arrivals->hour_at_s % HOUR_S == 0
                   && is_amount(arrivals->ended_run_vcpu_s)
                   && is_amount(arrivals->ended_request_vcpu_s) && is_amount(arrivals->n_ended);

    for (size_t k = 0; k < HS_ARRIVALS_N_KINDS; k++) {
        is_fine = is_fine && check_sum(&arrivals->open[k]);
        for (size_t hour = 0; hour < HS_ARRIVALS_HOURS; hour++) {
            const struct hs_arrivals_cell *cell = &arrivals->cells[k][hour];

            is_fine = is_fine && is_amount(cell->n_weeks) && check_sum(&cell->mean)
                      && is_amount(cell->work_var);
        }
    }
    return is_fine;
}

int hs_arrivals_restore(struct hs_arrivals *ret_arrivals, const json_t *saved, struct hs_err *err)
{
    struct hs_arrivals arrivals;

    if (json_integer_value(json_object_get(saved, "version")) != STATE_VERSION
        || !hs_packtext_parse(json_string_value(json_object_get(saved, "state")), &arrivals,
                              sizeof(arrivals))
        || !check(&arrivals)) {
        return hs_err_set(err, HS_E_INVALID, "arrivals", "is damaged or of another version");
    }
    *ret_arrivals = arrivals;
    return 0;
}
