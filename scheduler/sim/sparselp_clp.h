/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** sparselp_clp - linear programs solved by COIN-OR CLP; the only entrance to that library. */

#include "scheduler/base/err.h"
#include "scheduler/sim/sparselp.h"

enum hs_sparselp_clp_method {
    HS_SPARSELP_CLP_BARRIER, /* interior point, then to a corner; primal simplex if it fails */
    HS_SPARSELP_CLP_PRIMAL,  /* primal simplex: fast where few columns cost */
};

/**
 * Solve @lp to its optimum, without a word on the screen.
 *
 * @param ret_values  [n_columns] of the optimal solution
 * @return 0, -HS_E_CONFLICT if no values keep all rows (infeasible), -HS_E_INTERNAL if it is
 *         unbounded or CLP gives up
 */
int hs_sparselp_clp_solve(const struct hs_sparselp *lp, enum hs_sparselp_clp_method method,
                          double *ret_values, struct hs_err *err);
