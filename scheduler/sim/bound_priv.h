/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** bound_priv - where the columns of the bound's program lie; for bound*.c and tests. */

#include "scheduler/sim/bound.h"

#define HS_BOUND_LATE_PRICE  10.0   /* of the dearest electricity; simulator.md */
#define HS_BOUND_WH_PER_UNIT 1000.0 /* energies in the program count kWh */

enum hs_bound_column { HS_BOUND_ENERGY, HS_BOUND_REJECTED, HS_BOUND_LOST, HS_BOUND_LOOP_COLUMNS_ };

static inline size_t hs_bound_get_loop_column(const struct hs_bound *b, size_t slot,
                                              size_t loop_idx, enum hs_bound_column which)
{
    return slot * b->n_columns_per_slot + b->n_classes + loop_idx * HS_BOUND_LOOP_COLUMNS_
           + (size_t)which;
}

/** Backup heat of a sink. */
static inline size_t hs_bound_get_sink_column(const struct hs_bound *b, size_t slot,
                                              size_t sink_idx)
{
    return hs_bound_get_loop_column(b, slot, b->scenario->estate->n_loops, HS_BOUND_ENERGY)
           + sink_idx;
}

/** vCPU-hours done by the end of the slot. */
static inline size_t hs_bound_get_work_column(const struct hs_bound *b, size_t slot)
{
    return hs_bound_get_sink_column(b, slot, b->scenario->estate->n_sinks);
}

/** vCPU-hours overdue at the end of the slot; only with HS_BOUND_LATE. */
static inline size_t hs_bound_get_late_column(const struct hs_bound *b, size_t slot)
{
    return hs_bound_get_work_column(b, slot) + 1;
}

static inline double hs_bound_get_elec_cur_per_mwh(const struct hs_bound *b, size_t site_idx,
                                                   size_t slot)
{
    return b->trace->elec_cur_per_mwh[site_idx * b->scenario->n_slots + slot];
}

/** Power that a rack draws whatever runs, mean over the slot. */
static inline double hs_bound_get_base_w(const struct hs_bound *b, size_t rack_idx, size_t slot)
{
    return b->rack_base_w[rack_idx * b->scenario->n_slots + slot];
}

static inline double hs_bound_get_demand_wh(const struct hs_bound *b, size_t sink_idx, size_t slot)
{
    return b->trace->demand_heat_w[sink_idx * b->scenario->n_slots + slot] * b->slot_h;
}

/** Classes, base power and worths. */
void hs_bound_set_estate(struct hs_bound *b);

/** The columns and rows of HS_BOUND_JOBS, after all others. */
void hs_bound_add_groups(struct hs_bound *b);

/** Whether hosts behind a limit can draw more than it: else it needs no rows. */
bool hs_bound_can_bind(const struct hs_estate *estate, size_t first_rack, size_t n_racks,
                       double limit_w);
