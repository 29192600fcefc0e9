/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * storewatch - says in the log when the store goes away, why, and when it is back.
 *
 * Once for each reason, not once for each try: a store that comes and goes costs a line every ten
 * seconds in the long run. Loop thread only.
 */

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"

struct hs_storewatch;

/** @param executor  kept. @param clock  real time; kept. @param store  kept. Owned by the caller.
 */
struct hs_storewatch *hs_storewatch_new(struct hs_executor *executor, const struct hs_clock *clock,
                                        struct hs_store *store);

/** Look now; it also looks every second by itself. */
void hs_storewatch_look(struct hs_storewatch *watch);

/** Accepts NULL. Before the store is freed. */
void hs_storewatch_free(struct hs_storewatch *watch);
HS_DEFINE_AUTO(hs_storewatch);
