/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * store - port to the memory that outlives the process: jobs, intents, journal, ledger.
 *
 * Tables of JSON texts by key, and logs of JSON texts. Every write goes through
 * hs_store_commit(): all of its operations land or none (one journalled write path), and only
 * those of the last epoch that was acquired (store_lease.h). Texts are kept in envelopes
 * (record.h), which no caller sees. Backends: store_redis.c, store_mem.c, listed in store.c. Every
 * call comes from the executor's thread and every `done` is called there exactly once, never before
 * the call has returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/base/vec.h"

#define HS_STORE_QUARANTINE "quarantine" /* table of damaged records that were replaced */

struct hs_redis_access;
struct hs_store;
struct hs_store_lease;
struct hs_store_lease_call;

enum hs_store_op_kind {
    HS_STORE_PUT,    /* table[key] = text */
    HS_STORE_DELETE, /* remove table[key]; absent is fine */
    HS_STORE_APPEND, /* append text to the log named table; key unused */
};

/** One operation; the texts are borrowed for the call. */
struct hs_store_op {
    enum hs_store_op_kind kind;
    const char *table; /* "jobs", "intents", "meta", "journal", "ledger" */
    const char *key;
    const char *text;
};

typedef void hs_store_done_fn(int rc, const struct hs_err *err, void *arg);
typedef void hs_store_row_fn(const char *key, const char *text, void *arg);

/**
 * End of a call for the lease (store_lease.h), exactly once.
 *
 * @param rc     0; -HS_E_STALE: refused, @lease says who leads; -HS_E_UNAVAILABLE, -HS_E_TIMEOUT
 *               (it may or may not have been done), -HS_E_PROTOCOL
 * @param lease  as it is now; NULL unless rc is 0 or -HS_E_STALE; borrowed
 */
typedef void hs_store_lease_fn(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                               void *arg);

/** A record that cannot be opened: left where it is, and shown to nobody as good. */
struct hs_store_damage {
    char *table;
    char *key;
    char *sealed; /* as it is stored */
    struct hs_err err;
};

/** What a backend supplies. */
struct hs_store_ops {
    const char *name;
    const char *summary;
    void (*commit)(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                   hs_store_done_fn *done, void *arg);
    void (*load)(struct hs_store *store, const char *table, hs_store_row_fn *row,
                 hs_store_done_fn *done, void *arg);
    void (*tail)(struct hs_store *store, const char *log, size_t n_max, hs_store_row_fn *row,
                 hs_store_done_fn *done, void *arg);
    void (*get)(struct hs_store *store, const char *table, const char *key, hs_store_row_fn *row,
                hs_store_done_fn *done, void *arg);
    void (*scan)(struct hs_store *store, const char *table, hs_store_row_fn *row,
                 hs_store_done_fn *done, void *arg);
    void (*lease)(struct hs_store *store, const struct hs_store_lease_call *call,
                  hs_store_lease_fn *fn, void *arg);
    bool (*is_up)(const struct hs_store *store);
    /* optional: NULL means that it is never down */
    const char *(*get_fault)(const struct hs_store *store);
    /* optional: NULL means as durable as promised */
    const char *(*get_weakness)(const struct hs_store *store);
    void (*destroy)(struct hs_store *store);
};

/** Base of every backend's own struct, as its first member. */
struct hs_store {
    const struct hs_store_ops *ops;
    uint64_t epoch;  /* that commits carry; 0 until one was acquired */
    uint64_t writes; /* the most commits that it has told of: with fewer it was rolled back */
    HS_VEC(struct hs_store_damage) damages;
    void (*damaged)(void *arg, const struct hs_store_damage *damage); /* nullable */
    void *damaged_arg;
};

/**
 * Do all of @ops or none; durable when @done says 0.
 *
 * A damaged record that would be replaced or deleted is kept in the table "quarantine" first.
 *
 * done's rc: 0, -HS_E_UNAVAILABLE (not connected; nothing was written), -HS_E_STALE (our epoch is
 * over or never began, or the store was rolled back; nothing was written), -HS_E_TIMEOUT (may or
 * may not have been written: load and look), -HS_E_PROTOCOL
 */
void hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                     hs_store_done_fn *done, void *arg);

/**
 * Call @row for every key of @table, then @done. Damaged records are left out and told to the
 * watcher.
 *
 * done's rc: 0, -HS_E_UNSUPPORTED (a record of a newer schema; the others have come),
 * -HS_E_UNAVAILABLE, -HS_E_TIMEOUT, -HS_E_PROTOCOL; the same for the other reading calls
 */
void hs_store_load(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg);

/** Call @row (key = entry id) for the newest @n_max entries of @log, oldest first, then @done. */
void hs_store_tail(struct hs_store *store, const char *log, size_t n_max, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg);

/** Call @row for table[key] if it is there, then @done; its rc is -HS_E_PROTOCOL if it is damaged.
 */
void hs_store_get(struct hs_store *store, const char *table, const char *key, hs_store_row_fn *row,
                  hs_store_done_fn *done, void *arg);

/**
 * As hs_store_load() for a table of any size: in pages of about 1,000 rows, so that neither the
 * store nor this thread is held up by it. In no order. What is put or deleted
 * meanwhile may come or not, and a row may come twice. Where done's rc < 0, some rows may have
 * come already.
 */
void hs_store_scan(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg);

/** True while writes can be expected to land. */
bool hs_store_is_up(const struct hs_store *store);

/** One clause on why the store is not up and what would help, or NULL. Borrowed. */
const char *hs_store_get_fault(const struct hs_store *store);

/** Tell @damaged of each damaged record when it is first met. @arg kept. */
void hs_store_watch(struct hs_store *store,
                    void (*damaged)(void *arg, const struct hs_store_damage *damage), void *arg);

/** Damaged records met so far that are still where they were. [*ret_n] borrowed. */
const struct hs_store_damage *hs_store_get_damages(const struct hs_store *store, size_t *ret_n);

/**
 * The text under which a damaged record is kept in HS_STORE_QUARANTINE: itself as a JSON text, and
 * what was wrong. Owned by the caller (free), and so is its key.
 */
char *hs_store_format_damage(const struct hs_store_damage *damage, char **ret_key);

/**
 * One clause on why an acknowledged write might still be lost, or NULL if it is not expected to
 * be; the daemon says it once. Redis: known from the first moment is_up() is true.
 */
const char *hs_store_get_weakness(const struct hs_store *store);

/** Backend named @name ("redis", "mem"), or NULL. Static. */
const struct hs_store_ops *hs_store_find_backend(const char *name);

/** Accepts NULL. Pending calls end with -HS_E_UNAVAILABLE first, before it returns. */
void hs_store_free(struct hs_store *store);
HS_DEFINE_AUTO(hs_store);

/** In-process store without durability, for hsim and tests. Owned by the caller. */
struct hs_store *hs_store_mem_new(struct hs_executor *executor);

/**
 * Redis under keys `hs:{cell}:…`: a table is a hash, a log a stream of about the newest 100,000
 * entries. Connects in the background and reconnects (adapters/redis/redis_link.h, which also
 * has the forms of @url); commits and gets end within 3 s, loads, tails and each
 * page of a scan within 30 s.
 *
 * @param cell       letters, digits, '.', '_' and '-'
 * @param ret_store  owned by the caller on success
 * @return 0 or -HS_E_INVALID for a malformed url or cell
 */
int hs_store_redis_new(struct hs_executor *executor, const char *url, const char *cell,
                       struct hs_store **ret_store, struct hs_err *err);

/** The same with user, password file and certificates (adapters/redis/redis_access.h). */
int hs_store_redis_new_at(struct hs_executor *executor, const struct hs_redis_access *access,
                          const char *cell, struct hs_store **ret_store, struct hs_err *err);

extern const struct hs_store_ops hs_store_mem_ops;
extern const struct hs_store_ops hs_store_redis_ops;
