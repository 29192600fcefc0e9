/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** console_text - what a guest wrote to its serial port, as text that is safe to pass on. */

#include <stddef.h>

/**
 * Clean in place: terminal sequences, carriage returns and control characters go, bytes that
 * are not UTF-8 become '?'. What is left is UTF-8 with \n and \t.
 *
 * @return bytes left, <= @n_bytes
 */
size_t hs_console_text_clean(char *text, size_t n_bytes);
