/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_loop_view - a heat loop as it is, what heat is worth in it, and how far its heat reaches.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"
#include "scheduler/core/reach.h"

#define OFFER_HOURS 24
#define FULL_RATIO  0.995 /* of a full tank: what is missing is within its sensors' error */

static void add_seen(const struct hs_cycle *cycle, const struct hs_point *point,
                     const struct hs_estimator_value *value, json_t *readings)
{
    char path[HS_POINT_MAX];
    json_t *item = hs_jsonx_object();

    hs_reading_format_point(cycle->estate, point, path);
    hs_jsonx_set_text(item, "point", path);
    hs_jsonx_set_real(item, "value", value->value);
    hs_jsonx_set_at(item, "at", isnan(value->value) ? 0 : value->at_s);
    hs_jsonx_set_text(item, "quality", hs_reading_quality_word(value->quality));
    hs_jsonx_add(readings, item);
}

/* One that a plant need not have: only where something came. */
static void add_known(const struct hs_cycle *cycle, enum hs_point_kind kind, size_t thing_idx,
                      const struct hs_estimator_value *value, json_t *readings)
{
    if (value->quality != HS_QUALITY_UNKNOWN) {
        add_seen(cycle, &(struct hs_point){.kind = kind, .thing_idx = thing_idx}, value, readings);
    }
}

static json_t *format_offer(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s)
{
    double heat_w[OFFER_HOURS];
    json_t *items = hs_jsonx_array();

    hs_cycle_get_offer(cycle, loop_idx, now_at_s, OFFER_HOURS, heat_w);
    for (size_t i = 0; i < OFFER_HOURS && !isnan(heat_w[i]); i++) {
        hs_jsonx_add(items, hs_jsonx_real(heat_w[i]));
    }
    return items;
}

/* What holds of its interlock: [{kind, since, text}]. */
static json_t *format_interlocks(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_interlock *interlock = &cycle->loops[loop_idx].interlock;
    json_t *items = hs_jsonx_array();
    struct hs_interlock_input input;
    char text[96];

    hs_cycle_fill_interlock(cycle, loop_idx, &input);
    for (int kind = 0; kind < HS_INTERLOCK_COUNT_; kind++) {
        json_t *item;

        if (!interlock->holds[kind]) {
            continue;
        }
        item = hs_jsonx_object();
        hs_interlock_format((enum hs_interlock_kind)kind, &input, text, sizeof(text));
        hs_jsonx_set_text(item, "kind", hs_interlock_word((enum hs_interlock_kind)kind));
        hs_jsonx_set_at(item, "since", interlock->since_at_s[kind]);
        hs_jsonx_set_text(item, "text", text);
        hs_jsonx_add(items, item);
    }
    return items;
}

static json_t *format_readings(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    json_t *readings = hs_jsonx_array();

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        add_seen(cycle, &(struct hs_point){.kind = HS_POINT_DEMAND_HEAT_W, .thing_idx = k},
                 &cycle->estimator->sinks[k].demand_w, readings);
        add_seen(cycle, &(struct hs_point){.kind = HS_POINT_USEFUL_HEAT_WH, .thing_idx = k},
                 &cycle->estimator->sinks[k].useful_wh, readings);
    }
    if (loop->tank.present && seen->n_sensors == 0) {
        add_seen(
            cycle,
            &(struct hs_point){.kind = HS_POINT_TANK_C, .thing_idx = loop_idx, .height_ratio = 0.5},
            &seen->tank_c, readings);
    }
    for (size_t i = 0; i < seen->n_sensors; i++) {
        add_seen(cycle,
                 &(struct hs_point){.kind = HS_POINT_TANK_C,
                                    .thing_idx = loop_idx,
                                    .height_ratio = seen->sensors[i].height_ratio},
                 &seen->sensors[i].value, readings);
    }
    add_known(cycle, HS_POINT_SUPPLY_C, loop_idx, &seen->supply_c, readings);
    add_known(cycle, HS_POINT_RETURN_C, loop_idx, &seen->return_c, readings);
    add_known(cycle, HS_POINT_FLOW_L_PER_MIN, loop_idx, &seen->flow_l_per_min, readings);
    add_known(cycle, HS_POINT_PUMP_OK, loop_idx, &seen->pump.ok, readings);
    add_known(cycle, HS_POINT_LEAK, loop_idx, &seen->leak, readings);
    add_known(cycle, HS_POINT_EMERGENCY, loop_idx, &seen->emergency, readings);
    for (size_t r = 0; r < cycle->estate->n_racks; r++) {
        if (cycle->estate->racks[r].loop_idx == loop_idx) {
            add_known(cycle, HS_POINT_RACK_INLET_C, r, &cycle->estimator->rack_inlet_c[r],
                      readings);
        }
    }
    add_seen(cycle, &(struct hs_point){.kind = HS_POINT_CAPTURED_HEAT_WH, .thing_idx = loop_idx},
             &seen->captured_wh, readings);
    add_seen(cycle, &(struct hs_point){.kind = HS_POINT_REJECTED_HEAT_W, .thing_idx = loop_idx},
             &seen->rejected_w, readings);
    return readings;
}

static void set_loop_prices(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                            json_t *object)
{
    json_t *next = hs_jsonx_array();

    if (cycle->has_plan) {
        const struct hs_plan *plan = hs_place_get_plan(cycle->place);
        size_t first = hs_cycle_get_slot(cycle, now_at_s);
        size_t per_h = (size_t)fmax(1.0, HS_S_PER_H / (double)cycle->estate->slot_s);

        hs_jsonx_set_real(object, "heat_price_cur_per_mwh",
                          plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + first]);
        for (size_t t = first; t < cycle->n_slots && t < first + 24 * per_h; t += per_h) {
            json_t *item = hs_jsonx_object();

            hs_jsonx_set_at(item, "at", plan->from_at_s + (int64_t)t * plan->slot_s);
            hs_jsonx_set_real(item, "cur_per_mwh",
                              plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + t]);
            hs_jsonx_add(next, item);
        }
    }
    hs_jsonx_set(object, "price_next_h", next);
}

/* --- how far its heat reaches --- */

/* Demand that one forecast in ten exceeds, as the loop's heat meets it, W; NAN while unknown. */
static double get_p90_w(const struct hs_cycle *cycle, size_t sink_idx, size_t t)
{
    const struct hs_sink *sink = &cycle->estate->sinks[sink_idx];
    struct hs_sink_lift lift =
        hs_sink_get_lift(sink, cycle->estate->loops[sink->loop_idx].supply_c);
    size_t n = cycle->n_slots + HS_CYCLE_FORECAST_SLOTS;
    int64_t made_at_s = cycle->forecast_made_at_s[sink_idx];
    int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;
    double demand_w = NAN;

    if (cycle->known_demand_w[sink_idx] != NULL) {
        demand_w = hs_series_get_held(cycle->known_demand_w[sink_idx], at_s);
    } else if (cycle->has_history[sink_idx] && made_at_s != INT64_MIN && at_s >= made_at_s) {
        size_t made = (size_t)((at_s - made_at_s) / cycle->estate->slot_s);

        demand_w = made < n ? cycle->forecast_p90_w[sink_idx * n + made] : (double)NAN;
    }
    return isnan(demand_w)
               ? demand_w
               : fmin(demand_w * lift.demand_ratio * lift.heat_ratio, sink->heat_limit_w);
}

/* What is left of slot @t, s. */
static double get_span_s(const struct hs_cycle *cycle, size_t t, int64_t now_at_s)
{
    int64_t end_at_s = cycle->plan_from_at_s + (int64_t)(t + 1) * cycle->estate->slot_s;

    return fmin(fmax((double)(end_at_s - now_at_s), 0.0), (double)cycle->estate->slot_s);
}

static void set_ride(const struct hs_cycle *cycle, size_t loop_idx, size_t first, double first_s,
                     json_t *object)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const double *demand_w = &plan->demand_heat_w[loop_idx * cycle->n_slots];
    double slot_s = (double)cycle->estate->slot_s;
    double tank_wh = hs_estimator_get_tank_wh(cycle->estimator, loop_idx);
    size_t n = cycle->n_slots - first;
    double horizon_s = first_s + (double)(n - 1) * slot_s;
    double p90_w[HS_PLAN_SLOTS_MAX];
    double ride_s = NAN;
    double p90_s = NAN;
    bool is_p90_known = true;

    for (size_t t = first; t < cycle->n_slots; t++) {
        double sum_w = 0.0;

        for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
            sum_w += get_p90_w(cycle, k, t);
        }
        is_p90_known = is_p90_known && !isnan(sum_w);
        p90_w[t - first] = fmax(sum_w, demand_w[t]);
    }
    if (cycle->loops[loop_idx].has_credit && !(loop->tank.present && isnan(tank_wh))) {
        ride_s = hs_reach_get_ride_s(&loop->tank, tank_wh, first_s, slot_s, &demand_w[first], n);
        p90_s = is_p90_known ? hs_reach_get_ride_s(&loop->tank, tank_wh, first_s, slot_s, p90_w, n)
                             : (double)NAN;
    }
    hs_jsonx_set_real(object, "ride_through_s", fmin(ride_s, isnan(ride_s) ? ride_s : horizon_s));
    hs_jsonx_set_bool(object, "ride_through_is_least", isinf(ride_s));
    hs_jsonx_set_real(object, "ride_through_p90_s", fmin(p90_s, isnan(p90_s) ? p90_s : horizon_s));
    hs_jsonx_set_bool(object, "ride_through_p90_is_least", isinf(p90_s));
}

/* When the tank is to be full, and when empty, as planned. */
static void set_full_empty(const struct hs_cycle *cycle, size_t loop_idx, size_t first,
                           int64_t now_at_s, json_t *object)
{
    const struct hs_tank *tank = &cycle->estate->loops[loop_idx].tank;
    const double *tank_wh = &hs_place_get_plan(cycle->place)->tank_wh[loop_idx * cycle->n_slots];
    double max_wh = tank->present ? hs_tank_max_wh(tank) : 0.0;
    double full_s = NAN;
    double empty_s = NAN;

    for (size_t t = first; max_wh > 0 && t < cycle->n_slots; t++) {
        int64_t end_at_s = cycle->plan_from_at_s + (int64_t)(t + 1) * cycle->estate->slot_s;

        if (isnan(full_s) && tank_wh[t] >= FULL_RATIO * max_wh) {
            full_s = (double)(end_at_s - now_at_s);
        }
        if (isnan(empty_s) && tank_wh[t] <= (1.0 - FULL_RATIO) * max_wh) {
            empty_s = (double)(end_at_s - now_at_s);
        }
    }
    hs_jsonx_set_real(object, "full_in_s", full_s);
    hs_jsonx_set_real(object, "empty_in_s", empty_s);
}

/* Heat captured for each W of IT load that is added somewhere in the loop. */
static double get_capture_ratio(const struct hs_cycle *cycle, size_t loop_idx)
{
    double elec_w = 0.0;
    double heat_w = 0.0;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (host->loop_idx == loop_idx) {
            elec_w += host->max_w - host->idle_w;
            heat_w +=
                (host->max_w - host->idle_w) * cycle->estate->racks[host->rack_idx].capture_ratio;
        }
    }
    return elec_w > 0 ? heat_w / elec_w : (double)NAN;
}

/* IT load that the rack could still take in slot @t: its hosts' free vCPUs, within its limit. */
static double get_rack_free_w(const struct hs_cycle *cycle, size_t rack_idx, size_t t)
{
    const struct hs_rack *rack = &cycle->estate->racks[rack_idx];
    const struct hs_fit *fit = hs_place_ask_get_fit(cycle->place);
    double free_w = 0.0;

    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        double vcpus = (double)hs_fit_get_vcpus(fit, h, t);

        if (cycle->hosts[h].is_up && vcpus > 0) {
            free_w += vcpus * hs_host_elec_w_per_vcpu(&cycle->estate->hosts[h]);
        }
    }
    return fmax(0.0, fmin(free_w, 1e-3 * (double)hs_fit_get_rack_mw(fit, rack_idx, t)));
}

/* The same of the whole loop, within its site's limit, least of @n slots. */
static double get_free_w(const struct hs_cycle *cycle, size_t loop_idx, size_t first, size_t n)
{
    const struct hs_fit *fit = hs_place_ask_get_fit(cycle->place);
    double least_w = INFINITY;

    for (size_t t = first; t < first + n && t < cycle->n_slots; t++) {
        double site_w =
            1e-3 * (double)hs_fit_get_site_mw(fit, cycle->estate->loops[loop_idx].site_idx, t);
        double free_w = 0.0;

        for (size_t r = 0; r < cycle->estate->n_racks; r++) {
            free_w +=
                cycle->estate->racks[r].loop_idx == loop_idx ? get_rack_free_w(cycle, r, t) : 0.0;
        }
        least_w = fmin(least_w, fmax(0.0, fmin(free_w, site_w)));
    }
    return least_w;
}

static void fill_course(const struct hs_cycle *cycle, size_t loop_idx, double *ret_unserved_wh,
                        double *ret_rejected_wh, struct hs_reach_course *ret_course)
{
    const struct hs_tank *tank = &cycle->estate->loops[loop_idx].tank;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_thermal *thermal = hs_place_ask_get_thermal(cycle->place, loop_idx);

    for (size_t t = 0; t < cycle->n_slots; t++) {
        ret_unserved_wh[t] = hs_thermal_get_unserved_wh(thermal, t);
        ret_rejected_wh[t] = hs_thermal_get_rejected_wh(thermal, t);
    }
    *ret_course = (struct hs_reach_course){
        .tank_max_wh = tank->present ? hs_tank_max_wh(tank) : 0.0,
        .charge_limit_w = tank->present ? tank->charge_limit_w : (double)INFINITY,
        .first_s = (double)cycle->estate->slot_s * hs_cycle_get_slot_share(cycle, 0),
        .slot_s = (double)cycle->estate->slot_s,
        .n_slots = cycle->n_slots,
        .tank_wh = &plan->tank_wh[loop_idx * cycle->n_slots],
        .unserved_wh = ret_unserved_wh,
        .rejected_wh = ret_rejected_wh,
    };
}

static double get_mean(const double *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

/* Hour by hour to the plan's end: worth of heat, and what more heat and load there is room for. */
static void set_hours(const struct hs_cycle *cycle, size_t loop_idx, size_t first, json_t *object)
{
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const double *heat = &plan->heat_cur_per_mwh[loop_idx * cycle->n_slots];
    const double *demand_w = &plan->demand_heat_w[loop_idx * cycle->n_slots];
    size_t per_h = (size_t)fmax(1.0, HS_S_PER_H / (double)cycle->estate->slot_s);
    double capture_ratio = get_capture_ratio(cycle, loop_idx);
    double unserved_wh[HS_PLAN_SLOTS_MAX];
    double rejected_wh[HS_PLAN_SLOTS_MAX];
    struct hs_reach_course course;
    json_t *hours = hs_jsonx_array();

    fill_course(cycle, loop_idx, unserved_wh, rejected_wh, &course);
    for (size_t t = first; t < cycle->n_slots; t += per_h) {
        size_t n = cycle->n_slots - t < per_h ? cycle->n_slots - t : per_h;
        double headroom_w = cycle->loops[loop_idx].has_credit && capture_ratio > 0
                                ? hs_reach_get_headroom_w(&course, t, n) / capture_ratio
                                : (double)NAN;
        double free_w = get_free_w(cycle, loop_idx, t, n);
        json_t *hour = hs_jsonx_object();

        hs_jsonx_set_at(hour, "at", plan->from_at_s + (int64_t)t * plan->slot_s);
        hs_jsonx_set_real(hour, "heat_price_cur_per_mwh", get_mean(&heat[t], n));
        hs_jsonx_set_real(hour, "demand_heat_w", get_mean(&demand_w[t], n));
        hs_jsonx_set_real(hour, "tank_wh", course.tank_wh[t + n - 1]);
        hs_jsonx_set_real(hour, "headroom_it_w", headroom_w);
        hs_jsonx_set_real(hour, "free_it_w", free_w);
        hs_jsonx_add(hours, hour);
        if (t == first) {
            hs_jsonx_set_real(object, "headroom_it_w", headroom_w);
            hs_jsonx_set_real(object, "free_it_w", free_w);
        }
    }
    hs_jsonx_set(object, "hours", hours);
}

void hs_cycle_set_reach(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                        json_t *object)
{
    if (!cycle->has_plan) {
        return;
    }
    size_t first = hs_cycle_get_slot(cycle, now_at_s);

    set_ride(cycle, loop_idx, first, get_span_s(cycle, first, now_at_s), object);
    set_full_empty(cycle, loop_idx, first, now_at_s, object);
    set_hours(cycle, loop_idx, first, object);
}

/* --- the loop --- */

json_t *hs_cycle_format_loop(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_cycle_loop *state = &cycle->loops[loop_idx];
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    json_t *object = hs_jsonx_object();
    double tank_wh = hs_estimator_get_tank_wh(cycle->estimator, loop_idx);
    double tank_max_wh = hs_tank_max_wh(&loop->tank);

    hs_jsonx_set_text(object, "name", loop->path);
    hs_jsonx_set_text(object, "state", hs_loopstate_word(state->state.kind));
    hs_jsonx_set_at(object, "since", state->state.since_at_s);
    hs_jsonx_set_text(object, "cause", state->state.cause);
    hs_jsonx_set_bool(object, "rejection_wanted", hs_loopstate_wants_rejection(&state->state));
    hs_jsonx_set_bool(object, "compute_down", state->is_dark);
    hs_jsonx_set(object, "heat_offer_w", format_offer(cycle, loop_idx, now_at_s));
    hs_jsonx_set(object, "interlocks", format_interlocks(cycle, loop_idx));
    hs_jsonx_set_real(object, "cap_elec_w",
                      state->zone.is_capped ? fmax(0.0, state->zone.cap_w) : NAN);
    hs_jsonx_set_real(object, "hottest_c",
                      hs_estimator_get_hottest_c(cycle->estimator, loop_idx, now_at_s));
    hs_jsonx_set_real(object, "over_c", hs_heatloop_get_over_c(loop));
    hs_jsonx_set_real(object, "demand_heat_w",
                      hs_estimator_get_demand_w(cycle->estimator, loop_idx));
    hs_jsonx_set_real(object, "captured_heat_w", seen->captured_w);
    hs_jsonx_set_real(object, "tank_c", seen->tank_c.value);
    hs_jsonx_set_real(object, "tank_wh", tank_wh);
    hs_jsonx_set_real(object, "tank_max_wh", loop->tank.present ? tank_max_wh : NAN);
    hs_jsonx_set_real(object, "tank_ratio", tank_max_wh > 0 ? tank_wh / tank_max_wh : NAN);
    hs_jsonx_set_real(object, "rejected_heat_w", seen->rejected_w.value);
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    hs_cycle_hygiene_format(cycle, loop_idx, object);
    set_loop_prices(cycle, loop_idx, now_at_s, object);
    hs_cycle_set_reach(cycle, loop_idx, now_at_s, object);
    hs_jsonx_set(object, "balance", hs_cycle_format_balance(cycle, loop_idx));
    hs_jsonx_set(object, "readings", format_readings(cycle, loop_idx));
    return object;
}
