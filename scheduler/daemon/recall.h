/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * recall - what the store remembers of the earlier life, read once we lead.
 *
 * Waits for the store as long as it takes (readiness is the daemon's to tell), and only then
 * reports: nothing is decided on half a memory.
 */

#include <stddef.h>
#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/executor.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/intent.h"
#include "scheduler/daemon/planclock.h"
#include "scheduler/model/job.h"

/** A row of a table, as it is: what forecasts have learned, maintenance. */
struct hs_recall_row {
    char *key;
    char *text;
};

typedef HS_VEC(struct hs_recall_row) hs_recall_rows;
typedef HS_VEC(struct hs_job *) hs_recall_jobs;

struct hs_recall_memory {
    uint64_t next_id; /* first free job id; where its record is lost, beyond any that was given */
    struct hs_planclock_mark clock;
    uint64_t ends_first; /* see history.h; counted anew where their records are lost */
    uint64_t ends_next;
    json_t *tally; /* see hs_cycle_save_tally(); owned, NULL if there is none */
    hs_recall_jobs jobs;
    HS_VEC(struct hs_intent) intents;
    hs_recall_rows maintenance;
    hs_recall_rows learned;
    hs_recall_rows repeats;
    hs_recall_rows fences;
    hs_recall_rows files;
};

struct hs_recall;

/**
 * @param memory  taken; NULL where the state is none to lead (records of a newer schema, a restore
 *                that was broken off), as @err says
 */
typedef void hs_recall_done_fn(struct hs_recall_memory *memory, const struct hs_err *err,
                               void *arg);

/**
 * Begin to read; @done is called once, with memory it takes (hs_recall_memory_free). Owned by the
 * caller, who frees it after @done or to give up.
 */
struct hs_recall *hs_recall_new(struct hs_executor *executor, struct hs_store *store,
                                hs_recall_done_fn *done, void *arg);

/** Jobs read so far, of this attempt. */
size_t hs_recall_get_n_rows(const struct hs_recall *recall);

/** Accepts NULL. Before the store is freed or after. */
void hs_recall_free(struct hs_recall *recall);

/** Accepts NULL; frees the jobs that are still in it. */
void hs_recall_memory_free(struct hs_recall_memory *memory);
HS_DEFINE_AUTO(hs_recall_memory);
