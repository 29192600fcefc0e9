/* SPDX-License-Identifier: Apache-2.0 */
/* config_redis - the objects `redis` and `readings` of hschedd.json. */
#include <stdio.h>
#include <string.h>

#include "adapters/redis/redis_url.h"
#include "scheduler/daemon/config_priv.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(type_, member)                                         \
    .type = HS_CONF_TEXT, .offset = offsetof(struct type_, member), \
    .size = sizeof(((struct type_ *)NULL)->member)

static const struct hs_conf_field tls_fields[] = {
    {.name = "ca",
     TEXT(hs_config_redis_tls, ca),
     .help = "PEM file of whom we trust to name the server; absent is what the system trusts"},
    {.name = "cert",
     TEXT(hs_config_redis_tls, cert),
     .help = "PEM file of our certificate, if the server wants one; goes with key"},
    {.name = "key",
     TEXT(hs_config_redis_tls, key),
     .help = "PEM file of its key, without passphrase, of mode 0600"},
    {.name = "server_name",
     TEXT(hs_config_redis_tls, server_name),
     .help = "name in the server's certificate; absent is the url's host"},
};
static const struct hs_conf_table tls_table = {"redis_tls", tls_fields, N_OF(tls_fields)};

#define ACCESS_FIELDS                                                                           \
    {.name = "user",                                                                            \
     TEXT(hs_config_redis, user),                                                               \
     .help = "user of Redis' ACL, where the url names none"},                                   \
        {.name = "password_file",                                                               \
         TEXT(hs_config_redis, password_file),                                                  \
         .help = "file of mode 0600 with the password; read again at every connection"},        \
    {                                                                                           \
        .name = "tls", .type = HS_CONF_OBJECT, .offset = offsetof(struct hs_config_redis, tls), \
        .table = &tls_table, .help = "for a rediss:// url"                                      \
    }

static const struct hs_conf_field redis_fields[] = {
    {.name = "url",
     TEXT(hs_config_redis, url),
     .required = true,
     .help = "unix:/path, redis://host:port or, in TLS, rediss://host:port"},
    ACCESS_FIELDS,
};
const struct hs_conf_table hs_config_redis_table = {"redis", redis_fields, N_OF(redis_fields)};

static const struct hs_conf_field readings_fields[] = {
    {.name = "url",
     TEXT(hs_config_redis, url),
     .help = "a Redis of its own for readings; absent takes all of redis"},
    ACCESS_FIELDS,
};
const struct hs_conf_table hs_config_readings_table = {"readings", readings_fields,
                                                       N_OF(readings_fields)};

void hs_config_resolve_redis(const char *dir, struct hs_config_redis *redis)
{
    hs_config_resolve(dir, redis->password_file);
    hs_config_resolve(dir, redis->tls.ca);
    hs_config_resolve(dir, redis->tls.cert);
    hs_config_resolve(dir, redis->tls.key);
}

struct hs_redis_access hs_config_get_redis_access(const struct hs_config_redis *redis)
{
    return (struct hs_redis_access){
        .url = redis->url,
        .user = redis->user,
        .password_file = redis->password_file,
        .tls = {.ca = redis->tls.ca,
                .cert = redis->tls.cert,
                .key = redis->tls.key,
                .server_name = redis->tls.server_name},
    };
}

static void check_one(const struct hs_config_redis *redis, const char *pointer,
                      struct hs_conf_report *report)
{
    struct hs_redis_access access = hs_config_get_redis_access(redis);
    struct hs_redis_url parts;
    struct hs_err err;
    char url_pointer[32];

    snprintf(url_pointer, sizeof(url_pointer), "%s/url", pointer);
    if (redis->url[0] == '\0') {
        return;
    }
    if (hs_redis_url_parse(redis->url, &parts, &err) != 0) {
        hs_conf_report_add(report, url_pointer, "%s", err.text);
    } else if (hs_redis_access_check(&access, &err) != 0) {
        hs_conf_report_add(report, pointer, "%s", err.text);
    }
}

void hs_config_check_redis(const struct hs_config *config, struct hs_conf_report *report)
{
    bool is_mem = strcmp(config->store, "mem") == 0;

    check_one(&config->redis, "/redis", report);
    check_one(&config->readings, "/readings", report);
    if (!is_mem && config->redis.url[0] == '\0') {
        hs_conf_report_add(report, "", "needs 'redis' with its 'url', or \"store\": \"mem\"");
    }
    if (strcmp(config->plant_kind, "redis") == 0 && config->redis.url[0] == '\0'
        && config->readings.url[0] == '\0') {
        hs_conf_report_add(report, "/plant/kind", "'redis' needs redis.url or readings.url");
    }
}
