/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** redis_url - where a Redis is and who we are there, from one text. Pure. */

#include <stdbool.h>

#include "scheduler/base/err.h"

#define HS_REDIS_URL_PART_MAX 256

struct hs_redis_url {
    char path[108];                       /* unix socket, or "" */
    char host[HS_REDIS_URL_PART_MAX];     /* name or address, or "" */
    int port;                             /* 1..65535 */
    bool is_tls;                          /* rediss:// */
    char user[HS_REDIS_URL_PART_MAX];     /* "" if none */
    char password[HS_REDIS_URL_PART_MAX]; /* "" if none */
    int database;                         /* >= 0 */
    char name[HS_REDIS_URL_PART_MAX];     /* the url without user and password, for messages */
};

/**
 * "unix:/path" or "redis://[[user][:password]@]host[:port][/database]", with rediss:// for TLS;
 * `%40` style escapes in user and password.
 *
 * @return 0 or -HS_E_INVALID saying what would be right; the message never holds the password
 */
int hs_redis_url_parse(const char *text, struct hs_redis_url *ret_url, struct hs_err *err);
