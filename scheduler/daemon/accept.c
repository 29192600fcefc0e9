/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/accept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/store/store_lease.h"
#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/reactor.h"
#include "scheduler/daemon/statedir.h"

#define PATIENCE_S 10.0
#define POLL_S     0.05

struct accept {
    struct hs_reactor *reactor;
    struct hs_store *store;
    struct hs_timer *poll;
    double waited_s;
    bool is_asked;
    int rc;
    struct hs_err err;
    struct hs_store_lease lease;
};

static void on_looked(int rc, const struct hs_err *err, const struct hs_store_lease *lease,
                      void *arg)
{
    struct accept *accept = arg;

    accept->rc = rc;
    if (rc == 0) {
        accept->lease = *lease;
    } else {
        accept->err = *err;
    }
    hs_reactor_stop(accept->reactor);
}

static void poll_store(void *arg)
{
    struct accept *accept = arg;
    const char *fault = hs_store_get_fault(accept->store);

    if (hs_store_is_up(accept->store)) {
        hs_store_lease_look(accept->store, on_looked, accept);
        return;
    }
    accept->waited_s += POLL_S;
    if (accept->waited_s > PATIENCE_S) {
        accept->rc = hs_err_set(&accept->err, HS_E_TIMEOUT, "redis", "does not answer%s%s",
                                fault != NULL ? ": " : "", fault != NULL ? fault : "");
        hs_reactor_stop(accept->reactor);
        return;
    }
    hs_executor_timer_set(hs_reactor_get_executor(accept->reactor), accept->poll, POLL_S);
}

static int look(const struct hs_config *config, struct hs_store_lease *ret_lease,
                struct hs_err *err)
{
    const struct hs_redis_access access = hs_config_get_redis_access(&config->redis);
    HS_AUTO(hs_reactor) reactor = NULL;
    HS_AUTO(hs_store) store = NULL;
    struct accept accept = {0};
    int rc = hs_reactor_new(NULL, &reactor, err);

    if (rc == 0) {
        rc = hs_store_redis_new_at(hs_reactor_get_executor(reactor), &access, config->cell, &store,
                                   err);
    }
    if (rc != 0) {
        return rc;
    }
    accept.reactor = reactor;
    accept.store = store;
    accept.poll = hs_executor_timer_add(hs_reactor_get_executor(reactor), 0, poll_store, &accept);
    hs_reactor_run(reactor);
    hs_executor_timer_remove(hs_reactor_get_executor(reactor), accept.poll);
    if (accept.rc != 0) {
        return hs_err_set(err, accept.err.kind, accept.err.where, "%s", accept.err.text);
    }
    *ret_lease = accept.lease;
    return 0;
}

int hs_accept_apply(const struct hs_config *config, struct hs_err *err)
{
    char why[HS_EPOCHFILE_WHY_MAX];
    struct hs_store_lease lease;
    struct hs_epochfile file = {0};
    int rc;

    if (strcmp(config->store, "redis") != 0) {
        return hs_err_set(err, HS_E_INVALID, NULL, "store '%s' keeps no state to accept",
                          config->store);
    }
    rc = look(config, &lease, err);
    if (rc == 0) {
        rc = hs_statedir_make(config->state_dir, err);
    }
    if (rc != 0) {
        return rc;
    }
    if (hs_epochfile_read(config->state_dir, config->cell, &file, err) != 0) {
        /* it cannot say what was led; what is in Redis is taken for it, as the operator wants */
        (void)snprintf(file.store_id, sizeof(file.store_id), "?");
    } else if (hs_epochfile_check(&file, &lease, why)) {
        printf("nothing to accept: the state in redis may be led as it is\n");
        return 0;
    }
    file.is_accepted = true;
    file.accepted_epoch = lease.epoch;
    (void)snprintf(file.accepted_store_id, sizeof(file.accepted_store_id), "%s", lease.store_id);
    rc = hs_epochfile_write(config->state_dir, config->cell, &file, err);
    if (rc == 0) {
        printf("accepted: epoch %" PRIu64 " of store '%s'; this host had led epoch %" PRIu64
               " of store '%s'. What was written in between is lost.\n",
               lease.epoch, lease.store_id, file.epoch, file.store_id);
    }
    return rc;
}
