/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * inbox - what has happened since the last tick, in order.
 *
 * Callbacks only record here and say whether it can wait; the tick takes everything at once.
 * Owns what its events point at. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"

enum hs_inbox_urgency {
    HS_INBOX_LATER, /* the next sense period will do */
    HS_INBOX_SOON,  /* a tick is due */
};

typedef HS_VEC(struct hs_event) hs_inbox_events;

struct hs_inbox {
    const struct hs_clock *clock; /* kept; stamps events */
    hs_executor_fn *due;          /* called for each event that is due soon; kept */
    void *arg;
    hs_inbox_events events;
};

/** Record @event with the time of now; its job is taken, its machines are copied. */
void hs_inbox_add(struct hs_inbox *inbox, const struct hs_event *event,
                  enum hs_inbox_urgency urgency);

/** Move everything to @ret_events, which the caller hands to hs_inbox_release() later. */
void hs_inbox_take(struct hs_inbox *inbox, hs_inbox_events *ret_events);

/** Release @events. @param is_consumed  true once a cycle took the jobs in them */
void hs_inbox_release(hs_inbox_events *events, bool is_consumed);
