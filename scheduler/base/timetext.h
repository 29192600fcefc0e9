/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** timetext - RFC 3339 times and durations as people write them. No locale, no time zone data. */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"

#define HS_TIMETEXT_MAX 32

/** "2026-01-05T10:00:00Z". @param ret_text [HS_TIMETEXT_MAX] */
void hs_timetext_format(int64_t at_s, char *ret_text);

/**
 * RFC 3339 (any offset, fractions dropped), `now`, `now+2h`, `18:00` (the next one, UTC),
 * `tomorrow 06:00` (UTC).
 *
 * @return 0 or -HS_E_INVALID saying what would be right
 */
int hs_timetext_parse(const char *text, int64_t now_at_s, int64_t *ret_at_s, struct hs_err *err);

/** "90m", "1h30m", "1d", "45s"; a bare number is refused. @return 0 or -HS_E_INVALID */
int hs_timetext_parse_duration(const char *text, int64_t *ret_s, struct hs_err *err);

/** "1h30m"; "0s" for 0. @param ret_text [HS_TIMETEXT_MAX] */
void hs_timetext_format_duration(int64_t span_s, char *ret_text);
