/* SPDX-License-Identifier: Apache-2.0 */
/* upkeep - see upkeep.h. */
#include "scheduler/daemon/upkeep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define KEY_MAX 24

struct hs_upkeep {
    struct hs_cycle *cycle;
    const struct hs_estate *estate;
    struct hs_store *store;
    HS_VEC(struct hs_maintenance) items;
    uint64_t next_id;
};

/** A change on its way to the store. */
struct upkeep_change {
    struct hs_upkeep *upkeep;
    struct hs_maintenance it;
    bool is_end;
    hs_upkeep_done_fn *done;
    void *arg;
};

struct hs_upkeep *hs_upkeep_new(struct hs_cycle *cycle, const struct hs_estate *estate,
                                struct hs_store *store)
{
    struct hs_upkeep *upkeep = hs_xcalloc(1, sizeof(*upkeep));

    upkeep->cycle = cycle;
    upkeep->estate = estate;
    upkeep->store = store;
    upkeep->next_id = 1;
    return upkeep;
}

void hs_upkeep_free(struct hs_upkeep *upkeep)
{
    if (upkeep != NULL) {
        HS_VEC_FINI(&upkeep->items);
        free(upkeep);
    }
}

static void tell(struct hs_upkeep *upkeep)
{
    hs_cycle_set_maintenance(upkeep->cycle, upkeep->items.items, upkeep->items.n);
}

void hs_upkeep_restore(struct hs_upkeep *upkeep, const char *key, const char *text)
{
    json_auto_t *json = NULL;
    struct hs_maintenance it;
    struct hs_conf_report report = {.text = text};
    struct hs_err err = {0};
    int rc = hs_jsonx_parse(HS_UPKEEP_TABLE, text, strlen(text), &json, &err);

    rc = rc != 0 ? rc : hs_maintenance_parse(json, 0, &it, &report);
    rc = rc != 0 ? rc : hs_maintenance_check(&it, upkeep->estate, &err);
    hs_conf_report_fini(&report);
    if (rc != 0) {
        HS_LOG_WARN("store", "maintenance '%s' cannot be used: %s", key, err.text);
        return;
    }
    upkeep->next_id = it.id >= upkeep->next_id ? it.id + 1 : upkeep->next_id;
    HS_VEC_PUSH(&upkeep->items, it);
    tell(upkeep);
}

static size_t find(const struct hs_upkeep *upkeep, uint64_t id)
{
    size_t i = 0;

    while (i < upkeep->items.n && upkeep->items.items[i].id != id) {
        i++;
    }
    return i;
}

static void on_durable(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct upkeep_change *change = arg;
    struct hs_upkeep *upkeep = change->upkeep;
    size_t i = find(upkeep, change->it.id);

    if (rc == 0 && !change->is_end) {
        HS_VEC_PUSH(&upkeep->items, change->it);
    } else if (rc == 0 && i < upkeep->items.n) {
        upkeep->items.items[i] = upkeep->items.items[--upkeep->items.n];
    }
    if (rc == 0) {
        tell(upkeep);
    }
    change->done(rc, err, change->it.id, change->arg);
}

/* Those that have ended leave the list, and the store with @ops. @return operations */
static size_t forget_ended(struct hs_upkeep *upkeep, int64_t now_at_s, struct hs_store_op *ops,
                           char (*keys)[KEY_MAX])
{
    size_t n_kept = 0;
    size_t n = 0;

    for (size_t i = 0; i < upkeep->items.n; i++) {
        if (upkeep->items.items[i].until_at_s > now_at_s) {
            upkeep->items.items[n_kept++] = upkeep->items.items[i];
            continue;
        }
        snprintf(keys[n], KEY_MAX, "%" PRIu64, upkeep->items.items[i].id);
        ops[n] = (struct hs_store_op){HS_STORE_DELETE, HS_UPKEEP_TABLE, keys[n], NULL};
        n++;
    }
    upkeep->items.n = n_kept;
    return n;
}

void hs_upkeep_add(struct hs_upkeep *upkeep, const struct hs_maintenance *it, int64_t now_at_s,
                   hs_upkeep_done_fn *done, void *arg)
{
    struct upkeep_change *change = hs_xcalloc(1, sizeof(*change));
    HS_AUTO_MEM struct hs_store_op *ops = hs_xcalloc(upkeep->items.n + 1, sizeof(*ops));
    HS_AUTO_MEM char(*keys)[KEY_MAX] = hs_xcalloc(upkeep->items.n + 1, KEY_MAX);
    size_t n = forget_ended(upkeep, now_at_s, ops, keys);
    json_auto_t *json = NULL;
    HS_AUTO_MEM char *text = NULL;

    *change = (struct upkeep_change){upkeep, *it, false, done, arg};
    change->it.id = upkeep->next_id++;
    json = hs_maintenance_format(&change->it);
    text = hs_jsonx_format(json);
    snprintf(keys[n], KEY_MAX, "%" PRIu64, change->it.id);
    ops[n] = (struct hs_store_op){HS_STORE_PUT, HS_UPKEEP_TABLE, keys[n], text};
    hs_store_commit(upkeep->store, ops, n + 1, on_durable, change);
}

bool hs_upkeep_end(struct hs_upkeep *upkeep, uint64_t id, hs_upkeep_done_fn *done, void *arg)
{
    size_t i = find(upkeep, id);
    char key[KEY_MAX];
    struct hs_store_op op = {HS_STORE_DELETE, HS_UPKEEP_TABLE, key, NULL};
    struct upkeep_change *change;

    if (i == upkeep->items.n) {
        return false;
    }
    change = hs_xcalloc(1, sizeof(*change));
    *change = (struct upkeep_change){upkeep, upkeep->items.items[i], true, done, arg};
    snprintf(key, sizeof(key), "%" PRIu64, id);
    hs_store_commit(upkeep->store, &op, 1, on_durable, change);
    return true;
}

const struct hs_maintenance *hs_upkeep_get(const struct hs_upkeep *upkeep, size_t *ret_n)
{
    *ret_n = upkeep->items.n;
    return upkeep->items.items;
}
