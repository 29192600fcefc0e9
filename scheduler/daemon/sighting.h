/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sighting - our machines as each host last listed them, and when.
 *
 * Kept apart from the cycle's view, which also holds what was asked for and not seen yet. Loop
 * thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/machine.h"

struct hs_sighting;

/** Owned by the caller. */
struct hs_sighting *hs_sighting_new(size_t n_hosts);

/** A host was listed. @param machines  borrowed; those that are not ours are left out */
void hs_sighting_set(struct hs_sighting *sighting, size_t host_idx, double mono_s,
                     const struct hs_machine *machines, size_t n_machines);

/** When the host was last listed; -INFINITY if never. */
double hs_sighting_get_mono_s(const struct hs_sighting *sighting, size_t host_idx);

/** The job's machine as it was last listed there, or NULL. Borrowed until the next set. */
const struct hs_machine *hs_sighting_find(const struct hs_sighting *sighting, size_t host_idx,
                                          uint64_t job_id);

/** Accepts NULL. */
void hs_sighting_free(struct hs_sighting *sighting);
HS_DEFINE_AUTO(hs_sighting);
