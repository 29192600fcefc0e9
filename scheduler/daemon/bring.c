/* SPDX-License-Identifier: Apache-2.0 */
/* bring - jobs that a request speaks of and the cycle does not know: of the history, or submitted a
 * moment ago and taken in with the next tick. */
#include "scheduler/daemon/daemon_priv.h"

#include "scheduler/base/mem.h"
#include "scheduler/daemon/history.h"

/** Who waits for jobs of the history. */
struct bringing {
    struct hs_daemon *daemon;
    struct hs_daemon_waiter waiter;
};

static void on_brought(void *arg)
{
    HS_AUTO_MEM struct bringing *bringing = arg;

    HS_VEC_PUSH(&bringing->daemon->waiters, bringing->waiter); /* the next tick takes them in */
    hs_daemon_make_due(bringing->daemon);
}

void hs_daemon_bring(struct hs_daemon *daemon, const uint64_t *ids, size_t n,
                     hs_daemon_done_fn *done, void *arg)
{
    struct bringing *bringing = hs_xcalloc(1, sizeof(*bringing));

    bringing->daemon = daemon;
    bringing->waiter = (struct hs_daemon_waiter){.done = done, .arg = arg, .is_durable = true};
    hs_history_bring(daemon->history, ids, n, on_brought, bringing);
}

bool hs_daemon_await(struct hs_daemon *daemon, uint64_t job_id, hs_daemon_done_fn *done, void *arg)
{
    const struct hs_daemon_waiter waiter = {
        .job_id = job_id, .done = done, .arg = arg, .is_durable = true};

    for (size_t i = 0; i < daemon->inbox.events.n; i++) {
        const struct hs_event *event = &daemon->inbox.events.items[i];

        if (event->kind == HS_EVENT_JOB && event->job_id == job_id) {
            HS_VEC_PUSH(&daemon->waiters, waiter);
            return true;
        }
    }
    return false;
}
