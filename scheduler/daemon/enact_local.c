/* SPDX-License-Identifier: Apache-2.0 */
/* enact_local - shedding while the store is away: intents in a local file (localintent.h). */
#include "scheduler/daemon/enact_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define KEY_MAX 24

bool hs_enact_local_shed(struct hs_enact *enact, const struct hs_action *action,
                         const struct hs_intent *intent)
{
    HS_AUTO_MEM char *text = hs_intent_format(intent, HS_INTENT_OPEN);
    char key[KEY_MAX];
    struct hs_err err;

    if (!action->is_safety || enact->options.local == NULL
        || (action->kind != HS_ACTION_SUSPEND && action->kind != HS_ACTION_THROTTLE)
        || hs_enact_has_id(enact->busy_job_ids.items, enact->busy_job_ids.n, action->job_id)) {
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
    hs_enact_call_start(enact, action, true);
    return true;
}

static void gather_local(const char *key, const char *text, void *arg)
{
    hs_writelist_add(arg, &(struct hs_store_op){HS_STORE_PUT, HS_INTENT_TABLE, key, text});
}

size_t hs_enact_local_gather(struct hs_enact *enact, hs_writelist *writes)
{
    size_t n_bad;
    struct hs_err err;

    if (enact->n_local == 0 || !hs_store_is_up(enact->options.store)) {
        return 0;
    }
    if (hs_localintent_read(enact->options.local, gather_local, writes, &n_bad, &err) != 0) {
        HS_LOG_ERROR("enact", "%s", err.text);
        return 0;
    }
    return enact->n_local;
}

void hs_enact_local_forget(struct hs_enact *enact, size_t n_local)
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

static void adopt_local(const char *key, const char *text, void *arg)
{
    struct hs_enact *enact = arg;
    struct hs_intent intent;

    enact->n_local++;
    if (hs_intent_parse(key, text, &intent, NULL) == 0) {
        hs_enact_adopt(enact, &intent);
    }
}

void hs_enact_local_adopt(struct hs_enact *enact)
{
    size_t n_bad = 0;
    struct hs_err err;

    if (enact->options.local == NULL) {
        return;
    }
    if (hs_localintent_read(enact->options.local, adopt_local, enact, &n_bad, &err) != 0) {
        HS_LOG_ERROR("enact", "%s", err.text);
    }
    if (n_bad > 0) {
        HS_LOG_ERROR("enact", "%zu lines of intents.local are damaged and left out", n_bad);
    }
}
