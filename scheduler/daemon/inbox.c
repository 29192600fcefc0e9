/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/inbox.h"

#include <string.h>

void hs_inbox_add(struct hs_inbox *inbox, const struct hs_event *event,
                  enum hs_inbox_urgency urgency)
{
    struct hs_event *kept = HS_VEC_PUSH(&inbox->events, *event);

    kept->at_s = hs_clock_at_s(inbox->clock);
    if (event->machines != NULL) {
        struct hs_machine *copy = hs_xcalloc(event->n_machines, sizeof(*copy));

        memcpy(copy, event->machines, event->n_machines * sizeof(*copy));
        kept->machines = copy;
    }
    if (urgency == HS_INBOX_SOON) {
        inbox->due(inbox->arg);
    }
}

void hs_inbox_take(struct hs_inbox *inbox, hs_inbox_events *ret_events)
{
    *ret_events = inbox->events;
    inbox->events = (hs_inbox_events){0};
}

void hs_inbox_release(hs_inbox_events *events, bool is_consumed)
{
    for (size_t i = 0; i < events->n; i++) {
        free((void *)events->items[i].machines);
        if (!is_consumed) {
            hs_job_free(events->items[i].job);
        }
    }
    HS_VEC_FINI(events);
}
