/* SPDX-License-Identifier: Apache-2.0 */
/* intent - see intent.h. */
#include "scheduler/daemon/intent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"

const char *hs_intent_state_word(enum hs_intent_state state)
{
    static const char *const words[] = {[HS_INTENT_OPEN] = "INTENT",
                                        [HS_INTENT_DONE] = "DONE",
                                        [HS_INTENT_FAILED] = "FAILED",
                                        [HS_INTENT_UNKNOWN] = "UNKNOWN"};

    return words[state];
}

static json_t *make(const struct hs_intent *intent, enum hs_intent_state state)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "state", hs_intent_state_word(state));
    hs_jsonx_set_int(json, "op", (int64_t)intent->op_id);
    hs_jsonx_set_int(json, "epoch", (int64_t)intent->epoch);
    hs_jsonx_set_int(json, "job", (int64_t)intent->job_id);
    hs_jsonx_set_text(json, "host", intent->host);
    if (intent->kind == HS_ACTION_MOVE) {
        hs_jsonx_set_text(json, "to", intent->to);
        hs_jsonx_set_bool(json, "was_running", intent->was_running);
    }
    return json;
}

char *hs_intent_format(const struct hs_intent *intent, enum hs_intent_state state)
{
    json_auto_t *json = make(intent, state);

    hs_jsonx_set_text(json, "kind", hs_action_word(intent->kind));
    return hs_jsonx_format(json);
}

char *hs_intent_format_end(const struct hs_intent *intent, enum hs_intent_state state, int64_t at_s,
                           const char *why)
{
    json_auto_t *json = make(intent, state);
    char subject[24];
    char text[4 * HS_PATH_MAX];
    bool is_move = intent->kind == HS_ACTION_MOVE;

    snprintf(subject, sizeof(subject), "%" PRIu64, intent->job_id);
    snprintf(text, sizeof(text), "%s on '%s'%s%s%s: %s%s%.190s", hs_action_word(intent->kind),
             intent->host, is_move ? " to '" : "", is_move ? intent->to : "", is_move ? "'" : "",
             hs_intent_state_word(state), why[0] != '\0' ? ", " : "", why);
    hs_jsonx_set_at(json, "at", at_s);
    hs_jsonx_set_text(json, "kind", "action");
    hs_jsonx_set_text(json, "subject", subject);
    hs_jsonx_set_text(json, "text", text);
    return hs_jsonx_format(json);
}

static bool parse_kind(const char *word, enum hs_action_kind *ret_kind)
{
    for (int kind = HS_ACTION_START; kind <= HS_ACTION_THROTTLE; kind++) {
        if (word != NULL && strcmp(word, hs_action_word((enum hs_action_kind)kind)) == 0) {
            *ret_kind = (enum hs_action_kind)kind;
            return true;
        }
    }
    return false;
}

static void take_text(const json_t *json, const char *key, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(json, key));

    snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

int hs_intent_parse(const char *key, const char *text, struct hs_intent *ret_intent,
                    struct hs_err *err)
{
    json_auto_t *json = NULL;
    struct hs_intent intent = {.op_id = strtoull(key, NULL, 10)};
    char state[16];
    int rc = hs_jsonx_parse(HS_INTENT_TABLE, text, strlen(text), &json, err);

    if (rc != 0) {
        return rc;
    }
    intent.epoch = (uint64_t)json_integer_value(json_object_get(json, "epoch"));
    intent.job_id = (uint64_t)json_integer_value(json_object_get(json, "job"));
    if (intent.op_id == 0 || intent.job_id == 0
        || !parse_kind(json_string_value(json_object_get(json, "kind")), &intent.kind)) {
        return hs_err_set(err, HS_E_INVALID, HS_INTENT_TABLE, "row '%.24s' is no intent", key);
    }
    take_text(json, "host", intent.host, sizeof(intent.host));
    take_text(json, "to", intent.to, sizeof(intent.to));
    take_text(json, "state", state, sizeof(state));
    intent.is_unknown = strcmp(state, hs_intent_state_word(HS_INTENT_UNKNOWN)) == 0;
    intent.was_running = json_is_true(json_object_get(json, "was_running"));
    *ret_intent = intent;
    return 0;
}
