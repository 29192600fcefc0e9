/* SPDX-License-Identifier: Apache-2.0 */
/* daemon - requests and the tick; how it comes to life is in awaken.c. */
#include "scheduler/daemon/daemon.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/daemon_priv.h"

#define TICK_GAP_S       0.02  /* real, at most; bursts of events share a tick */
#define SENSE_REAL_MIN_S 0.1   /* real; however fast plan time runs */
#define STORE_PERIOD_S   1.0   /* real; how often a store that is down is looked at */
#define SLOW_TICK_S      0.1   /* real; requests wait for a tick, and they are promised this */
#define LONG_TICK_S      1.0   /* real; before one that may take as long the lease shows a beat */
#define LONG_TICK_JOBS   10000 /* that make the first plan so long */
#define KEY_MAX          24

/** Waiters of one tick. */
struct tick_waiters {
    struct hs_daemon *daemon;
    hs_daemon_waiters waiters;
};

/* --- when --- */

void hs_daemon_make_due(void *arg)
{
    struct hs_daemon *daemon = arg;
    double gap_s;

    if (daemon->tick == NULL || daemon->is_due || daemon->is_closing) {
        return;
    }
    daemon->is_due = true;
    gap_s = fmin(TICK_GAP_S, 2 * daemon->tick_s);
    gap_s += daemon->ticked_mono_s - hs_clock_mono_s(daemon->clock);
    hs_executor_timer_set(daemon->executor, daemon->tick, fmax(0, gap_s));
}

static void set_next_tick(struct hs_daemon *daemon, int64_t wake_at_s)
{
    double period_s =
        fmax(SENSE_REAL_MIN_S, HS_DAEMON_SENSE_PERIOD_S / hs_clock_get_speed(daemon->clock));

    if (daemon->is_due) {
        return;
    }
    if (wake_at_s > 0) {
        double wake_s = hs_clock_real_until_s(daemon->clock, (double)wake_at_s);

        period_s = fmin(period_s, fmax(TICK_GAP_S, wake_s));
    }
    if (!hs_store_is_up(daemon->store)) {
        period_s = fmin(period_s, STORE_PERIOD_S);
    }
    hs_executor_timer_set(daemon->executor, daemon->tick, period_s);
}

/* --- the tick --- */

static void answer(hs_daemon_waiters *waiters, int rc, const struct hs_err *err)
{
    for (size_t i = 0; i < waiters->n; i++) {
        const struct hs_daemon_waiter *waiter = &waiters->items[i];
        bool is_ok = rc == 0 || waiter->is_durable;

        waiter->done(is_ok ? 0 : rc, is_ok ? NULL : err, waiter->job_id, waiter->arg);
    }
    HS_VEC_FINI(waiters);
}

static void on_step_durable(int rc, const struct hs_err *err, void *arg)
{
    struct tick_waiters *waiting = arg;

    if (waiting != NULL) {
        answer(&waiting->waiters, rc, err);
        free(waiting);
    }
}

/** Tell a simulated plant what the racks draw now. */
static void feed_plant(struct hs_daemon *daemon)
{
    size_t n_racks = daemon->config->estate->n_racks;
    HS_AUTO_MEM double *rack_elec_w = NULL;

    if (hs_plantset_is_fed(daemon->plants)) {
        rack_elec_w = hs_xcalloc(n_racks, sizeof(*rack_elec_w));
        hs_cycle_get_rack_elec_w(daemon->cycle, rack_elec_w);
        hs_plantset_feed(daemon->plants, rack_elec_w, n_racks);
    }
}

/** Once a slot, the sums of each site go to the ledger. */
static void account(struct hs_daemon *daemon, int64_t now_at_s)
{
    const struct hs_estate *estate = daemon->config->estate;
    int64_t slot = now_at_s / estate->slot_s;

    if (slot == daemon->accounted_slot) {
        return;
    }
    daemon->accounted_slot = slot;
    for (size_t i = 0; i < estate->n_sites; i++) {
        json_auto_t *json = NULL;
        HS_AUTO_MEM char *text = NULL;
        struct hs_account sums;

        hs_cycle_get_account(daemon->cycle, i, &sums);
        json = hs_account_format(&sums);
        hs_jsonx_set_at(json, "at", slot * estate->slot_s);
        hs_jsonx_set_text(json, "site", estate->sites[i].name);
        hs_jsonx_set_int(json, "epoch", (int64_t)daemon->epoch);
        text = hs_jsonx_format(json);
        hs_enact_write(daemon->enact, &(struct hs_store_op){HS_STORE_APPEND, "ledger", "", text});
    }
}

/** A tick that holds up requests is worth a line. */
static void watch_length(const struct hs_daemon *daemon, size_t n_events)
{
    if (daemon->tick_s > SLOW_TICK_S) {
        HS_LOG_WARN("daemon", "a tick with %zu events and %zu jobs took %.2f s", n_events,
                    hs_cycle_get_n_jobs(daemon->cycle), daemon->tick_s);
    }
}

/** Nothing leaves while a plan is made: a beat of the lease goes out before one that takes long. */
static bool beats_first(struct hs_daemon *daemon)
{
    bool is_long =
        daemon->tick_s > LONG_TICK_S
        || (!daemon->has_stepped && hs_cycle_get_n_jobs(daemon->cycle) >= LONG_TICK_JOBS);

    if (!is_long || !hs_lease_beat(daemon->lease, LONG_TICK_S)) {
        return false;
    }
    hs_executor_timer_set(daemon->executor, daemon->tick, TICK_GAP_S);
    return true;
}

void hs_daemon_tick(void *arg)
{
    struct hs_daemon *daemon = arg;
    struct hs_decision decision = {0};
    struct tick_waiters *waiting = NULL;
    hs_inbox_events events;
    int64_t now_at_s = hs_clock_at_s(daemon->clock);
    size_t n_events;

    if (beats_first(daemon)) {
        return;
    }
    daemon->is_due = false;
    daemon->ticked_mono_s = hs_clock_mono_s(daemon->clock);
    hs_planclock_follow(daemon->planclock);
    hs_storewatch_look(daemon->storewatch);
    if (daemon->waiters.n > 0) {
        waiting = hs_xcalloc(1, sizeof(*waiting));
        waiting->daemon = daemon;
        waiting->waiters = daemon->waiters;
        daemon->waiters = (hs_daemon_waiters){0};
    }
    hs_inbox_take(&daemon->inbox, &events);
    n_events = events.n;
    hs_cycle_step(daemon->cycle, now_at_s, events.items, n_events, &decision);
    hs_inbox_release(&events, true);
    daemon->has_stepped = true;
    feed_plant(daemon);
    if (daemon->outbound != NULL) {
        hs_outbound_tell(daemon->outbound, now_at_s);
    }
    if (daemon->plants != NULL) {
        hs_plantset_announce(daemon->plants, daemon->cycle);
    }
    account(daemon, now_at_s);
    hs_learned_keep(daemon->learned, now_at_s);
    hs_history_tick(daemon->history);
    if (!hs_enact_apply(daemon->enact, &decision, on_step_durable, waiting)) {
        on_step_durable(0, NULL, waiting);
    }
    daemon->tick_s = hs_clock_mono_s(daemon->clock) - daemon->ticked_mono_s;
    set_next_tick(daemon, decision.wake_at_s);
    watch_length(daemon, n_events);
}

/* --- requests --- */

/** A submit whose commit is on its way. */
struct submission {
    struct hs_daemon *daemon;
    enum hs_daemon_answer when;
    hs_daemon_done_fn *done;
    void *arg;
};

/** It may have landed, and the user is told that it has not: take it out. */
static void take_back(struct hs_daemon *daemon, const struct hs_intake_request *request)
{
    char key[KEY_MAX];

    for (size_t i = 0; i < request->jobs.n; i++) {
        snprintf(key, sizeof(key), "%" PRIu64, request->jobs.items[i]->id);
        hs_enact_write(daemon->enact, &(struct hs_store_op){HS_STORE_DELETE, "jobs", key, NULL});
    }
    if (request->repeat_text != NULL) {
        hs_enact_write(daemon->enact, &(struct hs_store_op){HS_STORE_DELETE, HS_REPEAT_TABLE,
                                                            request->repeat_key, NULL});
    }
}

/** The cycle sees the jobs with the next ticks. */
static void tell_cycle(struct hs_daemon *daemon, struct hs_intake_request *request)
{
    for (size_t i = 0; i < request->jobs.n; i++) {
        struct hs_event event = {.kind = HS_EVENT_JOB, .job_id = request->jobs.items[i]->id};

        event.job = HS_STEAL(request->jobs.items[i]);
        hs_inbox_add(&daemon->inbox, &event, HS_INBOX_SOON);
    }
    request->jobs.n = 0;
}

static void on_submit_durable(int rc, const struct hs_err *err, struct hs_intake_request *taken,
                              void *arg)
{
    HS_AUTO_MEM struct submission *submission = arg;
    HS_AUTO(hs_intake_request) request = taken;
    struct hs_daemon *daemon = submission->daemon;
    struct hs_daemon_waiter waiter = {.job_id = request->jobs.items[0]->id,
                                      .done = submission->done,
                                      .arg = submission->arg,
                                      .is_durable = true};

    if (rc != 0) {
        if (rc == -HS_E_TIMEOUT && !daemon->is_closing) {
            take_back(daemon, request);
        }
        submission->done(rc, err, 0, submission->arg);
        return;
    }
    tell_cycle(daemon, request);
    if (submission->when == HS_DAEMON_DURABLE) {
        submission->done(0, NULL, waiter.job_id, submission->arg);
    } else {
        HS_VEC_PUSH(&daemon->waiters, waiter);
    }
}

void hs_daemon_submit(struct hs_daemon *daemon, struct hs_intake_request *request,
                      enum hs_daemon_answer when, hs_daemon_done_fn *done, void *arg)
{
    struct submission *submission = hs_xcalloc(1, sizeof(*submission));

    *submission = (struct submission){daemon, when, done, arg};
    for (size_t i = 0; i < request->jobs.n; i++) {
        struct hs_job *job = request->jobs.items[i];

        job->id = daemon->next_id++;
        job->submitted_at_s = hs_clock_at_s(daemon->clock);
        job->since_at_s = job->submitted_at_s;
        job->state = HS_JOB_WAITING;
    }
    request->done = on_submit_durable;
    request->arg = submission;
    hs_intake_add(daemon->intake, request, daemon->next_id);
}

uint64_t hs_daemon_get_next_id(const struct hs_daemon *daemon)
{
    return daemon->next_id;
}

/** Answer a request that cannot be begun; never from inside it. */
struct refusal {
    hs_daemon_done_fn *done;
    void *arg;
    int rc;
    struct hs_err err;
};

static void refuse_now(void *arg)
{
    HS_AUTO_MEM struct refusal *refusal = arg;

    refusal->done(refusal->rc, &refusal->err, 0, refusal->arg);
}

static void refuse(struct hs_daemon *daemon, int rc, const struct hs_err *err,
                   hs_daemon_done_fn *done, void *arg)
{
    struct refusal *refusal = hs_xcalloc(1, sizeof(*refusal));

    *refusal = (struct refusal){done, arg, rc, *err};
    hs_executor_post(daemon->executor, refuse_now, refusal);
}

static int refuse_down(const struct hs_daemon *daemon, struct hs_err *err)
{
    const char *fault = hs_store_get_fault(daemon->store);

    return hs_err_set(err, HS_E_UNAVAILABLE, NULL, "try again later: the store is down%s%s",
                      fault != NULL ? ": " : "", fault != NULL ? fault : "");
}

void hs_daemon_cancel(struct hs_daemon *daemon, uint64_t job_id, hs_daemon_done_fn *done, void *arg)
{
    const struct hs_job *job = hs_cycle_get_job(daemon->cycle, job_id);
    struct hs_event event = {.kind = HS_EVENT_CANCEL, .job_id = job_id};
    struct hs_daemon_waiter waiter = {.job_id = job_id, .done = done, .arg = arg};
    struct hs_err err;
    int rc = 0;

    if (job == NULL) {
        rc = hs_err_set(&err, HS_E_NOTFOUND, NULL, "no job %" PRIu64, job_id);
    } else if (hs_job_is_over(job)) {
        rc = hs_err_set(&err, HS_E_CONFLICT, NULL, "job %" PRIu64 " is over: %s", job_id,
                        hs_job_state_word(job->state));
    } else if (!hs_store_is_up(daemon->store)) {
        rc = refuse_down(daemon, &err);
    }
    if (rc != 0) {
        refuse(daemon, rc, &err, done, arg);
        return;
    }
    HS_VEC_PUSH(&daemon->waiters, waiter);
    hs_inbox_add(&daemon->inbox, &event, HS_INBOX_SOON);
}

int hs_daemon_check_down(const struct hs_daemon *daemon, const char *path, struct hs_err *err)
{
    return hs_store_is_up(daemon->store) ? hs_fences_check(daemon->fences, path, err)
                                         : refuse_down(daemon, err);
}

void hs_daemon_confirm_down(struct hs_daemon *daemon, const char *path, const char *who,
                            const char *why, hs_daemon_done_fn *done, void *arg)
{
    struct hs_daemon_waiter waiter = {.done = done, .arg = arg};
    struct hs_err err;
    int rc = hs_daemon_check_down(daemon, path, &err);

    if (rc != 0) {
        refuse(daemon, rc, &err, done, arg);
        return;
    }
    HS_VEC_PUSH(&daemon->waiters, waiter);
    hs_fences_confirm(daemon->fences, path, who, why);
}

/* --- looking --- */

size_t hs_daemon_get_n_read(const struct hs_daemon *daemon)
{
    return daemon->recall != NULL ? hs_recall_get_n_rows(daemon->recall) : daemon->n_read;
}

struct hs_history *hs_daemon_get_history(const struct hs_daemon *daemon)
{
    return daemon->history;
}

struct hs_repeat *hs_daemon_get_repeat(const struct hs_daemon *daemon)
{
    return daemon->repeat;
}

struct hs_upkeep *hs_daemon_get_upkeep(const struct hs_daemon *daemon)
{
    return daemon->upkeep;
}

struct hs_plantset *hs_daemon_get_plants(const struct hs_daemon *daemon)
{
    return daemon->plants;
}

const struct hs_cycle *hs_daemon_get_cycle(const struct hs_daemon *daemon)
{
    return daemon->has_stepped ? daemon->cycle : NULL;
}

const struct hs_clock *hs_daemon_get_clock(const struct hs_daemon *daemon)
{
    return daemon->clock;
}

double hs_daemon_get_wall_off_s(const struct hs_daemon *daemon)
{
    return daemon->planclock != NULL ? hs_planclock_get_off_s(daemon->planclock) : 0;
}

const struct hs_config *hs_daemon_get_config(const struct hs_daemon *daemon)
{
    return daemon->config;
}

bool hs_daemon_is_store_up(const struct hs_daemon *daemon)
{
    return hs_store_is_up(daemon->store);
}

const struct hs_lease *hs_daemon_get_lease(const struct hs_daemon *daemon)
{
    return daemon->lease;
}

const char *hs_daemon_get_store_fault(const struct hs_daemon *daemon)
{
    return hs_store_get_fault(daemon->store);
}

const struct hs_store_damage *hs_daemon_get_damages(const struct hs_daemon *daemon, size_t *ret_n)
{
    return hs_store_get_damages(daemon->store, ret_n);
}

const char *hs_daemon_get_store_weakness(const struct hs_daemon *daemon)
{
    return hs_store_get_weakness(daemon->store);
}

struct hs_compute *hs_daemon_find_compute(const struct hs_daemon *daemon, const char *path)
{
    size_t host_idx = hs_estate_find_host(daemon->config->estate, path);

    return host_idx != SIZE_MAX && daemon->fleet != NULL
               ? hs_fleet_get_compute(daemon->fleet, host_idx)
               : NULL;
}

static void give_back(void *arg)
{
    struct hs_daemon *daemon = arg;

    hs_lease_release(daemon->lease, daemon->stopped, daemon->stopped_arg);
}

void hs_daemon_stop(struct hs_daemon *daemon, void (*done)(void *arg), void *arg)
{
    if (daemon->is_stopping || !hs_store_is_up(daemon->store)) {
        done(arg);
        return;
    }
    daemon->is_stopping = true;
    daemon->stopped = done;
    daemon->stopped_arg = arg;
    if (daemon->has_stepped) {
        hs_learned_keep_all(daemon->learned, give_back, daemon);
    } else {
        give_back(daemon);
    }
}

void hs_daemon_free(struct hs_daemon *daemon)
{
    struct hs_err err;
    int rc = hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "the daemon is stopping");

    if (daemon == NULL) {
        return;
    }
    daemon->is_closing = true;
    hs_intake_stop(daemon->intake);
    hs_executor_timer_remove(daemon->executor, daemon->tick);
    hs_weatherwatch_free(daemon->weather);
    hs_outbound_free(daemon->outbound);
    hs_plantset_free(daemon->plants);
    hs_fleet_free(daemon->fleet);
    hs_recall_free(daemon->recall);
    hs_storewatch_free(daemon->storewatch);
    hs_store_free(daemon->store);
    hs_lease_free(daemon->lease);
    hs_intake_free(daemon->intake);
    hs_upkeep_free(daemon->upkeep);
    hs_learned_free(daemon->learned);
    for (size_t i = 0; i < daemon->waiters.n; i++) {
        const struct hs_daemon_waiter *waiter = &daemon->waiters.items[i];

        waiter->done(rc, &err, waiter->job_id, waiter->arg);
    }
    HS_VEC_FINI(&daemon->waiters);
    hs_sweep_free(daemon->sweep);
    hs_fences_free(daemon->fences);
    hs_reconcile_free(daemon->reconcile);
    hs_enact_free(daemon->enact);
    hs_localintent_free(daemon->localintent);
    hs_inbox_release(&daemon->inbox.events, false);
    hs_history_free(daemon->history);
    hs_cycle_free(daemon->cycle);
    hs_planclock_free(daemon->planclock);
    hs_clock_free(daemon->real_clock);
    hs_repeat_free(daemon->repeat);
    free((void *)daemon->heat_by_sink);
    free(daemon);
}
