/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** store_redis_priv - what the files of the Redis backend share. */

#include "adapters/redis/redis_link.h"
#include "adapters/store/store_priv.h"

#define HS_STORE_REDIS_COMMIT_S 3.0
#define HS_STORE_REDIS_LOAD_S   30.0
#define HS_STORE_REDIS_CELL_MAX 64
#define HS_STORE_REDIS_KEY_MAX  128

struct hs_store_redis {
    struct hs_store base;
    struct hs_executor *executor;
    struct hs_redis_link *link;
    struct hs_timer *again; /* for what this server refused at first */
    char cell[HS_STORE_REDIS_CELL_MAX];
    bool is_ready; /* up, its durability is known and our functions are there */
    char weakness[192];
    char fault[256]; /* of a server that is connected; "": none is known */
    /* a key of another type than ours, for which a commit was refused; "": none */
    char foreign_key[HS_STORE_REDIS_KEY_MAX];
    char foreign_type[16]; /* that it should be */
};

/** `hs:{cell}:table` into @ret_key [HS_STORE_REDIS_KEY_MAX]. */
void hs_store_redis_format_key(const struct hs_store_redis *store, const char *table,
                               char *ret_key);

/** The library is not what it was: make it so again. */
void hs_store_redis_prepare(struct hs_store_redis *store);

/* --- store_redis_functions.c: the library hsched.lua --- */

/**
 * Load our library unless this version or a newer one is there; then call @done.
 *
 * done's rc: 0, -HS_E_UNSUPPORTED (Redis before 7.0), -HS_E_DENIED, -HS_E_UNAVAILABLE,
 * -HS_E_TIMEOUT, -HS_E_PROTOCOL
 */
void hs_store_redis_functions_load(struct hs_redis_link *link, hs_store_done_fn *done, void *arg);

/** True if @err says that a function is not there (any more). */
bool hs_store_redis_functions_is_missing(int rc, const struct hs_err *err);

/** Text of hsched.lua. Static. */
extern const char hs_store_redis_functions_text[];

/* --- store_redis_refusal.c: a server that answers and takes no writes --- */

/** The server's words in @err with what would help. */
void hs_store_redis_refusal_format(const struct hs_err *err, char *ret_text, size_t size);

/** How a commit ended; takes the store down where writes are refused. @return the rc to tell */
int hs_store_redis_refusal_note(struct hs_store_redis *store, int rc, const struct hs_err *err);

/** See whether it takes writes again. @param arg  the hs_store_redis */
void hs_store_redis_refusal_probe(void *arg);

/* --- store_redis_lease.c: calls for the lease --- */

void hs_store_redis_lease_call(struct hs_store *store, const struct hs_store_lease_call *call,
                               hs_store_lease_fn *fn, void *arg);

/**
 * Read an answer of the library: {done, epoch, beat, schema, writes, store_id, holder}.
 *
 * @param epoch, writes  that the call was made with
 * @return 0, -HS_E_STALE where it was refused, -HS_E_PROTOCOL (@ret_lease untouched)
 */
int hs_store_redis_lease_read(const struct redisReply *reply, uint64_t epoch, uint64_t writes,
                              struct hs_store_lease *ret_lease, struct hs_err *err);
