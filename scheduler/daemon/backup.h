/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * backup - `hschedd --backup FILE`: the state of a cell as it is at one moment, while its leader
 * goes on.
 *
 * Jobs, intents and whatever else changes are read in one burst between two looks at the lease; its
 * count of writes proves that nothing changed between them, else they are read again. History,
 * which only grows at one end and goes at the other, is read afterwards in pages, and what ended
 * after that moment is left out. Writes nothing to the store.
 */

#include "scheduler/base/err.h"
#include "scheduler/daemon/config.h"

/**
 * Write the state in the store of @config to @path, which is replaced only when the backup is
 * whole; says on stdout what is in it, on stderr how far it is. Blocks.
 *
 * @return 0, -HS_E_INVALID (a store that forgets, no plain file), -HS_E_TIMEOUT (the store does not
 *         answer), -HS_E_NOTFOUND (it holds nothing of this cell), -HS_E_CONFLICT (never at rest,
 *         or a restore was broken off), -HS_E_UNSUPPORTED (records of a newer schema),
 *         -HS_E_SYSTEM, -HS_E_UNAVAILABLE, -HS_E_PROTOCOL
 */
int hs_backup_write(const struct hs_config *config, const char *path, struct hs_err *err);
