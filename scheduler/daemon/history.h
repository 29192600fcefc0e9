/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * history - jobs that are over: out of memory and into the store, found again, and in the end let
 * go of.
 *
 * A job moves from table "jobs" to "history" in the commit of its last transition. "ends" holds its
 * id under a number that counts ends, so that the oldest are found without looking at all of them:
 * beyond the bound or the age of hschedd.json they are evicted, a few at a time. The newest ends
 * stay in the cycle as well. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/store/store.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/inbox.h"

#define HS_HISTORY_TABLE  "history" /* a job by its id */
#define HS_HISTORY_ENDS   "ends"    /* {"id","ended_at_s"} by number of its end */
#define HS_HISTORY_FILES  "files"   /* {"host","ended_at_s"} by job id: its files are there still */
#define HS_HISTORY_RECENT 256       /* ends that stay in the cycle */

struct hs_history;

struct hs_history_options {
    struct hs_store *store;       /* kept */
    struct hs_cycle *cycle;       /* kept */
    const struct hs_clock *clock; /* kept */
    struct hs_inbox *inbox;       /* kept; nullable where nothing is brought back */
    uint64_t n_max;               /* ends kept */
    int64_t age_s;                /* kept so long, plan time; 0: however old */
    uint64_t first;               /* numbers of ends: oldest kept, next; as recalled, 0 if none */
    uint64_t next;
    void (*ended)(void *arg, const struct hs_job *job); /* its move is durable; nullable */
    void *arg;
};

/** Owned by the caller. */
struct hs_history *hs_history_new(const struct hs_history_options *options);

typedef void hs_history_write_fn(void *arg, const struct hs_store_op *op);

/** Hand the operations that move @job, which is over, to @write; the texts are borrowed. */
void hs_history_move(struct hs_history *history, const struct hs_job *job,
                     hs_history_write_fn *write, void *arg);

/** A change of the job has landed; if it is over, the cycle need not know it much longer. */
void hs_history_settle(struct hs_history *history, uint64_t job_id);

/** After a step: let the cycle go of old ends, and evict what is beyond the bounds. */
void hs_history_tick(struct hs_history *history);

/** @param job  NULL if there is none, or the store has not answered (@rc); borrowed */
typedef void hs_history_found_fn(int rc, const struct hs_job *job, void *arg);

/** Look for a job that the cycle does not know; @done is called once, later. */
void hs_history_find(struct hs_history *history, uint64_t job_id, hs_history_found_fn *done,
                     void *arg);

/**
 * Let the cycle know jobs again that it has let go of, because others are to follow them. @done is
 * called once, when all are in the inbox or not to be found.
 *
 * @param ids  [n] borrowed
 */
void hs_history_bring(struct hs_history *history, const uint64_t *ids, size_t n,
                      hs_executor_fn *done, void *arg);

/** Where a page of ends begins and how far it goes. */
struct hs_history_span {
    uint64_t before; /* ends with a lower number; 0: the newest */
    size_t n_max;    /* rows looked at */
};

typedef void hs_history_row_fn(const struct hs_job *job, uint64_t number, void *arg);

/**
 * Go through ends, newest first: @row for each that is there, then @done.
 *
 * done's rc: 0 or that of the store
 */
void hs_history_page(struct hs_history *history, const struct hs_history_span *span,
                     hs_history_row_fn *row, hs_store_done_fn *done, void *arg);

/** Read a row of HS_HISTORY_ENDS. @return false if it is none */
bool hs_history_parse_end(const char *text, uint64_t *ret_id, int64_t *ret_ended_at_s);

/** Numbers of ends: the oldest that is kept, and the next. Equal: there is none. */
uint64_t hs_history_get_first(const struct hs_history *history);
uint64_t hs_history_get_next(const struct hs_history *history);

/** Accepts NULL. After the store, whose calls end in here. */
void hs_history_free(struct hs_history *history);
HS_DEFINE_AUTO(hs_history);
