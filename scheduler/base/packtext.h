/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * packtext - bytes of a plain value as text that fits into JSON, made small by zlib.
 *
 * Exact: what is parsed is what was formatted, bit for bit, on every machine of one byte order.
 */

#include <stdbool.h>
#include <stddef.h>

/** Text of @n bytes; owned by the caller (free). */
char *hs_packtext_format(const void *bytes, size_t n);

/**
 * Take back what hs_packtext_format() made of exactly @n bytes.
 *
 * @param text       may be NULL
 * @param ret_bytes  [n]; undefined on failure
 * @return false if @text is damaged or of another size
 */
bool hs_packtext_parse(const char *text, void *ret_bytes, size_t n);
