/* SPDX-License-Identifier: Apache-2.0 */
/* enact_call - one action at one host: the last check before it, the call, and its end. */
#include "scheduler/daemon/enact_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define OWN_RETRY_S 10.0 /* real */

/** One compute call on its way. */
struct enact_call {
    struct hs_enact *enact;
    struct hs_action action;
};

/* Of this daemon's own accord: nobody in the cycle waits for it, the next listing shows it. */
static bool is_own(const struct hs_enact *enact, uint64_t op_id)
{
    return op_id >= enact->first_own_op_id;
}

void hs_enact_call_tell(struct hs_enact *enact, const struct hs_action *action, int rc,
                        const char *text)
{
    struct hs_event event = {.kind = HS_EVENT_ACTION_DONE,
                             .op_id = action->op_id,
                             .job_id = action->job_id,
                             .host_idx = action->host_idx,
                             .rc = rc};

    if (is_own(enact, action->op_id)) {
        hs_fleet_list(enact->fleet, action->host_idx, rc == 0 ? 0 : OWN_RETRY_S);
        enact->options.inbox->due(enact->options.inbox->arg);
        return;
    }
    snprintf(event.text, sizeof(event.text), "%s", text);
    /* what may work later unchanged is tried at the next period, not in a tight circle */
    hs_inbox_add(enact->options.inbox, &event,
                 hs_err_is_transient(rc) ? HS_INBOX_LATER : HS_INBOX_SOON);
}

static void keep_unknown(struct hs_enact *enact, const struct hs_action *action, const char *why)
{
    struct hs_intent intent = hs_enact_make_intent(enact, action);

    intent.is_unknown = true;
    hs_enact_adopt(enact, &intent);
    hs_enact_end_intent(enact, &intent, HS_INTENT_UNKNOWN, why);
    hs_fleet_list(enact->fleet, action->host_idx, 0);
    if (action->kind == HS_ACTION_MOVE) {
        hs_fleet_list(enact->fleet, action->to_host_idx, 0);
    }
}

static void on_call(int rc, const struct hs_err *err, void *arg)
{
    struct enact_call *call = arg;
    struct hs_enact *enact = call->enact;
    const struct hs_action *action = &call->action;
    const char *text = rc == 0 ? "" : err != NULL ? err->text : hs_err_word(rc);

    hs_enact_end_busy(enact, action->job_id);
    if (rc != 0) {
        HS_LOG_WARN("enact", "job %" PRIu64 ": %s on '%s' failed: %s", action->job_id,
                    hs_action_word(action->kind),
                    enact->options.estate->hosts[action->host_idx].path, text);
    }
    if (rc == -HS_E_TIMEOUT) {
        keep_unknown(enact, action, text);
    } else {
        struct hs_intent intent = hs_enact_make_intent(enact, action);

        hs_enact_end_intent(enact, &intent, rc == 0 ? HS_INTENT_DONE : HS_INTENT_FAILED, text);
    }
    hs_enact_call_tell(enact, action, rc, text);
    free(call);
}

static void start_machine(struct enact_call *call, const struct hs_job *job)
{
    struct hs_enact *enact = call->enact;
    struct hs_machine_spec spec = {
        .job_id = job->id,
        .epoch = enact->options.epoch,
        .class_word =
            job->class_name[0] != '\0' ? job->class_name : hs_job_class_word(job->base_class),
        .image = job->image,
        .script = job->script,
        .env = (const char *const *)job->env,
        .n_env = job->n_env,
        .vcpus = job->vcpus,
        .memory_mib = job->memory_mib,
        .duration_s = job->duration_s,
    };

    hs_compute_create(hs_fleet_get_compute(enact->fleet, call->action.host_idx), &spec, on_call,
                      call);
}

/** The last word before every call to a host. */
static int check_may_act(const struct hs_enact *enact, struct hs_err *err)
{
    if (enact->options.lease != NULL && !hs_lease_may_act(enact->options.lease)) {
        return hs_err_set(err, HS_E_STALE, NULL, "the lease was not renewed in time");
    }
    return hs_store_is_up(enact->options.store)
               ? 0
               : hs_err_set(err, HS_E_UNAVAILABLE, NULL, "the store is down");
}

void hs_enact_call_start(struct hs_enact *enact, const struct hs_action *action, bool is_local)
{
    struct enact_call *call = hs_xcalloc(1, sizeof(*call));
    const struct hs_job *job = hs_cycle_get_job(enact->options.cycle, action->job_id);
    struct hs_err err;
    int rc;

    call->enact = enact;
    call->action = *action;
    rc = is_local ? 0 : check_may_act(enact, &err);
    if (rc != 0) {
        on_call(rc, &err, call);
        return;
    }
    HS_LOG_INFO("enact", "job %" PRIu64 ": %s on '%s': %s", action->job_id,
                hs_action_word(action->kind), enact->options.estate->hosts[action->host_idx].path,
                action->why);
    if (action->kind == HS_ACTION_MOVE) {
        hs_compute_move(hs_fleet_get_compute(enact->fleet, action->host_idx), action->job_id,
                        hs_fleet_get_compute(enact->fleet, action->to_host_idx), on_call, call);
    } else if (action->kind == HS_ACTION_THROTTLE) {
        hs_compute_throttle(hs_fleet_get_compute(enact->fleet, action->host_idx), action->job_id,
                            action->share, on_call, call);
    } else if (action->kind != HS_ACTION_START) {
        hs_compute_act(hs_fleet_get_compute(enact->fleet, action->host_idx), action->job_id,
                       action->kind, on_call, call);
    } else if (job != NULL) {
        start_machine(call, job);
    } else {
        rc = hs_err_set(&err, HS_E_NOTFOUND, NULL, "the job is no longer known");
        on_call(rc, &err, call);
    }
}
