/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** store_priv - what the port's own files and its backends share about a call for the lease. */

#include "adapters/store/store_lease.h"

enum hs_store_lease_kind {
    HS_STORE_LEASE_LOOK,
    HS_STORE_LEASE_ACQUIRE,
    HS_STORE_LEASE_RENEW,
    HS_STORE_LEASE_RELEASE,
};

struct hs_store_lease_call {
    enum hs_store_lease_kind kind;
    const struct hs_store_claim *claim; /* of an acquire, else NULL; borrowed */
};

/** Say why a call of @epoch that knew of @writes was refused. @return -HS_E_STALE */
int hs_store_refuse(uint64_t epoch, uint64_t writes, const struct hs_store_lease *lease,
                    struct hs_err *err);
