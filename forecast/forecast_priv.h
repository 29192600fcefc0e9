/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** forecast_priv - what forecast.c (hours, learning) and forecast_slots.c (slots) share. */

#include "forecast/forecast.h"
#include "forecast/forecast_judge.h"
#include "forecast/slotshape.h"
#include "forecast/weatherbias.h"

#define HS_FORECAST_S_PER_HOUR     3600
#define HS_FORECAST_REACH_HOURS    50 /* predicted at once: two days from within an open hour */
#define HS_FORECAST_WEATHER_FIELDS 3
#define HS_FORECAST_STALE_S        43200 /* an outlook older than two runs of a weather model */

/** Mean over the part of an hour that was metered. */
struct hs_forecast_gathering {
    double sum;
    double known_s;
};

/** What is stored; plain, without pointers. */
struct hs_forecast_state {
    int64_t open_no; /* hour that is being metered; -1: none yet */
    double known_h;  /* hours of heat ever known */
    struct hs_forecast_gathering heat;
    struct hs_forecast_gathering weather[HS_FORECAST_WEATHER_FIELDS];
    struct hs_weather slot_weather; /* of the newest slot, which may reach into the next hours */
    int64_t slot_from_at_s;
    int64_t slot_to_at_s;
    struct hs_outlook outlook;  /* as issued; n_hours 0: none */
    struct hs_weatherbias bias; /* of what is issued */
    struct hs_slotshape shape;
    struct hs_heathistory history;
    struct hs_forecast_judge judge;
};

struct hs_forecast {
    const struct hs_heatmodel *model;
    struct hs_forecast_setup setup;
    struct hs_forecast_state state;
    bool is_made; /* made_w is of the state as it is; not stored: it follows from the rest */
    double made_w[HS_FORECAST_REACH_HOURS];
    void *model_state;
};

/** Age of the outlook at the end of the newest closed hour; meaningless without one. */
double hs_forecast_get_weather_age_s(const struct hs_forecast_state *state);

/** True if there is an outlook that is not too old to be of use. */
bool hs_forecast_has_outlook(const struct hs_forecast_state *state);

/** made_w of the hours ahead, once an hour. */
void hs_forecast_ensure_made(struct hs_forecast *forecast);

/** What is said of HS_OUTLOOK_HOURS. @param ret_heat_w  [HS_OUTLOOK_HOURS] */
void hs_forecast_make_far(const struct hs_forecast *forecast, double *ret_heat_w);
