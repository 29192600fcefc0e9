/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * lane_calls - blocking calls on one lane of the executor, each answered exactly once, also
 * when their owner goes away first.
 */

#include <sys/queue.h>

#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct hs_lane_call;

/** On a worker: touches nothing but @arg. @return 0 or -kind, with @err filled */
typedef int hs_lane_call_work_fn(void *arg, struct hs_err *err);

/**
 * On the executor's thread. After -HS_E_TIMEOUT or -HS_E_UNAVAILABLE the worker may still be
 * writing to what @arg holds: read only what was set before the call.
 */
typedef void hs_lane_call_done_fn(int rc, const struct hs_err *err, void *arg);

struct hs_lane_calls {
    struct hs_executor *executor;
    struct hs_lane *lane;
    double deadline_s;
    TAILQ_HEAD(, hs_lane_call) pending;
};

/** @param executor  kept */
void hs_lane_calls_init(struct hs_lane_calls *calls, struct hs_executor *executor, const char *name,
                        double deadline_s);

/** @param release  frees @arg when nobody will touch it again; executor's thread */
void hs_lane_calls_add(struct hs_lane_calls *calls, hs_lane_call_work_fn *work,
                       hs_lane_call_done_fn *done, hs_executor_fn *release, void *arg);

/** Pending calls end with -HS_E_UNAVAILABLE. */
void hs_lane_calls_fini(struct hs_lane_calls *calls);
