/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_redis_refusal - a server that answers and takes no writes: full, read-only, no rights.
 *
 * The first commit that is refused so takes the store down; each second the library's probe, which
 * writes nothing, is refused for the same reasons, until there is none.
 */
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/store/store_redis_priv.h"

#define FOREIGN_FORMAT "WRONGTYPE %127s is a %*[a-z], not a %15[a-z]"

static const struct {
    const char *word;
    const char *advice;
} words[] = {
    {"OOM", "it is full (maxmemory): give it more memory"},
    {"MISCONF", "it cannot write its own files: look at its log and its disk"},
    {"READONLY", "it is a replica: promote it, or point redis.url at the primary"},
    {"NOREPLICAS", "it wants more replicas than it has (min-replicas-to-write)"},
    {"NOPERM", "our user lacks a right: see the ACL in docs/operate.md"},
    {"NOAUTH", "it wants a password now: set redis.password_file"},
    {"WRONGTYPE", "a key of ours is in use by somebody else: remove or rename it"},
};

void hs_store_redis_refusal_format(const struct hs_err *err, char *ret_text, size_t size)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(err->text, words[i].word, strlen(words[i].word)) == 0) {
            (void)snprintf(ret_text, size, "redis takes no writes, %s (%.100s)", words[i].advice,
                           err->text);
            return;
        }
    }
    (void)snprintf(ret_text, size, "%s", err->text);
}

/** @return 0 while the server takes writes; true words of a refusal are known ones */
static bool is_refusal(int rc, const struct hs_err *err)
{
    if (rc == -HS_E_UNAVAILABLE || rc == -HS_E_DENIED) {
        return true;
    }
    return rc == -HS_E_PROTOCOL && strncmp(err->text, "WRONGTYPE", strlen("WRONGTYPE")) == 0;
}

int hs_store_redis_refusal_note(struct hs_store_redis *store, int rc, const struct hs_err *err)
{
    struct hs_err why;
    char text[sizeof(why.text)];

    if (!is_refusal(rc, err) || !hs_redis_link_is_up(store->link)) {
        return rc;
    }
    if (sscanf(err->text, FOREIGN_FORMAT, store->foreign_key, store->foreign_type) != 2) {
        store->foreign_key[0] = '\0';
    }
    hs_store_redis_refusal_format(err, text, sizeof(text));
    hs_err_set(&why, HS_E_UNAVAILABLE, "redis", "%s", text);
    hs_redis_link_set_refusal(store->link, &why);
    return rc == -HS_E_DENIED ? -HS_E_UNAVAILABLE : rc; /* to a user it is not he who may not */
}

static void on_probed(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct hs_store_redis *store = arg;

    if (rc == 0 || hs_store_redis_functions_is_missing(rc, err)) {
        hs_redis_link_set_refusal(store->link, NULL); /* what is missing is loaded when it is up */
    }
}

void hs_store_redis_refusal_probe(void *arg)
{
    struct hs_store_redis *store = arg;
    bool has_foreign = store->foreign_key[0] != '\0';
    char lease_key[HS_STORE_REDIS_KEY_MAX];
    const char *const args[] = {"FCALL",   "hsched_probe",     has_foreign ? "2" : "1",
                                lease_key, store->foreign_key, store->foreign_type};
    const struct hs_redis_link_command command = {has_foreign ? 6 : 4, args};

    hs_store_redis_format_key(store, "lease", lease_key);
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_probed, store);
}
