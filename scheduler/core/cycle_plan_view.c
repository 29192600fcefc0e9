/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_plan_view - the plan in force: loops, placements, what it misses. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"

static json_t *format_row(const double *values, size_t n)
{
    json_t *row = hs_jsonx_array();

    for (size_t t = 0; t < n; t++) {
        hs_jsonx_add(row, hs_jsonx_real(values[t]));
    }
    return row;
}

static json_t *format_placement(const struct hs_cycle *cycle, const struct hs_placement *placement)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, placement->job_id);
    json_t *item = hs_jsonx_object();
    bool has_place = placement->host_idx != SIZE_MAX;
    int64_t start_at_s = 0;
    int64_t end_at_s = 0;
    int64_t n_slots = 0;

    if (entry != NULL) {
        hs_cycle_get_window(cycle, entry, cycle->now_at_s, &start_at_s, &end_at_s);
    }
    for (size_t t = 0; has_place && t < cycle->n_slots; t++) {
        n_slots += hs_plan_runs(placement, t);
    }
    hs_jsonx_set_int(item, "job", (int64_t)placement->job_id);
    hs_jsonx_set_text(item, "host",
                      has_place ? cycle->estate->hosts[placement->host_idx].path : NULL);
    hs_jsonx_set_at(item, "start", start_at_s);
    hs_jsonx_set_at(item, "end", end_at_s);
    hs_jsonx_set_int(item, "n_slots", n_slots);
    hs_jsonx_set_bool(item, "throttled", has_place && hs_plan_is_cut(placement));
    hs_jsonx_set_bool(item, "late", placement->is_late);
    hs_jsonx_set_bool(item, "forced", placement->is_forced);
    hs_jsonx_set_real(item, "cost_cur", has_place ? placement->cost_cur : NAN);
    return item;
}

json_t *hs_cycle_format_plan(const struct hs_cycle *cycle)
{
    json_t *object = hs_jsonx_object();
    json_t *loops = hs_jsonx_array();
    json_t *placements = hs_jsonx_array();

    if (cycle->has_plan) {
        const struct hs_plan *plan = hs_place_get_plan(cycle->place);

        hs_jsonx_set_at(object, "from", plan->from_at_s);
        hs_jsonx_set_int(object, "slot_s", plan->slot_s);
        hs_jsonx_set_int(object, "n_slots", (int64_t)plan->n_slots);
        hs_jsonx_set_real(object, "cost_cur", plan->cost_cur);
        hs_jsonx_set_int(object, "n_late", (int64_t)plan->n_late);
        for (size_t l = 0; l < cycle->estate->n_loops; l++) {
            json_t *loop = hs_jsonx_object();

            hs_jsonx_set_text(loop, "name", cycle->estate->loops[l].path);
            hs_jsonx_set(loop, "it_w", format_row(&plan->it_w[l * plan->n_slots], plan->n_slots));
            hs_jsonx_set(loop, "heat_price_cur_per_mwh",
                         format_row(&plan->heat_cur_per_mwh[l * plan->n_slots], plan->n_slots));
            hs_cycle_set_reach(cycle, l, cycle->now_at_s, loop);
            hs_jsonx_add(loops, loop);
        }
        for (size_t i = 0; i < plan->n_placements; i++) {
            hs_jsonx_add(placements, format_placement(cycle, &plan->placements[i]));
        }
    }
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    hs_jsonx_set(object, "bound", hs_cycle_format_bound(cycle));
    hs_jsonx_set(object, "loops", loops);
    hs_jsonx_set(object, "misses", hs_cycle_format_misses(cycle));
    hs_jsonx_set(object, "placements", placements);
    return object;
}
