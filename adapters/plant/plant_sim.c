/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_sim - buildings with a demand from series, and what the racks' heat does to them.
 *
 * The balance is advanced to whole plan seconds, at every feed (the old power held until then)
 * and before every snapshot, so that all points of a snapshot are of one instant and a mean
 * since the last snapshot closes with the counters.
 */
#include <math.h>

#include "adapters/plant/plant.h"
#include "adapters/plant/plant_balance.h"
#include "adapters/plant/plant_capture.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define SIM_PERIOD_REAL_MIN_S 0.05
#define SIM_SPAN_MAX_S        900 /* the loss of a tank is linear over no more than a slot */

struct sim_loop {
    struct hs_plant_tank tank;
    double captured_heat_wh; /* counter */
    double rejected_wh;      /* since the last snapshot */
    double rejected_heat_w;  /* mean of the last period, said again if no time has passed */
};

struct plant_sim {
    struct hs_plant base;
    const struct hs_series *const *demand_heat_w; /* [n_sinks] kept */
    struct hs_timer *timer;
    double period_s; /* real s */
    int64_t at_s;    /* balanced up to here */
    int64_t snapshot_at_s;
    struct sim_loop *loops;  /* [n_loops] */
    double *useful_heat_wh;  /* [n_sinks] counters */
    double *worth;           /* [n_sinks] */
    double *rack_elec_w;     /* [n_racks] as last fed */
    double *rack_captured_w; /* [n_racks] what its cooling hands over; ramps */
    double *demand_w;        /* [n_sinks] scratch */
    double *useful_wh;       /* [n_sinks] scratch */
};

/** Heat that the loop's racks hand over in the span, Wh. */
static double capture(struct plant_sim *plant, size_t loop_idx, double span_s)
{
    const struct hs_estate *estate = plant->base.options.estate;
    double sum_wh = 0;

    for (size_t r = 0; r < estate->n_racks; r++) {
        if (estate->racks[r].loop_idx == loop_idx) {
            double heat_w = plant->rack_elec_w[r] * estate->racks[r].capture_ratio;

            sum_wh += hs_plant_capture_apply(&estate->racks[r], hs_wh_from_w(heat_w, span_s),
                                             span_s, &plant->rack_captured_w[r]);
        }
    }
    return sum_wh;
}

static void advance_loop(struct plant_sim *plant, size_t loop_idx, int64_t to_at_s)
{
    const struct hs_estate *estate = plant->base.options.estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    struct sim_loop *sim = &plant->loops[loop_idx];
    double span_s = (double)(to_at_s - plant->at_s);
    struct hs_plant_balance_input input = {
        .span_s = span_s,
        .captured_w = hs_w_from_wh(capture(plant, loop_idx, span_s), span_s),
        .sink_demand_w = plant->demand_w + loop->first_sink_idx,
        .sink_worth = plant->worth + loop->first_sink_idx,
    };
    struct hs_plant_balance balance;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_series *series = plant->demand_heat_w[k];
        double mean_w =
            series != NULL ? hs_series_get_mean(series, plant->at_s, to_at_s) : (double)NAN;

        plant->demand_w[k] = mean_w >= 0 ? mean_w : 0; /* a building without data wants nothing */
    }
    hs_plant_balance_apply(loop, estate->sinks + loop->first_sink_idx, &input, &sim->tank,
                           plant->useful_wh + loop->first_sink_idx, NULL, &balance);
    sim->captured_heat_wh += balance.captured_wh;
    sim->rejected_wh += balance.rejected_wh;
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        plant->useful_heat_wh[k] += plant->useful_wh[k];
    }
}

static void advance(struct plant_sim *plant, int64_t to_at_s)
{
    while (plant->at_s < to_at_s) {
        int64_t next_at_s = plant->at_s + SIM_SPAN_MAX_S;

        next_at_s = next_at_s < to_at_s ? next_at_s : to_at_s;
        for (size_t l = 0; l < plant->base.options.estate->n_loops; l++) {
            advance_loop(plant, l, next_at_s);
        }
        plant->at_s = next_at_s;
    }
}

static void speak(struct plant_sim *plant, struct hs_point point, double value)
{
    struct hs_reading reading = {
        .point = point,
        .value = value,
        .taken_at_s = plant->at_s,
        .received_at_s = plant->at_s,
    };

    hs_plant_deliver(&plant->base, &reading);
}

static void speak_loop(struct plant_sim *plant, size_t loop_idx)
{
    const struct hs_heatloop *loop = &plant->base.options.estate->loops[loop_idx];
    struct sim_loop *sim = &plant->loops[loop_idx];
    double span_s = (double)(plant->at_s - plant->snapshot_at_s);
    const double *height_ratio;
    size_t n_sensors = hs_plant_tank_get_sensors(&sim->tank, &height_ratio);

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_series *series = plant->demand_heat_w[k];
        double demand_w = series != NULL ? hs_series_get_held(series, plant->at_s) : (double)NAN;

        if (demand_w >= 0) {
            speak(plant, (struct hs_point){.kind = HS_POINT_DEMAND_HEAT_W, .thing_idx = k},
                  demand_w);
        }
        speak(plant, (struct hs_point){.kind = HS_POINT_USEFUL_HEAT_WH, .thing_idx = k},
              plant->useful_heat_wh[k]);
    }
    for (size_t i = 0; i < n_sensors; i++) {
        struct hs_point tank_point = {
            .kind = HS_POINT_TANK_C, .thing_idx = loop_idx, .height_ratio = height_ratio[i]};

        speak(plant, tank_point, hs_plant_tank_get_c(&loop->tank, &sim->tank, height_ratio[i]));
    }
    speak(plant, (struct hs_point){.kind = HS_POINT_CAPTURED_HEAT_WH, .thing_idx = loop_idx},
          sim->captured_heat_wh);
    if (span_s > 0) {
        sim->rejected_heat_w = hs_w_from_wh(sim->rejected_wh, span_s);
        sim->rejected_wh = 0;
    }
    speak(plant, (struct hs_point){.kind = HS_POINT_REJECTED_HEAT_W, .thing_idx = loop_idx},
          sim->rejected_heat_w);
}

static void sim_tick(void *arg)
{
    struct plant_sim *plant = arg;

    advance(plant, hs_clock_at_s(plant->base.options.clock));
    for (size_t l = 0; l < plant->base.options.estate->n_loops; l++) {
        speak_loop(plant, l);
    }
    plant->snapshot_at_s = plant->at_s;
    hs_executor_timer_set(plant->base.options.executor, plant->timer, plant->period_s);
}

static void sim_start(struct hs_plant *base)
{
    struct plant_sim *plant = (struct plant_sim *)base;

    plant->at_s = hs_clock_at_s(base->options.clock);
    plant->snapshot_at_s = plant->at_s;
    plant->timer = hs_executor_timer_add(base->options.executor, 0, sim_tick, plant);
}

static void sim_feed(struct hs_plant *base, const double *rack_elec_w, size_t n_racks)
{
    struct plant_sim *plant = (struct plant_sim *)base;

    if (plant->timer != NULL) {
        advance(plant, hs_clock_at_s(base->options.clock));
    }
    for (size_t r = 0; r < n_racks && r < base->options.estate->n_racks; r++) {
        plant->rack_elec_w[r] = rack_elec_w[r];
    }
}

static void sim_destroy(struct hs_plant *base)
{
    struct plant_sim *plant = (struct plant_sim *)base;

    hs_executor_timer_remove(base->options.executor, plant->timer);
    free(plant->useful_wh);
    free(plant->demand_w);
    free(plant->rack_captured_w);
    free(plant->rack_elec_w);
    free(plant->worth);
    free(plant->useful_heat_wh);
    free(plant->loops);
    free(plant);
}

static const struct hs_plant_ops plant_sim_ops = {
    .name = "sim",
    .summary = "simulated buildings and tanks, heated by the racks' simulated power",
    .start = sim_start,
    .feed = sim_feed,
    .destroy = sim_destroy,
};

/** What the racks draw with nothing but pinned work, until the owner feeds better. */
static void feed_base_load(struct plant_sim *plant)
{
    const struct hs_estate *estate = plant->base.options.estate;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        plant->rack_elec_w[host->rack_idx] += hs_host_elec_w(host, (double)host->pinned_vcpus);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        plant->rack_captured_w[r] = plant->rack_elec_w[r] * estate->racks[r].capture_ratio;
    }
}

struct hs_plant *hs_plant_sim_new(const struct hs_plant_options *options,
                                  const struct hs_series *const *demand_heat_w)
{
    const struct hs_estate *estate = options->estate;
    struct plant_sim *plant = hs_xcalloc(1, sizeof(*plant));

    plant->base.ops = &plant_sim_ops;
    plant->base.options = *options;
    plant->demand_heat_w = demand_heat_w;
    plant->period_s =
        fmax(options->period_plan_s / hs_clock_get_speed(options->clock), SIM_PERIOD_REAL_MIN_S);
    plant->loops = hs_xcalloc(estate->n_loops, sizeof(*plant->loops));
    plant->useful_heat_wh = hs_xcalloc(estate->n_sinks, sizeof(*plant->useful_heat_wh));
    plant->worth = hs_xcalloc(estate->n_sinks, sizeof(*plant->worth));
    plant->rack_elec_w = hs_xcalloc(estate->n_racks, sizeof(*plant->rack_elec_w));
    plant->rack_captured_w = hs_xcalloc(estate->n_racks, sizeof(*plant->rack_captured_w));
    plant->demand_w = hs_xcalloc(estate->n_sinks, sizeof(*plant->demand_w));
    plant->useful_wh = hs_xcalloc(estate->n_sinks, sizeof(*plant->useful_wh));
    for (size_t l = 0; l < estate->n_loops; l++) {
        const struct hs_tank *tank = &estate->loops[l].tank;

        hs_plant_tank_init(tank, hs_tank_max_wh(tank) / 2, &plant->loops[l].tank);
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        const struct hs_sink *sink = &estate->sinks[k];
        const struct hs_heatloop *loop = &estate->loops[sink->loop_idx];
        struct hs_sink_lift lift = hs_sink_get_lift(sink, loop->supply_c);
        double worth = hs_sink_worth_cur_per_mwh(sink, estate->carbon_price_cur_per_t);

        plant->worth[k] =
            hs_sink_get_lifted_worth(&lift, worth, estate->sites[loop->site_idx].price_cur_per_mwh);
    }
    feed_base_load(plant);
    return &plant->base;
}
