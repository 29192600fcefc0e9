/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * arrivals - how much work will be submitted in the next days, from what was submitted so far.
 *
 * Learns online. For each hour of the week: work that came (vCPU-seconds as requested), its
 * typical run and the time it had, with spread; old weeks are forgotten. A cell with few weeks
 * leans on the same hour of other days, that on the mean of all hours; on the first day that is
 * the mean so far times the share of a day that was seen: a burst at the start is no forecast.
 * People ask for more than they run: what is expected is scaled by run / request of the jobs that
 * ended.
 *
 * A plain value, so that it can be stored and restored as it is. Pure. See docs/adr/0006.
 */

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "scheduler/base/err.h"

#define HS_ARRIVALS_HOURS 168 /* of a week, from Monday 00:00 UTC */

/** Work that may wait, and work that starts at once. */
enum hs_arrivals_kind { HS_ARRIVALS_DEFERRABLE, HS_ARRIVALS_AT_ONCE, HS_ARRIVALS_N_KINDS };

/** What came in an hour, or its mean. */
struct hs_arrivals_sum {
    double work_vcpu_s; /* vCPUs x requested run */
    double run_work;    /* requested run [s] x work */
    double window_work; /* time from submit to due [s] x work */
};

/** One hour of the week. */
struct hs_arrivals_cell {
    double n_weeks; /* seen, up to what is remembered */
    struct hs_arrivals_sum mean;
    double work_var; /* variance of work_vcpu_s */
};

struct hs_arrivals {
    int64_t hour_at_s; /* start of the open hour; 0: none yet */
    struct hs_arrivals_sum open[HS_ARRIVALS_N_KINDS];
    struct hs_arrivals_cell cells[HS_ARRIVALS_N_KINDS][HS_ARRIVALS_HOURS];
    double ended_run_vcpu_s;     /* of jobs that ended, recent ones weigh more */
    double ended_request_vcpu_s; /* what they had asked for */
    double n_ended;
};

/** A request as it was submitted. */
struct hs_arrivals_request {
    enum hs_arrivals_kind kind;
    int64_t at_s;
    double vcpus;
    double run_s; /* as requested */
    int64_t due_at_s;
};

/** Work expected to be submitted in one stretch of time. */
struct hs_arrivals_bucket {
    enum hs_arrivals_kind kind;
    int64_t release_at_s; /* middle of the stretch */
    int64_t due_at_s;     /* typical latest end */
    double run_s;         /* typical run, as it will be, not as asked for */
    double work_vcpu_s;   /* >= 0 */
    double spread_vcpu_s; /* its standard deviation, >= 0 */
};

/** Nothing known; the first hour begins with the hour of @at_s. */
void hs_arrivals_init(struct hs_arrivals *arrivals, int64_t at_s);

/** Time has come to @at_s: close the hours before. What a later submit says is of its own hour. */
void hs_arrivals_advance(struct hs_arrivals *arrivals, int64_t at_s);

/** Take in a request. Requests come in time order; one from before the open hour is ignored. */
void hs_arrivals_observe(struct hs_arrivals *arrivals, const struct hs_arrivals_request *request);

/** A job ended by itself: it ran @run_s and had asked for @request_s. */
void hs_arrivals_observe_end(struct hs_arrivals *arrivals, double vcpus, double request_s,
                             double run_s);

/** Run / request of recent jobs, by work; 1 while too few have ended. In (0, 1]. */
double hs_arrivals_get_run_ratio(const struct hs_arrivals *arrivals);

/**
 * Work of @kind expected in each of @n_buckets stretches of @bucket_s from @from_at_s on.
 *
 * @param bucket_s     > 0
 * @param ret_buckets  [n_buckets]
 */
void hs_arrivals_expect(const struct hs_arrivals *arrivals, enum hs_arrivals_kind kind,
                        int64_t from_at_s, int64_t bucket_s, size_t n_buckets,
                        struct hs_arrivals_bucket *ret_buckets);

/** Everything learned, to be restored exactly; owned by the caller. */
json_t *hs_arrivals_save(const struct hs_arrivals *arrivals);

/**
 * Take over what hs_arrivals_save() gave.
 *
 * @return 0 or -HS_E_INVALID, @ret_arrivals is then untouched
 */
int hs_arrivals_restore(struct hs_arrivals *ret_arrivals, const json_t *saved, struct hs_err *err);
