/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * epochfile - the last epoch and store that this host has led with, outside the store.
 *
 * `epoch-CELL.json` in the state directory, replaced whole and synced before we lead. A store that
 * shows less was rolled back or is another one: hs_epochfile_check() says so, unless an operator
 * has accepted exactly that state. Loop thread only; blocking, a few ms.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/store/store_lease.h"
#include "scheduler/base/err.h"

#define HS_EPOCHFILE_WHY_MAX 512

struct hs_epochfile {
    uint64_t epoch;    /* highest that was led with, or seen on a machine of ours; 0: none */
    uint64_t writes;   /* commits that were known of in that epoch, at least */
    char store_id[40]; /* "": none */
    bool is_accepted;  /* an operator takes the state below, though it is older */
    uint64_t accepted_epoch;
    char accepted_store_id[40];
};

/**
 * Read the file of @cell; one that is absent is all zero.
 *
 * @return 0, -HS_E_INVALID (damaged), -HS_E_SYSTEM
 */
int hs_epochfile_read(const char *state_dir, const char *cell, struct hs_epochfile *ret_file,
                      struct hs_err *err);

/** Replace it; durable. @return 0 or -HS_E_SYSTEM, -HS_E_CONFLICT */
int hs_epochfile_write(const char *state_dir, const char *cell, const struct hs_epochfile *file,
                       struct hs_err *err);

/**
 * May the state that @lease belongs to be led, as far as @file knows?
 *
 * @param ret_why  [HS_EPOCHFILE_WHY_MAX] why not and what to do, where the answer is no
 */
bool hs_epochfile_check(const struct hs_epochfile *file, const struct hs_store_lease *lease,
                        char *ret_why);
