/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * slotpath - the cheapest stretches in which interruptible work gets done, stops counted.
 *
 * A shortest path over (blocks seen, blocks still to take, running or not), in single precision:
 * it chooses, others price what it chose. Slots are nearly of one length, so work is counted in
 * blocks; where a short block was taken, one more is. Pure; knows prices, not heat.
 */

#include <stdbool.h>
#include <stddef.h>

/** What there is to choose from; borrowed. */
struct hs_slotpath {
    const float *cost_cur; /* [n_blocks] of taking a block; INFINITY where it does not fit */
    const float *run_s;    /* [n_blocks] what it gets done */
    size_t n_blocks;       /* at most HS_PLAN_SLOTS_MAX */
    float stop_cur;        /* cost of standing still after having run, with work left */
    bool is_running;       /* before the first block */
    bool must_run_first;   /* the first block is not to be left if it fits */
};

/**
 * @param remaining_s  work to be done, > 0
 * @param taken        [n_blocks] set where the work is done
 * @return its cost, or INFINITY if the blocks that fit are too few
 */
double hs_slotpath_find(const struct hs_slotpath *path, double remaining_s, bool *taken);
