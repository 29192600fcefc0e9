/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * reactor - hschedd's executor: one libevent loop and a pool of workers behind executor.h.
 *
 * Owns the event base, its timers, watches, signals and worker threads. The thread that calls
 * hs_reactor_run() is the loop thread; all of the daemon lives on it. Only post and
 * hs_reactor_stop() may be called from elsewhere. Ignores SIGPIPE for the process: hiredis
 * writes to sockets whose peer may be gone.
 */

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/base/workers.h"

struct event_base;
struct hs_reactor;

/**
 * @param options      of the worker pool; borrowed, nullable
 * @param ret_reactor  owned by the caller on success
 * @return 0 or -HS_E_SYSTEM
 */
int hs_reactor_new(const struct hs_workers_options *options, struct hs_reactor **ret_reactor,
                   struct hs_err *err);

/** Borrowed; lives as long as the reactor. */
struct hs_executor *hs_reactor_get_executor(struct hs_reactor *reactor);

/** For evhttp. Borrowed. */
struct event_base *hs_reactor_get_base(struct hs_reactor *reactor);

/** Borrowed; for metrics. */
struct hs_workers *hs_reactor_get_workers(struct hs_reactor *reactor);

/** Call @fn on the loop thread whenever @signum arrives, until the reactor is freed. */
int hs_reactor_watch_signal(struct hs_reactor *reactor, int signum, hs_executor_fn *fn, void *arg,
                            struct hs_err *err);

/** Run callbacks until hs_reactor_stop(); may be called again afterwards. */
void hs_reactor_run(struct hs_reactor *reactor);

/** Let hs_reactor_run() return after the current callback. Safe from any thread. */
void hs_reactor_stop(struct hs_reactor *reactor);

/**
 * Ends the calls on workers first (workers.h), then drops what was posted and not yet run.
 * Timers and watches must have been removed. Accepts NULL.
 */
void hs_reactor_free(struct hs_reactor *reactor);
HS_DEFINE_AUTO(hs_reactor);
