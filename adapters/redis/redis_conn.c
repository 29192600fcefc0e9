/* SPDX-License-Identifier: Apache-2.0 */
/* redis_conn - hiredis' event hooks as watches of the executor. */
#include "adapters/redis/redis_conn.h"

#include <fcntl.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "scheduler/base/mem.h"

struct hs_redis_conn {
    struct hs_executor *executor;
    redisAsyncContext *context;
    struct hs_redis_conn_handler handler;
    struct hs_watch *watch;
    unsigned events;
    bool is_detached; /* nobody listens any more */
    bool is_in_event; /* hiredis is on the stack below */
    bool is_over;     /* hiredis has let go; free when out of the event */
};

static void watch_for(struct hs_redis_conn *conn, unsigned events)
{
    if (events != conn->events) {
        conn->events = events;
        hs_executor_watch_set(conn->executor, conn->watch, events);
    }
}

static void hook_add_read(void *data)
{
    struct hs_redis_conn *conn = data;

    watch_for(conn, conn->events | HS_WATCH_READ);
}

static void hook_del_read(void *data)
{
    struct hs_redis_conn *conn = data;

    watch_for(conn, conn->events & ~(unsigned)HS_WATCH_READ);
}

static void hook_add_write(void *data)
{
    struct hs_redis_conn *conn = data;

    watch_for(conn, conn->events | HS_WATCH_WRITE);
}

static void hook_del_write(void *data)
{
    struct hs_redis_conn *conn = data;

    watch_for(conn, conn->events & ~(unsigned)HS_WATCH_WRITE);
}

/* hiredis' last word on a context, whoever ended it. */
static void hook_cleanup(void *data)
{
    struct hs_redis_conn *conn = data;

    hs_executor_watch_remove(conn->executor, conn->watch);
    conn->watch = NULL;
    if (!conn->is_detached) {
        const redisContext *c = &conn->context->c;

        conn->handler.ended(conn->handler.arg, c->err != 0 ? c->errstr : "closed by the server");
    }
    conn->is_over = true;
    if (!conn->is_in_event) {
        free(conn);
    }
}

static void conn_ready(int fd, unsigned events, void *arg)
{
    struct hs_redis_conn *conn = arg;

    conn->is_in_event = true;
    if ((events & HS_WATCH_READ) != 0) {
        redisAsyncHandleRead(conn->context);
    }
    if ((events & HS_WATCH_WRITE) != 0 && !conn->is_over) {
        redisAsyncHandleWrite(conn->context);
    }
    conn->is_in_event = false;
    if (conn->is_over) {
        free(conn);
    }
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg)
{
    struct hs_redis_conn *conn = arg;

    /* Without a reply the context is being torn down; hook_cleanup() says so once. */
    if (reply != NULL && !conn->is_detached) {
        conn->handler.reply(conn->handler.arg, reply);
    }
}

int hs_redis_conn_new(struct hs_executor *executor, const char *path, const char *ip, int port,
                      const struct hs_redis_conn_handler *handler, struct hs_redis_conn **ret_conn,
                      struct hs_err *err)
{
    redisAsyncContext *context =
        path != NULL ? redisAsyncConnectUnix(path) : redisAsyncConnect(ip, port);
    struct hs_redis_conn *conn;

    if (context == NULL) {
        abort(); /* out of memory */
    }
    if (context->err != 0) {
        int rc = hs_err_set(err, HS_E_UNAVAILABLE, "redis", "%s", context->errstr);

        redisAsyncFree(context);
        return rc;
    }
    /* hiredis 0.14 opens its socket without CLOEXEC. */
    (void)fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    conn = hs_xcalloc(1, sizeof(*conn));
    conn->executor = executor;
    conn->context = context;
    conn->handler = *handler;
    conn->watch = hs_executor_watch_add(executor, context->c.fd, 0, conn_ready, conn);
    context->ev.addRead = hook_add_read;
    context->ev.delRead = hook_del_read;
    context->ev.addWrite = hook_add_write;
    context->ev.delWrite = hook_del_write;
    context->ev.cleanup = hook_cleanup;
    context->ev.data = conn;
    hook_add_write(conn); /* the end of connecting shows as writable */
    *ret_conn = conn;
    return 0;
}

int hs_redis_conn_send(struct hs_redis_conn *conn, size_t n_args, const char *const *args)
{
    int rc = redisAsyncCommandArgv(conn->context, on_reply, conn, (int)n_args, (const char **)args,
                                   NULL);

    return rc == REDIS_OK ? 0 : -HS_E_UNAVAILABLE;
}

void hs_redis_conn_free(struct hs_redis_conn *conn)
{
    if (conn != NULL) {
        conn->is_detached = true;
        redisAsyncFree(conn->context); /* ends in hook_cleanup(), inside a reply a little later */
    }
}
