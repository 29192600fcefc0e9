/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_link - open, watch, drop and reopen one virConnect. */
#include "adapters/compute/libvirt_link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include <libvirt/virterror.h>

#include "adapters/compute/libvirt_events.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define KEEPALIVE_INTERVAL_S 2
#define KEEPALIVE_COUNT      3
#define BACKOFF_MIN_S        0.25
#define BACKOFF_MAX_S        4.0 /* a host that is back is found within 5 s (promises.md, 7) */
#define CLOSE_DEADLINE_S     30.0

/* What callbacks of libvirt hold of a link: outlives it, points to nothing then. */
struct token {
    atomic_int n_refs;
    struct hs_executor *executor;
    struct hs_libvirt_link *link; /* executor's thread only; NULL when freed */
};

/* A counted connection. The link has one reference, every call in the queue another. */
struct conn {
    atomic_int n_refs;
    virConnectPtr ptr;
    int event_id;        /* < 0: none */
    struct token *token; /* what on_close() holds */
    struct hs_executor *executor;
};

/* A lane for one call. */
struct apart {
    LIST_ENTRY(apart) link;
    struct hs_lane_calls calls;
    bool is_closing; /* whoever closes it frees it */
};

struct hs_libvirt_link {
    struct hs_executor *executor;
    LIST_HEAD(, apart) aparts;
    struct hs_lane_calls calls;
    struct hs_libvirt_link_options options;
    char *uri;
    struct token *token;
    struct conn *conn; /* NULL while down */
    struct hs_timer *reopen;
    double backoff_s;
    bool is_told_down; /* state(false) was called and nothing has changed since */
};

static struct token *token_ref(struct token *token)
{
    (void)atomic_fetch_add(&token->n_refs, 1);
    return token;
}

static void token_unref(void *arg)
{
    struct token *token = arg;

    if (atomic_fetch_sub(&token->n_refs, 1) == 1) {
        free(token);
    }
}

/* --- dropping a connection: closing is a remote call, so never on the executor's thread --- */

struct closing {
    struct conn *conn;
    struct hs_executor *executor;
    struct hs_lane *lane;
};

static void on_close(virConnectPtr ptr, int reason, void *opaque);

static void conn_close(struct conn *conn)
{
    /* each registration holds a reference of libvirt's own: it would never close otherwise */
    if (conn->event_id >= 0) {
        (void)virConnectDomainEventDeregisterAny(conn->ptr, conn->event_id);
    }
    (void)virConnectUnregisterCloseCallback(conn->ptr, on_close);
    (void)virConnectClose(conn->ptr);
    token_unref(conn->token);
    free(conn);
}

static void closing_work(void *arg)
{
    conn_close(((struct closing *)arg)->conn);
}

static void closing_done(int rc, void *arg)
{
    struct closing *closing = arg;

    hs_executor_lane_remove(closing->executor, closing->lane);
}

static void closing_start(void *arg)
{
    struct conn *conn = arg;
    struct closing *closing = hs_xcalloc(1, sizeof(*closing));

    closing->conn = conn;
    closing->executor = conn->executor;
    closing->lane = hs_executor_lane_add(conn->executor, "closing");
    hs_executor_run(closing->executor, closing->lane, CLOSE_DEADLINE_S, closing_work, closing_done,
                    free, closing);
}

/** From the executor's thread. */
static void conn_unref(struct conn *conn)
{
    if (conn != NULL && atomic_fetch_sub(&conn->n_refs, 1) == 1) {
        closing_start(conn);
    }
}

/** From a worker: may close, and block. */
static void conn_unref_blocking(struct conn *conn)
{
    if (atomic_fetch_sub(&conn->n_refs, 1) == 1) {
        conn_close(conn);
    }
}

/* --- what libvirt tells us --- */

struct closed {
    struct token *token;
    virConnectPtr ptr; /* compared only */
    int reason;
};

static void link_lost(struct hs_libvirt_link *link, const char *text);

static const char *reason_text(int reason)
{
    switch (reason) {
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
        return "libvirtd gave no sign of life";
    case VIR_CONNECT_CLOSE_REASON_EOF:
        return "libvirtd closed the connection";
    case VIR_CONNECT_CLOSE_REASON_CLIENT:
        return "we closed the connection";
    default:
        return "connection failed";
    }
}

static void closed_post(void *arg)
{
    struct closed *closed = arg;
    struct hs_libvirt_link *link = closed->token->link;

    if (link != NULL && link->conn != NULL && link->conn->ptr == closed->ptr) {
        link_lost(link, reason_text(closed->reason));
    }
    token_unref(closed->token);
    free(closed);
}

static void on_close(virConnectPtr ptr, int reason, void *opaque)
{
    struct token *token = opaque;
    struct closed *closed = hs_xcalloc(1, sizeof(*closed));

    closed->token = token_ref(token);
    closed->ptr = ptr;
    closed->reason = reason;
    hs_executor_post(token->executor, closed_post, closed);
}

/* libvirt dispatches events from its loop, so this is the executor's thread */
static int on_event(virConnectPtr ptr, virDomainPtr domain, int event, int detail, void *opaque)
{
    struct hs_libvirt_link *link = ((struct token *)opaque)->link;
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    struct hs_libvirt_event told = {
        .name = virDomainGetName(domain), .uuid = uuid, .event = event, .detail = detail};

    if (link != NULL && told.name != NULL && virDomainGetUUIDString(domain, uuid) == 0) {
        link->options.event(&told, link->options.arg);
    }
    return 0;
}

/* --- opening --- */

enum opening_state { OPENING_RUNNING, OPENING_RETURNED, OPENING_GIVEN_UP };

struct opening {
    char *uri;
    struct token *token;
    atomic_int state;
    struct conn *conn;
};

static int opening_work(void *arg, struct hs_err *err)
{
    struct opening *opening = arg;
    const virError *error;
    struct conn *conn;
    virConnectPtr ptr = virConnectOpen(opening->uri);

    if (ptr == NULL) {
        error = virGetLastError();
        return hs_err_set(err, HS_E_UNAVAILABLE, NULL, "cannot connect: %s",
                          error != NULL && error->message != NULL ? error->message : "no reason");
    }
    /* refused by drivers that live in this process (test:), which cannot hang */
    (void)virConnectSetKeepAlive(ptr, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT);
    conn = hs_xcalloc(1, sizeof(*conn));
    atomic_init(&conn->n_refs, 1);
    conn->ptr = ptr;
    conn->executor = opening->token->executor;
    /* Ours to release: where a driver cannot break (test:), libvirt 9 says yes to this and
     * forgets it, the free callback too. */
    conn->token = token_ref(opening->token);
    (void)virConnectRegisterCloseCallback(ptr, on_close, conn->token, NULL);
    conn->event_id = virConnectDomainEventRegisterAny(ptr, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                      VIR_DOMAIN_EVENT_CALLBACK(on_event),
                                                      token_ref(opening->token), token_unref);
    if (conn->event_id < 0) {
        token_unref(opening->token);
        HS_LOG_DEBUG("compute", "'%s' tells no events, polling only", opening->uri);
    }
    opening->conn = conn;
    if (atomic_exchange(&opening->state, OPENING_RETURNED) == OPENING_GIVEN_UP) {
        conn_unref_blocking(conn);
    }
    return 0;
}

static void opening_done(int rc, const struct hs_err *err, void *arg)
{
    struct opening *opening = arg;
    struct hs_libvirt_link *link = opening->token->link;

    if (rc < 0 || link == NULL) {
        /* it may have come back this very moment: then nobody but us knows the connection */
        if (atomic_exchange(&opening->state, OPENING_GIVEN_UP) == OPENING_RETURNED) {
            conn_unref(opening->conn);
        }
        if (link != NULL) {
            link_lost(link, err->text);
        }
        return;
    }
    link->conn = opening->conn;
    link->backoff_s = BACKOFF_MIN_S;
    link->is_told_down = false;
    link->options.state(true, "", link->options.arg);
}

static void opening_release(void *arg)
{
    struct opening *opening = arg;

    token_unref(opening->token);
    free(opening->uri);
    free(opening);
}

static void link_open(void *arg)
{
    struct hs_libvirt_link *link = arg;
    struct opening *opening = hs_xcalloc(1, sizeof(*opening));

    opening->uri = hs_xstrdup(link->uri);
    opening->token = token_ref(link->token);
    atomic_init(&opening->state, OPENING_RUNNING);
    hs_lane_calls_add(&link->calls, opening_work, opening_done, opening_release, opening);
}

static void link_lost(struct hs_libvirt_link *link, const char *text)
{
    bool tell = !link->is_told_down;

    conn_unref(link->conn);
    link->conn = NULL;
    hs_executor_timer_set(link->executor, link->reopen, link->backoff_s);
    link->backoff_s = link->backoff_s * 2 < BACKOFF_MAX_S ? link->backoff_s * 2 : BACKOFF_MAX_S;
    link->is_told_down = true;
    if (tell) {
        link->options.state(false, text, link->options.arg);
    }
}

struct hs_libvirt_link *hs_libvirt_link_new(const struct hs_libvirt_link_options *options)
{
    struct hs_libvirt_link *link = hs_xcalloc(1, sizeof(*link));

    hs_libvirt_events_start(options->executor);
    link->executor = options->executor;
    link->options = *options;
    link->uri = hs_xstrdup(options->uri);
    link->options.uri = link->uri;
    link->backoff_s = BACKOFF_MIN_S;
    link->token = hs_xcalloc(1, sizeof(*link->token));
    atomic_init(&link->token->n_refs, 1);
    link->token->executor = options->executor;
    link->token->link = link;
    hs_lane_calls_init(&link->calls, options->executor, options->uri, options->deadline_s);
    link->reopen = hs_executor_timer_add(options->executor, -1.0, link_open, link);
    link_open(link);
    return link;
}

/* --- calls --- */

struct call {
    struct conn *conn; /* NULL once dropped */
    hs_libvirt_link_work_fn *work;
    hs_lane_call_done_fn *done;
    hs_executor_fn *release;
    void *arg;
    struct apart *apart; /* NULL: on the host's own lane */
};

static void apart_free(struct apart *apart)
{
    apart->is_closing = true;
    LIST_REMOVE(apart, link);
    hs_lane_calls_fini(&apart->calls);
    free(apart);
}

static int call_work(void *arg, struct hs_err *err)
{
    struct call *call = arg;
    int rc = call->work(call->conn->ptr, call->arg, err);

    conn_unref_blocking(call->conn);
    call->conn = NULL;
    return rc;
}

static void call_done(int rc, const struct hs_err *err, void *arg)
{
    struct call *call = arg;

    if (call->apart != NULL && !call->apart->is_closing) {
        apart_free(call->apart);
    }
    call->done(rc, err, call->arg);
}

static void call_release(void *arg)
{
    struct call *call = arg;

    conn_unref(call->conn);
    call->release(call->arg);
    free(call);
}

/** With the connection as it is now. */
static struct call *call_new(struct hs_libvirt_link *link, hs_libvirt_link_work_fn *work,
                             hs_lane_call_done_fn *done, hs_executor_fn *release, void *arg)
{
    struct call *call = hs_xcalloc(1, sizeof(*call));

    (void)atomic_fetch_add(&link->conn->n_refs, 1);
    call->conn = link->conn;
    call->work = work;
    call->done = done;
    call->release = release;
    call->arg = arg;
    return call;
}

bool hs_libvirt_link_call(struct hs_libvirt_link *link, hs_libvirt_link_work_fn *work,
                          hs_lane_call_done_fn *done, hs_executor_fn *release, void *arg)
{
    if (link->conn == NULL) {
        return false;
    }
    hs_lane_calls_add(&link->calls, call_work, call_done, call_release,
                      call_new(link, work, done, release, arg));
    return true;
}

bool hs_libvirt_link_call_apart(struct hs_libvirt_link *link, double deadline_s,
                                hs_libvirt_link_work_fn *work, hs_lane_call_done_fn *done,
                                hs_executor_fn *release, void *arg)
{
    struct apart *apart;
    struct call *call;

    if (link->conn == NULL) {
        return false;
    }
    apart = hs_xcalloc(1, sizeof(*apart));
    hs_lane_calls_init(&apart->calls, link->executor, link->uri, deadline_s);
    LIST_INSERT_HEAD(&link->aparts, apart, link);
    call = call_new(link, work, done, release, arg);
    call->apart = apart;
    hs_lane_calls_add(&apart->calls, call_work, call_done, call_release, call);
    return true;
}

void hs_libvirt_link_free(struct hs_libvirt_link *link)
{
    if (link == NULL) {
        return;
    }
    link->token->link = NULL;
    for (struct apart *apart; (apart = LIST_FIRST(&link->aparts)) != NULL;) {
        apart_free(apart);
    }
    hs_lane_calls_fini(&link->calls);
    hs_executor_timer_remove(link->executor, link->reopen);
    conn_unref(link->conn);
    token_unref(link->token);
    free(link->uri);
    free(link);
}
