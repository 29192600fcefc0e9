/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * interlock - what stops the water of a loop: its pump, no flow, a leak, the emergency switch.
 *
 * Each begins with the first good reading that says so and ends by itself: a minute after a good
 * reading said that it is over. A sensor that fails in between says neither; after a day of
 * silence what it said last is taken as over. No plan has a part in it. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_INTERLOCK_MUTE_S  86400 /* nobody has spoken for so long */
#define HS_INTERLOCK_DWELL_S 60

enum hs_interlock_kind {
    HS_INTERLOCK_PUMP,      /* its pump is said to be out of order */
    HS_INTERLOCK_NO_FLOW,   /* less flow than the least */
    HS_INTERLOCK_LEAK,      /* water where none should be */
    HS_INTERLOCK_EMERGENCY, /* somebody has thrown the switch */
    HS_INTERLOCK_COUNT_,
};

/** The last good reading of a point. */
struct hs_interlock_said {
    double value; /* NAN: none has come */
    double age_s;
};

struct hs_interlock_input {
    struct hs_interlock_said said[HS_INTERLOCK_COUNT_]; /* 1 in order or 0; l/min; 1 or 0 */
    double flow_min_l_per_min;                          /* NAN or 0: flow is not watched */
    double fresh_s;                                     /* an older reading begins nothing */
};

/** All of one loop. */
struct hs_interlock {
    bool holds[HS_INTERLOCK_COUNT_];
    int64_t since_at_s[HS_INTERLOCK_COUNT_];
    int64_t over_at_s[HS_INTERLOCK_COUNT_]; /* since when it is said to be over; INT64_MIN */
};

/** None holds. */
void hs_interlock_init(struct hs_interlock *interlock);

/** Look at @input. @param ret_turned  [HS_INTERLOCK_COUNT_] which began or ended now */
void hs_interlock_step(struct hs_interlock *interlock, const struct hs_interlock_input *input,
                       int64_t now_at_s, bool *ret_turned);

/** Does any hold that is not said to be over? */
bool hs_interlock_is_on(const struct hs_interlock *interlock);

/** "pump out of order", "flow 0.2 l/min, least 5.0 l/min", "leak": with its reading. */
void hs_interlock_format(enum hs_interlock_kind kind, const struct hs_interlock_input *input,
                         char *ret_text, size_t size);

/** "pump", "no-flow", "leak", "emergency". */
const char *hs_interlock_word(enum hs_interlock_kind kind);
