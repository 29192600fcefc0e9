/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* caserules - the hard rules of a plan for a smallcase, counted apart from the planner. */

#include "tests/unit/optimum/smallcase.h"

/* What else stands in slots of hosts, racks and sites while a plan is checked or made. */
struct caserules_room {
    int64_t vcpus[SMALLCASE_HOSTS_MAX][SMALLCASE_SLOTS_MAX]; /* free; likewise the others */
    int64_t memory_mib[SMALLCASE_HOSTS_MAX][SMALLCASE_SLOTS_MAX];
    int64_t rack_mw[SMALLCASE_LOOPS_MAX][SMALLCASE_SLOTS_MAX];
    int64_t loop_mw[SMALLCASE_LOOPS_MAX][SMALLCASE_SLOTS_MAX];
    int64_t site_mw[SMALLCASE_LOOPS_MAX][SMALLCASE_SLOTS_MAX];
};

/* All that is free before any job. */
void caserules_open(const struct smallcase *c, struct caserules_room *ret_room);

/*
 * Take @placement's room, whole whatever its share, and the memory that its machine holds on the
 * host that it leaves; may go below zero.
 */
void caserules_take(const struct smallcase *c, const struct hs_place_job *job,
                    const struct hs_placement *placement, struct caserules_room *io_room);

/*
 * Is any rule broken by @placements [n]?
 *
 * @param ret_why  [size] which
 */
bool caserules_check(const struct smallcase *c, const struct hs_placement *placements, size_t n,
                     char *ret_why, size_t size);

/* Does it hold slots when its work is done? */
bool caserules_runs_on(const struct smallcase *c, const struct hs_place_job *job,
                       const struct hs_placement *placement);

/*
 * How many end late who could end in time alone, if all start as soon as they first fit, run
 * through and move nowhere; SIZE_MAX if that breaks off what has to go on for now.
 */
size_t caserules_count_late_asap(const struct smallcase *c);

/* Could @job, with everything else out of the way, end by its due time at all? */
bool caserules_is_hopeless(const struct smallcase *c, const struct hs_place_job *job);
