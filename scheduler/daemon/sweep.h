/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sweep - forgets the files of jobs that are long over, so that a host's disk does not fill up.
 *
 * Of each host the newest HS_SWEEP_KEPT jobs that are over keep their logs; older ones are cleaned
 * away, oldest first, a few after each listing. Knows only jobs that are over, from table "files"
 * (history.h), and drops their rows once they are cleaned. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/fleet.h"

#define HS_SWEEP_KEPT 500

struct hs_sweep;

/** @param fleet, enact  kept. @param n_kept  jobs a host. Owned by the caller. */
struct hs_sweep *hs_sweep_new(const struct hs_estate *estate, struct hs_fleet *fleet,
                              struct hs_enact *enact, size_t n_kept);

/** A job is over and has files on the host. */
void hs_sweep_add(struct hs_sweep *sweep, const char *host_path, uint64_t job_id,
                  int64_t ended_at_s);

/** Take in a row of table "files". @return 0 or -HS_E_PROTOCOL */
int hs_sweep_restore(struct hs_sweep *sweep, const char *key, const char *text, struct hs_err *err);

/** A host was listed and the store is up: clean what is due there. */
void hs_sweep_apply(struct hs_sweep *sweep, size_t host_idx);

/** Accepts NULL. */
void hs_sweep_free(struct hs_sweep *sweep);
HS_DEFINE_AUTO(hs_sweep);
