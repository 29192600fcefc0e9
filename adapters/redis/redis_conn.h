/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_conn - hiredis' asynchronous context on an executor: one connection, until it ends.
 *
 * The only file that fills hiredis' event hooks (docs/adr/0001-hiredis-on-the-executor.md).
 * Used by redis_link only. Replies come in the order of the commands.
 */

#include <stddef.h>

#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct redisReply;
struct hs_redis_conn;

struct hs_redis_conn_handler {
    void (*reply)(void *arg, const struct redisReply *reply); /* borrowed */
    /* could not connect, or closed by the peer; the connection frees itself afterwards */
    void (*ended)(void *arg, const char *text);
    void *arg;
};

/**
 * Begin to connect; commands may be sent at once.
 *
 * @param path      unix socket, or NULL
 * @param ip        address in digits (a name would block in the resolver), where @path is NULL
 * @param handler   copied
 * @param ret_conn  owned by the caller on success, until handler.ended
 * @return 0 or -HS_E_UNAVAILABLE
 */
int hs_redis_conn_new(struct hs_executor *executor, const char *path, const char *ip, int port,
                      const struct hs_redis_conn_handler *handler, struct hs_redis_conn **ret_conn,
                      struct hs_err *err);

/** @return 0 or -HS_E_UNAVAILABLE if the connection is ending */
int hs_redis_conn_send(struct hs_redis_conn *conn, size_t n_args, const char *const *args);

/** Close; no handler is called any more. Accepts NULL. Legal inside handler.reply. */
void hs_redis_conn_free(struct hs_redis_conn *conn);
