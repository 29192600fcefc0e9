/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enact - intents and notes that go with the next commit (enact_commit.c); calls to hosts are in
 * enact_call.c, what is done without the store in enact_local.c.
 */
#include "scheduler/daemon/enact.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/enact_priv.h"

#define KEY_MAX         24
#define OWN_OPS         UINT64_C(500000000) /* of the ids of a life, those from here on are our own */
#define WRITES_KEPT_MAX 4096 /* journal lines kept while the store is away; newer ones are lost */

/* --- writes --- */

void hs_enact_write(struct hs_enact *enact, const struct hs_store_op *op)
{
    if (enact->pending.n >= WRITES_KEPT_MAX && op->kind == HS_STORE_APPEND) {
        if (!enact->is_losing) {
            HS_LOG_WARN("store", "away too long, journal lines are being lost");
        }
        enact->is_losing = true;
        return;
    }
    hs_writelist_add(&enact->pending, op);
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

/* --- intents --- */

struct hs_intent hs_enact_make_intent(const struct hs_enact *enact, const struct hs_action *action)
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

void hs_enact_write_intent(hs_writelist *writes, const struct hs_intent *intent,
                           enum hs_intent_state state)
{
    HS_AUTO_MEM char *text = hs_intent_format(intent, state);
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%" PRIu64, intent->op_id);
    hs_writelist_add(writes, &(struct hs_store_op){HS_STORE_PUT, HS_INTENT_TABLE, key, text});
}

void hs_enact_drop_intent(struct hs_enact *enact, uint64_t op_id)
{
    char key[KEY_MAX];

    snprintf(key, sizeof(key), "%" PRIu64, op_id);
    hs_writelist_add(&enact->pending,
                     &(struct hs_store_op){HS_STORE_DELETE, HS_INTENT_TABLE, key, NULL});
}

void hs_enact_end_intent(struct hs_enact *enact, const struct hs_intent *intent,
                         enum hs_intent_state state, const char *why)
{
    HS_AUTO_MEM char *line =
        hs_intent_format_end(intent, state, hs_clock_at_s(enact->options.inbox->clock), why);

    hs_enact_write(enact, &(struct hs_store_op){HS_STORE_APPEND, "journal", "", line});
    if (state == HS_INTENT_UNKNOWN) {
        hs_enact_write_intent(&enact->pending, intent, state);
    } else {
        hs_enact_drop_intent(enact, intent->op_id);
    }
}

void hs_enact_adopt(struct hs_enact *enact, const struct hs_intent *intent)
{
    struct hs_enact_open open = {*intent, hs_clock_mono_s(enact->options.inbox->clock)};

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
            hs_enact_end_intent(enact, intent, state, why);
            HS_VEC_SWAP_REMOVE(&enact->open, i);
        }
    }
}

/* --- actions --- */

bool hs_enact_has_id(const uint64_t *ids, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

void hs_enact_end_busy(struct hs_enact *enact, uint64_t job_id)
{
    for (size_t i = 0; i < enact->busy_job_ids.n; i++) {
        if (enact->busy_job_ids.items[i] == job_id) {
            HS_VEC_SWAP_REMOVE(&enact->busy_job_ids, i);
            return;
        }
    }
}

bool hs_enact_is_busy(const struct hs_enact *enact, uint64_t job_id)
{
    return hs_enact_has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, job_id);
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

/* --- life --- */

struct hs_enact *hs_enact_new(const struct hs_enact_options *options)
{
    struct hs_enact *enact = hs_xcalloc(1, sizeof(*enact));

    enact->options = *options;
    enact->first_own_op_id = options->epoch * HS_ENACT_OPS_PER_EPOCH + OWN_OPS;
    enact->next_own_op_id = enact->first_own_op_id;
    hs_enact_local_adopt(enact);
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
    hs_writelist_fini(&enact->pending);
    HS_VEC_FINI(&enact->dirty_job_ids);
    HS_VEC_FINI(&enact->busy_job_ids);
    HS_VEC_FINI(&enact->open);
    HS_VEC_FINI(&enact->own);
    free(enact);
}
