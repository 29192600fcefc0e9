/* SPDX-License-Identifier: Apache-2.0 */
/* api_jobs - show, explain, log, cancel; of jobs in the history as well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

#define LOG_BYTES_DEFAULT ((size_t)64 << 10)
#define LOG_BYTES_MAX     ((size_t)4 << 20)

/* --- one job --- */

bool hs_api_is_true(const char *text)
{
    return text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

bool hs_api_read_count(struct hs_api_call *call, const char *name, size_t fallback,
                       size_t *ret_count)
{
    const char *text = hs_api_get_query(call, name);
    char *end = NULL;
    unsigned long long count;

    *ret_count = fallback;
    if (text == NULL) {
        return true;
    }
    count = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        hs_api_reply_error(call, -HS_E_INVALID, name, "must be a whole number, 0 or more");
        return false;
    }
    *ret_count = (size_t)count;
    return true;
}

/** What is to be done with a job, wherever it is. @param job  borrowed */
typedef void job_fn(struct hs_api_call *call, const struct hs_job *job);

struct search {
    struct hs_api_call *call;
    uint64_t id;
    job_fn *then;
};

static void on_found(int rc, const struct hs_job *job, void *arg)
{
    HS_AUTO_MEM struct search *search = arg;
    struct hs_api_call *call = search->call;
    const struct hs_job *known = hs_cycle_get_job(call->cycle, search->id);
    char text[64];

    if (known != NULL || job != NULL) {
        search->then(call, known != NULL ? known : job);
    } else if (rc != 0) {
        hs_api_reply_error(call, -HS_E_UNAVAILABLE, evhttp_request_get_uri(call->http),
                           "the job may be in the history, and the store is down; try again later");
    } else {
        snprintf(text, sizeof(text), "no job %" PRIu64, search->id);
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http), text);
    }
}

/** It was on its way into the cycle when it was asked for. */
static void on_taken_in(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    on_found(rc, NULL, arg);
}

/**
 * Let @then answer about the job named in the path, which may be in the history, or just submitted.
 */
static void with_job(struct hs_api_call *call, job_fn *then)
{
    uint64_t id = hs_api_parse_id(call);
    const struct hs_job *job = id != 0 ? hs_cycle_get_job(call->cycle, id) : NULL;
    struct search *search;

    if (id == 0) {
        return;
    }
    search = hs_xcalloc(1, sizeof(*search));
    *search = (struct search){call, id, then};
    if (job != NULL || id >= hs_daemon_get_next_id(call->daemon)) {
        on_found(0, job, search);
    } else if (!hs_daemon_await(call->daemon, id, on_taken_in, search)) {
        hs_history_find(hs_daemon_get_history(call->daemon), id, on_found, search);
    }
}

static void reply_job(struct hs_api_call *call, const struct hs_job *job)
{
    int64_t now_at_s = hs_api_get_at_s(call);
    json_t *json = hs_cycle_format_job(call->cycle, job->id, now_at_s);

    hs_api_reply_thing(call, HTTP_OK, "Job",
                       json != NULL ? json : hs_cycle_format_over(call->cycle, job, now_at_s));
}

void hs_api_jobs_show(struct hs_api_call *call)
{
    with_job(call, reply_job);
}

static void reply_explanation(struct hs_api_call *call, const struct hs_job *job)
{
    int64_t now_at_s = hs_api_get_at_s(call);
    bool is_known = hs_cycle_get_job(call->cycle, job->id) != NULL;

    hs_api_reply_thing(call, HTTP_OK, "Explanation",
                       is_known ? hs_cycle_format_explain(call->cycle, job->id, now_at_s)
                                : hs_cycle_explain_over(call->cycle, job, now_at_s));
}

void hs_api_jobs_explain(struct hs_api_call *call)
{
    with_job(call, reply_explanation);
}

/* --- log --- */

static void on_log(int rc, const struct hs_err *err, const char *text, size_t n_bytes, void *arg)
{
    struct hs_api_call *call = arg;

    if (rc != 0) {
        hs_api_reply_error(call, rc, err != NULL ? err->where : NULL,
                           err != NULL ? err->text : hs_err_word(rc));
        return;
    }
    hs_api_reply_text(call, HTTP_OK, text, n_bytes);
}

static void reply_log(struct hs_api_call *call, const struct hs_job *job)
{
    struct hs_compute *compute = hs_daemon_find_compute(call->daemon, job->host);
    size_t n_max_bytes;

    if (!hs_api_read_count(call, "bytes", LOG_BYTES_DEFAULT, &n_max_bytes)) {
        return;
    }
    if (compute == NULL) {
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http),
                           "the job has not been on a host yet");
        return;
    }
    hs_compute_log(compute, job->id, n_max_bytes < LOG_BYTES_MAX ? n_max_bytes : LOG_BYTES_MAX,
                   on_log, call);
}

void hs_api_jobs_log(struct hs_api_call *call)
{
    with_job(call, reply_log);
}

/* --- cancel --- */

static void on_cancelled(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    struct hs_api_call *call = arg;
    const struct hs_job *job = hs_cycle_get_job(call->cycle, job_id);

    if (rc != 0 || job == NULL) {
        hs_api_reply_error(call, rc != 0 ? rc : -HS_E_INTERNAL, evhttp_request_get_uri(call->http),
                           rc != 0 ? err->text : "the job is gone");
        return;
    }
    reply_job(call, job);
}

static void cancel(struct hs_api_call *call, const struct hs_job *job)
{
    char text[96];

    if (hs_cycle_get_job(call->cycle, job->id) == NULL) { /* of the history */
        snprintf(text, sizeof(text), "job %" PRIu64 " is over: %s", job->id,
                 hs_job_state_word(job->state));
        hs_api_reply_error(call, -HS_E_CONFLICT, evhttp_request_get_uri(call->http), text);
        return;
    }
    hs_daemon_cancel(call->daemon, job->id, on_cancelled, call);
}

void hs_api_jobs_cancel(struct hs_api_call *call)
{
    with_job(call, cancel);
}
