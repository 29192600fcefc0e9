/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_explain_priv - what the files that ask about one job share. Every figure is an answer of
 * the planner to the changed question, not a guess.
 */

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"

#define HS_CYCLE_ALTERNATIVES_MAX  5
#define HS_CYCLE_EXPLAIN_MONEY_MAX 48

/** Another place of the job. */
struct hs_cycle_alternative {
    const char *code;
    struct hs_placement placement;
    double cost_cur;
};

/** One job under question. */
struct hs_cycle_asking {
    const struct hs_cycle *cycle;
    const struct hs_cycle_entry *entry;
    struct hs_place_ask ask;     /* its job is to end by what the standing place keeps to */
    struct hs_place_job as_told; /* with its due time and margin */
    struct hs_cycle_alternative alternatives[HS_CYCLE_ALTERNATIVES_MAX]; /* [n_alternatives] */
    size_t n_alternatives;
    json_t *constraints; /* owned */
    json_t *changes;     /* owned */
};

/** "site/host" of a host. Borrowed. */
const char *hs_cycle_explain_host_path(const struct hs_cycle *cycle, size_t host_idx);

/** When @placement of the job starts. */
int64_t hs_cycle_explain_start(const struct hs_cycle_asking *asking,
                               const struct hs_placement *placement);

/** When it ends. */
int64_t hs_cycle_explain_end(const struct hs_cycle_asking *asking,
                             const struct hs_placement *placement);

/** "0.0123 EUR". @param ret_text  [size], HS_CYCLE_EXPLAIN_MONEY_MAX holds it */
void hs_cycle_explain_format_money(const struct hs_cycle *cycle, double cur, char *ret_text,
                                   size_t size);

/** What binds the job: each bound asked away, and said if that is worth a hundredth of its cost. */
void hs_cycle_explain_bounds(struct hs_cycle_asking *asking);

/** The job that @entry's waits for before it is in any plan. */
void hs_cycle_explain_after(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                            json_t *constraints);

/** Prices at which starting @now would cost as much as the planned place does. */
void hs_cycle_explain_break_even(struct hs_cycle_asking *asking, const struct hs_placement *now);
