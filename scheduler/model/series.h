/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * series - values with stamps; a value holds until the next stamp. Plain value.
 *
 * Gaps and empty cells are NAN at their stamp; hs_series_get_held() holds the last known value
 * over them, hs_series_is_known() says that it was not measured.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"

struct hs_series {
    int64_t *at_s;  /* [n] ascending, Unix UTC */
    double *values; /* [n] NAN where unknown */
    size_t n;
    int64_t step_s; /* most usual step; a stamp further than this from the next is a gap */
};

/** An empty series; owned by the caller. */
struct hs_series *hs_series_new(void);

/** Append; @at_s must not be before the last stamp (asserted). */
void hs_series_add(struct hs_series *series, int64_t at_s, double value);

/** Value at @at_s with gaps holding the last known value; NAN before the first. */
double hs_series_get_held(const struct hs_series *series, int64_t at_s);

/** Time-weighted mean over [from, to), gaps held; NAN if nothing is known before @to_at_s. */
double hs_series_get_mean(const struct hs_series *series, int64_t from_at_s, int64_t to_at_s);

/** True if @at_s lies on a value that was measured, not held over a gap. */
bool hs_series_is_known(const struct hs_series *series, int64_t at_s);

/**
 * What to reckon with at @at_s: the value if it was measured; else, over a gap or past the end,
 * that of the same time of the latest of the seven days before that knows one; else the last
 * known. NAN before the first.
 */
double hs_series_get_expected(const struct hs_series *series, int64_t at_s);

/** Share of [from, to) that was measured, 0..1. */
double hs_series_get_known_ratio(const struct hs_series *series, int64_t from_at_s,
                                 int64_t to_at_s);

/** Accepts NULL. */
void hs_series_free(struct hs_series *series);
HS_DEFINE_AUTO(hs_series);
