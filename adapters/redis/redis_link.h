/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_link - one connection to a Redis that comes back by itself: what store and plant share.
 *
 * hiredis' asynchronous API (RESP2) on the executor's watches and timers
 * (docs/adr/0001-hiredis-on-the-executor.md). Owns the socket, the deadlines and the reconnecting
 * with backoff 0.1 s … 5 s; knows nothing of keys. It is up once the server has answered a PING,
 * so a server that still loads its data is not up. All calls and callbacks on the executor's
 * thread; no callback comes before the call that asked for it has returned.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct redisReply;
struct hs_redis_link;

struct hs_redis_link_options {
    struct hs_executor *executor; /* kept */
    /* "unix:/path" or "redis://[[user]:password@]host[:port][/database]"; borrowed */
    const char *url;
    /* optional: commands land from now on; may send */
    void (*up)(void *arg);
    /* optional: was up, is not any more */
    void (*down)(void *arg, const struct hs_err *why);
    void *arg;
};

/** One command; everything borrowed for the call. */
struct hs_redis_link_command {
    size_t n_args;
    const char *const *args; /* [n_args] texts */
};

/**
 * The end of a hs_redis_link_send(), exactly once.
 *
 * @param rc     0; -HS_E_UNAVAILABLE: nothing was done (not connected, or the server refuses for
 *               now); -HS_E_TIMEOUT: sent, but no answer came before the deadline or before the
 *               connection was lost, so it may or may not have been done; -HS_E_DENIED: no
 *               permission; -HS_E_PROTOCOL: any other error reply
 * @param err    filled where rc < 0, else NULL; borrowed
 * @param reply  of the last command if there was one, else NULL; borrowed
 */
typedef void hs_redis_link_fn(int rc, const struct hs_err *err, const struct redisReply *reply,
                              void *arg);

/**
 * Begin to connect.
 *
 * @param ret_link  owned by the caller on success
 * @return 0 or -HS_E_INVALID for a malformed url
 */
int hs_redis_link_new(const struct hs_redis_link_options *options, struct hs_redis_link **ret_link,
                      struct hs_err *err);

/** True between up and down. */
bool hs_redis_link_is_up(const struct hs_redis_link *link);

/**
 * Send @commands in one pipeline. The first error reply among theirs decides @fn's rc. After a
 * missed deadline the connection is given up, for its later answers could not be told apart.
 *
 * @param deadline_s  real seconds until @fn at the latest, > 0
 */
void hs_redis_link_send(struct hs_redis_link *link, const struct hs_redis_link_command *commands,
                        size_t n_commands, double deadline_s, hs_redis_link_fn *fn, void *arg);

/** Accepts NULL. What is pending ends with -HS_E_UNAVAILABLE first. Legal inside a callback. */
void hs_redis_link_free(struct hs_redis_link *link);
HS_DEFINE_AUTO(hs_redis_link);
