/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * enact - makes a decision true: first written down, then done, then recorded.
 *
 * Changed jobs, intents and journal notes of one step go into one store commit; only when it is
 * durable are the compute ports called (promises.md, "Write-ahead intent"). Without the store no
 * action is taken. Every action ends in an HS_EVENT_ACTION_DONE. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/daemon/recall.h"
#include "scheduler/model/estate.h"

struct hs_enact;

struct hs_enact_options {
    struct hs_store *store;         /* kept */
    const struct hs_cycle *cycle;   /* kept */
    const struct hs_estate *estate; /* kept */
    struct hs_inbox *inbox;         /* kept */
    uint64_t epoch;
};

/** Owned by the caller. */
struct hs_enact *hs_enact_new(const struct hs_enact_options *options);

/** The fleet to act on; must be set before the first apply. Kept. */
void hs_enact_set_fleet(struct hs_enact *enact, struct hs_fleet *fleet);

/**
 * Write down and carry out what a step decided.
 *
 * @param decision  borrowed for the call
 * @param done      called once when the commit has ended, with its rc (at once while the store is
 *                  down); nullable
 * @return false if there was nothing to write: @done is not called then
 */
bool hs_enact_apply(struct hs_enact *enact, const struct hs_decision *decision,
                    hs_store_done_fn *done, void *arg);

/** Queue one write that goes with the next commit, and again until it lands. Texts are copied. */
void hs_enact_write(struct hs_enact *enact, const struct hs_store_op *op);

/** Take over an intent of an earlier life: settled when its host is next listed. */
void hs_enact_adopt(struct hs_enact *enact, const struct hs_intent *intent);

/** A host was listed: what is seen there decides, so its open intents are settled. */
void hs_enact_observe(struct hs_enact *enact, size_t host_idx);

/** True while an action of the job is on its way to its host. */
bool hs_enact_is_busy(const struct hs_enact *enact, uint64_t job_id);

/** Accepts NULL. After the fleet and the store, whose calls end in here. */
void hs_enact_free(struct hs_enact *enact);
HS_DEFINE_AUTO(hs_enact);
