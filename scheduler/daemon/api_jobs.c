/* SPDX-License-Identifier: Apache-2.0 */
/* api_jobs - submit, list, show, explain, log, cancel. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

#define LOG_BYTES_DEFAULT ((size_t)64 << 10)
#define LOG_BYTES_MAX     ((size_t)4 << 20)
#define CANNOT_MEET_MAX   192
#define HTTP_CREATED      201

/* --- submit --- */

static void reply_report(struct hs_api_call *call, const struct hs_conf_report *report)
{
    HS_AUTO_MEM char *text = hs_conf_report_format(report);
    size_t n = strlen(text);

    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }
    hs_api_reply_error(call, -HS_E_INVALID, "/v1/jobs", text);
}

/** An image that no host could boot is refused now, not when the job's hour has come. */
static int check_image(const struct hs_api_call *call, const struct hs_job *job, struct hs_err *err)
{
    const struct hs_config *config = hs_daemon_get_config(call->daemon);
    HS_AUTO_MEM const char **names = hs_xcalloc(config->n_images + 1, sizeof(*names));

    /* without a list of images only simulated hosts can run anything, and they boot nothing */
    if (job->image[0] == '\0' || config->n_images == 0) {
        return 0;
    }
    for (size_t i = 0; i < config->n_images; i++) {
        names[i] = config->images[i].name;
        if (strcmp(names[i], job->image) == 0) {
            return 0;
        }
    }
    const char *nearest = hs_conf_nearest(names, job->image);

    return hs_err_set(err, HS_E_INVALID, "/image", "no image '%s'; %s '%s'", job->image,
                      nearest != NULL ? "did you mean" : "the first of those known is",
                      nearest != NULL ? nearest : names[0]);
}

/** The job in the body, filled with its class's defaults; NULL after answering what is wrong. */
static struct hs_job *read_job(struct hs_api_call *call, char *ret_cannot_meet)
{
    json_auto_t *json = NULL;
    HS_AUTO(hs_job) job = NULL;
    struct hs_conf_report report = {.text = call->body};
    struct hs_err err;
    int rc;

    rc = hs_jsonx_parse("body", call->body, call->n_body_bytes, &json, &err);
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return NULL;
    }
    if (hs_job_parse_request(json, hs_api_get_at_s(call), &report, &job) != 0) {
        reply_report(call, &report);
        hs_conf_report_fini(&report);
        return NULL;
    }
    rc = check_image(call, job, &err);
    rc = rc != 0
             ? rc
             : hs_cycle_check_job(call->cycle, job, hs_api_get_at_s(call), ret_cannot_meet, &err);
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return NULL;
    }
    return HS_STEAL(job);
}

/** Answer a submit, real or dry. @param json  the Job with its explanation; taken */
static void reply_submit(struct hs_api_call *call, int status, json_t *json,
                         const char *cannot_meet)
{
    if (cannot_meet[0] != '\0' && !json_is_string(json_object_get(json, "cannot_meet"))) {
        hs_jsonx_set_text(json, "cannot_meet", cannot_meet);
    }
    hs_api_reply_thing(call, status, "Job", json);
}

struct submit {
    struct hs_api_call *call;
    char cannot_meet[CANNOT_MEET_MAX];
};

static void on_submitted(int rc, const struct hs_err *err, uint64_t job_id, void *arg)
{
    HS_AUTO_MEM struct submit *submit = arg;
    struct hs_api_call *call = submit->call;
    int64_t now_at_s;
    json_t *json;

    if (rc != 0) {
        hs_api_reply_error(call, rc, "/v1/jobs", err->text);
        return;
    }
    now_at_s = hs_api_get_at_s(call);
    json = hs_cycle_format_job(call->cycle, job_id, now_at_s);
    if (json == NULL) { /* durable, but the daemon ended before it was planned */
        hs_api_reply_error(call, -HS_E_UNAVAILABLE, "/v1/jobs", "the daemon is stopping");
        return;
    }
    hs_jsonx_set(json, "explanation", hs_cycle_format_explain_brief(call->cycle, job_id, now_at_s));
    reply_submit(call, HTTP_CREATED, json, submit->cannot_meet);
}

static bool is_true(const char *text)
{
    return text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

void hs_api_jobs_submit(struct hs_api_call *call)
{
    struct submit *submit;
    char cannot_meet[CANNOT_MEET_MAX] = "";
    HS_AUTO(hs_job) job = read_job(call, cannot_meet);

    if (job == NULL) {
        return;
    }
    if (is_true(hs_api_get_query(call, "dry_run"))) {
        reply_submit(call, HTTP_OK, hs_cycle_format_trial(call->cycle, job, hs_api_get_at_s(call)),
                     cannot_meet);
        return;
    }
    if (!hs_daemon_is_store_up(call->daemon)) {
        hs_api_reply_error(call, -HS_E_UNAVAILABLE, "/v1/jobs",
                           "the store is down, the job was not taken, try again later");
        return;
    }
    submit = hs_xcalloc(1, sizeof(*submit));
    submit->call = call;
    snprintf(submit->cannot_meet, sizeof(submit->cannot_meet), "%s", cannot_meet);
    hs_daemon_submit(call->daemon, HS_STEAL(job), on_submitted, submit);
}

/* --- list and show --- */

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
