/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * intent - what is written down before an action is taken: which, of which life, from where to
 * where.
 *
 * PLANNED -> INTENT (durable) -> CALL -> OBSERVE -> DONE | FAILED | UNKNOWN. A row of the table
 * "intents" is INTENT or UNKNOWN; DONE and FAILED are lines of the journal, written in the commit
 * that takes the row away and changes the job (docs/operate.md, "After a crash").
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/model/action.h"
#include "scheduler/model/site.h"

#define HS_INTENT_TABLE "intents"

enum hs_intent_state { HS_INTENT_OPEN, HS_INTENT_DONE, HS_INTENT_FAILED, HS_INTENT_UNKNOWN };

struct hs_intent {
    uint64_t op_id;
    uint64_t epoch;
    uint64_t job_id;
    enum hs_action_kind kind;
    char host[HS_PATH_MAX]; /* where the machine is, or is to be made */
    char to[HS_PATH_MAX];   /* of a move; else "" */
    bool was_running;       /* of a move: it is to run on arrival */
    bool is_unknown;        /* its call ended without an answer */
};

/** "INTENT", "DONE", "FAILED", "UNKNOWN". */
const char *hs_intent_state_word(enum hs_intent_state state);

/** JSON text of a row, HS_INTENT_OPEN or HS_INTENT_UNKNOWN. Owned by the caller. */
char *hs_intent_format(const struct hs_intent *intent, enum hs_intent_state state);

/** A line of the journal that says how it ended and why. Owned by the caller. */
char *hs_intent_format_end(const struct hs_intent *intent, enum hs_intent_state state, int64_t at_s,
                           const char *why);

/** @return 0 or -HS_E_INVALID for a row that is not an intent */
int hs_intent_parse(const char *key, const char *text, struct hs_intent *ret_intent,
                    struct hs_err *err);
