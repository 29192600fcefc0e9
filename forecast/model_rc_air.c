/* SPDX-License-Identifier: Apache-2.0 */
/* model_rc_air - temperature, sun and wind as they reach the rooms; what heat answers to. */
#include <math.h>
#include <string.h>

#include "forecast/model_rc_priv.h"

#define ROOM_C    20.0 /* air that wind lets out; no heating above */
#define COLD_K    16.0 /* below ROOM_C: the swing of the day is 1 */
#define SWING_POW 0.85
#define SUN_OFF_C 7.0 /* sun saves half as much as in the cold, and how fast less */
#define SUN_OFF_K 4.0
#define BEND_K    1.5 /* a house of many rooms has no sharp change point */

const double hs_model_rc_path_tau_h[HS_RC_N_PATHS] = {0, 6, 24, 72};
static const double knee_c[HS_RC_N_KNEES] = {15, 12};
static const double sun_tau_h[HS_RC_N_SUNS] = {1, 12};

/** One hour of a low-pass filter under @now. @return its mean over the hour */
static double pass(double *level, double now, double tau_h)
{
    double keep = tau_h > 0 ? exp(-1.0 / tau_h) : 0.0;
    double mean = now + (*level - now) * tau_h * (1 - keep);

    *level = now + (*level - now) * keep;
    return mean;
}

void hs_model_rc_feel(struct hs_rc_drive *drive, const struct hs_weather *weather, int hour,
                      bool is_past, struct hs_rc_felt *ret_felt)
{
    double sun = weather->ghi_w_per_m2;
    double wind = weather->wind_m_per_s;

    if (!isnan(weather->t_out_c)) {
        for (size_t i = 0; i < HS_RC_N_PATHS && !drive->has_t; i++) {
            drive->t_c[i] = weather->t_out_c;
        }
        drive->has_t = true;
        drive->t_now_c = weather->t_out_c;
    }
    if (is_past && !isnan(sun)) {
        drive->sun_usual[hour] += (sun - drive->sun_usual[hour]) * (drive->has_sun ? 0.1 : 1.0);
        drive->has_sun = true;
    }
    if (is_past && !isnan(wind)) {
        drive->wind_mean += (wind - drive->wind_mean) * (drive->has_wind ? 0.003 : 1.0);
        drive->has_wind = true;
    }
    sun = isnan(sun) ? drive->sun_usual[hour] : sun;
    for (size_t i = 0; i < HS_RC_N_PATHS; i++) {
        ret_felt->t_c[i] = pass(&drive->t_c[i], drive->t_now_c, hs_model_rc_path_tau_h[i]);
    }
    for (size_t i = 0; i < HS_RC_N_SUNS; i++) {
        ret_felt->sun[i] = pass(&drive->sun[i], sun, sun_tau_h[i]);
    }
    ret_felt->wind = isnan(wind) || !drive->has_wind ? 0 : wind - drive->wind_mean;
}

/** Kelvin below @knee_at_c; round about it. */
static double below(double knee_at_c, double t_c)
{
    double x = (knee_at_c - t_c) / BEND_K;

    return x > 30 ? knee_at_c - t_c : BEND_K * log1p(exp(x));
}

void hs_model_rc_regard(const struct hs_rc_felt *felt, const struct hs_calendar_hour *at,
                        double *ret_h)
{
    double cold = below(ROOM_C, felt->t_c[HS_RC_SLOW_PATH]) / COLD_K;
    double swing = pow(fmin(fmax(cold, 0.1), 3), SWING_POW);
    double heated = 1 / (1 + exp((felt->t_c[HS_RC_SLOW_PATH] - SUN_OFF_C) / SUN_OFF_K));

    memset(ret_h, 0, HS_RC_N_STATES * sizeof(*ret_h));
    for (size_t i = 0; i < HS_RC_N_PATHS; i++) {
        ret_h[HS_RC_AT_UA + i] = below(HS_RC_PATH_KNEE_C, felt->t_c[i]);
    }
    for (size_t i = 0; i < HS_RC_N_KNEES; i++) {
        ret_h[HS_RC_AT_KNEE + i] = below(knee_c[i], felt->t_c[HS_RC_SLOW_PATH]);
    }
    for (size_t i = 0; i < HS_RC_N_SUNS; i++) {
        ret_h[HS_RC_AT_SUN + i] = -felt->sun[i] * heated; /* sun saves only what is heated */
    }
    ret_h[HS_RC_AT_WIND] = felt->wind * below(ROOM_C, felt->t_c[0]);
    ret_h[HS_RC_AT_BASE] = 1;
    ret_h[HS_RC_AT_USUAL + at->hour] = swing;
    if (at->weekday >= 5 || at->is_holiday) {
        ret_h[HS_RC_AT_WEEKEND + at->hour] = swing;
    }
}
