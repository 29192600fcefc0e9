/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * log - one line to stderr per decision that a person may want to read later.
 *
 * `2026-01-05T10:00:00Z warn  store: lost connection to 'unix:/run/redis.sock', trying again in
 * 2 s`. Libraries log at debug only; the daemon logs once, where it decides (style.md, 4c).
 * Thread safe: one write() a line.
 */

enum hs_log_level { HS_LOG_LEVEL_ERROR, HS_LOG_LEVEL_WARN, HS_LOG_LEVEL_INFO, HS_LOG_LEVEL_DEBUG };

/** Lines above @level are dropped. The default is HS_LOG_LEVEL_INFO. */
void hs_log_set_level(enum hs_log_level level);

/** @param room  the part that speaks: "store", "compute" */
__attribute__((format(printf, 3, 4))) void hs_log_write(enum hs_log_level level, const char *room,
                                                        const char *fmt, ...);

#define HS_LOG_ERROR(room, ...) hs_log_write(HS_LOG_LEVEL_ERROR, room, __VA_ARGS__)
#define HS_LOG_WARN(room, ...)  hs_log_write(HS_LOG_LEVEL_WARN, room, __VA_ARGS__)
#define HS_LOG_INFO(room, ...)  hs_log_write(HS_LOG_LEVEL_INFO, room, __VA_ARGS__)
#define HS_LOG_DEBUG(room, ...) hs_log_write(HS_LOG_LEVEL_DEBUG, room, __VA_ARGS__)
