/* SPDX-License-Identifier: Apache-2.0 */
/* api_jobs - list, show, explain, log, cancel. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

#define LOG_BYTES_DEFAULT ((size_t)64 << 10)
#define LOG_BYTES_MAX     ((size_t)4 << 20)

/* --- list and show --- */

bool hs_api_is_true(const char *text)
{
    return text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

/** True if @word is one of the comma-separated @list. */
static bool is_in_list(const char *list, const char *word)
{
    size_t n_word = strlen(word);

    while (*list != '\0') {
        size_t n = strcspn(list, ",");

        if (n == n_word && strncmp(list, word, n) == 0) {
            return true;
        }
        list += n + (list[n] == ',' ? 1 : 0);
    }
    return false;
}

static bool is_wanted(const struct hs_api_call *call, const struct hs_job *job)
{
    const char *state = hs_api_get_query(call, "state");
    const char *team = hs_api_get_query(call, "team");
    const char *site = hs_api_get_query(call, "site");

    if (state != NULL && !is_in_list(state, hs_job_state_word(job->state))) {
        return false;
    }
    if (team != NULL && strcmp(team, job->team) != 0) {
        return false;
    }
    return site == NULL
           || (strncmp(job->host, site, strlen(site)) == 0 && job->host[strlen(site)] == '/');
}

/** Every word of @list must be a state. */
static bool check_states(struct hs_api_call *call, const char *list)
{
    while (list != NULL && *list != '\0') {
        HS_AUTO_MEM char *word = strndup(list, strcspn(list, ","));
        bool is_known = false;

        for (int state = 0; word != NULL && state < HS_JOB_STATE_COUNT_; state++) {
            is_known = is_known || strcmp(word, hs_job_state_word((enum hs_job_state)state)) == 0;
        }
        if (!is_known) {
            hs_api_reply_error(call, -HS_E_INVALID, "state",
                               "no such state, use words such as "
                               "waiting, running, done");
            return false;
        }
        list += strcspn(list, ",");
        list += *list == ',' ? 1 : 0;
    }
    return true;
}

/** @return false after answering that it is no number. */
static bool read_count(struct hs_api_call *call, const char *name, size_t fallback,
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

void hs_api_jobs_list(struct hs_api_call *call)
{
    json_auto_t *newest_first = NULL;
    json_t *items;
    size_t n_max;

    if (!check_states(call, hs_api_get_query(call, "state"))
        || !read_count(call, "limit", SIZE_MAX, &n_max)) {
        return;
    }
    newest_first = hs_jsonx_array();
    for (size_t i = hs_cycle_get_n_jobs(call->cycle);
         i-- > 0 && json_array_size(newest_first) < n_max;) {
        const struct hs_job *job = hs_cycle_get_job_at(call->cycle, i);

        if (is_wanted(call, job)) {
            hs_jsonx_add(newest_first,
                         hs_cycle_format_job(call->cycle, job->id, hs_api_get_at_s(call)));
        }
    }
    items = hs_jsonx_array();
    for (size_t i = json_array_size(newest_first); i-- > 0;) {
        hs_jsonx_add(items, json_incref(json_array_get(newest_first, i)));
    }
    hs_api_reply_list(call, "JobList", items);
}

static void reply_job(struct hs_api_call *call, uint64_t job_id)
{
    json_t *json = hs_cycle_format_job(call->cycle, job_id, hs_api_get_at_s(call));

    if (json == NULL) {
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http), "no such job");
        return;
    }
    hs_api_reply_thing(call, HTTP_OK, "Job", json);
}

/** The job named in the path, or NULL after answering that there is none. */
static const struct hs_job *find_job(struct hs_api_call *call)
{
    uint64_t id = hs_api_parse_id(call);
    const struct hs_job *job = id != 0 ? hs_cycle_get_job(call->cycle, id) : NULL;
    char text[64];

    if (id != 0 && job == NULL) {
        snprintf(text, sizeof(text), "no job %" PRIu64, id);
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http), text);
    }
    return job;
}

void hs_api_jobs_show(struct hs_api_call *call)
{
    const struct hs_job *job = find_job(call);

    if (job != NULL) {
        reply_job(call, job->id);
    }
}

void hs_api_jobs_explain(struct hs_api_call *call)
{
    const struct hs_job *job = find_job(call);
    json_t *json =
        job != NULL ? hs_cycle_format_explain(call->cycle, job->id, hs_api_get_at_s(call)) : NULL;

    if (json != NULL) {
        hs_api_reply_thing(call, HTTP_OK, "Explanation", json);
    } else if (job != NULL) {
        hs_api_reply_error(call, -HS_E_INTERNAL, NULL, "the job cannot be explained");
    }
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

void hs_api_jobs_log(struct hs_api_call *call)
{
    const struct hs_job *job = find_job(call);
    struct hs_compute *compute;
    size_t n_max_bytes;

    if (job == NULL || !read_count(call, "bytes", LOG_BYTES_DEFAULT, &n_max_bytes)) {
        return;
    }
    compute = hs_daemon_find_compute(call->daemon, job->host);
    if (compute == NULL) {
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http),
                           "the job has not been on a host yet");
        return;
    }
    hs_compute_log(compute, job->id, n_max_bytes < LOG_BYTES_MAX ? n_max_bytes : LOG_BYTES_MAX,
                   on_log, call);
}

/* --- cancel --- */

static void on_cancelled(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    struct hs_api_call *call = arg;

    if (rc != 0) {
        hs_api_reply_error(call, rc, evhttp_request_get_uri(call->http), err->text);
        return;
    }
    reply_job(call, job_id);
}

void hs_api_jobs_cancel(struct hs_api_call *call)
{
    uint64_t id = hs_api_parse_id(call);

    if (id != 0) {
        hs_daemon_cancel(call->daemon, id, on_cancelled, call);
    }
}
