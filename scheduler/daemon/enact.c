/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/enact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define KEY_MAX         24
#define OWN_OPS         UINT64_C(500000000) /* of the ids of a life, those from here on are our own */
#define OWN_RETRY_S     10.0                /* real */
#define WRITES_KEPT_MAX 4096 /* journal lines kept while the store is away; newer ones are lost */

/** A write with texts of its own. */
struct enact_write {
    enum hs_store_op_kind kind;
    char table[16];
    char *key;  /* owned */
    char *text; /* owned, NULL for a delete */
};

typedef HS_VEC(struct enact_write) enact_writes;

/** An intent whose end only a look at its hosts can tell. */
struct enact_open {
    struct hs_intent intent;
    double since_mono_s;
};

struct hs_enact {
    struct hs_enact_options options;
    struct hs_fleet *fleet;
    enact_writes pending;           /* goes with the next commit */
    HS_VEC(uint64_t) dirty_job_ids; /* jobs whose last state did not land */
    HS_VEC(uint64_t) busy_job_ids;  /* an action is on its way */
    HS_VEC(struct enact_open) open; /* adopted or unknown */
    HS_VEC(struct hs_action) own;   /* go with the next commit */
    uint64_t first_own_op_id;
    uint64_t next_own_op_id;
    size_t n_local; /* intents that were written locally; 0: none is left there */
    bool is_losing; /* WRITES_KEPT_MAX was reached */
};

/** One commit on its way. */
struct enact_batch {
    struct hs_enact *enact;
    enact_writes writes;
    HS_VEC(uint64_t) job_ids;
    struct hs_action *actions; /* [n_actions] owned */
    size_t n_actions;
    size_t n_local; /* local intents that are among the writes */
    hs_store_done_fn *done;
    void *arg;
};

/** One compute call on its way. */
struct enact_call {
    struct hs_enact *enact;
    struct hs_action action;
};

/* --- writes --- */

static void write_fini(struct enact_write *write)
{
    free(write->key);
    free(write->text);
}

static void add_write(enact_writes *writes, const struct hs_store_op *op)
{
    struct enact_write write = {.kind = op->kind,
                                .key = hs_xstrdup(op->key != NULL ? op->key : ""),
                                .text = hs_xstrdup(op->text)};

    snprintf(write.table, sizeof(write.table), "%s", op->table);
    HS_VEC_PUSH(writes, write);
}

void hs_enact_write(struct hs_enact *enact, const struct hs_store_op *op)
{
    if (enact->pending.n >= WRITES_KEPT_MAX && op->kind == HS_STORE_APPEND) {
        if (!enact->is_losing) {
            HS_LOG_WARN("store", "away too long, journal lines are being lost");
        }
        enact->is_losing = true;
        return;
    }
    add_write(&enact->pending, op);
}

static void write_intent(enact_writes *writes, const struct hs_intent *intent,
                         enum hs_intent_state state)
{
    HS_AUTO_MEM char *text = hs_intent_format(intent, state);
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%" PRIu64, intent->op_id);
    add_write(writes, &(struct hs_store_op){HS_STORE_PUT, HS_INTENT_TABLE, key, text});
}

static void drop_intent(struct hs_enact *enact, uint64_t op_id)
{
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%" PRIu64, op_id);
    add_write(&enact->pending, &(struct hs_store_op){HS_STORE_DELETE, HS_INTENT_TABLE, key, NULL});
}

/** Into the journal; an intent that is over leaves its table in the same commit. */
static void end_intent(struct hs_enact *enact, const struct hs_intent *intent,
                       enum hs_intent_state state, const char *why)
{
    HS_AUTO_MEM char *line =
        hs_intent_format_end(intent, state, hs_clock_at_s(enact->options.inbox->clock), why);

    hs_enact_write(enact, &(struct hs_store_op){HS_STORE_APPEND, "journal", "", line});
    if (state == HS_INTENT_UNKNOWN) {
        write_intent(&enact->pending, intent, state);
    } else {
        drop_intent(enact, intent->op_id);
    }
}

/** A hs_history_write_fn. */
static void write_one(void *arg, const struct hs_store_op *op)
{
    add_write(arg, op);
}

static void write_job(struct hs_enact *enact, enact_writes *writes, const struct hs_job *job)
{
    json_auto_t *json = NULL;
    HS_AUTO_MEM char *text = NULL;
    char key[KEY_MAX];

    if (enact->options.history != NULL && hs_job_is_over(job)) {
        hs_history_move(enact->options.history, job, write_one, writes);
        return;
    }
    json = hs_job_format(job);
    text = hs_jsonx_format(json);
    snprintf(key, sizeof(key), "%" PRIu64, job->id);
    add_write(writes, &(struct hs_store_op){HS_STORE_PUT, "jobs", key, text});
}

void hs_enact_note(struct hs_enact *enact, const struct hs_note *note)
{
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_at(json, "at", note->at_s);
    hs_jsonx_set_text(json, "kind", note->kind);
    hs_jsonx_set_text(json, "subject", note->subject);
    hs_jsonx_set_text(json, "text", note->text);
    text = hs_jsonx_format(json);
    hs_enact_write(enact, &(struct hs_store_op){HS_STORE_APPEND, "journal", "", text});
    HS_LOG_INFO(note->kind, "%s: %s", note->subject, note->text);
}

/* --- actions --- */

static bool has_id(const uint64_t *ids, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Of this daemon's own accord: nobody in the cycle waits for it, the next listing shows it. */
static bool is_own(const struct hs_enact *enact, uint64_t op_id)
{
    return op_id >= enact->first_own_op_id;
}

static void tell_done(struct hs_enact *enact, const struct hs_action *action, int rc,
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

static void end_busy(struct hs_enact *enact, uint64_t job_id)
{
    for (size_t i = 0; i < enact->busy_job_ids.n; i++) {
        if (enact->busy_job_ids.items[i] == job_id) {
            HS_VEC_SWAP_REMOVE(&enact->busy_job_ids, i);
            return;
        }
    }
}

static struct hs_intent make_intent(const struct hs_enact *enact, const struct hs_action *action)
{
    const struct hs_host *hosts = enact->options.estate->hosts;
    struct hs_intent intent = {.op_id = action->op_id,
                               .epoch = enact->options.epoch,
                               .job_id = action->job_id,
                               .kind = action->kind,
                               .was_running = action->is_live};

    snprintf(intent.host, sizeof(intent.host), "%s", hosts[action->host_idx].path);
    if (action->kind == HS_ACTION_MOVE) {
        snprintf(intent.to, sizeof(intent.to), "%s", hosts[action->to_host_idx].path);
    }
    return intent;
}

static void keep_unknown(struct hs_enact *enact, const struct hs_action *action, const char *why)
{
    struct hs_intent intent = make_intent(enact, action);

    intent.is_unknown = true;
    hs_enact_adopt(enact, &intent);
    end_intent(enact, &intent, HS_INTENT_UNKNOWN, why);
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

    end_busy(enact, action->job_id);
    if (rc != 0) {
        HS_LOG_WARN("enact", "job %" PRIu64 ": %s on '%s' failed: %s", action->job_id,
                    hs_action_word(action->kind),
                    enact->options.estate->hosts[action->host_idx].path, text);
    }
    if (rc == -HS_E_TIMEOUT) {
        keep_unknown(enact, action, text);
    } else {
        struct hs_intent intent = make_intent(enact, action);

        end_intent(enact, &intent, rc == 0 ? HS_INTENT_DONE : HS_INTENT_FAILED, text);
    }
    tell_done(enact, action, rc, text);
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

static void start_call(struct hs_enact *enact, const struct hs_action *action, bool is_local)
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

/* --- without the store --- */

/** Shed for safety: the intent into the local file, then the call. False: that cannot be. */
static bool shed(struct hs_enact *enact, const struct hs_action *action,
                 const struct hs_intent *intent)
{
    HS_AUTO_MEM char *text = hs_intent_format(intent, HS_INTENT_OPEN);
    char key[KEY_MAX];
    struct hs_err err;

    if (!action->is_safety || enact->options.local == NULL
        || (action->kind != HS_ACTION_SUSPEND && action->kind != HS_ACTION_THROTTLE)
        || has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, action->job_id)) {
        return false;
    }
    snprintf(key, sizeof(key), "%" PRIu64, action->op_id);
    if (hs_localintent_add(enact->options.local, key, text, &err) != 0) {
        HS_LOG_ERROR("enact", "job %" PRIu64 " cannot be shed without the store: %s",
                     action->job_id, err.text);
        return false;
    }
    enact->n_local++;
    HS_VEC_PUSH(&enact->busy_job_ids, action->job_id);
    start_call(enact, action, true);
    return true;
}

static void gather_local(const char *key, const char *text, void *arg)
{
    add_write(arg, &(struct hs_store_op){HS_STORE_PUT, HS_INTENT_TABLE, key, text});
}

/** What an earlier life shed is looked for on its host, as any intent of which the end is open. */
static void adopt_local(const char *key, const char *text, void *arg)
{
    struct hs_enact *enact = arg;
    struct hs_intent intent;

    enact->n_local++;
    if (hs_intent_parse(key, text, &intent, NULL) == 0) {
        hs_enact_adopt(enact, &intent);
    }
}

/** Local intents go first: how they ended, if that is known, follows in the same commit. */
static void take_pending(struct enact_batch *batch)
{
    struct hs_enact *enact = batch->enact;
    size_t n_bad;
    struct hs_err err;

    if (enact->n_local > 0 && hs_store_is_up(enact->options.store)) {
        if (hs_localintent_read(enact->options.local, gather_local, &batch->writes, &n_bad, &err)
            != 0) {
            HS_LOG_ERROR("enact", "%s", err.text);
        } else {
            batch->n_local = enact->n_local;
        }
    }
    for (size_t i = 0; i < enact->pending.n; i++) {
        HS_VEC_PUSH(&batch->writes, enact->pending.items[i]);
    }
    HS_VEC_FINI(&enact->pending);
    enact->pending = (enact_writes){0};
}

/** The store has them; unless more were written since, the file has done its work. */
static void forget_local(struct hs_enact *enact, size_t n_local)
{
    struct hs_err err;

    if (n_local == 0 || n_local != enact->n_local) {
        return;
    }
    if (hs_localintent_clear(enact->options.local, &err) != 0) {
        HS_LOG_ERROR("enact", "%s", err.text);
        return;
    }
    HS_LOG_INFO("enact", "what was shed without the store is written there now, %zu in all",
                n_local);
    enact->n_local = 0;
}

/* --- the commit --- */

static void batch_free(struct enact_batch *batch)
{
    for (size_t i = 0; i < batch->writes.n; i++) {
        write_fini(&batch->writes.items[i]);
    }
    HS_VEC_FINI(&batch->writes);
    HS_VEC_FINI(&batch->job_ids);
    free(batch->actions);
    free(batch);
}

/** Its rows follow from a job's or an intent's state, and are made of that again. */
static bool is_made_anew(const char *table)
{
    static const char *const tables[] = {"jobs", HS_INTENT_TABLE, HS_HISTORY_TABLE, HS_HISTORY_ENDS,
                                         HS_HISTORY_FILES};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(table, tables[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** Nothing landed for sure: keep what must still be written, take back the actions. */
static void undo_batch(struct enact_batch *batch, int rc, const struct hs_err *err)
{
    struct hs_enact *enact = batch->enact;

    for (size_t i = 0; i < batch->job_ids.n; i++) {
        if (!has_id(enact->dirty_job_ids.items, enact->dirty_job_ids.n, batch->job_ids.items[i])) {
            HS_VEC_PUSH(&enact->dirty_job_ids, batch->job_ids.items[i]);
        }
    }
    for (size_t i = 0; i < batch->writes.n; i++) {
        struct enact_write *write = &batch->writes.items[i];

        /* jobs are written anew from their state then; a note twice is worse than a gap */
        if (!is_made_anew(write->table)
            && (write->kind != HS_STORE_APPEND || rc == -HS_E_UNAVAILABLE)) {
            HS_VEC_PUSH(&enact->pending, *write);
            *write = (struct enact_write){0};
        } else if (write->kind == HS_STORE_DELETE) {
            HS_VEC_PUSH(&enact->pending, *write);
            *write = (struct enact_write){0};
        }
    }
    for (size_t i = 0; i < batch->n_actions; i++) {
        end_busy(enact, batch->actions[i].job_id);
        drop_intent(enact, batch->actions[i].op_id); /* it may have landed after all */
        tell_done(enact, &batch->actions[i], -HS_E_UNAVAILABLE,
                  err != NULL ? err->text : "the store is down");
    }
}

static void end_batch(struct enact_batch *batch, int rc, const struct hs_err *err)
{
    if (rc == 0) {
        batch->enact->is_losing = false;
        forget_local(batch->enact, batch->n_local);
        for (size_t i = 0; batch->enact->options.history != NULL && i < batch->job_ids.n; i++) {
            hs_history_settle(batch->enact->options.history, batch->job_ids.items[i]);
        }
        for (size_t i = 0; i < batch->n_actions; i++) {
            start_call(batch->enact, &batch->actions[i], false);
        }
    } else {
        undo_batch(batch, rc, err);
    }
    if (batch->done != NULL) {
        batch->done(rc, err, batch->arg);
    }
    batch_free(batch);
}

static void on_commit(int rc, const struct hs_err *err, void *arg)
{
    struct enact_batch *batch = arg;

    if (rc != 0) {
        HS_LOG_WARN("store", "a commit of %zu writes failed: %s", batch->writes.n,
                    err != NULL ? err->text : hs_err_word(rc));
    }
    end_batch(batch, rc, err);
}

static void add_job(struct enact_batch *batch, uint64_t job_id)
{
    const struct hs_job *job = hs_cycle_get_job(batch->enact->options.cycle, job_id);

    if (job != NULL && !has_id(batch->job_ids.items, batch->job_ids.n, job_id)) {
        HS_VEC_PUSH(&batch->job_ids, job_id);
        write_job(batch->enact, &batch->writes, job);
    }
}

static void add_action(struct enact_batch *batch, const struct hs_action *action)
{
    struct hs_enact *enact = batch->enact;
    struct hs_intent intent = make_intent(enact, action);

    if (!hs_store_is_up(enact->options.store)) {
        if (!shed(enact, action, &intent)) {
            tell_done(enact, action, -HS_E_UNAVAILABLE, "the store is down");
        }
    } else if (has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, action->job_id)) {
        tell_done(enact, action, -HS_E_UNAVAILABLE, "an earlier action is on its way");
    } else {
        HS_VEC_PUSH(&enact->busy_job_ids, action->job_id);
        batch->actions[batch->n_actions++] = *action;
        write_intent(&batch->writes, &intent, HS_INTENT_OPEN);
    }
}

static void add_actions(struct enact_batch *batch, const struct hs_decision *decision)
{
    struct hs_enact *enact = batch->enact;

    batch->actions = hs_xcalloc(decision->n_actions + enact->own.n, sizeof(*batch->actions));
    for (size_t i = 0; i < decision->n_actions; i++) {
        add_action(batch, &decision->actions[i]);
    }
    for (size_t i = 0; i < enact->own.n; i++) {
        add_action(batch, &enact->own.items[i]);
    }
    enact->own.n = 0;
}

static void gather(struct enact_batch *batch, const struct hs_decision *decision)
{
    struct hs_enact *enact = batch->enact;

    for (size_t i = 0; i < decision->n_notes; i++) {
        hs_enact_note(enact, &decision->notes[i]);
    }
    take_pending(batch);
    for (size_t i = 0; i < decision->n_changed_job_ids; i++) {
        add_job(batch, decision->changed_job_ids[i]);
    }
    for (size_t i = 0; i < enact->dirty_job_ids.n; i++) {
        add_job(batch, enact->dirty_job_ids.items[i]);
    }
    enact->dirty_job_ids.n = 0;
    add_actions(batch, decision);
}

bool hs_enact_apply(struct hs_enact *enact, const struct hs_decision *decision,
                    hs_store_done_fn *done, void *arg)
{
    struct enact_batch *batch = hs_xcalloc(1, sizeof(*batch));
    HS_AUTO_MEM struct hs_store_op *ops = NULL;

    batch->enact = enact;
    batch->done = done;
    batch->arg = arg;
    gather(batch, decision);
    if (batch->writes.n == 0) {
        batch_free(batch);
        return false;
    }
    if (!hs_store_is_up(enact->options.store)) {
        struct hs_err err;
        int rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the store is down");

        end_batch(batch, rc, &err);
        return true;
    }
    ops = hs_xcalloc(batch->writes.n, sizeof(*ops));
    for (size_t i = 0; i < batch->writes.n; i++) {
        const struct enact_write *write = &batch->writes.items[i];

        ops[i] = (struct hs_store_op){write->kind, write->table, write->key, write->text};
    }
    hs_store_commit(enact->options.store, ops, batch->writes.n, on_commit, batch);
    return true;
}

/* --- intents that are open --- */

void hs_enact_adopt(struct hs_enact *enact, const struct hs_intent *intent)
{
    struct enact_open open = {*intent, hs_clock_mono_s(enact->options.inbox->clock)};

    for (size_t i = 0; i < enact->open.n; i++) {
        if (enact->open.items[i].intent.op_id == intent->op_id) {
            return; /* a scan may show a row twice */
        }
    }
    HS_VEC_PUSH(&enact->open, open);
}

const struct hs_intent *hs_enact_get_open(const struct hs_enact *enact, size_t i,
                                          double *ret_since_mono_s)
{
    if (i >= enact->open.n) {
        return NULL;
    }
    *ret_since_mono_s = enact->open.items[i].since_mono_s;
    return &enact->open.items[i].intent;
}

void hs_enact_settle(struct hs_enact *enact, uint64_t op_id, enum hs_intent_state state,
                     const char *why)
{
    for (size_t i = enact->open.n; i-- > 0;) {
        const struct hs_intent *intent = &enact->open.items[i].intent;

        if (intent->op_id == op_id) {
            HS_LOG_INFO("enact", "job %" PRIu64 ": %s on '%s' of epoch %" PRIu64 " is %s: %s",
                        intent->job_id, hs_action_word(intent->kind), intent->host, intent->epoch,
                        hs_intent_state_word(state), why);
            end_intent(enact, intent, state, why);
            HS_VEC_SWAP_REMOVE(&enact->open, i);
        }
    }
}

void hs_enact_do(struct hs_enact *enact, uint64_t job_id, enum hs_action_kind kind, size_t host_idx,
                 const char *why)
{
    struct hs_action action = {.kind = kind,
                               .job_id = job_id,
                               .host_idx = host_idx,
                               .to_host_idx = host_idx,
                               .share = 1.0};

    for (size_t i = 0; i < enact->own.n; i++) {
        if (enact->own.items[i].job_id == job_id) {
            return;
        }
    }
    action.op_id = enact->next_own_op_id++;
    snprintf(action.why, sizeof(action.why), "%s", why);
    HS_VEC_PUSH(&enact->own, action);
    enact->options.inbox->due(enact->options.inbox->arg);
}

bool hs_enact_is_busy(const struct hs_enact *enact, uint64_t job_id)
{
    return has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, job_id);
}

/* --- life --- */

struct hs_enact *hs_enact_new(const struct hs_enact_options *options)
{
    struct hs_enact *enact = hs_xcalloc(1, sizeof(*enact));

    enact->options = *options;
    enact->first_own_op_id = options->epoch * HS_ENACT_OPS_PER_EPOCH + OWN_OPS;
    enact->next_own_op_id = enact->first_own_op_id;
    if (options->local != NULL) {
        size_t n_bad = 0;
        struct hs_err err;

        if (hs_localintent_read(options->local, adopt_local, enact, &n_bad, &err) != 0) {
            HS_LOG_ERROR("enact", "%s", err.text);
        }
        if (n_bad > 0) {
            HS_LOG_ERROR("enact", "%zu lines of intents.local are damaged and left out", n_bad);
        }
    }
    return enact;
}

void hs_enact_set_fleet(struct hs_enact *enact, struct hs_fleet *fleet)
{
    enact->fleet = fleet;
}

void hs_enact_free(struct hs_enact *enact)
{
    if (enact == NULL) {
        return;
    }
    for (size_t i = 0; i < enact->pending.n; i++) {
        write_fini(&enact->pending.items[i]);
    }
    HS_VEC_FINI(&enact->pending);
    HS_VEC_FINI(&enact->dirty_job_ids);
    HS_VEC_FINI(&enact->busy_job_ids);
    HS_VEC_FINI(&enact->open);
    HS_VEC_FINI(&enact->own);
    free(enact);
}
