/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** daemon_priv - what daemon.c and awaken.c share. */

#include "adapters/store/store.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/daemon.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/fences.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/daemon/learned.h"
#include "scheduler/daemon/lease.h"
#include "scheduler/daemon/outbound.h"
#include "scheduler/daemon/planclock.h"
#include "scheduler/daemon/plantset.h"
#include "scheduler/daemon/recall.h"
#include "scheduler/daemon/reconcile.h"
#include "scheduler/daemon/storewatch.h"
#include "scheduler/daemon/sweep.h"
#include "scheduler/daemon/upkeep.h"
#include "scheduler/daemon/weatherwatch.h"

/** A request that is answered when the next step is durable. */
struct hs_daemon_waiter {
    uint64_t job_id;
    hs_daemon_done_fn *done;
    void *arg;
    bool is_durable; /* it is so already; the step matters only for what it decides */
};

typedef HS_VEC(struct hs_daemon_waiter) hs_daemon_waiters;

struct hs_daemon {
    const struct hs_config *config;
    struct hs_executor *executor;
    void (*fatal)(void *arg, const struct hs_err *err);
    void *fatal_arg;

    struct hs_clock *real_clock;
    struct hs_store *store;
    struct hs_storewatch *storewatch;
    struct hs_lease *lease;
    struct hs_intake *intake;
    struct hs_repeat *repeat;
    struct hs_recall *recall; /* NULL before we lead, and once done */

    /* from here on NULL until the store has been read */
    struct hs_planclock *planclock;
    struct hs_clock *clock; /* of planclock */
    struct hs_cycle *cycle;
    struct hs_learned *learned;
    struct hs_upkeep *upkeep;
    const struct hs_series **heat_by_sink; /* [n_sinks] */
    struct hs_plantset *plants;            /* where readings come from */
    struct hs_outbound *outbound;          /* what they are told */
    struct hs_history *history;
    struct hs_fleet *fleet;
    struct hs_localintent *localintent; /* NULL with a store that forgets anyway */
    struct hs_enact *enact;
    struct hs_reconcile *reconcile;
    struct hs_fences *fences;
    struct hs_sweep *sweep;
    struct hs_weatherwatch *weather;
    struct hs_timer *tick;

    struct hs_inbox inbox;
    hs_daemon_waiters waiters;
    uint64_t epoch;
    char store_id[40];
    uint64_t next_id;
    size_t n_read; /* jobs of the store when it was read */
    int64_t accounted_slot;
    double ticked_mono_s; /* when the last tick began */
    double tick_s;        /* how long it took */
    bool is_due;
    bool has_stepped; /* the cycle has seen what the store remembers */
    bool is_stopping; /* what was learned is being written, the lease given back */
    void (*stopped)(void *arg);
    void *stopped_arg;
    bool is_closing;
};

/** A tick is due soon. @param arg  the daemon */
void hs_daemon_make_due(void *arg);

/** One tick. @param arg  the daemon */
void hs_daemon_tick(void *arg);

/** A job is over for good. @param arg  the daemon */
void hs_daemon_note_end(void *arg, const struct hs_job *job);

/** Jobs and what belongs to them, out of @memory; then @done with the daemon. */
void hs_daemon_revive(struct hs_daemon *daemon, struct hs_recall_memory *memory,
                      hs_executor_fn *done);

/** Come to life with what the store remembers, or not: hs_recall_done_fn. @param arg  the daemon */
void hs_daemon_awaken(struct hs_recall_memory *memory, const struct hs_err *err, void *arg);
