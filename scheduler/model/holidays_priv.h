/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** holidays_priv - the rows that holidays.c reckons with. */

#include <stddef.h>
#include <stdint.h>

enum hs_holidays_kind {
    HS_HOLIDAYS_DATE,   /* month, day */
    HS_HOLIDAYS_EASTER, /* day: days after Easter Sunday */
    HS_HOLIDAYS_FROM,   /* the first weekday on or after month, day */
    HS_HOLIDAYS_UNTIL,  /* the last weekday on or before month, day */
    HS_HOLIDAYS_BRIGID, /* 1 February if a Friday, else the first Monday of February */
};

enum hs_holidays_shift {
    HS_HOLIDAYS_STAYS,
    HS_HOLIDAYS_NEXT_FREE, /* from a weekend to the next working day that is no holiday */
    HS_HOLIDAYS_NEAREST,   /* from Saturday to Friday, from Sunday to Monday */
    HS_HOLIDAYS_EVE,       /* from Sunday to Saturday */
};

struct hs_holidays_rule {
    uint64_t regions; /* bit i: row i of hs_holidays_regions */
    enum hs_holidays_kind kind;
    int month;
    int day;
    int weekday;    /* 0 Monday .. 6 */
    int from_year;  /* 0: always */
    int until_year; /* 0: always */
    enum hs_holidays_shift shift;
};

extern const char *const hs_holidays_regions[];
extern const size_t hs_holidays_n_regions;
extern const struct hs_holidays_rule hs_holidays_rules[];
extern const size_t hs_holidays_n_rules;
