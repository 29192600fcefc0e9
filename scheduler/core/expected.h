/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * expected - where and when work that is not submitted yet will run, as far as heat and money go.
 *
 * Expected work is a fluid: bound to no host and never dispatched. Each bucket of it is laid into
 * the cheapest loops and slots between its release and its due time, by electricity and the worth
 * of its heat, within the vCPUs that are free there; heat prices move from bucket to bucket. Real
 * jobs are then placed against the heat that it will give, so that today's work is not kept for
 * a need that tomorrow's will fill. See docs/adr/0006. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/arrivals.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/estate.h"

struct hs_expected;

/** The horizon that work is laid into. Borrowed for the call. */
struct hs_expected_frame {
    int64_t from_at_s;                      /* start of slot 0 */
    const double *elec_cur_per_mwh;         /* [n_sites][n_slots] as decided upon */
    const struct hs_thermal_input *thermal; /* [n_loops] with the heat of what stands already */
    const double *free_vcpus;               /* [n_loops][n_slots] room; what is negative is none */
    double waiting_weight; /* a day of waiting counts as this share of the electricity */
};

/** Nothing is expected. @estate is kept. Owned by the caller. */
struct hs_expected *hs_expected_new(const struct hs_estate *estate, size_t n_slots);

/** Forget what was laid and lay @buckets [n_buckets], in their order. */
void hs_expected_lay(struct hs_expected *expected, const struct hs_expected_frame *frame,
                     const struct hs_arrivals_bucket *buckets, size_t n_buckets);

/** Start of the slot that hs_expected_lay() began with; INT64_MIN before the first. */
int64_t hs_expected_get_from_at_s(const struct hs_expected *expected);

/** Mean vCPUs that expected work keeps busy in the loop in the slot that begins at @at_s. */
double hs_expected_get_vcpus(const struct hs_expected *expected, size_t loop_idx, int64_t at_s);

/** Its IT power there, W. */
double hs_expected_get_elec_w(const struct hs_expected *expected, size_t loop_idx, int64_t at_s);

/** Its captured heat there, W. */
double hs_expected_get_heat_w(const struct hs_expected *expected, size_t loop_idx, int64_t at_s);

/** Accepts NULL. */
void hs_expected_free(struct hs_expected *expected);
HS_DEFINE_AUTO(hs_expected);
