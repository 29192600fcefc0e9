/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plan - what runs where and when over the next slots, and what heat is worth meanwhile.
 *
 * Made by core/place, read by everybody. Row-major arrays over loops and slots.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"

#define HS_PLAN_SLOTS_MAX  192
#define HS_PLAN_MASK_WORDS (HS_PLAN_SLOTS_MAX / 64)

/** Where and when one job is to run. */
struct hs_placement {
    uint64_t job_id;
    size_t host_idx;                    /* SIZE_MAX: nowhere in the horizon */
    uint64_t slots[HS_PLAN_MASK_WORDS]; /* bit t: runs in slot t */
    /* bits of how many quarters of its vCPUs' time slot t stays below the job's most: see
     * hs_plan_get_cut() */
    uint64_t cut_low[HS_PLAN_MASK_WORDS];
    uint64_t cut_high[HS_PLAN_MASK_WORDS];
    size_t held_slot;  /* from here to last_slot it holds its memory */
    size_t first_slot; /* SIZE_MAX if unplaced */
    size_t last_slot;
    double cost_cur;  /* marginal cost as placed: electricity + carbon - heat + waiting */
    bool is_late;     /* cannot end by its due time */
    bool is_hopeless; /* nor could it in any plan: its estimate is longer than the time left */
    bool is_forced;   /* at its latest start: runs whatever heat costs */
};

struct hs_plan {
    int64_t from_at_s; /* start of slot 0 */
    int64_t slot_s;
    size_t n_slots;
    size_t n_loops;
    double *heat_cur_per_mwh;        /* [n_loops][n_slots] marginal worth of one more captured Wh */
    double *elec_cur_per_mwh;        /* [n_loops][n_slots] electricity with carbon price */
    double *it_w;                    /* [n_loops][n_slots] planned IT power, base load included */
    double *demand_heat_w;           /* [n_loops][n_slots] forecast, all sinks */
    double *tank_wh;                 /* [n_loops][n_slots] at slot end */
    struct hs_placement *placements; /* [n_placements] */
    size_t n_placements;
    double cost_cur; /* electricity + backup + rejection - heat left, over the horizon */
    size_t n_late;
};

/** A plan with zeroed arrays; owned by the caller. */
struct hs_plan *hs_plan_new(int64_t from_at_s, int64_t slot_s, size_t n_slots, size_t n_loops);

/** The placement of @job_id, or NULL. Borrowed. */
const struct hs_placement *hs_plan_find(const struct hs_plan *plan, uint64_t job_id);

static inline bool hs_plan_runs(const struct hs_placement *placement, size_t slot)
{
    return (placement->slots[slot / 64] >> (slot % 64)) & 1U;
}

/** Quarters of its vCPUs' time that the job stays below the most it may take, 0 to 3. */
static inline unsigned hs_plan_get_cut(const struct hs_placement *placement, size_t slot)
{
    return (unsigned)((placement->cut_low[slot / 64] >> (slot % 64)) & 1U)
           + 2U * (unsigned)((placement->cut_high[slot / 64] >> (slot % 64)) & 1U);
}

static inline void hs_plan_set_cut(struct hs_placement *placement, size_t slot, unsigned cut)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);

    placement->cut_low[slot / 64] &= ~bit;
    placement->cut_high[slot / 64] &= ~bit;
    placement->cut_low[slot / 64] |= (cut & 1U) != 0 ? bit : 0;
    placement->cut_high[slot / 64] |= (cut & 2U) != 0 ? bit : 0;
}

/** Is it throttled in any slot? */
static inline bool hs_plan_is_cut(const struct hs_placement *placement)
{
    uint64_t any = 0;

    for (size_t w = 0; w < HS_PLAN_MASK_WORDS; w++) {
        any |= placement->cut_low[w] | placement->cut_high[w];
    }
    return any != 0;
}

/** Do both run on one host in the same slots, at the same shares? */
static inline bool hs_plan_is_same_place(const struct hs_placement *a, const struct hs_placement *b)
{
    for (size_t w = 0; w < HS_PLAN_MASK_WORDS; w++) {
        if (a->slots[w] != b->slots[w] || a->cut_low[w] != b->cut_low[w]
            || a->cut_high[w] != b->cut_high[w]) {
            return false;
        }
    }
    return a->host_idx == b->host_idx;
}

/** How many slots the placement runs in. */
static inline size_t hs_plan_count_runs(const struct hs_placement *placement)
{
    size_t n = 0;

    for (size_t w = 0; w < HS_PLAN_MASK_WORDS; w++) {
        n += (size_t)__builtin_popcountll(placement->slots[w]);
    }
    return n;
}

/** Accepts NULL. */
void hs_plan_free(struct hs_plan *plan);
HS_DEFINE_AUTO(hs_plan);
