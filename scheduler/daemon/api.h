/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * api - HTTP on unix sockets, in the shapes of docs/api.md.
 *
 * Who speaks is known by the peer's credentials: root, our own user and auth.unix_users, nobody
 * else. Nothing in here blocks the loop: what needs a host or the store is answered later.
 */

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/daemon/daemon.h"

struct event_base;
struct hs_api;

/**
 * Listen on every socket of the daemon's config.
 *
 * @param daemon   kept; freed before the api, which answers what ends by that
 * @param ret_api  owned by the caller on success
 * @return 0, -HS_E_CONFLICT (another daemon answers there), -HS_E_SYSTEM
 */
int hs_api_new(struct event_base *base, struct hs_daemon *daemon, struct hs_api **ret_api,
               struct hs_err *err);

/** Removes the sockets. Accepts NULL. */
void hs_api_free(struct hs_api *api);
HS_DEFINE_AUTO(hs_api);
