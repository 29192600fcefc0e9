/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * search_priv - what the files of search share.
 */

#include "scheduler/core/search.h"

/** Work of less than that is done, s. */
#define HS_SEARCH_DONE_S 1e-6

/** Nothing found. */
extern const struct hs_search_offer hs_search_no_offer;

/** Slots a run of @run_s takes from @start on, cut at the horizon. */
size_t hs_search_count_slots(const struct hs_search *search, size_t start, double run_s);

/** IT power of the job on @kind. */
double hs_search_elec_w(const struct hs_kind *kind, const struct hs_place_job *job);

/** May the job use this kind at all: its site, and the host it is bound to? */
bool hs_search_may_use(const struct hs_search *search, const struct hs_kind *kind,
                       const struct hs_place_job *job);

/** May it use this host, were it empty? */
bool hs_search_may_use_host(const struct hs_search *search, size_t host_idx,
                            const struct hs_place_job *job);

/** Most vCPUs free by slot on one host of @kind that the job may use. Borrowed. */
const int32_t *hs_search_room(const struct hs_search *search, const struct hs_kind *kind,
                              const struct hs_place_job *job);

/** What waiting until @end_at_s costs: a day of it is waiting_weight of the job's electricity. */
double hs_search_price_waiting(const struct hs_search *search, const struct hs_place_job *job,
                               double end_at_s, double elec_cur);

/**
 * What work past the horizon costs: the kind's mean price over the horizon, or a run would be
 * cheapest where most of it cannot be seen.
 *
 * @param seen_s        seconds of the job's work that lie within the horizon
 * @param io_elec_cur   its electricity is added here
 */
double hs_search_price_tail(const struct hs_search *search, const struct hs_kind *kind,
                            const struct hs_place_job *job, double seen_s, double *io_elec_cur);

/** One stop with work left, at the price of slot @t. */
double hs_search_price_stop(const struct hs_search *search, const struct hs_kind *kind,
                            const struct hs_place_job *job, size_t t);

/** Exact cost of a whole placement on @kind: what its slots are worth together. */
double hs_search_price_placement(const struct hs_search *search, const struct hs_kind *kind,
                                 const struct hs_place_job *job,
                                 const struct hs_placement *placement);

/** The most promising of @bids that is left, taken from them; NULL if none is less than @best_cur.
 */
const struct hs_kind *hs_search_next(struct hs_search_bid *bids, size_t *io_n, double best_cur);

/** First slot in which a job that starts in @first_slot holds its memory. */
size_t hs_search_held_from(const struct hs_place_job *job, size_t first_slot);

/** Mark slot @t as run. */
void hs_search_set_slot(struct hs_placement *placement, size_t t);

/** Every slot that @placement runs fits by @fits, and its memory from held to last. */
bool hs_search_placement_fits(const struct hs_search *search, const struct hs_place_job *job,
                              const struct hs_placement *placement, const bool *fits);
