/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * storevisit - the store as hschedd's commands see it that do one thing and end: calls that block.
 *
 * Around a reactor of its own; for --accept-older-state, --backup and --restore, never for the
 * daemon itself. One thread.
 */

#include <stddef.h>

#include "adapters/store/store.h"
#include "adapters/store/store_lease.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/daemon/config.h"

struct hs_storevisit;

/**
 * Connect to the store of @config; waits for it for up to 10 s. What is found damaged in it is
 * said in the log.
 *
 * @param ret_visit  owned by the caller on success
 * @return 0, -HS_E_INVALID (a store that forgets), -HS_E_TIMEOUT (it does not answer)
 */
int hs_storevisit_new(const struct hs_config *config, struct hs_storevisit **ret_visit,
                      struct hs_err *err);

/** For calls that are to go out together: begin them, then run until one ends the run. */
struct hs_store *hs_storevisit_get_store(struct hs_storevisit *visit);
void hs_storevisit_run(struct hs_storevisit *visit);
void hs_storevisit_end_run(struct hs_storevisit *visit);

/** As the calls of store.h and store_lease.h, with their rc. */
int hs_storevisit_look(struct hs_storevisit *visit, struct hs_store_lease *ret_lease,
                       struct hs_err *err);
int hs_storevisit_acquire(struct hs_storevisit *visit, const struct hs_store_claim *claim,
                          struct hs_store_lease *ret_lease, struct hs_err *err);
int hs_storevisit_renew(struct hs_storevisit *visit, struct hs_err *err);
int hs_storevisit_release(struct hs_storevisit *visit, struct hs_err *err);
int hs_storevisit_commit(struct hs_storevisit *visit, const struct hs_store_op *ops, size_t n_ops,
                         struct hs_err *err);
int hs_storevisit_scan(struct hs_storevisit *visit, const char *table, hs_store_row_fn *row,
                       void *arg, struct hs_err *err);
int hs_storevisit_tail(struct hs_storevisit *visit, const char *log, size_t n_max,
                       hs_store_row_fn *row, void *arg, struct hs_err *err);

/** Let @after_s real seconds pass. */
void hs_storevisit_wait(struct hs_storevisit *visit, double after_s);

/** Accepts NULL. */
void hs_storevisit_free(struct hs_storevisit *visit);
HS_DEFINE_AUTO(hs_storevisit);
