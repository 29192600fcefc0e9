/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thermal - forward over the tank, backward over the worth of what it holds; see thermal.h.
 *
 * The plant leaves nothing to choose, so a loop's cost is that of its tank's course, and the
 * slopes of the cost to go along that course are its prices. Both are one pass over the slots,
 * cut short where the new course meets the old one.
 */
#include "scheduler/core/thermal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/core/thermal_priv.h"

static void init_course(struct hs_thermal_course *course, size_t n_slots)
{
    course->slots = hs_xcalloc(n_slots, sizeof(*course->slots));
    course->tank_wh = hs_xcalloc(n_slots + 1, sizeof(*course->tank_wh));
    course->stored = hs_xcalloc(n_slots + 1, sizeof(*course->stored));
    course->heat = hs_xcalloc(n_slots, sizeof(*course->heat));
    course->prices = hs_xcalloc(n_slots, sizeof(*course->prices));
}

static void fini_course(struct hs_thermal_course *course)
{
    free(course->prices);
    free(course->heat);
    free(course->stored);
    free(course->tank_wh);
    free(course->slots);
}

struct hs_thermal *hs_thermal_new(const struct hs_heatloop *loop, size_t n_sinks, size_t n_slots)
{
    struct hs_thermal *th = hs_xcalloc(1, sizeof(*th));
    const struct hs_tank *tank = &loop->tank;

    th->n_slots = n_slots;
    th->n_sinks = n_sinks;
    th->tank_max_wh = tank->present ? hs_tank_max_wh(tank) : 0.0;
    if (th->tank_max_wh > 0) {
        th->loss_a_w = tank->loss_w_per_k * (tank->min_c - tank->ambient_c);
        th->loss_b_w_per_wh = tank->loss_w_per_k / (tank->volume_l * HS_WATER_WH_PER_L_K);
    }
    th->charge_limit_w = tank->present ? tank->charge_limit_w : INFINITY;
    th->draw_limit_w = tank->present ? tank->draw_limit_w : INFINITY;
    th->by_worth = hs_xcalloc(n_sinks, sizeof(*th->by_worth));
    th->cur_per_wh = hs_xcalloc(n_sinks, sizeof(*th->cur_per_wh));
    th->sink_demand_wh = hs_xcalloc(n_sinks * n_slots, sizeof(*th->sink_demand_wh));
    init_course(&th->now, n_slots);
    init_course(&th->before, n_slots);
    return th;
}

void hs_thermal_free(struct hs_thermal *th)
{
    if (th == NULL) {
        return;
    }
    fini_course(&th->before);
    fini_course(&th->now);
    free(th->sink_demand_wh);
    free(th->cur_per_wh);
    free(th->by_worth);
    free(th);
}

/* What @more_wh more is worth; NAN where the pieces do not reach so far. */
static double read_worth(const struct hs_thermal_worth *worth, double more_wh)
{
    double cur = 0.0;

    for (size_t i = 0; i < worth->n; i++) {
        const struct hs_thermal_slope *piece = &worth->pieces[i];

        if (more_wh <= piece->room_wh) {
            return cur + more_wh * piece->cur_per_wh;
        }
        cur += piece->room_wh * piece->cur_per_wh;
        more_wh -= piece->room_wh;
    }
    return more_wh <= HS_THERMAL_LEAST_WH ? cur : (double)NAN;
}

static bool is_same_worth(const struct hs_thermal_worth *a, const struct hs_thermal_worth *b)
{
    return a->n == b->n
           && memcmp(a->pieces, b->pieces, a->n * sizeof(struct hs_thermal_slope)) == 0;
}

/* --- the course --- */

/* The tank's course from @first; where it meets the old one again past @end, it ends there. */
static size_t follow(struct hs_thermal *th, size_t first, size_t end)
{
    size_t t = first;

    for (; t < th->n_slots; t++) {
        double rejected_wh;

        th->before.slots[t].cost_cur = th->now.slots[t].cost_cur;
        th->before.tank_wh[t + 1] = th->now.tank_wh[t + 1];
        th->now.tank_wh[t + 1] =
            hs_thermal_run_slot(th, t, th->now.tank_wh[t], th->now.slots[t].captured_wh,
                                &th->now.slots[t].cost_cur, &rejected_wh);
        if (!th->is_new && t + 1 >= end && th->now.tank_wh[t + 1] == th->before.tank_wh[t + 1]) {
            return t + 1;
        }
    }
    return t;
}

/*
 * Worths of the slots before @end, back to where they are what they were before @first. Returns
 * the first slot whose worths may have changed.
 */
static size_t price(struct hs_thermal *th, size_t first, size_t end)
{
    for (size_t t = end; t-- > 0;) {
        th->before.heat[t] = th->now.heat[t];
        th->before.prices[t] = th->now.prices[t];
        th->before.stored[t] = th->now.stored[t];
        hs_thermal_price_slot(th, t);
        if (!th->is_new && t < first && is_same_worth(&th->before.stored[t], &th->now.stored[t])) {
            return t;
        }
    }
    return 0;
}

bool hs_thermal_settle(struct hs_thermal *th)
{
    if (th->laid_end == 0) {
        return false;
    }
    th->before_end = follow(th, th->laid_first, th->laid_end);
    th->before_first = price(th, th->laid_first, th->before_end);
    th->may_undo = th->is_laid_once;
    th->laid_first = th->n_slots;
    th->laid_end = 0;
    th->is_new = false;
    return true;
}

bool hs_thermal_undo(struct hs_thermal *th)
{
    if (!th->may_undo || th->laid_end > 0) {
        return false;
    }
    for (size_t t = th->before_first; t < th->before_end; t++) {
        th->now.heat[t] = th->before.heat[t];
        th->now.prices[t] = th->before.prices[t];
        th->now.stored[t] = th->before.stored[t];
    }
    for (size_t t = th->undo_first; t < th->before_end; t++) {
        th->now.slots[t].cost_cur = th->before.slots[t].cost_cur;
        th->now.tank_wh[t + 1] = th->before.tank_wh[t + 1];
    }
    for (size_t t = th->undo_first; t < th->undo_end; t++) {
        th->now.slots[t].captured_wh = th->before.slots[t].captured_wh;
    }
    th->may_undo = false;
    return true;
}

static void sort_by_worth(struct hs_thermal *th, const double *sink_cur_per_mwh)
{
    for (size_t k = 0; k < th->n_sinks; k++) {
        size_t j = k;

        while (j > 0 && sink_cur_per_mwh[th->by_worth[j - 1]] > sink_cur_per_mwh[k]) {
            th->by_worth[j] = th->by_worth[j - 1];
            j--;
        }
        th->by_worth[j] = k;
    }
    for (size_t k = 0; k < th->n_sinks; k++) {
        th->cur_per_wh[k] = sink_cur_per_mwh[th->by_worth[k]] * 1e-6;
    }
}

void hs_thermal_set(struct hs_thermal *th, const struct hs_thermal_input *input)
{
    th->loss_a_wh = hs_wh_from_w(th->loss_a_w, input->slot_s);
    th->loss_b_ratio = hs_least(hs_wh_from_w(th->loss_b_w_per_wh, input->slot_s), 0.99);
    th->charge_max_wh = hs_wh_from_w(th->charge_limit_w, input->slot_s);
    th->draw_max_wh = hs_wh_from_w(th->draw_limit_w, input->slot_s);
    th->end_cur_per_wh = input->end_cur_per_wh;
    th->floor_cur_per_wh = input->floor_cur_per_wh;
    sort_by_worth(th, input->sink_cur_per_mwh);
    for (size_t t = 0; t < th->n_slots; t++) {
        double demand_wh = 0.0;

        for (size_t k = 0; k < th->n_sinks; k++) {
            double sink_wh = input->sink_demand_wh[th->by_worth[k] * th->n_slots + t];

            th->sink_demand_wh[t * th->n_sinks + k] = sink_wh;
            demand_wh += sink_wh;
        }
        th->now.slots[t] = (struct hs_thermal_slot){
            .captured_wh = input->captured_wh[t],
            .demand_wh = demand_wh,
            .reject_cur_per_wh = input->reject_cur_per_wh[t],
            .floor_wh = input->floor_wh != NULL ? input->floor_wh[t] : 0.0,
        };
        th->now.slots[t].floor_wh = hs_least(th->now.slots[t].floor_wh, th->tank_max_wh);
    }
    th->probe_wh = hs_most(input->probe_wh, 1.0);
    th->now.tank_wh[0] = hs_least(hs_most(input->tank_wh, 0.0), th->tank_max_wh);
    th->now.stored[th->n_slots] =
        (struct hs_thermal_worth){.pieces = {{th->end_cur_per_wh, INFINITY}}, .n = 1};
    th->laid_first = 0;
    th->laid_end = th->n_slots;
    th->is_new = true;
    th->is_laid_once = false;
}

void hs_thermal_lay(struct hs_thermal *th, size_t first, const double *extra_wh, size_t n)
{
    if (n == 0) {
        return;
    }
    assert(first + n <= th->n_slots);
    th->is_laid_once = th->laid_end == 0;
    th->undo_first = first;
    th->undo_end = first + n;
    for (size_t t = first; t < first + n; t++) {
        th->before.slots[t].captured_wh = th->now.slots[t].captured_wh;
        th->now.slots[t].captured_wh += extra_wh[t - first];
    }
    th->laid_end = first + n > th->laid_end ? first + n : th->laid_end;
    th->laid_first = first < th->laid_first ? first : th->laid_first;
}

/* --- asking --- */

size_t hs_thermal_get_changed(const struct hs_thermal *th)
{
    return th->before_first;
}

double hs_thermal_get_cost(const struct hs_thermal *th)
{
    double cost_cur = -th->end_cur_per_wh * th->now.tank_wh[th->n_slots];

    for (size_t t = 0; t < th->n_slots; t++) {
        cost_cur += th->now.slots[t].cost_cur;
    }
    return cost_cur;
}

double hs_thermal_get_price(const struct hs_thermal *th, size_t slot)
{
    return th->now.heat[slot].cur_per_wh * 1e6;
}

const double *hs_thermal_get_prices(const struct hs_thermal *th)
{
    return th->now.prices;
}

double hs_thermal_get_worth(const struct hs_thermal *th, size_t slot, double extra_wh)
{
    if (extra_wh >= 0 && extra_wh <= th->now.heat[slot].room_wh) {
        return extra_wh * th->now.heat[slot].cur_per_wh;
    }
    return hs_thermal_get_run_worth(th, slot, &extra_wh, 1);
}

double hs_thermal_get_run_worth(const struct hs_thermal *th, size_t first, const double *extra_wh,
                                size_t n)
{
    double with_wh = th->now.tank_wh[first];
    double saved_cur = 0.0;

    for (size_t t = first; t < th->n_slots; t++) {
        double extra = t < first + n ? extra_wh[t - first] : 0.0;
        double more_wh = with_wh - th->now.tank_wh[t];
        double rejected_wh;
        double with_cur;

        if (t >= first + n && more_wh >= 0) {
            double worth_cur = read_worth(&th->now.stored[t], more_wh);

            if (!isnan(worth_cur)) {
                return saved_cur + worth_cur;
            }
        }
        with_wh = hs_thermal_run_slot(th, t, with_wh, th->now.slots[t].captured_wh + extra,
                                      &with_cur, &rejected_wh);
        saved_cur += th->now.slots[t].cost_cur - with_cur;
    }
    return saved_cur + (with_wh - th->now.tank_wh[th->n_slots]) * th->end_cur_per_wh;
}

double hs_thermal_get_tank_wh(const struct hs_thermal *th, size_t slot)
{
    return th->now.tank_wh[slot + 1];
}

double hs_thermal_get_rejected_wh(const struct hs_thermal *th, size_t slot)
{
    double rejected_wh;
    double cost_cur;

    (void)hs_thermal_run_slot(th, slot, th->now.tank_wh[slot], th->now.slots[slot].captured_wh,
                              &cost_cur, &rejected_wh);
    return rejected_wh;
}

double hs_thermal_get_unserved_wh(const struct hs_thermal *th, size_t slot)
{
    double short_wh = th->now.slots[slot].demand_wh - th->now.slots[slot].captured_wh;
    double kept_wh = hs_thermal_keep(th, th->now.tank_wh[slot]);

    return short_wh > 0 ? short_wh - hs_least(hs_least(short_wh, th->draw_max_wh), kept_wh) : 0.0;
}

double hs_thermal_get_captured_wh(const struct hs_thermal *th, size_t slot)
{
    return th->now.slots[slot].captured_wh;
}
