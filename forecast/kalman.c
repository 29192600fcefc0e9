/* SPDX-License-Identifier: Apache-2.0 */
/* kalman - one reading at a time, symmetric rank-one updates. */
#include "forecast/kalman.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cblas.h>

void hs_kalman_init(struct hs_kalman *kalman, size_t n)
{
    assert(n >= 1 && n <= HS_KALMAN_STATES);
    memset(kalman, 0, sizeof(*kalman));
    kalman->n = n;
}

/** The upper half is the truth; the lower one follows. */
static void mirror(struct hs_kalman *kalman)
{
    size_t n = kalman->n;

    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            kalman->p[i * n + j] = kalman->p[j * n + i];
        }
    }
}

double hs_kalman_update(struct hs_kalman *kalman, const double *h, double innovation,
                        double noise_var, double clip)
{
    int n = (int)kalman->n;
    double gain[HS_KALMAN_STATES]; /* P h, not yet divided by the innovation's variance */
    double var;
    double sd;
    double weight;

    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1.0, kalman->p, n, h, 1, 0.0, gain, 1);
    var = fmax(cblas_ddot(n, h, 1, gain, 1), 0) + noise_var;
    sd = sqrt(var);
    /* a clipped reading is one of larger noise: it moves the states less and teaches less */
    weight = fabs(innovation) > clip * sd ? clip * sd / fabs(innovation) : 1.0;
    cblas_daxpy(n, weight * innovation / var, gain, 1, kalman->x, 1);
    cblas_dsyr(CblasRowMajor, CblasUpper, n, -weight / var, gain, 1, kalman->p, n);
    mirror(kalman);
    return sd;
}

void hs_kalman_decay(struct hs_kalman *kalman, size_t i, double phi, double var)
{
    int n = (int)kalman->n;

    kalman->x[i] *= phi;
    cblas_dscal(n, phi, &kalman->p[i * kalman->n], 1);
    cblas_dscal(n, phi, &kalman->p[i], n);
    kalman->p[i * kalman->n + i] += var;
}

void hs_kalman_add(struct hs_kalman *kalman, size_t i, size_t j, double cov)
{
    kalman->p[i * kalman->n + j] += cov;
    if (i != j) {
        kalman->p[j * kalman->n + i] += cov;
    }
}

void hs_kalman_cap(struct hs_kalman *kalman, size_t i, double var)
{
    int n = (int)kalman->n;
    double now = kalman->p[i * kalman->n + i];

    if (now > var) {
        double ratio = sqrt(var / now);

        cblas_dscal(n, ratio, &kalman->p[i * kalman->n], 1);
        cblas_dscal(n, ratio, &kalman->p[i], n);
    }
}

double hs_kalman_get_sum(const struct hs_kalman *kalman, const double *w, double *ret_sd)
{
    int n = (int)kalman->n;
    double pw[HS_KALMAN_STATES];

    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1.0, kalman->p, n, w, 1, 0.0, pw, 1);
    *ret_sd = sqrt(fmax(cblas_ddot(n, w, 1, pw, 1), 0));
    return cblas_ddot(n, w, 1, kalman->x, 1);
}
