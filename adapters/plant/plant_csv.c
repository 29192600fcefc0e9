/* SPDX-License-Identifier: Apache-2.0 */
/* plant_csv - replay of measured demand at the clock's pace; a gap in the data is silence. */
#include <math.h>

#include "adapters/plant/plant.h"
#include "scheduler/base/mem.h"

#define CSV_PERIOD_REAL_MIN_S 0.05

struct plant_csv {
    struct hs_plant base;
    const struct hs_series *const *demand_heat_w; /* [n_sinks] kept */
    struct hs_timer *timer;
    double period_s; /* real s */
};

static void csv_tick(void *arg)
{
    struct plant_csv *plant = arg;
    const struct hs_estate *estate = plant->base.options.estate;
    int64_t now_at_s = hs_clock_at_s(plant->base.options.clock);

    for (size_t i = 0; i < estate->n_sinks; i++) {
        const struct hs_series *series = plant->demand_heat_w[i];
        struct hs_reading reading = {
            .point = {.kind = HS_POINT_DEMAND_HEAT_W, .thing_idx = i},
            .taken_at_s = now_at_s,
            .received_at_s = now_at_s,
        };

        if (series == NULL || !hs_series_is_known(series, now_at_s)) {
            continue;
        }
        reading.value = hs_series_get_held(series, now_at_s);
        hs_plant_deliver(&plant->base, &reading);
    }
    hs_executor_timer_set(plant->base.options.executor, plant->timer, plant->period_s);
}

static void csv_start(struct hs_plant *base)
{
    struct plant_csv *plant = (struct plant_csv *)base;

    plant->timer = hs_executor_timer_add(base->options.executor, 0, csv_tick, plant);
}

static void csv_destroy(struct hs_plant *base)
{
    struct plant_csv *plant = (struct plant_csv *)base;

    hs_executor_timer_remove(base->options.executor, plant->timer);
    free(plant);
}

static const struct hs_plant_ops plant_csv_ops = {
    .name = "csv",
    .summary = "replay of measured heat demand from CSV files",
    .start = csv_start,
    .destroy = csv_destroy,
};

struct hs_plant *hs_plant_csv_new(const struct hs_plant_options *options,
                                  const struct hs_series *const *demand_heat_w)
{
    struct plant_csv *plant = hs_xcalloc(1, sizeof(*plant));

    plant->base.ops = &plant_csv_ops;
    plant->base.options = *options;
    plant->demand_heat_w = demand_heat_w;
    plant->period_s =
        fmax(options->period_plan_s / hs_clock_get_speed(options->clock), CSV_PERIOD_REAL_MIN_S);
    return &plant->base;
}
