/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * statedir - the directory of hschedd's own files: made where it is missing, locked while we lead.
 *
 * The lock is the kernel's and ends with the process, so it also proves that a former holder on
 * this machine is dead. Loop thread only.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_STATEDIR_HOME_MAX 96

struct hs_statedir_lock;

/** mkdir -p. @return 0 or -HS_E_SYSTEM */
int hs_statedir_make(const char *path, struct hs_err *err);

/**
 * Lock the directory for this process.
 *
 * @param ret_lock  owned by the caller on success
 * @return 0, -HS_E_CONFLICT (another process has it, the text says which), -HS_E_SYSTEM
 */
int hs_statedir_lock(const char *path, struct hs_statedir_lock **ret_lock, struct hs_err *err);

/**
 * Where a holder of this lock lives: this boot of this machine, this file. Two processes of the
 * same home never hold the lock at the same time. Borrowed.
 */
const char *hs_statedir_get_home(const struct hs_statedir_lock *lock);

/** Unlocks. Accepts NULL. */
void hs_statedir_lock_free(struct hs_statedir_lock *lock);
HS_DEFINE_AUTO(hs_statedir_lock);
