/* SPDX-License-Identifier: Apache-2.0 */
/* Without UNKNOWN: a host that falls silent is taken for one that is off. */
#include "scheduler/daemon/inbox.h"

void __real_hs_inbox_add(struct hs_inbox *inbox, const struct hs_event *event,
                         enum hs_inbox_urgency urgency);
void __wrap_hs_inbox_add(struct hs_inbox *inbox, const struct hs_event *event,
                         enum hs_inbox_urgency urgency);

void __wrap_hs_inbox_add(struct hs_inbox *inbox, const struct hs_event *event,
                         enum hs_inbox_urgency urgency)
{
    struct hs_event down = {
        .kind = HS_EVENT_HOST_DOWN, .host_idx = event->host_idx, .text = "nobody"};

    __real_hs_inbox_add(inbox, event, urgency);
    if (event->kind == HS_EVENT_HOST_LOST) {
        __real_hs_inbox_add(inbox, &down, urgency);
    }
}
