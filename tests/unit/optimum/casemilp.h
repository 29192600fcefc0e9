/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * casemilp - the best plan of a smallcase there is, by COIN-OR CBC.
 *
 * Every placement of every job is a column of its own, priced by caseprice, so nothing about jobs
 * is approximated. Hosts' vCPUs and memory, racks' and sites' watts are rows. Tanks are linear;
 * where a loss does not vanish at the tank's floor, a switch for each slot says whether it is
 * clipped. The program may use the tank as it likes, the plant is passive: with sinks of one worth
 * that is the same, with several the program may do better than any plan can (casemilp's bound is
 * then below the true optimum).
 */

#include "tests/unit/optimum/caseprice.h"

struct casemilp {
    bool is_solved;                                     /* to its optimum, within CASEMILP_GAP */
    bool is_in_time;                                    /* nobody late in it */
    double bound_cur;                                   /* no plan costs less */
    struct hs_placement placements[SMALLCASE_JOBS_MAX]; /* in the order of the jobs */
    struct caseprice price;                             /* of these, on the passive plant */
};

#define CASEMILP_GAP 5e-4

/* False where the build found no CBC: nothing is solved then. */
bool casemilp_is_built(void);

/*
 * @param hint       placements to start from [n_jobs, as the planner gives them]; borrowed
 * @param most_nodes  of the search tree, then CBC gives up
 */
void casemilp_solve(const struct smallcase *c, const struct hs_placement *hint, size_t n_hint,
                    size_t most_nodes, struct casemilp *ret_milp);
