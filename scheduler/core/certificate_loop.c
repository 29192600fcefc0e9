/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_loop - the cheapest course of a loop that may buy heat slot by slot.
 *
 * V_t(E), the cost from slot t on with E in the tank, is convex and piecewise linear once the loss
 * may lie anywhere in the convex hull of what it is. A slot is an infimal convolution: its own
 * slopes (unserved sinks, heat bought, heat rejected) and those of V_t+1 sorted into each other;
 * the loss stretches what comes out. Backward for V, forward for the course.
 *
 * Heat may be bought at a price that rises with what is bought: then the course is that of the
 * next prices, which keep near the present ones (a proximal step), and slopes rise within segments.
 */
#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/certificate_loop_priv.h"

#define SLIVER_WH 1e-9 /* less is rounding, and joins its neighbour */

static struct hs_certificate_tank read_tank(const struct hs_certificate *cert, size_t loop_idx)
{
    const struct hs_tank *tank = &cert->estate->loops[loop_idx].tank;
    struct hs_certificate_tank ret = {.charge_max_wh = INFINITY, .draw_max_wh = INFINITY};

    if (!tank->present) {
        return ret;
    }
    ret.max_wh = hs_tank_max_wh(tank);
    ret.charge_max_wh = hs_wh_from_w(tank->charge_limit_w, cert->slot_s);
    ret.draw_max_wh = hs_wh_from_w(tank->draw_limit_w, cert->slot_s);
    if (ret.max_wh > 0) {
        double slot_wh_per_k = hs_wh_from_w(tank->loss_w_per_k, cert->slot_s);

        ret.loss_a_wh = slot_wh_per_k * (tank->min_c - tank->ambient_c);
        ret.loss_b_ratio = hs_least(slot_wh_per_k / (tank->volume_l * HS_WATER_WH_PER_L_K), 0.99);
    }
    return ret;
}

/* What a full tank keeps, as a share: the chord of the loss. */
static double find_chord(const struct hs_certificate_tank *tank)
{
    double kept_wh = (1.0 - tank->loss_b_ratio) * tank->max_wh - tank->loss_a_wh;

    return tank->max_wh > 0 ? hs_most(0.0, hs_least(kept_wh / tank->max_wh, 1.0)) : 0.0;
}

/* The tank keeps between find_lowest() and find_highest() of what it held. */
static double find_lowest(const struct hs_certificate_tank *tank, double chord, double stored_wh)
{
    return tank->loss_a_wh >= 0
               ? hs_most(0.0, (1.0 - tank->loss_b_ratio) * stored_wh - tank->loss_a_wh)
               : chord * stored_wh;
}

static double find_highest(const struct hs_certificate_tank *tank, double chord, double stored_wh)
{
    return tank->loss_a_wh >= 0
               ? chord * stored_wh
               : hs_least(stored_wh, (1.0 - tank->loss_b_ratio) * stored_wh - tank->loss_a_wh);
}

/* --- convex functions --- */

/* A function from 0 on: segments by slope. */
struct curve {
    struct hs_certificate_segment *items;
    size_t n;
    double width;
    double at_zero_cur;
};

/* Add @segment at the end; what is beyond @max_wh is left out. */
static void append(struct curve *curve, struct hs_certificate_segment segment, double max_wh)
{
    if (segment.width > max_wh - curve->width) {
        segment = hs_certificate_cut(&segment, max_wh - curve->width);
    }
    if (!(segment.width > 0)) {
        return;
    }
    curve->width += segment.width;
    if (curve->n > 0 && segment.width < SLIVER_WH) {
        curve->items[curve->n - 1].width += segment.width;
        return;
    }
    if (curve->n > 0 && curve->items[curve->n - 1].slope == segment.slope && segment.rise == 0
        && curve->items[curve->n - 1].rise == 0) {
        curve->items[curve->n - 1].width += segment.width;
        return;
    }
    curve->items[curve->n++] = segment;
}

static void append_flat(struct curve *curve, double width, double slope, double max_wh)
{
    append(curve, (struct hs_certificate_segment){.width = width, .slope = slope}, max_wh);
}

static double get_value(const struct curve *curve, double at_wh)
{
    double cur = curve->at_zero_cur;

    for (size_t i = 0; i < curve->n && at_wh > 0; i++) {
        struct hs_certificate_segment rest = curve->items[i];
        struct hs_certificate_segment part = hs_certificate_cut(&rest, at_wh);

        cur += hs_certificate_price_segment(&part);
        at_wh -= part.width;
    }
    return cur;
}

/* Every Wh below @floor_wh costs @cur_per_wh. */
static void add_floor(struct curve *curve, double floor_wh, double cur_per_wh)
{
    size_t i = 0;

    curve->at_zero_cur += hs_least(floor_wh, curve->width) * cur_per_wh;
    for (; i < curve->n && floor_wh >= curve->items[i].width; i++) {
        floor_wh -= curve->items[i].width;
        curve->items[i].slope -= cur_per_wh;
    }
    if (i == curve->n || !(floor_wh > 0)) {
        return;
    }
    for (size_t k = curve->n++; k > i; k--) {
        curve->items[k] = curve->items[k - 1];
    }
    curve->items[i] = hs_certificate_cut(&curve->items[i + 1], floor_wh);
    curve->items[i].slope -= cur_per_wh;
}

/* --- a slot and what follows --- */

/* Two functions walked together in the order of their slopes. */
struct zip {
    const struct curve *left;
    const struct hs_certificate_draw *draw;
    size_t a;
    size_t b;
    struct hs_certificate_segment left_rest;
    struct hs_certificate_segment draw_rest;
};

static struct zip open_zip(const struct curve *left, const struct hs_certificate_draw *draw)
{
    struct zip zip = {.left = left, .draw = draw};

    if (left->n > 0) {
        zip.left_rest = left->items[0];
    }
    if (draw->n > 0) {
        zip.draw_rest = draw->items[0];
    }
    return zip;
}

static void pull(struct hs_certificate_segment *rest, const struct hs_certificate_segment *items,
                 size_t n, size_t *io_at)
{
    while (*io_at < n && !(rest->width > 0)) {
        (*io_at)++;
        *rest = *io_at < n ? items[*io_at] : *rest;
    }
}

/* How much of @segment lies below @slope, which is not below its start. */
static double width_below(const struct hs_certificate_segment *segment, double slope)
{
    if (slope >= segment->slope + segment->rise) {
        return segment->width;
    }
    return segment->width * (slope - segment->slope) / segment->rise;
}

/* Cut off what lies below @slope. What is left begins there to the bit: or it would be cut again.
 */
static struct hs_certificate_segment cut_below(struct hs_certificate_segment *io_segment,
                                               double slope)
{
    double end = io_segment->slope + io_segment->rise;
    struct hs_certificate_segment part =
        hs_certificate_cut(io_segment, width_below(io_segment, slope));

    if (slope >= end || io_segment->width < SLIVER_WH) {
        part.width += io_segment->width;
        io_segment->width = 0.0;
    } else {
        io_segment->slope = slope;
        io_segment->rise = end - slope;
    }
    return part;
}

/*
 * The next stretch in which the slope is flat or rises evenly.
 *
 * @param ret_left_wh    how much of it is what follows'
 * @param ret_bought_wh  how much is heat not bought
 * @return false at the end
 */
static bool next_stretch(struct zip *zip, struct hs_certificate_segment *ret_segment,
                         double *ret_left_wh, double *ret_bought_wh)
{
    struct hs_certificate_segment *a = &zip->left_rest;
    struct hs_certificate_segment *b = &zip->draw_rest;

    pull(a, zip->left->items, zip->left->n, &zip->a);
    pull(b, zip->draw->items, zip->draw->n, &zip->b);
    bool has_left = zip->a < zip->left->n;
    bool has_draw = zip->b < zip->draw->n;

    *ret_left_wh = 0.0;
    *ret_bought_wh = 0.0;
    if (!has_left && !has_draw) {
        return false;
    }
    if (has_left && (!has_draw || a->slope < b->slope || (a->slope == b->slope && a->rise <= 0))) {
        *ret_segment = cut_below(a, has_draw && a->rise > 0 ? b->slope : (double)INFINITY);
        *ret_left_wh = ret_segment->width;
    } else if (!has_left || b->slope < a->slope || b->rise <= 0) {
        *ret_segment = cut_below(b, has_left && b->rise > 0 ? a->slope : (double)INFINITY);
        *ret_bought_wh = ret_segment->is_bought ? ret_segment->width : 0.0;
    } else {
        double until = hs_least(a->slope + a->rise, b->slope + b->rise);
        struct hs_certificate_segment more = cut_below(b, until);

        *ret_segment = cut_below(a, until);
        *ret_left_wh = ret_segment->width;
        *ret_bought_wh = more.is_bought ? more.width : 0.0;
        ret_segment->width += more.width;
    }
    return true;
}

/* The slot's cost and what follows, over what the loss has left: @left and @draw in one. */
static void merge(const struct hs_certificate_tank *tank, const struct hs_certificate_draw *draw,
                  const struct curve *left, struct curve *ret_curve)
{
    struct zip zip = open_zip(left, draw);
    struct hs_certificate_segment segment;
    double skip_wh = -draw->first_wh;
    double left_wh;
    double bought_wh;

    ret_curve->n = 0;
    ret_curve->width = 0.0;
    ret_curve->at_zero_cur = draw->first_cur + left->at_zero_cur;
    while (ret_curve->width < tank->max_wh + hs_most(skip_wh, 0.0)
           && next_stretch(&zip, &segment, &left_wh, &bought_wh)) {
        if (skip_wh > 0) {
            struct hs_certificate_segment skipped = hs_certificate_cut(&segment, skip_wh);

            ret_curve->at_zero_cur += hs_certificate_price_segment(&skipped);
            skip_wh -= skipped.width;
        }
        segment.is_bought = false;
        append(ret_curve, segment, tank->max_wh);
    }
}

/* From @kept_wh after the loss: what stays in the tank, and how much is not bought. */
static double split(const struct hs_certificate_draw *draw, const struct curve *left,
                    double kept_wh, double *ret_not_bought_wh)
{
    struct zip zip = open_zip(left, draw);
    struct hs_certificate_segment segment;
    double rest_wh = kept_wh - draw->first_wh;
    double stays_wh = 0.0;
    double left_wh;
    double bought_wh;

    *ret_not_bought_wh = 0.0;
    while (rest_wh > 0 && next_stretch(&zip, &segment, &left_wh, &bought_wh)) {
        double share = hs_least(1.0, rest_wh / segment.width);

        stays_wh += share * left_wh;
        *ret_not_bought_wh += share * bought_wh;
        rest_wh -= segment.width;
    }
    return stays_wh;
}

/* --- the loss --- */

/* Where @curve is least; there it is cut in two. */
static double find_least(struct curve *curve)
{
    double at_wh = 0.0;
    size_t i = 0;

    for (; i < curve->n && curve->items[i].slope + curve->items[i].rise <= 0; i++) {
        at_wh += curve->items[i].width;
    }
    if (i < curve->n && curve->items[i].slope < 0) {
        for (size_t k = curve->n++; k > i; k--) {
            curve->items[k] = curve->items[k - 1];
        }
        curve->items[i] =
            hs_certificate_cut(&curve->items[i + 1], -curve->items[i].slope / curve->items[i].rise
                                                         * curve->items[i].width);
        at_wh += curve->items[i].width;
    }
    return at_wh;
}

static struct hs_certificate_segment stretch(struct hs_certificate_segment segment, double ratio,
                                             double inverse)
{
    segment.width *= inverse;
    segment.slope *= ratio;
    segment.rise *= ratio;
    return segment;
}

/* From what is kept to what was stored: falling slopes keep most, rising ones least. */
static void lose(const struct hs_certificate_tank *tank, double chord, const struct curve *kept,
                 double least_wh, struct curve *ret_curve)
{
    double keep_ratio = 1.0 - tank->loss_b_ratio;
    double knee_wh =
        tank->loss_a_wh < 0 ? -tank->loss_a_wh / hs_most(tank->loss_b_ratio, 1e-12) : 0;
    double low_ratio = tank->loss_a_wh < 0 ? chord : keep_ratio;
    double high_ratio = tank->loss_a_wh < 0 ? keep_ratio : chord;
    double at_wh = 0.0;
    size_t i = 0;

    ret_curve->n = 0;
    ret_curve->width = 0.0;
    ret_curve->at_zero_cur = kept->at_zero_cur;
    for (; i < kept->n && at_wh < least_wh; i++) {
        struct hs_certificate_segment above = kept->items[i];

        at_wh += above.width;
        if (knee_wh > at_wh - above.width) {
            append(ret_curve, hs_certificate_cut(&above, knee_wh - (at_wh - above.width)),
                   tank->max_wh);
        }
        if (high_ratio > 0) {
            append(ret_curve, stretch(above, high_ratio, 1.0 / high_ratio), tank->max_wh);
        }
    }
    double low_a_wh = hs_most(tank->loss_a_wh, 0.0);
    double flat_end_wh = low_ratio > 0 ? (least_wh + low_a_wh) / low_ratio : INFINITY;

    append_flat(ret_curve, hs_most(0.0, flat_end_wh - ret_curve->width), 0.0, tank->max_wh);
    double inverse = 1.0 / low_ratio;

    for (; i < kept->n && low_ratio > 0 && ret_curve->width < tank->max_wh; i++) {
        append(ret_curve, stretch(kept->items[i], low_ratio, inverse), tank->max_wh);
    }
    append_flat(ret_curve, tank->max_wh - ret_curve->width, 0.0, tank->max_wh);
}

/* --- the course --- */

static void follow(struct hs_certificate *cert, const struct hs_certificate_tank *tank,
                   size_t loop_idx, bool is_bent, const struct curve *curves,
                   const double *least_wh, double stored_wh)
{
    double chord = find_chord(tank);

    for (size_t t = 0; t < cert->n_slots; t++) {
        struct hs_certificate_draw draw;
        double not_bought_wh;
        double kept_wh = hs_most(find_lowest(tank, chord, stored_wh),
                                 hs_least(least_wh[t], find_highest(tank, chord, stored_wh)));

        hs_certificate_loop_read_slot(cert, tank, loop_idx, t, is_bent, &draw);
        stored_wh = split(&draw, &curves[t + 1], kept_wh, &not_bought_wh);
        cert->bought_wh[loop_idx * cert->n_slots + t] =
            hs_most(0.0, draw.bought_wh - not_bought_wh);
    }
}

static double solve(struct hs_certificate *cert, size_t loop_idx, bool is_bent)
{
    struct hs_certificate_tank tank = read_tank(cert, loop_idx);
    double chord = find_chord(&tank);
    const struct hs_thermal_input *input = &cert->inputs[loop_idx];
    struct curve curves[HS_PLAN_SLOTS_MAX + 1];
    double least_wh[HS_PLAN_SLOTS_MAX];
    struct hs_certificate_segment *next = cert->segments;
    size_t n = cert->n_slots;
    struct curve merged = {.items = cert->merged};

    curves[n] = (struct curve){.items = next};
    append_flat(&curves[n], tank.max_wh, -input->end_cur_per_wh, tank.max_wh);
    for (size_t t = n; t-- > 0;) {
        struct hs_certificate_draw draw;

        if (input->floor_wh != NULL && input->floor_cur_per_wh > 0) {
            add_floor(&curves[t + 1], input->floor_wh[t], input->floor_cur_per_wh);
        }
        next += curves[t + 1].n;
        hs_certificate_loop_read_slot(cert, &tank, loop_idx, t, is_bent, &draw);
        merge(&tank, &draw, &curves[t + 1], &merged);
        least_wh[t] = find_least(&merged);
        curves[t].items = next;
        lose(&tank, chord, &merged, least_wh[t], &curves[t]);
    }
    double stored_wh = hs_most(0.0, hs_least(input->tank_wh, tank.max_wh));

    follow(cert, &tank, loop_idx, is_bent, curves, least_wh, stored_wh);
    return get_value(&curves[0], stored_wh);
}

double hs_certificate_solve_loop(struct hs_certificate *cert, size_t loop_idx)
{
    return solve(cert, loop_idx, false);
}

/* A course that is cheapest at prices that bend is so at those it ends at, too. */
void hs_certificate_move_loop(struct hs_certificate *cert, size_t loop_idx)
{
    size_t n = cert->n_slots;

    (void)solve(cert, loop_idx, true);
    for (size_t i = loop_idx * n; i < (loop_idx + 1) * n; i++) {
        double reject = cert->inputs[loop_idx].reject_cur_per_wh[i % n];
        double price = cert->heat_cur_per_wh[i]
                       + cert->steep[i] * (cert->bought_wh[i] - cert->mean_given_wh[i]);

        price = hs_most(-reject, hs_least(price, cert->heat_max_cur[loop_idx]));
        cert->heat_cur_per_wh[i] = price;
    }
}
