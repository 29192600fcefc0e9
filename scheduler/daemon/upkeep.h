/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * upkeep - maintenance that people have told us of: kept in the store, told to the cycle.
 *
 * Table "maintenance": a row for each by its id. One that has ended is forgotten with the next
 * that is added. Loop thread only.
 */

#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/model/maintenance.h"

#define HS_UPKEEP_TABLE "maintenance"

struct hs_upkeep;

/** How a request ended. @param id  0 if there is none */
typedef void hs_upkeep_done_fn(int rc, const struct hs_err *err, uint64_t id, void *arg);

/** @param cycle, estate, store  kept. Owned by the caller. */
struct hs_upkeep *hs_upkeep_new(struct hs_cycle *cycle, const struct hs_estate *estate,
                                struct hs_store *store);

/** A row of the table. Logs what it cannot use. */
void hs_upkeep_restore(struct hs_upkeep *upkeep, const char *key, const char *text);

/**
 * Take in one that was checked: make it durable, tell the cycle, then call @done.
 *
 * done's rc: 0, -HS_E_UNAVAILABLE or -HS_E_TIMEOUT (the store; it was not taken)
 */
void hs_upkeep_add(struct hs_upkeep *upkeep, const struct hs_maintenance *it, int64_t now_at_s,
                   hs_upkeep_done_fn *done, void *arg);

/** End it now, begun or not. @return whether there is one of that id; else @done is not called */
bool hs_upkeep_end(struct hs_upkeep *upkeep, uint64_t id, hs_upkeep_done_fn *done, void *arg);

/** All that are known, ended ones included. Borrowed until the next call. */
const struct hs_maintenance *hs_upkeep_get(const struct hs_upkeep *upkeep, size_t *ret_n);

/** After the store is freed. Accepts NULL. */
void hs_upkeep_free(struct hs_upkeep *upkeep);
HS_DEFINE_AUTO(hs_upkeep);
