/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sweep - forgets the files of jobs that are long over, so that a host's disk does not fill up.
 *
 * Of each host the newest HS_SWEEP_KEPT jobs that are over keep their logs; older ones are cleaned
 * away, oldest first, a few after each listing. Looks at no job that may still need its files.
 * Loop thread only.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/fleet.h"

#define HS_SWEEP_KEPT 500

struct hs_sweep;

/** @param cycle, fleet  kept. @param n_kept  jobs a host. Owned by the caller. */
struct hs_sweep *hs_sweep_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                              struct hs_fleet *fleet, size_t n_kept);

/** A host was listed and the store is up: clean what is due there. */
void hs_sweep_apply(struct hs_sweep *sweep, size_t host_idx);

/** Accepts NULL. */
void hs_sweep_free(struct hs_sweep *sweep);
HS_DEFINE_AUTO(hs_sweep);
