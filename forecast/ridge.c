/* SPDX-License-Identifier: Apache-2.0 */
/* ridge - packed normal equations and their Cholesky solution. */
#include "forecast/ridge.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#define N_MAX 128 /* coefficients of the largest model */

/** Where column @j of the packed lower triangle begins, less @j: element (i, j) is at + i. */
static size_t column(size_t n, size_t j)
{
    return j * (2 * n - j - 1) / 2;
}

void hs_ridge_fade(size_t n, double *a, double *b, double keep)
{
    for (size_t i = 0; i < HS_RIDGE_PACKED(n); i++) {
        a[i] *= keep;
    }
    for (size_t i = 0; i < n; i++) {
        b[i] *= keep;
    }
}

void hs_ridge_add(size_t n, double *a, double *b, const double *x, double y, double weight)
{
    size_t at[N_MAX]; /* the features that are not zero */
    size_t n_at = 0;

    for (size_t i = 0; i < n; i++) {
        if (x[i] != 0.0) {
            at[n_at++] = i;
        }
    }
    for (size_t k = 0; k < n_at; k++) {
        size_t j = at[k];
        double weighted = weight * x[j];
        double *col = &a[column(n, j)];

        b[j] += weighted * y;
        for (size_t m = k; m < n_at; m++) {
            col[at[m]] += weighted * x[at[m]];
        }
    }
}

bool hs_ridge_solve(size_t n, const double *a, const double *b, const double *pull, double *work,
                    double *ret_coefs)
{
    double coefs[N_MAX];

    memcpy(work, a, HS_RIDGE_PACKED(n) * sizeof(*work));
    for (size_t i = 0; i < n; i++) {
        work[column(n, i) + i] += pull[i];
        coefs[i] = b[i];
    }
    if (LAPACKE_dppsv_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, 1, work, coefs, (lapack_int)n)
        != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(coefs[i])) {
            return false;
        }
    }
    memcpy(ret_coefs, coefs, n * sizeof(*coefs));
    return true;
}
