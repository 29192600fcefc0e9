/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_forecast - readings and weather into the forecasts of sinks, forecasts into demand. */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

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
                           double demand_heat_w)
{
    hs_forecast_observe(cycle->forecasts[sink_idx], slot_at_s, demand_heat_w);
    if (!isnan(demand_heat_w)) {
        cycle->forecast_from_at_s[sink_idx] = INT64_MIN;
    }
    cycle->has_history[sink_idx] |= !isnan(demand_heat_w);
}

void hs_cycle_train(struct hs_cycle *cycle, size_t sink_idx, const struct hs_series *demand_heat_w)
{
    int64_t slot_s = cycle->estate->slot_s;
    int64_t end_at_s = cycle->now_at_s - cycle->now_at_s % slot_s;

    if (demand_heat_w->n == 0) {
        return;
    }
    int64_t first_at_s = demand_heat_w->at_s[0] - demand_heat_w->at_s[0] % slot_s;

    for (int64_t at_s = first_at_s; at_s + slot_s <= end_at_s; at_s += slot_s) {
        double mean_w = hs_series_is_known(demand_heat_w, at_s)
                            ? hs_series_get_mean(demand_heat_w, at_s, at_s + slot_s)
                            : NAN;

        hs_cycle_observe_slot(cycle, sink_idx, at_s, mean_w);
    }
}

/*
 * A forecast is made when the meter has spoken: while it has not, the same one holds for the
 * instants it was made for.
 */
static const double *recall_forecast(struct hs_cycle *cycle, size_t sink_idx)
{
    size_t n = cycle->n_slots + HS_CYCLE_FORECAST_SLOTS;
    size_t first = sink_idx * n;
    int64_t *from_at_s = &cycle->forecast_from_at_s[sink_idx];
    int64_t reach_s = HS_CYCLE_FORECAST_SLOTS * cycle->estate->slot_s;
    struct hs_forecast_slot made[HS_PLAN_SLOTS_MAX + HS_CYCLE_FORECAST_SLOTS];

    if (*from_at_s == INT64_MIN || cycle->plan_from_at_s - *from_at_s > reach_s) {
        *from_at_s = cycle->plan_from_at_s;
        cycle->forecast_made_at_s[sink_idx] = *from_at_s;
        hs_forecast_predict(cycle->forecasts[sink_idx], *from_at_s, n, made);
        for (size_t t = 0; t < n; t++) {
            cycle->forecast_w[first + t] = made[t].p50_w;
            cycle->forecast_p10_w[first + t] = made[t].p10_w;
            cycle->forecast_p90_w[first + t] = made[t].p90_w;
        }
    }
    return &cycle->forecast_w[first
                              + (size_t)((cycle->plan_from_at_s - *from_at_s)
                                         / cycle->estate->slot_s)];
}

void hs_cycle_forecast_sink(struct hs_cycle *cycle, size_t sink_idx, double *ret_demand_heat_w)
{
    const struct hs_estimator_value *seen = &cycle->estimator->sinks[sink_idx].demand_w;
    int64_t fresh_s = HS_ESTIMATOR_FRESH_SLOTS * cycle->estate->slot_s;

    memcpy(ret_demand_heat_w, recall_forecast(cycle, sink_idx), cycle->n_slots * sizeof(double));
    /* The meter knows this slot better than yesterday does; on the first day it is all there is. */
    if (!isnan(seen->value) && cycle->now_at_s - seen->at_s <= fresh_s) {
        for (size_t t = 0; t < (cycle->has_history[sink_idx] ? 1 : cycle->n_slots); t++) {
            ret_demand_heat_w[t] = seen->value;
        }
    }
}
