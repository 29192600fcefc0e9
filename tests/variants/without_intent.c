/* SPDX-License-Identifier: Apache-2.0 */
/* Without intents first: hosts are called at once, what was to be written before is written later.
 */
#include <string.h>

#include "adapters/store/store.h"
#include "scheduler/base/mem.h"

#define OPS_MAX 64

void __real_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg);
void __wrap_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg);

static struct hs_store_op held[OPS_MAX];
static size_t n_held;

static char *copy(const char *text)
{
    return text != NULL ? hs_xstrdup(text) : NULL;
}

static void on_written(int rc, const struct hs_err *err, void *arg)
{
}

static void write_held(struct hs_store *store)
{
    if (n_held > 0) {
        __real_hs_store_commit(store, held, n_held, on_written, NULL);
    }
    for (size_t i = 0; i < n_held; i++) {
        free((void *)held[i].table);
        free((void *)held[i].key);
        free((void *)held[i].text);
    }
    n_held = 0;
}

static bool has_intent(const struct hs_store_op *ops, size_t n_ops)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i].kind == HS_STORE_PUT && strcmp(ops[i].table, "intents") == 0) {
            return true;
        }
    }
    return false;
}

void __wrap_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg)
{
    write_held(store);
    if (!has_intent(ops, n_ops) || n_ops > OPS_MAX) {
        __real_hs_store_commit(store, ops, n_ops, done, arg);
        return;
    }
    for (size_t i = 0; i < n_ops; i++) {
        held[n_held++] = (struct hs_store_op){ops[i].kind, copy(ops[i].table), copy(ops[i].key),
                                              copy(ops[i].text)};
    }
    done(0, NULL, arg);
}
