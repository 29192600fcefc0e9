/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * reconcile - what a listing does not show: jobs that are said to run on a host and are not there.
 *
 * Before such a listing reaches the cycle, the host is asked how those machines ended (they may
 * have done so while nobody looked), so that a finished job is not taken for a lost one. The
 * host is listed anew after that. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/inbox.h"

struct hs_reconcile;

/** All kept. Owned by the caller. */
struct hs_reconcile *hs_reconcile_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                                      struct hs_enact *enact, struct hs_inbox *inbox,
                                      struct hs_store *store);

/** The fleet to ask; must be set before the first listing. Kept. */
void hs_reconcile_set_fleet(struct hs_reconcile *reconcile, struct hs_fleet *fleet);

/**
 * Look at a listing: settle open intents by it (settle.h), deal with machines that should not be
 * there (strays.h).
 *
 * @return true if it may go on to the cycle; false if ends are being collected first, after which
 *         the host is listed again
 */
bool hs_reconcile_check(struct hs_reconcile *reconcile, size_t host_idx,
                        const struct hs_machine *machines, size_t n_machines);

/** Somebody says that a silent host is off: intents that name it end. */
void hs_reconcile_confirm_down(struct hs_reconcile *reconcile, const char *path);

/** Accepts NULL. After the fleet and the store, whose calls end in here. */
void hs_reconcile_free(struct hs_reconcile *reconcile);
HS_DEFINE_AUTO(hs_reconcile);
