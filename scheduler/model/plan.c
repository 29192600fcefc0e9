/* SPDX-License-Identifier: Apache-2.0 */
/* plan - allocation and look-up. */
#include "scheduler/model/plan.h"

#include <assert.h>

#include "scheduler/base/mem.h"

struct hs_plan *hs_plan_new(int64_t from_at_s, int64_t slot_s, size_t n_slots, size_t n_loops)
{
    struct hs_plan *plan = hs_xcalloc(1, sizeof(*plan));

    assert(n_slots <= HS_PLAN_SLOTS_MAX);
    plan->from_at_s = from_at_s;
    plan->slot_s = slot_s;
    plan->n_slots = n_slots;
    plan->n_loops = n_loops;
    plan->heat_cur_per_mwh = hs_xcalloc(n_loops * n_slots, sizeof(double));
    plan->elec_cur_per_mwh = hs_xcalloc(n_loops * n_slots, sizeof(double));
    plan->it_w = hs_xcalloc(n_loops * n_slots, sizeof(double));
    plan->demand_heat_w = hs_xcalloc(n_loops * n_slots, sizeof(double));
    plan->tank_wh = hs_xcalloc(n_loops * n_slots, sizeof(double));
    return plan;
}

const struct hs_placement *hs_plan_find(const struct hs_plan *plan, uint64_t job_id)
{
    for (size_t i = 0; i < plan->n_placements; i++) {
        if (plan->placements[i].job_id == job_id) {
            return &plan->placements[i];
        }
    }
    return NULL;
}

void hs_plan_free(struct hs_plan *plan)
{
    if (plan != NULL) {
        free(plan->placements);
        free(plan->tank_wh);
        free(plan->demand_heat_w);
        free(plan->it_w);
        free(plan->elec_cur_per_mwh);
        free(plan->heat_cur_per_mwh);
        free(plan);
    }
}
