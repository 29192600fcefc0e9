/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_lost - hosts that do not answer, and moves that were cut short.
 *
 * UNKNOWN is a state: what ran on a silent host may run there still, so its jobs keep their state
 * and their place and are started nowhere else, until the host answers or somebody who knows says
 * that it is off (HS_EVENT_HOST_DOWN).
 */
#include <stdio.h>
#include <string.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

void hs_cycle_lose_host(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_host *host = &cycle->hosts[event->host_idx];

    if (host->is_up) {
        host->is_up = false;
        host->silent_since_at_s = event->at_s;
        cycle->is_plan_wanted = true;
        hs_cycle_note(cycle, "host", cycle->estate->hosts[event->host_idx].path,
                      "does not answer: %.180s", event->text);
    }
}

void hs_cycle_requeue(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int64_t at_s,
                      const char *why)
{
    struct hs_job *job = entry->job;
    enum hs_job_state state = job->cancel_wanted              ? HS_JOB_CANCELLED
                              : job->state == HS_JOB_STOPPING ? HS_JOB_FAILED
                                                              : HS_JOB_WAITING;

    entry->op_id = 0;
    entry->is_op_unknown = false;
    entry->is_moving = false;
    entry->is_placed = false;
    entry->retry_at_s = 0;
    hs_cycle_note(cycle, "job", job->name, "%s again: %.180s", hs_job_state_word(state), why);
    hs_cycle_set_state(cycle, entry, state, at_s);
    if (state != HS_JOB_WAITING) {
        return;
    }
    entry->host_idx = SIZE_MAX;
    job->host[0] = '\0';
    job->ran_s = 0.0; /* a new machine begins at the beginning */
    job->started_at_s = 0;
    job->share = 1.0;
    entry->is_changed = true;
    cycle->is_plan_wanted = true;
}

/** Nobody looks at that host any more: each of its jobs is told of on its own. */
static void confirm_gone(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, event->job_id);
    char why[192];

    if (entry == NULL || entry->host_idx != SIZE_MAX || hs_job_is_over(entry->job)
        || entry->job->host[0] == '\0' || entry->job->state == HS_JOB_MIGRATING) {
        return;
    }
    hs_cycle_note(cycle, "host", entry->job->host, "confirmed down by %.180s", event->text);
    snprintf(why, sizeof(why), "its host '%.100s' has left the estate and was confirmed down",
             entry->job->host);
    hs_cycle_requeue(cycle, entry, event->at_s, why);
}

void hs_cycle_confirm_down(struct hs_cycle *cycle, const struct hs_event *event)
{
    if (event->host_idx == SIZE_MAX) {
        confirm_gone(cycle, event);
        return;
    }

    const char *path = cycle->estate->hosts[event->host_idx].path;
    struct hs_cycle_host *host = &cycle->hosts[event->host_idx];
    char why[192];

    if (host->is_up) { /* it has answered since */
        hs_cycle_note(cycle, "host", path, "answers, so it is not down, whatever %.120s says",
                      event->text);
        return;
    }
    host->is_down = true;
    host->machines.n = 0;
    cycle->is_plan_wanted = true;
    hs_cycle_note(cycle, "host", path, "confirmed down by %.180s", event->text);
    snprintf(why, sizeof(why), "its host '%.100s' was confirmed down", path);
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        /* of a move there is another side to look at: HS_EVENT_MOVE_SETTLED */
        if (entry->host_idx == event->host_idx && !hs_job_is_over(entry->job)
            && entry->job->state != HS_JOB_MIGRATING) {
            hs_cycle_requeue(cycle, entry, event->at_s, why);
        }
    }
}

void hs_cycle_settle_move(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, event->job_id);

    if (entry == NULL || entry->job->state != HS_JOB_MIGRATING || entry->op_id != 0) {
        return;
    }
    entry->is_op_unknown = false;
    if (event->rc == -HS_E_NOTFOUND) {
        hs_cycle_requeue(cycle, entry, event->at_s, "its host was confirmed down as it moved");
    } else if (event->host_idx != entry->host_idx) {
        hs_cycle_finish_move(cycle, entry, event->host_idx, event->at_s);
    } else {
        hs_cycle_fail_move(cycle, entry, event->rc, event->at_s);
    }
}

void hs_cycle_format_silence(const struct hs_cycle *cycle, size_t host_idx, json_t *object)
{
    const struct hs_cycle_host *host = &cycle->hosts[host_idx];
    const char *path = cycle->estate->hosts[host_idx].path;
    char next[2 * HS_PATH_MAX];

    hs_jsonx_set_text(object, "state", host->is_up ? "up" : host->is_down ? "down" : "unknown");
    hs_jsonx_set_at(object, "silent_since", host->is_up ? 0 : host->silent_since_at_s);
    snprintf(next, sizeof(next),
             "make its libvirt daemon answer; if the host is off for certain: hsched host "
             "confirm-down %s",
             path);
    hs_jsonx_set_text(object, "next", host->is_up || host->is_down ? NULL : next);
}
