/* SPDX-License-Identifier: Apache-2.0 */
/* learned - see learned.h. */
#include "scheduler/daemon/learned.h"

#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define ARRIVALS_KEY "arrivals" /* no sink's path: those have slashes */
#define RUNTIMES_KEY "runtimes"
#define PLANT_KEY    "plant"
#define MOVES_KEY    "moves"
#define MORE_ROWS    4 /* beside those of the sinks */
#define S_PER_HOUR   3600
#define EVERY_ROW    (-1) /* an hour in which no row was written */
#define NO_HOUR      INT64_MIN
#define ROWS_AT_ONCE 5 /* of up to 300 kB and some milliseconds each: a tick must be short */

/*
 * A clock that moves by so much was wrong before or is wrong now. What was learned by the right
 * one must not be overwritten at once: a restart within a day goes on with it.
 */
#define JUMP_H 48
#define HOLD_H 24

struct hs_learned {
    struct hs_cycle *cycle;
    const struct hs_estate *estate;
    struct hs_store *store;
    int64_t *kept_no;   /* [n_sinks + MORE_ROWS] hour in which the row was written */
    size_t next;        /* row that is looked at first */
    int64_t newest_no;  /* hour of the last look; NO_HOUR: none yet */
    int64_t held_to_no; /* nothing is written before it */
    bool is_of_future;  /* a row was refused: the clock was wrong then, or is now */
    bool is_asking;
    bool has_warned;
    void (*done)(void *arg); /* of hs_learned_keep_all() */
    void *arg;
};

struct hs_learned *hs_learned_new(struct hs_cycle *cycle, const struct hs_estate *estate,
                                  struct hs_store *store)
{
    struct hs_learned *learned = hs_xcalloc(1, sizeof(*learned));

    learned->cycle = cycle;
    learned->estate = estate;
    learned->store = store;
    learned->newest_no = NO_HOUR;
    learned->held_to_no = NO_HOUR;
    learned->kept_no = hs_xcalloc(estate->n_sinks + MORE_ROWS, sizeof(*learned->kept_no));
    return learned;
}

void hs_learned_free(struct hs_learned *learned)
{
    if (learned != NULL) {
        free(learned->kept_no);
        free(learned);
    }
}

/* --- back --- */

void hs_learned_restore(struct hs_learned *learned, const char *key, const char *text)
{
    size_t sink_idx = hs_estate_find_sink(learned->estate, key);
    bool is_arrivals = strcmp(key, ARRIVALS_KEY) == 0;
    bool is_runtimes = strcmp(key, RUNTIMES_KEY) == 0;
    bool is_plant = strcmp(key, PLANT_KEY) == 0;
    bool is_moves = strcmp(key, MOVES_KEY) == 0;
    json_auto_t *json = NULL;
    struct hs_err err = {0};
    int rc;

    if (sink_idx == SIZE_MAX && !is_arrivals && !is_runtimes && !is_plant && !is_moves) {
        HS_LOG_INFO("store", "what was learned of '%s', which is no sink of the estate, is left",
                    key);
        return;
    }
    rc = hs_jsonx_parse(HS_LEARNED_TABLE, text, strlen(text), &json, &err);
    if (rc == 0) {
        rc = is_arrivals   ? hs_cycle_restore_arrivals(learned->cycle, json, &err)
             : is_runtimes ? hs_cycle_restore_runtimes(learned->cycle, json, &err)
             : is_plant    ? hs_cycle_restore_plant(learned->cycle, json, &err)
             : is_moves    ? hs_cycle_restore_moves(learned->cycle, json, &err)
                           : hs_cycle_restore_forecast(learned->cycle, sink_idx, json, &err);
    }
    learned->is_of_future |= rc == -HS_E_CONFLICT;
    if (rc != 0) {
        HS_LOG_WARN("store",
                    "what was learned of '%s' cannot be used, its forecast learns anew: %s %s", key,
                    err.where, err.text);
    }
}

/* --- forth --- */

/* What is learned beside that of the sinks; the order of their rows. */
static const struct {
    const char *key;
    json_t *(*save)(const struct hs_cycle *cycle);
} more[MORE_ROWS] = {
    {ARRIVALS_KEY, hs_cycle_save_arrivals},
    {RUNTIMES_KEY, hs_cycle_save_runtimes},
    {PLANT_KEY, hs_cycle_save_plant},
    {MOVES_KEY, hs_cycle_save_moves},
};

static const char *get_key(const struct hs_learned *learned, size_t row)
{
    size_t n_sinks = learned->estate->n_sinks;

    return row < n_sinks ? learned->estate->sinks[row].path : more[row - n_sinks].key;
}

static char *format_row(const struct hs_learned *learned, size_t row)
{
    size_t n_sinks = learned->estate->n_sinks;
    json_auto_t *json = row < n_sinks ? hs_cycle_save_forecast(learned->cycle, row)
                                      : more[row - n_sinks].save(learned->cycle);

    return hs_jsonx_format(json);
}

static void take_answer(struct hs_learned *learned, int rc, const struct hs_err *err)
{
    if (rc != 0 && !learned->has_warned) {
        HS_LOG_WARN("store", "what forecasts have learned was not written: %s",
                    err != NULL ? err->text : "not connected");
    }
    learned->has_warned = rc != 0;
    if (rc != 0) { /* which of them does not matter: all are due again */
        memset(learned->kept_no, 0,
               (learned->estate->n_sinks + MORE_ROWS) * sizeof(*learned->kept_no));
    }
}

static void on_some_kept(int rc, const struct hs_err *err, void *arg)
{
    struct hs_learned *learned = arg;

    learned->is_asking = false;
    take_answer(learned, rc, err);
}

static void on_all_kept(int rc, const struct hs_err *err, void *arg)
{
    struct hs_learned *learned = arg;

    take_answer(learned, rc, err);
    learned->done(learned->arg);
}

/** Write up to @n_max of the rows that were not written in hour @no. @return rows */
static size_t write_rows(struct hs_learned *learned, int64_t no, size_t n_max,
                         hs_store_done_fn *written)
{
    size_t n_rows = learned->estate->n_sinks + MORE_ROWS;
    HS_AUTO_MEM struct hs_store_op *ops = hs_xcalloc(n_rows, sizeof(*ops));
    HS_AUTO_MEM char **texts = hs_xcalloc(n_rows, sizeof(char *));
    size_t n = 0;

    for (size_t i = 0; i < n_rows && n < n_max; i++) {
        size_t row = (learned->next + i) % n_rows;

        if (learned->kept_no[row] != no) {
            learned->kept_no[row] = no;
            texts[n] = format_row(learned, row);
            ops[n] = (struct hs_store_op){HS_STORE_PUT, HS_LEARNED_TABLE, get_key(learned, row),
                                          texts[n]};
            n++;
        }
    }
    learned->next = (learned->next + n) % n_rows;
    if (n > 0) {
        hs_store_commit(learned->store, ops, n, written, learned);
    }
    for (size_t i = 0; i < n; i++) {
        free(texts[i]);
    }
    return n;
}

/** False while what is in the store may be of a better clock than this one. */
static bool may_write(struct hs_learned *learned, int64_t no)
{
    bool is_first = learned->newest_no == NO_HOUR;

    if (is_first ? learned->is_of_future : no - learned->newest_no > JUMP_H) {
        learned->held_to_no = no + HOLD_H;
        HS_LOG_WARN("store",
                    "the clock has moved by days: what forecasts learned is not written for %d h; "
                    "if the clock was wrong and is right now, restart hschedd to go on with it",
                    HOLD_H);
    }
    learned->newest_no = is_first || no > learned->newest_no ? no : learned->newest_no;
    return no >= learned->held_to_no;
}

void hs_learned_keep(struct hs_learned *learned, int64_t now_at_s)
{
    if (may_write(learned, now_at_s / S_PER_HOUR) && !learned->is_asking
        && hs_store_is_up(learned->store)) {
        learned->is_asking =
            write_rows(learned, now_at_s / S_PER_HOUR, ROWS_AT_ONCE, on_some_kept) > 0;
    }
}

void hs_learned_keep_all(struct hs_learned *learned, void (*done)(void *arg), void *arg)
{
    if (learned->newest_no < learned->held_to_no) {
        done(arg);
        return;
    }
    learned->done = done;
    learned->arg = arg;
    (void)write_rows(learned, EVERY_ROW, SIZE_MAX, on_all_kept);
}
