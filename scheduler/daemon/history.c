/* SPDX-License-Identifier: Apache-2.0 */
/* history - moves, lets go and evicts; how jobs are found again is in history_find.c. */
#include "scheduler/daemon/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/history_priv.h"

#define EVICTED_MAX  64 /* in one commit */
#define AGE_PERIOD_S 60 /* plan time; how often the oldest is looked at */
#define NEVER_AT_S   (INT64_MIN / 2)

/* --- moving --- */

static void format_id(uint64_t id, char *ret_key)
{
    snprintf(ret_key, HS_HISTORY_KEY_MAX, "%" PRIu64, id);
}

static char *format_end(const char *name, const struct hs_job *job)
{
    json_auto_t *json = hs_jsonx_object();

    if (strcmp(name, "host") == 0) {
        hs_jsonx_set_text(json, name, job->host);
    } else {
        hs_jsonx_set_int(json, name, (int64_t)job->id);
    }
    hs_jsonx_set_int(json, "ended_at_s", job->ended_at_s);
    return hs_jsonx_format(json);
}

void hs_history_move(struct hs_history *history, const struct hs_job *job,
                     hs_history_write_fn *write, void *arg)
{
    json_auto_t *json = hs_job_format(job);
    json_auto_t *tally = hs_cycle_save_tally(history->options.cycle);
    HS_AUTO_MEM char *text = hs_jsonx_format(json);
    HS_AUTO_MEM char *tally_text = hs_jsonx_format(tally);
    HS_AUTO_MEM char *end = format_end("id", job);
    HS_AUTO_MEM char *files = format_end("host", job);
    char id[HS_HISTORY_KEY_MAX];
    char number[HS_HISTORY_KEY_MAX];
    char next[HS_HISTORY_KEY_MAX];

    format_id(job->id, id);
    format_id(history->next, number);
    format_id(++history->next, next);
    write(arg, &(struct hs_store_op){HS_STORE_DELETE, "jobs", id, NULL});
    write(arg, &(struct hs_store_op){HS_STORE_PUT, HS_HISTORY_TABLE, id, text});
    write(arg, &(struct hs_store_op){HS_STORE_PUT, HS_HISTORY_ENDS, number, end});
    if (job->host[0] != '\0') {
        write(arg, &(struct hs_store_op){HS_STORE_PUT, HS_HISTORY_FILES, id, files});
    }
    write(arg, &(struct hs_store_op){HS_STORE_PUT, "meta", "ends_next", next});
    write(arg, &(struct hs_store_op){HS_STORE_PUT, "meta", "tally", tally_text});
}

void hs_history_settle(struct hs_history *history, uint64_t job_id)
{
    const struct hs_job *job = hs_cycle_get_job(history->options.cycle, job_id);

    if (job != NULL && hs_job_is_over(job)) {
        HS_VEC_PUSH(&history->recent, job_id);
        if (history->options.ended != NULL) {
            history->options.ended(history->options.arg, job);
        }
    }
}

/** All but the newest; those that are needed come first again, and are tried again later. */
static void let_go(struct hs_history *history)
{
    size_t n = history->recent.n;
    size_t n_old;
    size_t n_needed;

    if (n < history->n_needed + 2 * (size_t)HS_HISTORY_RECENT) {
        return;
    }
    n_old = n - HS_HISTORY_RECENT;
    n_needed = hs_cycle_forget(history->options.cycle, history->recent.items, n_old);
    memmove(&history->recent.items[n_needed], &history->recent.items[n_old],
            HS_HISTORY_RECENT * sizeof(*history->recent.items));
    history->recent.n = n_needed + HS_HISTORY_RECENT;
    history->n_needed = n_needed;
}

/* --- evicting --- */

/** Ends that were asked for, to be evicted. */
struct eviction {
    struct hs_history *history;
    uint64_t until;  /* number after the last that may go */
    size_t n_asked;  /* answers that are still to come */
    bool has_failed; /* one did not come */
    bool is_young;   /* the oldest is within its age, so nothing goes for its age */
    size_t n;
    uint64_t ids[EVICTED_MAX];
};

static void begin_eviction(struct hs_history *history);

static bool is_too_many(const struct hs_history *history)
{
    return history->next - history->first > history->options.n_max;
}

static void on_evicted(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct eviction *eviction = arg;
    struct hs_history *history = eviction->history;

    history->is_evicting = false;
    if (rc != 0) {
        return;
    }
    history->first = eviction->until;
    if (is_too_many(history)) {
        begin_eviction(history);
    } else if (eviction->n == EVICTED_MAX) {
        history->aged_at_s = NEVER_AT_S; /* the next ones may be as old */
    }
}

static void evict(struct eviction *eviction)
{
    struct hs_store_op ops[2 * EVICTED_MAX + 1];
    char ids[EVICTED_MAX][HS_HISTORY_KEY_MAX];
    char numbers[EVICTED_MAX][HS_HISTORY_KEY_MAX];
    char first[HS_HISTORY_KEY_MAX];
    size_t n = 0;

    for (size_t i = 0; i < eviction->n; i++) {
        format_id(eviction->ids[i], ids[i]);
        ops[n++] = (struct hs_store_op){HS_STORE_DELETE, HS_HISTORY_TABLE, ids[i], NULL};
    }
    for (uint64_t number = eviction->history->first; number < eviction->until; number++) {
        size_t i = (size_t)(number - eviction->history->first);

        format_id(number, numbers[i]);
        ops[n++] = (struct hs_store_op){HS_STORE_DELETE, HS_HISTORY_ENDS, numbers[i], NULL};
    }
    format_id(eviction->until, first);
    ops[n++] = (struct hs_store_op){HS_STORE_PUT, "meta", "ends_first", first};
    hs_store_commit(eviction->history->options.store, ops, n, on_evicted, eviction);
}

static void take_end(const char *key, const char *text, void *arg)
{
    struct eviction *eviction = arg;
    const struct hs_history *history = eviction->history;
    uint64_t number = strtoull(key, NULL, 10);
    uint64_t id = 0;
    int64_t ended_at_s = 0;

    if (!hs_history_parse_end(text, &id, &ended_at_s)) {
        return; /* it can only go: the row is dropped with its number */
    }
    if (!is_too_many(history)
        && hs_clock_at_s(history->options.clock) - ended_at_s <= history->options.age_s
        && number < eviction->until) {
        eviction->until = number; /* this one stays, and all behind it */
        return;
    }
    if (number < eviction->until) {
        eviction->ids[eviction->n++] = id;
    }
}

static void on_end(int rc, const struct hs_err *err, void *arg)
{
    struct eviction *eviction = arg;

    eviction->has_failed |= rc != 0;
    if (--eviction->n_asked > 0) {
        return;
    }
    if (eviction->has_failed || eviction->until == eviction->history->first) {
        eviction->history->is_evicting = false;
        free(eviction);
    } else {
        evict(eviction);
    }
}

static void begin_eviction(struct hs_history *history)
{
    struct eviction *eviction = hs_xcalloc(1, sizeof(*eviction));
    uint64_t n_kept = history->next - history->first;
    uint64_t n = n_kept < EVICTED_MAX ? n_kept : EVICTED_MAX;

    if (is_too_many(history) && n_kept - history->options.n_max < n) {
        n = n_kept - history->options.n_max;
    }
    eviction->history = history;
    eviction->until = history->first + n;
    eviction->n_asked = (size_t)n;
    history->is_evicting = true;
    for (uint64_t number = history->first; number < history->first + n; number++) {
        char key[HS_HISTORY_KEY_MAX];

        format_id(number, key);
        hs_store_get(history->options.store, HS_HISTORY_ENDS, key, take_end, on_end, eviction);
    }
}

static bool is_age_due(struct hs_history *history)
{
    int64_t now_at_s = hs_clock_at_s(history->options.clock);

    if (history->options.age_s == 0 || now_at_s - history->aged_at_s < AGE_PERIOD_S) {
        return false;
    }
    history->aged_at_s = now_at_s;
    return true;
}

void hs_history_tick(struct hs_history *history)
{
    let_go(history);
    if (!history->is_evicting && history->next > history->first
        && hs_store_is_up(history->options.store)
        && (is_too_many(history) || is_age_due(history))) {
        begin_eviction(history);
    }
}

/* --- life --- */

struct hs_history *hs_history_new(const struct hs_history_options *options)
{
    struct hs_history *history = hs_xcalloc(1, sizeof(*history));

    history->options = *options;
    history->first = options->first > 0 ? options->first : 1;
    history->next = options->next > history->first ? options->next : history->first;
    history->aged_at_s = NEVER_AT_S;
    return history;
}

uint64_t hs_history_get_first(const struct hs_history *history)
{
    return history->first;
}

uint64_t hs_history_get_next(const struct hs_history *history)
{
    return history->next;
}

void hs_history_free(struct hs_history *history)
{
    if (history != NULL) {
        HS_VEC_FINI(&history->recent);
        free(history);
    }
}
