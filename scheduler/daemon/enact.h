/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * enact - makes a decision true: first written down, then done, then recorded.
 *
 * Changed jobs, intents and journal notes of one step go into one store commit; only when it is
 * durable are the compute ports called (promises.md, "Write-ahead intent"). Without the store no
 * action is taken but shedding for safety, whose intent goes into a local file first and into the
 * store when that is back (localintent.h). Every action ends in an HS_EVENT_ACTION_DONE. Loop
 * thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/daemon/intent.h"
#include "scheduler/daemon/lease.h"
#include "scheduler/daemon/localintent.h"
#include "scheduler/model/estate.h"

/* ids of actions never meet those of other lives */
#define HS_ENACT_OPS_PER_EPOCH UINT64_C(1000000000)

struct hs_enact;

struct hs_enact_options {
    struct hs_store *store;         /* kept */
    const struct hs_cycle *cycle;   /* kept */
    const struct hs_estate *estate; /* kept */
    struct hs_inbox *inbox;         /* kept */
    const struct hs_lease *lease;   /* kept; NULL: always ours */
    struct hs_history *history;     /* kept; NULL: jobs that are over stay among the others */
    struct hs_localintent *local;   /* kept; NULL: nothing at all is done without the store */
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

/** A line for the journal and the log. */
void hs_enact_note(struct hs_enact *enact, const struct hs_note *note);

/** Take over an intent of an earlier life: its end is settled by a look at its hosts. */
void hs_enact_adopt(struct hs_enact *enact, const struct hs_intent *intent);

/**
 * The @i-th intent whose end nobody has seen: adopted, or its call ended without an answer.
 *
 * @param ret_since_mono_s  since when it is so
 * @return NULL past the last; borrowed until the next call that is not this one
 */
const struct hs_intent *hs_enact_get_open(const struct hs_enact *enact, size_t i,
                                          double *ret_since_mono_s);

/** An open intent has ended: goes with the next commit, as does what its event changes. */
void hs_enact_settle(struct hs_enact *enact, uint64_t op_id, enum hs_intent_state state,
                     const char *why);

/**
 * Take an action that no job of the cycle waits for, with an intent as any other; the host is
 * listed when it has ended. One a job at a time: it is dropped while another is on its way.
 *
 * @param kind  HS_ACTION_SUSPEND, HS_ACTION_RESUME or HS_ACTION_DESTROY
 */
void hs_enact_do(struct hs_enact *enact, uint64_t job_id, enum hs_action_kind kind, size_t host_idx,
                 const char *why);

/** True while an action of the job is on its way to its host. */
bool hs_enact_is_busy(const struct hs_enact *enact, uint64_t job_id);

/** Accepts NULL. After the fleet and the store, whose calls end in here. */
void hs_enact_free(struct hs_enact *enact);
HS_DEFINE_AUTO(hs_enact);
