/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_link - one connection to a Redis that comes back by itself: what store and plant share.
 *
 * RESP2 over redis_conn (docs/adr/0015-tls-to-redis.md). Owns the connection, the deadlines and the
 * reconnecting with backoff 0.1 s … 5 s; knows nothing of keys. It is up once the server has
 * answered a PING, so a server that still loads its data is not up, and not while its user says
 * that the server refuses writes. Password and certificates are read anew for every connection.
 * All calls and callbacks on the executor's thread; no callback comes before the call that asked
 * for it has returned.
 */

#include <stdbool.h>
#include <stddef.h>

#include "adapters/redis/redis_access.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct redisReply;
struct hs_redis_link;

struct hs_redis_link_options {
    struct hs_executor *executor;  /* kept */
    struct hs_redis_access access; /* copied */
    /* optional: commands land from now on; may send */
    void (*up)(void *arg);
    /* optional: was up, is not any more */
    void (*down)(void *arg, const struct hs_err *why);
    /* optional: every second while writes are refused: send one that changes nothing, and tell
       hs_redis_link_set_refusal() how it ended */
    void (*probe)(void *arg);
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

/** Why it is not up, or NULL while it is. Borrowed. */
const struct hs_err *hs_redis_link_get_why_down(const struct hs_redis_link *link);

/**
 * The server answers but takes no writes (@why: full, read-only, no rights, …), or takes them
 * again (NULL). Calls down or up where that changes something; commands can be sent all the same.
 * A new connection begins without a refusal.
 */
void hs_redis_link_set_refusal(struct hs_redis_link *link, const struct hs_err *why);

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
