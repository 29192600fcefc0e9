/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll_executor - lists that are walked. What a callback removes is marked and swept after the
 * walk, so that it may remove itself or its neighbour.
 */
#include "scheduler/sim/poll_executor.h"

#include <assert.h>
#include <math.h>
#include <poll.h>
#include <string.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define MS_PER_S   1e3
#define WAIT_MAX_S 60.0

struct hs_timer {
    hs_executor_fn *fn;
    void *arg;
    double due_mono_s; /* INFINITY: disarmed */
    bool is_removed;
    bool is_post; /* removed by itself when it has fired */
};

struct hs_watch {
    hs_watch_fn *fn;
    void *arg;
    int fd;
    unsigned events;
    bool is_removed;
};

struct hs_lane {
    bool is_removed;
    size_t n_queued;
};

/* A call on its way through a lane. */
struct poll_work {
    struct hs_lane *lane;
    hs_work_fn *work;
    hs_work_done_fn *done;
    hs_executor_fn *release;
    void *arg;
};

struct hs_poll_executor {
    struct hs_executor base;
    struct hs_clock *clock;
    HS_VEC(struct hs_timer *) timers;
    HS_VEC(struct hs_watch *) watches;
    bool is_stopped;
};

static double now_s(const struct hs_poll_executor *executor)
{
    return hs_clock_mono_s(executor->clock);
}

static void poll_timer_set(struct hs_executor *base, struct hs_timer *timer, double after_s)
{
    timer->due_mono_s =
        after_s < 0 ? (double)INFINITY : now_s((struct hs_poll_executor *)base) + after_s;
}

static struct hs_timer *poll_timer_add(struct hs_executor *base, double after_s, hs_executor_fn *fn,
                                       void *arg)
{
    struct hs_poll_executor *executor = (struct hs_poll_executor *)base;
    struct hs_timer *timer = hs_xcalloc(1, sizeof(*timer));

    timer->fn = fn;
    timer->arg = arg;
    poll_timer_set(base, timer, after_s);
    HS_VEC_PUSH(&executor->timers, timer);
    return timer;
}

static void poll_timer_remove(struct hs_executor *base, struct hs_timer *timer)
{
    timer->due_mono_s = INFINITY;
    timer->is_removed = true;
}

static void poll_post(struct hs_executor *base, hs_executor_fn *fn, void *arg)
{
    poll_timer_add(base, 0, fn, arg)->is_post = true;
}

static struct hs_watch *poll_watch_add(struct hs_executor *base, int fd, unsigned events,
                                       hs_watch_fn *fn, void *arg)
{
    struct hs_poll_executor *executor = (struct hs_poll_executor *)base;
    struct hs_watch *watch = hs_xcalloc(1, sizeof(*watch));

    *watch = (struct hs_watch){.fn = fn, .arg = arg, .fd = fd, .events = events};
    HS_VEC_PUSH(&executor->watches, watch);
    return watch;
}

static void poll_watch_set(struct hs_executor *base, struct hs_watch *watch, unsigned events)
{
    watch->events = events;
}

static void poll_watch_remove(struct hs_executor *base, struct hs_watch *watch)
{
    watch->is_removed = true;
}

static struct hs_lane *poll_lane_add(struct hs_executor *base, const char *name)
{
    return hs_xcalloc(1, sizeof(struct hs_lane));
}

static void free_if_unused(struct hs_lane *lane)
{
    if (lane->is_removed && lane->n_queued == 0) {
        free(lane);
    }
}

static void poll_lane_remove(struct hs_executor *base, struct hs_lane *lane)
{
    lane->is_removed = true;
    free_if_unused(lane);
}

static void do_work(void *arg)
{
    struct poll_work *item = arg;

    if (!item->lane->is_removed) {
        item->work(item->arg);
    }
    item->done(item->lane->is_removed ? -HS_E_UNAVAILABLE : 0, item->arg);
    if (item->release != NULL) {
        item->release(item->arg);
    }
    item->lane->n_queued--;
    free_if_unused(item->lane);
    free(item);
}

static void poll_run(struct hs_executor *base, struct hs_lane *lane, double deadline_s,
                     hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg)
{
    struct poll_work *item = hs_xcalloc(1, sizeof(*item));

    assert(deadline_s > 0);
    *item = (struct poll_work){
        .lane = lane, .work = work, .done = done, .release = release, .arg = arg};
    lane->n_queued++;
    poll_post(base, do_work, item);
}

static const struct hs_executor_ops poll_executor_ops = {
    .post = poll_post,
    .timer_add = poll_timer_add,
    .timer_set = poll_timer_set,
    .timer_remove = poll_timer_remove,
    .watch_add = poll_watch_add,
    .watch_set = poll_watch_set,
    .watch_remove = poll_watch_remove,
    .lane_add = poll_lane_add,
    .lane_remove = poll_lane_remove,
    .run = poll_run,
};

struct hs_poll_executor *hs_poll_executor_new(void)
{
    struct hs_poll_executor *executor = hs_xcalloc(1, sizeof(*executor));

    executor->base.ops = &poll_executor_ops;
    executor->clock = hs_clock_new_real();
    return executor;
}

struct hs_executor *hs_poll_executor_get(struct hs_poll_executor *executor)
{
    return &executor->base;
}

static void sweep(struct hs_poll_executor *executor)
{
    size_t n = 0;

    for (size_t i = 0; i < executor->timers.n; i++) {
        if (executor->timers.items[i]->is_removed) {
            free(executor->timers.items[i]);
        } else {
            executor->timers.items[n++] = executor->timers.items[i];
        }
    }
    executor->timers.n = n;
    n = 0;
    for (size_t i = 0; i < executor->watches.n; i++) {
        if (executor->watches.items[i]->is_removed) {
            free(executor->watches.items[i]);
        } else {
            executor->watches.items[n++] = executor->watches.items[i];
        }
    }
    executor->watches.n = n;
}

/* The one of those due by @mono_s that was due first, or NULL. */
static struct hs_timer *find_due(const struct hs_poll_executor *executor, double mono_s)
{
    struct hs_timer *first = NULL;

    for (size_t i = 0; i < executor->timers.n; i++) {
        struct hs_timer *timer = executor->timers.items[i];

        if (timer->due_mono_s <= mono_s
            && (first == NULL || timer->due_mono_s < first->due_mono_s)) {
            first = timer;
        }
    }
    return first;
}

/* Those that are armed in the course of it are due later than this turn. */
static void fire_timers(struct hs_poll_executor *executor)
{
    double now_mono_s = now_s(executor);
    struct hs_timer *timer;

    while (!executor->is_stopped && (timer = find_due(executor, now_mono_s)) != NULL) {
        timer->due_mono_s = INFINITY;
        timer->is_removed |= timer->is_post;
        timer->fn(timer->arg);
    }
}

static void fire_posts(struct hs_poll_executor *executor)
{
    for (size_t i = 0; i < executor->timers.n; i++) {
        struct hs_timer *timer = executor->timers.items[i];

        if (timer->is_post && !timer->is_removed) {
            timer->is_removed = true;
            timer->fn(timer->arg);
        }
    }
}

static int get_wait_ms(const struct hs_poll_executor *executor)
{
    double wait_s = WAIT_MAX_S;

    for (size_t i = 0; i < executor->timers.n; i++) {
        wait_s = fmin(wait_s, executor->timers.items[i]->due_mono_s - now_s(executor));
    }
    return (int)ceil(fmax(wait_s, 0) * MS_PER_S);
}

static void fire_watches(struct hs_poll_executor *executor, int wait_ms)
{
    size_t n = executor->watches.n;
    HS_AUTO_MEM struct pollfd *fds = hs_xcalloc(n + 1, sizeof(*fds));

    for (size_t i = 0; i < n; i++) {
        const struct hs_watch *watch = executor->watches.items[i];

        fds[i].fd = watch->fd;
        fds[i].events = (short)((watch->events & HS_WATCH_READ ? POLLIN : 0)
                                | (watch->events & HS_WATCH_WRITE ? POLLOUT : 0));
    }
    if (poll(fds, n, wait_ms) <= 0) {
        return;
    }
    for (size_t i = 0; i < n && !executor->is_stopped; i++) {
        struct hs_watch *watch = executor->watches.items[i];
        unsigned events = (fds[i].revents & POLLIN ? HS_WATCH_READ : 0U)
                          | (fds[i].revents & POLLOUT ? HS_WATCH_WRITE : 0U)
                          | (fds[i].revents & POLLERR ? HS_WATCH_ERROR : 0U)
                          | (fds[i].revents & POLLHUP ? HS_WATCH_HANGUP : 0U);

        if (events != 0 && !watch->is_removed) {
            watch->fn(watch->fd, events, watch->arg);
        }
    }
}

void hs_poll_executor_run(struct hs_poll_executor *executor)
{
    executor->is_stopped = false;
    while (!executor->is_stopped) {
        fire_timers(executor);
        sweep(executor);
        if (!executor->is_stopped) {
            fire_watches(executor, get_wait_ms(executor));
            sweep(executor);
        }
    }
}

void hs_poll_executor_stop(struct hs_poll_executor *executor)
{
    executor->is_stopped = true;
}

void hs_poll_executor_free(struct hs_poll_executor *executor)
{
    if (executor == NULL) {
        return;
    }
    sweep(executor);
    executor->is_stopped = false;
    fire_posts(executor); /* work that waits has its done and release */
    sweep(executor);
    assert(executor->timers.n == 0);
    assert(executor->watches.n == 0);
    HS_VEC_FINI(&executor->timers);
    HS_VEC_FINI(&executor->watches);
    hs_clock_free(executor->clock);
    free(executor);
}
