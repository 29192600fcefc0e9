/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * loopstate - the operating state of one heat loop, by a table of conditions.
 *
 * Precedence: over-temperature, sensor-fault, sink-unavailable, maintenance, full, normal. Each
 * abnormal state has a condition to enter and another to leave, and each must hold for its dwell;
 * all are watched at once, and the highest that holds is the loop's. So every one ends by itself
 * when its own cause is gone, whatever came over it meanwhile. What a sensor began, its failing
 * does not end but after HS_LOOPSTATE_MUTE_S. No state makes compute unavailable:
 * they change what heat is worth and ask for rejection. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#define HS_LOOPSTATE_MUTE_S 86400

/** In order of precedence, lowest first. */
enum hs_loopstate_kind {
    HS_LOOPSTATE_NORMAL,
    HS_LOOPSTATE_FULL,             /* the tank is full and less is wanted than captured */
    HS_LOOPSTATE_MAINTENANCE,      /* somebody works on it */
    HS_LOOPSTATE_SINK_UNAVAILABLE, /* a sink takes no heat, or the pump stands */
    HS_LOOPSTATE_SENSOR_FAULT,     /* no reading to believe: heat gets no credit */
    HS_LOOPSTATE_OVER_TEMPERATURE, /* water hotter than the loop may carry */
    HS_LOOPSTATE_COUNT_,
};

/** What the loop looks like now. */
struct hs_loopstate_input {
    double tank_ratio; /* 0..1; NAN without a tank or a reading */
    double captured_w;
    double demand_w;     /* NAN if unknown */
    double silent_s;     /* since every needed point last had a good value */
    double allowed_s;    /* how long silence is bridged */
    unsigned n_bad;      /* bad readings in a row at some needed point */
    bool is_sink_off;    /* some sink of it takes no heat now, or its water stands */
    const char *off_why; /* what says so, with its reading; NULL: nothing in particular */
    bool is_maintained;  /* it is in planned maintenance now */
    double hottest_c;    /* of its fresh thermometers the one nearest its limit; NAN: none is */
    double over_c;       /* hotter that may not be; INFINITY: no limit */
    double mute_s;       /* since the last of them spoke; of interest while hottest_c is NAN */
    const char *hot_of;  /* "inlet of rack 'pool/r1' "; NULL: the loop's water */
};

struct hs_loopstate {
    enum hs_loopstate_kind kind;
    int64_t since_at_s;
    bool holds[HS_LOOPSTATE_COUNT_];         /* of each abnormal state, whatever is over it */
    int64_t turns_at_s[HS_LOOPSTATE_COUNT_]; /* since when the opposite is true; INT64_MIN */
    char cause[160];                         /* why this state was entered, with its readings */
};

/** Normal since @now_at_s. */
void hs_loopstate_init(struct hs_loopstate *state, int64_t now_at_s);

/** Look at @input and change state if a condition has held for its dwell. @return changed */
bool hs_loopstate_step(struct hs_loopstate *state, const struct hs_loopstate_input *input,
                       int64_t now_at_s);

/** Is the plant to reject what heat comes? In every state in which it has no sure taker. */
bool hs_loopstate_wants_rejection(const struct hs_loopstate *state);

/** "normal", "full", "maintenance", "sink-unavailable", "sensor-fault", "over-temperature". */
const char *hs_loopstate_word(enum hs_loopstate_kind kind);
