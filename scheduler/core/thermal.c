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

#define LEAST_WH 1e-6 /* less room than this is rounding */

/* One slot's figures, apart from the tank. */
struct slot {
    double captured_wh;
    double demand_wh; /* all sinks, servable */
    double reject_cur_per_wh;
    double floor_wh; /* at its end */
    double cost_cur; /* on the present course */
};

/* What a little more is worth, and how much more keeps that worth. */
struct slope {
    double cur_per_wh;
    double room_wh;
};

/* Pieces of a worth function that are kept: few loops need as many, the rest is run forward. */
#define PIECES_MAX 4

/* What more is worth, piece by piece; past the last piece nobody knows. */
struct worth {
    struct slope pieces[PIECES_MAX];
    size_t n;
};

/* All that a settle writes, by slot. */
struct course {
    struct slot *slots;   /* [n_slots] */
    double *tank_wh;      /* [n_slots + 1] at slot starts */
    struct worth *stored; /* [n_slots + 1] of heat in the tank at a slot's start */
    struct slope *heat;   /* [n_slots] of captured heat */
    double *prices;       /* [n_slots] cur/Wh of probe_wh more */
};

struct hs_thermal {
    size_t n_slots;
    size_t n_sinks;
    double tank_max_wh;
    double loss_a_w;        /* W lost at min_c */
    double loss_b_w_per_wh; /* W lost per stored Wh */
    double charge_limit_w;
    double draw_limit_w;

    double loss_a_wh;
    double loss_b_ratio;
    double charge_max_wh;
    double draw_max_wh;
    double end_cur_per_wh;
    double floor_cur_per_wh;
    size_t *by_worth;       /* [n_sinks] sink indices, least worthy first */
    double *cur_per_wh;     /* [n_sinks] in that order */
    double *sink_demand_wh; /* [n_slots][n_sinks] in that order */
    struct course now;
    struct course before; /* what the last settle wrote over, in slots before_first..before_end */
    size_t before_first;
    size_t before_end;
    size_t undo_first; /* where heat was laid last */
    size_t undo_end;
    bool is_laid_once; /* since the settle before */
    bool may_undo;     /* nothing was laid since the last settle, and once before it */
    double probe_wh;

    size_t laid_first; /* heat was laid in laid_first..laid_end-1 since the last settle */
    size_t laid_end;   /* 0: none */
    bool is_new;       /* nothing of the present course holds */
};

static void init_course(struct course *course, size_t n_slots)
{
    course->slots = hs_xcalloc(n_slots, sizeof(*course->slots));
    course->tank_wh = hs_xcalloc(n_slots + 1, sizeof(*course->tank_wh));
    course->stored = hs_xcalloc(n_slots + 1, sizeof(*course->stored));
    course->heat = hs_xcalloc(n_slots, sizeof(*course->heat));
    course->prices = hs_xcalloc(n_slots, sizeof(*course->prices));
}

static void fini_course(struct course *course)
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

/* fmin() and fmax() mind NAN, which never comes here, and cost a call in the innermost loop. */
static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* --- one slot of the plant --- */

/* Energy left after the slot's loss; never below 0, never more than before. */
static inline double keep_after_loss(const struct hs_thermal *th, double stored_wh)
{
    double loss_wh = th->loss_a_wh + th->loss_b_ratio * stored_wh;

    return stored_wh - smaller(larger(loss_wh, 0.0), stored_wh);
}

/* Cost of leaving @unserved_wh to backup: the least worthy sinks go without first. */
static inline double price_unserved(const struct hs_thermal *th, size_t t, double unserved_wh)
{
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double cost_cur = 0.0;

    if (th->n_sinks == 1) {
        return smaller(unserved_wh, demand_wh[0]) * th->cur_per_wh[0];
    }
    for (size_t k = 0; k < th->n_sinks && unserved_wh > 0; k++) {
        double part_wh = smaller(unserved_wh, demand_wh[k]);

        cost_cur += part_wh * th->cur_per_wh[k];
        unserved_wh -= part_wh;
    }
    return cost_cur;
}

/* What ending slot @t with @stored_wh falls short of comfort. */
static inline double price_short(const struct hs_thermal *th, size_t t, double stored_wh)
{
    return larger(th->now.slots[t].floor_wh - stored_wh, 0.0) * th->floor_cur_per_wh;
}

/* Run slot @t from @stored_wh with @captured_wh; the tank at its end and the slot's cost. */
static inline double run_slot(const struct hs_thermal *th, size_t t, double stored_wh,
                              double captured_wh, double *ret_cost_cur, double *ret_rejected_wh)
{
    const struct slot *slot = &th->now.slots[t];
    double kept_wh = keep_after_loss(th, stored_wh);
    double over_wh = captured_wh - slot->demand_wh;

    if (over_wh >= 0) {
        double charge_wh = smaller(smaller(over_wh, th->charge_max_wh), th->tank_max_wh - kept_wh);

        charge_wh = larger(charge_wh, 0.0);
        *ret_rejected_wh = over_wh - charge_wh;
        *ret_cost_cur =
            *ret_rejected_wh * slot->reject_cur_per_wh + price_short(th, t, kept_wh + charge_wh);
        return kept_wh + charge_wh;
    }
    double draw_wh = smaller(smaller(-over_wh, th->draw_max_wh), kept_wh);

    *ret_rejected_wh = 0.0;
    *ret_cost_cur =
        price_unserved(th, t, -over_wh - draw_wh) + price_short(th, t, kept_wh - draw_wh);
    return kept_wh - draw_wh;
}

/* --- slopes --- */

static inline void append(struct worth *worth, double cur_per_wh, double room_wh)
{
    size_t n = worth->n;

    if (room_wh <= LEAST_WH || n == PIECES_MAX) {
        return; /* past what is kept nobody knows */
    }
    if (n > 0 && worth->pieces[n - 1].cur_per_wh == cur_per_wh) {
        worth->pieces[n - 1].room_wh += room_wh;
        return;
    }
    worth->pieces[n] = (struct slope){cur_per_wh, room_wh};
    worth->n = n + 1;
}

/* The first @room_wh of @more, times @ratio each, over rooms that are as much longer. */
static inline double append_worth(struct worth *worth, const struct worth *more, double ratio,
                                  double room_wh)
{
    double seen_wh = 0.0;

    for (size_t i = 0; i < more->n && seen_wh < room_wh; i++) {
        double part_wh = smaller(more->pieces[i].room_wh, room_wh - seen_wh);

        append(worth, more->pieces[i].cur_per_wh * ratio, part_wh / ratio);
        seen_wh += part_wh;
    }
    return seen_wh;
}

/* What serving the first @room_wh of @unserved_wh saves: the worthiest that go without first. */
static void append_served(const struct hs_thermal *th, size_t t, double unserved_wh, double ratio,
                          double room_wh, struct worth *worth)
{
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double below_wh = th->now.slots[t].demand_wh; /* of sinks up to this one */

    for (size_t k = th->n_sinks; k-- > 0 && room_wh > 0;) {
        below_wh = k > 0 ? below_wh - demand_wh[k] : 0.0;
        double part_wh = smaller(larger(unserved_wh - below_wh, 0.0), room_wh);

        append(worth, th->cur_per_wh[k] * ratio, part_wh / ratio);
        unserved_wh -= part_wh;
        room_wh -= part_wh;
    }
}

/* Worth of what slot @t leaves in the tank where comfort asks for more. */
static const struct worth *find_left(const struct hs_thermal *th, size_t t, struct worth *scratch)
{
    const struct worth *next = &th->now.stored[t + 1];
    double short_wh = th->now.slots[t].floor_wh - th->now.tank_wh[t + 1];

    if (short_wh <= LEAST_WH) {
        return next;
    }
    scratch->n = 0;
    for (size_t i = 0; i < next->n; i++) {
        double part_wh = smaller(next->pieces[i].room_wh, larger(short_wh, 0.0));

        append(scratch, next->pieces[i].cur_per_wh + th->floor_cur_per_wh, part_wh);
        append(scratch, next->pieces[i].cur_per_wh, next->pieces[i].room_wh - part_wh);
        short_wh -= part_wh;
    }
    return scratch;
}

/* Worth of heat that the loss of slot @t has left, times @ratio. */
static void append_kept(const struct hs_thermal *th, size_t t, double kept_wh,
                        const struct worth *left, double ratio, struct worth *worth)
{
    const struct slot *slot = &th->now.slots[t];
    double over_wh = slot->captured_wh - slot->demand_wh;

    if (over_wh >= 0) {
        double room_wh = th->tank_max_wh - kept_wh - smaller(over_wh, th->charge_max_wh);

        if (append_worth(worth, left, ratio, room_wh) >= room_wh) {
            append(worth, -slot->reject_cur_per_wh * ratio, INFINITY);
        }
        return;
    }
    double draw_max_wh = smaller(-over_wh, th->draw_max_wh);

    if (draw_max_wh > kept_wh) {
        append_served(th, t, -over_wh - kept_wh, ratio, draw_max_wh - kept_wh, worth);
    }
    (void)append_worth(worth, left, ratio, INFINITY);
}

/* Worth of what is stored when slot @t begins, through its loss, which bends where the tank is as
 * warm as its surroundings and where all is lost. */
static void find_stored(const struct hs_thermal *th, size_t t, const struct worth *left,
                        struct worth *ret_stored)
{
    double stored_wh = th->now.tank_wh[t];
    double loss_wh = th->loss_a_wh + th->loss_b_ratio * stored_wh;
    double keep_ratio = 1.0 - th->loss_b_ratio;

    ret_stored->n = 0;
    if (loss_wh < 0.0) {
        struct worth kept = {.n = 0};

        append_kept(th, t, stored_wh, left, 1.0, &kept);
        (void)append_worth(ret_stored, &kept, 1.0, -loss_wh / th->loss_b_ratio);
        return;
    }
    if (loss_wh > stored_wh) {
        append(ret_stored, 0.0, th->loss_a_wh / keep_ratio - stored_wh);
    }
    append_kept(th, t, keep_after_loss(th, stored_wh), left, keep_ratio, ret_stored);
}

/* Worth of captured heat in slot @t: of the least, and of probe_wh by itself. */
static void find_heat(struct hs_thermal *th, size_t t, const struct worth *left)
{
    const struct slot *slot = &th->now.slots[t];
    double kept_wh = keep_after_loss(th, th->now.tank_wh[t]);
    double over_wh = slot->captured_wh - slot->demand_wh;
    struct worth heat = {.n = 0};

    if (over_wh >= 0) {
        double room_wh = larger(th->tank_max_wh - kept_wh - over_wh, 0.0);

        room_wh = smaller(room_wh, larger(th->charge_max_wh - over_wh, 0.0));
        if (append_worth(&heat, left, 1.0, room_wh) >= room_wh) {
            append(&heat, -slot->reject_cur_per_wh, INFINITY);
        }
    } else {
        double unserved_wh = -over_wh - smaller(smaller(-over_wh, th->draw_max_wh), kept_wh);

        append_served(th, t, unserved_wh, 1.0, unserved_wh, &heat);
        (void)append_worth(&heat, left, 1.0, -over_wh - unserved_wh);
    }
    th->now.heat[t] = heat.n > 0 ? heat.pieces[0] : (struct slope){0.0, 0.0};
    th->now.prices[t] = th->now.heat[t].room_wh >= th->probe_wh
                            ? th->now.heat[t].cur_per_wh
                            : hs_thermal_get_worth(th, t, th->probe_wh) / th->probe_wh;
}

/* What @more_wh more is worth; NAN where the pieces do not reach so far. */
static double read_worth(const struct worth *worth, double more_wh)
{
    double cur = 0.0;

    for (size_t i = 0; i < worth->n; i++) {
        const struct slope *piece = &worth->pieces[i];

        if (more_wh <= piece->room_wh) {
            return cur + more_wh * piece->cur_per_wh;
        }
        cur += piece->room_wh * piece->cur_per_wh;
        more_wh -= piece->room_wh;
    }
    return more_wh <= LEAST_WH ? cur : (double)NAN;
}

static bool is_same_worth(const struct worth *a, const struct worth *b)
{
    return a->n == b->n && memcmp(a->pieces, b->pieces, a->n * sizeof(struct slope)) == 0;
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
        th->now.tank_wh[t + 1] = run_slot(th, t, th->now.tank_wh[t], th->now.slots[t].captured_wh,
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
        struct worth scratch;
        const struct worth *left = find_left(th, t, &scratch);

        th->before.heat[t] = th->now.heat[t];
        th->before.prices[t] = th->now.prices[t];
        th->before.stored[t] = th->now.stored[t];
        find_heat(th, t, left);
        find_stored(th, t, left, &th->now.stored[t]);
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
    th->loss_b_ratio = smaller(hs_wh_from_w(th->loss_b_w_per_wh, input->slot_s), 0.99);
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
        th->now.slots[t] = (struct slot){
            .captured_wh = input->captured_wh[t],
            .demand_wh = demand_wh,
            .reject_cur_per_wh = input->reject_cur_per_wh[t],
            .floor_wh = input->floor_wh != NULL ? input->floor_wh[t] : 0.0,
        };
        th->now.slots[t].floor_wh = smaller(th->now.slots[t].floor_wh, th->tank_max_wh);
    }
    th->probe_wh = larger(input->probe_wh, 1.0);
    th->now.tank_wh[0] = smaller(larger(input->tank_wh, 0.0), th->tank_max_wh);
    th->now.stored[th->n_slots] =
        (struct worth){.pieces = {{th->end_cur_per_wh, INFINITY}}, .n = 1};
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
        with_wh =
            run_slot(th, t, with_wh, th->now.slots[t].captured_wh + extra, &with_cur, &rejected_wh);
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

    (void)run_slot(th, slot, th->now.tank_wh[slot], th->now.slots[slot].captured_wh, &cost_cur,
                   &rejected_wh);
    return rejected_wh;
}

double hs_thermal_get_unserved_wh(const struct hs_thermal *th, size_t slot)
{
    double short_wh = th->now.slots[slot].demand_wh - th->now.slots[slot].captured_wh;
    double kept_wh = keep_after_loss(th, th->now.tank_wh[slot]);

    return short_wh > 0 ? short_wh - smaller(smaller(short_wh, th->draw_max_wh), kept_wh) : 0.0;
}

double hs_thermal_get_captured_wh(const struct hs_thermal *th, size_t slot)
{
    return th->now.slots[slot].captured_wh;
}
