/* SPDX-License-Identifier: Apache-2.0 */
/* model_rc_figures - the building in physical units: sums of states, with standard errors. */
#include <math.h>
#include <string.h>

#include "forecast/model_rc_priv.h"

/* What is told of the building. */
#define WORST_UA_RATIO    0.5 /* standard error, share of the figure */
#define WORST_RATIO       0.6
#define CHANGE_POINT_SD_K 2.5
#define MODEL_POINT_K     1.0 /* knees are fixed: the bend is no better known than to this */
#define COLD_C            0.0 /* UA is the slope of the need between these two */
#define MILD_C            8.0
#define WARM_C            24.0 /* only base is left */

/** A sum of states, if it is known to @worst of itself. @param model_sd  error of the equation */
static struct hs_physics_figure tell(const struct hs_kalman *filter, const double *w,
                                     double model_sd, double worst)
{
    struct hs_physics_figure figure;

    figure.value = hs_kalman_get_sum(filter, w, &figure.sd);
    figure.sd = hypot(figure.sd, model_sd);
    return figure.value > 0 && figure.sd < worst * figure.value
               ? figure
               : (struct hs_physics_figure){(double)NAN, (double)NAN};
}

/** Ratio of two sums of states; its standard error to first order. */
static struct hs_physics_figure divide(const struct hs_kalman *filter, const double *of,
                                       const double *by)
{
    struct hs_physics_figure ratio;
    double w[HS_RC_N_STATES];
    double sd;
    double divisor = hs_kalman_get_sum(filter, by, &sd);

    ratio.value = hs_kalman_get_sum(filter, of, &sd) / divisor;
    for (size_t i = 0; i < HS_RC_N_STATES; i++) {
        w[i] = (of[i] - ratio.value * by[i]) / divisor;
    }
    (void)hs_kalman_get_sum(filter, w, &ratio.sd);
    return ratio;
}

/** Answer of all states to steady air of @t_c without sun, mean over a week. */
static void hold_steady(double t_c, double *ret_h)
{
    struct hs_rc_felt felt = {.wind = 0};

    memset(ret_h, 0, HS_RC_N_STATES * sizeof(*ret_h));
    for (size_t i = 0; i < HS_RC_N_PATHS; i++) {
        felt.t_c[i] = t_c;
    }
    for (int hour = 0; hour < HS_RC_HOURS; hour++) {
        for (int weekday = 0; weekday < 7; weekday++) {
            struct hs_calendar_hour at = {.hour = hour, .weekday = weekday};
            double h[HS_RC_N_STATES];

            hs_model_rc_regard(&felt, &at, h);
            for (size_t i = 0; i < HS_RC_AT_REST; i++) {
                ret_h[i] += h[i] / (7 * HS_RC_HOURS);
            }
        }
    }
}

void hs_model_rc_tell(const struct hs_kalman *filter, bool has_sun, struct hs_physics *physics)
{
    double cold_of[HS_RC_N_STATES];
    double mild_of[HS_RC_N_STATES];
    double base_of[HS_RC_N_STATES];
    double ua_of[HS_RC_N_STATES];
    double capacity_of[HS_RC_N_STATES];
    double sun_of[HS_RC_N_STATES] = {0};
    struct hs_physics_figure point;

    hold_steady(COLD_C, cold_of);
    hold_steady(MILD_C, mild_of);
    hold_steady(WARM_C, base_of);
    for (size_t i = 0; i < HS_RC_N_STATES; i++) {
        ua_of[i] = (cold_of[i] - mild_of[i]) / (MILD_C - COLD_C);
        /* all but the paths follow the slow one */
        capacity_of[i] = ua_of[i] * hs_model_rc_path_tau_h[i < HS_RC_N_PATHS ? i : HS_RC_SLOW_PATH];
        cold_of[i] -= base_of[i];
    }
    for (size_t i = 0; i < HS_RC_N_SUNS; i++) {
        sun_of[HS_RC_AT_SUN + i] = 1;
    }
    physics->ua_w_per_k = tell(filter, ua_of, 0, WORST_UA_RATIO);
    if (isnan(physics->ua_w_per_k.value)) {
        return;
    }
    physics->capacity_wh_per_k = tell(filter, capacity_of, 0, WORST_RATIO);
    physics->base_w = tell(filter, base_of, MODEL_POINT_K * physics->ua_w_per_k.value, WORST_RATIO);
    if (has_sun) {
        physics->solar_aperture_m2 = tell(filter, sun_of, 0, WORST_RATIO);
    }
    if (!isnan(physics->capacity_wh_per_k.value)) {
        physics->time_constant_h = divide(filter, capacity_of, ua_of);
    }
    point = divide(filter, cold_of, ua_of);
    point.value += COLD_C;
    point.sd = hypot(point.sd, MODEL_POINT_K);
    if (point.sd < CHANGE_POINT_SD_K) {
        physics->change_point_c = point;
    }
}
