/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * backupreader - reads what backupfile wrote, line by line, and believes nothing.
 *
 * A row is handed out before the end of the file was seen: who must know that the file is whole
 * reads it to the end first. Any one thread.
 */

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/daemon/backupfile.h"

struct hs_backupreader;

/**
 * Open @path and read its first line.
 *
 * @param ret_reader  owned by the caller on success
 * @return 0, -HS_E_SYSTEM (cannot be read), -HS_E_INVALID (no backup, or damaged at the first
 *         line), -HS_E_UNSUPPORTED (of a newer hschedd)
 */
int hs_backupreader_open(const char *path, struct hs_backupreader **ret_reader, struct hs_err *err);

const struct hs_backupfile_head *hs_backupreader_get_head(const struct hs_backupreader *reader);

/**
 * The next row.
 *
 * @param ret_row  borrowed until the next call
 * @return 1; 0 at the end of a file that is whole; -HS_E_INVALID: damaged or cut off, @err says in
 *         which line; -HS_E_UNSUPPORTED: a record of a newer schema; -HS_E_SYSTEM
 */
int hs_backupreader_next(struct hs_backupreader *reader, struct hs_backupfile_row *ret_row,
                         struct hs_err *err);

/** Accepts NULL. */
void hs_backupreader_free(struct hs_backupreader *reader);
HS_DEFINE_AUTO(hs_backupreader);
