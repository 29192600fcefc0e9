/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callers - every connection is in one of four lists:
 *
 *   arriving -> waiting <-> answered
 *                  |
 *               leaving   (cut: evhttp sees the end and lets go of it)
 *
 * `waiting` is in the order of its deadlines, because all have the same time; so its head is the
 * next to be cut, by the clock or because there are too many.
 *
 * libevent 2.1 tells nobody of a new connection before its first request is whole. What it does
 * ask for is a bufferevent; one step of the loop later, still before any byte is read, evhttp has
 * made itself the argument of that bufferevent's callbacks, and that is where we find it.
 */
#include "scheduler/daemon/callers.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define FILES_RESERVED  256  /* for the store, hosts, consoles and sockets */
#define CONNECTIONS_MIN 16   /* however few files there are */
#define WARN_PERIOD_S   60.0 /* a crowd is worth one line a minute */

TAILQ_HEAD(caller_list, caller);

struct caller {
    TAILQ_ENTRY(caller) next;
    struct caller_list *list; /* the one that it is in */
    struct hs_callers *callers;
    struct bufferevent *stream;           /* evhttp's; ours too while arriving */
    struct evhttp_connection *connection; /* NULL while arriving */
    double due_mono_s;                    /* while waiting */
};

struct hs_callers {
    struct hs_clock *clock;
    struct event *arrival; /* active while somebody is arriving */
    struct event *deadline;
    struct caller_list arriving;
    struct caller_list waiting; /* ascending due_mono_s */
    struct caller_list answered;
    struct caller_list leaving;
    size_t n_open; /* waiting and answered */
    size_t n_max;
    double warned_mono_s;
};

static void move(struct caller *caller, struct caller_list *list)
{
    struct hs_callers *callers = caller->callers;
    bool was_open = caller->list == &callers->waiting || caller->list == &callers->answered;
    bool is_open = list == &callers->waiting || list == &callers->answered;

    if (caller->list != NULL) {
        TAILQ_REMOVE(caller->list, caller, next);
    }
    if (list != NULL) {
        TAILQ_INSERT_TAIL(list, caller, next);
    }
    caller->list = list;
    callers->n_open += (size_t)is_open;
    callers->n_open -= (size_t)was_open;
}

static void let_go(struct caller *caller)
{
    move(caller, NULL);
    free(caller);
}

static void on_closed(struct evhttp_connection *connection, void *arg)
{
    let_go(arg);
}

/* --- time --- */

static void arm(struct hs_callers *callers)
{
    const struct caller *head = TAILQ_FIRST(&callers->waiting);
    struct timeval wait = {0};
    double wait_s;

    if (head == NULL || evtimer_pending(callers->deadline, NULL)) {
        return;
    }
    wait_s = fmax(0, head->due_mono_s - hs_clock_mono_s(callers->clock));
    wait.tv_sec = (time_t)wait_s;
    wait.tv_usec = (suseconds_t)((wait_s - (double)wait.tv_sec) * 1e6);
    (void)evtimer_add(callers->deadline, &wait);
}

static void wait_for(struct caller *caller)
{
    caller->due_mono_s = hs_clock_mono_s(caller->callers->clock) + HS_CALLERS_REQUEST_S;
    move(caller, &caller->callers->waiting);
    arm(caller->callers);
}

/** End both directions; evhttp then closes it as if the peer had. */
static void cut(struct caller *caller)
{
    move(caller, &caller->callers->leaving);
    (void)shutdown(bufferevent_getfd(caller->stream), SHUT_RDWR);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct hs_callers *callers = arg;
    double now_mono_s = hs_clock_mono_s(callers->clock);
    struct caller *head;

    while ((head = TAILQ_FIRST(&callers->waiting)) != NULL && head->due_mono_s <= now_mono_s) {
        HS_LOG_DEBUG("api", "a request was not whole within %.0f s", HS_CALLERS_REQUEST_S);
        cut(head);
    }
    arm(callers);
}

/* --- number --- */

static void warn_of_crowd(struct hs_callers *callers)
{
    double now_mono_s = hs_clock_mono_s(callers->clock);

    if (now_mono_s - callers->warned_mono_s >= WARN_PERIOD_S) {
        callers->warned_mono_s = now_mono_s;
        HS_LOG_WARN("api", "over %zu connections: those that wait longest are cut", callers->n_max);
    }
}

static void cut_crowd(struct hs_callers *callers)
{
    struct caller *head;

    while (callers->n_open > callers->n_max && (head = TAILQ_FIRST(&callers->waiting)) != NULL) {
        warn_of_crowd(callers);
        cut(head);
    }
}

/** As many connections as the limit of open files leaves room for. */
static size_t find_n_max(void)
{
    struct rlimit files;
    rlim_t want = HS_CALLERS_MAX + FILES_RESERVED;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return CONNECTIONS_MIN;
    }
    if (files.rlim_cur < want) {
        files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        (void)getrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= want) {
        return HS_CALLERS_MAX;
    }
    return files.rlim_cur > FILES_RESERVED + CONNECTIONS_MIN ? files.rlim_cur - FILES_RESERVED
                                                             : CONNECTIONS_MIN;
}

/* --- coming --- */

static void welcome(struct caller *caller)
{
    struct bufferevent *stream = caller->stream;
    void *connection = NULL;

    bufferevent_getcb(stream, NULL, NULL, NULL, &connection);
    if (connection == NULL) { /* evhttp has let go of it already */
        let_go(caller);
    } else {
        assert(evhttp_connection_get_bufferevent(connection) == stream);
        caller->connection = connection;
        evhttp_connection_set_closecb(connection, on_closed, caller);
        wait_for(caller);
    }
    (void)bufferevent_decref(stream);
}

static void on_arrival(evutil_socket_t fd, short what, void *arg)
{
    struct hs_callers *callers = arg;
    struct caller *caller;

    while ((caller = TAILQ_FIRST(&callers->arriving)) != NULL) {
        welcome(caller);
    }
    cut_crowd(callers);
}

/** evhttp's call for the bufferevent of a new connection. */
static struct bufferevent *make_stream(struct event_base *base, void *arg)
{
    struct hs_callers *callers = arg;
    struct caller *caller = hs_xcalloc(1, sizeof(*caller));

    /* no option: evhttp closes the descriptor itself, as with streams of its own */
    caller->stream = bufferevent_socket_new(base, -1, 0);
    if (caller->stream == NULL) {
        hs_mem_exhausted();
    }
    caller->callers = callers;
    bufferevent_incref(caller->stream);
    move(caller, &callers->arriving);
    event_active(callers->arrival, EV_TIMEOUT, 0);
    return caller->stream;
}

/* --- requests --- */

static struct caller *find(struct caller_list *list, const struct evhttp_connection *connection)
{
    struct caller *caller;

    TAILQ_FOREACH (caller, list, next) {
        if (caller->connection == connection) {
            return caller;
        }
    }
    return NULL;
}

void hs_callers_stop(struct hs_callers *callers, struct evhttp_connection *connection)
{
    struct caller *caller = find(&callers->waiting, connection);

    if (caller != NULL) {
        move(caller, &callers->answered);
    }
}

void hs_callers_start(struct hs_callers *callers, struct evhttp_connection *connection)
{
    struct caller *caller = find(&callers->answered, connection);

    if (caller != NULL) {
        wait_for(caller);
    }
}

/* --- life --- */

struct hs_callers *hs_callers_new(struct event_base *base, struct evhttp *http)
{
    struct hs_callers *callers = hs_xcalloc(1, sizeof(*callers));

    TAILQ_INIT(&callers->arriving);
    TAILQ_INIT(&callers->waiting);
    TAILQ_INIT(&callers->answered);
    TAILQ_INIT(&callers->leaving);
    callers->clock = hs_clock_new_real();
    callers->warned_mono_s = -INFINITY;
    callers->n_max = find_n_max();
    callers->arrival = event_new(base, -1, 0, on_arrival, callers);
    callers->deadline = evtimer_new(base, on_deadline, callers);
    if (callers->arrival == NULL || callers->deadline == NULL) {
        hs_mem_exhausted();
    }
    evhttp_set_bevcb(http, make_stream, callers);
    return callers;
}

static void let_all_go(struct caller_list *list)
{
    struct caller *caller;

    while ((caller = TAILQ_FIRST(list)) != NULL) {
        let_go(caller);
    }
}

void hs_callers_free(struct hs_callers *callers)
{
    struct caller *caller;

    if (callers == NULL) {
        return;
    }
    TAILQ_FOREACH (caller, &callers->arriving, next) {
        (void)bufferevent_decref(caller->stream);
    }
    let_all_go(&callers->arriving);
    let_all_go(&callers->waiting);
    let_all_go(&callers->answered);
    let_all_go(&callers->leaving);
    event_free(callers->deadline);
    event_free(callers->arrival);
    hs_clock_free(callers->clock);
    free(callers);
}
