/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_conn - socket, buffers, TLS where wanted, hiredis' reader.
 *
 * Commands are gathered in `plain` and go out when the loop finds the socket writable, so all that
 * one turn of the loop sends travels together.
 */
#include "adapters/redis/redis_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <hiredis/hiredis.h>

#include "scheduler/base/mem.h"

#define CONN_CHUNK_BYTES 65536
#define CONN_CHUNKS_MAX  16 /* read at a time, so that other descriptors get their turn */
#define TLS_RECORD_ALERT 0x15
#define TLS_RECORD_HELLO 0x16

struct buffer {
    char *bytes; /* [n_max] owned */
    size_t at;   /* what is before it has been sent */
    size_t n;    /* bytes from at on */
    size_t n_max;
};

enum conn_stage { CONN_CONNECTING, CONN_SHAKING_HANDS, CONN_OPEN };

struct hs_redis_conn {
    struct hs_executor *executor;
    struct hs_redis_conn_handler handler;
    struct hs_watch *watch;
    int fd;
    enum conn_stage stage;
    redisReader *reader;
    struct hs_redis_tls *tls; /* NULL: plain */
    struct buffer plain;      /* commands; with tls until the handshake is over */
    struct buffer wire;       /* as it goes to the socket */
    bool is_tcp;
    bool has_read;
    bool is_detached; /* nobody listens any more */
    bool is_in_event; /* a handler may be on the stack: free later */
};

/* ---- buffers ---- */

static void buffer_add(struct buffer *buffer, const void *bytes, size_t n)
{
    if (buffer->at > 0 && buffer->at + buffer->n + n > buffer->n_max) {
        memmove(buffer->bytes, buffer->bytes + buffer->at, buffer->n);
        buffer->at = 0;
    }
    if (buffer->n + n > buffer->n_max) {
        size_t n_max = buffer->n_max * 2 > buffer->n + n ? buffer->n_max * 2 : buffer->n + n;
        char *grown = realloc(buffer->bytes, n_max);

        if (grown == NULL) {
            hs_mem_exhausted();
        }
        buffer->bytes = grown;
        buffer->n_max = n_max;
    }
    memcpy(buffer->bytes + buffer->at + buffer->n, bytes, n);
    buffer->n += n;
}

static void buffer_cut(struct buffer *buffer, size_t n)
{
    buffer->at += n;
    buffer->n -= n;
    if (buffer->n > 0) {
        return;
    }
    buffer->at = 0;
    if (buffer->n_max > CONN_CHUNK_BYTES) { /* one huge commit is no reason to keep its room */
        free(buffer->bytes);
        *buffer = (struct buffer){0};
    }
}

/* ---- life ---- */

static void conn_destroy(struct hs_redis_conn *conn)
{
    hs_executor_watch_remove(conn->executor, conn->watch);
    if (conn->fd >= 0) {
        (void)close(conn->fd);
    }
    if (conn->reader != NULL) {
        redisReaderFree(conn->reader);
    }
    hs_redis_tls_free(conn->tls);
    free(conn->plain.bytes);
    free(conn->wire.bytes);
    free(conn);
}

void hs_redis_conn_free(struct hs_redis_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    conn->is_detached = true;
    if (!conn->is_in_event) {
        conn_destroy(conn);
    }
}

/* ---- in and out; each returns 0 or the failure that ends the connection ---- */

/** From the commands to the wire, through TLS where there is one. */
static int fill_wire(struct hs_redis_conn *conn, struct hs_err *err)
{
    char chunk[CONN_CHUNK_BYTES];
    size_t n;
    int rc;

    if (conn->tls == NULL) {
        if (conn->wire.n == 0) {
            struct buffer emptied = conn->wire;

            conn->wire = conn->plain;
            conn->plain = emptied;
        }
        return 0;
    }
    if (hs_redis_tls_is_open(conn->tls) && conn->plain.n > 0) {
        rc = hs_redis_tls_write(conn->tls, conn->plain.bytes + conn->plain.at, conn->plain.n, err);
        if (rc < 0) {
            return rc;
        }
        buffer_cut(&conn->plain, conn->plain.n);
    }
    while ((n = hs_redis_tls_take(conn->tls, chunk, sizeof(chunk))) > 0) {
        buffer_add(&conn->wire, chunk, n);
    }
    return 0;
}

static int send_wire(struct hs_redis_conn *conn, struct hs_err *err)
{
    int rc = fill_wire(conn, err);

    while (rc == 0 && conn->wire.n > 0) {
        ssize_t n = send(conn->fd, conn->wire.bytes + conn->wire.at, conn->wire.n, MSG_NOSIGNAL);

        if (n >= 0) {
            buffer_cut(&conn->wire, (size_t)n);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            rc = hs_err_set(err, HS_E_UNAVAILABLE, "redis", "%s", strerror(errno));
        }
    }
    return rc;
}

/** Hand out the replies that are whole. */
static int tell_replies(struct hs_redis_conn *conn, struct hs_err *err)
{
    void *reply = NULL;

    while (!conn->is_detached) {
        if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK) {
            return hs_err_set(err, HS_E_PROTOCOL, "redis", "%s", conn->reader->errstr);
        }
        if (reply == NULL) {
            return 0;
        }
        conn->handler.reply(conn->handler.arg, reply);
        freeReplyObject(reply);
    }
    return 0;
}

static int take_plain(struct hs_redis_conn *conn, const char *bytes, size_t n, struct hs_err *err)
{
    if (redisReaderFeed(conn->reader, bytes, n) != REDIS_OK) {
        return hs_err_set(err, HS_E_PROTOCOL, "redis", "%s", conn->reader->errstr);
    }
    return tell_replies(conn, err);
}

static int take_encrypted(struct hs_redis_conn *conn, const char *bytes, size_t n,
                          struct hs_err *err)
{
    char plain[CONN_CHUNK_BYTES];
    ssize_t n_plain;
    int rc = hs_redis_tls_feed(conn->tls, bytes, n, err);

    if (rc < 0) {
        return rc;
    }
    conn->stage = hs_redis_tls_is_open(conn->tls) ? CONN_OPEN : CONN_SHAKING_HANDS;
    if (conn->stage != CONN_OPEN) {
        return 0;
    }
    while (rc == 0 && !conn->is_detached
           && (n_plain = hs_redis_tls_read(conn->tls, plain, sizeof(plain), err)) != 0) {
        rc = n_plain < 0 ? (int)n_plain : take_plain(conn, plain, (size_t)n_plain, err);
    }
    return rc;
}

static int take(struct hs_redis_conn *conn, const char *bytes, size_t n, struct hs_err *err)
{
    bool is_first = !conn->has_read;

    conn->has_read = true;
    if (conn->tls != NULL) {
        return take_encrypted(conn, bytes, n, err);
    }
    if (is_first && (bytes[0] == TLS_RECORD_ALERT || bytes[0] == TLS_RECORD_HELLO)) {
        return hs_err_set(err, HS_E_PROTOCOL, "redis",
                          "the server speaks TLS on this port: use rediss://");
    }
    return take_plain(conn, bytes, n, err);
}

/** A TLS server ends a plain connection without a word, so say what it may be. */
static int fail_closed(const struct hs_redis_conn *conn, const char *text, struct hs_err *err)
{
    bool may_be_tls = conn->tls == NULL && conn->is_tcp && !conn->has_read;

    return hs_err_set(err, HS_E_UNAVAILABLE, "redis", "%s%s", text,
                      conn->stage == CONN_SHAKING_HANDS ? " in the TLS handshake"
                      : may_be_tls ? " before any answer; if this is a tls-port, use rediss://"
                                   : "");
}

static int receive(struct hs_redis_conn *conn, struct hs_err *err)
{
    char chunk[CONN_CHUNK_BYTES];

    for (int i = 0; i < CONN_CHUNKS_MAX && !conn->is_detached; i++) {
        ssize_t n = recv(conn->fd, chunk, sizeof(chunk), 0);
        int rc;

        if (n == 0) {
            return fail_closed(conn, "the server closed the connection", err);
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return fail_closed(conn, strerror(errno), err);
        }
        rc = n > 0 ? take(conn, chunk, (size_t)n, err) : 0;
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/** The socket became writable for the first time: connected, or not. */
static int end_connecting(struct hs_redis_conn *conn, struct hs_err *err)
{
    int sys_errno = 0;
    socklen_t n = sizeof(sys_errno);

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &sys_errno, &n) != 0) {
        sys_errno = errno;
    }
    if (sys_errno != 0) {
        return hs_err_set(err, HS_E_UNAVAILABLE, "redis", "%s", strerror(sys_errno));
    }
    conn->stage = conn->tls != NULL ? CONN_SHAKING_HANDS : CONN_OPEN;
    return 0;
}

/* ---- events ---- */

static void watch_again(struct hs_redis_conn *conn)
{
    bool has_more = conn->stage == CONN_CONNECTING || conn->wire.n > 0
                    || (conn->plain.n > 0 && conn->stage == CONN_OPEN);

    hs_executor_watch_set(conn->executor, conn->watch,
                          HS_WATCH_READ | (has_more ? (unsigned)HS_WATCH_WRITE : 0U));
}

static void conn_ready(int fd, unsigned events, void *arg)
{
    struct hs_redis_conn *conn = arg;
    struct hs_err why;
    int rc = 0;

    conn->is_in_event = true;
    if (conn->stage == CONN_CONNECTING) {
        rc = end_connecting(conn, &why);
    }
    if (rc == 0 && (events & ~(unsigned)HS_WATCH_WRITE) != 0) {
        rc = receive(conn, &why);
    }
    if (rc == 0 && !conn->is_detached) {
        rc = send_wire(conn, &why);
        if (rc < 0) {
            struct hs_err also;

            (void)receive(conn, &also); /* its last words may lie in the socket */
        }
    }
    if (rc == 0 && !conn->is_detached) {
        watch_again(conn);
        conn->is_in_event = false;
        return;
    }
    if (!conn->is_detached) {
        conn->is_detached = true;
        conn->handler.ended(conn->handler.arg, &why);
    }
    conn_destroy(conn);
}

/* ---- connecting ---- */

static int connect_unix(struct hs_redis_conn *conn, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    conn->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return conn->fd < 0 ? -1 : connect(conn->fd, (struct sockaddr *)&address, sizeof(address));
}

static int connect_tcp(struct hs_redis_conn *conn, const char *ip, int port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
    const struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    const int yes = 1;

    if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    conn->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        return -1;
    }
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return connect(conn->fd, address, is_v4 ? sizeof(v4) : sizeof(v6));
}

static struct hs_redis_conn *conn_alloc(struct hs_executor *executor,
                                        const struct hs_redis_conn_handler *handler)
{
    struct hs_redis_conn *conn = hs_xcalloc(1, sizeof(*conn));

    conn->executor = executor;
    conn->handler = *handler;
    conn->fd = -1;
    conn->reader = redisReaderCreate();
    if (conn->reader == NULL) {
        hs_mem_exhausted();
    }
    return conn;
}

int hs_redis_conn_new(struct hs_executor *executor, const struct hs_redis_conn_place *place,
                      const struct hs_redis_conn_handler *handler, struct hs_redis_conn **ret_conn,
                      struct hs_err *err)
{
    struct hs_redis_conn *conn = conn_alloc(executor, handler);
    int rc = place->tls != NULL ? hs_redis_tls_new(place->tls, place->host, &conn->tls, err) : 0;

    if (rc < 0) {
        conn_destroy(conn);
        return rc;
    }
    conn->is_tcp = place->path == NULL;
    rc = place->path != NULL ? connect_unix(conn, place->path)
                             : connect_tcp(conn, place->ip, place->port);
    if (rc != 0 && errno != EINPROGRESS) {
        rc = hs_err_set(err, HS_E_UNAVAILABLE, "redis", "%s", strerror(errno));
        conn_destroy(conn);
        return rc;
    }
    conn->watch =
        hs_executor_watch_add(executor, conn->fd, HS_WATCH_READ | HS_WATCH_WRITE, conn_ready, conn);
    *ret_conn = conn;
    return 0;
}

int hs_redis_conn_send(struct hs_redis_conn *conn, size_t n_args, const char *const *args)
{
    char *command = NULL;
    int n = redisFormatCommandArgv(&command, (int)n_args, (const char **)args, NULL);

    if (n < 0) {
        hs_mem_exhausted();
    }
    if (!conn->is_detached) {
        buffer_add(&conn->plain, command, (size_t)n);
        if (!conn->is_in_event) { /* its end watches anew */
            watch_again(conn);
        }
    }
    redisFreeCommand(command);
    return conn->is_detached ? -HS_E_UNAVAILABLE : 0;
}

const char *hs_redis_conn_get_stage(const struct hs_redis_conn *conn)
{
    switch (conn->stage) {
    case CONN_CONNECTING:
        return "it does not accept the connection";
    case CONN_SHAKING_HANDS:
        return "it does not answer in TLS; is it a tls-port?";
    default:
        return "it accepts and does not answer";
    }
}
