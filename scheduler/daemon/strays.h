/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * strays - machines that carry our tag where none of them should be.
 *
 * Orphans: the tag is of our store, and no record knows the job; removed, with an intent, once
 * every host was listed: a tag on another one may show that the store was rolled back. Whose record
 * is there but cannot be read is left alone. Seconds: a job's machine on another host than its own;
 * of two that run one is suspended, with an alarm, and people part them; what comes back with a
 * host that was confirmed down is removed. Machines of others are never looked at. Loop thread
 * only.
 */

#include <stddef.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/daemon/settle.h"

struct hs_strays;

/** @param settle  kept, as @store is. Owned by the caller. */
struct hs_strays *hs_strays_new(const struct hs_settle *settle, struct hs_store *store);

/** A host was listed and its intents were settled. @param machines  borrowed */
void hs_strays_apply(struct hs_strays *strays, size_t host_idx, const struct hs_machine *machines,
                     size_t n_machines);

/** Accepts NULL. After the store, whose calls end in here. */
void hs_strays_free(struct hs_strays *strays);
HS_DEFINE_AUTO(hs_strays);
