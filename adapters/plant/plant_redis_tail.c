/* SPDX-License-Identifier: Apache-2.0 */
/* plant_redis_tail - one XREVRANGE, turned round. */
#include "adapters/plant/plant_redis_tail.h"

#include <stdbool.h>
#include <stdio.h>

#include <hiredis/hiredis.h>

#include "adapters/redis/redis_link.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define DEADLINE_S 5.0

struct hs_plant_redis_tail {
    struct hs_executor *executor;
    struct hs_redis_link *link;
    struct hs_timer *late; /* a server that never comes up */
    char *key;
    char count[16];
    hs_plant_redis_tail_fn *fn;
    void *arg;
    bool is_over;
};

static void end(struct hs_plant_redis_tail *tail, const json_t *entries, const struct hs_err *err)
{
    if (!tail->is_over) {
        tail->is_over = true;
        tail->fn(tail->arg, entries, err);
    }
}

static json_t *format_entry(const redisReply *entry)
{
    json_t *object = hs_jsonx_object();

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) {
        return object;
    }
    hs_jsonx_set_text(object, "id", entry->element[0]->str);
    for (size_t i = 0; i + 1 < entry->element[1]->elements; i += 2) {
        hs_jsonx_set_text(object, entry->element[1]->element[i]->str,
                          entry->element[1]->element[i + 1]->str);
    }
    return object;
}

static void on_entries(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    json_auto_t *entries = hs_jsonx_array();

    for (size_t i = rc == 0 ? reply->elements : 0; i > 0; i--) {
        hs_jsonx_add(entries, format_entry(reply->element[i - 1]));
    }
    end(arg, rc == 0 ? entries : NULL, err);
}

static void on_up(void *arg)
{
    struct hs_plant_redis_tail *tail = arg;
    const char *const args[] = {"XREVRANGE", tail->key, "+", "-", "COUNT", tail->count};
    const struct hs_redis_link_command command = {sizeof(args) / sizeof(args[0]), args};

    hs_redis_link_send(tail->link, &command, 1, DEADLINE_S, on_entries, tail);
}

static void on_late(void *arg)
{
    struct hs_plant_redis_tail *tail = arg;
    const struct hs_err *why = hs_redis_link_get_why_down(tail->link);
    struct hs_err err;

    hs_err_set(&err, HS_E_UNAVAILABLE, "redis", "%s", why != NULL ? why->text : "no answer");
    end(tail, NULL, &err);
}

int hs_plant_redis_tail_new(struct hs_executor *executor, const struct hs_redis_access *access,
                            const char *cell, int count, hs_plant_redis_tail_fn *fn, void *arg,
                            struct hs_plant_redis_tail **ret_tail, struct hs_err *err)
{
    HS_AUTO(hs_plant_redis_tail) tail = hs_xcalloc(1, sizeof(*tail));
    const struct hs_redis_link_options options = {
        .executor = executor, .access = *access, .up = on_up, .arg = tail};
    int rc;

    tail->executor = executor;
    tail->fn = fn;
    tail->arg = arg;
    snprintf(tail->count, sizeof(tail->count), "%d", count);
    if (asprintf(&tail->key, "hs:{%s}:readings", cell) < 0) {
        hs_mem_exhausted();
    }
    rc = hs_redis_link_new(&options, &tail->link, err);
    if (rc == 0) {
        tail->late = hs_executor_timer_add(executor, DEADLINE_S, on_late, tail);
        *ret_tail = HS_STEAL(tail);
    }
    return rc;
}

void hs_plant_redis_tail_free(struct hs_plant_redis_tail *tail)
{
    if (tail != NULL) {
        tail->is_over = true;
        hs_redis_link_free(tail->link);
        hs_executor_timer_remove(tail->executor, tail->late);
        free(tail->key);
        free(tail);
    }
}
