/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * learned - what forecasts have learned goes to the store, and comes back at the next start.
 *
 * Table "forecasts": a row for each sink by its path, one for the work to come, one for run
 * times, one for hosts and tanks, one for moves. Written once an
 * hour of plan time, a few sinks at a tick, and all of them at a clean stop. No action waits for
 * it, and a row that cannot be read costs what was learned, never the daemon. When the clock jumps
 * by days, or rows are of the future, nothing is overwritten for a day. Loop thread only.
 */

#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"

#define HS_LEARNED_TABLE "forecasts"

struct hs_learned;

/** @param cycle, estate, store  kept. Owned by the caller. */
struct hs_learned *hs_learned_new(struct hs_cycle *cycle, const struct hs_estate *estate,
                                  struct hs_store *store);

/** A row of the table, before anything is trained or stepped. Logs what it cannot use. */
void hs_learned_restore(struct hs_learned *learned, const char *key, const char *text);

/** Write some of what has not been written in this hour, unless a write is under way. */
void hs_learned_keep(struct hs_learned *learned, int64_t now_at_s);

/** Write all; @done is called once it is durable or has failed, which is logged, or is held. */
void hs_learned_keep_all(struct hs_learned *learned, void (*done)(void *arg), void *arg);

/** After the store is freed. Accepts NULL. */
void hs_learned_free(struct hs_learned *learned);
HS_DEFINE_AUTO(hs_learned);
