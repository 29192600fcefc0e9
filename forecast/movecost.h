/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * movecost - how long a move of a machine takes, learned from those that were made.
 *
 * Least squares of seconds over memory, older moves counting less and less, drawn towards a time
 * in proportion to memory while all that were seen are alike. Plain value, pure.
 */

#include <jansson.h>
#include <stdint.h>

#include "scheduler/base/err.h"

/** Zeroed: knows nothing. */
struct hs_movecost {
    double n; /* moves, each weighing HS_MOVECOST_KEPT_RATIO of the next one */
    double s; /* weighted sums: of s, of MiB, of MiB x MiB, of MiB x s */
    double mib;
    double mib_mib;
    double mib_s;
};

#define HS_MOVECOST_KEPT_RATIO 0.95 /* the last 20 or so count */

/** One that arrived. @param took_s  plan time, >= 0; else it is left out */
void hs_movecost_add(struct hs_movecost *cost, uint64_t memory_mib, double took_s);

/** What one is expected to take, s; 0 while nothing is known. */
double hs_movecost_get_s(const struct hs_movecost *cost, uint64_t memory_mib);

/** Owned by the caller. */
json_t *hs_movecost_save(const struct hs_movecost *cost);

/** @return 0 or -HS_E_INVALID, @cost unchanged then */
int hs_movecost_restore(struct hs_movecost *cost, const json_t *saved, struct hs_err *err);
