/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_conn - one connection to a Redis, plain or in TLS, until it ends.
 *
 * A non-blocking socket on the executor's watches, hiredis' formatter and reader, and redis_tls
 * between them where wanted (docs/adr/0015-tls-to-redis.md). Used by redis_link only. Replies come
 * in the order of the commands.
 */

#include <stddef.h>

#include "adapters/redis/redis_tls.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct redisReply;
struct hs_redis_conn;

struct hs_redis_conn_handler {
    void (*reply)(void *arg, const struct redisReply *reply); /* borrowed */
    /* could not connect, or closed by the peer; the connection frees itself afterwards */
    void (*ended)(void *arg, const struct hs_err *why);
    void *arg;
};

/** Where to; texts borrowed. */
struct hs_redis_conn_place {
    const char *path; /* unix socket, or NULL */
    const char *ip;   /* address in digits (a name would block in the resolver) */
    int port;
    const struct hs_redis_tls_files *tls; /* NULL: plain */
    const char *host;                     /* with tls: whom we expect there */
};

/**
 * Begin to connect; commands may be sent at once.
 *
 * @param handler   copied
 * @param ret_conn  owned by the caller on success, until handler.ended
 * @return 0, -HS_E_UNAVAILABLE, or what hs_redis_tls_new() says of its files
 */
int hs_redis_conn_new(struct hs_executor *executor, const struct hs_redis_conn_place *place,
                      const struct hs_redis_conn_handler *handler, struct hs_redis_conn **ret_conn,
                      struct hs_err *err);

/** @return 0 or -HS_E_UNAVAILABLE if the connection is ending */
int hs_redis_conn_send(struct hs_redis_conn *conn, size_t n_args, const char *const *args);

/** What it waits for until the first reply: "connecting", … . Static. */
const char *hs_redis_conn_get_stage(const struct hs_redis_conn *conn);

/** Close; no handler is called any more. Accepts NULL. Legal inside handler.reply. */
void hs_redis_conn_free(struct hs_redis_conn *conn);
