/* SPDX-License-Identifier: Apache-2.0 */
/* What every store backend must do. A new one adds one row to backends[]. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "adapters/redis/redis_url.h"
#include "adapters/store/record.h"
#include "adapters/store/store.h"
#include "adapters/store/store_lease.h"
#include "adapters/store/store_redis_priv.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/reactor.h"
#include "tests/support/near.h"
#include "tests/support/redis_server.h"

#define N_CRASHES       5
#define N_CRASH_COMMITS 40
#define N_SCAN_ROWS     5000 /* several pages of it */

static struct hs_redis_server *server; /* NULL: none installed */

enum backend { BACKEND_MEM, BACKEND_REDIS };

static enum backend rows[] = {BACKEND_MEM, BACKEND_REDIS};

struct fixture {
    struct hs_reactor *reactor;
    struct hs_store *store;
    struct hs_timer *poll;
    struct hs_clock *clock;
    double patience_mono_s;
    bool wants_up;
    bool is_late;
    int n_done;
    int n_wanted;
    int rc;
    char text[200];
    char rows[4096]; /* "key=text;" each */
    size_t n_rows;
    int n_damaged;
    struct hs_store_lease lease; /* as it was last told */
};

/* ---- fixture ---- */

static int setup(void **state)
{
    struct fixture *f = hs_xcalloc(1, sizeof(*f));
    enum backend backend = *(enum backend *)*state;

    *state = f;
    assert_int_equal(hs_reactor_new(NULL, &f->reactor, NULL), 0);
    f->clock = hs_clock_new_real();
    if (backend == BACKEND_MEM) {
        f->store = hs_store_mem_new(hs_reactor_get_executor(f->reactor));
    } else if (server != NULL) {
        redisReply *reply = hs_redis_server_command(server, "FLUSHALL");

        freeReplyObject(reply);
        assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                            hs_redis_server_get_url(server), "t", &f->store, NULL),
                         0);
    }
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hs_store_free(f->store);
    hs_clock_free(f->clock);
    hs_reactor_free(f->reactor);
    free(f);
    return 0;
}

static void poll_state(void *arg)
{
    struct fixture *f = arg;

    f->is_late = hs_clock_mono_s(f->clock) > f->patience_mono_s;
    if (hs_store_is_up(f->store) == f->wants_up || f->is_late) {
        hs_reactor_stop(f->reactor);
    } else {
        hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->poll, 0.01);
    }
}

static void wait_until_up_is(struct fixture *f, bool wants_up)
{
    f->wants_up = wants_up;
    f->patience_mono_s = hs_clock_mono_s(f->clock) + 10.0; /* promises.md: back within 10 s */
    f->poll = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), 0.0, poll_state, f);
    hs_reactor_run(f->reactor);
    hs_executor_timer_remove(hs_reactor_get_executor(f->reactor), f->poll);
    assert_false(f->is_late);
}

static void on_lease(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                     void *arg)
{
    struct fixture *f = arg;

    f->rc = rc;
    snprintf(f->text, sizeof(f->text), "%s", err != NULL ? err->text : "");
    assert_true((rc < 0) == (err != NULL));
    assert_true((rc == 0 || rc == -HS_E_STALE) == (lease != NULL));
    if (lease != NULL) {
        f->lease = *lease;
    }
    if (++f->n_done == f->n_wanted) {
        hs_reactor_stop(f->reactor);
    }
}

static void wait_for(struct fixture *f, int n_wanted)
{
    if (f->n_done < n_wanted) {
        f->n_wanted = n_wanted;
        hs_reactor_run(f->reactor);
    }
    f->n_wanted = 0;
    f->n_done = 0;
}

static int look(struct fixture *f)
{
    hs_store_lease_look(f->store, on_lease, f);
    assert_int_equal(f->n_done, 0); /* never inside the call */
    wait_for(f, 1);
    return f->rc;
}

static int acquire_after(struct fixture *f, const char *holder, uint64_t min_epoch)
{
    const struct hs_store_claim claim = {.seen_epoch = f->lease.epoch,
                                         .seen_beat = f->lease.beat,
                                         .min_epoch = min_epoch,
                                         .store_id = "cafe",
                                         .holder = holder};

    hs_store_lease_acquire(f->store, &claim, on_lease, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    return f->rc;
}

static int acquire(struct fixture *f, const char *holder)
{
    return acquire_after(f, holder, 0);
}

/* Up, but nobody leads. */
static struct fixture *up(void **state)
{
    struct fixture *f = *state;

    if (f->store == NULL) {
        print_message("no redis-server installed\n");
        skip();
    }
    wait_until_up_is(f, true);
    return f;
}

static void lead(struct fixture *f)
{
    assert_int_equal(look(f), 0);
    assert_int_equal(acquire(f, "test"), 0);
}

static struct fixture *ready(void **state)
{
    struct fixture *f = up(state);

    lead(f);
    return f;
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    struct fixture *f = arg;

    f->rc = rc;
    snprintf(f->text, sizeof(f->text), "%s", err != NULL ? err->text : "");
    assert_true((rc < 0) == (err != NULL));
    if (++f->n_done == f->n_wanted) {
        hs_reactor_stop(f->reactor);
    }
}

static void on_row(const char *key, const char *text, void *arg)
{
    struct fixture *f = arg;
    size_t n = strlen(f->rows);

    f->n_rows++;
    snprintf(f->rows + n, sizeof(f->rows) - n, "%s=%s;", key, text);
}

static void on_text(const char *key, const char *text, void *arg)
{
    on_row("", text, arg); /* a log's ids are the backend's own */
}

static int commit(struct fixture *f, const struct hs_store_op *ops, size_t n_ops)
{
    hs_store_commit(f->store, ops, n_ops, on_done, f);
    assert_int_equal(f->n_done, 0); /* never inside the call */
    wait_for(f, 1);
    return f->rc;
}

static int put(struct fixture *f, const char *key, const char *text)
{
    return commit(f, &(struct hs_store_op){HS_STORE_PUT, "jobs", key, text}, 1);
}

static const char *load(struct fixture *f, const char *table)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_load(f->store, table, on_row, on_done, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

static const char *tail(struct fixture *f, size_t n_max)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_tail(f->store, "journal", n_max, on_text, on_done, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

/* ---- every backend ---- */

static void store__put_replaces_and_delete_removes(void **state)
{
    struct fixture *f = ready(state);
    const struct hs_store_op drop[] = {
        {HS_STORE_DELETE, "jobs", "1", NULL},
        {HS_STORE_DELETE, "jobs", "absent", NULL},
    };

    assert_string_equal(load(f, "jobs"), "");
    assert_int_equal(put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(put(f, "1", "{\"a\":2}"), 0);
    assert_string_equal(load(f, "jobs"), "1={\"a\":2};");
    assert_string_equal(load(f, "intents"), "");
    assert_int_equal(commit(f, drop, 2), 0);
    assert_string_equal(load(f, "jobs"), "");
}

static void store__commit_lands_whole_over_several_tables(void **state)
{
    struct fixture *f = ready(state);
    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "jobs", "7", "{}"},
        {HS_STORE_PUT, "meta", "next", "8"},
        {HS_STORE_APPEND, "journal", NULL, "submitted"},
        {HS_STORE_APPEND, "journal", NULL, "placed"},
    };

    assert_int_equal(commit(f, ops, 4), 0);
    assert_string_equal(load(f, "jobs"), "7={};");
    assert_string_equal(load(f, "meta"), "next=8;");
    assert_string_equal(tail(f, 10), "=submitted;=placed;");
    assert_int_equal(commit(f, NULL, 0), 0);
}

static void store__tail_gives_the_newest_oldest_first(void **state)
{
    struct fixture *f = ready(state);

    assert_string_equal(tail(f, 3), "");
    for (int i = 0; i < 5; i++) {
        char text[8];

        snprintf(text, sizeof(text), "e%d", i);
        assert_int_equal(
            commit(f, &(struct hs_store_op){HS_STORE_APPEND, "journal", NULL, text}, 1), 0);
    }
    assert_string_equal(tail(f, 3), "=e2;=e3;=e4;");
    assert_string_equal(tail(f, 99), "=e0;=e1;=e2;=e3;=e4;");
}

static void store__texts_survive_quotes_spaces_and_utf8(void **state)
{
    struct fixture *f = ready(state);

    assert_int_equal(put(f, "k y%s\r\n", "{\"t\":\"a b\\n%s \xc3\xa9\"}\r\n$3\r\n"), 0);
    assert_string_equal(load(f, "jobs"), "k y%s\r\n={\"t\":\"a b\\n%s \xc3\xa9\"}\r\n$3\r\n;");
}

static void store__answers_come_in_the_order_of_the_calls(void **state)
{
    struct fixture *f = ready(state);

    for (int i = 0; i < 100; i++) {
        char text[8];

        snprintf(text, sizeof(text), "%d", i);
        hs_store_commit(f->store, &(struct hs_store_op){HS_STORE_PUT, "jobs", "1", text}, 1,
                        on_done, f);
    }
    f->rows[0] = '\0';
    hs_store_load(f->store, "jobs", on_row, on_done, f);
    wait_for(f, 101);
    assert_string_equal(f->rows, "1=99;");
}

static const char *get(struct fixture *f, const char *table, const char *key)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_get(f->store, table, key, on_row, on_done, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

static void store__get_gives_one_row_or_none(void **state)
{
    struct fixture *f = ready(state);

    assert_string_equal(get(f, "jobs", "1"), "");
    assert_int_equal(put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(put(f, "2", "{}"), 0);
    assert_string_equal(get(f, "jobs", "1"), "1={\"a\":1};");
    assert_string_equal(get(f, "jobs", "3"), "");
    assert_string_equal(get(f, "intents", "1"), "");
}

/* Which of N_SCAN_ROWS keys a scan has shown, and with the right text. */
struct scanned {
    struct fixture *f;
    bool is_seen[N_SCAN_ROWS];
    size_t n_seen;
};

static void on_scanned(const char *key, const char *text, void *arg)
{
    struct scanned *scanned = arg;
    size_t i = strtoul(key, NULL, 10);

    assert_true(i < N_SCAN_ROWS);
    assert_int_equal(strtoul(text, NULL, 10), 7 * i);
    scanned->n_seen += !scanned->is_seen[i];
    scanned->is_seen[i] = true;
}

static void on_scan_done(int rc, const struct hs_err *err, void *arg)
{
    on_done(rc, err, ((struct scanned *)arg)->f);
}

static void store__scan_shows_every_row_of_a_large_table(void **state)
{
    struct fixture *f = ready(state);
    HS_AUTO_MEM struct hs_store_op *ops = hs_xcalloc(N_SCAN_ROWS, sizeof(*ops));
    HS_AUTO_MEM char(*keys)[16] = hs_xcalloc(N_SCAN_ROWS, sizeof(*keys));
    HS_AUTO_MEM char(*texts)[16] = hs_xcalloc(N_SCAN_ROWS, sizeof(*texts));
    HS_AUTO_MEM struct scanned *scanned = hs_xcalloc(1, sizeof(*scanned));

    scanned->f = f;
    hs_store_scan(f->store, "jobs", on_scanned, on_scan_done, scanned);
    wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    assert_int_equal(scanned->n_seen, 0);
    for (size_t i = 0; i < N_SCAN_ROWS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "%zu", i);
        snprintf(texts[i], sizeof(texts[i]), "%zu", 7 * i);
        ops[i] = (struct hs_store_op){HS_STORE_PUT, "jobs", keys[i], texts[i]};
    }
    assert_int_equal(commit(f, ops, N_SCAN_ROWS), 0);
    hs_store_scan(f->store, "jobs", on_scanned, on_scan_done, scanned);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    assert_int_equal(scanned->n_seen, N_SCAN_ROWS);
}

static void free_in_done(int rc, const struct hs_err *err, void *arg)
{
    struct fixture *f = arg;

    hs_store_free(f->store);
    f->store = NULL;
    hs_reactor_stop(f->reactor);
}

static void store__can_be_freed_inside_a_callback(void **state)
{
    struct fixture *f = ready(state);

    hs_store_load(f->store, "jobs", on_row, free_in_done, f);
    hs_reactor_run(f->reactor);
    assert_null(f->store);
}

static void store__free_ends_what_is_pending(void **state)
{
    struct fixture *f = ready(state);

    f->n_wanted = 99;
    hs_store_load(f->store, "jobs", on_row, on_done, f);
    hs_store_get(f->store, "jobs", "1", on_row, on_done, f);
    hs_store_scan(f->store, "jobs", on_row, on_done, f);
    hs_store_free(f->store);
    f->store = NULL;
    assert_int_equal(f->n_done, 3);
    assert_int_equal(f->rc, -HS_E_UNAVAILABLE);
}

/* ---- the lease ---- */

static void lease__is_given_as_it_was_seen_and_not_otherwise(void **state)
{
    struct fixture *f = up(state);

    assert_int_equal(look(f), 0);
    assert_int_equal(f->lease.epoch, 0);
    assert_string_equal(f->lease.holder, "");
    assert_string_equal(f->lease.store_id, "");
    assert_int_equal(acquire(f, "first"), 0);
    assert_int_equal(f->lease.epoch, 1);
    assert_string_equal(f->lease.holder, "first");
    assert_string_equal(f->lease.store_id, "cafe");
    f->lease.beat--; /* as one who looked before that */
    assert_int_equal(acquire(f, "second"), -HS_E_STALE);
    assert_string_equal(f->lease.holder, "first");
    assert_int_equal(acquire(f, "second"), 0); /* now it has been seen */
    assert_int_equal(f->lease.epoch, 2);
    assert_string_equal(f->lease.holder, "second");
    assert_int_equal(acquire_after(f, "third", 40), 0);
    assert_int_equal(f->lease.epoch, 41);
    assert_int_equal(look(f), 0);
    assert_string_equal(f->lease.holder, "third");
}

static int renew(struct fixture *f)
{
    hs_store_lease_renew(f->store, on_lease, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    return f->rc;
}

static int release(struct fixture *f)
{
    hs_store_lease_release(f->store, on_lease, f);
    assert_int_equal(f->n_done, 0);
    wait_for(f, 1);
    return f->rc;
}

static void lease__shows_a_beat_at_each_renewal(void **state)
{
    struct fixture *f = up(state);
    uint64_t beat;

    assert_int_equal(renew(f), -HS_E_STALE); /* not ours yet */
    assert_int_equal(look(f), 0);
    assert_int_equal(acquire(f, "one"), 0);
    beat = f->lease.beat;
    assert_int_equal(renew(f), 0);
    assert_int_equal(f->lease.beat, beat + 1);
    assert_int_equal(f->lease.epoch, 1);
    f->store->epoch = 7; /* as one of another epoch */
    assert_int_equal(renew(f), -HS_E_STALE);
    assert_int_equal(look(f), 0);
    assert_int_equal(f->lease.beat, beat + 1);
}

static void lease__is_free_once_it_was_released(void **state)
{
    struct fixture *f = ready(state);

    assert_int_equal(put(f, "1", "{}"), 0);
    assert_int_equal(release(f), 0);
    assert_string_equal(f->lease.holder, "");
    assert_int_equal(f->lease.epoch, 1); /* that never ends */
    assert_int_equal(put(f, "1", "{\"late\":1}"), -HS_E_STALE);
    assert_int_equal(release(f), -HS_E_STALE);
    assert_string_equal(load(f, "jobs"), "1={};");
    assert_int_equal(acquire(f, "next"), 0);
    assert_int_equal(f->lease.epoch, 2);
    assert_int_equal(put(f, "1", "{\"next\":1}"), 0);
}

static void lease__commit_of_another_epoch_writes_nothing(void **state)
{
    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "jobs", "1", "{\"stale\":1}"},
        {HS_STORE_DELETE, "jobs", "2", NULL},
        {HS_STORE_APPEND, "journal", NULL, "{\"stale\":1}"},
    };
    static const uint64_t epochs[] = {0, 1, 3};
    struct fixture *f = up(state);

    assert_int_equal(commit(f, ops, 3), -HS_E_STALE); /* nobody has led yet */
    assert_non_null(strstr(f->text, "without the lease"));
    assert_int_equal(look(f), 0);
    assert_int_equal(acquire(f, "one"), 0);
    assert_int_equal(acquire(f, "two"), 0);
    assert_int_equal(put(f, "2", "{}"), 0);
    for (size_t i = 0; i < 3; i++) {
        f->store->epoch = epochs[i];
        assert_int_equal(commit(f, ops, 3), -HS_E_STALE);
        assert_int_equal(commit(f, &ops[1], 1), -HS_E_STALE);
    }
    assert_string_equal(load(f, "jobs"), "2={};");
    assert_string_equal(tail(f, 9), "");
}

/* ---- redis alone ---- */

static void store_redis__stale_writer_is_fenced_by_the_function_alone(void **state)
{
    /* The guard's removal: the same library, newer, with the check of the epoch taken out. */
    static const char guard[] = "lease.holder ~= '' and lease.epoch == tonumber(epoch)\n"
                                "        and lease.writes >= tonumber(writes)";
    struct fixture *f = ready(state);
    HS_AUTO_MEM char *weak = hs_xstrdup(hs_store_redis_functions_text);
    char *at = strstr(weak, guard);
    redisReply *reply;

    assert_int_equal(acquire(f, "next"), 0);
    f->store->epoch = 1;
    assert_int_equal(put(f, "1", "{\"stale\":1}"), -HS_E_STALE);
    assert_string_equal(load(f, "jobs"), "");
    assert_non_null(at);
    memset(at, ' ', strlen(guard));
    memcpy(at, "true", 4);
    reply = hs_redis_server_command(server, "FUNCTION LOAD REPLACE %s", weak);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    freeReplyObject(reply);
    assert_int_equal(put(f, "1", "{\"stale\":1}"), 0);
    assert_string_equal(load(f, "jobs"), "1={\"stale\":1};");
    freeReplyObject(hs_redis_server_command(server, "FUNCTION FLUSH"));
}

/* As it is in hsched.lua. */
static int own_version(void)
{
    static const char mark[] = "local VERSION = ";

    return atoi(strstr(hs_store_redis_functions_text, mark) + strlen(mark));
}

static void store_redis__commit_after_a_rollback_is_refused(void **state)
{
    struct fixture *f = ready(state);

    assert_int_equal(put(f, "1", "{}"), 0);
    assert_int_equal(put(f, "2", "{}"), 0);
    /* as if Redis had come back with what it held before the second one */
    freeReplyObject(hs_redis_server_command(server, "HDEL %s 2", "hs:{t}:jobs"));
    freeReplyObject(hs_redis_server_command(server, "HINCRBY %s writes -1", "hs:{t}:lease"));
    assert_int_equal(put(f, "3", "{}"), -HS_E_STALE);
    assert_non_null(strstr(f->text, "rolled back: of 2 writes it shows 1"));
    assert_int_equal(renew(f), -HS_E_STALE);
    assert_string_equal(load(f, "jobs"), "1={};");
}

static long long ask_version(void)
{
    redisReply *reply = hs_redis_server_command(server, "FCALL_RO hsched_version 0");
    long long version = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;

    freeReplyObject(reply);
    return version;
}

/* The library as if it were of @version, of one digit. */
static void load_version(char version)
{
    static const char mark[] = "local VERSION = ";
    HS_AUTO_MEM char *text = hs_xstrdup(hs_store_redis_functions_text);

    *(strstr(text, mark) + strlen(mark)) = version;
    freeReplyObject(hs_redis_server_command(server, "FUNCTION LOAD REPLACE %s", text));
    assert_int_equal(ask_version(), version - '0');
}

static void reopen(struct fixture *f)
{
    hs_store_free(f->store);
    assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                        hs_redis_server_get_url(server), "t", &f->store, NULL),
                     0);
    wait_until_up_is(f, true);
}

static void store_redis__library_is_loaded_over_an_older_one_only(void **state)
{
    struct fixture *f = up(state);

    assert_true(own_version() > 0 && own_version() < 9); /* else say newer otherwise here */
    assert_int_equal(ask_version(), own_version());
    load_version('0');
    reopen(f);
    assert_int_equal(ask_version(), own_version());
    load_version('9');
    reopen(f);
    assert_int_equal(ask_version(), 9);
    lead(f);
    assert_int_equal(put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(server, "FUNCTION FLUSH"));
}

static void store_redis__library_that_is_removed_comes_back(void **state)
{
    struct fixture *f = ready(state);

    freeReplyObject(hs_redis_server_command(server, "FUNCTION FLUSH"));
    assert_int_equal(put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    assert_false(hs_store_is_up(f->store));
    wait_until_up_is(f, true);
    assert_int_equal(put(f, "1", "{}"), 0);
}

static void store_redis__epoch_and_id_of_before_the_lease_go_on(void **state)
{
    struct fixture *f = up(state);

    freeReplyObject(
        hs_redis_server_command(server, "HSET %s epoch 12 store_id beef next_id 3", "hs:{t}:meta"));
    lead(f);
    assert_int_equal(f->lease.epoch, 13);
    assert_string_equal(f->lease.store_id, "beef");
}

static const struct hs_store_damage *only_damage(struct fixture *f)
{
    size_t n = 0;
    const struct hs_store_damage *damages = hs_store_get_damages(f->store, &n);

    assert_int_equal(n, 1);
    return damages;
}

static void on_damaged(void *arg, const struct hs_store_damage *damage)
{
    struct fixture *f = arg;

    f->n_damaged++;
    assert_non_null(strstr(damage->err.text, damage->key));
}

static void store_redis__damaged_record_is_told_once_and_left_alone(void **state)
{
    struct fixture *f = ready(state);
    redisReply *reply;

    hs_store_watch(f->store, on_damaged, f);
    assert_int_equal(put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(put(f, "2", "{\"a\":2}"), 0);
    reply = hs_redis_server_command(server, "HGET %s 1", "hs:{t}:jobs");
    reply->str[strlen(reply->str) - 2] = '7'; /* one byte of it: {"a":7} */
    freeReplyObject(hs_redis_server_command(server, "HSET %s 1 %s", "hs:{t}:jobs", reply->str));
    assert_string_equal(load(f, "jobs"), "2={\"a\":2};");
    assert_string_equal(load(f, "jobs"), "2={\"a\":2};");
    assert_string_equal(get(f, "jobs", "1"), "");
    assert_int_equal(f->n_damaged, 1);
    assert_string_equal(only_damage(f)->table, "jobs");
    assert_string_equal(only_damage(f)->key, "1");
    assert_string_equal(only_damage(f)->sealed, reply->str);
    freeReplyObject(reply);
    reply = hs_redis_server_command(server, "HGET %s 1", "hs:{t}:jobs");
    assert_string_equal(reply->str, only_damage(f)->sealed);
    freeReplyObject(reply);
}

static void store_redis__record_under_another_key_is_damaged(void **state)
{
    struct fixture *f = ready(state);
    redisReply *reply;

    assert_int_equal(put(f, "1", "{\"a\":1}"), 0);
    reply = hs_redis_server_command(server, "HGET %s 1", "hs:{t}:jobs");
    freeReplyObject(hs_redis_server_command(server, "HSET %s 3 %s", "hs:{t}:jobs", reply->str));
    freeReplyObject(reply);
    assert_string_equal(load(f, "jobs"), "1={\"a\":1};");
    assert_string_equal(only_damage(f)->key, "3");
}

static void store_redis__damaged_record_is_kept_when_its_place_is_taken(void **state)
{
    struct fixture *f = ready(state);
    size_t n = 1;

    freeReplyObject(hs_redis_server_command(server, "HSET %s 1 %s", "hs:{t}:jobs", "1:00:{x}"));
    assert_string_equal(load(f, "jobs"), "");
    assert_int_equal(put(f, "1", "{\"new\":1}"), 0);
    assert_string_equal(load(f, "jobs"), "1={\"new\":1};");
    assert_non_null(strstr(load(f, "quarantine"), "jobs/1={\"table\":\"jobs\",\"key\":\"1\""));
    assert_non_null(strstr(f->rows, "\"record\":\"1:00:{x}\""));
    assert_int_equal(put(f, "1", "{\"new\":2}"), 0);
    (void)hs_store_get_damages(f->store, &n);
    assert_int_equal(n, 0);
}

static void store_redis__record_of_a_newer_schema_ends_the_reading(void **state)
{
    struct fixture *f = ready(state);
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA + 1, "jobs", "1", "{}");

    freeReplyObject(hs_redis_server_command(server, "HSET %s 1 %s", "hs:{t}:jobs", sealed));
    hs_store_scan(f->store, "jobs", on_row, on_done, f);
    wait_for(f, 1);
    assert_int_equal(f->rc, -HS_E_UNSUPPORTED);
    assert_non_null(strstr(f->text, "run the newer one"));
    assert_string_equal(f->rows, "");
}

static void store_redis__record_of_before_envelopes_is_read(void **state)
{
    struct fixture *f = ready(state);

    freeReplyObject(hs_redis_server_command(server, "HSET %s 1 %s", "hs:{t}:jobs", "{\"a\":1}"));
    freeReplyObject(hs_redis_server_command(server, "HSET %s next_id 12", "hs:{t}:meta"));
    assert_string_equal(load(f, "jobs"), "1={\"a\":1};");
    assert_string_equal(load(f, "meta"), "next_id=12;");
}

static void store_redis__deletes_land_when_memory_is_out(void **state)
{
    struct fixture *f = ready(state);

    assert_int_equal(put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET maxmemory 1"));
    assert_int_equal(put(f, "2", "{}"), -HS_E_UNAVAILABLE);
    assert_int_equal(commit(f, &(struct hs_store_op){HS_STORE_DELETE, "jobs", "1", NULL}, 1), 0);
    assert_int_equal(renew(f), 0);
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET maxmemory 0"));
    assert_string_equal(load(f, "jobs"), "");
}

static void store_redis__is_durable_with_appendfsync_always_only(void **state)
{
    struct fixture *f = ready(state);
    redisReply *reply;

    assert_null(hs_store_get_weakness(f->store));
    reply = hs_redis_server_command(server, "CONFIG SET appendfsync everysec");
    freeReplyObject(reply);
    hs_store_free(f->store);
    assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                        hs_redis_server_get_url(server), "t", &f->store, NULL),
                     0);
    wait_until_up_is(f, true);
    reply = hs_redis_server_command(server, "CONFIG SET appendfsync always");
    freeReplyObject(reply);
    assert_non_null(strstr(hs_store_get_weakness(f->store), "everysec"));
}

static void store_redis__uses_the_documented_keys(void **state)
{
    struct fixture *f = ready(state);
    redisReply *reply;

    assert_int_equal(put(f, "12", "{}"), 0);
    assert_int_equal(commit(f, &(struct hs_store_op){HS_STORE_APPEND, "journal", NULL, "x"}, 1), 0);
    reply = hs_redis_server_command(server, "HGET %s 12", "hs:{t}:jobs");
    assert_string_equal(reply->str, "1:c1b463dc:{}");
    freeReplyObject(reply);
    reply = hs_redis_server_command(server, "XLEN %s", "hs:{t}:journal");
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

static void store_redis__foreign_type_is_a_protocol_error(void **state)
{
    struct fixture *f = ready(state);

    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "intents", "1", "{}"},
        {HS_STORE_PUT, "jobs", "1", "{}"},
    };

    freeReplyObject(hs_redis_server_command(server, "SET %s x", "hs:{t}:jobs"));
    assert_int_equal(commit(f, ops, 2), -HS_E_PROTOCOL);
    assert_non_null(strstr(f->text, "WRONGTYPE"));
    assert_string_equal(load(f, "intents"), ""); /* all or none */
    assert_false(hs_store_is_up(f->store));
    assert_non_null(strstr(hs_store_get_fault(f->store), "hs:{t}:jobs is a string, not a hash"));
    freeReplyObject(hs_redis_server_command(server, "DEL %s", "hs:{t}:jobs"));
    wait_until_up_is(f, true);
    assert_int_equal(put(f, "1", "{}"), 0);
}

/* What makes a server that answers refuse writes, what it says, and what ends it. */
static void store_redis__refused_writes_take_it_down_until_they_land(void **state)
{
    static const struct {
        const char *begin;
        const char *end;
        const char *fault;
    } cases[] = {
        {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "it is full (maxmemory)"},
        {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "it is a replica"},
        {"ACL SETUSER default -fcall", "ACL SETUSER default +@all", "our user lacks a right"},
        {"CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0",
         "it wants more replicas"},
    };
    struct fixture *f = ready(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        freeReplyObject(hs_redis_server_command(server, cases[i].begin));
        assert_int_equal(put(f, "1", "{}"), -HS_E_UNAVAILABLE);
        assert_false(hs_store_is_up(f->store));
        assert_non_null(strstr(hs_store_get_fault(f->store), cases[i].fault));
        freeReplyObject(hs_redis_server_command(server, cases[i].end));
        wait_until_up_is(f, true);
        assert_null(hs_store_get_fault(f->store));
        assert_int_equal(put(f, "1", "{}"), 0);
    }
}

static void store_redis__refused_command_discards_the_whole_commit(void **state)
{
    struct fixture *f = ready(state);
    const struct hs_store_op ops[] = {
        {HS_STORE_DELETE, "jobs", "1", NULL}, /* allowed when memory is out */
        {HS_STORE_PUT, "jobs", "2", "{}"},    /* not */
    };

    assert_int_equal(put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET maxmemory 1"));
    assert_int_equal(commit(f, ops, 2), -HS_E_UNAVAILABLE);
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET maxmemory 0"));
    wait_until_up_is(f, true);
    assert_string_equal(load(f, "jobs"), "1={};");
}

static void store_redis__commit_while_down_is_unavailable(void **state)
{
    struct fixture *f = ready(state);

    hs_redis_server_kill(server);
    wait_until_up_is(f, false);
    assert_int_equal(put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    assert_true(hs_redis_server_start(server));
    wait_until_up_is(f, true);
    assert_string_equal(load(f, "jobs"), "");
    assert_int_equal(put(f, "1", "{}"), 0);
}

/* A TCP port that was free a moment ago. */
static int find_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(address);
    HS_AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    return ntohs(address.sin_port);
}

static void store_redis__reaches_a_host_by_name_with_user_and_database(void **state)
{
    struct fixture *f = ready(state);
    int port = find_port();
    char url[128];
    redisReply *reply;

    freeReplyObject(hs_redis_server_command(server, "CONFIG SET bind 127.0.0.1"));
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET port %d", port));
    freeReplyObject(
        hs_redis_server_command(server, "ACL SETUSER me on >p@ss ~hs:* +@all -@dangerous"));
    snprintf(url, sizeof(url), "redis://me:p%%40ss@localhost:%d/2", port);
    hs_store_free(f->store);
    assert_int_equal(
        hs_store_redis_new(hs_reactor_get_executor(f->reactor), url, "t", &f->store, NULL), 0);
    wait_until_up_is(f, true);
    lead(f);
    assert_int_equal(put(f, "1", "{}"), 0);
    assert_string_equal(load(f, "jobs"), "1={};");
    /* CONFIG is dangerous, so this user may not ask how durable it is. */
    assert_non_null(strstr(hs_store_get_weakness(f->store), "cannot read"));
    reply = hs_redis_server_command(server, "EXISTS %s", "hs:{t}:jobs");
    assert_int_equal(reply->integer, 0); /* it is in database 2 */
    freeReplyObject(reply);
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET port 0"));
    freeReplyObject(hs_redis_server_command(server, "ACL DELUSER me"));
}

static void store_redis__wrong_password_keeps_it_down(void **state)
{
    struct fixture *f = ready(state);
    int port = find_port();
    char url[128];

    freeReplyObject(hs_redis_server_command(server, "CONFIG SET bind 127.0.0.1"));
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET port %d", port));
    snprintf(url, sizeof(url), "redis://me:wrong@127.0.0.1:%d", port);
    hs_store_free(f->store);
    assert_int_equal(
        hs_store_redis_new(hs_reactor_get_executor(f->reactor), url, "t", &f->store, NULL), 0);
    f->text[0] = '\0';
    for (int i = 0; i < 500 && strstr(f->text, "WRONGPASS") == NULL; i++) {
        const struct timespec nap = {.tv_nsec = 10000000};

        nanosleep(&nap, NULL);
        assert_int_equal(put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    }
    assert_non_null(strstr(f->text, "WRONGPASS"));
    assert_null(strstr(f->text, "wrong@"));
    assert_false(hs_store_is_up(f->store));
    freeReplyObject(hs_redis_server_command(server, "CONFIG SET port 0"));
}

struct crash {
    struct fixture *f;
    int n_sent;
    int n_acknowledged;
    int kill_at;
    int n_ended;
};

static void on_crash_commit(int rc, const struct hs_err *err, void *arg)
{
    struct crash *crash = arg;

    crash->n_ended++;
    if (rc == 0) {
        assert_int_equal(crash->n_acknowledged, crash->n_ended - 1); /* none after a failure */
        crash->n_acknowledged++;
        if (crash->n_acknowledged == crash->kill_at) {
            hs_redis_server_kill(server);
        }
    } else {
        assert_true(rc == -HS_E_TIMEOUT || rc == -HS_E_UNAVAILABLE);
    }
    if (crash->n_ended == N_CRASH_COMMITS) {
        hs_reactor_stop(crash->f->reactor);
    }
}

static void store_redis__acknowledged_writes_survive_kill_9(void **state)
{
    struct fixture *f = ready(state);
    int n_acknowledged = 0;

    for (int round = 0; round < N_CRASHES; round++) {
        struct crash crash = {.f = f, .kill_at = 1 + round * 7};

        for (int i = 0; i < N_CRASH_COMMITS; i++) {
            char key[32];

            snprintf(key, sizeof(key), "%d.%d", round, i);
            hs_store_commit(f->store, &(struct hs_store_op){HS_STORE_PUT, "jobs", key, "{}"}, 1,
                            on_crash_commit, &crash);
        }
        hs_reactor_run(f->reactor);
        n_acknowledged += crash.n_acknowledged;
        wait_until_up_is(f, false);
        assert_true(hs_redis_server_start(server));
        wait_until_up_is(f, true);
        for (int i = 0; i < crash.n_acknowledged; i++) {
            redisReply *reply =
                hs_redis_server_command(server, "HGET %s %d.%d", "hs:{t}:jobs", round, i);

            assert_int_equal(reply->type, REDIS_REPLY_STRING);
            freeReplyObject(reply);
        }
    }
    assert_true(n_acknowledged >= N_CRASHES);
}

static void store_redis__stopped_server_is_a_timeout_in_time(void **state)
{
    struct fixture *f = ready(state);
    double begun_mono_s = hs_clock_mono_s(f->clock);

    hs_redis_server_pause(server);
    assert_int_equal(put(f, "1", "{}"), -HS_E_TIMEOUT);
    assert_near(hs_clock_mono_s(f->clock) - begun_mono_s, 3.0, 0.5);
    assert_false(hs_store_is_up(f->store));
    assert_int_equal(put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    hs_redis_server_resume(server);
    wait_until_up_is(f, true);
}

/* ---- without any server ---- */

static void store_redis__bad_url_or_cell_is_refused(void **state)
{
    static const char *const urls[] = {"",
                                       "redis.sock",
                                       "unix:relative",
                                       "redis://",
                                       "redis://h:0",
                                       "redis://h:70000",
                                       "redis://h/x",
                                       "redis://[::1",
                                       "rediss://h:0",
                                       "redis://:%4@h"};
    struct hs_store *store = NULL;
    struct hs_err err;

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(hs_store_redis_new(NULL, urls[i], "t", &store, &err), -HS_E_INVALID);
        assert_true(strlen(err.text) > 0);
    }
    assert_int_equal(hs_store_redis_new(NULL, "unix:/x", "a}b", &store, &err), -HS_E_INVALID);
    assert_null(store);
}

static void redis_url__parts_come_out_and_the_name_has_no_password(void **state)
{
    struct hs_redis_url url;

    assert_int_equal(hs_redis_url_parse("redis://me:p%40ss@[::1]:7000/3", &url, NULL), 0);
    assert_string_equal(url.user, "me");
    assert_string_equal(url.password, "p@ss");
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 7000);
    assert_int_equal(url.database, 3);
    assert_null(strstr(url.name, "p@ss"));
    assert_false(url.is_tls);
    assert_int_equal(hs_redis_url_parse("rediss://me@cache", &url, NULL), 0);
    assert_int_equal(url.port, 6379);
    assert_true(url.is_tls);
    assert_string_equal(url.user, "me");
    assert_string_equal(url.password, "");
    assert_int_equal(hs_redis_url_parse("unix:/run/r.sock", &url, NULL), 0);
    assert_string_equal(url.path, "/run/r.sock");
}

static void store__backends_have_every_mandatory_slot(void **state)
{
    static const char *const names[] = {"redis", "mem"};

    for (size_t i = 0; i < 2; i++) {
        const struct hs_store_ops *ops = hs_store_find_backend(names[i]);

        assert_non_null(ops);
        assert_string_equal(ops->name, names[i]);
        assert_non_null(ops->summary);
        assert_true(ops->commit != NULL && ops->load != NULL && ops->tail != NULL
                    && ops->get != NULL && ops->scan != NULL && ops->lease != NULL
                    && ops->is_up != NULL && ops->destroy != NULL);
    }
    assert_null(hs_store_find_backend("nope"));
}

static int start_server(void **state)
{
    server = hs_redis_server_new();
    return 0;
}

static int stop_server(void **state)
{
    hs_redis_server_free(server);
    return 0;
}

#define CASE(fn, row)                        \
    {                                        \
#fn, fn, setup, teardown, &rows[row] \
    }
#define ALL(fn) CASE(fn, BACKEND_MEM), CASE(fn, BACKEND_REDIS)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(store__put_replaces_and_delete_removes),
        ALL(store__commit_lands_whole_over_several_tables),
        ALL(store__tail_gives_the_newest_oldest_first),
        ALL(store__texts_survive_quotes_spaces_and_utf8),
        ALL(store__answers_come_in_the_order_of_the_calls),
        ALL(store__get_gives_one_row_or_none),
        ALL(store__scan_shows_every_row_of_a_large_table),
        ALL(store__can_be_freed_inside_a_callback),
        ALL(store__free_ends_what_is_pending),
        ALL(lease__is_given_as_it_was_seen_and_not_otherwise),
        ALL(lease__shows_a_beat_at_each_renewal),
        ALL(lease__is_free_once_it_was_released),
        ALL(lease__commit_of_another_epoch_writes_nothing),
        CASE(store_redis__stale_writer_is_fenced_by_the_function_alone, BACKEND_REDIS),
        CASE(store_redis__commit_after_a_rollback_is_refused, BACKEND_REDIS),
        CASE(store_redis__library_is_loaded_over_an_older_one_only, BACKEND_REDIS),
        CASE(store_redis__library_that_is_removed_comes_back, BACKEND_REDIS),
        CASE(store_redis__epoch_and_id_of_before_the_lease_go_on, BACKEND_REDIS),
        CASE(store_redis__damaged_record_is_told_once_and_left_alone, BACKEND_REDIS),
        CASE(store_redis__record_under_another_key_is_damaged, BACKEND_REDIS),
        CASE(store_redis__damaged_record_is_kept_when_its_place_is_taken, BACKEND_REDIS),
        CASE(store_redis__record_of_a_newer_schema_ends_the_reading, BACKEND_REDIS),
        CASE(store_redis__record_of_before_envelopes_is_read, BACKEND_REDIS),
        CASE(store_redis__deletes_land_when_memory_is_out, BACKEND_REDIS),
        CASE(store_redis__is_durable_with_appendfsync_always_only, BACKEND_REDIS),
        CASE(store_redis__uses_the_documented_keys, BACKEND_REDIS),
        CASE(store_redis__foreign_type_is_a_protocol_error, BACKEND_REDIS),
        CASE(store_redis__refused_writes_take_it_down_until_they_land, BACKEND_REDIS),
        CASE(store_redis__refused_command_discards_the_whole_commit, BACKEND_REDIS),
        CASE(store_redis__commit_while_down_is_unavailable, BACKEND_REDIS),
        CASE(store_redis__reaches_a_host_by_name_with_user_and_database, BACKEND_REDIS),
        CASE(store_redis__wrong_password_keeps_it_down, BACKEND_REDIS),
        CASE(store_redis__acknowledged_writes_survive_kill_9, BACKEND_REDIS),
        CASE(store_redis__stopped_server_is_a_timeout_in_time, BACKEND_REDIS),
        cmocka_unit_test(store_redis__bad_url_or_cell_is_refused),
        cmocka_unit_test(redis_url__parts_come_out_and_the_name_has_no_password),
        cmocka_unit_test(store__backends_have_every_mandatory_slot),
    };
    return cmocka_run_group_tests_name("store contract", tests, start_server, stop_server);
}
