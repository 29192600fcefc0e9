/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * slotpath - the cheapest stretches in which interruptible work gets done, stops counted.
 *
 * A shortest path over (blocks seen, blocks still to take, running or not). Slots are nearly of
 * one length, so work is counted in blocks; where a short block was taken, one more is. Pure;
 * knows prices, not heat.
 */

#include <stdbool.h>
#include <stddef.h>

/** A stretch of slots that is taken or left as a whole. */
struct hs_slotpath_block {
    size_t first;
    size_t n;
    double run_s;    /* what it gets done */
    double cost_cur; /* of taking it */
};

struct hs_slotpath {
    const struct hs_slotpath_block *blocks; /* [n_blocks] in order of time */
    size_t n_blocks;
    const bool *fits;    /* by slot */
    double stop_cur;     /* cost of standing still after having run, with work left */
    bool is_running;     /* before the first block */
    bool must_run_first; /* the first block is not to be left if it fits */
};

/**
 * @param remaining_s  work to be done, > 0
 * @param taken        [n_blocks] set where the work is done
 * @return its cost, or INFINITY if the blocks that fit are too few
 */
double hs_slotpath_find(const struct hs_slotpath *path, double remaining_s, bool *taken);
