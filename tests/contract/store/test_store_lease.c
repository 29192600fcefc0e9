/* SPDX-License-Identifier: Apache-2.0 */
/* What every store does about the lease, and Redis about its functions and damaged records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "adapters/store/record.h"
#include "adapters/store/store_redis_priv.h"
#include "scheduler/base/mem.h"
#include "tests/contract/store/store_scene.h"

/* ---- the lease ---- */

static void lease__is_given_as_it_was_seen_and_not_otherwise(void **state)
{
    struct store_scene *f = store_scene_up(state);

    assert_int_equal(store_scene_look(f), 0);
    assert_int_equal(f->lease.epoch, 0);
    assert_string_equal(f->lease.holder, "");
    assert_string_equal(f->lease.store_id, "");
    assert_int_equal(store_scene_acquire(f, "first"), 0);
    assert_int_equal(f->lease.epoch, 1);
    assert_string_equal(f->lease.holder, "first");
    assert_string_equal(f->lease.store_id, "cafe");
    f->lease.beat--; /* as one who looked before that */
    assert_int_equal(store_scene_acquire(f, "second"), -HS_E_STALE);
    assert_string_equal(f->lease.holder, "first");
    assert_int_equal(store_scene_acquire(f, "second"), 0); /* now it has been seen */
    assert_int_equal(f->lease.epoch, 2);
    assert_string_equal(f->lease.holder, "second");
    assert_int_equal(store_scene_acquire_after(f, "third", 40), 0);
    assert_int_equal(f->lease.epoch, 41);
    assert_int_equal(store_scene_look(f), 0);
    assert_string_equal(f->lease.holder, "third");
}

static void lease__shows_a_beat_at_each_renewal(void **state)
{
    struct store_scene *f = store_scene_up(state);
    uint64_t beat;

    assert_int_equal(store_scene_renew(f), -HS_E_STALE); /* not ours yet */
    assert_int_equal(store_scene_look(f), 0);
    assert_int_equal(store_scene_acquire(f, "one"), 0);
    beat = f->lease.beat;
    assert_int_equal(store_scene_renew(f), 0);
    assert_int_equal(f->lease.beat, beat + 1);
    assert_int_equal(f->lease.epoch, 1);
    f->store->epoch = 7; /* as one of another epoch */
    assert_int_equal(store_scene_renew(f), -HS_E_STALE);
    assert_int_equal(store_scene_look(f), 0);
    assert_int_equal(f->lease.beat, beat + 1);
}

static void lease__is_free_once_it_was_released(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    assert_int_equal(store_scene_release(f), 0);
    assert_string_equal(f->lease.holder, "");
    assert_int_equal(f->lease.epoch, 1); /* that never ends */
    assert_int_equal(store_scene_put(f, "1", "{\"late\":1}"), -HS_E_STALE);
    assert_int_equal(store_scene_release(f), -HS_E_STALE);
    assert_string_equal(store_scene_load(f, "jobs"), "1={};");
    assert_int_equal(store_scene_acquire(f, "next"), 0);
    assert_int_equal(f->lease.epoch, 2);
    assert_int_equal(store_scene_put(f, "1", "{\"next\":1}"), 0);
}

static void lease__commit_of_another_epoch_writes_nothing(void **state)
{
    const struct hs_store_op ops[] = {
        {HS_STORE_PUT, "jobs", "1", "{\"stale\":1}"},
        {HS_STORE_DELETE, "jobs", "2", NULL},
        {HS_STORE_APPEND, "journal", NULL, "{\"stale\":1}"},
    };
    static const uint64_t epochs[] = {0, 1, 3};
    struct store_scene *f = store_scene_up(state);

    assert_int_equal(store_scene_commit(f, ops, 3), -HS_E_STALE); /* nobody has led yet */
    assert_non_null(strstr(f->text, "without the lease"));
    assert_int_equal(store_scene_look(f), 0);
    assert_int_equal(store_scene_acquire(f, "one"), 0);
    assert_int_equal(store_scene_acquire(f, "two"), 0);
    assert_int_equal(store_scene_put(f, "2", "{}"), 0);
    for (size_t i = 0; i < 3; i++) {
        f->store->epoch = epochs[i];
        assert_int_equal(store_scene_commit(f, ops, 3), -HS_E_STALE);
        assert_int_equal(store_scene_commit(f, &ops[1], 1), -HS_E_STALE);
    }
    assert_string_equal(store_scene_load(f, "jobs"), "2={};");
    assert_string_equal(store_scene_tail(f, 9), "");
}

/* ---- redis alone ---- */

static void store_redis__stale_writer_is_fenced_by_the_function_alone(void **state)
{
    /* The guard's removal: the same library, newer, with the check of the epoch taken out. */
    static const char guard[] = "lease.holder ~= '' and lease.epoch == tonumber(epoch)\n"
                                "        and lease.writes >= tonumber(writes)";
    struct store_scene *f = store_scene_ready(state);
    HS_AUTO_MEM char *weak = hs_xstrdup(hs_store_redis_functions_text);
    char *at = strstr(weak, guard);
    redisReply *reply;

    assert_int_equal(store_scene_acquire(f, "next"), 0);
    f->store->epoch = 1;
    assert_int_equal(store_scene_put(f, "1", "{\"stale\":1}"), -HS_E_STALE);
    assert_string_equal(store_scene_load(f, "jobs"), "");
    assert_non_null(at);
    memset(at, ' ', strlen(guard));
    memcpy(at, "true", 4);
    reply = hs_redis_server_command(store_scene_server, "FUNCTION LOAD REPLACE %s", weak);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    freeReplyObject(reply);
    assert_int_equal(store_scene_put(f, "1", "{\"stale\":1}"), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "1={\"stale\":1};");
    freeReplyObject(hs_redis_server_command(store_scene_server, "FUNCTION FLUSH"));
}

/* As it is in hsched.lua. */
static int own_version(void)
{
    static const char mark[] = "local VERSION = ";

    return atoi(strstr(hs_store_redis_functions_text, mark) + strlen(mark));
}

static void store_redis__commit_after_a_rollback_is_refused(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    assert_int_equal(store_scene_put(f, "2", "{}"), 0);
    /* as if Redis had come back with what it held before the second one */
    freeReplyObject(hs_redis_server_command(store_scene_server, "HDEL %s 2", "hs:{t}:jobs"));
    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HINCRBY %s writes -1", "hs:{t}:lease"));
    assert_int_equal(store_scene_put(f, "3", "{}"), -HS_E_STALE);
    assert_non_null(strstr(f->text, "rolled back: of 2 writes it shows 1"));
    assert_int_equal(store_scene_renew(f), -HS_E_STALE);
    assert_string_equal(store_scene_load(f, "jobs"), "1={};");
}

static long long ask_version(void)
{
    redisReply *reply = hs_redis_server_command(store_scene_server, "FCALL_RO hsched_version 0");
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
    freeReplyObject(hs_redis_server_command(store_scene_server, "FUNCTION LOAD REPLACE %s", text));
    assert_int_equal(ask_version(), version - '0');
}

static void reopen(struct store_scene *f)
{
    hs_store_free(f->store);
    assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                        hs_redis_server_get_url(store_scene_server), "t", &f->store,
                                        NULL),
                     0);
    store_scene_wait_until_up_is(f, true);
}

static void store_redis__library_is_loaded_over_an_older_one_only(void **state)
{
    struct store_scene *f = store_scene_up(state);

    assert_true(own_version() > 0 && own_version() < 9); /* else say newer otherwise here */
    assert_int_equal(ask_version(), own_version());
    load_version('0');
    reopen(f);
    assert_int_equal(ask_version(), own_version());
    load_version('9');
    reopen(f);
    assert_int_equal(ask_version(), 9);
    store_scene_lead(f);
    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(store_scene_server, "FUNCTION FLUSH"));
}

static void store_redis__library_that_is_removed_comes_back(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    freeReplyObject(hs_redis_server_command(store_scene_server, "FUNCTION FLUSH"));
    assert_int_equal(store_scene_put(f, "1", "{}"), -HS_E_UNAVAILABLE);
    assert_false(hs_store_is_up(f->store));
    store_scene_wait_until_up_is(f, true);
    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
}

static void store_redis__epoch_and_id_of_before_the_lease_go_on(void **state)
{
    struct store_scene *f = store_scene_up(state);

    freeReplyObject(hs_redis_server_command(
        store_scene_server, "HSET %s epoch 12 store_id beef next_id 3", "hs:{t}:meta"));
    store_scene_lead(f);
    assert_int_equal(f->lease.epoch, 13);
    assert_string_equal(f->lease.store_id, "beef");
}

static const struct hs_store_damage *only_damage(struct store_scene *f)
{
    size_t n = 0;
    const struct hs_store_damage *damages = hs_store_get_damages(f->store, &n);

    assert_int_equal(n, 1);
    return damages;
}

static void on_damaged(void *arg, const struct hs_store_damage *damage)
{
    struct store_scene *f = arg;

    f->n_damaged++;
    assert_non_null(strstr(damage->err.text, damage->key));
}

static void store_redis__damaged_record_is_told_once_and_left_alone(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    redisReply *reply;

    hs_store_watch(f->store, on_damaged, f);
    assert_int_equal(store_scene_put(f, "1", "{\"a\":1}"), 0);
    assert_int_equal(store_scene_put(f, "2", "{\"a\":2}"), 0);
    reply = hs_redis_server_command(store_scene_server, "HGET %s 1", "hs:{t}:jobs");
    reply->str[strlen(reply->str) - 2] = '7'; /* one byte of it: {"a":7} */
    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s 1 %s", "hs:{t}:jobs", reply->str));
    assert_string_equal(store_scene_load(f, "jobs"), "2={\"a\":2};");
    assert_string_equal(store_scene_load(f, "jobs"), "2={\"a\":2};");
    f->rows[0] = '\0';
    hs_store_get(f->store, "jobs", "1", store_scene_on_row, store_scene_on_done, f);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, -HS_E_PROTOCOL); /* it is not absent */
    assert_string_equal(f->rows, "");
    assert_int_equal(f->n_damaged, 1);
    assert_string_equal(only_damage(f)->table, "jobs");
    assert_string_equal(only_damage(f)->key, "1");
    assert_string_equal(only_damage(f)->sealed, reply->str);
    freeReplyObject(reply);
    reply = hs_redis_server_command(store_scene_server, "HGET %s 1", "hs:{t}:jobs");
    assert_string_equal(reply->str, only_damage(f)->sealed);
    freeReplyObject(reply);
}

static void store_redis__record_under_another_key_is_damaged(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    redisReply *reply;

    assert_int_equal(store_scene_put(f, "1", "{\"a\":1}"), 0);
    reply = hs_redis_server_command(store_scene_server, "HGET %s 1", "hs:{t}:jobs");
    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s 3 %s", "hs:{t}:jobs", reply->str));
    freeReplyObject(reply);
    assert_string_equal(store_scene_load(f, "jobs"), "1={\"a\":1};");
    assert_string_equal(only_damage(f)->key, "3");
}

static void store_redis__damaged_record_is_kept_when_its_place_is_taken(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    size_t n = 1;

    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s 1 %s", "hs:{t}:jobs", "1:00:{x}"));
    assert_string_equal(store_scene_load(f, "jobs"), "");
    assert_int_equal(store_scene_put(f, "1", "{\"new\":1}"), 0);
    assert_string_equal(store_scene_load(f, "jobs"), "1={\"new\":1};");
    assert_non_null(
        strstr(store_scene_load(f, "quarantine"), "jobs/1={\"table\":\"jobs\",\"key\":\"1\""));
    assert_non_null(strstr(f->rows, "\"record\":\"1:00:{x}\""));
    assert_int_equal(store_scene_put(f, "1", "{\"new\":2}"), 0);
    (void)hs_store_get_damages(f->store, &n);
    assert_int_equal(n, 0);
}

static void store_redis__record_of_a_newer_schema_ends_the_reading(void **state)
{
    struct store_scene *f = store_scene_ready(state);
    HS_AUTO_MEM char *sealed = hs_record_seal(HS_RECORD_SCHEMA + 1, "jobs", "1", "{}");

    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s 1 %s", "hs:{t}:jobs", sealed));
    hs_store_scan(f->store, "jobs", store_scene_on_row, store_scene_on_done, f);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, -HS_E_UNSUPPORTED);
    assert_non_null(strstr(f->text, "run the newer one"));
    assert_string_equal(f->rows, "");
}

static void store_redis__record_of_before_envelopes_is_read(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s 1 %s", "hs:{t}:jobs", "{\"a\":1}"));
    freeReplyObject(
        hs_redis_server_command(store_scene_server, "HSET %s next_id 12", "hs:{t}:meta"));
    assert_string_equal(store_scene_load(f, "jobs"), "1={\"a\":1};");
    assert_string_equal(store_scene_load(f, "meta"), "next_id=12;");
}

static void store_redis__deletes_land_when_memory_is_out(void **state)
{
    struct store_scene *f = store_scene_ready(state);

    assert_int_equal(store_scene_put(f, "1", "{}"), 0);
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET maxmemory 1"));
    assert_int_equal(store_scene_put(f, "2", "{}"), -HS_E_UNAVAILABLE);
    assert_int_equal(
        store_scene_commit(f, &(struct hs_store_op){HS_STORE_DELETE, "jobs", "1", NULL}, 1), 0);
    assert_int_equal(store_scene_renew(f), 0);
    freeReplyObject(hs_redis_server_command(store_scene_server, "CONFIG SET maxmemory 0"));
    assert_string_equal(store_scene_load(f, "jobs"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests_name("store lease", tests, store_scene_start_server,
                                       store_scene_stop_server);
}
