/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * runspread - how run times are spread, as mass over a fixed grid of their logarithm.
 *
 * The grid reaches from 1 s to about a year in steps of 0.36 (a factor of 1.43); a value lies on
 * its two neighbours in proportion, so that no mean is moved. Pure, plain value.
 */

#include <stddef.h>

#define HS_RUNSPREAD_BINS 48
#define HS_RUNSPREAD_STEP 0.36

struct hs_runspread {
    double mass[HS_RUNSPREAD_BINS]; /* >= 0 */
};

/** Keep @keep_ratio of what is there and add @weight at @log_run [ln s]. */
void hs_runspread_add(struct hs_runspread *spread, double keep_ratio, double log_run,
                      double weight);

/** Add @weight times @other, moved up by @log_shift. */
void hs_runspread_blend(struct hs_runspread *spread, const struct hs_runspread *other,
                        double weight, double log_shift);

double hs_runspread_get_mass(const struct hs_runspread *spread);

/** Scale to a mass of 1, if there is any. */
void hs_runspread_norm(struct hs_runspread *spread);

/**
 * Runs that are not over yet, one per age: each counts as one, spread over what is longer than its
 * age as the others there are (redistribution to the right, Efron 1967; the Kaplan-Meier curve).
 *
 * @param n_open  [HS_RUNSPREAD_BINS] ages that end in each step of the grid; borrowed
 */
void hs_runspread_outlive(struct hs_runspread *spread, const unsigned *n_open);

/** Step of the grid that a run of @age_s, >= 1, has left behind. */
size_t hs_runspread_get_bin(double age_s);

/** Take away all that is shorter than @log_run. */
void hs_runspread_cut(struct hs_runspread *spread, double log_run);

/** Logarithm below which @ratio, 0..1, of the mass lies. NAN with no mass. */
double hs_runspread_get_quantile(const struct hs_runspread *spread, double ratio);
