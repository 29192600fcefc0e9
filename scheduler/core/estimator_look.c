/* SPDX-License-Identifier: Apache-2.0 */
/* estimator_look - what is known, for those who decide; see estimator.h. */
#include <math.h>

#include "scheduler/core/estimator.h"

static const struct hs_estimator_value *find_sensor(const struct hs_estimator_loop *loop,
                                                    double height_ratio)
{
    for (size_t i = 0; i < loop->n_sensors; i++) {
        if (loop->sensors[i].height_ratio == height_ratio) {
            return &loop->sensors[i].value;
        }
    }
    return NULL;
}

const struct hs_estimator_value *hs_estimator_find_value(const struct hs_estimator *est,
                                                         const struct hs_point *point)
{
    switch (point->kind) {
    case HS_POINT_DEMAND_HEAT_W:
        return &est->sinks[point->thing_idx].demand_w;
    case HS_POINT_USEFUL_HEAT_WH:
        return &est->sinks[point->thing_idx].useful_wh;
    case HS_POINT_TANK_C:
        return find_sensor(&est->loops[point->thing_idx], point->height_ratio);
    case HS_POINT_SUPPLY_C:
        return &est->loops[point->thing_idx].supply_c;
    case HS_POINT_RETURN_C:
        return &est->loops[point->thing_idx].return_c;
    case HS_POINT_CAPTURED_HEAT_WH:
        return &est->loops[point->thing_idx].captured_wh;
    case HS_POINT_REJECTED_HEAT_W:
        return &est->loops[point->thing_idx].rejected_w;
    case HS_POINT_RACK_ELEC_W:
        return &est->rack_elec_w[point->thing_idx];
    case HS_POINT_FLOW_L_PER_MIN:
        return &est->loops[point->thing_idx].flow_l_per_min;
    case HS_POINT_EMERGENCY:
        return &est->loops[point->thing_idx].emergency;
    case HS_POINT_LEAK:
        return &est->loops[point->thing_idx].leak;
    case HS_POINT_RACK_INLET_C:
        return &est->rack_inlet_c[point->thing_idx];
    case HS_POINT_PUMP_OK:
        return &est->loops[point->thing_idx].pump.ok;
    case HS_POINT_SINKS_OK:
        return &est->loops[point->thing_idx].sinks.ok;
    case HS_POINT_SINK_OK:
        return &est->sinks[point->thing_idx].part.ok;
    case HS_POINT_OUTDOOR_C:
        return &est->sites[point->thing_idx].air[HS_ESTIMATOR_AIR_C];
    case HS_POINT_OUTDOOR_GHI_W_PER_M2:
        return &est->sites[point->thing_idx].air[HS_ESTIMATOR_AIR_GHI_W_PER_M2];
    case HS_POINT_OUTDOOR_WIND_M_PER_S:
        return &est->sites[point->thing_idx].air[HS_ESTIMATOR_AIR_WIND_M_PER_S];
    default:
        return NULL;
    }
}

double hs_estimator_get_rack_elec_w(const struct hs_estimator *est, size_t rack_idx,
                                    int64_t now_at_s)
{
    const struct hs_estimator_value *value = &est->rack_elec_w[rack_idx];
    int64_t fresh_s = HS_ESTIMATOR_FRESH_SLOTS * est->estate->slot_s;

    return now_at_s - value->at_s <= fresh_s ? value->value : (double)NAN;
}

double hs_estimator_get_tank_wh(const struct hs_estimator *est, size_t loop_idx)
{
    double tank_c = est->loops[loop_idx].tank_c.value;

    return isnan(tank_c) ? NAN : hs_tank_wh_from_c(&est->estate->loops[loop_idx].tank, tank_c);
}

double hs_estimator_get_demand_w(const struct hs_estimator *est, size_t loop_idx)
{
    const struct hs_heatloop *loop = &est->estate->loops[loop_idx];
    double sum_w = 0.0;

    for (size_t k = 0; k < loop->n_sinks; k++) {
        sum_w += est->sinks[loop->first_sink_idx + k].demand_w.value;
    }
    return sum_w;
}

static double silence_s(const struct hs_estimator *est, const struct hs_estimator_value *value,
                        int64_t now_at_s)
{
    int64_t last_at_s = isnan(value->value) ? est->start_at_s : value->at_s;

    return fmax(0.0, (double)(now_at_s - last_at_s));
}

double hs_estimator_get_silent_s(const struct hs_estimator *est, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_heatloop *loop = &est->estate->loops[loop_idx];
    double longest_s =
        loop->tank.present ? silence_s(est, &est->loops[loop_idx].tank_c, now_at_s) : 0.0;

    for (size_t k = 0; k < loop->n_sinks; k++) {
        longest_s = fmax(longest_s,
                         silence_s(est, &est->sinks[loop->first_sink_idx + k].demand_w, now_at_s));
    }
    return longest_s;
}

#define N_PARTS 3

/* What speaks for the sink: itself, its loop's pump, its loop. */
static void fill_parts(const struct hs_estimator *est, size_t sink_idx,
                       const struct hs_estimator_part **ret_parts)
{
    const struct hs_estimator_loop *loop = &est->loops[est->estate->sinks[sink_idx].loop_idx];

    ret_parts[0] = &est->sinks[sink_idx].part;
    ret_parts[1] = &loop->pump;
    ret_parts[2] = &loop->sinks;
}

static bool says_off(const struct hs_estimator_part *part, int64_t now_at_s)
{
    return part->ok.value < 0.5 && now_at_s - part->ok.at_s <= HS_ESTIMATOR_MUTE_S;
}

bool hs_estimator_says_off(const struct hs_estimator *est, size_t sink_idx, int64_t now_at_s)
{
    const struct hs_estimator_part *parts[N_PARTS];
    bool is_off = false;

    fill_parts(est, sink_idx, parts);
    for (size_t i = 0; i < N_PARTS; i++) {
        is_off |= says_off(parts[i], now_at_s);
    }
    return is_off;
}

double hs_estimator_get_off_s(const struct hs_estimator *est, size_t sink_idx, int64_t now_at_s)
{
    const struct hs_estimator_part *parts[N_PARTS];
    double off_s = -1.0;

    fill_parts(est, sink_idx, parts);
    for (size_t i = 0; i < N_PARTS; i++) {
        bool is_back = parts[i]->ok.value >= 0.5 && parts[i]->back_at_s > 0
                       && now_at_s - parts[i]->back_at_s < HS_ESTIMATOR_BACK_S;

        if (is_back || says_off(parts[i], now_at_s)) {
            off_s = fmax(off_s, (double)(now_at_s - parts[i]->off_at_s));
        }
    }
    return off_s;
}

unsigned hs_estimator_get_n_bad(const struct hs_estimator *est, size_t loop_idx)
{
    const struct hs_heatloop *loop = &est->estate->loops[loop_idx];
    unsigned most = loop->tank.present ? est->loops[loop_idx].tank_c.n_bad : 0;

    for (size_t k = 0; k < loop->n_sinks; k++) {
        unsigned n_bad = est->sinks[loop->first_sink_idx + k].demand_w.n_bad;

        most = n_bad > most ? n_bad : most;
    }
    return most;
}

/* @hottest_c or, if that is higher or there is none yet, a thermometer that spoke lately. */
static double take_hotter(const struct hs_estimator *est, const struct hs_estimator_value *value,
                          int64_t now_at_s, double hottest_c)
{
    bool is_fresh = now_at_s - value->at_s <= HS_ESTIMATOR_FRESH_SLOTS * est->estate->slot_s;

    return !isnan(value->value) && is_fresh ? fmax(hottest_c, value->value) : hottest_c;
}

double hs_estimator_get_hottest_c(const struct hs_estimator *est, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_estimator_loop *loop = &est->loops[loop_idx];
    double hottest_c = take_hotter(est, &loop->supply_c, now_at_s, NAN);

    hottest_c = take_hotter(est, &loop->return_c, now_at_s, hottest_c);
    for (size_t i = 0; i < loop->n_sensors; i++) {
        hottest_c = take_hotter(est, &loop->sensors[i].value, now_at_s, hottest_c);
    }
    return hottest_c;
}

static double take_younger(const struct hs_estimator_value *value, int64_t now_at_s, double mute_s)
{
    return isnan(value->value) ? mute_s : fmin(mute_s, (double)(now_at_s - value->at_s));
}

double hs_estimator_get_mute_s(const struct hs_estimator *est, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_estimator_loop *loop = &est->loops[loop_idx];
    double mute_s = take_younger(&loop->supply_c, now_at_s, INFINITY);

    mute_s = take_younger(&loop->return_c, now_at_s, mute_s);
    for (size_t i = 0; i < loop->n_sensors; i++) {
        mute_s = take_younger(&loop->sensors[i].value, now_at_s, mute_s);
    }
    return mute_s;
}

double hs_estimator_get_inlet_c(const struct hs_estimator *est, size_t rack_idx, int64_t now_at_s)
{
    return take_hotter(est, &est->rack_inlet_c[rack_idx], now_at_s, NAN);
}
