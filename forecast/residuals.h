/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * residuals - autoregressive correction: what a base model missed in the last hours, at the same
 * hour of the last days and a week ago says what it will miss. One small regression a group of
 * leads, taught with what the base said on the weather that was foreseen, not on the true one:
 * a base that trusts bad weather is held back by it.
 *
 * Values are in units of the sink's own mean heat. Plain value.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/leads.h"
#include "forecast/ridge.h"
#include "forecast/typical.h"

#define HS_RESIDUALS_HOURS 240 /* ten days */
#define HS_RESIDUALS_N     10

/** What was known at an origin. */
struct hs_residuals_origin {
    double last; /* newest residual; NAN: this origin teaches nothing */
    double fast; /* mean over about 2 h */
    double day;  /* over 12 h */
    double slow; /* over 3 days */
    double base; /* mean of the base over a day */
};

struct hs_residuals {
    double by_hour[HS_RESIDUALS_HOURS];
    struct hs_residuals_origin now;
    struct hs_residuals_origin origins[HS_LEADS_MAX];
    struct hs_typical spread; /* of residuals */
    double a[HS_LEADS_GROUPS][HS_RIDGE_PACKED(HS_RESIDUALS_N)];
    double b[HS_LEADS_GROUPS][HS_RESIDUALS_N];
    double coefs[HS_LEADS_GROUPS][HS_RESIDUALS_N];
    struct hs_typical miss[HS_LEADS_GROUPS]; /* after correction */
};

void hs_residuals_init(struct hs_residuals *residuals);

/** True if the origin @lead hours before @no knew enough to teach. */
int hs_residuals_has_origin(const struct hs_residuals *residuals, int64_t no, size_t lead);

/** For hour @no the base said @base @lead hours before; it became @heat. Before the push of @no. */
void hs_residuals_learn(struct hs_residuals *residuals, int64_t no, size_t lead, double base,
                        double heat);

/** The base says @base of the closed hour @no, knowing its weather. @param heat  NAN: unknown */
void hs_residuals_push(struct hs_residuals *residuals, int64_t no, double base, double heat);

/** What to add to @base, said for @lead hours after the newest hour @no. */
double hs_residuals_correct(const struct hs_residuals *residuals, int64_t no, size_t lead,
                            double base);
