/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_list - GET /v1/jobs in pages: newest ids of the cycle first, then the history by its ends.
 *
 * A cursor is "123", jobs of the cycle with lower ids, or "e123", ends with lower numbers. What
 * happens between two pages may show a job twice or not at all, as a listing of anything that
 * lives.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX     2000
#define LOOKED_MAX   4000 /* rows of the history looked at for one answer, whatever they match */
#define CURSOR_MAX   24

/** A page on its way. */
struct listing {
    struct hs_api_call *call;
    size_t n_max;
    json_t *newest_first; /* owned */
    uint64_t end;         /* number of the last end that was looked at */
};

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

/** Can a job that is over be asked for at all? */
static bool wants_over(const struct hs_api_call *call)
{
    const char *state = hs_api_get_query(call, "state");

    return state == NULL || is_in_list(state, hs_job_state_word(HS_JOB_DONE))
           || is_in_list(state, hs_job_state_word(HS_JOB_FAILED))
           || is_in_list(state, hs_job_state_word(HS_JOB_CANCELLED));
}

static bool is_page_full(const struct listing *listing)
{
    return json_array_size(listing->newest_first) >= listing->n_max;
}

/** Answer with the page, oldest first. @param next  cursor, "" at the end */
static void reply_page(struct listing *listing, const char *next)
{
    json_t *fields = hs_jsonx_object();
    json_t *items = hs_jsonx_array();

    for (size_t i = json_array_size(listing->newest_first); i-- > 0;) {
        hs_jsonx_add(items, json_incref(json_array_get(listing->newest_first, i)));
    }
    hs_jsonx_set(fields, "items", items);
    hs_jsonx_set_text(fields, "next", next[0] != '\0' ? next : NULL);
    hs_api_reply_thing(listing->call, HTTP_OK, "JobList", fields);
    json_decref(listing->newest_first);
    free(listing);
}

/* --- the history --- */

static void on_row(const struct hs_job *job, uint64_t number, void *arg)
{
    struct listing *listing = arg;
    struct hs_api_call *call = listing->call;

    if (is_page_full(listing)) {
        return;
    }
    /* the newest ends are in the cycle as well, and were listed with it */
    if (is_wanted(call, job) && hs_cycle_get_job(call->cycle, job->id) == NULL) {
        hs_jsonx_add(listing->newest_first,
                     hs_cycle_format_over(call->cycle, job, hs_api_get_at_s(call)));
        if (is_page_full(listing)) {
            listing->end = number; /* what is behind it is for the next page */
        }
    }
}

static void on_page(int rc, const struct hs_err *err, void *arg)
{
    struct listing *listing = arg;
    struct hs_history *history = hs_daemon_get_history(listing->call->daemon);
    char next[CURSOR_MAX] = "";

    if (rc != 0) {
        hs_api_reply_error(listing->call, rc, "/v1/jobs",
                           err != NULL && err->text[0] != '\0' ? err->text : hs_err_word(rc));
        json_decref(listing->newest_first);
        free(listing);
        return;
    }
    if (listing->end > hs_history_get_first(history)) {
        snprintf(next, sizeof(next), "e%" PRIu64, listing->end);
    }
    reply_page(listing, next);
}

static void list_ends(struct listing *listing, uint64_t before)
{
    struct hs_history *history = hs_daemon_get_history(listing->call->daemon);
    size_t n_left = listing->n_max - json_array_size(listing->newest_first);
    bool has_filter = listing->call->has_query
                      && (hs_api_get_query(listing->call, "state") != NULL
                          || hs_api_get_query(listing->call, "team") != NULL
                          || hs_api_get_query(listing->call, "site") != NULL);
    struct hs_history_span span = {
        .before = before,
        /* without a filter few rows are looked at in vain: those that the cycle knows still */
        .n_max = has_filter ? LOOKED_MAX : n_left + HS_HISTORY_RECENT,
    };
    uint64_t from = before != 0 && before < hs_history_get_next(history)
                        ? before
                        : hs_history_get_next(history);

    listing->end = from > span.n_max ? from - span.n_max : 0;
    hs_history_page(history, &span, on_row, on_page, listing);
}

/* --- the cycle --- */

/** @return id of the oldest that was taken where the page is full, else 0 */
static uint64_t list_known(struct listing *listing, uint64_t before_id)
{
    const struct hs_cycle *cycle = listing->call->cycle;

    for (size_t i = hs_cycle_get_n_jobs(cycle); i-- > 0;) {
        const struct hs_job *job = hs_cycle_get_job_at(cycle, i);

        if ((before_id == 0 || job->id < before_id) && is_wanted(listing->call, job)) {
            hs_jsonx_add(listing->newest_first,
                         hs_cycle_format_job(cycle, job->id, hs_api_get_at_s(listing->call)));
            if (is_page_full(listing)) {
                return job->id;
            }
        }
    }
    return 0;
}

/** @return false after answering that it is none */
static bool read_cursor(struct hs_api_call *call, bool *ret_is_end, uint64_t *ret_before)
{
    const char *text = hs_api_get_query(call, "before");
    char *end = NULL;

    *ret_is_end = text != NULL && text[0] == 'e';
    *ret_before = 0;
    if (text == NULL) {
        return true;
    }
    text += *ret_is_end;
    *ret_before = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        hs_api_reply_error(call, -HS_E_INVALID, "before",
                           "must be a job's id, or the `next` of an earlier answer");
        return false;
    }
    return true;
}

void hs_api_list_apply(struct hs_api_call *call)
{
    struct listing *listing;
    char next[CURSOR_MAX] = "";
    bool is_end;
    uint64_t before;
    uint64_t last_id = 0;
    size_t n_max;

    if (!check_states(call, hs_api_get_query(call, "state"))
        || !hs_api_read_count(call, "limit", PAGE_DEFAULT, &n_max)
        || !read_cursor(call, &is_end, &before)) {
        return;
    }
    listing = hs_xcalloc(1, sizeof(*listing));
    listing->call = call;
    listing->n_max = n_max < PAGE_MAX ? n_max : PAGE_MAX;
    listing->newest_first = hs_jsonx_array();
    if (listing->n_max == 0) {
        reply_page(listing, "");
        return;
    }
    if (!is_end) {
        last_id = list_known(listing, before);
        before = 0;
    }
    if (last_id != 0) {
        snprintf(next, sizeof(next), "%" PRIu64, last_id);
        reply_page(listing, next);
    } else if (wants_over(call)) {
        list_ends(listing, before);
    } else {
        reply_page(listing, "");
    }
}
