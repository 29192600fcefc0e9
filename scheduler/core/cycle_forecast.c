/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_forecast - readings and weather into the forecasts of sinks, forecasts into demand. */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

#define S_PER_HOUR 3600
#define AHEAD_S    3600 /* a clock may be set back so far over a restart, and nothing is lost */

static const char FUTURE[] = "lies in the future: the clock was wrong then, or is now";

void hs_cycle_set_outlook(struct hs_cycle *cycle, size_t site_idx, const struct hs_outlook *outlook)
{
    const struct hs_estate *estate = cycle->estate;

    for (size_t k = 0; k < estate->n_sinks; k++) {
        if (estate->loops[estate->sinks[k].loop_idx].site_idx == site_idx) {
            hs_forecast_set_outlook(cycle->forecasts[k], outlook);
            cycle->forecast_from_at_s[k] = INT64_MIN;
        }
    }
    cycle->has_news = true;
}

void hs_cycle_observe_slot(struct hs_cycle *cycle, size_t sink_idx, int64_t slot_at_s,
                           double demand_heat_w, const struct hs_weather *weather)
{
    struct hs_forecast *forecast = cycle->forecasts[sink_idx];

    if (slot_at_s < cycle->learned_to_at_s[sink_idx]) {
        return; /* in an earlier life, or from history */
    }
    cycle->learned_to_at_s[sink_idx] = slot_at_s + cycle->estate->slot_s;
    hs_forecast_observe_weather(forecast, slot_at_s, weather);
    hs_forecast_observe(forecast, slot_at_s, demand_heat_w);
    cycle->has_history[sink_idx] |= !isnan(demand_heat_w);
}

/* --- weather --- */

static double get_measured(const struct hs_series *series, int64_t from_at_s, int64_t to_at_s)
{
    return series != NULL && hs_series_is_known(series, from_at_s)
               ? hs_series_get_mean(series, from_at_s, to_at_s)
               : (double)NAN;
}

/* Without a sensor of its own, what the site's series says of a slot that has passed. */
static struct hs_weather complete(const struct hs_cycle *cycle, size_t sink_idx, int64_t slot_at_s,
                                  const struct hs_weather *measured)
{
    const struct hs_estate *estate = cycle->estate;
    size_t site_idx = estate->loops[estate->sinks[sink_idx].loop_idx].site_idx;
    struct hs_weather weather = *measured;

    if (isnan(weather.t_out_c)) {
        weather.t_out_c = get_measured(hs_cycle_get_signal(cycle, site_idx, HS_SIGNAL_OUTDOOR),
                                       slot_at_s, slot_at_s + estate->slot_s);
    }
    return weather;
}

void hs_cycle_close_slot(void *arg, size_t sink_idx, int64_t slot_at_s, double demand_heat_w,
                         const struct hs_weather *measured)
{
    struct hs_cycle *cycle = arg;

    if (cycle->known_demand_w[sink_idx] == NULL) { /* what is known ahead need not be learned */
        struct hs_weather weather = complete(cycle, sink_idx, slot_at_s, measured);

        hs_cycle_observe_slot(cycle, sink_idx, slot_at_s, demand_heat_w, &weather);
    }
}

/* --- history --- */

/* What had been foreseen at @at_s: a model is to learn from what it would have been given. */
static void look_out(const struct hs_cycle_air *air, int64_t at_s, struct hs_forecast *forecast)
{
    struct hs_outlook outlook;

    if (air->find_outlook != NULL && at_s % S_PER_HOUR == 0
        && air->find_outlook(air->arg, at_s, &outlook)) {
        hs_forecast_set_outlook(forecast, &outlook);
    }
}

void hs_cycle_train(struct hs_cycle *cycle, size_t sink_idx, const struct hs_series *demand_heat_w,
                    const struct hs_cycle_air *air)
{
    int64_t slot_s = cycle->estate->slot_s;
    int64_t end_at_s = cycle->now_at_s - cycle->now_at_s % slot_s;
    int64_t first_at_s = end_at_s - HS_CYCLE_TRAIN_S;

    if (demand_heat_w->n == 0) {
        return;
    }
    if (first_at_s < demand_heat_w->at_s[0]) {
        first_at_s = demand_heat_w->at_s[0];
    }
    for (int64_t at_s = first_at_s - first_at_s % slot_s; at_s + slot_s <= end_at_s;
         at_s += slot_s) {
        int64_t to_at_s = at_s + slot_s;
        struct hs_weather weather = HS_WEATHER_UNKNOWN;

        if (air != NULL) {
            look_out(air, at_s, cycle->forecasts[sink_idx]);
            weather.t_out_c = get_measured(air->t_out_c, at_s, to_at_s);
            weather.ghi_w_per_m2 = get_measured(air->ghi_w_per_m2, at_s, to_at_s);
            weather.wind_m_per_s = get_measured(air->wind_m_per_s, at_s, to_at_s);
        }
        hs_cycle_observe_slot(cycle, sink_idx, at_s, get_measured(demand_heat_w, at_s, to_at_s),
                              &weather);
    }
    cycle->forecast_from_at_s[sink_idx] = INT64_MIN;
}

/* --- memory --- */

json_t *hs_cycle_save_forecast(const struct hs_cycle *cycle, size_t sink_idx)
{
    json_t *saved = hs_jsonx_object();

    hs_jsonx_set_int(saved, "learned_to_at_s", cycle->learned_to_at_s[sink_idx]);
    hs_jsonx_set_int(saved, "open_at_s", hs_forecast_get_open_at_s(cycle->forecasts[sink_idx]));
    hs_jsonx_set_bool(saved, "has_history", cycle->has_history[sink_idx]);
    hs_jsonx_set(saved, "forecast", hs_forecast_save(cycle->forecasts[sink_idx]));
    return saved;
}

int hs_cycle_restore_forecast(struct hs_cycle *cycle, size_t sink_idx, const json_t *saved,
                              struct hs_err *err)
{
    const json_t *learned = json_object_get(saved, "learned_to_at_s");
    const json_t *open = json_object_get(saved, "open_at_s");
    int rc;

    if (!json_is_integer(learned) || !json_is_integer(open)) {
        return hs_err_set(err, HS_E_INVALID, "forecast.learned_to_at_s", "is missing");
    }
    if (json_integer_value(learned) > cycle->now_at_s + AHEAD_S
        || json_integer_value(open) > cycle->now_at_s + AHEAD_S) {
        return hs_err_set(err, HS_E_CONFLICT, "forecast.learned_to_at_s", FUTURE);
    }
    rc = hs_forecast_restore(cycle->forecasts[sink_idx], json_object_get(saved, "forecast"), err);
    if (rc == 0) {
        cycle->learned_to_at_s[sink_idx] = json_integer_value(learned);
        cycle->has_history[sink_idx] = json_is_true(json_object_get(saved, "has_history"));
        cycle->forecast_from_at_s[sink_idx] = INT64_MIN;
    }
    return rc;
}

json_t *hs_cycle_save_arrivals(const struct hs_cycle *cycle)
{
    return hs_arrivals_save(&cycle->arrivals);
}

int hs_cycle_restore_arrivals(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err)
{
    struct hs_arrivals arrivals;
    int rc = hs_arrivals_restore(&arrivals, saved, err);

    if (rc == 0 && arrivals.hour_at_s > cycle->now_at_s + AHEAD_S) {
        rc = hs_err_set(err, HS_E_CONFLICT, "arrivals", FUTURE);
    }
    if (rc == 0) {
        cycle->arrivals = arrivals;
        hs_arrivals_advance(&cycle->arrivals, cycle->now_at_s);
    }
    return rc;
}

/* --- demand --- */

/*
 * A forecast is made when an hour has closed: it learns from nothing in between. Until then the
 * same one holds for the instants it was made for.
 */
static const double *recall_forecast(struct hs_cycle *cycle, size_t sink_idx)
{
    size_t n = cycle->n_slots + HS_CYCLE_FORECAST_SLOTS;
    size_t first = sink_idx * n;
    int64_t *from_at_s = &cycle->forecast_from_at_s[sink_idx];
    int64_t gone_s = *from_at_s != INT64_MIN ? cycle->plan_from_at_s - *from_at_s : 0;
    struct hs_forecast_slot made[HS_PLAN_SLOTS_MAX + HS_CYCLE_FORECAST_SLOTS];

    if (*from_at_s == INT64_MIN || gone_s > HS_CYCLE_FORECAST_SLOTS * cycle->estate->slot_s
        || *from_at_s / S_PER_HOUR != cycle->plan_from_at_s / S_PER_HOUR) {
        *from_at_s = cycle->plan_from_at_s;
        gone_s = 0;
        cycle->forecast_made_at_s[sink_idx] = *from_at_s;
        hs_forecast_predict(cycle->forecasts[sink_idx], *from_at_s, n, made);
        for (size_t t = 0; t < n; t++) {
            cycle->forecast_w[first + t] = made[t].p50_w;
            cycle->forecast_p10_w[first + t] = made[t].p10_w;
            cycle->forecast_p90_w[first + t] = made[t].p90_w;
        }
    }
    return &cycle->forecast_w[first + (size_t)(gone_s / cycle->estate->slot_s)];
}

void hs_cycle_forecast_sink(struct hs_cycle *cycle, size_t sink_idx, double *ret_demand_heat_w)
{
    const struct hs_estimator_value *seen = &cycle->estimator->sinks[sink_idx].demand_w;
    int64_t fresh_s = HS_ESTIMATOR_FRESH_SLOTS * cycle->estate->slot_s;

    memcpy(ret_demand_heat_w, recall_forecast(cycle, sink_idx), cycle->n_slots * sizeof(double));
    /* A meter that is not to be believed does not make heat look wanted that was not. */
    if (!isnan(seen->value) && (seen->n_bad > 0 || cycle->now_at_s - seen->at_s > fresh_s)) {
        for (size_t t = 0; t < cycle->n_slots && t < HS_ESTIMATOR_BLIND_SLOTS; t++) {
            ret_demand_heat_w[t] = fmin(ret_demand_heat_w[t], seen->value);
        }
    }
    /* The meter knows this slot better than yesterday does; on the first day it is all there is. */
    if (!isnan(seen->value) && cycle->now_at_s - seen->at_s <= fresh_s) {
        for (size_t t = 0; t < (cycle->has_history[sink_idx] ? 1 : cycle->n_slots); t++) {
            ret_demand_heat_w[t] = seen->value;
        }
    }
}
