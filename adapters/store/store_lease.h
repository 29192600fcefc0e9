/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * store_lease - who may write to a store: an epoch that only grows, and a holder who shows beats.
 *
 * The store keeps the lease and refuses every commit of another epoch than the last that was
 * acquired; how long a lease lasts is for those to judge who watch its beats with a clock of their
 * own (scheduler/daemon/lease.h). Calls and callbacks as in store.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/store/store.h"

#define HS_STORE_HOLDER_MAX 512

struct hs_store_lease {
    uint64_t epoch;                   /* of the last leader; 0: there never was one */
    uint64_t beat;                    /* grows with each acquire and renewal */
    uint64_t writes;                  /* commits since the store began */
    unsigned schema;                  /* newest schema of records that was written here */
    char store_id[40];                /* made once for each store; "" before the first acquire */
    char holder[HS_STORE_HOLDER_MAX]; /* as its claim said; "" if nobody leads */
};

/** What an acquire wants. */
struct hs_store_claim {
    uint64_t seen_epoch; /* it must still be as it was seen, or it is refused */
    uint64_t seen_beat;
    uint64_t min_epoch;   /* the new epoch is larger than this as well */
    const char *store_id; /* for a store that has none */
    const char *holder;   /* who leads now, and where; < HS_STORE_HOLDER_MAX */
};

/** Read the lease. */
void hs_store_lease_look(struct hs_store *store, hs_store_lease_fn *fn, void *arg);

/** Take it in a new epoch; where that succeeds, commits through @store carry the epoch. */
void hs_store_lease_acquire(struct hs_store *store, const struct hs_store_claim *claim,
                            hs_store_lease_fn *fn, void *arg);

/** Show a beat. -HS_E_STALE: it is not, or no longer, ours. */
void hs_store_lease_renew(struct hs_store *store, hs_store_lease_fn *fn, void *arg);

/** Give it back, so that another need not wait; later commits are refused. */
void hs_store_lease_release(struct hs_store *store, hs_store_lease_fn *fn, void *arg);
