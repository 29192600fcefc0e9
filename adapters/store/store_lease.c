/* SPDX-License-Identifier: Apache-2.0 */
/* store_lease - dispatch to the backend; the epoch that was acquired goes with each commit. */
#include "adapters/store/store_lease.h"

#include <assert.h>
#include <string.h>

#include "adapters/store/store_priv.h"
#include "scheduler/base/mem.h"

/** An acquire on its way. */
struct acquire {
    struct hs_store *store;
    hs_store_lease_fn *fn;
    void *arg;
};

void hs_store_lease_look(struct hs_store *store, hs_store_lease_fn *fn, void *arg)
{
    store->ops->lease(store, &(struct hs_store_lease_call){.kind = HS_STORE_LEASE_LOOK}, fn, arg);
}

static void on_acquired(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                        void *arg)
{
    HS_AUTO_MEM struct acquire *acquire = arg;

    if (rc == 0) {
        acquire->store->epoch = lease->epoch;
        acquire->store->writes = lease->writes;
    }
    acquire->fn(rc, err, lease, acquire->arg);
}

void hs_store_lease_acquire(struct hs_store *store, const struct hs_store_claim *claim,
                            hs_store_lease_fn *fn, void *arg)
{
    struct acquire *acquire = hs_xcalloc(1, sizeof(*acquire));

    assert(strlen(claim->holder) > 0 && strlen(claim->holder) < HS_STORE_HOLDER_MAX);
    *acquire = (struct acquire){store, fn, arg};
    store->ops->lease(store,
                      &(struct hs_store_lease_call){.kind = HS_STORE_LEASE_ACQUIRE, .claim = claim},
                      on_acquired, acquire);
}

void hs_store_lease_renew(struct hs_store *store, hs_store_lease_fn *fn, void *arg)
{
    store->ops->lease(store, &(struct hs_store_lease_call){.kind = HS_STORE_LEASE_RENEW}, fn, arg);
}

void hs_store_lease_release(struct hs_store *store, hs_store_lease_fn *fn, void *arg)
{
    store->ops->lease(store, &(struct hs_store_lease_call){.kind = HS_STORE_LEASE_RELEASE}, fn,
                      arg);
}
