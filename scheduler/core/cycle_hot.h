/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_hot - a loop in over-temperature: what is stopped, and what may not start; for the cycle's
 * own files only.
 *
 * Work that may wait is stopped, the shortest list that suffices, so that no more heat comes than
 * sinks and rejection take; where that does not cool the loop, half of what is left of it every
 * HS_CYCLE_HOT_MORE_S. None of it starts there until the state has ended. Pinned work and what may
 * only be moved are never touched.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/vec.h"

struct hs_cycle;
struct hs_cycle_entry;
struct hs_job;

#define HS_CYCLE_HOT_MORE_S 120

typedef HS_VEC(struct hs_cycle_entry *) hs_cycle_hot_entries;

/** The loop's state has been looked at: how much is too much? */
void hs_cycle_hot_watch(struct hs_cycle *cycle, size_t loop_idx);

/** What is to be stopped now on the loop's hosts, added to @io_entries. */
void hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx, hs_cycle_hot_entries *io_entries);

/** May the job not start or go on on the loop, because that is too hot? */
bool hs_cycle_hot_bars(const struct hs_cycle *cycle, const struct hs_job *job, size_t loop_idx);

/** Hot loops draw no more than now: as caps of the first slot. @param io_cap_w  [n_loops] */
bool hs_cycle_hot_cap(const struct hs_cycle *cycle, double *io_cap_w);
