/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/store/store_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "scheduler/base/mem.h"

struct hs_redis_server *store_scene_server;

enum store_scene_backend store_scene_rows[] = {BACKEND_MEM, BACKEND_REDIS};

int store_scene_setup(void **state)
{
    struct store_scene *f = hs_xcalloc(1, sizeof(*f));
    enum store_scene_backend backend = *(enum store_scene_backend *)*state;

    *state = f;
    assert_int_equal(hs_reactor_new(NULL, &f->reactor, NULL), 0);
    f->clock = hs_clock_new_real();
    if (backend == BACKEND_MEM) {
        f->store = hs_store_mem_new(hs_reactor_get_executor(f->reactor));
    } else if (store_scene_server != NULL) {
        redisReply *reply = hs_redis_server_command(store_scene_server, "FLUSHALL");

        freeReplyObject(reply);
        assert_int_equal(hs_store_redis_new(hs_reactor_get_executor(f->reactor),
                                            hs_redis_server_get_url(store_scene_server), "t",
                                            &f->store, NULL),
                         0);
    }
    return 0;
}

int store_scene_teardown(void **state)
{
    struct store_scene *f = *state;

    hs_store_free(f->store);
    hs_clock_free(f->clock);
    hs_reactor_free(f->reactor);
    free(f);
    return 0;
}

static void poll_state(void *arg)
{
    struct store_scene *f = arg;

    f->is_late = hs_clock_mono_s(f->clock) > f->patience_mono_s;
    if (hs_store_is_up(f->store) == f->wants_up || f->is_late) {
        hs_reactor_stop(f->reactor);
    } else {
        hs_executor_timer_set(hs_reactor_get_executor(f->reactor), f->poll, 0.01);
    }
}

void store_scene_wait_until_up_is(struct store_scene *f, bool wants_up)
{
    f->wants_up = wants_up;
    f->patience_mono_s = hs_clock_mono_s(f->clock) + 10.0; /* promises.md: back within 10 s */
    f->poll = hs_executor_timer_add(hs_reactor_get_executor(f->reactor), 0.0, poll_state, f);
    hs_reactor_run(f->reactor);
    hs_executor_timer_remove(hs_reactor_get_executor(f->reactor), f->poll);
    assert_false(f->is_late);
}

void store_scene_on_lease(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                          void *arg)
{
    struct store_scene *f = arg;

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

void store_scene_wait_for(struct store_scene *f, int n_wanted)
{
    if (f->n_done < n_wanted) {
        f->n_wanted = n_wanted;
        hs_reactor_run(f->reactor);
    }
    f->n_wanted = 0;
    f->n_done = 0;
}

int store_scene_look(struct store_scene *f)
{
    hs_store_lease_look(f->store, store_scene_on_lease, f);
    assert_int_equal(f->n_done, 0); /* never inside the call */
    store_scene_wait_for(f, 1);
    return f->rc;
}

int store_scene_acquire_after(struct store_scene *f, const char *holder, uint64_t min_epoch)
{
    const struct hs_store_claim claim = {.seen_epoch = f->lease.epoch,
                                         .seen_beat = f->lease.beat,
                                         .min_epoch = min_epoch,
                                         .store_id = "cafe",
                                         .holder = holder};

    hs_store_lease_acquire(f->store, &claim, store_scene_on_lease, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    return f->rc;
}

int store_scene_acquire(struct store_scene *f, const char *holder)
{
    return store_scene_acquire_after(f, holder, 0);
}

/* Up, but nobody leads. */
struct store_scene *store_scene_up(void **state)
{
    struct store_scene *f = *state;

    if (f->store == NULL) {
        print_message("no redis-server installed\n");
        skip();
    }
    store_scene_wait_until_up_is(f, true);
    return f;
}

void store_scene_lead(struct store_scene *f)
{
    assert_int_equal(store_scene_look(f), 0);
    assert_int_equal(store_scene_acquire(f, "test"), 0);
}

struct store_scene *store_scene_ready(void **state)
{
    struct store_scene *f = store_scene_up(state);

    store_scene_lead(f);
    return f;
}

void store_scene_on_done(int rc, const struct hs_err *err, void *arg)
{
    struct store_scene *f = arg;

    f->rc = rc;
    snprintf(f->text, sizeof(f->text), "%s", err != NULL ? err->text : "");
    assert_true((rc < 0) == (err != NULL));
    if (++f->n_done == f->n_wanted) {
        hs_reactor_stop(f->reactor);
    }
}

void store_scene_on_row(const char *key, const char *text, void *arg)
{
    struct store_scene *f = arg;
    size_t n = strlen(f->rows);

    f->n_rows++;
    snprintf(f->rows + n, sizeof(f->rows) - n, "%s=%s;", key, text);
}

void store_scene_on_text(const char *key, const char *text, void *arg)
{
    store_scene_on_row("", text, arg); /* a log's ids are the backend's own */
}

int store_scene_commit(struct store_scene *f, const struct hs_store_op *ops, size_t n_ops)
{
    hs_store_commit(f->store, ops, n_ops, store_scene_on_done, f);
    assert_int_equal(f->n_done, 0); /* never inside the call */
    store_scene_wait_for(f, 1);
    return f->rc;
}

int store_scene_put(struct store_scene *f, const char *key, const char *text)
{
    return store_scene_commit(f, &(struct hs_store_op){HS_STORE_PUT, "jobs", key, text}, 1);
}

const char *store_scene_load(struct store_scene *f, const char *table)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_load(f->store, table, store_scene_on_row, store_scene_on_done, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

const char *store_scene_tail(struct store_scene *f, size_t n_max)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_tail(f->store, "journal", n_max, store_scene_on_text, store_scene_on_done, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

const char *store_scene_get(struct store_scene *f, const char *table, const char *key)
{
    f->rows[0] = '\0';
    f->n_rows = 0;
    hs_store_get(f->store, table, key, store_scene_on_row, store_scene_on_done, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    assert_int_equal(f->rc, 0);
    return f->rows;
}

int store_scene_renew(struct store_scene *f)
{
    hs_store_lease_renew(f->store, store_scene_on_lease, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    return f->rc;
}

int store_scene_release(struct store_scene *f)
{
    hs_store_lease_release(f->store, store_scene_on_lease, f);
    assert_int_equal(f->n_done, 0);
    store_scene_wait_for(f, 1);
    return f->rc;
}

int store_scene_start_server(void **state)
{
    store_scene_server = hs_redis_server_new();
    return 0;
}

int store_scene_stop_server(void **state)
{
    hs_redis_server_free(store_scene_server);
    return 0;
}
