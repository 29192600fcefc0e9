/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * smallcase_priv - what the files of smallcase share.
 *
 * smallcase.c        the estate, its heat and prices, and the jobs
 * smallcase_hours.c  what takes room or bounds it: others' work, maintenance, policies by the clock
 */

#include "tests/unit/optimum/smallcase.h"

static inline double between(struct smallcase *c, double low, double high)
{
    return low + (high - low) * smallcase_draw(c);
}

/* A whole number of @low..@high. */
static inline size_t pick(struct smallcase *c, size_t low, size_t high)
{
    size_t n = (size_t)(smallcase_draw(c) * (double)(high - low + 1));

    return low + (n > high - low ? high - low : n);
}

static inline bool toss(struct smallcase *c, double share)
{
    return smallcase_draw(c) < share;
}

/* Hosts that do not answer, and room that others have taken. */
void smallcase_take_hosts(struct smallcase *c);

/* Closed slots, caps, ramps, and whether jobs have shares or may move: each in some cases. */
void smallcase_add_rules(struct smallcase *c);
