/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define KEY_MAX 24

typedef HS_VEC(struct hs_intake_request *) requests;

struct hs_intake {
    struct hs_store *store;
    uint64_t next_id;
    requests waiting;
    requests flying; /* in the commit that is on its way */
    bool is_closing;
};

/** The operations of one commit, and the texts they point at. */
struct letter {
    struct hs_store_op *ops; /* [n] */
    char (*keys)[KEY_MAX];   /* [n] */
    char **texts;            /* [n] owned, NULL where another owns it */
    size_t n;
};

static void letter_init(struct letter *letter, size_t n_max)
{
    *letter = (struct letter){.ops = hs_xcalloc(n_max, sizeof(*letter->ops)),
                              .keys = hs_xcalloc(n_max, sizeof(*letter->keys)),
                              .texts = hs_xcalloc(n_max, sizeof(*letter->texts))};
}

static void letter_fini(struct letter *letter)
{
    for (size_t i = 0; i < letter->n; i++) {
        free(letter->texts[i]);
    }
    free(letter->texts);
    free(letter->keys);
    free(letter->ops);
}

static void add_job(struct letter *letter, const struct hs_job *job)
{
    json_auto_t *json = hs_job_format(job);
    size_t i = letter->n++;

    letter->texts[i] = hs_jsonx_format(json);
    snprintf(letter->keys[i], KEY_MAX, "%" PRIu64, job->id);
    letter->ops[i] = (struct hs_store_op){HS_STORE_PUT, "jobs", letter->keys[i], letter->texts[i]};
}

static void add_request(struct letter *letter, const struct hs_intake_request *request)
{
    for (size_t i = 0; i < request->jobs.n; i++) {
        add_job(letter, request->jobs.items[i]);
    }
    if (request->repeat_text != NULL) {
        letter->ops[letter->n++] = (struct hs_store_op){HS_STORE_PUT, "repeats",
                                                        request->repeat_key, request->repeat_text};
    }
}

static void flush(struct hs_intake *intake);

static void on_commit(int rc, const struct hs_err *err, void *arg)
{
    struct hs_intake *intake = arg;
    requests landed = intake->flying;

    intake->flying = (requests){0};
    for (size_t i = 0; i < landed.n; i++) {
        landed.items[i]->done(rc, err, landed.items[i], landed.items[i]->arg);
    }
    HS_VEC_FINI(&landed);
    flush(intake);
}

/** As many waiting requests as one commit bears, and at least one. */
static size_t move_to_flying(struct hs_intake *intake)
{
    size_t n_jobs = 0;
    size_t n = 0;

    while (n < intake->waiting.n
           && (n == 0 || n_jobs + intake->waiting.items[n]->jobs.n <= HS_INTAKE_JOBS_MAX)) {
        n_jobs += intake->waiting.items[n]->jobs.n;
        HS_VEC_PUSH(&intake->flying, intake->waiting.items[n]);
        n++;
    }
    for (size_t i = n; i < intake->waiting.n; i++) {
        intake->waiting.items[i - n] = intake->waiting.items[i];
    }
    intake->waiting.n -= n;
    return n_jobs;
}

static void flush(struct hs_intake *intake)
{
    struct letter letter;
    size_t n_jobs;

    if (intake->waiting.n == 0 || intake->flying.n > 0 || intake->is_closing) {
        return;
    }
    n_jobs = move_to_flying(intake);
    letter_init(&letter, n_jobs + intake->flying.n + 1);
    for (size_t i = 0; i < intake->flying.n; i++) {
        add_request(&letter, intake->flying.items[i]);
    }
    snprintf(letter.keys[letter.n], KEY_MAX, "%" PRIu64, intake->next_id);
    letter.ops[letter.n] =
        (struct hs_store_op){HS_STORE_PUT, "meta", "next_id", letter.keys[letter.n]};
    letter.n++;
    hs_store_commit(intake->store, letter.ops, letter.n, on_commit, intake);
    letter_fini(&letter);
}

void hs_intake_add(struct hs_intake *intake, struct hs_intake_request *request, uint64_t next_id)
{
    HS_VEC_PUSH(&intake->waiting, request);
    intake->next_id = next_id;
    flush(intake);
}

/* --- life --- */

struct hs_intake *hs_intake_new(struct hs_store *store)
{
    struct hs_intake *intake = hs_xcalloc(1, sizeof(*intake));

    intake->store = store;
    return intake;
}

void hs_intake_request_free(struct hs_intake_request *request)
{
    if (request != NULL) {
        for (size_t i = 0; i < request->jobs.n; i++) {
            hs_job_free(request->jobs.items[i]);
        }
        HS_VEC_FINI(&request->jobs);
        free(request->repeat_text);
        free(request);
    }
}

void hs_intake_stop(struct hs_intake *intake)
{
    if (intake != NULL) {
        intake->is_closing = true;
    }
}

void hs_intake_free(struct hs_intake *intake)
{
    struct hs_err err;
    int rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the daemon is stopping");

    if (intake == NULL) {
        return;
    }
    intake->is_closing = true;
    for (size_t i = 0; i < intake->waiting.n; i++) {
        intake->waiting.items[i]->done(rc, &err, intake->waiting.items[i],
                                       intake->waiting.items[i]->arg);
    }
    HS_VEC_FINI(&intake->waiting);
    HS_VEC_FINI(&intake->flying);
    free(intake);
}
