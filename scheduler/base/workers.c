/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers - lanes of blocking calls over a bounded pool of threads.
 *
 * A call goes QUEUED (in its lane) -> READY (head of its lane, waits for a thread) -> RUNNING
 * -> RETURNED (waits for the executor's thread). The executor's thread owns lanes, timers and
 * QUEUED calls; the mutex guards the ready and returned lists, the counters and the state of a
 * call from READY on. A call leaves READY either by a worker taking it or by the executor's
 * thread withdrawing it, never both.
 */
#include "scheduler/base/workers.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/queue.h>
#include <time.h>

#include "scheduler/base/mem.h"

#define WORKERS_THREADS     16
#define WORKERS_THREADS_MAX 64
#define WORKERS_GRACE_S     1.0

enum call_state { CALL_QUEUED, CALL_READY, CALL_RUNNING, CALL_RETURNED };

struct call {
    TAILQ_ENTRY(call) link;      /* in lane->queued, ready, returned or ending */
    TAILQ_ENTRY(call) owed_link; /* in owed */
    struct hs_workers *workers;
    struct hs_lane *lane;
    hs_work_fn *work;
    hs_work_done_fn *done;
    hs_executor_fn *release;
    void *arg;
    struct hs_timer *deadline;
    enum call_state state;
    bool is_parked;   /* counted in n_parked; guarded by the mutex */
    bool is_reported; /* done was called */
    bool is_owed;     /* let go while in flight: done is due now, release when it returns */
};

TAILQ_HEAD(call_list, call);
TAILQ_HEAD(lane_list, hs_lane);

struct hs_lane {
    TAILQ_ENTRY(hs_lane) link;
    char *name;
    struct call_list queued;
    struct call *in_flight; /* READY, RUNNING or RETURNED */
    bool is_removed;
};

struct hs_workers {
    struct hs_executor *executor;
    size_t n_threads_base;
    size_t n_threads_max;
    double grace_s;
    struct lane_list lanes; /* removed ones too while a call is in flight */
    struct call_list ending;
    struct call_list owed;
    struct hs_timer *ending_timer;

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    pthread_cond_t gone;
    struct call_list ready;
    struct call_list returned;
    size_t n_ready;
    size_t n_threads;
    size_t n_idle;
    size_t n_parked;
    bool is_stopped;
    bool is_abandoned; /* the last thread frees the struct */
};

static void workers_destroy(struct hs_workers *workers)
{
    pthread_cond_destroy(&workers->gone);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}

static size_t thread_limit(const struct hs_workers *workers)
{
    size_t limit = workers->n_threads_base + workers->n_parked;

    return limit < workers->n_threads_max ? limit : workers->n_threads_max;
}

static void call_free(struct call *call)
{
    hs_executor_timer_remove(call->workers->executor, call->deadline);
    if (call->release != NULL) {
        call->release(call->arg);
    }
    free(call);
}

static void call_report(struct call *call, int rc)
{
    if (call->is_owed) {
        call->is_owed = false;
        TAILQ_REMOVE(&call->workers->owed, call, owed_link);
    }
    if (!call->is_reported) {
        call->is_reported = true;
        call->done(rc, call->arg);
    }
}

static void lane_free(struct hs_workers *workers, struct hs_lane *lane)
{
    TAILQ_REMOVE(&workers->lanes, lane, link);
    free(lane->name);
    free(lane);
}

/* Executor's thread: deal with the calls that came back. */
static void collect(void *arg);

/* Worker's side of a call's end; the mutex is held. */
static void hand_back(struct hs_workers *workers, struct call *call)
{
    bool was_empty = TAILQ_EMPTY(&workers->returned);

    call->state = CALL_RETURNED;
    if (call->is_parked) {
        call->is_parked = false;
        workers->n_parked--;
    }
    if (workers->is_abandoned) {
        return; /* the executor is gone: nobody may touch the call's argument any more */
    }
    TAILQ_INSERT_TAIL(&workers->returned, call, link);
    /* Within the mutex, so that no post can follow hs_workers_free(). */
    if (was_empty && !workers->is_stopped) {
        hs_executor_post(workers->executor, collect, workers);
    }
}

static void *worker_main(void *arg)
{
    struct hs_workers *workers = arg;
    bool is_last;

    pthread_mutex_lock(&workers->mutex);
    for (;;) {
        struct call *call;

        while (workers->n_ready == 0 && !workers->is_stopped
               && workers->n_threads <= thread_limit(workers)) {
            workers->n_idle++;
            pthread_cond_wait(&workers->wake, &workers->mutex);
            workers->n_idle--;
        }
        if (workers->is_stopped || workers->n_ready == 0) {
            break;
        }
        call = TAILQ_FIRST(&workers->ready);
        TAILQ_REMOVE(&workers->ready, call, link);
        workers->n_ready--;
        call->state = CALL_RUNNING;
        pthread_mutex_unlock(&workers->mutex);
        call->work(call->arg);
        pthread_mutex_lock(&workers->mutex);
        hand_back(workers, call);
    }
    workers->n_threads--;
    is_last = workers->is_abandoned && workers->n_threads == 0;
    pthread_cond_signal(&workers->gone);
    pthread_mutex_unlock(&workers->mutex);
    if (is_last) {
        workers_destroy(workers);
    }
    return NULL;
}

/* Start a thread if a ready call would otherwise wait and the bound allows; mutex held. */
static void grow(struct hs_workers *workers)
{
    sigset_t all;
    sigset_t old;
    pthread_t thread;
    pthread_attr_t attr;

    if (workers->is_stopped || workers->n_ready <= workers->n_idle
        || workers->n_threads >= thread_limit(workers)) {
        return;
    }
    /* Signals belong to the executor's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* If it fails a later call tries again; until then deadlines bound the wait. */
    if (pthread_create(&thread, &attr, worker_main, workers) == 0) {
        workers->n_threads++;
    }
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Hand the lane's next call to the pool if none is in flight. */
static void lane_advance(struct hs_workers *workers, struct hs_lane *lane)
{
    struct call *call = TAILQ_FIRST(&lane->queued);

    if (lane->in_flight != NULL || call == NULL) {
        return;
    }
    TAILQ_REMOVE(&lane->queued, call, link);
    lane->in_flight = call;
    pthread_mutex_lock(&workers->mutex);
    call->state = CALL_READY;
    TAILQ_INSERT_TAIL(&workers->ready, call, link);
    workers->n_ready++;
    grow(workers);
    pthread_cond_signal(&workers->wake);
    pthread_mutex_unlock(&workers->mutex);
}

/* Take @call back from queue or pool; false if a worker has it or has had it. */
static bool call_withdraw(struct call *call)
{
    struct hs_workers *workers = call->workers;
    bool is_withdrawn = true;

    if (call->lane->in_flight != call) {
        TAILQ_REMOVE(&call->lane->queued, call, link);
        return true;
    }
    pthread_mutex_lock(&workers->mutex);
    if (call->state == CALL_READY) {
        TAILQ_REMOVE(&workers->ready, call, link);
        workers->n_ready--;
    } else {
        is_withdrawn = false;
        if (call->state == CALL_RUNNING && !call->is_parked) {
            call->is_parked = true;
            workers->n_parked++;
            grow(workers);
        }
    }
    pthread_mutex_unlock(&workers->mutex);
    if (is_withdrawn) {
        call->lane->in_flight = NULL;
    }
    return is_withdrawn;
}

static bool call_is_parked(struct call *call)
{
    bool is_parked;

    pthread_mutex_lock(&call->workers->mutex);
    is_parked = call->is_parked;
    pthread_mutex_unlock(&call->workers->mutex);
    return is_parked;
}

static void call_expired(void *arg)
{
    struct call *call = arg;

    if (call_withdraw(call)) {
        lane_advance(call->workers, call->lane);
        call_report(call, -HS_E_TIMEOUT);
        call_free(call);
    } else if (call_is_parked(call)) {
        call_report(call, -HS_E_TIMEOUT);
    }
    /* Otherwise it came back just in time and collect() is on its way. */
}

static void collect(void *arg)
{
    struct hs_workers *workers = arg;
    struct call_list returned = TAILQ_HEAD_INITIALIZER(returned);
    struct call *call;

    pthread_mutex_lock(&workers->mutex);
    TAILQ_CONCAT(&returned, &workers->returned, link);
    pthread_mutex_unlock(&workers->mutex);
    while ((call = TAILQ_FIRST(&returned)) != NULL) {
        struct hs_lane *lane = call->lane;

        TAILQ_REMOVE(&returned, call, link);
        lane->in_flight = NULL;
        if (lane->is_removed) {
            lane_free(workers, lane);
        } else {
            lane_advance(workers, lane);
        }
        call_report(call, 0);
        call_free(call);
    }
}

static void end_calls(void *arg)
{
    struct hs_workers *workers = arg;
    struct call *call;

    while ((call = TAILQ_FIRST(&workers->ending)) != NULL) {
        TAILQ_REMOVE(&workers->ending, call, link);
        call_report(call, -HS_E_UNAVAILABLE);
        call_free(call);
    }
    while ((call = TAILQ_FIRST(&workers->owed)) != NULL) {
        call_report(call, -HS_E_UNAVAILABLE);
    }
}

struct hs_workers *hs_workers_new(struct hs_executor *executor,
                                  const struct hs_workers_options *options)
{
    struct hs_workers_options given = options != NULL ? *options : (struct hs_workers_options){0};
    struct hs_workers *workers = hs_xcalloc(1, sizeof(*workers));
    pthread_condattr_t attr;

    workers->executor = executor;
    workers->n_threads_base = given.n_threads > 0 ? given.n_threads : WORKERS_THREADS;
    workers->n_threads_max = given.n_threads_max > 0 ? given.n_threads_max : WORKERS_THREADS_MAX;
    workers->grace_s = given.grace_s > 0 ? given.grace_s : WORKERS_GRACE_S;
    TAILQ_INIT(&workers->lanes);
    TAILQ_INIT(&workers->ending);
    TAILQ_INIT(&workers->owed);
    TAILQ_INIT(&workers->ready);
    TAILQ_INIT(&workers->returned);
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->wake, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->gone, &attr);
    pthread_condattr_destroy(&attr);
    workers->ending_timer = hs_executor_timer_add(executor, -1.0, end_calls, workers);
    return workers;
}

struct hs_lane *hs_workers_add_lane(struct hs_workers *workers, const char *name)
{
    struct hs_lane *lane = hs_xcalloc(1, sizeof(*lane));

    lane->name = hs_xstrdup(name);
    TAILQ_INIT(&lane->queued);
    TAILQ_INSERT_TAIL(&workers->lanes, lane, link);
    return lane;
}

void hs_workers_remove_lane(struct hs_workers *workers, struct hs_lane *lane)
{
    struct call *call = lane->in_flight;

    assert(!lane->is_removed);
    lane->is_removed = true;
    if (call != NULL && call_withdraw(call)) {
        TAILQ_INSERT_TAIL(&workers->ending, call, link);
    } else if (call != NULL && call_is_parked(call) && !call->is_reported) {
        call->is_owed = true;
        TAILQ_INSERT_TAIL(&workers->owed, call, owed_link);
    }
    while ((call = TAILQ_FIRST(&lane->queued)) != NULL) {
        TAILQ_REMOVE(&lane->queued, call, link);
        TAILQ_INSERT_TAIL(&workers->ending, call, link);
    }
    TAILQ_FOREACH (call, &workers->ending, link) {
        hs_executor_timer_set(workers->executor, call->deadline, -1.0);
    }
    if (lane->in_flight == NULL) {
        lane_free(workers, lane);
    }
    hs_executor_timer_set(workers->executor, workers->ending_timer, 0.0);
}

void hs_workers_run(struct hs_workers *workers, struct hs_lane *lane, double deadline_s,
                    hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg)
{
    struct call *call = hs_xcalloc(1, sizeof(*call));

    assert(deadline_s > 0 && !lane->is_removed);
    call->workers = workers;
    call->lane = lane;
    call->work = work;
    call->done = done;
    call->release = release;
    call->arg = arg;
    call->state = CALL_QUEUED;
    call->deadline = hs_executor_timer_add(workers->executor, deadline_s, call_expired, call);
    TAILQ_INSERT_TAIL(&lane->queued, call, link);
    lane_advance(workers, lane);
}

void hs_workers_get_stats(struct hs_workers *workers, struct hs_workers_stats *ret_stats)
{
    pthread_mutex_lock(&workers->mutex);
    *ret_stats = (struct hs_workers_stats){
        .n_threads = workers->n_threads,
        .n_parked = workers->n_parked,
        .n_ready = workers->n_ready,
    };
    pthread_mutex_unlock(&workers->mutex);
}

/* A call that never reached a worker, or NULL. */
static struct call *take_waiting(struct hs_workers *workers)
{
    struct hs_lane *lane;

    TAILQ_FOREACH (lane, &workers->lanes, link) {
        struct call *call = lane->in_flight;

        if (call != NULL && call_withdraw(call)) {
            return call;
        }
        call = TAILQ_FIRST(&lane->queued);
        if (call != NULL) {
            TAILQ_REMOVE(&lane->queued, call, link);
            return call;
        }
    }
    return NULL;
}

/* Report what hangs in a worker for good; its argument stays the worker's. */
static void let_go_hung(struct hs_workers *workers)
{
    struct hs_lane *lane;

    TAILQ_FOREACH (lane, &workers->lanes, link) {
        if (lane->in_flight != NULL) {
            hs_executor_timer_remove(workers->executor, lane->in_flight->deadline);
            lane->in_flight->deadline = NULL;
            call_report(lane->in_flight, -HS_E_UNAVAILABLE);
        }
    }
}

static void wait_for_threads(struct hs_workers *workers)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)workers->grace_s;
    until.tv_nsec += (long)((workers->grace_s - (double)(time_t)workers->grace_s) * 1e9);
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&workers->mutex);
    workers->is_stopped = true;
    pthread_cond_broadcast(&workers->wake);
    while (workers->n_threads > 0 && rc == 0) {
        rc = pthread_cond_timedwait(&workers->gone, &workers->mutex, &until);
    }
    pthread_mutex_unlock(&workers->mutex);
}

void hs_workers_free(struct hs_workers *workers)
{
    struct lane_list lanes = TAILQ_HEAD_INITIALIZER(lanes);
    struct hs_lane *lane;
    struct call *call;
    bool is_empty;

    if (workers == NULL) {
        return;
    }
    wait_for_threads(workers);
    collect(workers);
    while ((call = take_waiting(workers)) != NULL) {
        call_report(call, -HS_E_UNAVAILABLE);
        call_free(call);
    }
    end_calls(workers);
    let_go_hung(workers);
    hs_executor_timer_remove(workers->executor, workers->ending_timer);
    TAILQ_CONCAT(&lanes, &workers->lanes, link);
    while ((lane = TAILQ_FIRST(&lanes)) != NULL) {
        TAILQ_REMOVE(&lanes, lane, link);
        free(lane->name);
        free(lane);
    }
    pthread_mutex_lock(&workers->mutex);
    is_empty = workers->n_threads == 0;
    workers->is_abandoned = true;
    while ((call = TAILQ_FIRST(&workers->returned)) != NULL) { /* came back in the last moment */
        TAILQ_REMOVE(&workers->returned, call, link);
        call_free(call);
    }
    pthread_mutex_unlock(&workers->mutex);
    if (is_empty) {
        workers_destroy(workers);
    }
}
