/* SPDX-License-Identifier: Apache-2.0 */
/* reactor - executor.h over libevent; posts cross threads through one event. */
#include "scheduler/daemon/reactor.h"

#include <assert.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

#include "scheduler/base/mem.h"

#define REACTOR_TIMER_MAX_S 1e9 /* a timer further off than 30 years is a timer never */

struct post {
    STAILQ_ENTRY(post) link;
    hs_executor_fn *fn;
    void *arg;
};

struct signal_watch {
    SLIST_ENTRY(signal_watch) link;
    struct event event;
    hs_executor_fn *fn;
    void *arg;
};

struct hs_timer {
    struct event event;
    hs_executor_fn *fn;
    void *arg;
};

struct hs_watch {
    struct event event;
    struct event_base *base;
    int fd;
    hs_watch_fn *fn;
    void *arg;
};

STAILQ_HEAD(post_list, post);

struct hs_reactor {
    struct hs_executor executor;
    struct event_base *base;
    struct hs_workers *workers;
    SLIST_HEAD(, signal_watch) signals;
    atomic_bool is_stopped;
    pthread_mutex_t mutex; /* guards posts */
    struct post_list posts;
    struct event drain;
};

static const struct timeval at_once = {0, 0};

static struct timeval timeval_from_s(double span_s)
{
    double whole_s;
    double part_s = modf(fmin(fmax(span_s, 0.0), REACTOR_TIMER_MAX_S), &whole_s);

    return (struct timeval){.tv_sec = (time_t)whole_s, .tv_usec = (suseconds_t)(part_s * 1e6)};
}

static void reactor_post(struct hs_executor *executor, hs_executor_fn *fn, void *arg)
{
    struct hs_reactor *reactor = (struct hs_reactor *)executor;
    struct post *post = hs_xcalloc(1, sizeof(*post));

    post->fn = fn;
    post->arg = arg;
    pthread_mutex_lock(&reactor->mutex);
    STAILQ_INSERT_TAIL(&reactor->posts, post, link);
    /* A timer of zero, not event_active(): it lets the loop poll its descriptors in between, so
     * that posts which post again cannot starve them. */
    event_add(&reactor->drain, &at_once);
    pthread_mutex_unlock(&reactor->mutex);
}

static void drain_posts(evutil_socket_t fd, short what, void *arg)
{
    struct hs_reactor *reactor = arg;
    struct post_list batch = STAILQ_HEAD_INITIALIZER(batch);
    struct post *post;

    pthread_mutex_lock(&reactor->mutex);
    STAILQ_CONCAT(&batch, &reactor->posts);
    pthread_mutex_unlock(&reactor->mutex);
    while ((post = STAILQ_FIRST(&batch)) != NULL) {
        STAILQ_REMOVE_HEAD(&batch, link);
        post->fn(post->arg);
        free(post);
    }
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct hs_timer *timer = arg;

    timer->fn(timer->arg); /* may have removed the timer */
}

static void reactor_timer_set(struct hs_executor *executor, struct hs_timer *timer, double after_s)
{
    struct timeval after = timeval_from_s(after_s);

    if (after_s < 0) {
        event_del(&timer->event);
    } else {
        event_add(&timer->event, &after);
    }
}

static struct hs_timer *reactor_timer_add(struct hs_executor *executor, double after_s,
                                          hs_executor_fn *fn, void *arg)
{
    struct hs_reactor *reactor = (struct hs_reactor *)executor;
    struct hs_timer *timer = hs_xcalloc(1, sizeof(*timer));

    timer->fn = fn;
    timer->arg = arg;
    evtimer_assign(&timer->event, reactor->base, timer_fired, timer);
    reactor_timer_set(executor, timer, after_s);
    return timer;
}

static void reactor_timer_remove(struct hs_executor *executor, struct hs_timer *timer)
{
    event_del(&timer->event);
    free(timer);
}

/* libevent folds errors and hang-ups into readiness; libvirt wants to hear of them by name. */
static unsigned watch_events(int fd, short what)
{
    struct pollfd now = {.fd = fd};
    unsigned events = 0;

    events |= (what & EV_READ) != 0 ? HS_WATCH_READ : 0;
    events |= (what & EV_WRITE) != 0 ? HS_WATCH_WRITE : 0;
    if (poll(&now, 1, 0) > 0) {
        events |= (now.revents & (POLLERR | POLLNVAL)) != 0 ? HS_WATCH_ERROR : 0;
        events |= (now.revents & POLLHUP) != 0 ? HS_WATCH_HANGUP : 0;
    }
    return events;
}

static void watch_fired(evutil_socket_t fd, short what, void *arg)
{
    struct hs_watch *watch = arg;

    watch->fn(watch->fd, watch_events(watch->fd, what), watch->arg);
}

static void watch_arm(struct hs_watch *watch, unsigned events)
{
    short what = EV_PERSIST;

    what = (short)(what | ((events & HS_WATCH_READ) != 0 ? EV_READ : 0));
    what = (short)(what | ((events & HS_WATCH_WRITE) != 0 ? EV_WRITE : 0));
    event_assign(&watch->event, watch->base, watch->fd, what, watch_fired, watch);
    if (what != EV_PERSIST) {
        event_add(&watch->event, NULL);
    }
}

static struct hs_watch *reactor_watch_add(struct hs_executor *executor, int fd, unsigned events,
                                          hs_watch_fn *fn, void *arg)
{
    struct hs_reactor *reactor = (struct hs_reactor *)executor;
    struct hs_watch *watch = hs_xcalloc(1, sizeof(*watch));

    watch->base = reactor->base;
    watch->fd = fd;
    watch->fn = fn;
    watch->arg = arg;
    watch_arm(watch, events);
    return watch;
}

static void reactor_watch_set(struct hs_executor *executor, struct hs_watch *watch, unsigned events)
{
    event_del(&watch->event);
    watch_arm(watch, events);
}

static void reactor_watch_remove(struct hs_executor *executor, struct hs_watch *watch)
{
    event_del(&watch->event);
    free(watch);
}

static struct hs_lane *reactor_lane_add(struct hs_executor *executor, const char *name)
{
    return hs_workers_add_lane(((struct hs_reactor *)executor)->workers, name);
}

static void reactor_lane_remove(struct hs_executor *executor, struct hs_lane *lane)
{
    hs_workers_remove_lane(((struct hs_reactor *)executor)->workers, lane);
}

static void reactor_run(struct hs_executor *executor, struct hs_lane *lane, double deadline_s,
                        hs_work_fn *work, hs_work_done_fn *done, hs_executor_fn *release, void *arg)
{
    hs_workers_run(((struct hs_reactor *)executor)->workers, lane, deadline_s, work, done, release,
                   arg);
}

static const struct hs_executor_ops reactor_ops = {
    .post = reactor_post,
    .timer_add = reactor_timer_add,
    .timer_set = reactor_timer_set,
    .timer_remove = reactor_timer_remove,
    .watch_add = reactor_watch_add,
    .watch_set = reactor_watch_set,
    .watch_remove = reactor_watch_remove,
    .lane_add = reactor_lane_add,
    .lane_remove = reactor_lane_remove,
    .run = reactor_run,
};

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL) {
        /* With a cached time, a deadline asked for at the end of a long callback would be
         * counted from its beginning and expire at once. */
        event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
        /* The coarse clock would let a timer fire up to a kernel tick early. */
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
        base = event_base_new_with_config(config);
        event_config_free(config);
    }
    return base;
}

int hs_reactor_new(const struct hs_workers_options *options, struct hs_reactor **ret_reactor,
                   struct hs_err *err)
{
    struct event_base *base;
    struct hs_reactor *reactor;

    if (evthread_use_pthreads() != 0 || (base = base_new()) == NULL) {
        return hs_err_set(err, HS_E_SYSTEM, "reactor", "libevent found no way to wait for events");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    reactor = hs_xcalloc(1, sizeof(*reactor));
    reactor->executor.ops = &reactor_ops;
    reactor->base = base;
    SLIST_INIT(&reactor->signals);
    STAILQ_INIT(&reactor->posts);
    pthread_mutex_init(&reactor->mutex, NULL);
    evtimer_assign(&reactor->drain, base, drain_posts, reactor);
    reactor->workers = hs_workers_new(&reactor->executor, options);
    *ret_reactor = reactor;
    return 0;
}

struct hs_executor *hs_reactor_get_executor(struct hs_reactor *reactor)
{
    return &reactor->executor;
}

struct event_base *hs_reactor_get_base(struct hs_reactor *reactor)
{
    return reactor->base;
}

struct hs_workers *hs_reactor_get_workers(struct hs_reactor *reactor)
{
    return reactor->workers;
}

static void signal_fired(evutil_socket_t signum, short what, void *arg)
{
    struct signal_watch *watch = arg;

    watch->fn(watch->arg);
}

int hs_reactor_watch_signal(struct hs_reactor *reactor, int signum, hs_executor_fn *fn, void *arg,
                            struct hs_err *err)
{
    struct signal_watch *watch = hs_xcalloc(1, sizeof(*watch));

    watch->fn = fn;
    watch->arg = arg;
    evsignal_assign(&watch->event, reactor->base, signum, signal_fired, watch);
    if (event_add(&watch->event, NULL) != 0) {
        free(watch);
        return hs_err_set(err, HS_E_SYSTEM, "reactor", "signal %d cannot be watched", signum);
    }
    SLIST_INSERT_HEAD(&reactor->signals, watch, link);
    return 0;
}

void hs_reactor_run(struct hs_reactor *reactor)
{
    while (!atomic_load(&reactor->is_stopped)) {
        if (event_base_loop(reactor->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
            break;
        }
    }
    atomic_store(&reactor->is_stopped, false);
}

static void do_nothing(void *arg)
{
}

void hs_reactor_stop(struct hs_reactor *reactor)
{
    atomic_store(&reactor->is_stopped, true);
    /* libevent forgets a break asked for just before its loop starts; a post wakes it anyway. */
    reactor_post(&reactor->executor, do_nothing, NULL);
    event_base_loopbreak(reactor->base);
}

void hs_reactor_free(struct hs_reactor *reactor)
{
    struct signal_watch *watch;
    struct post *post;

    if (reactor == NULL) {
        return;
    }
    hs_workers_free(reactor->workers);
    event_del(&reactor->drain);
    while ((post = STAILQ_FIRST(&reactor->posts)) != NULL) {
        STAILQ_REMOVE_HEAD(&reactor->posts, link);
        free(post);
    }
    while ((watch = SLIST_FIRST(&reactor->signals)) != NULL) {
        SLIST_REMOVE_HEAD(&reactor->signals, link);
        event_del(&watch->event);
        free(watch);
    }
    event_base_free(reactor->base);
    pthread_mutex_destroy(&reactor->mutex);
    free(reactor);
}
