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

static const char *const words[HS_LOOPSTATE_COUNT_] = {
    [HS_LOOPSTATE_NORMAL] = "normal",
    [HS_LOOPSTATE_FULL] = "full",
    [HS_LOOPSTATE_SINK_UNAVAILABLE] = "sink-unavailable",
    [HS_LOOPSTATE_SENSOR_FAULT] = "sensor-fault",
};

typedef bool condition_fn(const struct hs_loopstate_input *in);

static bool has_no_readings(const struct hs_loopstate_input *in)
{
    return in->silent_s > in->allowed_s || in->n_bad >= BAD_IN_A_ROW;
}

static bool has_readings(const struct hs_loopstate_input *in)
{
    return in->silent_s <= in->allowed_s && in->n_bad == 0;
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

static bool is_sink_off(const struct hs_loopstate_input *in)
{
    return in->is_sink_off;
}

static bool is_sink_on(const struct hs_loopstate_input *in)
{
    return !in->is_sink_off;
}

/* First row that applies wins: precedence from the top. */
static const struct rule {
    enum hs_loopstate_kind from;
    enum hs_loopstate_kind to;
    condition_fn *condition;
    int64_t dwell_s;
} rules[] = {
    {HS_LOOPSTATE_NORMAL, HS_LOOPSTATE_SENSOR_FAULT, has_no_readings, 0},
    {HS_LOOPSTATE_FULL, HS_LOOPSTATE_SENSOR_FAULT, has_no_readings, 0},
    {HS_LOOPSTATE_SINK_UNAVAILABLE, HS_LOOPSTATE_SENSOR_FAULT, has_no_readings, 0},
    {HS_LOOPSTATE_SENSOR_FAULT, HS_LOOPSTATE_NORMAL, has_readings, DWELL_S},
    {HS_LOOPSTATE_NORMAL, HS_LOOPSTATE_SINK_UNAVAILABLE, is_sink_off, 0},
    {HS_LOOPSTATE_FULL, HS_LOOPSTATE_SINK_UNAVAILABLE, is_sink_off, 0},
    {HS_LOOPSTATE_SINK_UNAVAILABLE, HS_LOOPSTATE_NORMAL, is_sink_on, DWELL_S},
    {HS_LOOPSTATE_NORMAL, HS_LOOPSTATE_FULL, is_full, DWELL_S},
    {HS_LOOPSTATE_FULL, HS_LOOPSTATE_NORMAL, has_room, DWELL_S},
};

void hs_loopstate_init(struct hs_loopstate *state, int64_t now_at_s)
{
    *state = (struct hs_loopstate){.since_at_s = now_at_s, .next_since_at_s = now_at_s};
    snprintf(state->cause, sizeof(state->cause), "start");
}

static void describe(const struct hs_loopstate_input *in, enum hs_loopstate_kind to, char *ret_text,
                     size_t size)
{
    char silent[HS_TIMETEXT_MAX];
    char allowed[HS_TIMETEXT_MAX];

    if (to == HS_LOOPSTATE_SENSOR_FAULT) {
        if (in->n_bad >= BAD_IN_A_ROW) {
            snprintf(ret_text, size, "%u bad readings in a row", in->n_bad);
            return;
        }
        hs_timetext_format_duration((int64_t)in->silent_s, silent);
        hs_timetext_format_duration((int64_t)in->allowed_s, allowed);
        snprintf(ret_text, size, "no good reading for %s, allowed %s", silent, allowed);
        return;
    }
    if (to == HS_LOOPSTATE_SINK_UNAVAILABLE) {
        snprintf(ret_text, size, "a sink takes no heat, or the pump stands");
        return;
    }
    int n =
        snprintf(ret_text, size, "captured %.0f W, demand %.0f W", in->captured_w, in->demand_w);

    if (!isnan(in->tank_ratio) && n > 0 && (size_t)n < size) {
        snprintf(ret_text + n, size - (size_t)n, ", tank at %.0f %%", in->tank_ratio * 100.0);
    }
}

static const struct rule *find_rule(enum hs_loopstate_kind from,
                                    const struct hs_loopstate_input *in)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].from == from && rules[i].condition(in)) {
            return &rules[i];
        }
    }
    return NULL;
}

bool hs_loopstate_step(struct hs_loopstate *state, const struct hs_loopstate_input *in,
                       int64_t now_at_s)
{
    const struct rule *rule = find_rule(state->kind, in);

    if (rule == NULL) {
        state->next = state->kind;
        return false;
    }
    if (state->next != rule->to) {
        state->next = rule->to;
        state->next_since_at_s = now_at_s;
    }
    if (now_at_s - state->next_since_at_s < rule->dwell_s) {
        return false;
    }
    state->kind = rule->to;
    state->since_at_s = now_at_s;
    state->next = rule->to;
    describe(in, rule->to, state->cause, sizeof(state->cause));
    return true;
}

const char *hs_loopstate_word(enum hs_loopstate_kind kind)
{
    return words[kind];
}
