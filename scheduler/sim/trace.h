/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * trace - the world of a run, slot by slot: demand, electricity's price and carbon, true values.
 *
 * Finer data are averaged over the slot, gaps hold the last value, before the first the first.
 * What was held is true in the run, but whoever decides fairly is told that it is unknown.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/sim/scenario.h"

struct hs_trace {
    size_t n_slots;
    double *demand_heat_w;    /* [n_sinks][n_slots] row-major */
    double *elec_cur_per_mwh; /* [n_sites][n_slots] price and carbon price */
    double *gco2_per_kwh;     /* [n_sites][n_slots] */
    bool *is_demand_known;    /* [n_sinks][n_slots] */
};

/** Whether a meter saw the demand of that slot: it was measured for half of it or more. */
static inline bool hs_trace_is_known(const struct hs_trace *trace, size_t sink_idx, size_t slot)
{
    return trace->is_demand_known[sink_idx * trace->n_slots + slot];
}

/** @param scenario borrowed. Owned by the caller */
struct hs_trace *hs_trace_new(const struct hs_scenario *scenario);

/** Accepts NULL. */
void hs_trace_free(struct hs_trace *trace);
HS_DEFINE_AUTO(hs_trace);
