/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * loopstate - the operating state of one heat loop, by a table of conditions.
 *
 * Precedence: sensor-fault over sink-unavailable over full over normal. Enter and leave conditions
 * differ and each must hold for its dwell. Every abnormal state ends by itself when its cause is
 * gone. No state ever stops work: all of them change what heat is worth, nothing else. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum hs_loopstate_kind {
    HS_LOOPSTATE_NORMAL,
    HS_LOOPSTATE_FULL,             /* the tank is full and less is wanted than captured */
    HS_LOOPSTATE_SINK_UNAVAILABLE, /* a sink takes no heat, or the pump stands */
    HS_LOOPSTATE_SENSOR_FAULT,     /* no reading to believe: heat gets no credit */
    HS_LOOPSTATE_COUNT_,
};

/** What the loop looks like now. */
struct hs_loopstate_input {
    double tank_ratio; /* 0..1; NAN without a tank or a reading */
    double captured_w;
    double demand_w;  /* NAN if unknown */
    double silent_s;  /* since every needed point last had a good value */
    double allowed_s; /* how long silence is bridged */
    unsigned n_bad;   /* bad readings in a row at some needed point */
    bool is_sink_off; /* some sink of it takes no heat now */
};

struct hs_loopstate {
    enum hs_loopstate_kind kind;
    int64_t since_at_s;
    enum hs_loopstate_kind next; /* whose condition holds, waiting for its dwell */
    int64_t next_since_at_s;
    char cause[160]; /* why this state was entered, with its readings */
};

/** Normal since @now_at_s. */
void hs_loopstate_init(struct hs_loopstate *state, int64_t now_at_s);

/** Look at @input and change state if a condition has held for its dwell. @return changed */
bool hs_loopstate_step(struct hs_loopstate *state, const struct hs_loopstate_input *input,
                       int64_t now_at_s);

/** "normal", "full", "sink-unavailable", "sensor-fault". */
const char *hs_loopstate_word(enum hs_loopstate_kind kind);
