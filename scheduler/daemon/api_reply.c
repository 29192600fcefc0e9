/* SPDX-License-Identifier: Apache-2.0 */
/* api_reply - the answer to a call: its envelope, its status, and the call's end. */
#include <stdio.h>

#include <event2/buffer.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/callers.h"

#define RETRY_AFTER_S "2"

static void call_free(struct hs_api_call *call)
{
    for (size_t i = 0; i < HS_API_ARGS_MAX; i++) {
        free(call->args[i]);
    }
    if (call->has_query) {
        evhttp_clear_headers(&call->query);
    }
    free(call->body);
    free(call);
}

void hs_api_reply_send(struct hs_api_call *call, int status, const char *type, const char *text,
                       size_t n_bytes)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(call->http);
    struct evbuffer *out = evhttp_request_get_output_buffer(call->http);

    evhttp_add_header(headers, "Content-Type", type);
    if (status == HTTP_SERVUNAVAIL) {
        evhttp_add_header(headers, "Retry-After", RETRY_AFTER_S);
    }
    evbuffer_add(out, text, n_bytes);
    if (call->key[0] != '\0') {
        hs_repeat_set(hs_daemon_get_repeat(call->daemon), call->uid, call->key, status, text);
    }
    hs_callers_start(call->callers, evhttp_request_get_connection(call->http));
    evhttp_send_reply(call->http, status, NULL, NULL);
    call_free(call);
}

void hs_api_reply_json(struct hs_api_call *call, int status, json_t *json)
{
    HS_AUTO_MEM char *line = hs_jsonx_format(json);
    HS_AUTO_MEM char *text = NULL;
    int n = asprintf(&text, "%s\n", line);

    if (n < 0) {
        hs_mem_exhausted();
    }
    json_decref(json);
    hs_api_reply_send(call, status, "application/json", text, (size_t)n);
}

static json_t *make_envelope(const char *kind)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_text(json, "api", "hsched/v1");
    hs_jsonx_set_text(json, "kind", kind);
    return json;
}

/** What every good answer carries beside its kind: when it was true, and in which money. */
static void set_frame(const struct hs_api_call *call, json_t *json)
{
    if (call->cycle != NULL) {
        hs_jsonx_set_at(json, "at", hs_api_get_at_s(call));
        hs_jsonx_set_text(json, "currency", hs_daemon_get_config(call->daemon)->estate->currency);
    }
}

void hs_api_reply_thing(struct hs_api_call *call, int status, const char *kind, json_t *fields)
{
    json_t *json = make_envelope(kind);

    set_frame(call, json);
    json_object_update(json, fields);
    json_decref(fields);
    hs_api_reply_json(call, status, json);
}

void hs_api_reply_list(struct hs_api_call *call, const char *kind, json_t *items)
{
    json_t *json = make_envelope(kind);

    set_frame(call, json);
    hs_jsonx_set(json, "items", items);
    hs_api_reply_json(call, HTTP_OK, json);
}

void hs_api_reply_text(struct hs_api_call *call, int status, const char *text, size_t n_bytes)
{
    hs_api_reply_send(call, status, "text/plain; charset=utf-8", text, n_bytes);
}

static int status_of(int rc)
{
    switch (-rc) {
    case HS_E_INVALID:
    case HS_E_UNSUPPORTED:
        return HTTP_BADREQUEST;
    case HS_E_DENIED:
        return 403;
    case HS_E_NOTFOUND:
        return HTTP_NOTFOUND;
    case HS_E_CONFLICT:
        return 409;
    case HS_E_TIMEOUT:
    case HS_E_UNAVAILABLE:
    case HS_E_STALE:
        return HTTP_SERVUNAVAIL;
    default:
        return HTTP_INTERNAL;
    }
}

void hs_api_reply_status(struct hs_api_call *call, int status, int rc, const char *where,
                         const char *text)
{
    json_t *json = make_envelope("Error");

    hs_jsonx_set_text(json, "error", hs_err_word(rc));
    hs_jsonx_set_text(json, "where", where);
    hs_jsonx_set_text(json, "text", text);
    hs_api_reply_json(call, status, json);
}

void hs_api_reply_error(struct hs_api_call *call, int rc, const char *where, const char *text)
{
    hs_api_reply_status(call, status_of(rc), rc, where, text);
}
