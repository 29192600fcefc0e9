/* SPDX-License-Identifier: Apache-2.0 */
/* store - dispatch to the backend, with the checks every backend would repeat. */
#include "adapters/store/store.h"

#include <assert.h>
#include <string.h>

static const struct hs_store_ops *const store_backends[] = {
    &hs_store_redis_ops,
    &hs_store_mem_ops,
};

const struct hs_store_ops *hs_store_find_backend(const char *name)
{
    for (size_t i = 0; i < sizeof(store_backends) / sizeof(store_backends[0]); i++) {
        if (strcmp(store_backends[i]->name, name) == 0) {
            return store_backends[i];
        }
    }
    return NULL;
}

void hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                     hs_store_done_fn *done, void *arg)
{
    for (size_t i = 0; i < n_ops; i++) {
        assert(ops[i].table != NULL);
        assert(ops[i].key != NULL || ops[i].kind == HS_STORE_APPEND);
        assert(ops[i].text != NULL || ops[i].kind == HS_STORE_DELETE);
    }
    assert(done != NULL);
    store->ops->commit(store, ops, n_ops, done, arg);
}

void hs_store_load(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    assert(row != NULL && done != NULL);
    store->ops->load(store, table, row, done, arg);
}

void hs_store_tail(struct hs_store *store, const char *log, size_t n_max, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    assert(row != NULL && done != NULL);
    store->ops->tail(store, log, n_max, row, done, arg);
}

void hs_store_get(struct hs_store *store, const char *table, const char *key, hs_store_row_fn *row,
                  hs_store_done_fn *done, void *arg)
{
    assert(table != NULL && key != NULL && row != NULL && done != NULL);
    store->ops->get(store, table, key, row, done, arg);
}

void hs_store_scan(struct hs_store *store, const char *table, hs_store_row_fn *row,
                   hs_store_done_fn *done, void *arg)
{
    assert(table != NULL && row != NULL && done != NULL);
    store->ops->scan(store, table, row, done, arg);
}

bool hs_store_is_up(const struct hs_store *store)
{
    return store->ops->is_up(store);
}

const char *hs_store_get_weakness(const struct hs_store *store)
{
    return store->ops->get_weakness != NULL ? store->ops->get_weakness(store) : NULL;
}

void hs_store_free(struct hs_store *store)
{
    if (store != NULL) {
        store->ops->destroy(store);
    }
}
