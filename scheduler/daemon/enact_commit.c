/* SPDX-License-Identifier: Apache-2.0 */
/* enact_commit - what one step decided and what waited for it, in one commit; then its actions. */
#include "scheduler/daemon/enact_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define KEY_MAX 24

/** One commit on its way. */
struct enact_batch {
    struct hs_enact *enact;
    hs_writelist writes;
    HS_VEC(uint64_t) job_ids;
    struct hs_action *actions; /* [n_actions] owned */
    size_t n_actions;
    size_t n_local; /* local intents that are among the writes */
    hs_store_done_fn *done;
    void *arg;
};

/* --- its end --- */

static void batch_free(struct enact_batch *batch)
{
    hs_writelist_fini(&batch->writes);
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
        if (!hs_enact_has_id(enact->dirty_job_ids.items, enact->dirty_job_ids.n,
                             batch->job_ids.items[i])) {
            HS_VEC_PUSH(&enact->dirty_job_ids, batch->job_ids.items[i]);
        }
    }
    for (size_t i = 0; i < batch->writes.n; i++) {
        const struct hs_written *write = &batch->writes.items[i];

        /* jobs are written anew from their state then; a note twice is worse than a gap */
        if (!is_made_anew(write->table)
            && (write->kind != HS_STORE_APPEND || rc == -HS_E_UNAVAILABLE)) {
            hs_writelist_hand_over(&batch->writes, i, &enact->pending);
        } else if (write->kind == HS_STORE_DELETE) {
            hs_writelist_hand_over(&batch->writes, i, &enact->pending);
        }
    }
    for (size_t i = 0; i < batch->n_actions; i++) {
        hs_enact_end_busy(enact, batch->actions[i].job_id);
        hs_enact_drop_intent(enact, batch->actions[i].op_id); /* it may have landed after all */
        hs_enact_call_tell(enact, &batch->actions[i], -HS_E_UNAVAILABLE,
                           err != NULL ? err->text : "the store is down");
    }
}

static void end_batch(struct enact_batch *batch, int rc, const struct hs_err *err)
{
    if (rc == 0) {
        batch->enact->is_losing = false;
        hs_enact_local_forget(batch->enact, batch->n_local);
        for (size_t i = 0; batch->enact->options.history != NULL && i < batch->job_ids.n; i++) {
            hs_history_settle(batch->enact->options.history, batch->job_ids.items[i]);
        }
        for (size_t i = 0; i < batch->n_actions; i++) {
            hs_enact_call_start(batch->enact, &batch->actions[i], false);
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

/* --- what goes with it --- */

/** A hs_history_write_fn. */
static void write_one(void *arg, const struct hs_store_op *op)
{
    hs_writelist_add(arg, op);
}

static void write_job(struct hs_enact *enact, hs_writelist *writes, const struct hs_job *job)
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
    hs_writelist_add(writes, &(struct hs_store_op){HS_STORE_PUT, "jobs", key, text});
}

static void add_job(struct enact_batch *batch, uint64_t job_id)
{
    const struct hs_job *job = hs_cycle_get_job(batch->enact->options.cycle, job_id);

    if (job != NULL && !hs_enact_has_id(batch->job_ids.items, batch->job_ids.n, job_id)) {
        HS_VEC_PUSH(&batch->job_ids, job_id);
        write_job(batch->enact, &batch->writes, job);
    }
}

static void add_action(struct enact_batch *batch, const struct hs_action *action)
{
    struct hs_enact *enact = batch->enact;
    struct hs_intent intent = hs_enact_make_intent(enact, action);

    if (!hs_store_is_up(enact->options.store)) {
        if (!hs_enact_local_shed(enact, action, &intent)) {
            hs_enact_call_tell(enact, action, -HS_E_UNAVAILABLE, "the store is down");
        }
    } else if (hs_enact_has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, action->job_id)) {
        hs_enact_call_tell(enact, action, -HS_E_UNAVAILABLE, "an earlier action is on its way");
    } else {
        HS_VEC_PUSH(&enact->busy_job_ids, action->job_id);
        batch->actions[batch->n_actions++] = *action;
        hs_enact_write_intent(&batch->writes, &intent, HS_INTENT_OPEN);
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

/** Local intents go first: how they ended, if that is known, follows in the same commit. */
static void take_pending(struct enact_batch *batch)
{
    struct hs_enact *enact = batch->enact;

    batch->n_local = hs_enact_local_gather(enact, &batch->writes);
    for (size_t i = 0; i < enact->pending.n; i++) {
        hs_writelist_hand_over(&enact->pending, i, &batch->writes);
    }
    hs_writelist_fini(&enact->pending);
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
    ops = hs_writelist_get_ops(&batch->writes);
    hs_store_commit(enact->options.store, ops, batch->writes.n, on_commit, batch);
    return true;
}
