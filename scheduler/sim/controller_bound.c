/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_bound - what no controller can beat: linear programs over the whole run.
 *
 * They drive nothing. If no schedule is in time, the program is solved again with lateness at a
 * price, and a note says so.
 */
#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "scheduler/sim/bound.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/sparselp_clp.h"

#define BOUND_LARGE_ROWS 100000U /* from here on it is worth a word to whom waits */

static const char late_note[] =
    "no schedule is in time: jobs may be late here, at 10 times the dearest electricity; no bound "
    "for what runs late";

/** One program: build, solve, read. @return -HS_E_CONFLICT if no schedule keeps its rows */
static int solve(const struct hs_controller_input *input,
                 const struct hs_controller_options *options, unsigned flags,
                 struct hs_simrun_result *ret_result, struct hs_err *err)
{
    HS_AUTO(hs_bound) bound = NULL;
    HS_AUTO_MEM double *values = NULL;
    int rc = hs_bound_new(input->scenario, input->trace, input->jobs, flags, &bound, err);

    if (rc != 0) {
        return rc;
    }
    if (bound->lp->rows.n >= BOUND_LARGE_ROWS && options->say != NULL) {
        char text[128];

        snprintf(text, sizeof(text),
                 "a linear program of %zu rows and %zu columns; this can take minutes",
                 bound->lp->rows.n, bound->lp->columns.n);
        options->say(text, options->say_arg);
    }
    values = hs_xcalloc(bound->lp->columns.n, sizeof(*values));
    rc = hs_sparselp_clp_solve(bound->lp,
                               (flags & HS_BOUND_USEFUL) != 0 ? HS_SPARSELP_CLP_PRIMAL
                                                              : HS_SPARSELP_CLP_BARRIER,
                               values, err);
    if (rc == 0) {
        hs_bound_read(bound, values, ret_result);
    }
    return rc;
}

static int solve_in_time(const struct hs_controller_input *input,
                         const struct hs_controller_options *options, unsigned flags,
                         struct hs_simrun_result *ret_result, struct hs_err *err)
{
    int rc = solve(input, options, flags, ret_result, err);

    if (rc == -HS_E_CONFLICT) {
        rc = solve(input, options, (flags & HS_BOUND_USEFUL) | HS_BOUND_LATE, ret_result, err);
        if (rc == 0) {
            ret_result->note = late_note;
        }
    }
    return rc;
}

static int bound_cost(const struct hs_controller_input *input,
                      const struct hs_controller_options *options,
                      struct hs_simrun_result *ret_result, struct hs_err *err)
{
    return solve_in_time(input, options, 0, ret_result, err);
}

static int bound_useful(const struct hs_controller_input *input,
                        const struct hs_controller_options *options,
                        struct hs_simrun_result *ret_result, struct hs_err *err)
{
    return solve_in_time(input, options, HS_BOUND_USEFUL, ret_result, err);
}

static int bound_jobs(const struct hs_controller_input *input,
                      const struct hs_controller_options *options,
                      struct hs_simrun_result *ret_result, struct hs_err *err)
{
    return solve_in_time(input, options, HS_BOUND_JOBS, ret_result, err);
}

const struct hs_controller_ops hs_controller_bound_ops = {
    .name = "bound",
    .summary = "least cost that any schedule in time can have, by linear program",
    .bound = bound_cost,
};

const struct hs_controller_ops hs_controller_bound_useful_ops = {
    .name = "bound_useful",
    .summary = "most useful heat that any schedule in time can have, by linear program",
    .bound = bound_useful,
};

const struct hs_controller_ops hs_controller_bound_jobs_ops = {
    .name = "bound_jobs",
    .summary = "as bound, tighter: like jobs in groups, contiguous ones run through",
    .bound = bound_jobs,
};
