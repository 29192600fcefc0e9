/* SPDX-License-Identifier: Apache-2.0 */
/* api_hosts - list hosts; the word of an operator that a silent one is off. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

#define NAME_MAX_BYTES 64

/** An answer that waits until what it says is durable. */
struct down_call {
    struct hs_api_call *call;
    json_t *json; /* owned */
};

void hs_api_hosts_list(struct hs_api_call *call)
{
    const struct hs_estate *estate = hs_daemon_get_config(call->daemon)->estate;
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < estate->n_hosts; i++) {
        hs_jsonx_add(items, hs_cycle_format_host(call->cycle, i));
    }
    hs_api_reply_list(call, "HostList", items);
}

/** Jobs that the host takes along. Owned by the caller. */
static json_t *list_jobs(const struct hs_api_call *call, const char *path)
{
    json_t *ids = hs_jsonx_array();

    for (size_t i = 0; i < hs_cycle_get_n_jobs(call->cycle); i++) {
        const struct hs_job *job = hs_cycle_get_job_at(call->cycle, i);

        if (!hs_job_is_over(job) && strcmp(job->host, path) == 0) {
            hs_jsonx_add(ids, hs_jsonx_int((int64_t)job->id));
        }
    }
    return ids;
}

/** Who asks, for the journal: as the caller names himself, and as the kernel knows him. */
static void name_caller(const struct hs_api_call *call, const json_t *body, char *ret_who,
                        size_t size)
{
    const char *by = json_string_value(json_object_get(body, "by"));

    snprintf(ret_who, size, "%.*s%suid %lu", NAME_MAX_BYTES, by != NULL ? by : "",
             by != NULL ? ", " : "", (unsigned long)call->uid);
}

static void on_down(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    HS_AUTO_MEM struct down_call *down = arg;

    (void)job_id;
    if (rc != 0) {
        json_decref(down->json);
        hs_api_reply_error(down->call, rc, err->where, err->text);
    } else {
        hs_api_reply_thing(down->call, HTTP_OK, "HostDown", down->json);
    }
}

/** The body as JSON, {} if there is none; NULL after answering what is wrong with it. */
static json_t *parse_body(struct hs_api_call *call)
{
    json_t *body = NULL;
    struct hs_err err;
    int rc = 0;

    if (call->n_body_bytes == 0) {
        return hs_jsonx_object();
    }
    rc = hs_jsonx_parse("body", call->body, call->n_body_bytes, &body, &err);
    if (rc == 0 && !json_is_object(body)) {
        rc = hs_err_set(&err, HS_E_INVALID, "body", "must be an object");
        json_decref(body);
    }
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return NULL;
    }
    return body;
}

void hs_api_hosts_confirm_down(struct hs_api_call *call)
{
    char path[HS_PATH_MAX];
    char who[2 * NAME_MAX_BYTES];
    json_auto_t *body = parse_body(call);
    struct down_call *down;
    struct hs_err err;
    int rc;

    if (body == NULL) {
        return;
    }
    snprintf(path, sizeof(path), "%s/%s", call->args[0], call->args[1]);
    rc = hs_daemon_check_down(call->daemon, path, &err);
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return;
    }
    name_caller(call, body, who, sizeof(who));
    down = hs_xcalloc(1, sizeof(*down));
    down->call = call;
    down->json = hs_jsonx_object();
    hs_jsonx_set_text(down->json, "host", path);
    hs_jsonx_set_text(down->json, "who", who);
    hs_jsonx_set_bool(down->json, "dry_run", json_is_true(json_object_get(body, "dry_run")));
    hs_jsonx_set(down->json, "jobs", list_jobs(call, path));
    if (json_is_true(json_object_get(body, "dry_run"))) {
        on_down(0, NULL, 0, down);
        return;
    }
    hs_daemon_confirm_down(call->daemon, path, who, json_string_value(json_object_get(body, "why")),
                           on_down, down);
}
