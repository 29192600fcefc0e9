/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * planvalid - whether a plan can be carried out as it stands, and what it really costs.
 *
 * Written apart from the planner and sharing no code with it: it counts hosts, racks and sites
 * slot by slot and runs the plant of docs/simulator.md (nodes: 1) over the heat of what was
 * placed. Only what can be decided is counted as cost; base load's electricity stands apart.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/core/place.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

#define PLANVALID_STOP_S 300.0 /* docs/planner.md, How the planner is measured */

/** What a plan was made for; all borrowed. */
struct planvalid_case {
    const struct hs_estate *estate;
    const struct hs_place_frame *frame;
    size_t n_slots;
    const struct hs_place_job *jobs; /* [n_jobs] */
    size_t n_jobs;
    const bool *barred; /* [n_hosts] hosts that take no job; NULL: none */
};

struct planvalid_report {
    bool is_feasible;
    char why[256];       /* the first thing that is wrong, "" if nothing is */
    size_t n_missed;     /* end after their due time, or not within the horizon at all */
    double job_elec_cur; /* electricity of the jobs */
    double backup_cur;
    double reject_cur;
    double floor_cur;     /* heat that tanks lack below their comfort floors */
    double left_cur;      /* credit for heat left in the tanks at the end */
    double stop_cur;      /* suspensions: PLANVALID_STOP_S of the job, or suspend_s if more */
    double missing_cur;   /* work that is not in the plan, at the dearest electricity, no heat */
    double cost_cur;      /* job_elec + backup + reject + floor - left + stop + missing */
    double base_elec_cur; /* of idle hosts and pinned vCPUs; not in cost_cur */
};

/** @param placements [n_placements] one for each job, in any order */
void planvalid_check(const struct planvalid_case *valid, const struct hs_placement *placements,
                     size_t n_placements, struct planvalid_report *ret_report);

/** The same, and whether the plan's own cost, misses, power and tanks are true. */
void planvalid_check_plan(const struct planvalid_case *valid, const struct hs_plan *plan,
                          struct planvalid_report *ret_report);
