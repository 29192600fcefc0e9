/* SPDX-License-Identifier: Apache-2.0 */
/* What every store backend must do. A new one adds one row to backends[]. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "adapters/redis/redis_url.h"
#include "scheduler/base/mem.h"
#include "tests/contract/store/store_scene.h"
#include "tests/support/near.h"

#define N_CRASHES       5
#define N_CRASH_COMMITS 40
#define N_SCAN_ROWS     5000 /* several pages of it */

/* ---- every backend ---- */

static void store__put_replaces_and_delete_removes(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    const struct hs_store_op drop[] = {
        {HS_STORE_DELETE, "jobs", "1", NULL},
        {HS_STORE_DELETE, "jobs", "absent", NULL},
    };

    assert_string_equal(store_scene_load(f, "jobs"), "");
    assert_int_equal(store_scene_put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(store_scene_put(f, "1", "{\"a\":2}"), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "1={\"a\":2};");
    assert_string_equal(store_scene_load(f, "intents"), "");
    assert_int_equal(store_scene_commit(f, drop, 2), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "");
}

static void store__commit_lands_whole_over_several_tables(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "jobs", "7", "{}"},
        {HS_STORE_PUT, "meta", "next", "8"},
        {HS_STORE_APPEND, "journal", NULL, "submitted"},
        {HS_STORE_APPEND, "journal", NULL, "placed"},
    };

    assert_int_equal(store_scene_commit(f, ops, 4), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "7={};");
    assert_string_equal(store_scene_load(f, "meta"), "next=8;");
    assert_string_equal(store_scene_tail(f, 10), "=submitted;=placed;");
    assert_int_equal(store_scene_commit(f, NULL, 0), 0);
}

static void store__tail_gives_the_newest_oldest_first(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_string_equal(store_scene_tail(f, 3), "");
    for (int i = 0; i < 5; i++) {
        char text[8];

        snprintf(text, sizeof(text), "e%d", i);
        assert_int_equal(
            store_scene_commit(f, &(struct hs_store_op){HS_STORE_APPEND, "journal", NULL, text}, 1),
            0);
    }
    assert_string_equal(store_scene_tail(f, 3), "=e2;=e3;=e4;");
    assert_string_equal(store_scene_tail(f, 99), "=e0;=e1;=e2;=e3;=e4;");
}

static void store__texts_survive_quotes_spaces_and_utf8(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_int_equal(store_scene_put(f, "k y%s\r\n", "{\"t\":\"a b\\n%s \xc3\xa9\"}\r\n$3\r\n"), 0);
    assert_string_equal(store_scene_load(f, "jobs"),
                        "k y%s\r\n={\"t\":\"a b\\n%s \xc3\xa9\"}\r\n$3\r\n;");
}

static void store__answers_come_in_the_order_of_the_calls(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    for (int i = 0; i < 100; i++) {
        char text[8];

        snprintf(text, sizeof(text), "%d", i);
        hs_store_commit(f->store, &(struct hs_store_op){HS_STORE_PUT, "jobs", "1", text}, 1,
                        store_scene_on_done, f);
    }
    f->rows[0] = '\0';
    hs_store_load(f->store, "jobs", store_scene_on_row, store_scene_on_done, f);
    store_scene_wait_for(f, 101);
    assert_string_equal(f->rows, "1=99;");
}

static void store__get_gives_one_row_or_none(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_string_equal(store_scene_get(f, "jobs", "1"), "");
    assert_int_equal(store_scene_put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(store_scene_put(f, "2", "{}"), 0);
    assert_string_equal(store_scene_get(f, "jobs", "1"), "1={\"a\":1};");
    assert_string_equal(store_scene_get(f, "jobs", "3"), "");
    assert_string_equal(store_scene_get(f, "intents", "1"), "");
}

/* Which of N_SCAN_ROWS keys a scan has shown, and with the right text. */
struct scanned {
    struct store_scene *f;
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
    store_scene_on_done(rc, err, ((struct scanned *)arg)->f);
}

static void store__scan_shows_every_row_of_a_large_table(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    HS_AUTO_MEM struct hs_store_op *ops = hs_xcalloc(N_SCAN_ROWS, sizeof(*ops));
    HS_AUTO_MEM char(*keys)[16] = hs_xcalloc(N_SCAN_ROWS, sizeof(*keys));
    HS_AUTO_MEM char(*texts)[16] = hs_xcalloc(N_SCAN_ROWS, sizeof(*texts));
    HS_AUTO_MEM struct scanned *scanned = hs_xcalloc(1, sizeof(*scanned));

    scanned->f = f;
    hs_store_scan(f->store, "jobs", on_scanned, on_scan_done, scanned);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    assert_int_equal(scanned->n_seen, 0);
    for (size_t i = 0; i < N_SCAN_ROWS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "%zu", i);
        snprintf(texts[i], sizeof(texts[i]), "%zu", 7 * i);
        ops[i] = (struct hs_store_op){HS_STORE_PUT, "jobs", keys[i], texts[i]};
    }
    assert_int_equal(store_scene_commit(f, ops, N_SCAN_ROWS), 0);
    hs_store_scan(f->store, "jobs", on_scanned, on_scan_done, scanned);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    assert_int_equal(scanned->n_seen, N_SCAN_ROWS);
}

static void free_in_done(int rc, const struct hs_err *err, void *arg)
{
    struct store_scene *f = arg;

    hs_store_free(f->store);
    f->store = NULL;
    hs_reactor_stop(f->reactor);
}

static void store__can_be_freed_inside_a_callback(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    hs_store_load(f->store, "jobs", store_scene_on_row, free_in_done, f);
    hs_reactor_run(f->reactor);
    assert_null(f->store);
}

static void store__free_ends_what_is_pending(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    f->n_wanted = 99;
    hs_store_load(f->store, "jobs", store_scene_on_row, store_scene_on_done, f);
    hs_store_get(f->store, "jobs", "1", store_scene_on_row, store_scene_on_done, f);
    hs_store_scan(f->store, "jobs", store_scene_on_row, store_scene_on_done, f);
    hs_store_free(f->store);
    f->store = NULL;
    assert_int_equal(f->n_done, 3);
    assert_int_equal(f->rc, -HS_E_UNAVAILABLE);
}

/* ---- redis alone ---- */

static void store_redis__is_durable_with_appendfsync_always_only(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    redisReply *reply;

    assert_null(hs_store_get_weakness(f->store));
    reply = hs_redis_server_command(store_scene_server, "CONFIG SET appendfsync everysec");
    freeReplyObject(reply);
    hs_store_free(f->store);
    assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                        hs_redis_server_get_url(store_scene_server), "t", &f->store,
                                        NULL),
                     0);
    store_scene_wait_until_up_is(f, true);
    reply = hs_redis_server_command(store_scene_server, "CONFIG SET appendfsync always");
    freeReplyObject(reply);
    assert_non_null(strstr(hs_store_get_weakness(f->store), "everysec"));
}

static void store_redis__uses_the_documented_keys(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    redisReply *reply;

    assert_int_equal(store_scene_put(f, "12", "{}"), 0);
    assert_int_equal(
        store_scene_commit(f, &(struct hs_store_op){HS_STORE_APPEND, "journal", NULL, "x"}, 1), 0);
    reply = hs_redis_server_command(store_scene_server, "HGET %s 12", "hs:{t}:jobs");
    assert_string_equal(reply->str, "1:c1b463dc:{}");
    freeReplyObject(reply);
    reply = hs_redis_server_command(store_scene_server, "XLEN %s", "hs:{t}:journal");
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

static void store_redis__foreign_type_is_a_protocol_error(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "intents", "1", "{}"},
        {HS_STORE_PUT, "jobs", "1", "{}"},
    };

    freeReplyObject(hs_redis_server_command(store_scene_server, "SET %s x", "hs:{t}:jobs"));
    assert_int_equal(store_scene_commit(f, ops, 2), -HS_E_PROTOCOL);
    assert_non_null(strstr(f->text, "WRONGTYPE"));
    assert_string_equal(store_scene_load(f, "intents"), ""); /* all or none */
    assert_false(hs_store_is_up(f->store));
    assert_non_null(strstr(hs_store_get_fault(f->store), "hs:{t}:jobs is a string, not a hash"));
    freeReplyObject(hs_redis_server_command(store_scene_server, "DEL %s", "hs:{t}:jobs"));
    store_scene_wait_until_up_is(f, true);
    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
}

/* What makes a store_scene_server that answers refuse writes, what it says, and what ends it. */
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
    struct store_scene *f = store_scene_ready(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        freeReplyObject(hs_redis_server_command(store_scene_server, cases[i].begin, 0));
        assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_UNAVAILABLE);
        assert_false(hs_store_is_up(f->store));
        assert_non_null(strstr(hs_store_get_fault(f->store), cases[i].fault));
        freeReplyObject(hs_redis_server_command(store_scene_server, cases[i].end, 0));
        store_scene_wait_until_up_is(f, true);
        assert_null(hs_store_get_fault(f->store));
        assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    }
}

static void store_redis__refused_command_discards_the_whole_commit(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    const struct hs_store_op ops[] = {
        {HS_STORE_DELETE, "jobs", "1", NULL}, /* allowed when memory is out */
        {HS_STORE_PUT, "jobs", "2", "{}"},    /* not */
    };

    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET maxmemory 1"));
    assert_int_equal(store_scene_commit(f, ops, 2), -HS_E_UNAVAILABLE);
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET maxmemory 0"));
    store_scene_wait_until_up_is(f, true);
    assert_string_equal(store_scene_load(f, "jobs"), "1={};");
}

static void store_redis__commit_while_down_is_unavailable(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    hs_redis_server_kill(store_scene_server);
    store_scene_wait_until_up_is(f, false);
    assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    assert_true(hs_redis_server_start(store_scene_server));
    store_scene_wait_until_up_is(f, true);
    assert_string_equal(store_scene_load(f, "jobs"), "");
    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
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
    struct store_scene *f = store_scene_ready(state);
    int port = find_port();
    char url[128];
    redisReply *reply;

    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET bind 127.0.0.1"));
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET port %d", port));
    freeReplyObject(hs_redis_server_command(store_scene_server,
                                            "ACL SETUSER me on >p@ss ~hs:* +@all -@dangerous"));
    snprintf(url, sizeof(url), "redis://me:p%%40ss@localhost:%d/2", port);
    hs_store_free(f->store);
    assert_int_equal(
        hs_store_redis_new(hs_reactor_get_executor(f->reactor), url, "t", &f->store, NULL), 0);
    store_scene_wait_until_up_is(f, true);
    store_scene_lead(f);
    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "1={};");
    /* CONFIG is dangerous, so this user may not ask how durable it is. */
    assert_non_null(strstr(hs_store_get_weakness(f->store), "cannot read"));
    reply = hs_redis_server_command(store_scene_server, "EXISTS %s", "hs:{t}:jobs");
    assert_int_equal(reply->integer, 0); /* it is in database 2 */
    freeReplyObject(reply);
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET port 0"));
    freeReplyObject(hs_redis_server_command(store_scene_server, "ACL DELUSER me"));
}

static void store_redis__wrong_password_keeps_it_down(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    int port = find_port();
    char url[128];

    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET bind 127.0.0.1"));
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET port %d", port));
    snprintf(url, sizeof(url), "redis://me:wrong@127.0.0.1:%d", port);
    hs_store_free(f->store);
    assert_int_equal(
        hs_store_redis_new(hs_reactor_get_executor(f->reactor), url, "t", &f->store, NULL), 0);
    f->text[0] = '\0';
    for (int i = 0; i < 500 && strstr(f->text, "WRONGPASS") == NULL; i++) {
        const struct timespec nap = {.tv_nsec = 10000000};

        nanosleep(&nap, NULL);
        assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    }
    assert_non_null(strstr(f->text, "WRONGPASS"));
    assert_null(strstr(f->text, "wrong@"));
    assert_false(hs_store_is_up(f->store));
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET port 0"));
}

struct crash {
    struct store_scene *f;
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
            hs_redis_server_kill(store_scene_server);
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
    struct store_scene *f = store_scene_ready(state);
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
        store_scene_wait_until_up_is(f, false);
        assert_true(hs_redis_server_start(store_scene_server));
        store_scene_wait_until_up_is(f, true);
        for (int i = 0; i < crash.n_acknowledged; i++) {
            redisReply *reply = hs_redis_server_command(store_scene_server, "HGET %s %d.%d",
                                                        "hs:{t}:jobs", round, i);

            assert_int_equal(reply->type, REDIS_REPLY_STRING);
            freeReplyObject(reply);
        }
    }
    assert_true(n_acknowledged >= N_CRASHES);
}

static void store_redis__stopped_server_is_a_timeout_in_time(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    double begun_mono_s = hs_clock_mono_s(f->clock);

    hs_redis_server_pause(store_scene_server);
    assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_TIMEOUT);
    assert_near(hs_clock_mono_s(f->clock) - begun_mono_s, 3.0, 0.5);
    assert_false(hs_store_is_up(f->store));
    assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    hs_redis_server_resume(store_scene_server);
    store_scene_wait_until_up_is(f, true);
}

/* ---- without any store_scene_server ---- */

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
    return cmocka_run_group_tests_name("store contract", tests, store_scene_start_server,
                                       store_scene_stop_server);
}
