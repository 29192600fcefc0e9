/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * mqttpayload - the number in a message: plain, or at a JSON pointer.
 *
 * What devices write for "nothing is known" (nan, null, unavailable, unknown, none) is NAN, never
 * zero. Pure.
 */

#include <stddef.h>

#include "scheduler/base/err.h"

#define HS_MQTTPAYLOAD_MAX 65536 /* bytes of a payload that is read at all */

/**
 * Read one number; true and on are 1, false and off 0.
 *
 * @param payload    [n_bytes] and a NUL behind it
 * @param pointer    RFC 6901; "": the payload itself is the number
 * @param ret_value  finite or NAN
 * @return 0; -HS_E_INVALID saying what it is instead; -HS_E_NOTFOUND if the pointer leads nowhere
 */
int hs_mqttpayload_read(const char *payload, size_t n_bytes, const char *pointer, double *ret_value,
                        struct hs_err *err);
