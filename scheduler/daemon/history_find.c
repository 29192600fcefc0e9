/* SPDX-License-Identifier: Apache-2.0 */
/* history_find - jobs that are over, one or a page of them, or back into the cycle. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/history_priv.h"

#define PAGE_STEP 200 /* rows asked for at a time */

bool hs_history_parse_end(const char *text, uint64_t *ret_id, int64_t *ret_ended_at_s)
{
    json_auto_t *json = NULL;

    if (hs_jsonx_parse(HS_HISTORY_ENDS, text, strlen(text), &json, NULL) != 0) {
        return false;
    }
    *ret_id = (uint64_t)json_integer_value(json_object_get(json, "id"));
    *ret_ended_at_s = json_integer_value(json_object_get(json, "ended_at_s"));
    return *ret_id != 0;
}

/** The job in a row of HS_HISTORY_TABLE, or NULL. Owned by the caller. */
static struct hs_job *parse_job(const char *key, const char *text)
{
    json_auto_t *json = NULL;
    struct hs_job *job = NULL;
    struct hs_err err;

    if (hs_jsonx_parse(HS_HISTORY_TABLE, text, strlen(text), &json, &err) != 0
        || hs_job_parse(json, &job, &err) != 0) {
        HS_LOG_ERROR("store", "job '%s' of the history cannot be read: %s", key, err.text);
        return NULL;
    }
    return job;
}

/* --- one --- */

struct search {
    struct hs_job *job; /* owned */
    hs_history_found_fn *done;
    void *arg;
};

static void take_found(const char *key, const char *text, void *arg)
{
    struct search *search = arg;

    search->job = parse_job(key, text);
}

static void on_found(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct search *search = arg;
    HS_AUTO(hs_job) job = search->job;

    search->done(rc, job, search->arg);
}

void hs_history_find(struct hs_history *history, uint64_t job_id, hs_history_found_fn *done,
                     void *arg)
{
    struct search *search = hs_xcalloc(1, sizeof(*search));
    char key[HS_HISTORY_KEY_MAX];

    *search = (struct search){NULL, done, arg};
    snprintf(key, sizeof(key), "%" PRIu64, job_id);
    hs_store_get(history->options.store, HS_HISTORY_TABLE, key, take_found, on_found, search);
}

/* --- back into the cycle --- */

struct bringing {
    struct hs_history *history;
    size_t n_asked;
    hs_executor_fn *done;
    void *arg;
};

static void on_brought(int rc, const struct hs_job *job, void *arg)
{
    struct bringing *bringing = arg;
    struct hs_history *history = bringing->history;

    if (job != NULL && hs_cycle_get_job(history->options.cycle, job->id) == NULL) {
        struct hs_event event = {.kind = HS_EVENT_JOB, .job_id = job->id, .job = hs_job_dup(job)};

        hs_inbox_add(history->options.inbox, &event, HS_INBOX_SOON);
        HS_VEC_PUSH(&history->recent, job->id);
    }
    if (--bringing->n_asked == 0) {
        bringing->done(bringing->arg);
        free(bringing);
    }
}

void hs_history_bring(struct hs_history *history, const uint64_t *ids, size_t n,
                      hs_executor_fn *done, void *arg)
{
    struct bringing *bringing = hs_xcalloc(1, sizeof(*bringing));

    *bringing = (struct bringing){history, n, done, arg};
    for (size_t i = 0; i < n; i++) {
        hs_history_find(history, ids[i], on_brought, bringing);
    }
}

/* --- a page --- */

/** One row of a page on its way: its number, then its id, then the job. */
struct page_row {
    struct page *page;
    uint64_t number;
    uint64_t id;
    struct hs_job *job; /* owned */
};

struct page {
    struct hs_history *history;
    struct page_row *rows; /* [n] newest first */
    size_t n;
    size_t n_asked;
    int rc;
    struct hs_err err;
    uint64_t below; /* numbers from here on were looked at */
    size_t n_left;  /* rows still to be looked at */
    hs_history_row_fn *row;
    hs_store_done_fn *done;
    void *arg;
};

static void ask_step(struct page *page);

static void take_row_end(const char *key, const char *text, void *arg)
{
    struct page_row *row = arg;
    int64_t ended_at_s;

    if (!hs_history_parse_end(text, &row->id, &ended_at_s)) {
        row->id = 0;
    }
}

static void take_row_job(const char *key, const char *text, void *arg)
{
    struct page_row *row = arg;

    row->job = parse_job(key, text);
}

/** @return true if it was the last answer of this step */
static bool is_last(struct page *page, int rc, const struct hs_err *err)
{
    if (rc != 0 && page->rc == 0) {
        page->rc = rc;
        page->err = err != NULL ? *err : (struct hs_err){0};
    }
    return --page->n_asked == 0;
}

static void finish_page(struct page *page)
{
    page->done(page->rc, page->rc != 0 ? &page->err : NULL, page->arg);
    free(page->rows);
    free(page);
}

static void on_row_job(int rc, const struct hs_err *err, void *arg)
{
    struct page *page = ((struct page_row *)arg)->page;

    if (!is_last(page, rc, err)) {
        return;
    }
    for (size_t i = 0; i < page->n; i++) {
        HS_AUTO(hs_job) job = page->rows[i].job;

        if (job != NULL && page->rc == 0) {
            page->row(job, page->rows[i].number, page->arg);
        }
    }
    ask_step(page);
}

static void on_row_end(int rc, const struct hs_err *err, void *arg)
{
    struct page *page = ((struct page_row *)arg)->page;

    if (!is_last(page, rc, err)) {
        return;
    }
    page->n_asked = page->n;
    for (size_t i = 0; i < page->n; i++) {
        char key[HS_HISTORY_KEY_MAX];

        snprintf(key, sizeof(key), "%" PRIu64, page->rows[i].id); /* "0" is no job's */
        hs_store_get(page->history->options.store, HS_HISTORY_TABLE, key, take_row_job, on_row_job,
                     &page->rows[i]);
    }
}

static void ask_step(struct page *page)
{
    uint64_t n_below = page->below - page->history->first;
    size_t n = page->n_left < PAGE_STEP ? page->n_left : PAGE_STEP;

    n = page->below <= page->history->first ? 0 : n_below < n ? (size_t)n_below : n;
    if (n == 0 || page->rc != 0) {
        finish_page(page);
        return;
    }
    page->n = n;
    page->n_asked = n;
    page->n_left -= n;
    for (size_t i = 0; i < n; i++) {
        char key[HS_HISTORY_KEY_MAX];

        page->rows[i] = (struct page_row){.page = page, .number = --page->below};
        snprintf(key, sizeof(key), "%" PRIu64, page->below);
        hs_store_get(page->history->options.store, HS_HISTORY_ENDS, key, take_row_end, on_row_end,
                     &page->rows[i]);
    }
}

void hs_history_page(struct hs_history *history, const struct hs_history_span *span,
                     hs_history_row_fn *row, hs_store_done_fn *done, void *arg)
{
    struct page *page = hs_xcalloc(1, sizeof(*page));

    page->history = history;
    page->rows = hs_xcalloc(PAGE_STEP, sizeof(*page->rows));
    page->below = span->before != 0 && span->before < history->next ? span->before : history->next;
    page->n_left = span->n_max;
    page->row = row;
    page->done = done;
    page->arg = arg;
    if (page->n_left == 0 || page->below <= history->first) {
        page->n_left = 1; /* an answer never comes from inside: ask for one that is not there */
        page->below = history->first;
        page->rows[0] = (struct page_row){.page = page};
        page->n = 1;
        page->n_asked = 1;
        hs_store_get(history->options.store, HS_HISTORY_ENDS, "none", take_row_end, on_row_end,
                     &page->rows[0]);
        return;
    }
    ask_step(page);
}
