/* SPDX-License-Identifier: Apache-2.0 */
/* recall - table after table in pages, see steps; what fails begins anew. */
#include "scheduler/daemon/recall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/fences.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/learned.h"
#include "scheduler/daemon/repeat.h"
#include "scheduler/daemon/restore.h"
#include "scheduler/daemon/upkeep.h"

#define RETRY_S 0.5
#define IDS_SKIPPED \
    UINT64_C(1000000000) /* jobs go on at a multiple of it if their count was lost */

struct hs_recall {
    struct hs_executor *executor;
    struct hs_store *store;
    hs_recall_done_fn *done;
    void *arg;
    struct hs_timer *retry;
    struct hs_recall_memory *memory;
    size_t step;        /* of steps */
    size_t n_rows;      /* jobs read so far */
    uint64_t end_first; /* lowest and highest number of an end, 0: none */
    uint64_t end_last;
    bool has_next_id;
    bool is_asking;    /* a store call is out */
    bool is_abandoned; /* freed while it was */
    bool has_warned;
    bool is_half_restored;
};

static void begin(void *arg);
static void ask_table(struct hs_recall *recall);

static void take_intent(const char *key, const char *text, void *arg)
{
    struct hs_recall *recall = arg;
    struct hs_intent intent;
    struct hs_err err;

    if (hs_intent_parse(key, text, &intent, &err) != 0) {
        HS_LOG_WARN("store", "intent '%s' cannot be read and is left alone: %s", key, err.text);
        return;
    }
    HS_VEC_PUSH(&recall->memory->intents, intent);
}

/* --- the chain --- */

static void again_later(struct hs_recall *recall, const struct hs_err *err)
{
    if (!recall->has_warned) {
        HS_LOG_WARN("store", "cannot be read yet: %s", err != NULL ? err->text : "not connected");
        recall->has_warned = true;
    }
    hs_recall_memory_free(recall->memory);
    recall->memory = NULL;
    recall->n_rows = 0;
    hs_executor_timer_set(recall->executor, recall->retry, RETRY_S);
}

/** True if the answer can be used; else it is dealt with. */
static bool goes_on(struct hs_recall *recall, int rc, const struct hs_err *err)
{
    recall->is_asking = false;
    if (recall->is_abandoned) {
        hs_recall_free(recall);
        return false;
    }
    if (rc == -HS_E_UNSUPPORTED) {
        recall->done(NULL, err, recall->arg);
    } else if (rc != 0) {
        again_later(recall, err);
    }
    return rc == 0;
}

static void raise_next_id(struct hs_recall *recall, uint64_t next_id)
{
    if (next_id > recall->memory->next_id) {
        recall->memory->next_id = next_id;
    }
}

static void take_job(const char *key, const char *text, void *arg)
{
    struct hs_recall *recall = arg;
    json_auto_t *json = NULL;
    struct hs_job *job = NULL;
    struct hs_err err;

    recall->n_rows++;
    if (hs_jsonx_parse("jobs", text, strlen(text), &json, &err) != 0
        || hs_job_parse(json, &job, &err) != 0) {
        HS_LOG_ERROR("store", "job '%s' cannot be read and is left alone: %s", key, err.text);
        return;
    }
    HS_VEC_PUSH(&recall->memory->jobs, job);
    raise_next_id(recall, job->id + 1);
}

static void take_meta(const char *key, const char *text, void *arg)
{
    struct hs_recall_memory *memory = ((struct hs_recall *)arg)->memory;

    if (strcmp(key, "next_id") == 0) {
        raise_next_id(arg, strtoull(text, NULL, 10));
        ((struct hs_recall *)arg)->has_next_id = true;
    } else if (strcmp(key, "ends_first") == 0) {
        memory->ends_first = strtoull(text, NULL, 10);
    } else if (strcmp(key, "ends_next") == 0) {
        memory->ends_next = strtoull(text, NULL, 10);
    } else if (strcmp(key, "tally") == 0) {
        json_decref(HS_STEAL(memory->tally));
        (void)hs_jsonx_parse("meta", text, strlen(text), &memory->tally, NULL);
    } else if (strcmp(key, "clock") == 0) {
        (void)hs_planclock_parse(text, &memory->clock);
    } else if (strcmp(key, HS_RESTORE_MARK) == 0) {
        ((struct hs_recall *)arg)->is_half_restored = true;
    }
}

static void keep_row(hs_recall_rows *rows, const char *key, const char *text)
{
    struct hs_recall_row row = {hs_xstrdup(key), hs_xstrdup(text)};

    HS_VEC_PUSH(rows, row);
}

static void take_maintenance(const char *key, const char *text, void *arg)
{
    keep_row(&((struct hs_recall *)arg)->memory->maintenance, key, text);
}

static void take_learned(const char *key, const char *text, void *arg)
{
    keep_row(&((struct hs_recall *)arg)->memory->learned, key, text);
}

static void take_files(const char *key, const char *text, void *arg)
{
    keep_row(&((struct hs_recall *)arg)->memory->files, key, text);
}

static void take_repeat(const char *key, const char *text, void *arg)
{
    keep_row(&((struct hs_recall *)arg)->memory->repeats, key, text);
}

static void take_fence(const char *key, const char *text, void *arg)
{
    keep_row(&((struct hs_recall *)arg)->memory->fences, key, text);
}

/* --- counts that are lost --- */

static void count_end(struct hs_recall *recall, uint64_t number)
{
    if (recall->end_first == 0 || number < recall->end_first) {
        recall->end_first = number;
    }
    if (number > recall->end_last) {
        recall->end_last = number;
    }
}

static void take_end(const char *key, const char *text, void *arg)
{
    struct hs_recall *recall = arg;
    uint64_t id = 0;
    int64_t ended_at_s;

    count_end(recall, strtoull(key, NULL, 10));
    if (hs_history_parse_end(text, &id, &ended_at_s)) {
        raise_next_id(recall, id + 1);
    }
}

static bool is_damaged(const struct hs_recall *recall, const char *table, const char *key)
{
    size_t n;
    const struct hs_store_damage *damages = hs_store_get_damages(recall->store, &n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(damages[i].table, table) == 0 && strcmp(damages[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/** A store that is new, or where the counts are not to be read: then all ends are looked at. */
static bool must_count_ends(const struct hs_recall *recall)
{
    return !recall->has_next_id || recall->memory->ends_next == 0
           || is_damaged(recall, "meta", "ends_first");
}

/** Numbers of records that cannot be read are taken all the same. */
static void heed_damages(struct hs_recall *recall)
{
    size_t n;
    const struct hs_store_damage *damages = hs_store_get_damages(recall->store, &n);

    for (size_t i = 0; i < n; i++) {
        uint64_t number = strtoull(damages[i].key, NULL, 10);

        if (strcmp(damages[i].table, "jobs") == 0) {
            raise_next_id(recall, number + 1);
        } else if (strcmp(damages[i].table, HS_HISTORY_ENDS) == 0) {
            count_end(recall, number);
        }
    }
}

/** Nothing is lost with a count: no number is given twice, and every end is found again. */
static void mend_counts(struct hs_recall *recall)
{
    struct hs_recall_memory *memory = recall->memory;

    heed_damages(recall);
    if (is_damaged(recall, "meta", "next_id")) {
        memory->next_id = (memory->next_id / IDS_SKIPPED + 1) * IDS_SKIPPED;
        HS_LOG_WARN("store", "the number of the next job is lost: jobs go on at %" PRIu64,
                    memory->next_id);
    }
    if (memory->ends_first == 0) {
        memory->ends_first = recall->end_first;
    }
    if (memory->ends_next == 0 && recall->end_last > 0) {
        memory->ends_next = recall->end_last + 1;
        HS_LOG_WARN("store", "the number of the next end is lost: ends go on at %" PRIu64,
                    memory->ends_next);
    }
}

/* --- tables --- */

/** What is read, in this order. */
static const struct {
    const char *table;
    hs_store_row_fn *take;
} steps[] = {
    {"meta", take_meta},
    {HS_HISTORY_ENDS, take_end}, /* unless the counts in meta are there */
    {"jobs", take_job},
    {HS_INTENT_TABLE, take_intent},
    {HS_UPKEEP_TABLE, take_maintenance},
    {HS_LEARNED_TABLE, take_learned},
    {HS_REPEAT_TABLE, take_repeat},
    {HS_FENCES_TABLE, take_fence},
    {HS_HISTORY_FILES, take_files},
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static void on_table(int rc, const struct hs_err *err, void *arg)
{
    struct hs_recall *recall = arg;

    if (!goes_on(recall, rc, err)) {
        return;
    }
    recall->step++;
    if (recall->step < N_STEPS && steps[recall->step].take == take_end
        && !must_count_ends(recall)) {
        recall->step++;
    }
    if (recall->is_half_restored) {
        struct hs_err broken;

        hs_err_set(&broken, HS_E_CONFLICT, "store",
                   "a restore was broken off or is under way: let it end, or run hschedd --restore "
                   "again");
        recall->done(NULL, &broken, recall->arg);
    } else if (recall->step < N_STEPS) {
        ask_table(recall);
    } else {
        mend_counts(recall);
        recall->done(HS_STEAL(recall->memory), NULL, recall->arg);
    }
}

static void ask_table(struct hs_recall *recall)
{
    recall->is_asking = true;
    hs_store_scan(recall->store, steps[recall->step].table, steps[recall->step].take, on_table,
                  recall);
}

static void begin(void *arg)
{
    struct hs_recall *recall = arg;

    recall->memory = hs_xcalloc(1, sizeof(*recall->memory));
    recall->memory->next_id = 1;
    recall->end_first = 0;
    recall->end_last = 0;
    recall->has_next_id = false;
    recall->step = 0;
    ask_table(recall);
}

size_t hs_recall_get_n_rows(const struct hs_recall *recall)
{
    return recall->n_rows;
}

struct hs_recall *hs_recall_new(struct hs_executor *executor, struct hs_store *store,
                                hs_recall_done_fn *done, void *arg)
{
    struct hs_recall *recall = hs_xcalloc(1, sizeof(*recall));

    recall->executor = executor;
    recall->store = store;
    recall->done = done;
    recall->arg = arg;
    recall->retry = hs_executor_timer_add(executor, 0, begin, recall);
    return recall;
}

void hs_recall_free(struct hs_recall *recall)
{
    if (recall == NULL) {
        return;
    }
    if (recall->retry != NULL) {
        hs_executor_timer_remove(recall->executor, recall->retry);
        recall->retry = NULL;
    }
    if (recall->is_asking) {
        recall->is_abandoned = true; /* the store's answer releases it */
        return;
    }
    hs_recall_memory_free(recall->memory);
    free(recall);
}

static void rows_fini(hs_recall_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        free(rows->items[i].key);
        free(rows->items[i].text);
    }
    HS_VEC_FINI(rows);
}

void hs_recall_memory_free(struct hs_recall_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    for (size_t i = 0; i < memory->jobs.n; i++) {
        hs_job_free(memory->jobs.items[i]);
    }
    HS_VEC_FINI(&memory->jobs);
    HS_VEC_FINI(&memory->intents);
    rows_fini(&memory->maintenance);
    rows_fini(&memory->learned);
    rows_fini(&memory->repeats);
    rows_fini(&memory->fences);
    rows_fini(&memory->files);
    json_decref(memory->tally);
    free(memory);
}
