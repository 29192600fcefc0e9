/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * store_scene - one store of one backend, and calls of it that wait for their end.
 *
 * What the contract tests of the store share. The backend is a row: BACKEND_MEM or BACKEND_REDIS.
 */

#include <stdbool.h>
#include <stddef.h>

#include "adapters/store/store.h"
#include "adapters/store/store_lease.h"
#include "scheduler/base/clock.h"
#include "scheduler/daemon/reactor.h"
#include "tests/support/redis_server.h"

enum store_scene_backend { BACKEND_MEM, BACKEND_REDIS };

struct store_scene {
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

extern struct hs_redis_server *store_scene_server; /* NULL: none installed */
extern enum store_scene_backend store_scene_rows[];

/** A store of the backend in *@state, which becomes the scene; Redis is emptied. */
int store_scene_setup(void **state);
int store_scene_teardown(void **state);

/** For up to 10 s: promises.md, back within 10 s. */
void store_scene_wait_until_up_is(struct store_scene *f, bool wants_up);
void store_scene_on_lease(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                          void *arg);

/** Until @n_wanted calls have ended. */
void store_scene_wait_for(struct store_scene *f, int n_wanted);

/** Read the lease into scene->lease. @return its rc; the same for the calls below */
int store_scene_look(struct store_scene *f);
int store_scene_acquire_after(struct store_scene *f, const char *holder, uint64_t min_epoch);
int store_scene_acquire(struct store_scene *f, const char *holder);

/** The scene once its store is up, nobody leading; skips where there is no Redis. */
struct store_scene *store_scene_up(void **state);

/** Take the lease. */
void store_scene_lead(struct store_scene *f);

/** The same, leading. */
struct store_scene *store_scene_ready(void **state);

/** hs_store_done_fn that counts; for wait_for(). */
void store_scene_on_done(int rc, const struct hs_err *err, void *arg);

/** hs_store_row_fn that appends "key=text;" to scene->rows. */
void store_scene_on_row(const char *key, const char *text, void *arg);
void store_scene_on_text(const char *key, const char *text, void *arg);

/** @return its rc, when it has ended */
int store_scene_commit(struct store_scene *f, const struct hs_store_op *ops, size_t n_ops);
int store_scene_put(struct store_scene *f, const char *key, const char *text);

/** Rows of @table as "key=text;" each, borrowed; the same for the calls below. */
const char *store_scene_load(struct store_scene *f, const char *table);
const char *store_scene_tail(struct store_scene *f, size_t n_max);
const char *store_scene_get(struct store_scene *f, const char *table, const char *key);
int store_scene_renew(struct store_scene *f);
int store_scene_release(struct store_scene *f);

/** A redis-server for the whole group, where one is installed. */
int store_scene_start_server(void **state);
int store_scene_stop_server(void **state);

#define CASE(fn, row)                                                            \
    {                                                                            \
#fn, fn, store_scene_setup, store_scene_teardown, &store_scene_rows[row] \
    }
#define ALL(fn) CASE(fn, BACKEND_MEM), CASE(fn, BACKEND_REDIS)
