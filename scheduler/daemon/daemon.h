/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * daemon - the tick: everything that hschedd decides, it decides here, one step at a time.
 *
 * Owns store, clock, plant, fleet and cycle. Callbacks of all of them only record; the tick then
 * senses, steps the cycle, enacts and accounts (docs/architecture.md, "The reactor"). Until the
 * store has been read once it is not ready and knows nothing. Loop thread only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/executor.h"
#include "scheduler/core/cycle.h"
#include "scheduler/daemon/config.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/intake.h"
#include "scheduler/daemon/repeat.h"

#define HS_DAEMON_SENSE_PERIOD_S 10.0 /* plan s; architecture.md, "The reactor" */

struct hs_daemon;
struct hs_lease;
struct hs_store_damage;
struct hs_plantset;
struct hs_upkeep;

/** How a request ended; @job_id is the job's, 0 if there is none. */
typedef void hs_daemon_done_fn(int rc, const struct hs_err *err, uint64_t job_id, void *arg);

/**
 * Connect to the store and begin as soon as it answers.
 *
 * @param config      kept
 * @param executor    kept
 * @param fatal       called when a start-up step fails for good, with its error, or with
 *                    -HS_E_STALE when another leads from now on: then free it and begin anew; kept
 * @param ret_daemon  owned by the caller on success
 * @return 0 or -HS_E_INVALID (a malformed url)
 */
int hs_daemon_new(const struct hs_config *config, struct hs_executor *executor,
                  void (*fatal)(void *arg, const struct hs_err *err), void *arg,
                  struct hs_daemon **ret_daemon, struct hs_err *err);

/** NULL until the store has been read. Borrowed. */
const struct hs_cycle *hs_daemon_get_cycle(const struct hs_daemon *daemon);

/** NULL until the store has been read. Borrowed. */
const struct hs_clock *hs_daemon_get_clock(const struct hs_daemon *daemon);

/** Wall time less plan time while it is not followed, s; else 0. */
double hs_daemon_get_wall_off_s(const struct hs_daemon *daemon);

const struct hs_config *hs_daemon_get_config(const struct hs_daemon *daemon);

bool hs_daemon_is_store_up(const struct hs_daemon *daemon);

/** Whether we lead, and if not, why. Borrowed. */
const struct hs_lease *hs_daemon_get_lease(const struct hs_daemon *daemon);

/** Why the store is down, as far as is known, or NULL. Borrowed. */
const char *hs_daemon_get_store_fault(const struct hs_daemon *daemon);

/** Records of the store that cannot be opened; [*ret_n] borrowed. */
const struct hs_store_damage *hs_daemon_get_damages(const struct hs_daemon *daemon, size_t *ret_n);

/** Why an acknowledged write might still be lost and what to set, or NULL. Borrowed. */
const char *hs_daemon_get_store_weakness(const struct hs_daemon *daemon);

/** Jobs that have been read from the store, so far or in all: how far the start has come. */
size_t hs_daemon_get_n_read(const struct hs_daemon *daemon);

/** Jobs that are over; NULL until the store has been read. Borrowed. */
struct hs_history *hs_daemon_get_history(const struct hs_daemon *daemon);

/** Let the cycle know jobs of the history again, then call @done, later. @param ids [n] borrowed */
void hs_daemon_bring(struct hs_daemon *daemon, const uint64_t *ids, size_t n,
                     hs_daemon_done_fn *done, void *arg);

/**
 * Is @job_id durable and not taken in by the cycle yet? Then @done is called once it is.
 *
 * @return false if it is not on its way; @done is not called
 */
bool hs_daemon_await(struct hs_daemon *daemon, uint64_t job_id, hs_daemon_done_fn *done, void *arg);

/** Requests that were answered before. Borrowed. */
struct hs_repeat *hs_daemon_get_repeat(const struct hs_daemon *daemon);

/** Maintenance that people have told us of; NULL until the store has been read. Borrowed. */
struct hs_upkeep *hs_daemon_get_upkeep(const struct hs_daemon *daemon);

/** What is read of buildings and told to them; NULL until the store has been read. Borrowed. */
struct hs_plantset *hs_daemon_get_plants(const struct hs_daemon *daemon);

/** Port of the host at @path ("site/host"), or NULL. Borrowed. */
struct hs_compute *hs_daemon_find_compute(const struct hs_daemon *daemon, const char *path);

/** When a submit is answered. */
enum hs_daemon_answer {
    HS_DAEMON_PLANNED, /* once the cycle has seen the jobs as well: explanations are there */
    HS_DAEMON_DURABLE, /* as soon as they are written down */
};

/** First id that no job has: the next submit's jobs count from here. */
uint64_t hs_daemon_get_next_id(const struct hs_daemon *daemon);

/**
 * Take in checked jobs (hs_cycle_check_job), all or none: give them consecutive ids, make them
 * durable, let the cycle see them. Calls @done with the first id, never from inside.
 *
 * @param request  jobs and repeat key; taken; its done and arg are the daemon's to set
 *
 * done's rc: 0, -HS_E_UNAVAILABLE or -HS_E_TIMEOUT (the store; no job is taken)
 */
void hs_daemon_submit(struct hs_daemon *daemon, struct hs_intake_request *request,
                      enum hs_daemon_answer when, hs_daemon_done_fn *done, void *arg);

/**
 * Cancel a job; @done is called once that is decided and durable.
 *
 * done's rc: 0, -HS_E_NOTFOUND, -HS_E_CONFLICT (it is over), -HS_E_UNAVAILABLE (the store)
 */
void hs_daemon_cancel(struct hs_daemon *daemon, uint64_t job_id, hs_daemon_done_fn *done,
                      void *arg);

/**
 * A silent host is off for certain, says @who: its jobs wait again. @done is called once that is
 * decided and durable, with job_id 0.
 *
 * @param who, why  borrowed; @why nullable
 *
 * done's rc: 0, -HS_E_NOTFOUND (neither the estate nor a job knows it), -HS_E_CONFLICT (it answers,
 * or was not tried yet), -HS_E_UNAVAILABLE (the store)
 */
void hs_daemon_confirm_down(struct hs_daemon *daemon, const char *path, const char *who,
                            const char *why, hs_daemon_done_fn *done, void *arg);

/** Could that be said of the host now? @return as done's rc above */
int hs_daemon_check_down(const struct hs_daemon *daemon, const char *path, struct hs_err *err);

/**
 * Write down what was learned and give the lease back, then call @done: at once where there is
 * nothing to write or nowhere, within seconds else.
 */
void hs_daemon_stop(struct hs_daemon *daemon, void (*done)(void *arg), void *arg);

/** Ends what is under way with -HS_E_UNAVAILABLE. Running machines go on. Accepts NULL. */
void hs_daemon_free(struct hs_daemon *daemon);
HS_DEFINE_AUTO(hs_daemon);
