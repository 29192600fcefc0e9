/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_hygiene - a tank of drinking water has to be hot once in its interval; see cycle_soft.h.
 *
 * In the planner's frame a cycle is an exchange: in its slot the loop is asked for the heat that a
 * hot tank holds, in the next it gets it back. What the tank does not hold then is made by backup,
 * as it is in the plant, and serves the sinks afterwards: so heat before the cycle is worth what
 * backup would cost, and heat just after it little.
 */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/cycle_soft.h"

#define ROUNDING_K 0.05 /* a thermometer at 59.95 shows 60 */

static bool has_hygiene(const struct hs_tank *tank)
{
    return tank->present && tank->hygiene_c > 0 && tank->hygiene_interval_s > 0;
}

int64_t hs_cycle_hygiene_get_due(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_tank *tank = &cycle->estate->loops[loop_idx].tank;

    return has_hygiene(tank) ? cycle->soft->hygiene[loop_idx].from_at_s + tank->hygiene_interval_s
                             : INT64_MAX;
}

/* --- looking --- */

/* The coldest that a fresh thermometer shows; NAN if none is fresh. */
static double get_coldest_c(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    int64_t fresh_s = HS_ESTIMATOR_FRESH_SLOTS * cycle->estate->slot_s;
    double coldest_c = NAN;

    for (size_t i = 0; i < seen->n_sensors; i++) {
        const struct hs_estimator_value *value = &seen->sensors[i].value;

        if (value->n_bad == 0 && cycle->now_at_s - value->received_at_s <= fresh_s) {
            coldest_c = fmin(coldest_c, value->value);
        }
    }
    return coldest_c;
}

void hs_cycle_hygiene_watch(struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    struct hs_cycle_hygiene *hygiene = &cycle->soft->hygiene[loop_idx];
    int64_t since_s = cycle->now_at_s - hygiene->from_at_s;

    if (!has_hygiene(&loop->tank)) {
        return;
    }
    if (!(get_coldest_c(cycle, loop_idx) >= loop->tank.hygiene_c - ROUNDING_K)) {
        hygiene->hot_at_s = 0;
    } else if (hygiene->hot_at_s == 0) {
        hygiene->hot_at_s = cycle->now_at_s;
    }
    if (hygiene->hot_at_s != 0
        && cycle->now_at_s - hygiene->hot_at_s >= loop->tank.hygiene_hold_s) {
        if (since_s >= loop->tank.hygiene_interval_s / 2 || !hygiene->is_seen) {
            hs_cycle_note(cycle, "loop", loop->path,
                          "tank was at %.0f C or more for %lld min: hygiene proved, %.1f h after "
                          "the last",
                          loop->tank.hygiene_c, (long long)loop->tank.hygiene_hold_s / 60,
                          (double)since_s / HS_S_PER_H);
            cycle->is_plan_wanted = true;
        }
        hygiene->from_at_s = cycle->now_at_s;
        hygiene->is_seen = true;
        hygiene->is_told = false;
    } else if (!hygiene->is_told && since_s > loop->tank.hygiene_interval_s) {
        hygiene->is_told = true;
        hs_cycle_note(cycle, "loop", loop->path,
                      "hygiene is overdue: the tank has not been seen at %.0f C for %.1f h",
                      loop->tank.hygiene_c, (double)since_s / HS_S_PER_H);
        cycle->is_plan_wanted = true;
    }
}

/* --- planning --- */

/* What backup heat costs the loop's hygiene in slot @t, cur/MWh. */
static double get_backup_price(const struct hs_cycle *cycle, size_t sink_idx, size_t t)
{
    const struct hs_sink *sink = &cycle->estate->sinks[sink_idx];
    size_t site_idx = cycle->estate->loops[sink->loop_idx].site_idx;
    double elec = cycle->frame_elec[site_idx * cycle->n_slots + t]
                  / (1.0 + cycle->estate->sites[site_idx].aux_elec_ratio);

    bool is_electric =
        strcmp(sink->backup_kind, "electric") == 0 || strcmp(sink->backup_kind, "heat-pump") == 0;

    return is_electric ? elec / sink->backup_efficiency_ratio
                       : hs_sink_worth_cur_per_mwh(sink, cycle->estate->carbon_price_cur_per_t);
}

/* The sink that the hot water is for: the first for drinking water, else the loop's first. */
static size_t find_sink(const struct hs_cycle *cycle, const struct hs_heatloop *loop)
{
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        if (strcmp(cycle->estate->sinks[k].kind, "dhw") == 0) {
            return k;
        }
    }
    return loop->first_sink_idx;
}

/* What the tank holds at the start of slot @t by the last plan; as now without one. */
static double get_planned_wh(const struct hs_cycle *cycle, const struct hs_plan *plan,
                             size_t loop_idx, size_t t)
{
    int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;
    double now_wh = hs_estimator_get_tank_wh(cycle->estimator, loop_idx);
    int64_t last;

    if (plan == NULL || t == 0) {
        return isnan(now_wh) ? 0.0 : now_wh;
    }
    last = (at_s - plan->from_at_s) / plan->slot_s - 1;
    last = last < 0 ? 0 : last >= (int64_t)plan->n_slots ? (int64_t)plan->n_slots - 1 : last;
    return plan->tank_wh[loop_idx * plan->n_slots + (size_t)last];
}

/* What of a hot tank's heat compute can give, and what only backup can. */
static void split_heat(const struct hs_heatloop *loop, struct hs_cycle_hygiene *hygiene)
{
    const struct hs_tank *tank = &loop->tank;
    double top_c = fmin(tank->hygiene_c, tank->max_c);

    top_c = loop->supply_c > 0 ? fmin(top_c, loop->supply_c) : top_c;
    top_c = fmax(top_c, tank->min_c);
    hygiene->compute_wh = hs_wh_from_l_k(tank->volume_l, top_c - tank->min_c);
    hygiene->backup_wh = hs_wh_from_l_k(tank->volume_l, fmax(tank->hygiene_c - top_c, 0.0));
}

/* The cheapest slot by @due_at_s: the tank is fullest, or backup cheapest; sooner costs more. */
static size_t find_slot(struct hs_cycle *cycle, size_t loop_idx, size_t sink_idx, int64_t due_at_s)
{
    const struct hs_cycle_hygiene *hygiene = &cycle->soft->hygiene[loop_idx];
    const struct hs_tank *tank = &cycle->estate->loops[loop_idx].tank;
    const struct hs_plan *plan = cycle->has_plan ? hs_place_get_plan(cycle->place) : NULL;
    int64_t slot_s = cycle->estate->slot_s;
    double whole_wh = hygiene->compute_wh + hygiene->backup_wh;
    double best_cur = INFINITY;
    size_t best = 0;

    for (size_t t = 0; t + 1 < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;
        double price = get_backup_price(cycle, sink_idx, t);
        double missing_wh =
            fmax(hygiene->compute_wh - get_planned_wh(cycle, plan, loop_idx, t), 0.0)
            + hygiene->backup_wh;
        double early_ratio = (double)(due_at_s - at_s) / (double)tank->hygiene_interval_s;
        double cost_cur = hs_cur_from_wh(missing_wh + early_ratio * whole_wh, price);

        if (t > 0 && at_s + slot_s + tank->hygiene_hold_s > due_at_s) {
            break; /* so an overdue one is done at once */
        }
        /* the slot it was in stays, unless another is better by more than a forecast's noise */
        cost_cur *= at_s == hygiene->planned_at_s ? 0.95 : 1.0;
        if (cost_cur < best_cur) {
            best_cur = cost_cur;
            best = t;
        }
    }
    return best;
}

/* Heat above what the tank's model can hold serves the sinks next. */
static void give_back(struct hs_cycle *cycle, const struct hs_heatloop *loop, size_t first,
                      double heat_wh)
{
    for (size_t t = first; t < cycle->n_slots && heat_wh > 0; t++) {
        for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
            double *demand_wh = &cycle->frame_demand_wh[k * cycle->n_slots + t];
            double part_wh = fmin(*demand_wh, heat_wh);

            *demand_wh -= part_wh;
            heat_wh -= part_wh;
        }
    }
}

void hs_cycle_hygiene_fill_frame(struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    struct hs_cycle_hygiene *hygiene = &cycle->soft->hygiene[loop_idx];
    int64_t due_at_s = hs_cycle_hygiene_get_due(cycle, loop_idx);
    int64_t slot_s = cycle->estate->slot_s;
    int64_t end_at_s = cycle->plan_from_at_s + ((int64_t)cycle->n_slots - 1) * slot_s;

    if (!has_hygiene(&loop->tank) || loop->n_sinks == 0 || cycle->n_slots < 2
        || due_at_s - loop->tank.hygiene_hold_s > end_at_s) {
        hygiene->planned_at_s = 0;
        return;
    }
    split_heat(loop, hygiene);
    size_t sink_idx = find_sink(cycle, loop);
    size_t t = find_slot(cycle, loop_idx, sink_idx, due_at_s);

    hygiene->planned_at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;
    give_back(cycle, loop, t + 1, hygiene->backup_wh);
    cycle->frame_demand_wh[sink_idx * cycle->n_slots + t] += hygiene->compute_wh;
    cycle->frame_captured_wh[loop_idx * cycle->n_slots + t + 1] += hygiene->compute_wh;
}

/* --- telling and keeping --- */

void hs_cycle_hygiene_format(const struct hs_cycle *cycle, size_t loop_idx, json_t *object)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_cycle_hygiene *hygiene = &cycle->soft->hygiene[loop_idx];
    json_t *item;

    if (!has_hygiene(&loop->tank)) {
        hs_jsonx_set(object, "hygiene", json_null());
        return;
    }
    item = hs_jsonx_object();
    hs_jsonx_set_real(item, "target_c", loop->tank.hygiene_c);
    hs_jsonx_set_int(item, "interval_s", loop->tank.hygiene_interval_s);
    hs_jsonx_set_int(item, "hold_s", loop->tank.hygiene_hold_s);
    hs_jsonx_set_at(item, "last_at", hygiene->is_seen ? hygiene->from_at_s : 0);
    hs_jsonx_set_real(item, "since_h", (double)(cycle->now_at_s - hygiene->from_at_s) / HS_S_PER_H);
    hs_jsonx_set_at(item, "due_at", hs_cycle_hygiene_get_due(cycle, loop_idx));
    hs_jsonx_set_bool(item, "is_overdue",
                      cycle->now_at_s > hs_cycle_hygiene_get_due(cycle, loop_idx));
    hs_jsonx_set_at(item, "planned_at", hygiene->planned_at_s);
    hs_jsonx_set_text(item, "source",
                      hygiene->planned_at_s == 0 ? NULL
                      : hygiene->backup_wh <= 0  ? "compute"
                      : hygiene->compute_wh <= 0 ? "backup"
                                                 : "compute, then backup");
    hs_jsonx_set(object, "hygiene", item);
}

void hs_cycle_hygiene_save(const struct hs_cycle *cycle, json_t *object)
{
    json_t *rows = hs_jsonx_object();

    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        if (has_hygiene(&cycle->estate->loops[l].tank)) {
            json_t *row = hs_jsonx_object();

            hs_jsonx_set_int(row, "from_at_s", cycle->soft->hygiene[l].from_at_s);
            hs_jsonx_set_bool(row, "is_seen", cycle->soft->hygiene[l].is_seen);
            hs_jsonx_set(rows, cycle->estate->loops[l].path, row);
        }
    }
    hs_jsonx_set(object, "hygiene", rows);
}

void hs_cycle_hygiene_restore(struct hs_cycle *cycle, const json_t *saved)
{
    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        const json_t *row =
            json_object_get(json_object_get(saved, "hygiene"), cycle->estate->loops[l].path);
        json_int_t at_s = json_integer_value(json_object_get(row, "from_at_s"));

        if (at_s > 0 && at_s <= cycle->now_at_s) {
            cycle->soft->hygiene[l].from_at_s = at_s;
            cycle->soft->hygiene[l].is_seen = json_is_true(json_object_get(row, "is_seen"));
        }
    }
}
