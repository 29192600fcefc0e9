/* SPDX-License-Identifier: Apache-2.0 */
/* revive - jobs as the store remembers them, back into the daemon before its first tick. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/daemon_priv.h"
#include "scheduler/daemon/writelist.h"

#define MOVED_MAX 500 /* jobs in one commit */

typedef HS_VEC(uint64_t) id_list;

/* --- jobs that were over before there was a history --- */

static void write_op(void *arg, const struct hs_store_op *op)
{
    hs_writelist_add(arg, op);
}

static void on_moved(int rc, const struct hs_err *err, void *arg)
{
    if (rc != 0) { /* they are where they were: the next life tries again */
        HS_LOG_WARN("store", "jobs that are over could not be moved: %s",
                    err != NULL ? err->text : hs_err_word(rc));
    }
}

static void send(struct hs_daemon *daemon, hs_writelist *writes)
{
    HS_AUTO_MEM struct hs_store_op *ops = hs_writelist_get_ops(writes);

    if (writes->n > 0) {
        hs_store_commit(daemon->store, ops, writes->n, on_moved, NULL);
    }
    hs_writelist_fini(writes);
}

/** An older hschedd left them among the others; they are counted and moved. */
static void move_over(struct hs_daemon *daemon, hs_recall_jobs *jobs)
{
    hs_writelist writes = {0};
    size_t n_left = 0;
    size_t n_moved = 0;

    for (size_t i = 0; i < jobs->n; i++) {
        struct hs_job *job = jobs->items[i];

        if (!hs_job_is_over(job)) {
            jobs->items[n_left++] = job;
            continue;
        }
        hs_cycle_count_over(daemon->cycle, job);
        hs_history_move(daemon->history, job, write_op, &writes);
        hs_daemon_note_end(daemon, job);
        hs_job_free(job);
        if (++n_moved % MOVED_MAX == 0) {
            send(daemon, &writes);
        }
    }
    jobs->n = n_left;
    send(daemon, &writes);
    if (n_moved > 0) {
        HS_LOG_INFO("daemon", "%zu jobs that are over move into the history", n_moved);
    }
}

/* --- jobs that others follow --- */

static int compare_ids(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

static int compare_id_with_job(const void *id, const void *job)
{
    return compare_ids(id, &(*(struct hs_job *const *)job)->id);
}

/** Ids that are followed and not among @jobs, which are sorted; each once. */
static void find_followed(const hs_recall_jobs *jobs, id_list *ret_ids)
{
    size_t n = 0;

    for (size_t i = 0; i < jobs->n; i++) {
        for (size_t k = 0; k < jobs->items[i]->n_after; k++) {
            struct hs_job_after after;

            if (hs_job_parse_after(jobs->items[i]->after[k], &after, NULL) == 0 && after.job_id != 0
                && bsearch(&after.job_id, jobs->items, jobs->n, sizeof(*jobs->items),
                           compare_id_with_job)
                       == NULL) {
                HS_VEC_PUSH(ret_ids, after.job_id);
            }
        }
    }
    if (ret_ids->n > 0) {
        qsort(ret_ids->items, ret_ids->n, sizeof(*ret_ids->items), compare_ids);
    }
    for (size_t i = 0; i < ret_ids->n; i++) {
        if (i == 0 || ret_ids->items[i] != ret_ids->items[i - 1]) {
            ret_ids->items[n++] = ret_ids->items[i];
        }
    }
    ret_ids->n = n;
}

/* --- all of them --- */

static int compare_jobs(const void *a, const void *b)
{
    return compare_ids(&(*(struct hs_job *const *)a)->id, &(*(struct hs_job *const *)b)->id);
}

static void add_jobs(struct hs_daemon *daemon, hs_recall_jobs *jobs)
{
    for (size_t i = 0; i < jobs->n; i++) {
        struct hs_event event = {.kind = HS_EVENT_JOB, .job_id = jobs->items[i]->id};

        event.job = HS_STEAL(jobs->items[i]);
        hs_inbox_add(&daemon->inbox, &event, HS_INBOX_LATER);
    }
    jobs->n = 0;
}

static void restore_rows(struct hs_daemon *daemon, const struct hs_recall_memory *memory)
{
    struct hs_err err;

    for (size_t i = 0; i < memory->repeats.n; i++) {
        if (hs_repeat_restore(daemon->repeat, memory->repeats.items[i].text, &err) != 0) {
            HS_LOG_WARN("store", "%s: %s", err.where, err.text);
        }
    }
    for (size_t i = 0; i < memory->files.n; i++) {
        const struct hs_recall_row *row = &memory->files.items[i];

        if (hs_sweep_restore(daemon->sweep, row->key, row->text, &err) != 0) {
            HS_LOG_WARN("store", "%s: %s", err.where, err.text);
        }
    }
    for (size_t i = 0; i < memory->fences.n; i++) {
        hs_fences_restore(daemon->fences, memory->fences.items[i].key,
                          memory->fences.items[i].text);
    }
    if (memory->tally != NULL) {
        hs_cycle_restore_tally(daemon->cycle, memory->tally);
    }
}

void hs_daemon_revive(struct hs_daemon *daemon, struct hs_recall_memory *memory,
                      hs_executor_fn *done)
{
    id_list followed = {0};

    restore_rows(daemon, memory);
    if (memory->jobs.n > 0) {
        qsort(memory->jobs.items, memory->jobs.n, sizeof(*memory->jobs.items), compare_jobs);
    }
    move_over(daemon, &memory->jobs);
    find_followed(&memory->jobs, &followed);
    HS_LOG_INFO("daemon",
                "epoch %" PRIu64 " begins with %zu jobs and %zu open intents, %" PRIu64
                " jobs in the history",
                daemon->epoch, memory->jobs.n, memory->intents.n,
                hs_history_get_next(daemon->history) - hs_history_get_first(daemon->history));
    add_jobs(daemon, &memory->jobs);
    for (size_t i = 0; i < memory->intents.n; i++) {
        hs_enact_adopt(daemon->enact, &memory->intents.items[i]);
    }
    if (followed.n > 0) {
        hs_history_bring(daemon->history, followed.items, followed.n, done, daemon);
    } else {
        done(daemon);
    }
    HS_VEC_FINI(&followed);
}
