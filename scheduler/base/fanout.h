/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * fanout - the same work on several items at once, on as many threads as are wanted.
 *
 * For computing alone: an item's work touches nothing that another's does, and waits for nothing.
 * What comes out does not depend on how many threads there are.
 */

#include <stddef.h>

typedef void hs_fanout_fn(void *arg, size_t item);

/**
 * Call @work for items 0..@n_items-1 and return when all are done.
 *
 * @param n_threads  with the caller's own; 0 or 1: one item after the other, here. Where a thread
 *                   cannot be had its items run on the others
 * @param arg        handed to every call
 */
void hs_fanout_run(size_t n_threads, size_t n_items, hs_fanout_fn *work, void *arg);
