/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * model_rc_priv - what model_rc.c (learning), model_rc_air.c (the air as the building feels it)
 * and model_rc_figures.c (what is told of it) share. The equation is in model_rc.c.
 */

#include <stdbool.h>

#include "forecast/heatmodel.h"
#include "forecast/kalman.h"

#define HS_RC_HOURS       24
#define HS_RC_PATH_KNEE_C 18.0 /* outdoor temperature above which no path asks for heat */

enum { HS_RC_N_PATHS = 4, HS_RC_N_KNEES = 2, HS_RC_N_SUNS = 2, HS_RC_SLOW_PATH = 2 };

/** Where each state lies. */
enum {
    HS_RC_AT_UA,                                  /* W/K */
    HS_RC_AT_KNEE = HS_RC_AT_UA + HS_RC_N_PATHS,  /* W/K more below each knee */
    HS_RC_AT_SUN = HS_RC_AT_KNEE + HS_RC_N_KNEES, /* m2 */
    HS_RC_AT_WIND = HS_RC_AT_SUN + HS_RC_N_SUNS,  /* W/K per m/s */
    HS_RC_AT_BASE,                                /* W */
    HS_RC_AT_USUAL,                               /* W by local hour */
    HS_RC_AT_WEEKEND = HS_RC_AT_USUAL + HS_RC_HOURS,
    HS_RC_AT_REST = HS_RC_AT_WEEKEND + HS_RC_HOURS, /* in units of the noise's shape */
    HS_RC_N_STATES,
};

_Static_assert(HS_RC_N_STATES <= HS_KALMAN_STATES, "the building fits into the filter");

/** The air outside as the building feels it. */
struct hs_rc_drive {
    bool has_t;
    bool has_sun;
    bool has_wind;
    double t_now_c; /* newest known */
    double t_c[HS_RC_N_PATHS];
    double sun[HS_RC_N_SUNS];      /* W/m2, as slow as each is felt */
    double sun_usual[HS_RC_HOURS]; /* W/m2 by hour, where a forecast has none */
    double wind_mean;              /* m/s */
};

/** What of the weather reaches the rooms in one hour, mean over the hour. */
struct hs_rc_felt {
    double t_c[HS_RC_N_PATHS];
    double sun[HS_RC_N_SUNS]; /* W/m2 */
    double wind;              /* m/s over or under the usual one */
};

/** Time constants of the paths from outside to the rooms, h. */
extern const double hs_model_rc_path_tau_h[HS_RC_N_PATHS];

/** Let an hour of weather pass. @param is_past  measured: what is usual is learned from it */
void hs_model_rc_feel(struct hs_rc_drive *drive, const struct hs_weather *weather, int hour,
                      bool is_past, struct hs_rc_felt *ret_felt);

/**
 * What heat answers to in one hour, by state: heat = h . x, but for the rest.
 *
 * @param ret_h  [HS_RC_N_STATES]
 */
void hs_model_rc_regard(const struct hs_rc_felt *felt, const struct hs_calendar_hour *at,
                        double *ret_h);

/**
 * Figures of the building from the states, with their standard errors; leaves out those that the
 * data cannot tell. @param has_sun  sun has been measured
 */
void hs_model_rc_tell(const struct hs_kalman *filter, bool has_sun, struct hs_physics *physics);
