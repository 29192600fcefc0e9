/* SPDX-License-Identifier: Apache-2.0 */
/* loopstate - see loopstate.h. */
#include "scheduler/core/loopstate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"

#define FULL_ENTER_RATIO 0.95 /* simulator.md, thermostat: suspends above 95 % */
#define FULL_LEAVE_RATIO 0.90
#define BAD_IN_A_ROW     3
#define DWELL_S          60
#define COOL_DWELL_S     300
#define COOL_BELOW_K     5.0 /* so much colder than the limit before it counts as over */

static const char *const words[HS_LOOPSTATE_COUNT_] = {
    [HS_LOOPSTATE_NORMAL] = "normal",
    [HS_LOOPSTATE_FULL] = "full",
    [HS_LOOPSTATE_MAINTENANCE] = "maintenance",
    [HS_LOOPSTATE_SINK_UNAVAILABLE] = "sink-unavailable",
    [HS_LOOPSTATE_SENSOR_FAULT] = "sensor-fault",
    [HS_LOOPSTATE_OVER_TEMPERATURE] = "over-temperature",
};

typedef bool condition_fn(const struct hs_loopstate_input *in);

/* --- conditions --- */

static bool is_too_hot(const struct hs_loopstate_input *in)
{
    return in->hottest_c >= in->over_c; /* NAN: nobody says so */
}

/*
 * A thermometer that fails does not make it cool: bad readings never raise load. But no state holds
 * for ever: after a day in which none speaks, nothing says any more that it is hot.
 */
static bool is_cool(const struct hs_loopstate_input *in)
{
    return isnan(in->hottest_c) ? in->mute_s > HS_LOOPSTATE_MUTE_S
                                : in->hottest_c < in->over_c - COOL_BELOW_K;
}

static bool has_no_readings(const struct hs_loopstate_input *in)
{
    return in->silent_s > in->allowed_s || in->n_bad >= BAD_IN_A_ROW;
}

static bool has_readings(const struct hs_loopstate_input *in)
{
    return in->silent_s <= in->allowed_s && in->n_bad == 0;
}

static bool is_sink_off(const struct hs_loopstate_input *in)
{
    return in->is_sink_off;
}

static bool is_sink_on(const struct hs_loopstate_input *in)
{
    return !in->is_sink_off;
}

static bool is_maintained(const struct hs_loopstate_input *in)
{
    return in->is_maintained;
}

static bool is_in_use(const struct hs_loopstate_input *in)
{
    return !in->is_maintained;
}

static bool is_full(const struct hs_loopstate_input *in)
{
    /* Without a tank every watt over the demand is surplus. */
    bool tank_is_full = isnan(in->tank_ratio) || in->tank_ratio >= FULL_ENTER_RATIO;

    return tank_is_full && in->captured_w > in->demand_w;
}

static bool has_room(const struct hs_loopstate_input *in)
{
    return isnan(in->tank_ratio) ? in->captured_w <= in->demand_w
                                 : in->tank_ratio < FULL_LEAVE_RATIO;
}

static const struct rule {
    condition_fn *enters;
    int64_t enter_dwell_s;
    condition_fn *leaves;
    int64_t leave_dwell_s;
    bool wants_rejection;
} rules[HS_LOOPSTATE_COUNT_] = {
    [HS_LOOPSTATE_FULL] = {is_full, DWELL_S, has_room, DWELL_S, true},
    [HS_LOOPSTATE_MAINTENANCE] = {is_maintained, 0, is_in_use, 0, true},
    [HS_LOOPSTATE_SINK_UNAVAILABLE] = {is_sink_off, 0, is_sink_on, DWELL_S, true},
    [HS_LOOPSTATE_SENSOR_FAULT] = {has_no_readings, 0, has_readings, DWELL_S, false},
    [HS_LOOPSTATE_OVER_TEMPERATURE] = {is_too_hot, 0, is_cool, COOL_DWELL_S, true},
};

/* --- words --- */

static void describe(const struct hs_loopstate_input *in, enum hs_loopstate_kind to, char *ret_text,
                     size_t size)
{
    char silent[HS_TIMETEXT_MAX];
    char allowed[HS_TIMETEXT_MAX];
    int n;

    switch (to) {
    case HS_LOOPSTATE_OVER_TEMPERATURE:
        snprintf(ret_text, size, "%s%.1f °C, limit %.1f °C", in->hot_of != NULL ? in->hot_of : "",
                 in->hottest_c, in->over_c);
        return;
    case HS_LOOPSTATE_SENSOR_FAULT:
        if (in->n_bad >= BAD_IN_A_ROW) {
            snprintf(ret_text, size, "%u bad readings in a row", in->n_bad);
            return;
        }
        hs_timetext_format_duration((int64_t)in->silent_s, silent);
        hs_timetext_format_duration((int64_t)in->allowed_s, allowed);
        snprintf(ret_text, size, "no good reading for %s, allowed %s", silent, allowed);
        return;
    case HS_LOOPSTATE_SINK_UNAVAILABLE:
        snprintf(ret_text, size, "%s",
                 in->off_why != NULL ? in->off_why : "a sink takes no heat, or the pump stands");
        return;
    case HS_LOOPSTATE_MAINTENANCE:
        snprintf(ret_text, size, "planned maintenance");
        return;
    default:
        n = snprintf(ret_text, size, "captured %.0f W, demand %.0f W", in->captured_w,
                     in->demand_w);
        if (!isnan(in->tank_ratio) && n > 0 && (size_t)n < size) {
            snprintf(ret_text + n, size - (size_t)n, ", tank at %.0f %%", in->tank_ratio * 100.0);
        }
    }
}

/* --- steps --- */

void hs_loopstate_init(struct hs_loopstate *state, int64_t now_at_s)
{
    *state = (struct hs_loopstate){.since_at_s = now_at_s};
    for (size_t k = 0; k < HS_LOOPSTATE_COUNT_; k++) {
        state->turns_at_s[k] = INT64_MIN;
    }
    snprintf(state->cause, sizeof(state->cause), "start");
}

/* Does the abnormal state @kind hold from now on? */
static void watch(struct hs_loopstate *state, enum hs_loopstate_kind kind,
                  const struct hs_loopstate_input *in, int64_t now_at_s)
{
    const struct rule *rule = &rules[kind];
    bool turns = state->holds[kind] ? rule->leaves(in) : rule->enters(in);
    int64_t dwell_s = state->holds[kind] ? rule->leave_dwell_s : rule->enter_dwell_s;

    if (!turns) {
        state->turns_at_s[kind] = INT64_MIN;
        return;
    }
    if (state->turns_at_s[kind] == INT64_MIN) {
        state->turns_at_s[kind] = now_at_s;
    }
    if (now_at_s - state->turns_at_s[kind] >= dwell_s) {
        state->holds[kind] = !state->holds[kind];
        state->turns_at_s[kind] = INT64_MIN;
    }
}

bool hs_loopstate_step(struct hs_loopstate *state, const struct hs_loopstate_input *in,
                       int64_t now_at_s)
{
    enum hs_loopstate_kind highest = HS_LOOPSTATE_NORMAL;

    for (int kind = HS_LOOPSTATE_NORMAL + 1; kind < HS_LOOPSTATE_COUNT_; kind++) {
        watch(state, (enum hs_loopstate_kind)kind, in, now_at_s);
        highest = state->holds[kind] ? (enum hs_loopstate_kind)kind : highest;
    }
    if (highest == state->kind) {
        return false;
    }
    state->kind = highest;
    state->since_at_s = now_at_s;
    describe(in, highest, state->cause, sizeof(state->cause));
    return true;
}

bool hs_loopstate_wants_rejection(const struct hs_loopstate *state)
{
    bool wants = false;

    for (int kind = HS_LOOPSTATE_NORMAL + 1; kind < HS_LOOPSTATE_COUNT_; kind++) {
        wants |= state->holds[kind] && rules[kind].wants_rejection;
    }
    return wants;
}

const char *hs_loopstate_word(enum hs_loopstate_kind kind)
{
    return words[kind];
}
