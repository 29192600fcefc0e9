/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * poll_executor - the executor of `hsim serve`: real time and real sockets, one thread.
 *
 * Timers and watches by poll(2), for a handful of each. Work of a lane is done in its turn, on this
 * thread: what blocks holds up all else, and no deadline ends it.
 */

#include "scheduler/base/auto.h"
#include "scheduler/base/executor.h"

struct hs_poll_executor;

/** Owned by the caller. */
struct hs_poll_executor *hs_poll_executor_new(void);

/** The port's face. Borrowed, lives as long as @executor. */
struct hs_executor *hs_poll_executor_get(struct hs_poll_executor *executor);

/** Do what is due until somebody says stop. Timers that are due come before descriptors. */
void hs_poll_executor_run(struct hs_poll_executor *executor);

/** End the run after the callback that says so. */
void hs_poll_executor_stop(struct hs_poll_executor *executor);

/** Timers, watches and lanes must have been removed. Accepts NULL. */
void hs_poll_executor_free(struct hs_poll_executor *executor);
HS_DEFINE_AUTO(hs_poll_executor);
