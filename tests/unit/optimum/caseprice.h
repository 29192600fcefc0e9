/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * caseprice - what a set of placements costs in a smallcase, written apart from the planner.
 *
 * Electricity of jobs, waiting, stops, moves, and each loop's backup, rejection and heat left, the
 * plant being passive and its loss linear (a + b E, no more than there is). Base load's electricity
 * is the same in every plan and left out.
 */

#include "scheduler/model/plan.h"
#include "tests/unit/optimum/smallcase.h"

struct caseprice {
    double elec_cur;
    double waiting_cur;
    double stops_cur;
    double moves_cur;
    double margin_cur; /* the job's electricity once more where it ends in its due time's margin */
    double backup_cur;
    double reject_cur;
    double credit_cur; /* heat left in the tanks, >= 0 */
    double total_cur;  /* all of it, less credit_cur */
    size_t n_late;     /* ends after its due time, or nowhere to be found; not priced */
    double tank_wh[SMALLCASE_LOOPS_MAX * SMALLCASE_SLOTS_MAX]; /* at slot end */
};

/* One placement's own share: elec, waiting, stops, moves, margin. @return false if it ends late */
bool caseprice_add_job(const struct smallcase *c, const struct hs_place_job *job,
                       const struct hs_placement *placement, struct caseprice *io_price);

/* Price @placements [n]; jobs are found by their id. */
void caseprice_fill(const struct smallcase *c, const struct hs_placement *placements, size_t n,
                    struct caseprice *ret_price);

/* Captured heat that @placement adds to slot @t of its loop, Wh. */
double caseprice_heat_wh(const struct smallcase *c, const struct hs_place_job *job,
                         const struct hs_placement *placement, size_t t);

/* Let loop @l pass slot @t with @captured_wh; the tank moves, backup and rejection are added. */
void caseprice_run_plant(const struct smallcase *c, size_t l, size_t t, double captured_wh,
                         double *io_tank_wh, double *io_backup_cur, double *io_reject_cur);

/* The job of @job_id. */
const struct hs_place_job *caseprice_find_job(const struct smallcase *c, uint64_t job_id);
