/* SPDX-License-Identifier: Apache-2.0 */
/* tankloss - least squares over windows of the tank's balance, with the meters' errors. */
#include "forecast/tankloss.h"

#include <math.h>
#include <string.h>

#include <lapacke.h>

#include "scheduler/base/units.h"

#define WINDOW_S       21600   /* six hours: some kelvin of decay against tenths of sensor noise */
#define SILENCE_S      7200    /* longer and the window is thrown away */
#define SENSOR_SD_K    0.3     /* mean of the heights, after calibration */
#define METER_RATIO    0.02    /* class 2 heat meters, EN 1434-1 */
#define METER_MOST     4.0     /* times that: a meter or the tank's volume is wrong */
#define LIMIT_K        1.0     /* so near its limits a tank does as the plant wants */
#define LEAST_N        8.0     /* windows before anything is told: two days */
#define FADE_S         5184000 /* 60 days */
#define DOUBTED_FADE_S 604800  /* a week: a repaired sensor is believed again */
#define CLIP           3.0     /* standard deviations that a window counts as at most */
#define MISFIT_N       28.0    /* windows over which the misfit is a mean: a week */
#define MISFIT_LEAST   0.05    /* better than that is luck */
#define MISFIT_MOST    16.0    /* worse than that is no noise */
#define LEAST_K        5.0     /* over ambient: less loses nothing that can be seen */
#define TINY           1e-9    /* 1/(W/K)^2: nothing is known of the loss beforehand */
#define WORST_RATIO    0.6     /* standard error, share of the figure */
#define WORST_W_PER_K  1.0     /* or this is known well enough of a tank that loses little */

void hs_tankloss_init(struct hs_tankloss *loss)
{
    memset(loss, 0, sizeof(*loss));
    loss->misfit = 1;
}

/** Solve for the unknowns. @param ret_x  [HS_TANKLOSS_UNKNOWNS] @return the loss */
static struct hs_physics_figure estimate(const struct hs_tankloss *loss, double *ret_x)
{
    struct hs_physics_figure figure = {(double)NAN, (double)NAN};
    double noise_var = fmax(loss->misfit, MISFIT_LEAST);
    double a[HS_TANKLOSS_UNKNOWNS][HS_TANKLOSS_UNKNOWNS];
    int n = HS_TANKLOSS_UNKNOWNS;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            a[i][k] = loss->info[i][k] / noise_var;
        }
        a[i][i] += i > 0 ? 1 : TINY; /* meters are in their class */
        ret_x[i] = loss->push[i] / noise_var;
    }
    if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', n, 1, &a[0][0], n, ret_x, 1) == 0
        && LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', n, &a[0][0], n) == 0) {
        figure.value = ret_x[0];
        figure.sd = sqrt(a[0][0]);
    }
    return figure;
}

/** The window from loss->open to loss->newest is over: learn from it. */
static void close_window(struct hs_tankloss *loss, const struct hs_tank *tank)
{
    double span_s = (double)(loss->newest.at_s - loss->open.at_s);
    double in_wh = loss->newest.in_wh - loss->open.in_wh;
    double out_wh = loss->newest.out_wh - loss->open.out_wh;
    double wh_per_k = hs_wh_from_l_k(tank->volume_l, 1);
    double kh = (loss->sum_c_s / span_s - tank->ambient_c) * span_s / HS_S_PER_H;
    double lost_wh = in_wh - out_wh - wh_per_k * (loss->newest.tank_c - loss->open.tank_c);
    double h[HS_TANKLOSS_UNKNOWNS] = {kh, METER_RATIO * in_wh, -METER_RATIO * out_wh};
    double sd_wh = sqrt(2) * wh_per_k * SENSOR_SD_K;
    bool is_doubted = hs_tankloss_get_doubt(loss) != HS_TANKLOSS_FINE;
    double keep = exp(-span_s / (is_doubted ? DOUBTED_FADE_S : FADE_S));
    double weight = 1;

    /* comparisons are false for NAN: what is not metered teaches nothing */
    if (!(kh > LEAST_K * span_s / HS_S_PER_H) || !(fabs(lost_wh) >= 0)) {
        return;
    }
    if (loss->n_windows >= LEAST_N / 2) {
        double limit = CLIP * sqrt(fmax(loss->misfit, MISFIT_LEAST));
        double x[HS_TANKLOSS_UNKNOWNS];
        double residual;

        (void)estimate(loss, x);
        residual = (lost_wh - h[0] * x[0] - h[1] * x[1] - h[2] * x[2]) / sd_wh;
        weight = fabs(residual) > limit ? limit / fabs(residual) : 1;
        loss->misfit += (fmin(residual * residual, 4 * MISFIT_MOST) - loss->misfit) / MISFIT_N;
    }
    for (size_t i = 0; i < HS_TANKLOSS_UNKNOWNS; i++) {
        for (size_t k = 0; k < HS_TANKLOSS_UNKNOWNS; k++) {
            loss->info[i][k] = keep * loss->info[i][k] + weight * h[i] * h[k] / (sd_wh * sd_wh);
        }
        loss->push[i] = keep * loss->push[i] + weight * h[i] * lost_wh / (sd_wh * sd_wh);
    }
    loss->n_windows++;
}

static bool is_free(const struct hs_tank *tank, double tank_c)
{
    return tank_c > tank->min_c + LIMIT_K && tank_c < tank->max_c - LIMIT_K;
}

void hs_tankloss_add(struct hs_tankloss *loss, const struct hs_tank *tank,
                     const struct hs_tankloss_sample *sample)
{
    double span_s = (double)(sample->at_s - loss->newest.at_s);

    if (isnan(sample->tank_c) || (loss->newest.at_s > 0 && span_s < 0)) {
        return;
    }
    if (loss->open.at_s > 0 && span_s <= SILENCE_S && is_free(tank, sample->tank_c)) {
        if (span_s > 0 && loss->newest.at_s - loss->open.at_s >= WINDOW_S) {
            close_window(loss, tank);
            loss->open = loss->newest;
            loss->sum_c_s = 0;
        }
        loss->sum_c_s += 0.5 * (sample->tank_c + loss->newest.tank_c) * span_s;
        if (span_s == 0 && loss->open.at_s == sample->at_s) {
            loss->open = *sample;
        }
    } else {
        loss->open = *sample;
        loss->open.at_s = is_free(tank, sample->tank_c) ? sample->at_s : 0;
        loss->sum_c_s = 0;
    }
    loss->newest = *sample;
}

struct hs_physics_figure hs_tankloss_get(const struct hs_tankloss *loss)
{
    struct hs_physics_figure none = {(double)NAN, (double)NAN};
    struct hs_physics_figure figure;
    double x[HS_TANKLOSS_UNKNOWNS];

    if (loss->n_windows < LEAST_N || hs_tankloss_get_doubt(loss) != HS_TANKLOSS_FINE) {
        return none;
    }
    figure = estimate(loss, x);
    return figure.sd < fmax(WORST_W_PER_K, WORST_RATIO * figure.value) ? figure : none;
}

enum hs_tankloss_doubt hs_tankloss_get_doubt(const struct hs_tankloss *loss)
{
    struct hs_physics_figure figure;
    double x[HS_TANKLOSS_UNKNOWNS];

    if (loss->n_windows < LEAST_N) {
        return HS_TANKLOSS_FINE;
    }
    figure = estimate(loss, x);
    if (loss->misfit > MISFIT_MOST) {
        return HS_TANKLOSS_INCONSISTENT;
    }
    if (fabs(x[1]) > METER_MOST || fabs(x[2]) > METER_MOST) {
        return HS_TANKLOSS_INCONSISTENT;
    }
    return figure.value + 2 * figure.sd < 0 ? HS_TANKLOSS_GAINS : HS_TANKLOSS_FINE;
}
