/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * kalman - states that cannot be seen, and how sure we are of them, from one reading at a time.
 *
 * A plain value: up to HS_KALMAN_STATES states with their covariance, which is kept symmetric.
 * The caller linearises (extended filter) and adds what the states may have drifted. Dense
 * algebra by CBLAS. Pure.
 *
 * Source: R. E. Kalman, doi 10.1115/1.3662552; clipped innovations: P. J. Huber, Robust Statistics.
 */

#include <stdbool.h>
#include <stddef.h>

#define HS_KALMAN_STATES 64

struct hs_kalman {
    size_t n;
    double x[HS_KALMAN_STATES];                    /* [n] */
    double p[HS_KALMAN_STATES * HS_KALMAN_STATES]; /* [n][n] row-major, row length n */
};

/** @n states, all 0 and exactly known. @param n  1..HS_KALMAN_STATES */
void hs_kalman_init(struct hs_kalman *kalman, size_t n);

/**
 * Take in a reading that was expected as h . x to first order.
 *
 * @param h           [n] derivative of the reading by the states
 * @param innovation  reading - expectation
 * @param noise_var   > 0, variance of the reading itself
 * @param clip        an innovation of more than so many standard deviations counts as so many;
 *                    INFINITY: never
 * @return standard deviation that the innovation was expected to have
 */
double hs_kalman_update(struct hs_kalman *kalman, const double *h, double innovation,
                        double noise_var, double clip);

/** Let state @i follow x <- phi x + noise of variance @var over one step. */
void hs_kalman_decay(struct hs_kalman *kalman, size_t i, double phi, double var);

/** Add to the covariance of states @i and @j, both ways. */
void hs_kalman_add(struct hs_kalman *kalman, size_t i, size_t j, double cov);

/** Be no less sure of state @i than a variance of @var: what is never excited does not wind up. */
void hs_kalman_cap(struct hs_kalman *kalman, size_t i, double var);

/** w . x of a sum of states and its standard deviation. @param w  [n] */
double hs_kalman_get_sum(const struct hs_kalman *kalman, const double *w, double *ret_sd);
