/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * forecast - heat need of one sink over the next slots, with quantiles, from what its meter, the
 * air outside and a weather forecast have said so far.
 *
 * Pure: the caller brings readings, weather and time. Readings come in time order; slots are
 * gathered into hours, and when an hour closes the model learns from it. Nothing that was taken
 * at or after the moment of a prediction can change it. What is unknown is unknown, not zero.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "forecast/heatmodel.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_forecast;

/** How a forecast is made for one sink. */
struct hs_forecast_setup {
    int64_t slot_s;                     /* > 0 */
    const struct hs_calendar *calendar; /* borrowed as long as the forecast lives; NULL: UTC */
};

/** One slot of a prediction; W, mean over the slot, each >= 0 and p10 <= p50 <= p90. */
struct hs_forecast_slot {
    double p10_w;
    double p50_w;
    double p90_w;
};

/** Which weather a prediction stands on: each step is worse than the one before. */
enum hs_forecast_weather {
    HS_FORECAST_WEATHER_ISSUED,    /* a weather forecast, fresh */
    HS_FORECAST_WEATHER_STALE,     /* a weather forecast issued long ago: intervals are wider */
    HS_FORECAST_WEATHER_PERSISTED, /* the site's own goes on: docs/adr/0008 */
    HS_FORECAST_WEATHER_NONE,      /* no outdoor temperature is known */
};

/** How the newest prediction came about. */
struct hs_forecast_how {
    enum hs_forecast_weather weather;
    double weather_age_s; /* since issue; NAN without an issued forecast */
    const char *fallback; /* model that spoke: "mixer", or the step of the chain below it */
    double history_h;     /* known hours of heat so far */
    size_t n_models;      /* of the mixer; 0 for a single model */
    const char *model_names[HS_HEATMODEL_PARTS_MAX];
    double model_weights[HS_HEATMODEL_PARTS_MAX]; /* at 24 h ahead */
};

/** Blocks of hours ahead for which accuracy is kept. */
#define HS_FORECAST_N_BLOCKS 3 /* 1-6 h, 7-24 h, 25-48 h */

/** Accuracy over the last 14 days in one block; NAN while nothing can be said. */
struct hs_forecast_accuracy {
    size_t from_lead_h;
    size_t to_lead_h;
    double nmae;              /* mean |error| / mean heat */
    double yesterday_nmae;    /* of that hour of the newest day known when it was predicted */
    double coverage_80_ratio; /* share of hours between p10 and p90 */
    size_t n;                 /* predictions judged */
};

/** Model named @name ("mixer", "yesterday", ...), or NULL. Static. */
const struct hs_heatmodel *hs_forecast_find_model(const char *name);

/** The @i-th model of the table, or NULL past its end. Static. */
const struct hs_heatmodel *hs_forecast_get_model(size_t i);

/** A model that has seen nothing; owned by the caller. @param name  asserted to be known */
struct hs_forecast *hs_forecast_new(const char *name, const struct hs_forecast_setup *setup);

/**
 * Take in one metered slot. Slots come in time order; a slot never seen is unknown, and one from
 * an hour that has closed is ignored.
 *
 * @param slot_at_s      start of the slot, a multiple of slot_s, >= 0
 * @param demand_heat_w  mean over the slot; NAN or negative: unknown
 */
void hs_forecast_observe(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w);

/** Take in the weather measured over one slot, before the slot's heat; checked as an outlook is. */
void hs_forecast_observe_weather(struct hs_forecast *forecast, int64_t slot_at_s,
                                 const struct hs_weather *weather);

/** Time has come to @now_at_s: hours before it close, known or not. */
void hs_forecast_advance(struct hs_forecast *forecast, int64_t now_at_s);

/**
 * The newest weather forecast, as it was issued; used for predictions from its issue on until it
 * is replaced. Copied; what no weather can be (beyond 60 C of frost or heat, 0..1500 W/m2,
 * 0..80 m/s) is unknown. @param outlook  NULL: there is none
 */
void hs_forecast_set_outlook(struct hs_forecast *forecast, const struct hs_outlook *outlook);

/**
 * Need of each slot from @from_at_s on, from the hour that is open.
 *
 * A slot of an hour that has closed is what was measured. Beyond HS_OUTLOOK_HOURS the last day
 * repeats. A chain of fall-backs ends in the last known value, then in 0 with nothing known.
 *
 * @param ret_slots  [n_slots] never NAN
 */
void hs_forecast_predict(struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                         struct hs_forecast_slot *ret_slots);

/** How hs_forecast_predict() comes about now. */
void hs_forecast_get_how(struct hs_forecast *forecast, struct hs_forecast_how *ret_how);

/** The weather reckoned with from the next hour on: as issued, and persisted where it says nothing.
 */
void hs_forecast_get_outlook(const struct hs_forecast *forecast, struct hs_outlook *ret_outlook);

/** @param ret_blocks  [HS_FORECAST_N_BLOCKS] */
void hs_forecast_get_accuracy(const struct hs_forecast *forecast,
                              struct hs_forecast_accuracy *ret_blocks);

/** What was learned of the building; NAN where nothing. */
void hs_forecast_get_physics(const struct hs_forecast *forecast, struct hs_physics *ret_physics);

/** Everything learned, to be restored exactly; owned by the caller. */
json_t *hs_forecast_save(const struct hs_forecast *forecast);

/**
 * Take over what hs_forecast_save() of the same model, slot length and build's layout gave: the
 * same predictions to the last bit follow.
 *
 * @return 0 or -HS_E_INVALID saying what does not fit; @forecast is then as it was
 */
int hs_forecast_restore(struct hs_forecast *forecast, const json_t *saved, struct hs_err *err);

/** Start of the open hour: all before it has closed, known or not; -1: none yet. */
int64_t hs_forecast_get_open_at_s(const struct hs_forecast *forecast);

/** Accepts NULL. */
void hs_forecast_free(struct hs_forecast *forecast);
HS_DEFINE_AUTO(hs_forecast);
