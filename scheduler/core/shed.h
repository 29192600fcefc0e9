/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** shed - which machines to stop so that enough power goes. Pure. */

#include <stdbool.h>
#include <stddef.h>

struct hs_shed_item {
    double elec_w; /* that goes with it */
    int rank;      /* lower ones are stopped rather */
    size_t of;     /* the caller's */
};

/**
 * The fewest of @items of the lowest ranks that hold @excess_w together, and of the last of those
 * the smallest that will do; all of them where all do not suffice.
 *
 * @param io_items  [n] sorted: the chosen come first
 * @return how many are chosen
 */
size_t hs_shed_pick(struct hs_shed_item *io_items, size_t n, double excess_w);
