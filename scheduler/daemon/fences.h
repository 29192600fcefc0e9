/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * fences - silent hosts of which somebody has said that they are off.
 *
 * Only that word lets their jobs be started elsewhere (promises.md, 8). Table "hosts": a row for
 * each by its path, kept until the host answers again and what it still had of jobs that went on
 * elsewhere is gone. Hosts that have left the estate count where a job or an open intent still
 * names them. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/daemon/reconcile.h"

#define HS_FENCES_TABLE "hosts"

struct hs_fences;

struct hs_fences_options {
    const struct hs_cycle *cycle;   /* kept */
    const struct hs_estate *estate; /* kept */
    struct hs_fleet *fleet;         /* kept */
    struct hs_enact *enact;         /* kept */
    struct hs_reconcile *reconcile; /* kept */
    struct hs_inbox *inbox;         /* kept */
};

/** Owned by the caller. */
struct hs_fences *hs_fences_new(const struct hs_fences_options *options);

/** A row of the table. Logs what it cannot use. */
void hs_fences_restore(struct hs_fences *fences, const char *key, const char *text);

/**
 * Could the host be declared off?
 *
 * @return 0, -HS_E_NOTFOUND: neither the estate nor what is open knows it, -HS_E_CONFLICT: it
 *         answers, or was not tried yet in this life
 */
int hs_fences_check(const struct hs_fences *fences, const char *path, struct hs_err *err);

/** The host is off, says @who; checked. Goes with the next commit, as do the jobs it changes. */
void hs_fences_confirm(struct hs_fences *fences, const char *path, const char *who,
                       const char *why);

/** A host was listed, and strays there were dealt with. @param machines  borrowed */
void hs_fences_listed(struct hs_fences *fences, size_t host_idx, const struct hs_machine *machines,
                      size_t n_machines);

/** Accepts NULL. */
void hs_fences_free(struct hs_fences *fences);
HS_DEFINE_AUTO(hs_fences);
