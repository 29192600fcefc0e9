/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * filetext - a whole text file in memory, gunzipped if it is a gzip.
 *
 * A UTF-8 byte order mark is taken off. What is no text (a byte 0, UTF-16) is refused, so that
 * no reader stops halfway without a word. Errors say file:line where a line can be named.
 */

#include <stddef.h>

#include "scheduler/base/err.h"

#define HS_FILETEXT_MAX_BYTES ((size_t)512 << 20)
#define HS_FILETEXT_WHERE_MAX 64 /* of struct hs_err */

/**
 * @param ret_text  NUL-terminated, owned by the caller (free)
 * @return 0, -HS_E_NOTFOUND, -HS_E_DENIED, -HS_E_INVALID (a directory, too large, no text, a
 *         gzip cut short or damaged) or -HS_E_SYSTEM
 */
int hs_filetext_read(const char *path, char **ret_text, size_t *ret_n_bytes, struct hs_err *err);

/** Whether @path can be opened and is no directory. @return as hs_filetext_read() */
int hs_filetext_check(const char *path, struct hs_err *err);

/**
 * "file:line" for messages, of the last part of @path; a long name is cut from its front.
 *
 * @param line       from 1; 0 leaves it out
 * @param ret_where  [HS_FILETEXT_WHERE_MAX]
 */
void hs_filetext_format_where(const char *path, unsigned line, char *ret_where);
