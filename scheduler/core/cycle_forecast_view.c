/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_forecast_view - what each sink of a loop is thought to want, on what that stands, and how
 * right it has been. Shows what was last made, so that looking changes no decision.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

#define NOTHING_KNOWN "nothing-known"

/* Who speaks when those before are silent: docs/forecast.md. */
static const char *const chain[] = {HS_CYCLE_FORECAST_MODEL, "yesterday", "persistence",
                                    NOTHING_KNOWN};

#define N_CHAIN (sizeof(chain) / sizeof(chain[0]))

static const struct hs_forecast_slot unknown = {(double)NAN, (double)NAN, (double)NAN};

static const char *weather_word(enum hs_forecast_weather weather)
{
    switch (weather) {
    case HS_FORECAST_WEATHER_ISSUED:
        return "issued";
    case HS_FORECAST_WEATHER_STALE:
        return "stale";
    case HS_FORECAST_WEATHER_PERSISTED:
        return "persisted";
    case HS_FORECAST_WEATHER_NONE:
        break;
    }
    return "none";
}

static size_t find_step(const char *name)
{
    size_t i = 0;

    while (i < N_CHAIN && strcmp(chain[i], name) != 0) {
        i++;
    }
    return i;
}

/* Need of the slot that begins at @at_s as last forecast; NAN where nothing was. */
static struct hs_forecast_slot find_slot(const struct hs_cycle *cycle, size_t sink_idx,
                                         int64_t at_s)
{
    size_t n = cycle->n_slots + HS_CYCLE_FORECAST_SLOTS;
    int64_t made_at_s = cycle->forecast_made_at_s[sink_idx];
    struct hs_forecast_slot slot = unknown;

    if (made_at_s != INT64_MIN && at_s >= made_at_s) {
        size_t t = (size_t)((at_s - made_at_s) / cycle->estate->slot_s);

        if (t < n) {
            slot.p10_w = cycle->forecast_p10_w[sink_idx * n + t];
            slot.p50_w = cycle->forecast_w[sink_idx * n + t];
            slot.p90_w = cycle->forecast_p90_w[sink_idx * n + t];
        }
    }
    return slot;
}

static void set_slot(json_t *object, const struct hs_forecast_slot *slot)
{
    hs_jsonx_set_real(object, "p10_w", slot->p10_w);
    hs_jsonx_set_real(object, "p50_w", slot->p50_w);
    hs_jsonx_set_real(object, "p90_w", slot->p90_w);
}

/* --- one sink --- */

static json_t *format_how(const struct hs_forecast_how *how)
{
    json_t *object = hs_jsonx_object();
    json_t *steps = hs_jsonx_array();
    json_t *weights = hs_jsonx_array();
    size_t step = find_step(how->fallback);

    for (size_t i = 0; i < N_CHAIN; i++) {
        hs_jsonx_add(steps, hs_jsonx_text(chain[i]));
    }
    for (size_t i = 0; i < how->n_models; i++) {
        const struct hs_heatmodel *model = hs_forecast_find_model(how->model_names[i]);
        json_t *item = hs_jsonx_object();

        hs_jsonx_set_text(item, "model", how->model_names[i]);
        hs_jsonx_set_text(item, "summary", model != NULL ? model->summary : NULL);
        hs_jsonx_set_real(item, "weight_ratio", how->model_weights[i]);
        hs_jsonx_add(weights, item);
    }
    hs_jsonx_set_text(object, "model", how->fallback);
    hs_jsonx_set_real(object, "chain_step", step < N_CHAIN ? (double)step : (double)NAN);
    hs_jsonx_set(object, "chain", steps);
    hs_jsonx_set_text(object, "weather", weather_word(how->weather));
    hs_jsonx_set_real(object, "weather_age_s", how->weather_age_s);
    hs_jsonx_set_real(object, "history_h", how->history_h);
    hs_jsonx_set(object, "weights", weights);
    return object;
}

static json_t *format_accuracy(const struct hs_forecast *forecast)
{
    struct hs_forecast_accuracy blocks[HS_FORECAST_N_BLOCKS];
    json_t *array = hs_jsonx_array();

    hs_forecast_get_accuracy(forecast, blocks);
    for (size_t i = 0; i < HS_FORECAST_N_BLOCKS; i++) {
        json_t *item = hs_jsonx_object();

        hs_jsonx_set_int(item, "from_lead_h", (int64_t)blocks[i].from_lead_h);
        hs_jsonx_set_int(item, "to_lead_h", (int64_t)blocks[i].to_lead_h);
        hs_jsonx_set_real(item, "nmae", blocks[i].nmae);
        hs_jsonx_set_real(item, "yesterday_nmae", blocks[i].yesterday_nmae);
        hs_jsonx_set_real(item, "coverage_80_ratio", blocks[i].coverage_80_ratio);
        hs_jsonx_set_int(item, "n", (int64_t)blocks[i].n);
        hs_jsonx_add(array, item);
    }
    return array;
}

static void set_figure(json_t *object, const char *key, const struct hs_physics_figure *figure)
{
    json_t *item = NULL;

    if (isnan(figure->value)) {
        hs_jsonx_set(object, key, json_null());
        return;
    }
    item = hs_jsonx_object();
    hs_jsonx_set_real(item, "value", figure->value);
    hs_jsonx_set_real(item, "sd", figure->sd);
    hs_jsonx_set(object, key, item);
}

static json_t *format_physics(const struct hs_forecast *forecast)
{
    struct hs_physics physics;
    json_t *object = hs_jsonx_object();

    hs_forecast_get_physics(forecast, &physics);
    set_figure(object, "ua_w_per_k", &physics.ua_w_per_k);
    set_figure(object, "capacity_wh_per_k", &physics.capacity_wh_per_k);
    set_figure(object, "time_constant_h", &physics.time_constant_h);
    set_figure(object, "base_w", &physics.base_w);
    set_figure(object, "change_point_c", &physics.change_point_c);
    set_figure(object, "solar_aperture_m2", &physics.solar_aperture_m2);
    return object;
}

/* @param sum  [n_slots] each slot from @first on grows by the sink's; NAN where it is unknown */
static json_t *format_sink(const struct hs_cycle *cycle, size_t sink_idx,
                           const struct hs_forecast_how *how, size_t first,
                           struct hs_forecast_slot *sum)
{
    const struct hs_forecast *forecast = cycle->forecasts[sink_idx];
    json_t *object = hs_jsonx_object();
    json_t *slots = hs_jsonx_array();

    for (size_t t = first; t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;
        struct hs_forecast_slot slot = find_slot(cycle, sink_idx, at_s);
        json_t *item = hs_jsonx_object();

        if (strcmp(how->fallback, NOTHING_KNOWN) == 0) { /* 0 there is for want of a number */
            slot = unknown;
        }
        hs_jsonx_set_at(item, "at", at_s);
        set_slot(item, &slot);
        hs_jsonx_add(slots, item);
        sum[t].p10_w += slot.p10_w;
        sum[t].p50_w += slot.p50_w;
        sum[t].p90_w += slot.p90_w;
    }
    hs_jsonx_set_text(object, "name", cycle->estate->sinks[sink_idx].path);
    hs_jsonx_set(object, "how", format_how(how));
    hs_jsonx_set(object, "accuracy", format_accuracy(forecast));
    hs_jsonx_set(object, "physics", format_physics(forecast));
    hs_jsonx_set(object, "slots", slots);
    return object;
}

/* --- the loop --- */

/* NULL: UTC */
static const struct hs_timezone *find_timezone(const struct hs_cycle *cycle,
                                               const struct hs_heatloop *loop)
{
    const struct hs_timezone *const *timezones = cycle->options.timezones;

    return timezones != NULL ? timezones[loop->site_idx] : NULL;
}

static json_t *format_point(const struct hs_cycle *cycle, size_t loop_idx, size_t t,
                            const struct hs_forecast_slot *sum, double outdoor_c)
{
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    size_t i = loop_idx * cycle->n_slots + t;
    int64_t at_s = plan->from_at_s + (int64_t)t * plan->slot_s;
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_at(item, "at", at_s);
    hs_jsonx_set_int(
        item, "utc_offset_s",
        hs_timezone_get_offset_s(find_timezone(cycle, &cycle->estate->loops[loop_idx]), at_s));
    set_slot(item, sum);
    hs_jsonx_set_real(item, "outdoor_c", outdoor_c);
    hs_jsonx_set_real(item, "demand_heat_w", plan->demand_heat_w[i]);
    hs_jsonx_set_real(item, "it_w", plan->it_w[i]);
    hs_jsonx_set_real(item, "tank_wh", plan->tank_wh[i]);
    hs_jsonx_set_real(item, "heat_price_cur_per_mwh", plan->heat_cur_per_mwh[i]);
    hs_jsonx_set_real(item, "electricity_cur_per_mwh", plan->elec_cur_per_mwh[i]);
    return item;
}

json_t *hs_cycle_format_forecast(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    size_t first = cycle->has_plan ? hs_cycle_get_slot(cycle, now_at_s) : cycle->n_slots;
    json_t *object = hs_jsonx_object();
    json_t *sinks = hs_jsonx_array();
    json_t *points = hs_jsonx_array();
    const char *model = NULL; /* the furthest down the chain of those of the sinks */
    struct hs_forecast_slot sum[HS_PLAN_SLOTS_MAX] = {{0}};
    struct hs_outlook outlook = {.n_hours = 0};
    struct hs_physics_figure tank_loss;

    hs_cycle_get_tank_loss(cycle, loop_idx, &tank_loss);
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        struct hs_forecast_how how;

        hs_forecast_get_how(cycle->forecasts[k], &how);
        if (model == NULL || find_step(how.fallback) > find_step(model)) {
            model = how.fallback;
        }
        hs_jsonx_add(sinks, format_sink(cycle, k, &how, first, sum));
    }
    if (loop->n_sinks > 0) { /* the sinks of a site stand in one weather */
        hs_forecast_get_outlook(cycle->forecasts[loop->first_sink_idx], &outlook);
    }
    for (size_t t = first; t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;

        hs_jsonx_add(points, format_point(cycle, loop_idx, t, &sum[t],
                                          hs_outlook_get(&outlook, at_s).t_out_c));
    }
    hs_jsonx_set_text(object, "loop", loop->path);
    hs_jsonx_set_text(object, "timezone", hs_timezone_get_name(find_timezone(cycle, loop)));
    hs_jsonx_set_text(object, "model", model);
    hs_jsonx_set_at(object, "from", cycle->has_plan ? cycle->plan_from_at_s : 0);
    hs_jsonx_set_int(object, "slot_s", cycle->estate->slot_s);
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    set_figure(object, "tank_loss_w_per_k", &tank_loss);
    hs_jsonx_set(object, "points", points);
    hs_jsonx_set(object, "sinks", sinks);
    return object;
}
