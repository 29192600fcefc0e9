/* SPDX-License-Identifier: Apache-2.0 */
/* trace - slot means of the scenario's series. */
#include "scheduler/sim/trace.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define TRACE_KNOWN_RATIO 0.5 /* of a slot */

static double get_first_known(const struct hs_series *series)
{
    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            return series->values[i];
        }
    }
    return 0;
}

/** Slot means of @series into @ret [n_slots]; @constant where there is no series. */
static void average(const struct hs_scenario *scenario, const struct hs_series *series,
                    double constant, double *ret)
{
    double first = series != NULL ? get_first_known(series) : constant;

    for (size_t t = 0; t < scenario->n_slots; t++) {
        int64_t from_at_s = scenario->start_at_s + (int64_t)t * scenario->slot_s;
        double mean = series != NULL
                          ? hs_series_get_mean(series, from_at_s, from_at_s + scenario->slot_s)
                          : constant;

        ret[t] = isnan(mean) ? first : mean;
    }
}

struct hs_trace *hs_trace_new(const struct hs_scenario *scenario)
{
    const struct hs_estate *estate = scenario->estate;
    size_t n_slots = scenario->n_slots;
    struct hs_trace *trace = hs_xcalloc(1, sizeof(*trace));

    trace->n_slots = n_slots;
    trace->demand_heat_w = hs_xcalloc(estate->n_sinks * n_slots, sizeof(double));
    trace->elec_cur_per_mwh = hs_xcalloc(estate->n_sites * n_slots, sizeof(double));
    trace->gco2_per_kwh = hs_xcalloc(estate->n_sites * n_slots, sizeof(double));
    trace->is_demand_known = hs_xcalloc(estate->n_sinks * n_slots, sizeof(bool));
    for (size_t k = 0; k < estate->n_sinks; k++) {
        double *row = trace->demand_heat_w + k * n_slots;

        average(scenario, scenario->demand_heat_w[k], 0, row);
        for (size_t t = 0; t < n_slots; t++) {
            int64_t from_at_s = scenario->start_at_s + (int64_t)t * scenario->slot_s;

            row[t] = fmax(0, row[t]);
            trace->is_demand_known[k * n_slots + t] =
                scenario->demand_heat_w[k] != NULL
                && hs_series_get_known_ratio(scenario->demand_heat_w[k], from_at_s,
                                             from_at_s + scenario->slot_s)
                       >= TRACE_KNOWN_RATIO;
        }
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        double *elec = trace->elec_cur_per_mwh + s * n_slots;
        double *gco2 = trace->gco2_per_kwh + s * n_slots;

        average(scenario, scenario->price[s], estate->sites[s].price_cur_per_mwh, elec);
        average(scenario, scenario->gco2_per_kwh[s], estate->sites[s].gco2_per_kwh, gco2);
        for (size_t t = 0; t < n_slots; t++) {
            elec[t] += hs_cur_per_mwh_from_carbon(estate->carbon_price_cur_per_t, gco2[t]);
        }
    }
    return trace;
}

void hs_trace_free(struct hs_trace *trace)
{
    if (trace == NULL) {
        return;
    }
    free(trace->is_demand_known);
    free(trace->gco2_per_kwh);
    free(trace->elec_cur_per_mwh);
    free(trace->demand_heat_w);
    free(trace);
}
