/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_hot - loops and racks with more heat than is taken from them: what is stopped, and what may
 * not start; for the cycle's own files only.
 *
 * Work that may wait is stopped, the shortest list that suffices, so that no more heat comes than
 * is taken. Who takes heat, and how surely:
 *
 *                               sinks      tank       rejection, its limit stated / not
 *   water hot                   wanted     no         limit / none
 *   no flow, leak, emergency    no         no         limit / none
 *   pump out of order           no         no         limit / all
 *   a sink lost                 the others until full limit / all
 *
 * Where that does not cool hot water, half of what is left of it goes every HS_CYCLE_HOT_MORE_S; a
 * rack with a hot inlet, of which nobody knows what is taken from it, begins with that. While it is
 * hot none of it starts there; else as much as is taken for sure. Pinned work and what may only be
 * moved are never touched. Needs no plan.
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

/** The same of a rack, by what cools it. */
void hs_cycle_hot_watch_rack(struct hs_cycle *cycle, size_t rack_idx);

/** What is to be stopped now on the loop's hosts, added to @io_entries. */
void hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx, hs_cycle_hot_entries *io_entries);
void hs_cycle_hot_pick_rack(struct hs_cycle *cycle, size_t rack_idx,
                            hs_cycle_hot_entries *io_entries);

/** Is the job held back on the loop, or may it not go on, because of its heat? */
bool hs_cycle_hot_bars(const struct hs_cycle *cycle, const struct hs_job *job, size_t loop_idx);

/**
 * May the job begin on the host, as far as heat goes?
 *
 * @param loop_elec_w  of its loop's hosts with all that was asked for
 * @param ret_why      [size] why not
 */
bool hs_cycle_hot_check(const struct hs_cycle *cycle, const struct hs_job *job, size_t host_idx,
                        double loop_elec_w, char *ret_why, size_t size);

/**
 * What loops and racks with too much heat may draw, as caps of the first slot.
 *
 * @param io_cap_w  [n_loops] and then [n_racks]
 */
bool hs_cycle_hot_cap(const struct hs_cycle *cycle, double *io_cap_w);
