/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * workers - the bounded pool of threads on which a call that blocks costs only its own lane.
 *
 * Serves the lane and run slots of an executor (executor.h has the contract). Lanes and calls
 * belong to the executor's thread; a worker thread sees nothing but one call at a time. A call
 * that outlives its deadline parks its thread; the pool then grows by as many threads as are
 * parked, up to a hard bound, so that the other lanes go on. fanout.h is for computing; no other
 * file starts a thread.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/executor.h"

struct hs_workers;

struct hs_workers_options {
    size_t n_threads;     /* threads for calls in time; 0: 16 */
    size_t n_threads_max; /* hard bound with the parked ones; 0: 64 */
    double grace_s;       /* how long hs_workers_free() waits for calls in flight; 0: 1 s */
};

struct hs_workers_stats {
    size_t n_threads; /* alive now */
    size_t n_parked;  /* inside a call whose deadline has passed or whose lane was removed */
    size_t n_ready;   /* calls that wait for a thread */
};

/**
 * Threads start when first needed.
 *
 * @param executor  kept; its post must be safe from any thread
 * @param options   borrowed, nullable
 * @return owned by the caller
 */
struct hs_workers *hs_workers_new(struct hs_executor *executor,
                                  const struct hs_workers_options *options);

/** The executor's lane_add. */
struct hs_lane *hs_workers_add_lane(struct hs_workers *workers, const char *name);

/** The executor's lane_remove. */
void hs_workers_remove_lane(struct hs_workers *workers, struct hs_lane *lane);

/** The executor's run. */
void hs_workers_run(struct hs_workers *workers, struct hs_lane *lane, double deadline_s,
                    hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg);

void hs_workers_get_stats(struct hs_workers *workers, struct hs_workers_stats *ret_stats);

/**
 * End every call: `done` gets 0 or -HS_E_UNAVAILABLE. A call that does not return within the
 * grace keeps its thread and its argument, which is never released. Accepts NULL.
 */
void hs_workers_free(struct hs_workers *workers);
HS_DEFINE_AUTO(hs_workers);
