/* SPDX-License-Identifier: Apache-2.0 */
/* interlock - see interlock.h. */
#include "scheduler/core/interlock.h"

#include <math.h>
#include <stdio.h>

#define FLOW_BACK_RATIO 1.1 /* so much over the least before water counts as moving again */

static const char *const words[HS_INTERLOCK_COUNT_] = {
    [HS_INTERLOCK_PUMP] = "pump",
    [HS_INTERLOCK_NO_FLOW] = "no-flow",
    [HS_INTERLOCK_LEAK] = "leak",
    [HS_INTERLOCK_EMERGENCY] = "emergency",
};

/* NAN says nothing: neither of the two below is true of it. */
static bool says_fault(const struct hs_interlock_input *in, enum hs_interlock_kind kind)
{
    double value = in->said[kind].value;

    switch (kind) {
    case HS_INTERLOCK_PUMP:
        return value < 0.5;
    case HS_INTERLOCK_NO_FLOW:
        return in->flow_min_l_per_min > 0 && value < in->flow_min_l_per_min;
    default:
        return value >= 0.5;
    }
}

static bool says_over(const struct hs_interlock_input *in, enum hs_interlock_kind kind)
{
    double value = in->said[kind].value;

    switch (kind) {
    case HS_INTERLOCK_PUMP:
        return value >= 0.5;
    case HS_INTERLOCK_NO_FLOW:
        return !(in->flow_min_l_per_min > 0) || value >= FLOW_BACK_RATIO * in->flow_min_l_per_min;
    default:
        return value < 0.5;
    }
}

void hs_interlock_init(struct hs_interlock *interlock)
{
    *interlock = (struct hs_interlock){0};
    for (size_t kind = 0; kind < HS_INTERLOCK_COUNT_; kind++) {
        interlock->over_at_s[kind] = INT64_MIN;
    }
}

/* @return whether it began or ended */
static bool step_one(struct hs_interlock *interlock, enum hs_interlock_kind kind,
                     const struct hs_interlock_input *in, int64_t now_at_s)
{
    const struct hs_interlock_said *said = &in->said[kind];
    bool is_over;

    if (!interlock->holds[kind]) {
        if (said->age_s > in->fresh_s || !says_fault(in, kind)) {
            return false;
        }
        interlock->holds[kind] = true;
        interlock->since_at_s[kind] = now_at_s;
        interlock->over_at_s[kind] = INT64_MIN;
        return true;
    }
    is_over = says_over(in, kind) || said->age_s > HS_INTERLOCK_MUTE_S;
    if (!is_over) {
        interlock->over_at_s[kind] = INT64_MIN;
        return false;
    }
    if (interlock->over_at_s[kind] == INT64_MIN) {
        interlock->over_at_s[kind] = now_at_s;
    }
    if (now_at_s - interlock->over_at_s[kind] < HS_INTERLOCK_DWELL_S) {
        return false;
    }
    interlock->holds[kind] = false;
    return true;
}

void hs_interlock_step(struct hs_interlock *interlock, const struct hs_interlock_input *input,
                       int64_t now_at_s, bool *ret_turned)
{
    for (int kind = 0; kind < HS_INTERLOCK_COUNT_; kind++) {
        ret_turned[kind] = step_one(interlock, (enum hs_interlock_kind)kind, input, now_at_s);
    }
}

bool hs_interlock_is_on(const struct hs_interlock *interlock)
{
    bool is_on = false;

    for (size_t kind = 0; kind < HS_INTERLOCK_COUNT_; kind++) {
        is_on |= interlock->holds[kind] && interlock->over_at_s[kind] == INT64_MIN;
    }
    return is_on;
}

void hs_interlock_format(enum hs_interlock_kind kind, const struct hs_interlock_input *in,
                         char *ret_text, size_t size)
{
    switch (kind) {
    case HS_INTERLOCK_PUMP:
        snprintf(ret_text, size, "pump out of order");
        return;
    case HS_INTERLOCK_NO_FLOW:
        snprintf(ret_text, size, "flow %.1f l/min, least %.1f l/min", in->said[kind].value,
                 in->flow_min_l_per_min);
        return;
    case HS_INTERLOCK_EMERGENCY:
        snprintf(ret_text, size, "emergency switch");
        return;
    default:
        snprintf(ret_text, size, "leak");
    }
}

const char *hs_interlock_word(enum hs_interlock_kind kind)
{
    return words[kind];
}
