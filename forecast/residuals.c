/* SPDX-License-Identifier: Apache-2.0 */
/* residuals - features of what was missed, and one robust ridge regression a group of leads. */
#include "forecast/residuals.h"

#include <math.h>
#include <string.h>

#define KEEP        0.998612075 /* of a day's weight an hour later: 1/e in 30 days */
#define PULL        0.1         /* a tenth of an hour's evidence for "nothing was missed" */
#define HUBER       1.5         /* errors over so many typical ones count less (Huber 1964) */
#define OUTLIER     6.0         /* a residual over so many typical ones is cut */
#define SOLVE_EVERY 3           /* hours; a third of the groups each hour */
#define FAST_SHARE  0.45
#define DAY_SHARE   (1.0 / 12.0)
#define SLOW_SHARE  (1.0 / 72.0)
#define BASE_SHARE  (1.0 / 24.0)
#define CONSTANT    0.3 /* the offset is pulled harder than the rest */
#define USUAL_DAYS  7

void hs_residuals_init(struct hs_residuals *residuals)
{
    memset(residuals, 0, sizeof(*residuals));
    for (size_t i = 0; i < HS_RESIDUALS_HOURS; i++) {
        residuals->by_hour[i] = (double)NAN;
    }
    for (size_t i = 0; i < HS_LEADS_MAX; i++) {
        residuals->origins[i].last = (double)NAN;
    }
    residuals->now.last = (double)NAN;
}

static double get_residual(const struct hs_residuals *residuals, int64_t no)
{
    return residuals
        ->by_hour[((no % HS_RESIDUALS_HOURS) + HS_RESIDUALS_HOURS) % HS_RESIDUALS_HOURS];
}

/** What is known @lead hours before @no. @param ret_x  [HS_RESIDUALS_N] */
static void describe(const struct hs_residuals *residuals, const struct hs_residuals_origin *origin,
                     int64_t no, size_t lead, double base, double *ret_x)
{
    int64_t days = ((int64_t)lead + 23) / 24;
    double yesterday = get_residual(residuals, no - 24 * days);
    double before = get_residual(residuals, no - 24 * (days + 1));
    double week = get_residual(residuals, no - 168);
    double usual = 0.0;
    int n = 0;

    for (int64_t k = 0; k < USUAL_DAYS; k++) {
        double residual = get_residual(residuals, no - 24 * (days + k));

        if (!isnan(residual)) {
            usual += residual;
            n++;
        }
    }
    usual = n > 0 ? usual / n : 0.0;
    ret_x[0] = CONSTANT;
    ret_x[1] = origin->last;
    ret_x[2] = origin->fast;
    ret_x[3] = origin->day;
    ret_x[4] = origin->slow;
    ret_x[5] = isnan(yesterday) ? usual : yesterday;
    ret_x[6] = isnan(before) ? usual : before;
    ret_x[7] = isnan(week) ? usual : week;
    ret_x[8] = usual;
    ret_x[9] = base - origin->base;
}

static double dot(const double *x, const double *coefs)
{
    double sum = 0.0;

    for (size_t i = 0; i < HS_RESIDUALS_N; i++) {
        sum += x[i] * coefs[i];
    }
    return sum;
}

int hs_residuals_has_origin(const struct hs_residuals *residuals, int64_t no, size_t lead)
{
    return !isnan(residuals->origins[hs_leads_place(no - (int64_t)lead)].last);
}

void hs_residuals_learn(struct hs_residuals *residuals, int64_t no, size_t lead, double base,
                        double heat)
{
    const struct hs_residuals_origin *origin =
        &residuals->origins[hs_leads_place(no - (int64_t)lead)];
    size_t group = hs_leads_get_group(lead);
    double x[HS_RESIDUALS_N];
    double error;
    double weight;

    describe(residuals, origin, no, lead, base, x);
    error = heat - base - dot(x, residuals->coefs[group]);
    weight = hs_typical_weigh(&residuals->miss[group], HUBER, error);
    hs_typical_add(&residuals->miss[group], error);
    hs_ridge_add(HS_RESIDUALS_N, residuals->a[group], residuals->b[group], x, heat - base,
                 weight / (double)hs_leads_get_taught(group));
}

static void solve(struct hs_residuals *residuals, int64_t no)
{
    static const double pull[HS_RESIDUALS_N] = {PULL, PULL, PULL, PULL, PULL,
                                                PULL, PULL, PULL, PULL, PULL};
    double work[HS_RIDGE_PACKED(HS_RESIDUALS_N)];

    for (size_t g = 0; g < HS_LEADS_GROUPS; g++) {
        hs_ridge_fade(HS_RESIDUALS_N, residuals->a[g], residuals->b[g], KEEP);
        if ((int64_t)(g % SOLVE_EVERY) == no % SOLVE_EVERY) {
            (void)hs_ridge_solve(HS_RESIDUALS_N, residuals->a[g], residuals->b[g], pull, work,
                                 residuals->coefs[g]);
        }
    }
}

void hs_residuals_push(struct hs_residuals *residuals, int64_t no, double base, double heat)
{
    struct hs_residuals_origin *now = &residuals->now;
    double residual = heat - base;

    now->base += BASE_SHARE * (base - now->base);
    if (!isnan(residual)) {
        hs_typical_add(&residuals->spread, residual);
        residual = hs_typical_cut(&residuals->spread, OUTLIER, 0.0, residual);
        now->fast += FAST_SHARE * (residual - now->fast);
        now->day += DAY_SHARE * (residual - now->day);
        now->slow += SLOW_SHARE * (residual - now->slow);
    }
    /* cut: a spike would come back tomorrow and in a week */
    residuals->by_hour[no % HS_RESIDUALS_HOURS] = residual;
    now->last = isnan(residual) ? now->fast : residual;
    residuals->origins[hs_leads_place(no)] = *now;
    solve(residuals, no);
}

double hs_residuals_correct(const struct hs_residuals *residuals, int64_t no, size_t lead,
                            double base)
{
    double x[HS_RESIDUALS_N];

    lead = hs_leads_clip(lead);
    describe(residuals, &residuals->now, no + (int64_t)lead, lead, base, x);
    return dot(x, residuals->coefs[hs_leads_get_group(lead)]);
}
