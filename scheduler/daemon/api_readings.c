/* SPDX-License-Identifier: Apache-2.0 */
/* api_readings - readings that a building posts. */
#include <stdio.h>

#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/plantset.h"

#define PATH "/v1/readings"

/* A list, {"readings": list}, or one reading. NULL if it is none of these */
static const json_t *find_list(json_t *json, json_t *ret_single)
{
    json_t *list = json_object_get(json, "readings");

    if (json_is_array(json)) {
        return json;
    }
    if (json_is_array(list)) {
        return list;
    }
    if (json_is_object(json) && list == NULL) {
        hs_jsonx_add(ret_single, json_incref(json));
        return ret_single;
    }
    return NULL;
}

static json_t *format_refusal(size_t i, const struct hs_err *err)
{
    json_t *refusal = hs_jsonx_object();

    hs_jsonx_set_int(refusal, "item", (int64_t)i);
    hs_jsonx_set_text(refusal, "error", hs_err_word(-(int)err->kind));
    hs_jsonx_set_text(refusal, "text", err->text);
    return refusal;
}

void hs_api_readings_take(struct hs_api_call *call)
{
    json_auto_t *json = NULL;
    json_auto_t *single = hs_jsonx_array();
    json_auto_t *refused = hs_jsonx_array();
    const json_t *list;
    json_t *reading;
    json_t *answer;
    struct hs_err err;
    size_t i;
    int rc = hs_jsonx_parse("body", call->body, call->n_body_bytes, &json, &err);

    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return;
    }
    list = find_list(json, single);
    if (list == NULL || json_array_size(list) == 0) {
        hs_api_reply_error(call, -HS_E_INVALID, PATH,
                           "must be a list of readings {\"point\", \"value\", \"at\"}, or one");
        return;
    }
    json_array_foreach (list, i, reading) {
        if (hs_plantset_push(hs_daemon_get_plants(call->daemon), reading, &err) != 0) {
            hs_jsonx_add(refused, format_refusal(i, &err));
        }
    }
    if (json_array_size(refused) == json_array_size(list)) {
        char text[sizeof(err.text) + 32];

        snprintf(text, sizeof(text), "item %zu: %s", json_array_size(list) - 1, err.text);
        hs_api_reply_error(call, -(int)err.kind, PATH, text);
        return;
    }
    answer = hs_jsonx_object();
    hs_jsonx_set_int(answer, "taken", (int64_t)(json_array_size(list) - json_array_size(refused)));
    hs_jsonx_set(answer, "refused", json_incref(refused));
    hs_api_reply_thing(call, HTTP_OK, "ReadingsTaken", answer);
}
