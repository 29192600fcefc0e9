/* SPDX-License-Identifier: Apache-2.0 */
/* estimator - see estimator.h. */
#include "scheduler/core/estimator.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

struct hs_estimator *hs_estimator_new(const struct hs_estate *estate, int64_t now_at_s)
{
    struct hs_estimator *est = hs_xcalloc(1, sizeof(*est));
    const struct hs_estimator_value unknown = {.value = NAN, .quality = HS_QUALITY_UNKNOWN};

    est->estate = estate;
    est->start_at_s = now_at_s;
    est->slot_at_s = now_at_s - now_at_s % estate->slot_s;
    est->sites = hs_xcalloc(estate->n_sites, sizeof(*est->sites));
    est->sinks = hs_xcalloc(estate->n_sinks, sizeof(*est->sinks));
    est->loops = hs_xcalloc(estate->n_loops, sizeof(*est->loops));
    est->rack_elec_w = hs_xcalloc(estate->n_racks, sizeof(*est->rack_elec_w));
    est->rack_inlet_c = hs_xcalloc(estate->n_racks, sizeof(*est->rack_inlet_c));
    for (size_t s = 0; s < estate->n_sites; s++) {
        for (size_t i = 0; i < HS_ESTIMATOR_N_AIR; i++) {
            est->sites[s].air[i] = unknown;
        }
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        est->rack_elec_w[r] = unknown;
        est->rack_inlet_c[r] = unknown;
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        est->sinks[k].demand_w = unknown;
        est->sinks[k].useful_wh = unknown;
        est->sinks[k].part.ok = unknown;
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        est->loops[l].tank_c = unknown;
        est->loops[l].captured_wh = unknown;
        est->loops[l].rejected_w = unknown;
        est->loops[l].supply_c = unknown;
        est->loops[l].return_c = unknown;
        est->loops[l].flow_l_per_min = unknown;
        est->loops[l].leak = unknown;
        est->loops[l].emergency = unknown;
        est->loops[l].pump.ok = unknown;
        est->loops[l].sinks.ok = unknown;
        est->loops[l].first_tank_wh = NAN;
        est->loops[l].captured_w = NAN;
        hs_tankloss_init(&est->loops[l].tank_loss);
    }
    return est;
}

void hs_estimator_free(struct hs_estimator *est)
{
    if (est == NULL) {
        return;
    }
    free(est->rack_inlet_c);
    free(est->rack_elec_w);
    free(est->loops);
    free(est->sinks);
    free(est->sites);
    free(est);
}

/* --- integrals over time --- */

/* How much of [from, until) a value holds in the slot being metered: until it is too old. */
static double held_s(const struct hs_estimator *est, const struct hs_estimator_value *value,
                     int64_t hold_s, int64_t from_at_s, int64_t until_at_s)
{
    int64_t slot_end_at_s = est->slot_at_s + est->estate->slot_s;
    int64_t known_until_at_s = value->at_s + hold_s;
    int64_t to_at_s = until_at_s < slot_end_at_s ? until_at_s : slot_end_at_s;

    from_at_s = from_at_s > est->slot_at_s ? from_at_s : est->slot_at_s;
    to_at_s = to_at_s < known_until_at_s ? to_at_s : known_until_at_s;
    return isnan(value->value) || to_at_s <= from_at_s ? 0.0 : (double)(to_at_s - from_at_s);
}

/* Demand as last known goes on until @until_at_s. */
static void run_demand(const struct hs_estimator *est, struct hs_estimator_sink *sink,
                       int64_t until_at_s)
{
    const struct hs_estimator_value *value = &sink->demand_w;
    double span_s =
        held_s(est, value, HS_ESTIMATOR_FRESH_SLOTS * est->estate->slot_s, value->at_s, until_at_s);

    if (span_s > 0) {
        sink->slot_wh += hs_wh_from_w(value->value, span_s);
        sink->slot_known_s += span_s;
    }
}

/* The air outside stays as last known until @until_at_s. */
static void run_air(const struct hs_estimator *est, struct hs_estimator_site *site, size_t i,
                    int64_t until_at_s)
{
    const struct hs_estimator_value *value = &site->air[i];
    double span_s = held_s(est, value, HS_ESTIMATOR_WEATHER_S, value->at_s, until_at_s);

    if (span_s > 0) {
        site->slot_sum[i] += value->value * span_s;
        site->slot_known_s[i] += span_s;
    }
}

static void keep(struct hs_estimator_value *value, const struct hs_reading *reading)
{
    value->quality = reading->quality;
    if (reading->quality != HS_QUALITY_GOOD && reading->quality != HS_QUALITY_SUBSTITUTED) {
        value->n_bad++;
        return;
    }
    value->value = reading->value;
    value->at_s = reading->taken_at_s;
    value->received_at_s = reading->received_at_s;
    value->n_bad = 0;
}

static bool is_usable(const struct hs_estimator_value *value, const struct hs_reading *reading)
{
    return (reading->quality == HS_QUALITY_GOOD || reading->quality == HS_QUALITY_SUBSTITUTED)
           && (isnan(value->value) || reading->taken_at_s >= value->at_s);
}

static void add_part(struct hs_estimator_part *part, const struct hs_reading *reading)
{
    bool was_off = part->ok.value < 0.5;

    if (!is_usable(&part->ok, reading)) {
        part->ok.quality = reading->quality;
        part->ok.n_bad += reading->quality != HS_QUALITY_GOOD;
        return;
    }
    if (reading->value < 0.5 && !was_off) {
        /* one that bounces has been off all the time */
        bool bounced =
            part->off_at_s > 0 && reading->taken_at_s - part->back_at_s < HS_ESTIMATOR_BACK_S;

        part->off_at_s = bounced ? part->off_at_s : reading->taken_at_s;
    } else if (reading->value >= 0.5 && was_off) {
        part->back_at_s = reading->taken_at_s;
    }
    keep(&part->ok, reading);
}

/* Rise of a counter; a fall is a new meter and counts from zero. */
static double counter_rise(const struct hs_estimator_value *value, const struct hs_reading *reading)
{
    if (isnan(value->value)) {
        return 0.0;
    }
    return reading->value >= value->value ? reading->value - value->value : reading->value;
}

/** The sensor at @height_ratio, made if there is room for it; else the nearest one. */
static struct hs_estimator_sensor *open_sensor(struct hs_estimator_loop *loop, double height_ratio)
{
    struct hs_estimator_sensor *sensors = loop->sensors;
    size_t at = 0;

    while (at < loop->n_sensors && sensors[at].height_ratio > height_ratio) {
        at++;
    }
    if (at < loop->n_sensors && sensors[at].height_ratio == height_ratio) {
        return &sensors[at];
    }
    if (loop->n_sensors == HS_ESTIMATOR_SENSORS_MAX) {
        return &sensors[at < loop->n_sensors ? at : at - 1];
    }
    memmove(&sensors[at + 1], &sensors[at], (loop->n_sensors - at) * sizeof(*sensors));
    loop->n_sensors++;
    sensors[at] = (struct hs_estimator_sensor){
        .height_ratio = height_ratio,
        .value = {.value = NAN, .quality = HS_QUALITY_UNKNOWN},
    };
    return &sensors[at];
}

/*
 * Mean temperature of the tank at @at_s: each fresh sensor stands for the heights nearest to it.
 * A sensor that is bad or silent longer than that leaves its water to its neighbours.
 */
static double get_mean_c(const struct hs_estimator *est, const struct hs_estimator_loop *loop,
                         int64_t at_s)
{
    const struct hs_estimator_sensor *above = NULL;
    double upper_ratio = 1.0; /* what lies above is summed already */
    double sum_c = 0.0;

    for (size_t i = 0; i < loop->n_sensors; i++) {
        const struct hs_estimator_sensor *sensor = &loop->sensors[i];
        int64_t fresh_from_at_s = at_s - HS_ESTIMATOR_FRESH_SLOTS * est->estate->slot_s;

        if (isnan(sensor->value.value) || sensor->value.at_s < fresh_from_at_s) {
            continue;
        }
        if (above != NULL) {
            double border_ratio = 0.5 * (above->height_ratio + sensor->height_ratio);

            sum_c += (upper_ratio - border_ratio) * above->value.value;
            upper_ratio = border_ratio;
        }
        above = sensor;
    }
    return above != NULL ? sum_c + upper_ratio * above->value.value : NAN;
}

/*
 * What the tank holds beside what its meters say: a meter that is silent leaves the loss unknown.
 * Rejection without a meter counts as none: it begins at a full tank, which teaches nothing.
 */
static void learn_loss(struct hs_estimator *est, size_t loop_idx)
{
    const struct hs_heatloop *heatloop = &est->estate->loops[loop_idx];
    struct hs_estimator_loop *loop = &est->loops[loop_idx];
    struct hs_tankloss_sample sample = {
        .at_s = loop->tank_c.at_s,
        .tank_c = loop->tank_c.value,
        .in_wh = isnan(loop->captured_wh.value) ? (double)NAN : loop->metered_captured_wh,
        .out_wh = loop->rejected_wh,
    };

    for (size_t k = 0; k < heatloop->n_sinks; k++) {
        const struct hs_estimator_sink *sink = &est->sinks[heatloop->first_sink_idx + k];

        sample.out_wh += isnan(sink->useful_wh.value) ? (double)NAN : sink->metered_useful_wh;
    }
    hs_tankloss_add(&loop->tank_loss, &heatloop->tank, &sample);
}

/* The tank's mean was @mean_c at @reading's time. */
static void add_mean(struct hs_estimator *est, size_t loop_idx, const struct hs_reading *reading,
                     double mean_c)
{
    const struct hs_tank *tank = &est->estate->loops[loop_idx].tank;
    struct hs_estimator_loop *loop = &est->loops[loop_idx];
    struct hs_reading mean = *reading;

    if (!isnan(loop->tank_c.value)) {
        double middle_c = 0.5 * (loop->tank_c.value + mean_c);
        double stored_wh = hs_tank_wh_from_c(tank, middle_c);
        double span_s = (double)(reading->taken_at_s - loop->tank_c.at_s);
        double loss_wh = hs_wh_from_w(tank->loss_w_per_k * (middle_c - tank->ambient_c), span_s);

        /* A tank at min_c has no usable energy left to lose. */
        loop->lost_wh += fmax(0.0, fmin(loss_wh, stored_wh));
    }
    mean.value = mean_c;
    keep(&loop->tank_c, &mean);
    /* The sensors of one instant come one after the other. */
    if (isnan(loop->first_tank_wh) || loop->first_tank_at_s == reading->taken_at_s) {
        loop->first_tank_wh = hs_tank_wh_from_c(tank, mean_c);
        loop->first_tank_at_s = reading->taken_at_s;
    }
    learn_loss(est, loop_idx);
}

/* A tank is as bad as its best sensor: while one speaks, the tank is known. */
static void note_bad_tank(struct hs_estimator_loop *loop, enum hs_quality quality)
{
    unsigned least = UINT_MAX;

    for (size_t i = 0; i < loop->n_sensors; i++) {
        least = loop->sensors[i].value.n_bad < least ? loop->sensors[i].value.n_bad : least;
    }
    loop->tank_c.n_bad = least;
    if (least > 0) {
        loop->tank_c.quality = quality;
    }
}

static void add_tank(struct hs_estimator *est, size_t loop_idx, const struct hs_reading *reading)
{
    struct hs_estimator_loop *loop = &est->loops[loop_idx];
    struct hs_estimator_value *value = &open_sensor(loop, reading->point.height_ratio)->value;

    if (!is_usable(value, reading)) {
        value->quality = reading->quality;
        value->n_bad += reading->quality != HS_QUALITY_GOOD;
        note_bad_tank(loop, reading->quality);
        return;
    }
    keep(value, reading);
    /* One from before the newest mean is taken in with the next. */
    if (isnan(loop->tank_c.value) || reading->taken_at_s >= loop->tank_c.at_s) {
        add_mean(est, loop_idx, reading, get_mean_c(est, loop, reading->taken_at_s));
    }
}

static void add_captured(struct hs_estimator_loop *loop, const struct hs_reading *reading)
{
    double rise_wh = counter_rise(&loop->captured_wh, reading);
    double span_s = (double)(reading->taken_at_s - loop->captured_wh.at_s);

    if (!isnan(loop->captured_wh.value) && span_s > 0) {
        loop->captured_w = hs_w_from_wh(rise_wh, span_s);
    }
    loop->metered_captured_wh += rise_wh;
    keep(&loop->captured_wh, reading);
}

static void add_sink(struct hs_estimator *est, const struct hs_reading *reading)
{
    struct hs_estimator_sink *sink = &est->sinks[reading->point.thing_idx];

    if (reading->point.kind == HS_POINT_USEFUL_HEAT_WH) {
        if (is_usable(&sink->useful_wh, reading)) {
            sink->metered_useful_wh += counter_rise(&sink->useful_wh, reading);
        }
        keep(&sink->useful_wh, reading);
        return;
    }
    if (is_usable(&sink->demand_w, reading)) {
        if (!isnan(sink->demand_w.value)) {
            double span_s = (double)(reading->taken_at_s - sink->demand_w.at_s);

            sink->demand_wh += hs_wh_from_w(sink->demand_w.value, span_s);
            run_demand(est, sink, reading->taken_at_s);
        }
        keep(&sink->demand_w, reading);
        return;
    }
    sink->demand_w.quality = reading->quality;
    sink->demand_w.n_bad += reading->quality != HS_QUALITY_GOOD;
}

static void add_air(struct hs_estimator *est, enum hs_estimator_air i,
                    const struct hs_reading *reading)
{
    struct hs_estimator_site *site = &est->sites[reading->point.thing_idx];

    if (is_usable(&site->air[i], reading)) {
        run_air(est, site, i, reading->taken_at_s);
        keep(&site->air[i], reading);
        return;
    }
    site->air[i].quality = reading->quality;
    site->air[i].n_bad += reading->quality != HS_QUALITY_GOOD;
}

static void add_rejected(struct hs_estimator_loop *loop, const struct hs_reading *reading)
{
    /* A reading is the mean since the last one. */
    if (!isnan(loop->rejected_w.value)) {
        loop->rejected_wh +=
            hs_wh_from_w(reading->value, (double)(reading->taken_at_s - loop->rejected_w.at_s));
    }
    keep(&loop->rejected_w, reading);
}

/* One of which nothing but the last good value matters. */
static void add_plain(struct hs_estimator_value *value, const struct hs_reading *reading)
{
    if (is_usable(value, reading)) {
        keep(value, reading);
        return;
    }
    value->quality = reading->quality;
    value->n_bad += reading->quality != HS_QUALITY_GOOD;
}

static void add_loop(struct hs_estimator *est, const struct hs_reading *reading)
{
    struct hs_estimator_loop *loop = &est->loops[reading->point.thing_idx];
    struct hs_estimator_value *value =
        reading->point.kind == HS_POINT_CAPTURED_HEAT_WH ? &loop->captured_wh : &loop->rejected_w;

    if (reading->point.kind == HS_POINT_TANK_C) {
        add_tank(est, reading->point.thing_idx, reading);
    } else if (!is_usable(value, reading)) {
        add_plain(value, reading);
    } else if (value == &loop->captured_wh) {
        add_captured(loop, reading);
    } else {
        add_rejected(loop, reading);
    }
}

void hs_estimator_add(struct hs_estimator *est, const struct hs_reading *reading)
{
    switch (reading->point.kind) {
    case HS_POINT_DEMAND_HEAT_W:
    case HS_POINT_USEFUL_HEAT_WH:
        add_sink(est, reading);
        return;
    case HS_POINT_TANK_C:
    case HS_POINT_CAPTURED_HEAT_WH:
    case HS_POINT_REJECTED_HEAT_W:
        add_loop(est, reading);
        return;
    case HS_POINT_RACK_ELEC_W:
        add_plain(&est->rack_elec_w[reading->point.thing_idx], reading);
        return;
    case HS_POINT_SUPPLY_C:
        add_plain(&est->loops[reading->point.thing_idx].supply_c, reading);
        return;
    case HS_POINT_RETURN_C:
        add_plain(&est->loops[reading->point.thing_idx].return_c, reading);
        return;
    case HS_POINT_FLOW_L_PER_MIN:
        add_plain(&est->loops[reading->point.thing_idx].flow_l_per_min, reading);
        return;
    case HS_POINT_EMERGENCY:
        add_plain(&est->loops[reading->point.thing_idx].emergency, reading);
        return;
    case HS_POINT_LEAK:
        add_plain(&est->loops[reading->point.thing_idx].leak, reading);
        return;
    case HS_POINT_RACK_INLET_C:
        add_plain(&est->rack_inlet_c[reading->point.thing_idx], reading);
        return;
    case HS_POINT_PUMP_OK:
        add_part(&est->loops[reading->point.thing_idx].pump, reading);
        return;
    case HS_POINT_SINKS_OK:
        add_part(&est->loops[reading->point.thing_idx].sinks, reading);
        return;
    case HS_POINT_SINK_OK:
        add_part(&est->sinks[reading->point.thing_idx].part, reading);
        return;
    case HS_POINT_OUTDOOR_C:
        add_air(est, HS_ESTIMATOR_AIR_C, reading);
        return;
    case HS_POINT_OUTDOOR_GHI_W_PER_M2:
        add_air(est, HS_ESTIMATOR_AIR_GHI_W_PER_M2, reading);
        return;
    case HS_POINT_OUTDOOR_WIND_M_PER_S:
        add_air(est, HS_ESTIMATOR_AIR_WIND_M_PER_S, reading);
        return;
    default:
        return; /* seen, nothing here needs it */
    }
}

static double close_air(const struct hs_estimator *est, struct hs_estimator_site *site, size_t i)
{
    run_air(est, site, i, est->slot_at_s + est->estate->slot_s);
    double mean = site->slot_known_s[i] > 0 ? site->slot_sum[i] / site->slot_known_s[i] : NAN;

    site->slot_sum[i] = 0.0;
    site->slot_known_s[i] = 0.0;
    return mean;
}

static double close_demand(const struct hs_estimator *est, struct hs_estimator_sink *sink)
{
    int64_t slot_s = est->estate->slot_s;

    run_demand(est, sink, est->slot_at_s + slot_s);
    double mean_w = sink->slot_known_s * 2 >= (double)slot_s
                        ? hs_w_from_wh(sink->slot_wh, sink->slot_known_s)
                        : NAN;

    sink->slot_wh = 0.0;
    sink->slot_known_s = 0.0;
    return mean_w;
}

void hs_estimator_close(struct hs_estimator *est, int64_t now_at_s, hs_estimator_slot_fn *closed,
                        void *arg)
{
    const struct hs_estate *estate = est->estate;

    for (; est->slot_at_s + estate->slot_s <= now_at_s; est->slot_at_s += estate->slot_s) {
        for (size_t s = 0; s < estate->n_sites; s++) {
            struct hs_weather weather = {
                .t_out_c = close_air(est, &est->sites[s], HS_ESTIMATOR_AIR_C),
                .ghi_w_per_m2 = close_air(est, &est->sites[s], HS_ESTIMATOR_AIR_GHI_W_PER_M2),
                .wind_m_per_s = close_air(est, &est->sites[s], HS_ESTIMATOR_AIR_WIND_M_PER_S),
            };

            for (size_t k = 0; k < estate->n_sinks; k++) {
                if (estate->loops[estate->sinks[k].loop_idx].site_idx == s) {
                    closed(arg, k, est->slot_at_s, close_demand(est, &est->sinks[k]), &weather);
                }
            }
        }
    }
}
