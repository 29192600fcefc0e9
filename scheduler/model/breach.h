/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * breach - a soft rule that is, or will be, broken: which, where, how far, why, and its price.
 *
 * Soft rules give way where they must, at a price that the policy names; work is never left undone
 * for them. Hard rules are the guard's. A breach that cannot be stopped (pinned work under a cap)
 * is one as well, with its cause. Plain value.
 */

#include <stdint.h>

#include "scheduler/model/site.h"

enum hs_breach_kind {
    HS_BREACH_LATE,    /* a job ends after its due time; s */
    HS_BREACH_COMFORT, /* a tank is below what comfort asks for; Wh, most */
    HS_BREACH_HYGIENE, /* a tank has not been hot for longer than its interval; s over */
    HS_BREACH_LIMIT,   /* more electricity than a policy's limit allows; W over, most */
    HS_BREACH_RAMP,    /* heat changes faster than its cooling follows; W over, most */
    HS_BREACH_COUNT_,
};

struct hs_breach {
    enum hs_breach_kind kind;
    char subject[HS_PATH_MAX]; /* path of the site, loop or rack; "job 12" */
    uint64_t job_id;           /* 0: of no job */
    int64_t from_at_s;
    int64_t until_at_s; /* of the horizon, if it lasts longer */
    double amount;      /* in the kind's unit */
    double cost_cur;    /* by the policy's price */
    const char *code;   /* short word for the cause; static */
    const char *change; /* what would end it; static */
    char cause[192];
};

/** "late", "comfort", "hygiene", "limit", "ramp". */
const char *hs_breach_word(enum hs_breach_kind kind);

/** "s", "Wh", "s", "W", "W". */
const char *hs_breach_unit(enum hs_breach_kind kind);
