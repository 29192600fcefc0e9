/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * certificate - how far a plan can be from the best one, at most.
 *
 * What is published beside a plan: its cost, a bound that no plan for the same horizon can go
 * below, and gap_ratio = (cost - bound) / bound. Both count what can be decided:
 *
 *     cost = electricity of jobs + stops + moves + waiting + lateness      (over jobs)
 *          + backup + rejection + comfort - worth of heat left (over loops, hs_thermal)
 *
 * Electricity of base load is not in it, nor is that of jobs that run and cannot be stopped. Work
 * past the horizon costs the site's mean electricity less end_cur_per_wh for its heat. A job that
 * need not be late and is pays ten times the dearest electricity and heat that its work can cost;
 * work that is to run at once pays the same if it starts later. Hopeless jobs pay nothing for it.
 * What filler gets done within the horizon is worth its ceiling. Work at a cut share costs that
 * share of its electricity.
 *
 * The bound is Lagrangian: heat of jobs and loops, and the vCPUs of each loop, are bought at prices
 * per loop and slot. Given prices, jobs choose apart from each other and each loop is a storage
 * problem that is solved exactly; any prices give a bound, better prices a higher one. Hosts of a
 * loop are one pool there, memory and the shortest run are left out, elastic work takes any part of
 * a slot without stops or waiting, the plant may withhold heat: so the bound is below the best
 * plan's cost. See docs/planner.md.
 *
 * Built on the frame and the jobs that hs_place takes, and on nothing else of the planner. Pure;
 * no memory is allocated in hs_certificate_improve().
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/place.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

struct hs_certificate;

/** For @estate (kept). Owned by the caller. */
struct hs_certificate *hs_certificate_new(const struct hs_estate *estate, size_t n_slots);

/**
 * Take in a new horizon (copied) and forget jobs and reserves. Prices found for the last one are
 * kept and moved on to this one's slots.
 */
void hs_certificate_set(struct hs_certificate *cert, const struct hs_place_frame *frame);

/** As hs_place_reserve_slots(). */
void hs_certificate_reserve_slots(struct hs_certificate *cert, size_t host_idx,
                                  const struct hs_fit_size *size, size_t first, size_t last);

/** As hs_place_close_slots(). Caps need not be told: without them the bound is but lower. */
void hs_certificate_close_slots(struct hs_certificate *cert, size_t host_idx, size_t first,
                                size_t last);

/** As hs_place_bar(). */
void hs_certificate_bar(struct hs_certificate *cert, size_t host_idx);

/**
 * Take in the jobs, once after set, reserve and bar.
 *
 * @param jobs  [n_jobs] as given to hs_place_plan(); borrowed until the next set
 */
void hs_certificate_set_jobs(struct hs_certificate *cert, const struct hs_place_job *jobs,
                             size_t n_jobs);

/**
 * Cost of a plan as defined above, cur. What it does is the first guess of what the jobs would do:
 * improve begins there.
 *
 * @param placements  [n] one for each job, in any order
 * @return NAN if some job has no placement or some placement no job
 */
double hs_certificate_get_cost(struct hs_certificate *cert, const struct hs_placement *placements,
                               size_t n);

/**
 * Start from the planner's prices where none were found before.
 *
 * @param heat_cur_per_mwh  [n_loops][n_slots] as in a plan
 */
void hs_certificate_set_prices(struct hs_certificate *cert, const double *heat_cur_per_mwh);

/**
 * Better the prices.
 *
 * @param cost_cur  of the best plan known: nothing is done where the bound has come up to it
 * @return the best bound since the jobs were set, cur; -INFINITY if @n_iterations is 0 throughout
 */
double hs_certificate_improve(struct hs_certificate *cert, double cost_cur, size_t n_iterations);

/**
 * Prices of the best bound, [n_loops][n_slots]: of a Wh of heat that a job gives its loop, cur;
 * what set_prices or the horizon before gave where nothing was bettered. Ask after set_jobs;
 * borrowed until the next set, set_prices or improve.
 */
const double *hs_certificate_get_heat_prices(const struct hs_certificate *cert);

/** The same of a vCPU of the loop's hosts for a slot, cur; 0 where they have room for all. */
const double *hs_certificate_get_room_prices(const struct hs_certificate *cert);

/** (cost - bound) / bound; NAN where the bound is not above zero. */
double hs_certificate_get_gap_ratio(double cost_cur, double bound_cur);

/** Accepts NULL. */
void hs_certificate_free(struct hs_certificate *cert);
HS_DEFINE_AUTO(hs_certificate);
