/* SPDX-License-Identifier: Apache-2.0 */
/* without_wait - submits are acknowledged as soon as their commit is sent, durable or not. */
#include <string.h>

#include "adapters/store/store.h"

void __real_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg);
void __wrap_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg);

static void forget(int rc, const struct hs_err *err, void *arg)
{
}

/** The commits of scheduler/daemon/intake.c end with the next free id. */
static bool is_submit(const struct hs_store_op *ops, size_t n_ops)
{
    return n_ops > 1 && ops[n_ops - 1].key != NULL && strcmp(ops[n_ops - 1].key, "next_id") == 0;
}

void __wrap_hs_store_commit(struct hs_store *store, const struct hs_store_op *ops, size_t n_ops,
                            hs_store_done_fn *done, void *arg)
{
    if (is_submit(ops, n_ops)) {
        __real_hs_store_commit(store, ops, n_ops, forget, NULL);
        done(0, NULL, arg);
    } else {
        __real_hs_store_commit(store, ops, n_ops, done, arg);
    }
}
