/* SPDX-License-Identifier: Apache-2.0 */
/* settle - see settle.h. */
#include "scheduler/daemon/settle.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/model/movetable.h"

#define RELIST_S 1.0 /* real */

bool hs_settle_is_sure(const struct hs_settle *settle, size_t host_idx, double since_mono_s,
                       double *ret_wait_s)
{
    struct hs_fleet_view view;
    double from_mono_s;

    hs_fleet_get_view(settle->fleet, host_idx, &view);
    from_mono_s = fmax(since_mono_s, view.since_mono_s) + view.settle_s;
    *ret_wait_s = fmax(0.0, from_mono_s - hs_sighting_get_mono_s(settle->sighting, host_idx));
    return view.is_up && *ret_wait_s <= 0;
}

/* --- actions at one host --- */

/* What the host shows is what the action was to bring about. */
static bool is_so(enum hs_action_kind kind, const struct hs_machine *machine)
{
    switch (kind) {
    case HS_ACTION_START:
        return machine != NULL;
    case HS_ACTION_SUSPEND:
        return machine != NULL && machine->state == HS_MACHINE_PAUSED;
    case HS_ACTION_RESUME:
        return machine != NULL && machine->state == HS_MACHINE_RUNNING;
    case HS_ACTION_SHUTDOWN:
    case HS_ACTION_DESTROY:
        return machine == NULL;
    case HS_ACTION_MOVE:
    case HS_ACTION_THROTTLE:
        break;
    }
    return false;
}

static void settle_one(const struct hs_settle *settle, size_t host_idx,
                       const struct hs_intent *intent)
{
    const struct hs_machine *machine = hs_sighting_find(settle->sighting, host_idx, intent->job_id);
    bool is_done = is_so(intent->kind, machine);
    const char *seen = intent->kind == HS_ACTION_THROTTLE ? "asked for anew"
                       : machine == NULL                  ? "its machine is not there"
                                                          : hs_machine_state_word(machine->state);

    hs_enact_settle(settle->enact, intent->op_id, is_done ? HS_INTENT_DONE : HS_INTENT_FAILED,
                    seen);
}

/* --- moves --- */

static void tell_settled(const struct hs_settle *settle, const struct hs_intent *intent,
                         size_t host_idx, int rc)
{
    struct hs_event event = {
        .kind = HS_EVENT_MOVE_SETTLED, .job_id = intent->job_id, .host_idx = host_idx, .rc = rc};

    hs_inbox_add(settle->inbox, &event, HS_INBOX_SOON);
}

static enum hs_move_side look(const struct hs_settle *settle, const char *path, uint64_t job_id,
                              double since_mono_s)
{
    size_t host_idx = hs_estate_find_host(settle->estate, path);
    struct hs_fleet_view view;
    enum hs_move_side side;
    double wait_s;

    if (host_idx == SIZE_MAX) {
        /* no longer in the estate: nobody can look there */
        return hs_fleet_is_gone(settle->fleet, path) ? HS_MOVE_NONE : HS_MOVE_SILENT;
    }
    hs_fleet_get_view(settle->fleet, host_idx, &view);
    if (view.is_down) {
        return HS_MOVE_NONE; /* somebody who knows says so */
    }
    if (!view.is_up || hs_sighting_get_mono_s(settle->sighting, host_idx) <= since_mono_s) {
        return HS_MOVE_SILENT;
    }
    side = hs_movetable_get_side(hs_sighting_find(settle->sighting, host_idx, job_id));
    if (side == HS_MOVE_NONE && !hs_settle_is_sure(settle, host_idx, since_mono_s, &wait_s)) {
        hs_fleet_list(settle->fleet, host_idx, wait_s);
        return HS_MOVE_SILENT;
    }
    return side;
}

static void on_cleaned(int rc, const struct hs_err *err, void *arg)
{
    if (rc < 0) {
        HS_LOG_DEBUG("settle", "%s", err != NULL ? err->text : hs_err_word(rc));
    }
}

/* A move that is on its way tells nobody when it is over. */
static void look_again(const struct hs_settle *settle, size_t from, size_t to,
                       enum hs_move_side here, enum hs_move_side there)
{
    if ((here == HS_MOVE_UNCLEAR || there == HS_MOVE_UNCLEAR) && from != SIZE_MAX
        && to != SIZE_MAX) {
        hs_fleet_list(settle->fleet, from, RELIST_S);
        hs_fleet_list(settle->fleet, to, RELIST_S);
    }
}

static void tell_alarm(const struct hs_settle *settle, const struct hs_intent *intent)
{
    struct hs_note note = {.at_s = hs_clock_at_s(settle->inbox->clock), .kind = "alarm"};

    snprintf(note.subject, sizeof(note.subject), "%" PRIu64, intent->job_id);
    snprintf(note.text, sizeof(note.text),
             "runs on '%.70s' and on '%.70s' after a move: the first is kept, the second is "
             "suspended; look at both and destroy one",
             intent->host, intent->to);
    hs_enact_note(settle->enact, &note);
}

static void end_move(const struct hs_settle *settle, const struct hs_intent *intent,
                     size_t host_idx, int rc, const char *why)
{
    tell_settled(settle, intent, host_idx, rc);
    hs_enact_settle(settle->enact, intent->op_id, rc == 0 ? HS_INTENT_DONE : HS_INTENT_FAILED, why);
}

/* What was made ready at the destination goes: nothing of the job is there. */
static void clean(const struct hs_settle *settle, size_t host_idx, uint64_t job_id)
{
    if (host_idx != SIZE_MAX) {
        hs_compute_clean(hs_fleet_get_compute(settle->fleet, host_idx), job_id, on_cleaned, NULL);
    }
}

/* The copy goes, once the source was seen to have its own after the copy was: what is the only one
 * by now must stay. */
static void clear_copy(const struct hs_settle *settle, const struct hs_intent *intent, size_t from,
                       size_t to)
{
    struct hs_fleet_view view;

    hs_fleet_get_view(settle->fleet, from, &view);
    if (view.asked_mono_s > hs_sighting_get_mono_s(settle->sighting, to)) {
        hs_enact_do(settle->enact, intent->job_id, HS_ACTION_DESTROY, to,
                    "the copy of a move that was cut short");
    } else {
        hs_fleet_list(settle->fleet, from, 0);
    }
}

/*
 * The job is said to be where it was, because its other host was silent, or is over. The move may
 * have gone on all the same, so the copy goes only where the source has its own.
 */
static void settle_late(const struct hs_settle *settle, const struct hs_intent *intent,
                        const struct hs_job *job, size_t from, size_t to, double since_mono_s)
{
    enum hs_move_side here = look(settle, intent->host, intent->job_id, since_mono_s);
    enum hs_move_side there = look(settle, intent->to, intent->job_id, since_mono_s);
    bool is_over = job == NULL || hs_job_is_over(job);

    if (there == HS_MOVE_NONE) {
        if (!is_over && strcmp(job->host, intent->to) != 0) {
            clean(settle, to, intent->job_id);
        }
        hs_enact_settle(settle->enact, intent->op_id, HS_INTENT_FAILED, "it stayed where it was");
    } else if (is_over && (there == HS_MOVE_PAUSED || there == HS_MOVE_RUNNING)) {
        hs_enact_do(settle->enact, intent->job_id, HS_ACTION_DESTROY, to,
                    "the copy of a move that was cut short");
    } else if (here == HS_MOVE_NONE && there == HS_MOVE_PAUSED && intent->was_running) {
        hs_enact_do(settle->enact, intent->job_id, HS_ACTION_RESUME, to,
                    "it has arrived, and left where it was");
    } else if (here == HS_MOVE_NONE && (there == HS_MOVE_PAUSED || there == HS_MOVE_RUNNING)) {
        hs_enact_settle(settle->enact, intent->op_id, HS_INTENT_DONE, "it has arrived after all");
    } else if ((here == HS_MOVE_PAUSED || here == HS_MOVE_RUNNING) && there == HS_MOVE_PAUSED) {
        clear_copy(settle, intent, from, to);
    } else if (here != HS_MOVE_SILENT && here != HS_MOVE_UNCLEAR && there == HS_MOVE_RUNNING) {
        tell_alarm(settle, intent);
        hs_enact_do(settle->enact, intent->job_id, HS_ACTION_SUSPEND, to, "it runs elsewhere too");
        hs_enact_settle(settle->enact, intent->op_id, HS_INTENT_FAILED, "it runs on both hosts");
    } else {
        look_again(settle, from, to, here, there);
    }
}

static void settle_move(const struct hs_settle *settle, size_t host_idx,
                        const struct hs_intent *kept, double since_mono_s)
{
    const struct hs_intent intent = *kept; /* it goes when it is settled */
    size_t from = hs_estate_find_host(settle->estate, intent.host);
    size_t to = hs_estate_find_host(settle->estate, intent.to);
    struct hs_fleet_view view = {0};
    const struct hs_job *job = hs_cycle_get_job(settle->cycle, intent.job_id);
    enum hs_move_side here;
    enum hs_move_side there;

    if (job == NULL || job->state != HS_JOB_MIGRATING) {
        settle_late(settle, &intent, job, from, to, since_mono_s);
        return;
    }
    if (from != SIZE_MAX) {
        hs_fleet_get_view(settle->fleet, from, &view);
    } else {
        view.is_down = hs_fleet_is_gone(settle->fleet, intent.host);
    }
    here = look(settle, intent.host, intent.job_id, since_mono_s);
    there = look(settle, intent.to, intent.job_id, since_mono_s);
    switch (hs_movetable_find(here, there, intent.was_running)) {
    case HS_MOVE_WAIT:
        look_again(settle, from, to, here, there);
        return;
    case HS_MOVE_STAYS:
        if (there == HS_MOVE_SILENT) {
            /* a copy may lie there: the intent stays until that host can be looked at */
            tell_settled(settle, &intent, from, -HS_E_UNAVAILABLE);
        } else {
            clean(settle, to, intent.job_id);
            end_move(settle, &intent, from, -HS_E_UNAVAILABLE, "it is where it was");
        }
        return;
    case HS_MOVE_ARRIVED:
        end_move(settle, &intent, to, 0, "it has arrived");
        return;
    case HS_MOVE_RESUME:
        hs_enact_do(settle->enact, intent.job_id, HS_ACTION_RESUME, to,
                    "it has arrived, and left where it was");
        return;
    case HS_MOVE_CLEAR:
        clear_copy(settle, &intent, from, to);
        return;
    case HS_MOVE_ALARM:
        tell_alarm(settle, &intent);
        hs_enact_do(settle->enact, intent.job_id, HS_ACTION_SUSPEND, to, "it runs elsewhere too");
        end_move(settle, &intent, from, -HS_E_CONFLICT, "it runs on both hosts");
        return;
    case HS_MOVE_LOST:
        if (view.is_down) {
            end_move(settle, &intent, to, -HS_E_NOTFOUND, "its host is down, and it is not here");
        } else if (host_idx == from) {
            /* the source was asked how it ended and knows nothing: the destination is asked next */
            end_move(settle, &intent, to, 0, "it is no longer on either host");
        }
        return;
    }
}

/* --- all --- */

void hs_settle_apply(const struct hs_settle *settle, size_t host_idx)
{
    const char *path = settle->estate->hosts[host_idx].path;
    const struct hs_intent *intent;
    double since_mono_s;
    size_t n = 0;

    while (hs_enact_get_open(settle->enact, n, &since_mono_s) != NULL) {
        n++;
    }
    while (n-- > 0) { /* backwards: what is settled leaves the list */
        intent = hs_enact_get_open(settle->enact, n, &since_mono_s);
        if (intent == NULL) {
            continue;
        }
        if (intent->kind == HS_ACTION_MOVE) {
            if (strcmp(intent->host, path) == 0 || strcmp(intent->to, path) == 0) {
                settle_move(settle, host_idx, intent, since_mono_s);
            }
        } else if (strcmp(intent->host, path) == 0
                   && hs_sighting_get_mono_s(settle->sighting, host_idx) > since_mono_s) {
            settle_one(settle, host_idx, intent);
        }
    }
}

void hs_settle_apply_down(const struct hs_settle *settle, const char *path)
{
    size_t host_idx = hs_estate_find_host(settle->estate, path);
    const struct hs_intent *intent;
    double since_mono_s;
    size_t n = 0;

    while (hs_enact_get_open(settle->enact, n, &since_mono_s) != NULL) {
        n++;
    }
    while (n-- > 0) {
        intent = hs_enact_get_open(settle->enact, n, &since_mono_s);
        if (intent == NULL) {
            continue;
        }
        if (intent->kind == HS_ACTION_MOVE) {
            settle_move(settle, host_idx, intent, since_mono_s);
        } else if (strcmp(intent->host, path) == 0) {
            hs_enact_settle(settle->enact, intent->op_id, HS_INTENT_FAILED,
                            "its host was confirmed down");
        }
    }
}
