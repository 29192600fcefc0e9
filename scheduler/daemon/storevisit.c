/* SPDX-License-Identifier: Apache-2.0 */
/* storevisit - each call begins, runs the reactor, and ends it with its answer. */
#include "scheduler/daemon/storevisit.h"

#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/reactor.h"

#define PATIENCE_S 10.0
#define POLL_S     0.05

struct hs_storevisit {
    struct hs_reactor *reactor;
    struct hs_store *store;
    struct hs_timer *timer; /* ends a run */
    int rc;                 /* of the last call, as below */
    struct hs_err err;
    struct hs_store_lease lease;
    hs_store_row_fn *row; /* of the reading call that runs */
    void *row_arg;
};

static void on_timer(void *arg)
{
    hs_storevisit_end_run(arg);
}

static void on_row(const char *key, const char *text, void *arg)
{
    struct hs_storevisit *visit = arg;

    visit->row(key, text, visit->row_arg);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    struct hs_storevisit *visit = arg;

    visit->rc = rc;
    if (rc != 0) {
        visit->err = *err;
    }
    hs_storevisit_end_run(visit);
}

static void on_lease(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                     void *arg)
{
    struct hs_storevisit *visit = arg;

    if (rc == 0) {
        visit->lease = *lease;
    }
    on_done(rc, err, visit);
}

static void on_damaged(void *arg, const struct hs_store_damage *damage)
{
    HS_LOG_WARN("store", "%s", damage->err.text);
}

/** Run until the call that was begun has ended. @return its rc */
static int finish(struct hs_storevisit *visit, struct hs_err *err)
{
    hs_storevisit_run(visit);
    if (visit->rc != 0 && err != NULL) {
        *err = visit->err;
    }
    return visit->rc;
}

static int wait_until_up(struct hs_storevisit *visit, struct hs_err *err)
{
    for (double waited_s = 0; waited_s < PATIENCE_S; waited_s += POLL_S) {
        if (hs_store_is_up(visit->store)) {
            return 0;
        }
        hs_storevisit_wait(visit, POLL_S);
    }
    return hs_err_set(err, HS_E_TIMEOUT, "redis", "does not answer%s%s",
                      hs_store_get_fault(visit->store) != NULL ? ": " : "",
                      hs_store_get_fault(visit->store) != NULL ? hs_store_get_fault(visit->store)
                                                               : "");
}

int hs_storevisit_new(const struct hs_config *config, struct hs_storevisit **ret_visit,
                      struct hs_err *err)
{
    const struct hs_redis_access access = hs_config_get_redis_access(&config->redis);
    HS_AUTO(hs_storevisit) visit = hs_xcalloc(1, sizeof(*visit));
    int rc;

    if (strcmp(config->store, "redis") != 0) {
        return hs_err_set(err, HS_E_INVALID, NULL, "store '%s' of hschedd.json keeps no state",
                          config->store);
    }
    rc = hs_reactor_new(NULL, &visit->reactor, err);
    if (rc == 0) {
        rc = hs_store_redis_new_at(hs_reactor_get_executor(visit->reactor), &access, config->cell,
                                   &visit->store, err);
    }
    if (rc != 0) {
        return rc;
    }
    visit->timer =
        hs_executor_timer_add(hs_reactor_get_executor(visit->reactor), -1, on_timer, visit);
    hs_store_watch(visit->store, on_damaged, visit);
    rc = wait_until_up(visit, err);
    if (rc == 0) {
        *ret_visit = HS_STEAL(visit);
    }
    return rc;
}

struct hs_store *hs_storevisit_get_store(struct hs_storevisit *visit)
{
    return visit->store;
}

void hs_storevisit_run(struct hs_storevisit *visit)
{
    hs_reactor_run(visit->reactor);
}

void hs_storevisit_end_run(struct hs_storevisit *visit)
{
    hs_reactor_stop(visit->reactor);
}

int hs_storevisit_look(struct hs_storevisit *visit, struct hs_store_lease *ret_lease,
                       struct hs_err *err)
{
    int rc;

    hs_store_lease_look(visit->store, on_lease, visit);
    rc = finish(visit, err);
    *ret_lease = visit->lease;
    return rc;
}

int hs_storevisit_acquire(struct hs_storevisit *visit, const struct hs_store_claim *claim,
                          struct hs_store_lease *ret_lease, struct hs_err *err)
{
    int rc;

    hs_store_lease_acquire(visit->store, claim, on_lease, visit);
    rc = finish(visit, err);
    *ret_lease = visit->lease;
    return rc;
}

int hs_storevisit_renew(struct hs_storevisit *visit, struct hs_err *err)
{
    hs_store_lease_renew(visit->store, on_lease, visit);
    return finish(visit, err);
}

int hs_storevisit_release(struct hs_storevisit *visit, struct hs_err *err)
{
    hs_store_lease_release(visit->store, on_lease, visit);
    return finish(visit, err);
}

int hs_storevisit_commit(struct hs_storevisit *visit, const struct hs_store_op *ops, size_t n_ops,
                         struct hs_err *err)
{
    hs_store_commit(visit->store, ops, n_ops, on_done, visit);
    return finish(visit, err);
}

int hs_storevisit_scan(struct hs_storevisit *visit, const char *table, hs_store_row_fn *row,
                       void *arg, struct hs_err *err)
{
    visit->row = row;
    visit->row_arg = arg;
    hs_store_scan(visit->store, table, on_row, on_done, visit);
    return finish(visit, err);
}

int hs_storevisit_tail(struct hs_storevisit *visit, const char *log, size_t n_max,
                       hs_store_row_fn *row, void *arg, struct hs_err *err)
{
    visit->row = row;
    visit->row_arg = arg;
    hs_store_tail(visit->store, log, n_max, on_row, on_done, visit);
    return finish(visit, err);
}

void hs_storevisit_wait(struct hs_storevisit *visit, double after_s)
{
    hs_executor_timer_set(hs_reactor_get_executor(visit->reactor), visit->timer, after_s);
    hs_storevisit_run(visit);
}

void hs_storevisit_free(struct hs_storevisit *visit)
{
    if (visit == NULL) {
        return;
    }
    hs_store_free(visit->store);
    if (visit->timer != NULL) {
        hs_executor_timer_remove(hs_reactor_get_executor(visit->reactor), visit->timer);
    }
    hs_reactor_free(visit->reactor);
    free(visit);
}
