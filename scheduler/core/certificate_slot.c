/* SPDX-License-Identifier: Apache-2.0 */
/* certificate_slot - what one slot of a loop may draw from its tank, and what that saves. */
#include <math.h>

#include "scheduler/core/certificate_loop_priv.h"

/* --- one slot by itself --- */

static void put(struct hs_certificate_draw *draw, struct hs_certificate_segment segment)
{
    if (segment.width > 0) {
        draw->items[draw->n++] = segment;
    }
}

/* Sinks by worth, the worthiest first, into @ret_items. */
static size_t sort_sinks(const struct hs_certificate *cert, size_t loop_idx, size_t t,
                         struct hs_certificate_segment *ret_items)
{
    const struct hs_heatloop *loop = &cert->estate->loops[loop_idx];

    for (size_t k = 0; k < loop->n_sinks; k++) {
        size_t sink_idx = loop->first_sink_idx + k;
        struct hs_certificate_segment sink = {
            .width = cert->sink_demand_wh[sink_idx * cert->n_slots + t],
            .slope = -cert->sink_cur_per_mwh[sink_idx] * 1e-6};
        size_t at = k;

        while (at > 0 && ret_items[at - 1].slope > sink.slope) {
            ret_items[at] = ret_items[at - 1];
            at--;
        }
        ret_items[at] = sink;
    }
    return loop->n_sinks;
}

/* Sinks and heat not bought, in the order of what they cost. */
static void mix(const struct hs_certificate_segment *sinks, size_t n_sinks,
                struct hs_certificate_segment bought, struct hs_certificate_draw *io_draw)
{
    for (size_t k = 0; k < n_sinks; k++) {
        if (sinks[k].slope >= bought.slope + bought.rise) {
            put(io_draw, bought);
            bought.width = 0.0;
        } else if (sinks[k].slope > bought.slope) {
            double share = (sinks[k].slope - bought.slope) / bought.rise;

            put(io_draw, hs_certificate_cut(&bought, share * bought.width));
        }
        put(io_draw, sinks[k]);
    }
    put(io_draw, bought);
}

/* Drop the first @wh: more than so much the tank does not take. */
static void trim(struct hs_certificate_draw *draw, double wh)
{
    for (size_t i = 0; i < draw->n && wh > 0; i++) {
        struct hs_certificate_segment part = hs_certificate_cut(&draw->items[i], wh);

        draw->first_wh += part.width;
        draw->first_cur += hs_certificate_price_segment(&part);
        draw->bought_wh -= part.is_bought ? part.width : 0.0;
        wh -= part.width;
    }
}

/* At first all is bought and nobody served, and everything goes into the tank. */
void hs_certificate_loop_read_slot(const struct hs_certificate *cert,
                                   const struct hs_certificate_tank *tank, size_t loop_idx,
                                   size_t t, bool is_bent, struct hs_certificate_draw *ret_draw)
{
    size_t i = loop_idx * cert->n_slots + t;
    double steep = is_bent ? cert->steep[i] : 0.0;
    double reject = cert->inputs[loop_idx].reject_cur_per_wh[t];
    double all_wh = cert->heat_max_wh[i];
    double base = cert->heat_cur_per_wh[i];
    struct hs_certificate_segment *sinks = &cert->draws[cert->n_draws_max];
    size_t n_sinks = sort_sinks(cert, loop_idx, t, sinks);
    struct hs_certificate_segment bought = {
        .width = all_wh,
        .slope = -base - steep * (all_wh - cert->mean_given_wh[i]),
        .rise = steep * all_wh,
        .is_bought = true,
    };

    *ret_draw = (struct hs_certificate_draw){.items = cert->draws, .bought_wh = all_wh};
    ret_draw->first_wh = -(cert->captured_wh[i] + all_wh);
    /* nothing costs less than to dump it */
    double above = hs_most(0.0, hs_least(bought.slope + bought.rise - reject, bought.rise));
    double dear_wh = bought.slope >= reject ? all_wh
                     : bought.rise > 0      ? all_wh * above / bought.rise
                                            : 0.0;
    struct hs_certificate_segment rest = bought;
    struct hs_certificate_segment usual = hs_certificate_cut(&rest, all_wh - dear_wh);
    struct hs_certificate_segment dumped = {.width = dear_wh, .slope = reject, .is_bought = true};

    ret_draw->first_cur =
        -hs_certificate_price_segment(&usual) - hs_certificate_price_segment(&dumped);
    for (size_t k = 0; k < n_sinks; k++) {
        ret_draw->first_cur -= hs_certificate_price_segment(&sinks[k]);
    }
    mix(sinks, n_sinks, usual, ret_draw);
    put(ret_draw, dumped);
    double held_wh = ret_draw->first_wh;

    for (size_t k = 0; k < ret_draw->n; k++) {
        held_wh += ret_draw->items[k].width;
    }
    put(ret_draw, (struct hs_certificate_segment){.width = tank->max_wh + fabs(held_wh) + 1.0,
                                                  .slope = reject});
    trim(ret_draw, -tank->charge_max_wh - ret_draw->first_wh);
    double room_wh = tank->draw_max_wh - ret_draw->first_wh;

    for (size_t k = 0; k < ret_draw->n && tank->draw_max_wh < INFINITY; k++) {
        ret_draw->items[k] = hs_certificate_cut(&ret_draw->items[k], hs_most(0.0, room_wh));
        room_wh -= ret_draw->items[k].width;
    }
}
