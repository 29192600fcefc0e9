/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** simrecord - what each loop did in each slot of a run, for plots. */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/sim/simrun.h"

struct hs_simrecord {
    size_t n_slots;
    size_t n_loops;
    /* [n_loops][n_slots] row-major; NAN for slots that did not come */
    double *demand_heat_kw;
    double *useful_heat_kw;
    double *tank_percent; /* of full, at slot end; NAN without a tank */
    double *it_elec_kw;
};

/** Owned by the caller. */
struct hs_simrecord *hs_simrecord_new(const struct hs_scenario *scenario);

/** Note the slot that @run closes (hs_simrun_watcher, slot_closed). */
void hs_simrecord_add(struct hs_simrecord *record, const struct hs_simrun *run);

/** Accepts NULL. */
void hs_simrecord_free(struct hs_simrecord *record);
HS_DEFINE_AUTO(hs_simrecord);
