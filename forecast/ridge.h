/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * ridge - least squares that forgets, pulled towards zero: normal equations gathered hour by
 * hour, solved when wanted by Cholesky (LAPACK dpptrf). Exact recursive least squares with
 * exponential forgetting, except that the pull does not fade (Hoerl and Kennard 1970).
 *
 * The caller owns the numbers, so that they can lie in a plain state: @a packed lower triangle
 * by columns [n(n+1)/2], @b [n].
 */

#include <stdbool.h>
#include <stddef.h>

/** Elements of @a for @n coefficients; a constant expression. */
#define HS_RIDGE_PACKED(n) ((n) * ((n) + 1) / 2)

/** What was gathered counts @keep (0..1) times as much from now on. */
void hs_ridge_fade(size_t n, double *a, double *b, double keep);

/** One more row: @x [n] explains @y, with @weight. Zeros in @x cost next to nothing. */
void hs_ridge_add(size_t n, double *a, double *b, const double *x, double y, double weight);

/**
 * Coefficients that fit what was gathered.
 *
 * @param pull       [n] > 0: weight of the wish that a coefficient is zero
 * @param work       [HS_RIDGE_PACKED(n)] overwritten
 * @param ret_coefs  [n]; left as they were on failure
 * @return false if the equations cannot be solved
 */
bool hs_ridge_solve(size_t n, const double *a, const double *b, const double *pull, double *work,
                    double *ret_coefs);
