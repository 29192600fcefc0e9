/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * expected - the load that work which is not submitted yet will be, as far as heat goes.
 *
 * Expected work is a fluid: bound to no host and never dispatched. Each bucket of it runs as it
 * comes, for its typical run, shared among the loops by the vCPUs that are free there. Real jobs
 * are then placed against the heat that it will give, so that today's work is not kept for a need
 * that tomorrow's will fill. Why not into the cheapest slots: docs/adr/0006-expected-arrivals.md.
 * Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/arrivals.h"
#include "scheduler/base/auto.h"
#include "scheduler/model/estate.h"

struct hs_expected;

/** Nothing is expected. @estate is kept. Owned by the caller. */
struct hs_expected *hs_expected_new(const struct hs_estate *estate, size_t n_slots);

/**
 * Forget what was laid and lay @buckets [n_buckets], in their order.
 *
 * @param from_at_s   start of slot 0
 * @param free_vcpus  [n_loops][n_slots] room; what is negative is none; borrowed
 */
void hs_expected_lay(struct hs_expected *expected, int64_t from_at_s, const double *free_vcpus,
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
