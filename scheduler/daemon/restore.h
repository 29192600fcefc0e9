/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * restore - `hschedd --restore FILE`: a backup becomes the state of the cell.
 *
 * The file is read to its end before anything is touched. Nobody may lead meanwhile: the restore
 * takes the lease itself, in an epoch far beyond those of the backup and of this host, for the
 * leader that wrote after the backup may have had some. A mark in the store says that it is under
 * way; a state with that mark is led by nobody (recall.h), so one that was broken off is begun
 * again and never half used. Job numbers go on far beyond the backup's: one that was given after
 * it is not given twice.
 */

#include <stdbool.h>

#include "scheduler/base/err.h"
#include "scheduler/daemon/config.h"

#define HS_RESTORE_MARK "restoring" /* key of the mark in table "meta" */

/** Read all of @path, say on stdout what is in it. @return as hs_backupreader_next() */
int hs_restore_check(const char *path, struct hs_err *err);

/**
 * Put @path into the store of @config; says on stdout what it did, on stderr how far it is.
 * Blocks.
 *
 * @param is_forced  the store holds a state already: replace it
 * @return 0; what the file is, as hs_restore_check(); -HS_E_INVALID (of another cell);
 *         -HS_E_CONFLICT (somebody leads or works in the state directory; the store is not empty
 *         and @is_forced is false); of the store and the state directory as hs_backup_write()
 */
int hs_restore_apply(const struct hs_config *config, const char *path, bool is_forced,
                     struct hs_err *err);
