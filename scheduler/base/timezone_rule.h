/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * timezone_rule - the POSIX TZ string in the footer of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3".
 *
 * Grammar: POSIX.1-2017 section 8.3, with hours of -167..167 in the times of change (RFC 8536
 * section 3.3.1). Plain value.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A day of each year and the local time on it. */
struct hs_timezone_rule_change {
    char kind;   /* 'M' month, week, weekday; 'J' day 1..365 without leap day; 'n' day 0..365 */
    int month;   /* 1..12 */
    int week;    /* 1..5, 5 is the last */
    int weekday; /* 0 Sunday .. 6 */
    int day;
    int32_t at_s; /* of the local clock before the change */
};

struct hs_timezone_rule {
    int32_t standard_s; /* ahead of UTC */
    int32_t summer_s;
    bool has_summer;
    struct hs_timezone_rule_change to_summer;
    struct hs_timezone_rule_change to_standard;
};

/** From @at_s on the clock is @offset_s ahead of UTC. */
struct hs_timezone_rule_event {
    int64_t at_s;
    int32_t offset_s;
};

/** @param text  [n_bytes], no NUL needed. @return false if it is no such string */
bool hs_timezone_rule_parse(const char *text, size_t n_bytes, struct hs_timezone_rule *ret_rule);

/** Both changes of @year, in no order: first the return to standard. @param rule  has summer */
void hs_timezone_rule_get_events(const struct hs_timezone_rule *rule, int64_t year,
                                 struct hs_timezone_rule_event ret_events[2]);

int32_t hs_timezone_rule_get_offset_s(const struct hs_timezone_rule *rule, int64_t at_s);
