/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * lease - whether this hschedd leads its cell: waits for the lease, holds it, and knows when to
 * stop acting.
 *
 * promises.md, "Leadership and state". The store fences writes by epoch; this adds what a store
 * cannot do: a waiting hschedd watches the holder's beats by its own CLOCK_BOOTTIME and takes over
 * after a whole lease without one, the holder stops acting after two thirds of one (the last
 * third is for a call that is under way), and a state that is older than what this host has led is
 * refused. No wall clock counts. Loop thread only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/store/store_lease.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"

#define HS_LEASE_S       15.0 /* real; hschedd.json's lease_s unless it says otherwise */
#define HS_LEASE_WHY_MAX 640

struct hs_lease;

enum hs_lease_role {
    HS_LEASE_STARTING, /* the store has not answered yet */
    HS_LEASE_STANDBY,  /* another leads */
    HS_LEASE_REFUSED,  /* the state is not one to lead: get_why() */
    HS_LEASE_LEADER,
};

struct hs_lease_options {
    struct hs_executor *executor; /* kept */
    const struct hs_clock *clock; /* real time; kept */
    struct hs_store *store;       /* kept */
    const char *cell;             /* kept */
    const char *state_dir;        /* kept; NULL where nothing outlives the process */
    double lease_s;
    /* we lead from now on, with get_epoch() and get_store_id() */
    void (*led)(void *arg);
    /* we led and do not any more: nothing may be decided on what is in memory */
    void (*lost)(void *arg, const struct hs_err *err);
    void *arg;
};

/**
 * Begin to try. Owned by the caller.
 *
 * @return 0 or -HS_E_SYSTEM (the state directory cannot be used)
 */
int hs_lease_new(const struct hs_lease_options *options, struct hs_lease **ret_lease,
                 struct hs_err *err);

/** May an action be begun at this moment? To be asked just before every call of a compute port. */
bool hs_lease_may_act(const struct hs_lease *lease);

/**
 * This thread will be busy for a while: show a beat now, if the last is older than @age_s.
 *
 * @return true if one is on its way; it leaves with the next turn of the loop
 */
bool hs_lease_beat(struct hs_lease *lease, double age_s);

enum hs_lease_role hs_lease_get_role(const struct hs_lease *lease);

/** "starting", "standby", "refused" or "leader". Static. */
const char *hs_lease_role_word(enum hs_lease_role role);

/** One sentence on why we do not lead or may not act, and what would help; or NULL. Borrowed. */
const char *hs_lease_get_why(const struct hs_lease *lease);

/** JSON of who leads as far as is known, ourselves included: host, pid, since; "" if nobody. */
const char *hs_lease_get_holder(const struct hs_lease *lease);

/** Of our leadership; 0 and "" unless we lead. */
uint64_t hs_lease_get_epoch(const struct hs_lease *lease);
const char *hs_lease_get_store_id(const struct hs_lease *lease);

/**
 * A machine of ours carries @epoch, which is newer than ours: the state is older than it. Write
 * that down, give the lease back, and call lost.
 *
 * @param where  the machine and its host, for the message
 */
void hs_lease_refuse_epoch(struct hs_lease *lease, uint64_t epoch, const char *where);

/** What was read cannot be led, for the reason @why: give the lease back, try again in a minute. */
void hs_lease_step_back(struct hs_lease *lease, const char *why);

/** Give the lease back, so that the next need not wait; then call @done, within seconds. */
void hs_lease_release(struct hs_lease *lease, void (*done)(void *arg), void *arg);

/** Accepts NULL. After the store was freed, whose calls end in here. */
void hs_lease_free(struct hs_lease *lease);
HS_DEFINE_AUTO(hs_lease);
