/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_redis_functions - asks which version of hsched.lua the server has, and loads ours over an
 * older one or none. A newer one stays: it serves us as well, and whoever loaded it needs it.
 */
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/store/store_redis_priv.h"
#include "scheduler/base/mem.h"

struct load {
    struct hs_redis_link *link;
    hs_store_done_fn *done;
    void *arg;
};

static void end_load(struct load *load, int rc, const struct hs_err *err)
{
    load->done(rc, err, load->arg);
    free(load);
}

/** The number in `local VERSION = 12`. */
static long long find_own_version(void)
{
    static const char mark[] = "local VERSION = ";

    return strtoll(strstr(hs_store_redis_functions_text, mark) + strlen(mark), NULL, 10);
}

static bool is_unknown_command(int rc, const struct hs_err *err)
{
    return rc == -HS_E_PROTOCOL && strstr(err->text, "unknown command") != NULL;
}

bool hs_store_redis_functions_is_missing(int rc, const struct hs_err *err)
{
    return rc == -HS_E_PROTOCOL && strstr(err->text, "unction not found") != NULL;
}

static void on_loaded(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    end_load(arg, rc, err);
}

static void on_version(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    static const char *const args[] = {"FUNCTION", "LOAD", "REPLACE",
                                       hs_store_redis_functions_text};
    static const struct hs_redis_link_command command = {4, args};
    struct load *load = arg;
    struct hs_err own;

    if (is_unknown_command(rc, err)) {
        rc = hs_err_set(&own, HS_E_UNSUPPORTED, err->where,
                        "redis is older than 7.0: it has no functions, and writes cannot be fenced "
                        "without; install redis 7.0 or newer");
        end_load(load, rc, &own);
    } else if (rc < 0 && !hs_store_redis_functions_is_missing(rc, err)) {
        end_load(load, rc, err);
    } else if (rc == 0 && reply->type == REDIS_REPLY_INTEGER
               && reply->integer >= find_own_version()) {
        end_load(load, 0, NULL);
    } else {
        hs_redis_link_send(load->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_loaded, load);
    }
}

void hs_store_redis_functions_load(struct hs_redis_link *link, hs_store_done_fn *done, void *arg)
{
    static const char *const args[] = {"FCALL_RO", "hsched_version", "0"};
    static const struct hs_redis_link_command command = {3, args};
    struct load *load = hs_xcalloc(1, sizeof(*load));

    *load = (struct load){link, done, arg};
    hs_redis_link_send(link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_version, load);
}
