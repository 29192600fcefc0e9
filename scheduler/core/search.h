/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * search - the cheapest place and time for one job against everything placed so far.
 *
 * A run costs at least the sum of its slots' prices (kinds.h), for heat is worth less the more of
 * it there is. So starts are looked at from the least such sum up and priced exactly, by running
 * the tank forward with the job's heat, until no sum is less than the best exact price. Pure; used
 * by place.
 *
 * search.c                what they share, and the last plan's promise
 * search_contiguous.c     work that runs through
 * search_interruptible.c  work in stretches
 * search_elastic.c        work whose share is chosen by slot
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/fit.h"
#include "scheduler/core/kinds.h"
#include "scheduler/core/place.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

/** What a job costs on a kind of host at the least. */
struct hs_search_bid {
    const struct hs_kind *kind;
    double least_cur;
};

/** Everything a search looks at; borrowed. */
struct hs_search {
    const struct hs_estate *estate;
    const struct hs_kinds *kinds; /* with prices and room as of now */
    const struct hs_fit *fit;
    struct hs_thermal *const *thermals; /* [n_loops] */
    const double *elec_cur_per_mwh;     /* [n_sites][n_slots] */
    const bool *barred;                 /* [n_hosts] */
    size_t n_slots;
    int64_t from_at_s;
    int64_t now_at_s;
    int64_t slot_s;
    double waiting_weight;
    struct hs_search_bid *bids; /* [kinds->n] scratch */
    bool is_thorough;           /* few jobs: price whatever might be cheapest */
    bool is_guided;   /* the kinds' prices are right as they are: nothing is run forward */
    double suspend_s; /* what a suspend is known to cost, s of the job's power */
};

/** A placement and what it costs. host_idx SIZE_MAX: none found. */
struct hs_search_offer {
    struct hs_placement placement;
    double cost_cur;
};

/** Seconds of slot @t that still lie ahead: all but slot 0 are whole. */
double hs_search_slot_s(const struct hs_search *search, size_t t);

/** Start of slot @t, or now for slot 0. */
double hs_search_start_at_s(const struct hs_search *search, size_t t);

/**
 * Heat and time that @placement puts into each slot.
 *
 * @param ret_wh  [n_slots] captured heat, from first_slot to last_slot set, others untouched
 * @return IT energy of the whole placement, Wh
 */
double hs_search_heat(const struct hs_search *search, const struct hs_place_job *job,
                      const struct hs_placement *placement, double *ret_wh);

/** Would @placement take the job's machine to another host than it is on? */
static inline bool hs_search_is_move(const struct hs_place_job *job,
                                     const struct hs_placement *placement)
{
    return job->is_movable && job->host_idx != SIZE_MAX && placement->host_idx != SIZE_MAX
           && placement->host_idx != job->host_idx;
}

/** What the move of @placement costs, cur; 0 if it is none. */
double hs_search_price_move(const struct hs_search *search, const struct hs_place_job *job,
                            const struct hs_placement *placement);

/** Exact cost of @placement of @job as things stand without it, its move counted, cur. */
double hs_search_price(const struct hs_search *search, const struct hs_place_job *job,
                       const struct hs_placement *placement);

/**
 * Cheapest offer that runs through from one start and ends by its due time.
 *
 * @param first  earliest slot to start in
 * @param last   latest slot to start in; @last < @first finds nothing
 */
void hs_search_contiguous(const struct hs_search *search, const struct hs_place_job *job,
                          size_t first, size_t last, struct hs_search_offer *ret_offer);

/** Earliest offer that runs through, whatever it costs, not before slot @first. */
void hs_search_earliest(const struct hs_search *search, const struct hs_place_job *job,
                        size_t first, struct hs_search_offer *ret_offer);

/** The same on the first host of the estate that it fits on then. */
void hs_search_first(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                     struct hs_search_offer *ret_offer);

/** The last start within slots @first..@last at which it fits, on the tightest host. */
void hs_search_last(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                    size_t last, struct hs_search_offer *ret_offer);

/** Cheapest offer in stretches of at least min_run within slots @first..@last. */
void hs_search_interruptible(const struct hs_search *search, const struct hs_place_job *job,
                             size_t first, size_t last, struct hs_search_offer *ret_offer);

/**
 * Cheapest offer of an elastic job that is done within slots @first..@last, its share chosen by
 * slot; in stretches of at least min_run if it is interruptible, else it runs through.
 *
 * @param max_cur  nothing that costs as much is looked for
 */
void hs_search_elastic(const struct hs_search *search, const struct hs_place_job *job, size_t first,
                       size_t last, double max_cur, struct hs_search_offer *ret_offer);

/**
 * The job's last placement moved on to this horizon at its old price, if it still fits and ends by
 * its due time.
 *
 * @return false if not
 */
bool hs_search_keep(const struct hs_search *search, const struct hs_place_job *job,
                    struct hs_placement *ret_placement);
