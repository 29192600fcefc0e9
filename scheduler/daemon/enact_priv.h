/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** enact_priv - what the files of enact share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/vec.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/writelist.h"

/** An intent whose end only a look at its hosts can tell. */
struct hs_enact_open {
    struct hs_intent intent;
    double since_mono_s;
};

struct hs_enact {
    struct hs_enact_options options;
    struct hs_fleet *fleet;
    hs_writelist pending;              /* goes with the next commit */
    HS_VEC(uint64_t) dirty_job_ids;    /* jobs whose last state did not land */
    HS_VEC(uint64_t) busy_job_ids;     /* an action is on its way */
    HS_VEC(struct hs_enact_open) open; /* adopted or unknown */
    HS_VEC(struct hs_action) own;      /* go with the next commit */
    uint64_t first_own_op_id;
    uint64_t next_own_op_id;
    size_t n_local; /* intents that were written locally; 0: none is left there */
    bool is_losing; /* too many journal lines wait */
};

/* --- intents: enact.c --- */

struct hs_intent hs_enact_make_intent(const struct hs_enact *enact, const struct hs_action *action);

void hs_enact_write_intent(hs_writelist *writes, const struct hs_intent *intent,
                           enum hs_intent_state state);

/** Into the journal; an intent that is over leaves its table in the same commit. */
void hs_enact_end_intent(struct hs_enact *enact, const struct hs_intent *intent,
                         enum hs_intent_state state, const char *why);

void hs_enact_drop_intent(struct hs_enact *enact, uint64_t op_id);

bool hs_enact_has_id(const uint64_t *ids, size_t n, uint64_t id);

void hs_enact_end_busy(struct hs_enact *enact, uint64_t job_id);

/* --- calls to hosts: enact_call.c --- */

/** An action that is written down. @param is_local  in the local file: the store is not asked for
 */
void hs_enact_call_start(struct hs_enact *enact, const struct hs_action *action, bool is_local);

/** How an action ended, to whoever waits for it. */
void hs_enact_call_tell(struct hs_enact *enact, const struct hs_action *action, int rc,
                        const char *text);

/* --- without the store: enact_local.c --- */

/** Shed for safety: the intent into the local file, then the call. False: that cannot be. */
bool hs_enact_local_shed(struct hs_enact *enact, const struct hs_action *action,
                         const struct hs_intent *intent);

/** What the file holds into @writes, where the store is up. @return how many, 0 if it cannot be
 * read */
size_t hs_enact_local_gather(struct hs_enact *enact, hs_writelist *writes);

/** The store has them; unless more were written since, the file has done its work. */
void hs_enact_local_forget(struct hs_enact *enact, size_t n_local);

/** What an earlier life shed is looked for on its host, as any intent of which the end is open. */
void hs_enact_local_adopt(struct hs_enact *enact);
