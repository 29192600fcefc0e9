/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** secretfile - a password or key in a file that nobody else can read. */

#include <stddef.h>

#include "scheduler/base/err.h"

#define HS_SECRETFILE_MAX_BYTES 65536

/**
 * Read a small file whole. One that its group or others may read or write is refused, but for
 * systemd's credentials ($CREDENTIALS_DIRECTORY), which are closed by their folder.
 *
 * @param ret_text  NUL terminated; owned by the caller (free)
 * @return 0, -HS_E_DENIED (others may read it), -HS_E_INVALID (no plain file, too long),
 *         -HS_E_SYSTEM
 */
int hs_secretfile_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err);

/** As above for one line of text: the newline at its end is cut; empty is -HS_E_INVALID. */
int hs_secretfile_read_line(const char *path, char **ret_text, struct hs_err *err);
