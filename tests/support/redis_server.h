/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_server - a real redis-server of the test's own, on a unix socket in a temporary folder.
 *
 * appendonly yes, appendfsync always, no TCP port. Dies with the test, whatever happens to it.
 */

#include <stdbool.h>

#include "scheduler/base/auto.h"

struct redisReply;
struct hs_redis_server;

/** Started and answering, or NULL where no redis-server is installed: then skip(). */
struct hs_redis_server *hs_redis_server_new(void);

/** "unix:/…". Borrowed. */
const char *hs_redis_server_get_url(const struct hs_redis_server *server);

/** kill -9. The data on disk stay. */
void hs_redis_server_kill(struct hs_redis_server *server);

/** After a kill: start again over the same data; false if it does not come up. */
bool hs_redis_server_start(struct hs_redis_server *server);

/** SIGSTOP and SIGCONT. */
void hs_redis_server_pause(struct hs_redis_server *server);
void hs_redis_server_resume(struct hs_redis_server *server);

/**
 * Send one command on a connection of its own, as redis-cli would; blocks.
 *
 * @return owned by the caller (freeReplyObject); NULL if there is no answer
 */
__attribute__((format(printf, 2, 3))) struct redisReply *
hs_redis_server_command(struct hs_redis_server *server, const char *fmt, ...);

/** Kill it and delete its folder. Accepts NULL. */
void hs_redis_server_free(struct hs_redis_server *server);
HS_DEFINE_AUTO(hs_redis_server);
