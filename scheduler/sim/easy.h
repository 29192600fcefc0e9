/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * easy - the waiting queue with EASY backfill that asap and sticky share.
 *
 * First come first served. If the head fits nowhere, its shadow (easyshadow.h) is the earliest
 * time at which any one host has room for it by the estimates; the others may start if they end
 * by the shadow or leave the head its room there. Among hosts with room the loop's rank decides,
 * then the most free vCPUs, then the order of the estate. Source: Lifka, "The ANL/IBM SP
 * scheduling system", 1995; simulator.md, asap.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/vec.h"
#include "scheduler/sim/simqueue.h"

/** Rank the loops as they are now, the higher the better. @return [n_loops] borrowed */
typedef const double *hs_easy_rank_fn(void *arg);

struct hs_easy {
    struct hs_simqueue *queue;
    HS_VEC(size_t) waiting; /* in order of submit */
    hs_easy_rank_fn *rank;  /* NULL: all loops are alike */
    void *arg;
};

/** A job joins, or joins again at its old place. */
void hs_easy_add(struct hs_easy *easy, size_t job_idx);

/** Start what may start now. */
void hs_easy_apply(struct hs_easy *easy);

void hs_easy_fini(struct hs_easy *easy);
