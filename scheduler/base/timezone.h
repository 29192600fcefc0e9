/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * timezone - how far the wall clock of a place is from UTC at any instant.
 *
 * Reads the bytes of a TZif file (RFC 8536, versions 1 to 4), and its footer for times past the
 * table. Pure: the file is read elsewhere (adapters/signal/zonefile.h). Never changes after it
 * was made, so any thread may ask it.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_timezone;

/**
 * @param name   for messages, such as "Europe/Berlin"; copied
 * @param bytes  [n_bytes] a whole TZif file; borrowed
 * @return 0, or -HS_E_INVALID saying what of the file is damaged or cannot be used
 */
int hs_timezone_parse(const char *name, const uint8_t *bytes, size_t n_bytes,
                      struct hs_timezone **ret_timezone, struct hs_err *err);

/** Seconds that local time is ahead of UTC at @at_s. A few ns. @param timezone  NULL: UTC */
int32_t hs_timezone_get_offset_s(const struct hs_timezone *timezone, int64_t at_s);

/** "UTC" for NULL. Borrowed. */
const char *hs_timezone_get_name(const struct hs_timezone *timezone);

/** Accepts NULL. */
void hs_timezone_free(struct hs_timezone *timezone);
HS_DEFINE_AUTO(hs_timezone);
