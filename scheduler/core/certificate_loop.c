/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_loop - the cheapest course of a loop that may buy heat slot by slot.
 *
 * V_t(E), the cost from slot t on with E in the tank, is convex and piecewise linear once the loss
 * may lie anywhere in the convex hull of what it is. A slot is an infimal convolution: its own
 * slopes (unserved sinks, heat bought, heat rejected) and those of V_t+1 sorted into each other;
 * the loss stretches what comes out. Backward for V, forward for the course.
 */
#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* A loop's constants. */
struct tank {
    double max_wh;
    double loss_a_wh;
    double loss_b_ratio;
    double charge_max_wh;
    double draw_max_wh;
};

/* The tank keeps between low(E) and high(E) of what it held: see find_lowest() and find_highest().
 */
static struct tank read_tank(const struct hs_certificate *cert, size_t loop_idx)
{
    const struct hs_tank *tank = &cert->estate->loops[loop_idx].tank;
    struct tank ret = {.charge_max_wh = INFINITY, .draw_max_wh = INFINITY};

    if (!tank->present) {
        return ret;
    }
    ret.max_wh = hs_tank_max_wh(tank);
    ret.charge_max_wh = hs_wh_from_w(tank->charge_limit_w, cert->slot_s);
    ret.draw_max_wh = hs_wh_from_w(tank->draw_limit_w, cert->slot_s);
    if (ret.max_wh > 0) {
        double slot_wh_per_k = hs_wh_from_w(tank->loss_w_per_k, cert->slot_s);

        ret.loss_a_wh = slot_wh_per_k * (tank->min_c - tank->ambient_c);
        ret.loss_b_ratio = smaller(slot_wh_per_k / (tank->volume_l * HS_WATER_WH_PER_L_K), 0.99);
    }
    return ret;
}

/* What a full tank keeps, as a share: the chord of the loss. */
static double find_chord(const struct tank *tank)
{
    double kept_wh = (1.0 - tank->loss_b_ratio) * tank->max_wh - tank->loss_a_wh;

    return tank->max_wh > 0 ? larger(0.0, smaller(kept_wh / tank->max_wh, 1.0)) : 0.0;
}

static double find_lowest(const struct tank *tank, double chord, double stored_wh)
{
    return tank->loss_a_wh >= 0
               ? larger(0.0, (1.0 - tank->loss_b_ratio) * stored_wh - tank->loss_a_wh)
               : chord * stored_wh;
}

static double find_highest(const struct tank *tank, double chord, double stored_wh)
{
    return tank->loss_a_wh >= 0
               ? chord * stored_wh
               : smaller(stored_wh, (1.0 - tank->loss_b_ratio) * stored_wh - tank->loss_a_wh);
}

/* --- one slot by itself --- */

/* What a slot may draw, cheapest Wh first, from first_wh (negative: it charges). */
struct draw {
    struct hs_certificate_segment *items; /* [n_sinks + 2] */
    size_t n;
    size_t bought;    /* which item is heat not bought */
    double bought_wh; /* at first_wh */
    double first_wh;
    double first_cur; /* its cost at first_wh */
};

static void insert(struct draw *draw, double width, double slope, bool is_bought)
{
    size_t at = draw->n++;

    while (at > 0 && draw->items[at - 1].slope > slope) {
        draw->items[at] = draw->items[at - 1];
        at--;
    }
    draw->bought += at <= draw->bought;
    draw->bought = is_bought ? at : draw->bought;
    draw->items[at] = (struct hs_certificate_segment){width, slope};
}

/* Drop the first @wh: more than so much the tank does not take. */
static void trim(struct draw *draw, double wh)
{
    for (size_t i = 0; i < draw->n && wh > 0; i++) {
        double part_wh = smaller(draw->items[i].width, wh);

        draw->first_wh += part_wh;
        draw->first_cur += part_wh * draw->items[i].slope;
        draw->items[i].width -= part_wh;
        wh -= part_wh;
    }
}

/* At first everything is bought and nobody served: all goes into the tank. */
static void read_slot(const struct hs_certificate *cert, const struct tank *tank, size_t loop_idx,
                      size_t t, struct draw *ret_draw)
{
    const struct hs_heatloop *loop = &cert->estate->loops[loop_idx];
    size_t i = loop_idx * cert->n_slots + t;
    double heat_max_wh = cert->heat_max_wh[i];
    double held_wh = 0.0;

    *ret_draw = (struct draw){.items = cert->draws};
    ret_draw->first_wh = -(cert->captured_wh[i] + heat_max_wh);
    ret_draw->first_cur = cert->heat_cur_per_wh[i] * heat_max_wh;
    insert(ret_draw, heat_max_wh, -cert->heat_cur_per_wh[i], true);
    held_wh += heat_max_wh;
    for (size_t k = 0; k < loop->n_sinks; k++) {
        size_t sink_idx = loop->first_sink_idx + k;
        double demand_wh = cert->sink_demand_wh[sink_idx * cert->n_slots + t];
        double cur_per_wh = cert->sink_cur_per_mwh[sink_idx] * 1e-6;

        insert(ret_draw, demand_wh, -cur_per_wh, false);
        ret_draw->first_cur += demand_wh * cur_per_wh;
        held_wh += demand_wh;
    }
    ret_draw->items[ret_draw->n++] =
        (struct hs_certificate_segment){tank->max_wh + larger(0.0, -(ret_draw->first_wh + held_wh))
                                            + larger(0.0, ret_draw->first_wh + held_wh) + 1.0,
                                        cert->inputs[loop_idx].reject_cur_per_wh[t]};
    trim(ret_draw, -tank->charge_max_wh - ret_draw->first_wh);
    ret_draw->bought_wh = ret_draw->items[ret_draw->bought].width;
    double room_wh = tank->draw_max_wh - ret_draw->first_wh;

    for (size_t k = 0; k < ret_draw->n; k++) {
        ret_draw->items[k].width = smaller(ret_draw->items[k].width, larger(0.0, room_wh));
        room_wh -= ret_draw->items[k].width;
    }
}

/* --- functions of the tank --- */

/* A function on 0..max_wh: segments by slope. */
struct curve {
    struct hs_certificate_segment *items;
    size_t n;
    double width;
    double at_zero_cur;
};

static void append(struct curve *curve, double width, double slope, double max_wh)
{
    width = smaller(width, max_wh - curve->width);
    if (!(width > 0)) {
        return;
    }
    curve->width += width;
    if (curve->n > 0 && curve->items[curve->n - 1].slope == slope) {
        curve->items[curve->n - 1].width += width;
        return;
    }
    curve->items[curve->n++] = (struct hs_certificate_segment){width, slope};
}

/* The slot's cost and what follows, over what the loss has left: @left and @draw in one. */
static void merge(const struct tank *tank, const struct draw *draw, const struct curve *left,
                  struct curve *ret_curve)
{
    double skip_wh = -draw->first_wh;
    size_t a = 0;
    size_t b = 0;

    ret_curve->n = 0;
    ret_curve->width = 0.0;
    ret_curve->at_zero_cur = draw->first_cur + left->at_zero_cur;
    while (a < left->n || b < draw->n) {
        bool is_left =
            b == draw->n || (a < left->n && left->items[a].slope <= draw->items[b].slope);
        struct hs_certificate_segment item = is_left ? left->items[a++] : draw->items[b++];
        double skipped_wh = smaller(skip_wh, item.width);

        if (skip_wh > 0) {
            ret_curve->at_zero_cur += skipped_wh * item.slope;
            skip_wh -= skipped_wh;
            item.width -= skipped_wh;
        }
        append(ret_curve, item.width, item.slope, tank->max_wh);
    }
}

/* Where @curve is least. */
static double find_least(const struct curve *curve)
{
    double at_wh = 0.0;

    for (size_t i = 0; i < curve->n && curve->items[i].slope < 0; i++) {
        at_wh += curve->items[i].width;
    }
    return at_wh;
}

/* Stretch what is kept to what was stored: falling slopes keep most, rising ones least. */
static void lose(const struct tank *tank, double chord, const struct curve *kept,
                 struct curve *ret_curve)
{
    double keep_ratio = 1.0 - tank->loss_b_ratio;
    double knee_wh = tank->loss_a_wh < 0 ? -tank->loss_a_wh / larger(tank->loss_b_ratio, 1e-12) : 0;
    double low_ratio = tank->loss_a_wh < 0 ? chord : keep_ratio;
    double high_ratio = tank->loss_a_wh < 0 ? keep_ratio : chord;
    double at_wh = 0.0;
    size_t i = 0;

    ret_curve->n = 0;
    ret_curve->width = 0.0;
    ret_curve->at_zero_cur = kept->at_zero_cur;
    for (; i < kept->n && kept->items[i].slope < 0; i++) {
        double below_wh = larger(0.0, smaller(kept->items[i].width, knee_wh - at_wh));
        double above_wh = kept->items[i].width - below_wh;

        append(ret_curve, below_wh, kept->items[i].slope, tank->max_wh);
        if (high_ratio > 0) {
            append(ret_curve, above_wh / high_ratio, kept->items[i].slope * high_ratio,
                   tank->max_wh);
        }
        at_wh += kept->items[i].width;
    }
    double low_a_wh = larger(tank->loss_a_wh, 0.0);
    double flat_end_wh = low_ratio > 0 ? (at_wh + low_a_wh) / low_ratio : INFINITY;

    append(ret_curve, flat_end_wh - ret_curve->width, 0.0, tank->max_wh);
    for (; i < kept->n && low_ratio > 0; i++) {
        append(ret_curve, kept->items[i].width / low_ratio, kept->items[i].slope * low_ratio,
               tank->max_wh);
    }
    append(ret_curve, tank->max_wh - ret_curve->width, 0.0, tank->max_wh);
}

static double get_value(const struct curve *curve, double at_wh)
{
    double cur = curve->at_zero_cur;

    for (size_t i = 0; i < curve->n && at_wh > 0; i++) {
        double part_wh = smaller(at_wh, curve->items[i].width);

        cur += part_wh * curve->items[i].slope;
        at_wh -= part_wh;
    }
    return cur;
}

/* --- the course --- */

/* From @kept_wh in slot @t: what stays for @left, and what is bought. */
static double split(const struct draw *draw, const struct curve *left, double kept_wh,
                    double *ret_not_bought_wh)
{
    double rest_wh = kept_wh - draw->first_wh;
    double left_wh = 0.0;
    size_t a = 0;
    size_t b = 0;

    *ret_not_bought_wh = 0.0;
    while (rest_wh > 0 && (a < left->n || b < draw->n)) {
        bool is_left =
            b == draw->n || (a < left->n && left->items[a].slope <= draw->items[b].slope);
        double part_wh = smaller(rest_wh, is_left ? left->items[a].width : draw->items[b].width);

        left_wh += is_left ? part_wh : 0.0;
        *ret_not_bought_wh += !is_left && b == draw->bought ? part_wh : 0.0;
        rest_wh -= part_wh;
        a += is_left;
        b += !is_left;
    }
    return left_wh;
}

static void follow(struct hs_certificate *cert, const struct tank *tank, size_t loop_idx,
                   const struct curve *curves, const double *least_wh, double stored_wh)
{
    double chord = find_chord(tank);

    for (size_t t = 0; t < cert->n_slots; t++) {
        size_t i = loop_idx * cert->n_slots + t;
        struct draw draw;
        double not_bought_wh;
        double kept_wh = larger(find_lowest(tank, chord, stored_wh),
                                smaller(least_wh[t], find_highest(tank, chord, stored_wh)));

        read_slot(cert, tank, loop_idx, t, &draw);
        stored_wh = split(&draw, &curves[t + 1], kept_wh, &not_bought_wh);
        cert->bought_wh[i] = larger(0.0, draw.bought_wh - not_bought_wh);
    }
}

double hs_certificate_solve_loop(struct hs_certificate *cert, size_t loop_idx)
{
    struct tank tank = read_tank(cert, loop_idx);
    double chord = find_chord(&tank);
    const struct hs_thermal_input *input = &cert->inputs[loop_idx];
    struct curve curves[HS_PLAN_SLOTS_MAX + 1];
    double least_wh[HS_PLAN_SLOTS_MAX];
    struct hs_certificate_segment *next = cert->segments;
    size_t n = cert->n_slots;
    struct curve merged = {.items = cert->merged};

    curves[n] = (struct curve){.items = next};
    append(&curves[n], tank.max_wh, -input->end_cur_per_wh, tank.max_wh);
    next += curves[n].n;
    for (size_t t = n; t-- > 0;) {
        struct draw draw;

        read_slot(cert, &tank, loop_idx, t, &draw);
        merge(&tank, &draw, &curves[t + 1], &merged);
        least_wh[t] = find_least(&merged);
        curves[t].items = next;
        lose(&tank, chord, &merged, &curves[t]);
        next += curves[t].n;
    }
    double stored_wh = larger(0.0, smaller(input->tank_wh, tank.max_wh));

    follow(cert, &tank, loop_idx, curves, least_wh, stored_wh);
    return get_value(&curves[0], stored_wh);
}
