/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * certificate_loop_priv - a loop's tank and one of its slots, for certificate_loop and _slot.
 */

#include "scheduler/base/least.h"
#include "scheduler/core/certificate_priv.h"

/** A loop's constants. */
struct hs_certificate_tank {
    double max_wh;
    double loss_a_wh;
    double loss_b_ratio;
    double charge_max_wh;
    double draw_max_wh;
};

/** What a slot may draw, cheapest Wh first, from first_wh (negative: it charges). */
struct hs_certificate_draw {
    struct hs_certificate_segment *items; /* [2 n_sinks + 4] */
    size_t n;
    double first_wh;
    double first_cur; /* its cost at first_wh */
    double bought_wh; /* there */
};

/** Cut @wh off the front of @io_segment. @return that part */
static inline struct hs_certificate_segment
hs_certificate_cut(struct hs_certificate_segment *io_segment, double wh)
{
    struct hs_certificate_segment part = *io_segment;

    if (io_segment->width <= wh) {
        io_segment->slope += io_segment->rise;
        io_segment->width = io_segment->rise = 0.0;
        return part;
    }
    double share = wh / io_segment->width;

    part.width = wh;
    part.rise = share * io_segment->rise;
    io_segment->width -= part.width;
    io_segment->slope += part.rise;
    io_segment->rise -= part.rise;
    return part;
}

/** What all of @segment costs, cur. */
static inline double hs_certificate_price_segment(const struct hs_certificate_segment *segment)
{
    return segment->width * (segment->slope + 0.5 * segment->rise);
}

/**
 * What slot @t of a loop may draw at the present prices.
 *
 * @param is_bent   the price rises by steep for each Wh bought, from what it is where the jobs'
 * mean offer is bought; else it is the same for all
 * @param ret_draw  its items are the certificate's scratch, until the next slot is read
 */
void hs_certificate_loop_read_slot(const struct hs_certificate *cert,
                                   const struct hs_certificate_tank *tank, size_t loop_idx,
                                   size_t t, bool is_bent, struct hs_certificate_draw *ret_draw);
