/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatmodel - what a forecasting model of hourly heat supplies to the frame in forecast.c.
 *
 * A model's state is one plain struct of fixed size without pointers: it is stored and restored
 * as it is. Models are pure functions of their state and of what they are shown; they see no
 * heat of an hour that has not closed. One file a model, one row in the table of forecast.c.
 */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "forecast/calendar.h"
#include "forecast/heathistory.h"
#include "forecast/weather.h"

#define HS_HEATMODEL_PARTS_MAX 16

/** What a model may look at. */
struct hs_heatmodel_view {
    const struct hs_heathistory *history;
    const struct hs_calendar *calendar; /* NULL: UTC without holidays */
    const struct hs_outlook *outlook;   /* weather from the next hour on; NAN where unknown */
};

/** A figure learned, and its standard error; NAN where nothing is learned. */
struct hs_physics_figure {
    double value;
    double sd;
};

/** A building in physical units. */
struct hs_physics {
    struct hs_physics_figure ua_w_per_k;        /* heat loss per kelvin */
    struct hs_physics_figure capacity_wh_per_k; /* heat held per kelvin */
    struct hs_physics_figure base_w;            /* need that does not follow the weather */
    struct hs_physics_figure change_point_c;    /* outdoor temperature above which base is left */
    struct hs_physics_figure solar_aperture_m2; /* sun let in: W per W/m2 */
    struct hs_physics_figure time_constant_h;   /* capacity / UA */
};

/** True if a stored flag is one: any other value would be undefined behaviour to read. */
static inline bool hs_heatmodel_is_flag(const bool *flag)
{
    unsigned char byte;

    memcpy(&byte, flag, 1);
    return byte <= 1;
}

struct hs_heatmodel {
    const char *name;
    const char *summary;
    size_t state_bytes;
    void (*init)(void *state);

    /**
     * The newest hour of the history has closed (its heat may be NAN): learn from it. The weather
     * that had been foreseen for it is in the history. view->outlook is NULL here.
     */
    void (*learn)(void *state, const struct hs_heatmodel_view *view);

    /**
     * Heat of each of the @n_hours hours after the newest closed one.
     *
     * @param n_hours     1..HS_OUTLOOK_HOURS
     * @param ret_heat_w  [n_hours], finite and >= 0 on success
     * @return false where an input that the model cannot do without is missing; ret_heat_w is
     *         then undefined
     */
    bool (*predict)(const void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                    double *ret_heat_w);

    /** As predict, and remembers it as what it will be held to; optional. Again: replaces it. */
    bool (*promise)(void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                    double *ret_heat_w);

    /**
     * Models that it is made of and their weights a day ahead; optional.
     *
     * @param ret_names, ret_weights  [HS_HEATMODEL_PARTS_MAX]
     * @return how many
     */
    size_t (*get_weights)(const void *state, const char **ret_names, double *ret_weights);

    /**
     * True if a state that was stored can be used: its flags are flags, its sizes are right. What
     * its numbers say is judged by what it then predicts. Optional.
     */
    bool (*check)(const void *state);

    /** What the model has learned in physical units; optional, sets only what it knows. */
    void (*get_physics)(const void *state, struct hs_physics *physics);
};

/** True if all of [@n_hours] @heat_w can be reckoned with: a model gone wrong must spoil no other.
 */
static inline bool hs_heatmodel_is_usable(const double *heat_w, size_t n_hours)
{
    for (size_t i = 0; i < n_hours; i++) {
        if (!(heat_w[i] >= 0 && isfinite(heat_w[i]))) {
            return false;
        }
    }
    return true;
}

extern const struct hs_heatmodel hs_heatmodel_persistence;
extern const struct hs_heatmodel hs_heatmodel_yesterday;
extern const struct hs_heatmodel hs_heatmodel_lastweek;
extern const struct hs_heatmodel hs_heatmodel_rc;
extern const struct hs_heatmodel hs_heatmodel_weather;
extern const struct hs_heatmodel hs_heatmodel_regression;
extern const struct hs_heatmodel hs_heatmodel_lagged;
extern const struct hs_heatmodel hs_heatmodel_holtwinters;
extern const struct hs_heatmodel hs_heatmodel_mixer;
extern const struct hs_heatmodel hs_heatmodel_recent;
