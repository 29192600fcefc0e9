/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * redis_tls - TLS as a filter: what the socket brought goes in, what it shall carry comes out.
 *
 * OpenSSL over memory, so that sockets and readiness stay with redis_conn
 * (docs/adr/0015-tls-to-redis.md). TLS 1.2 or newer; the server's certificate and its name are
 * always checked. Files are read at each connection, so a renewed certificate needs no restart.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_redis_tls;

/** Texts borrowed for the call; NULL or "": not given. */
struct hs_redis_tls_files {
    const char *ca;          /* PEM; not given: what the system trusts */
    const char *cert;        /* PEM with its chain, if the server wants one; with key */
    const char *key;         /* PEM without passphrase, for our eyes only (secretfile.h) */
    const char *server_name; /* in the server's certificate; not given: the url's host */
};

/**
 * Begin a handshake with @host, a name or an address.
 *
 * @param ret_tls  owned by the caller on success
 * @return 0, -HS_E_INVALID or -HS_E_DENIED for the files, -HS_E_SYSTEM
 */
int hs_redis_tls_new(const struct hs_redis_tls_files *files, const char *host,
                     struct hs_redis_tls **ret_tls, struct hs_err *err);

/**
 * Take in what came from the server, and go on with the handshake.
 *
 * @return 0, -HS_E_DENIED (one of the two does not trust the other), -HS_E_PROTOCOL
 */
int hs_redis_tls_feed(struct hs_redis_tls *tls, const void *bytes, size_t n_bytes,
                      struct hs_err *err);

/** The handshake is over. */
bool hs_redis_tls_is_open(const struct hs_redis_tls *tls);

/** Plain bytes from the server. @return how many, 0: none now, or as feed */
ssize_t hs_redis_tls_read(struct hs_redis_tls *tls, void *ret_bytes, size_t n_max,
                          struct hs_err *err);

/** Plain bytes for the server, once it is open. @return 0 or -HS_E_PROTOCOL */
int hs_redis_tls_write(struct hs_redis_tls *tls, const void *bytes, size_t n_bytes,
                       struct hs_err *err);

/** What is to be sent now. @return how many bytes, 0: none */
size_t hs_redis_tls_take(struct hs_redis_tls *tls, void *ret_bytes, size_t n_max);

/** Accepts NULL. */
void hs_redis_tls_free(struct hs_redis_tls *tls);
HS_DEFINE_AUTO(hs_redis_tls);
