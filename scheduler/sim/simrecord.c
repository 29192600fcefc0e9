/* SPDX-License-Identifier: Apache-2.0 */
/* simrecord - one column a slot. */
#include "scheduler/sim/simrecord.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define W_PER_KW 1e3

static double *make_row(size_t n)
{
    double *values = hs_xcalloc(n, sizeof(double));

    for (size_t i = 0; i < n; i++) {
        values[i] = (double)NAN;
    }
    return values;
}

struct hs_simrecord *hs_simrecord_new(const struct hs_scenario *scenario)
{
    struct hs_simrecord *record = hs_xcalloc(1, sizeof(*record));
    size_t n = scenario->n_slots * scenario->estate->n_loops;

    record->n_slots = scenario->n_slots;
    record->n_loops = scenario->estate->n_loops;
    record->demand_heat_kw = make_row(n);
    record->useful_heat_kw = make_row(n);
    record->tank_percent = make_row(n);
    record->it_elec_kw = make_row(n);
    return record;
}

void hs_simrecord_add(struct hs_simrecord *record, const struct hs_simrun *run)
{
    const struct hs_estate *estate = run->scenario->estate;
    double slot_s = (double)run->scenario->slot_s;

    for (size_t l = 0; l < estate->n_loops; l++) {
        const struct hs_heatloop *loop = &estate->loops[l];
        size_t at = l * record->n_slots + run->slot;
        double demand_w = 0, useful_wh = 0, it_wh = 0, full_wh = hs_tank_max_wh(&loop->tank);

        for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
            demand_w += run->trace->demand_heat_w[k * record->n_slots + run->slot];
            useful_wh += run->slot_useful_wh[k];
        }
        for (size_t r = 0; r < estate->n_racks; r++) {
            it_wh += estate->racks[r].loop_idx == l ? run->rack_elec_wh[r] : 0;
        }
        record->demand_heat_kw[at] = demand_w / W_PER_KW;
        record->useful_heat_kw[at] = hs_w_from_wh(useful_wh, slot_s) / W_PER_KW;
        record->tank_percent[at] = full_wh > 0 ? run->tank_wh[l] / full_wh * 100 : (double)NAN;
        record->it_elec_kw[at] = hs_w_from_wh(it_wh, slot_s) / W_PER_KW;
    }
}

void hs_simrecord_free(struct hs_simrecord *record)
{
    if (record == NULL) {
        return;
    }
    free(record->it_elec_kw);
    free(record->tank_percent);
    free(record->useful_heat_kw);
    free(record->demand_heat_kw);
    free(record);
}
