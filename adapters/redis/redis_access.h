/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** redis_access - where a Redis is, who we are there, and whom we trust: as it is configured. */

#include "adapters/redis/redis_tls.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

/** NULL or "": not given. */
struct hs_redis_access {
    const char *url;           /* redis_url.h */
    const char *user;          /* where the url names none; not given: Redis' default user */
    const char *password_file; /* one line; read at every connection (secretfile.h) */
    struct hs_redis_tls_files tls;
};

/** Deep copy. Owned by the caller. */
struct hs_redis_access *hs_redis_access_dup(const struct hs_redis_access *access);

/**
 * Would hs_redis_link_new() take it, and can its files be used now?
 *
 * @return 0, -HS_E_INVALID, -HS_E_DENIED (a secret that others may read), -HS_E_SYSTEM
 */
int hs_redis_access_check(const struct hs_redis_access *access, struct hs_err *err);

/** Of a copy. Accepts NULL. */
void hs_redis_access_free(struct hs_redis_access *access);
HS_DEFINE_AUTO(hs_redis_access);
