/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * localintent - intents of safety shedding while the store is away, in a file of our own.
 *
 * Promise 9 has one exception: a loop in over-temperature may suspend or throttle deferrable
 * machines that carry our tag although no intent can be written to the store. The intent goes here
 * first: `<state>/intents.local`, one line each with a checksum, on the disk before
 * hs_localintent_add() returns. When the store is back, all lines are written to it and the file is
 * removed. Loop thread only; it blocks for an fsync, which is rare and worth it.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_localintent;

/**
 * One line: an intent as the store's table keeps it.
 *
 * @param key   of the intent, its operation id in digits; borrowed
 * @param text  its JSON in one line; borrowed
 */
typedef void hs_localintent_row_fn(const char *key, const char *text, void *arg);

/** Nothing is opened before it is needed. @param state_dir  copied. Owned by the caller. */
struct hs_localintent *hs_localintent_new(const char *state_dir);

/** Append a line. @return 0 when it is on the disk, -HS_E_INVALID (a newline), -HS_E_SYSTEM */
int hs_localintent_add(struct hs_localintent *local, const char *key, const char *text,
                       struct hs_err *err);

/**
 * Call @row for each line that is whole, oldest first. The torn end that a crash may leave is
 * skipped: its call was never made.
 *
 * @param ret_n_bad  lines whose checksum is wrong although another follows; they are skipped too
 * @return 0 (also where there is no file), -HS_E_SYSTEM
 */
int hs_localintent_read(const struct hs_localintent *local, hs_localintent_row_fn *row, void *arg,
                        size_t *ret_n_bad, struct hs_err *err);

/** All lines are in the store: forget them. @return 0 or -HS_E_SYSTEM */
int hs_localintent_clear(struct hs_localintent *local, struct hs_err *err);

/** Accepts NULL. The file stays. */
void hs_localintent_free(struct hs_localintent *local);
HS_DEFINE_AUTO(hs_localintent);
