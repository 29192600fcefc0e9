/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** filetext - a whole file in memory, gunzipped if its name ends in .gz. */

#include <stddef.h>

#include "scheduler/base/err.h"

#define HS_FILETEXT_MAX_BYTES ((size_t)512 << 20)

/**
 * @param ret_text  NUL-terminated, owned by the caller (free)
 * @return 0, -HS_E_NOTFOUND, -HS_E_INVALID (too large, damaged gzip) or -HS_E_SYSTEM
 */
int hs_filetext_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err);
