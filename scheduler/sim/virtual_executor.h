/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * virtual_executor - the executor of hsim: one queue in virtual time, one thread, no waiting.
 *
 * Posts and timers fire in order of their time, equal times in the order in which they were
 * asked for. Work of hs_executor_run() is done at once when its turn comes; its `done` and
 * `release` follow at the same virtual time, later in the queue. There are no descriptors in a
 * simulated world: adding a watch is a programming error. Moves a virtual clock as it goes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"

struct hs_virtual_executor;

/** An empty queue. @param clock virtual; kept. Owned by the caller */
struct hs_virtual_executor *hs_virtual_executor_new(struct hs_clock *clock);

/** The port's face. Borrowed, lives as long as @executor. */
struct hs_executor *hs_virtual_executor_get(struct hs_virtual_executor *executor);

/** Virtual time of the next event; INFINITY if there is none. */
double hs_virtual_executor_next_at_s(const struct hs_virtual_executor *executor);

/** Do everything due up to and at @at_s, then set the clock to @at_s. */
void hs_virtual_executor_advance(struct hs_virtual_executor *executor, double at_s);

/** Accepts NULL. Queued work that never ran still has its `done` and `release` called. */
void hs_virtual_executor_free(struct hs_virtual_executor *executor);
HS_DEFINE_AUTO(hs_virtual_executor);
