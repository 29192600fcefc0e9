/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * outbound - what the plant is told: whether to reject heat, and what heat is to come.
 *
 * Only at points that estate.json lets hschedd write, at devices whose `write` is on. A value goes
 * out when it changes; the devices repeat it, and toggle the heartbeat, by themselves. Works
 * without the store: a plant has to know when heat is too much. Loop thread only.
 */

#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/plantset.h"

struct hs_outbound;

/** All kept. Owned by the caller. */
struct hs_outbound *hs_outbound_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                                    struct hs_plantset *plants);

/** The cycle has stepped: tell what is new. */
void hs_outbound_tell(struct hs_outbound *outbound, int64_t now_at_s);

/** Accepts NULL. */
void hs_outbound_free(struct hs_outbound *outbound);
HS_DEFINE_AUTO(hs_outbound);
