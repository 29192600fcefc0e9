/* SPDX-License-Identifier: Apache-2.0 */
/* api_submit - POST /v1/jobs: one job, a list of them, or an array. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/jobbatch.h"

#define HTTP_CREATED 201
#define WHERE_MAX    64

/** A submit that waits for its answer. */
struct submit {
    struct hs_api_call *call;
    struct hs_jobbatch *batch; /* owned; its jobs have gone into the request */
};

/* --- the answers --- */

/** Answer for one job, real or dry. @param json  the Job with its explanation; taken */
static void reply_one(struct hs_api_call *call, int status, json_t *json, const char *cannot_meet)
{
    if (cannot_meet[0] != '\0' && !json_is_string(json_object_get(json, "cannot_meet"))) {
        hs_jsonx_set_text(json, "cannot_meet", cannot_meet);
    }
    hs_api_reply_thing(call, status, "Job", json);
}

/** Answer for jobs from @first_id on. @param batch  nullable: nothing is known but ids */
static void reply_list(struct hs_api_call *call, uint64_t first_id, size_t n,
                       const struct hs_jobbatch *batch)
{
    json_t *fields = hs_jsonx_object();
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < n; i++) {
        const char *cannot_meet = batch != NULL ? batch->jobs.items[i].cannot_meet : "";
        json_t *item = hs_jsonx_object();

        hs_jsonx_set_int(item, "id", (int64_t)(first_id + i));
        hs_jsonx_set_text(item, "cannot_meet", cannot_meet[0] != '\0' ? cannot_meet : NULL);
        hs_jsonx_add(items, item);
    }
    hs_jsonx_set(fields, "items", items);
    hs_api_reply_thing(call, HTTP_CREATED, "SubmittedList", fields);
}

static void reply_planned(struct hs_api_call *call, uint64_t job_id, const char *cannot_meet)
{
    int64_t now_at_s = hs_api_get_at_s(call);
    json_t *json = hs_cycle_format_job(call->cycle, job_id, now_at_s);

    if (json == NULL) { /* durable, but the daemon ended before it was planned */
        hs_api_reply_error(call, -HS_E_UNAVAILABLE, "/v1/jobs", "the daemon is stopping");
        return;
    }
    hs_jsonx_set(json, "explanation", hs_cycle_format_explain_brief(call->cycle, job_id, now_at_s));
    reply_one(call, HTTP_CREATED, json, cannot_meet);
}

static void on_submitted(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    HS_AUTO_MEM struct submit *submit = arg;
    HS_AUTO(hs_jobbatch) batch = submit->batch;

    if (rc != 0) {
        hs_api_reply_error(submit->call, rc, "/v1/jobs", err->text);
    } else if (batch->is_list) {
        reply_list(submit->call, job_id, batch->jobs.n, batch);
    } else {
        reply_planned(submit->call, job_id, batch->jobs.items[0].cannot_meet);
    }
}

void hs_api_submit_repeat(struct hs_api_call *call, uint64_t first_id, size_t n_ids)
{
    if (n_ids == 1 && hs_cycle_get_job(call->cycle, first_id) != NULL) {
        reply_planned(call, first_id, "");
    } else {
        reply_list(call, first_id, n_ids, NULL);
    }
}

/* --- the request --- */

static struct hs_jobbatch *read_batch(struct hs_api_call *call)
{
    const struct hs_jobbatch_options options = {
        .cycle = call->cycle,
        .config = hs_daemon_get_config(call->daemon),
        .now_at_s = hs_api_get_at_s(call),
        .first_id = hs_daemon_get_next_id(call->daemon),
    };
    HS_AUTO_MEM char *errors = NULL;
    struct hs_jobbatch *batch = NULL;
    char where[WHERE_MAX] = "";
    int rc = hs_jobbatch_parse(&options, call->body, call->n_body_bytes, &batch, where, &errors);

    if (rc != 0) {
        hs_api_reply_error(call, rc, where, errors);
    }
    return batch;
}

static void try_one(struct hs_api_call *call, const struct hs_jobbatch *batch)
{
    if (batch->is_list) {
        hs_api_reply_error(call, -HS_E_INVALID, "dry_run", "tries one job, not a list or an array");
        return;
    }
    reply_one(call, HTTP_OK,
              hs_cycle_format_trial(call->cycle, batch->jobs.items[0].job, hs_api_get_at_s(call)),
              batch->jobs.items[0].cannot_meet);
}

/** Its jobs go into the request, which can be asked again by the call's key. */
static struct hs_intake_request *make_request(struct hs_api_call *call, struct hs_jobbatch *batch)
{
    struct hs_intake_request *request = hs_xcalloc(1, sizeof(*request));

    for (size_t i = 0; i < batch->jobs.n; i++) {
        HS_VEC_PUSH(&request->jobs, HS_STEAL(batch->jobs.items[i].job));
    }
    if (call->key[0] != '\0') {
        request->repeat_text = hs_repeat_format(hs_daemon_get_repeat(call->daemon), call->uid,
                                                call->key, hs_daemon_get_next_id(call->daemon),
                                                batch->jobs.n, request->repeat_key);
    }
    return request;
}

/* --- jobs of the history that others are to follow --- */

typedef HS_VEC(uint64_t) id_list;

static void add_unknown(const struct hs_api_call *call, const json_t *item, id_list *ret_ids)
{
    const json_t *list = json_object_get(item, "after");
    size_t i;
    json_t *text;

    json_array_foreach (list, i, text) {
        struct hs_job_after after;

        if (json_is_string(text) && hs_job_parse_after(json_string_value(text), &after, NULL) == 0
            && after.job_id != 0 && after.job_id < hs_daemon_get_next_id(call->daemon)
            && hs_cycle_get_job(call->cycle, after.job_id) == NULL
            && ret_ids->n < HS_INTAKE_JOBS_MAX) {
            HS_VEC_PUSH(ret_ids, after.job_id);
        }
    }
}

/** Ids that the body names in `after` and the cycle does not know. */
static void find_unknown(const struct hs_api_call *call, id_list *ret_ids)
{
    json_auto_t *json = NULL;
    const json_t *items;
    size_t i;
    json_t *item;

    if (strstr(call->body, "\"after\"") == NULL
        || hs_jsonx_parse("body", call->body, call->n_body_bytes, &json, NULL) != 0) {
        return;
    }
    add_unknown(call, json, ret_ids);
    items = json_is_object(json) ? json_object_get(json, "items") : json;
    json_array_foreach (items, i, item) {
        add_unknown(call, item, ret_ids);
    }
}

static void take(struct hs_api_call *call);

static void on_brought(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    struct hs_api_call *call = arg;

    if (rc != 0) {
        hs_api_reply_error(call, rc, "/v1/jobs", err->text);
    } else {
        take(call);
    }
}

static void refuse_down(struct hs_api_call *call)
{
    const char *fault = hs_daemon_get_store_fault(call->daemon);
    char text[384];

    snprintf(text, sizeof(text), "not taken, try again later: the store is down%s%s",
             fault != NULL ? ": " : "", fault != NULL ? fault : "");
    hs_api_reply_error(call, -HS_E_UNAVAILABLE, "/v1/jobs", text);
}

void hs_api_submit_apply(struct hs_api_call *call)
{
    id_list unknown = {0};

    find_unknown(call, &unknown);
    if (unknown.n > 0 && hs_daemon_is_store_up(call->daemon)) {
        hs_daemon_bring(call->daemon, unknown.items, unknown.n, on_brought, call);
    } else {
        take(call);
    }
    HS_VEC_FINI(&unknown);
}

static void take(struct hs_api_call *call)
{
    HS_AUTO(hs_jobbatch) batch = read_batch(call);
    struct submit *submit;

    if (batch == NULL) {
        return;
    }
    if (hs_api_is_true(hs_api_get_query(call, "dry_run"))) {
        try_one(call, batch);
        return;
    }
    if (!hs_daemon_is_store_up(call->daemon)) {
        refuse_down(call);
        return;
    }
    submit = hs_xcalloc(1, sizeof(*submit));
    submit->call = call;
    submit->batch = HS_STEAL(batch);
    hs_daemon_submit(call->daemon, make_request(call, submit->batch),
                     submit->batch->is_list ? HS_DAEMON_DURABLE : HS_DAEMON_PLANNED, on_submitted,
                     submit);
}
