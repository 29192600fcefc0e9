/* SPDX-License-Identifier: Apache-2.0 */
/* thermal_slope - what a little more heat is worth in a slot, piece by piece; see thermal.h. */
#include <math.h>

#include "scheduler/core/thermal_priv.h"

/* --- slopes --- */

static inline void append(struct hs_thermal_worth *worth, double cur_per_wh, double room_wh)
{
    size_t n = worth->n;

    if (room_wh <= HS_THERMAL_LEAST_WH || n == HS_THERMAL_PIECES_MAX) {
        return; /* past what is kept nobody knows */
    }
    if (n > 0 && worth->pieces[n - 1].cur_per_wh == cur_per_wh) {
        worth->pieces[n - 1].room_wh += room_wh;
        return;
    }
    worth->pieces[n] = (struct hs_thermal_slope){cur_per_wh, room_wh};
    worth->n = n + 1;
}

/* The first @room_wh of @more, times @ratio each, over rooms that are as much longer. */
static inline double append_worth(struct hs_thermal_worth *worth,
                                  const struct hs_thermal_worth *more, double ratio, double room_wh)
{
    double seen_wh = 0.0;

    for (size_t i = 0; i < more->n && seen_wh < room_wh; i++) {
        double part_wh = hs_least(more->pieces[i].room_wh, room_wh - seen_wh);

        append(worth, more->pieces[i].cur_per_wh * ratio, part_wh / ratio);
        seen_wh += part_wh;
    }
    return seen_wh;
}

/* What serving the first @room_wh of @unserved_wh saves: the worthiest that go without first. */
static void append_served(const struct hs_thermal *th, size_t t, double unserved_wh, double ratio,
                          double room_wh, struct hs_thermal_worth *worth)
{
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double below_wh = th->now.slots[t].demand_wh; /* of sinks up to this one */

    for (size_t k = th->n_sinks; k-- > 0 && room_wh > 0;) {
        below_wh = k > 0 ? below_wh - demand_wh[k] : 0.0;
        double part_wh = hs_least(hs_most(unserved_wh - below_wh, 0.0), room_wh);

        append(worth, th->cur_per_wh[k] * ratio, part_wh / ratio);
        unserved_wh -= part_wh;
        room_wh -= part_wh;
    }
}

/* Worth of what slot @t leaves in the tank where comfort asks for more. */
static const struct hs_thermal_worth *find_left(const struct hs_thermal *th, size_t t,
                                                struct hs_thermal_worth *scratch)
{
    const struct hs_thermal_worth *next = &th->now.stored[t + 1];
    double short_wh = th->now.slots[t].floor_wh - th->now.tank_wh[t + 1];

    if (short_wh <= HS_THERMAL_LEAST_WH) {
        return next;
    }
    scratch->n = 0;
    for (size_t i = 0; i < next->n; i++) {
        double part_wh = hs_least(next->pieces[i].room_wh, hs_most(short_wh, 0.0));

        append(scratch, next->pieces[i].cur_per_wh + th->floor_cur_per_wh, part_wh);
        append(scratch, next->pieces[i].cur_per_wh, next->pieces[i].room_wh - part_wh);
        short_wh -= part_wh;
    }
    return scratch;
}

/* Worth of heat that the loss of slot @t has left, times @ratio. */
static void append_kept(const struct hs_thermal *th, size_t t, double kept_wh,
                        const struct hs_thermal_worth *left, double ratio,
                        struct hs_thermal_worth *worth)
{
    const struct hs_thermal_slot *slot = &th->now.slots[t];
    double over_wh = slot->captured_wh - slot->demand_wh;

    if (over_wh >= 0) {
        double room_wh = th->tank_max_wh - kept_wh - hs_least(over_wh, th->charge_max_wh);

        if (append_worth(worth, left, ratio, room_wh) >= room_wh) {
            append(worth, -slot->reject_cur_per_wh * ratio, INFINITY);
        }
        return;
    }
    double draw_max_wh = hs_least(-over_wh, th->draw_max_wh);

    if (draw_max_wh > kept_wh) {
        append_served(th, t, -over_wh - kept_wh, ratio, draw_max_wh - kept_wh, worth);
    }
    (void)append_worth(worth, left, ratio, INFINITY);
}

/* Worth of what is stored when slot @t begins, through its loss, which bends where the tank is as
 * warm as its surroundings and where all is lost. */
static void find_stored(const struct hs_thermal *th, size_t t, const struct hs_thermal_worth *left,
                        struct hs_thermal_worth *ret_stored)
{
    double stored_wh = th->now.tank_wh[t];
    double loss_wh = th->loss_a_wh + th->loss_b_ratio * stored_wh;
    double keep_ratio = 1.0 - th->loss_b_ratio;

    ret_stored->n = 0;
    if (loss_wh < 0.0) {
        struct hs_thermal_worth kept = {.n = 0};

        append_kept(th, t, stored_wh, left, 1.0, &kept);
        (void)append_worth(ret_stored, &kept, 1.0, -loss_wh / th->loss_b_ratio);
        return;
    }
    if (loss_wh > stored_wh) {
        append(ret_stored, 0.0, th->loss_a_wh / keep_ratio - stored_wh);
    }
    append_kept(th, t, hs_thermal_keep(th, stored_wh), left, keep_ratio, ret_stored);
}

/* Worth of captured heat in slot @t: of the least, and of probe_wh by itself. */
static void find_heat(struct hs_thermal *th, size_t t, const struct hs_thermal_worth *left)
{
    const struct hs_thermal_slot *slot = &th->now.slots[t];
    double kept_wh = hs_thermal_keep(th, th->now.tank_wh[t]);
    double over_wh = slot->captured_wh - slot->demand_wh;
    struct hs_thermal_worth heat = {.n = 0};

    if (over_wh >= 0) {
        double room_wh = hs_most(th->tank_max_wh - kept_wh - over_wh, 0.0);

        room_wh = hs_least(room_wh, hs_most(th->charge_max_wh - over_wh, 0.0));
        if (append_worth(&heat, left, 1.0, room_wh) >= room_wh) {
            append(&heat, -slot->reject_cur_per_wh, INFINITY);
        }
    } else {
        double unserved_wh = -over_wh - hs_least(hs_least(-over_wh, th->draw_max_wh), kept_wh);

        append_served(th, t, unserved_wh, 1.0, unserved_wh, &heat);
        (void)append_worth(&heat, left, 1.0, -over_wh - unserved_wh);
    }
    th->now.heat[t] = heat.n > 0 ? heat.pieces[0] : (struct hs_thermal_slope){0.0, 0.0};
    th->now.prices[t] = th->now.heat[t].room_wh >= th->probe_wh
                            ? th->now.heat[t].cur_per_wh
                            : hs_thermal_get_worth(th, t, th->probe_wh) / th->probe_wh;
}

void hs_thermal_price_slot(struct hs_thermal *th, size_t t)
{
    struct hs_thermal_worth scratch;
    const struct hs_thermal_worth *left = find_left(th, t, &scratch);

    find_heat(th, t, left);
    find_stored(th, t, left, &th->now.stored[t]);
}
