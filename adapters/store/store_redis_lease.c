/* SPDX-License-Identifier: Apache-2.0 */
/* store_redis_lease - look, acquire, renew and release through the library's functions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/store/record.h"
#include "adapters/store/store_redis_priv.h"
#include "scheduler/base/mem.h"

#define NUMBER_MAX 24
#define ARGS_MAX   12

struct lease_request {
    struct hs_store_redis *store;
    uint64_t epoch;
    uint64_t writes;
    hs_store_lease_fn *fn;
    void *arg;
};

static void copy_text(const struct redisReply *reply, char *ret_text, size_t size)
{
    (void)snprintf(ret_text, size, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
}

int hs_store_redis_lease_read(const struct redisReply *reply, uint64_t epoch, uint64_t writes,
                              struct hs_store_lease *ret_lease, struct hs_err *err)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements < 7) {
        return hs_err_set(err, HS_E_PROTOCOL, "redis", "a function did not answer with a lease");
    }
    *ret_lease = (struct hs_store_lease){
        .epoch = (uint64_t)reply->element[1]->integer,
        .beat = (uint64_t)reply->element[2]->integer,
        .schema = (unsigned)reply->element[3]->integer,
        .writes = (uint64_t)reply->element[4]->integer,
    };
    copy_text(reply->element[5], ret_lease->store_id, sizeof(ret_lease->store_id));
    copy_text(reply->element[6], ret_lease->holder, sizeof(ret_lease->holder));
    return reply->element[0]->integer == 1 ? 0 : hs_store_refuse(epoch, writes, ret_lease, err);
}

static void on_answer(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    HS_AUTO_MEM struct lease_request *request = arg;
    struct hs_store_lease lease;
    struct hs_err own;

    if (hs_store_redis_functions_is_missing(rc, err)) {
        hs_store_redis_prepare(request->store);
        rc = hs_err_set(&own, HS_E_UNAVAILABLE, "redis", "our functions were removed");
        err = &own;
    } else if (rc == 0) {
        rc = hs_store_redis_lease_read(reply, request->epoch, request->writes, &lease, &own);
        err = rc < 0 ? &own : NULL;
    }
    request->fn(rc, err, rc == 0 || rc == -HS_E_STALE ? &lease : NULL, request->arg);
}

void hs_store_redis_lease_call(struct hs_store *base, const struct hs_store_lease_call *call,
                               hs_store_lease_fn *fn, void *arg)
{
    static const char *const names[] = {
        [HS_STORE_LEASE_LOOK] = "hsched_look",
        [HS_STORE_LEASE_ACQUIRE] = "hsched_acquire",
        [HS_STORE_LEASE_RENEW] = "hsched_renew",
        [HS_STORE_LEASE_RELEASE] = "hsched_release",
    };
    struct hs_store_redis *store = (struct hs_store_redis *)base;
    const struct hs_store_claim *claim = call->claim;
    struct lease_request *request = hs_xcalloc(1, sizeof(*request));
    char lease_key[HS_STORE_REDIS_KEY_MAX];
    char meta_key[HS_STORE_REDIS_KEY_MAX];
    char numbers[4][NUMBER_MAX];
    const char *args[ARGS_MAX] = {call->kind == HS_STORE_LEASE_LOOK ? "FCALL_RO" : "FCALL",
                                  names[call->kind], "2", lease_key, meta_key};
    struct hs_redis_link_command command = {.n_args = 5, .args = args};

    *request = (struct lease_request){store, base->epoch, base->writes, fn, arg};
    hs_store_redis_format_key(store, "lease", lease_key);
    hs_store_redis_format_key(store, "meta", meta_key);
    if (claim != NULL) {
        (void)snprintf(numbers[0], NUMBER_MAX, "%" PRIu64, claim->seen_epoch);
        (void)snprintf(numbers[1], NUMBER_MAX, "%" PRIu64, claim->seen_beat);
        (void)snprintf(numbers[2], NUMBER_MAX, "%" PRIu64, claim->min_epoch);
        (void)snprintf(numbers[3], NUMBER_MAX, "%d", HS_RECORD_SCHEMA);
        for (size_t i = 0; i < 4; i++) {
            args[command.n_args++] = numbers[i];
        }
        args[command.n_args++] = claim->store_id;
        args[command.n_args++] = claim->holder;
    } else if (call->kind != HS_STORE_LEASE_LOOK) {
        (void)snprintf(numbers[0], NUMBER_MAX, "%" PRIu64, base->epoch);
        (void)snprintf(numbers[1], NUMBER_MAX, "%" PRIu64, base->writes);
        args[command.n_args++] = numbers[0];
        args[command.n_args++] = numbers[1];
    }
    hs_redis_link_send(store->link, &command, 1, HS_STORE_REDIS_COMMIT_S, on_answer, request);
}
