/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * executor - what an adapter needs of the world's clockwork: post, timer, watch, worker.
 *
 * hschedd drives it with a libevent reactor (scheduler/daemon/reactor.h), hsim with a virtual
 * queue (scheduler/sim/virtual_executor.h); an adapter never knows which. Every callback runs
 * on the executor's own thread, never before the call that asked for it has returned. Times are
 * real seconds (virtual ones in hsim).
 *
 * Blocking calls go through hs_executor_run(): one *lane* per host or bus, at most one call in
 * flight in each, first in first out; a hung call costs its own lane only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/err.h"

struct hs_executor;
struct hs_timer;
struct hs_watch;
struct hs_lane;

enum hs_watch_events {
    HS_WATCH_READ = 1,
    HS_WATCH_WRITE = 2,
    HS_WATCH_ERROR = 4, /* reported only */
    HS_WATCH_HANGUP = 8 /* reported only */
};

typedef void hs_executor_fn(void *arg);
typedef void hs_watch_fn(int fd, unsigned events, void *arg);

/** Blocking work, on a worker thread. Touches nothing but @arg. */
typedef void hs_work_fn(void *arg);

/**
 * End of a piece of work, on the executor's thread, exactly once.
 *
 * @param rc  0: the work ran and @arg holds its result. -HS_E_TIMEOUT: its deadline passed while
 *            it was queued or running; if running, the worker may still be inside the call and
 *            writing to @arg, so read nothing from it and free it in release only.
 *            -HS_E_UNAVAILABLE: the lane was removed
 */
typedef void hs_work_done_fn(int rc, void *arg);

struct hs_executor_ops {
    void (*post)(struct hs_executor *executor, hs_executor_fn *fn, void *arg);
    struct hs_timer *(*timer_add)(struct hs_executor *executor, double after_s, hs_executor_fn *fn,
                                  void *arg);
    void (*timer_set)(struct hs_executor *executor, struct hs_timer *timer, double after_s);
    void (*timer_remove)(struct hs_executor *executor, struct hs_timer *timer);
    struct hs_watch *(*watch_add)(struct hs_executor *executor, int fd, unsigned events,
                                  hs_watch_fn *fn, void *arg);
    void (*watch_set)(struct hs_executor *executor, struct hs_watch *watch, unsigned events);
    void (*watch_remove)(struct hs_executor *executor, struct hs_watch *watch);
    struct hs_lane *(*lane_add)(struct hs_executor *executor, const char *name);
    void (*lane_remove)(struct hs_executor *executor, struct hs_lane *lane);
    void (*run)(struct hs_executor *executor, struct hs_lane *lane, double deadline_s,
                hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg);
};

/** Base of every executor's own struct, as its first member. */
struct hs_executor {
    const struct hs_executor_ops *ops; /* static, never NULL */
};

/** Call @fn once, soon. Safe from any thread (the reactor's; a virtual executor has one). */
static inline void hs_executor_post(struct hs_executor *executor, hs_executor_fn *fn, void *arg)
{
    executor->ops->post(executor, fn, arg);
}

/**
 * Call @fn after @after_s (>= 0), once per arming; the timer stays allocated until removed and
 * can be armed again from within @fn with hs_executor_timer_set(). Negative @after_s: disarmed.
 */
static inline struct hs_timer *hs_executor_timer_add(struct hs_executor *executor, double after_s,
                                                     hs_executor_fn *fn, void *arg)
{
    return executor->ops->timer_add(executor, after_s, fn, arg);
}

/** Arm again; negative @after_s disarms. */
static inline void hs_executor_timer_set(struct hs_executor *executor, struct hs_timer *timer,
                                         double after_s)
{
    executor->ops->timer_set(executor, timer, after_s);
}

/** Accepts NULL. Legal inside the timer's own callback. */
static inline void hs_executor_timer_remove(struct hs_executor *executor, struct hs_timer *timer)
{
    if (timer != NULL) {
        executor->ops->timer_remove(executor, timer);
    }
}

/** Call @fn whenever @fd is ready; level triggered. The descriptor stays the caller's. */
static inline struct hs_watch *hs_executor_watch_add(struct hs_executor *executor, int fd,
                                                     unsigned events, hs_watch_fn *fn, void *arg)
{
    return executor->ops->watch_add(executor, fd, events, fn, arg);
}

/** Change what is watched for; 0 keeps the watch but reports nothing. */
static inline void hs_executor_watch_set(struct hs_executor *executor, struct hs_watch *watch,
                                         unsigned events)
{
    executor->ops->watch_set(executor, watch, events);
}

/** Accepts NULL. Legal inside the watch's own callback. */
static inline void hs_executor_watch_remove(struct hs_executor *executor, struct hs_watch *watch)
{
    if (watch != NULL) {
        executor->ops->watch_remove(executor, watch);
    }
}

/** A queue of blocking calls, one in flight at most. @param name  for logs and explain; copied */
static inline struct hs_lane *hs_executor_lane_add(struct hs_executor *executor, const char *name)
{
    return executor->ops->lane_add(executor, name);
}

/** Accepts NULL. Queued work ends with -HS_E_UNAVAILABLE; a call in flight is let go. */
static inline void hs_executor_lane_remove(struct hs_executor *executor, struct hs_lane *lane)
{
    if (lane != NULL) {
        executor->ops->lane_remove(executor, lane);
    }
}

/**
 * Run @work on a worker, then @done on the executor's thread exactly once, then @release exactly
 * once when neither the executor nor a worker will touch @arg again (free it there). After a
 * timeout the lane stays blocked until the late call returns; its result is dropped.
 *
 * @param deadline_s  real seconds from now, > 0, the wait in the queue included
 * @param release     nullable
 */
static inline void hs_executor_run(struct hs_executor *executor, struct hs_lane *lane,
                                   double deadline_s, hs_work_fn *work, hs_work_done_fn *done,
                                   hs_executor_fn *release, void *arg)
{
    executor->ops->run(executor, lane, deadline_s, work, done, release, arg);
}
