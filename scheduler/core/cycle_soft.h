/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_soft - what the operator sets beside money: limits by the clock into caps, comfort into
 * floors, starts spread over a ramp; for the cycle's own files only. What the plan cannot keep of
 * it is found by cycle_breach.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/vec.h"
#include "scheduler/core/cycle_hygiene.h"
#include "scheduler/core/guard.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/breach.h"

struct hs_cycle;

struct hs_cycle_soft {
    double *cap_w;                    /* [n_scopes] scratch: lowest cap, INFINITY: none */
    const struct hs_limit **cap_of;   /* [n_scopes] scratch: which limit that is */
    struct hs_guard_cap *guard_caps;  /* [n_scopes] as of this moment */
    double *floor_wh;                 /* [n_loops][n_slots] */
    double *ramp_used_w;              /* [n_racks] of heat started lately; falls by the ramp */
    int64_t *ramp_at_s;               /* [n_racks] when that was */
    struct hs_cycle_hygiene *hygiene; /* [n_loops] */
    HS_VEC(struct hs_breach) breaches;
    bool are_breaches_stale;
};

/** Owned by the caller. */
struct hs_cycle_soft *hs_cycle_soft_new(const struct hs_cycle *cycle);

/** Sites, loops and racks together: what a limit may be of, in that order. */
size_t hs_cycle_soft_n_scopes(const struct hs_estate *estate);

/** cap_w and cap_of for [@from_at_s, @until_at_s). @return whether any limit holds in it */
bool hs_cycle_soft_find_caps(const struct hs_cycle *cycle, int64_t from_at_s, int64_t until_at_s);

/** Limits of the horizon as caps of the planner's frame, which has just been set. */
void hs_cycle_soft_cap_frame(struct hs_cycle *cycle);

/** Limits of this moment, for the guard: sites, then loops, then racks. Borrowed. */
const struct hs_guard_cap *hs_cycle_soft_get_guard_caps(struct hs_cycle *cycle);

/** Does a limit hold now for what runs on the host? */
bool hs_cycle_soft_is_limited(const struct hs_cycle *cycle, size_t host_idx);

/** The loop's comfort floor into its input. */
void hs_cycle_soft_fill_floor(struct hs_cycle *cycle, size_t loop_idx,
                              struct hs_thermal_input *input);

/**
 * May so many more vCPUs start on the host now, or would heat rise faster than its rack's cooling
 * follows? What may counts as started.
 *
 * @param is_urgent  starts all the same
 * @param ret_wait_s  if not: when to ask again
 */
bool hs_cycle_soft_take_ramp(struct hs_cycle *cycle, size_t host_idx, uint32_t vcpus,
                             bool is_urgent, int64_t *ret_wait_s);

/** Accepts NULL. */
void hs_cycle_soft_free(struct hs_cycle_soft *soft);
