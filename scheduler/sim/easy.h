/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * easy - the waiting queue with EASY backfill that asap and sticky share.
 *
 * First come first served. If the head fits nowhere, its shadow is the earliest time at which
 * any one host has room for it by the estimates; the others may start on any other host, or on
 * the shadow host if they end by the shadow or leave the head's vCPUs free at it. A job past its
 * estimate counts as ending in one slot. Which host of those that may be taken is the user's
 * choice. Source: Lifka, "The ANL/IBM SP scheduling system", 1995; simulator.md, asap.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/vec.h"
#include "scheduler/sim/simqueue.h"

struct hs_easy {
    struct hs_simqueue *queue;
    HS_VEC(size_t) waiting; /* in order of submit */
    /** The host to prefer: whether @a is better than @b for any job; NULL: most free vCPUs. */
    bool (*is_better)(void *arg, size_t a, size_t b);
    void *arg;
};

/** A job joins, or joins again at its old place. */
void hs_easy_add(struct hs_easy *easy, size_t job_idx);

/** Start what may start now. */
void hs_easy_apply(struct hs_easy *easy);

void hs_easy_fini(struct hs_easy *easy);
