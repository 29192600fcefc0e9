/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_link - requests, deadlines and reconnecting over one redis_conn at a time.
 *
 * Replies come in the order of the commands, so the first pending request is always the one
 * that a reply belongs to. A link is WAITING (backoff) -> RESOLVING (host names only)
 * -> GREETING (connect, AUTH, SELECT, PING) -> UP, and back to WAITING on any failure. Of a server
 * that is UP but refuses writes, users hear that it is down; it is probed until it takes them.
 */
#include "adapters/redis/redis_link.h"

#include <arpa/inet.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include <hiredis/hiredis.h>

#include "adapters/redis/redis_conn.h"
#include "adapters/redis/redis_url.h"
#include "adapters/redis/secretfile.h"
#include "scheduler/base/mem.h"

#define LINK_GREETING_S    2.0 /* from connect to PONG */
#define LINK_BACKOFF_MIN_S 0.1
#define LINK_BACKOFF_MAX_S 5.0
#define LINK_LAST_LOOK_S   0.05
#define LINK_ADDRESSES_MAX 4
#define LINK_PROBE_S       1.0

enum link_state { LINK_WAITING, LINK_RESOLVING, LINK_GREETING, LINK_UP };

struct request {
    STAILQ_ENTRY(request) entry; /* in pending or ended */
    struct hs_redis_link *link;
    hs_redis_link_fn *fn;
    void *arg;
    struct hs_timer *deadline;
    double deadline_s;
    bool is_last_look;
    size_t n_left; /* replies still to come */
    int rc;
    struct hs_err err;
};

/* A name being looked up on a worker; outlives the link if the resolver hangs. */
struct lookup {
    struct hs_redis_link *link; /* NULL once nobody waits */
    char host[HS_REDIS_URL_PART_MAX];
    char addresses[LINK_ADDRESSES_MAX][INET6_ADDRSTRLEN];
    size_t n_addresses;
    int gai_rc;
};

STAILQ_HEAD(request_list, request);

struct hs_redis_link {
    struct hs_redis_link_options options;
    struct hs_redis_access *access; /* owned */
    struct hs_redis_url url;
    enum link_state state;
    bool is_refusing;       /* LINK_UP, but no writes */
    struct hs_timer *phase; /* end of the backoff, of the patience with a greeting; next probe */
    struct hs_redis_conn *conn;
    struct request_list pending; /* sent on conn */
    struct request_list ended;   /* to be told */
    struct hs_timer *telling;
    double backoff_s;
    struct hs_err why_down;
    struct hs_lane *resolver;
    struct lookup *lookup;
    char addresses[LINK_ADDRESSES_MAX][INET6_ADDRSTRLEN];
    size_t n_addresses;
    size_t address_idx; /* the next one to try */
};

static void give_up(struct hs_redis_link *link, const struct hs_err *why);

/* ---- requests ---- */

static void request_finish(struct request *request, const redisReply *reply)
{
    struct hs_redis_link *link = request->link;

    hs_executor_timer_remove(link->options.executor, request->deadline);
    /* Last: it may free the link. */
    request->fn(request->rc, request->rc < 0 ? &request->err : NULL, reply, request->arg);
    free(request);
}

/* One a turn, for a callback may send again or free the link. */
static void tell_ended(void *arg)
{
    struct hs_redis_link *link = arg;
    struct request *request = STAILQ_FIRST(&link->ended);

    STAILQ_REMOVE_HEAD(&link->ended, entry);
    if (!STAILQ_EMPTY(&link->ended)) {
        hs_executor_timer_set(link->options.executor, link->telling, 0.0);
    }
    request_finish(request, NULL);
}

static void end_later(struct request *request, int rc, const struct hs_err *err)
{
    struct hs_redis_link *link = request->link;

    request->rc = rc;
    request->err = *err;
    hs_executor_timer_remove(link->options.executor, request->deadline);
    request->deadline = NULL;
    STAILQ_INSERT_TAIL(&link->ended, request, entry);
    hs_executor_timer_set(link->options.executor, link->telling, 0.0);
}

static int classify(const struct hs_redis_link *link, const redisReply *reply, struct hs_err *err)
{
    static const struct {
        const char *word;
        enum hs_err_kind kind;
    } words[] = {
        {"LOADING", HS_E_UNAVAILABLE},    {"BUSY", HS_E_UNAVAILABLE},
        {"MISCONF", HS_E_UNAVAILABLE},    {"OOM", HS_E_UNAVAILABLE},
        {"MASTERDOWN", HS_E_UNAVAILABLE}, {"TRYAGAIN", HS_E_UNAVAILABLE},
        {"READONLY", HS_E_UNAVAILABLE},   {"NOREPLICAS", HS_E_UNAVAILABLE},
        {"NOAUTH", HS_E_DENIED},          {"NOPERM", HS_E_DENIED},
        {"WRONGPASS", HS_E_DENIED},
    };
    enum hs_err_kind kind = HS_E_PROTOCOL;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i].word);

        if (strncmp(reply->str, words[i].word, n) == 0 && reply->str[n] == ' ') {
            kind = words[i].kind;
        }
    }
    return hs_err_set(err, kind, link->url.name, "%s", reply->str);
}

static void on_reply(void *arg, const struct redisReply *reply)
{
    struct hs_redis_link *link = arg;
    struct request *request = STAILQ_FIRST(&link->pending);

    if (reply->type == REDIS_REPLY_ERROR && request->rc == 0) {
        request->rc = classify(link, reply, &request->err);
    }
    if (--request->n_left == 0) {
        STAILQ_REMOVE_HEAD(&link->pending, entry);
        request_finish(request, reply);
    }
}

static void request_expired(void *arg)
{
    struct request *request = arg;
    struct hs_redis_link *link = request->link;
    struct hs_err why;

    /* If the loop was held up, the answer may lie in the socket: turn a few times more. */
    if (!request->is_last_look) {
        request->is_last_look = true;
        hs_executor_timer_set(link->options.executor, request->deadline, LINK_LAST_LOOK_S);
        return;
    }
    hs_err_set(&why, HS_E_TIMEOUT, link->url.name, "no answer within %g s", request->deadline_s);
    give_up(link, &why);
}

static struct request *request_new(struct hs_redis_link *link, hs_redis_link_fn *fn, void *arg)
{
    struct request *request = hs_xcalloc(1, sizeof(*request));

    request->link = link;
    request->fn = fn;
    request->arg = arg;
    return request;
}

/* Put @commands on the wire; on failure the connection is about to end by itself. */
static int transmit(struct hs_redis_link *link, struct request *request,
                    const struct hs_redis_link_command *commands, size_t n_commands)
{
    request->n_left = n_commands;
    for (size_t i = 0; i < n_commands; i++) {
        if (hs_redis_conn_send(link->conn, commands[i].n_args, commands[i].args) != 0) {
            return -HS_E_UNAVAILABLE;
        }
    }
    STAILQ_INSERT_TAIL(&link->pending, request, entry);
    return 0;
}

void hs_redis_link_send(struct hs_redis_link *link, const struct hs_redis_link_command *commands,
                        size_t n_commands, double deadline_s, hs_redis_link_fn *fn, void *arg)
{
    struct request *request = request_new(link, fn, arg);

    if (link->state != LINK_UP || transmit(link, request, commands, n_commands) != 0) {
        struct hs_err err;

        hs_err_set(&err, HS_E_UNAVAILABLE, link->url.name, "not connected: %s",
                   link->why_down.text);
        end_later(request, -HS_E_UNAVAILABLE, &err);
        return;
    }
    request->deadline_s = deadline_s;
    request->deadline = hs_executor_timer_add(
        link->options.executor, fmax(deadline_s - LINK_LAST_LOOK_S, 0.0), request_expired, request);
}

/* ---- connecting ---- */

static void on_greeting(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct hs_redis_link *link = arg;
    struct hs_err why;

    if (rc == -HS_E_DENIED) {
        hs_err_set(&why, HS_E_DENIED, link->url.name, "redis refuses our user or password: %s",
                   err->text);
        give_up(link, &why);
        return;
    }
    if (rc < 0) {
        give_up(link, err);
        return;
    }
    if (reply == NULL || reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "PONG") != 0) {
        hs_err_set(&why, HS_E_PROTOCOL, link->url.name, "the server does not answer PING by PONG");
        give_up(link, &why);
        return;
    }
    link->state = LINK_UP;
    link->is_refusing = false;
    link->backoff_s = LINK_BACKOFF_MIN_S;
    hs_executor_timer_set(link->options.executor, link->phase, -1.0);
    if (link->options.up != NULL) {
        link->options.up(link->options.arg);
    }
}

static void on_ended(void *arg, const struct hs_err *why)
{
    struct hs_redis_link *link = arg;
    const struct request *greeting = STAILQ_FIRST(&link->pending);
    struct hs_err said;

    link->conn = NULL; /* frees itself */
    if (greeting != NULL && greeting->fn == on_greeting && greeting->rc < 0) {
        said = greeting->err; /* what a server says before it shuts the door: too many clients */
        why = &said;
    }
    give_up(link, why);
}

static void set_why_down(struct hs_redis_link *link, const struct hs_err *why)
{
    const struct hs_err kept = *why; /* it may be ours */

    hs_err_set(&link->why_down, kept.kind, link->url.name, "%s", kept.text);
}

static void give_up(struct hs_redis_link *link, const struct hs_err *why)
{
    bool was_up = hs_redis_link_is_up(link);
    struct request *request;
    struct hs_err err;

    hs_redis_conn_free(link->conn);
    link->conn = NULL;
    link->state = LINK_WAITING;
    set_why_down(link, why);
    while ((request = STAILQ_FIRST(&link->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->pending, entry);
        if (request->fn == on_greeting) {
            free(request);
            continue;
        }
        hs_err_set(&err, HS_E_TIMEOUT, link->url.name, "%s; it may or may not have been done",
                   why->text);
        end_later(request, -HS_E_TIMEOUT, &err);
    }
    hs_executor_timer_set(link->options.executor, link->phase, link->backoff_s);
    link->backoff_s *= 2;
    if (link->backoff_s > LINK_BACKOFF_MAX_S) {
        link->backoff_s = LINK_BACKOFF_MAX_S;
    }
    if (was_up && link->options.down != NULL) {
        link->options.down(link->options.arg, why); /* last: it may free the link */
    }
}

/** AUTH, SELECT where needed, PING. @param password  NULL for none */
static void greet(struct hs_redis_link *link, const char *password)
{
    const char *user = link->url.user[0] != '\0' ? link->url.user : link->access->user;
    char database[16];
    const char *const auth_pair[] = {"AUTH", user, password};
    const char *const auth_alone[] = {"AUTH", password};
    const char *const select_db[] = {"SELECT", database};
    const char *const ping[] = {"PING"};
    struct hs_redis_link_command commands[3];
    size_t n = 0;
    struct request *request = request_new(link, on_greeting, link);

    snprintf(database, sizeof(database), "%d", link->url.database);
    if (password != NULL && user[0] != '\0') {
        commands[n++] = (struct hs_redis_link_command){3, auth_pair};
    } else if (password != NULL) {
        commands[n++] = (struct hs_redis_link_command){2, auth_alone};
    }
    if (link->url.database > 0) {
        commands[n++] = (struct hs_redis_link_command){2, select_db};
    }
    commands[n++] = (struct hs_redis_link_command){1, ping};
    if (transmit(link, request, commands, n) != 0) {
        free(request); /* the phase timer sees to the rest */
    }
}

/** As it is now: a changed password needs no restart. @param ret_password  NULL: none; owned */
static int find_password(const struct hs_redis_link *link, char **ret_password, struct hs_err *err)
{
    if (link->access->password_file[0] != '\0') {
        return hs_secretfile_read_line(link->access->password_file, ret_password, err);
    }
    if (link->url.password[0] != '\0' || link->url.user[0] != '\0'
        || link->access->user[0] != '\0') {
        *ret_password = hs_xstrdup(link->url.password);
    }
    return 0;
}

static void open_conn(struct hs_redis_link *link)
{
    const struct hs_redis_conn_handler handler = {on_reply, on_ended, link};
    bool is_unix = link->url.path[0] != '\0';
    const struct hs_redis_conn_place place = {
        .path = is_unix ? link->url.path : NULL,
        .ip = is_unix ? NULL : link->addresses[link->address_idx++],
        .port = link->url.port,
        .tls = link->url.is_tls ? &link->access->tls : NULL,
        .host = link->url.host,
    };
    HS_AUTO_MEM char *password = NULL;
    struct hs_err why;
    int rc;

    link->state = LINK_GREETING;
    rc = find_password(link, &password, &why);
    if (rc == 0) {
        rc = hs_redis_conn_new(link->options.executor, &place, &handler, &link->conn, &why);
    }
    if (rc < 0) {
        give_up(link, &why);
        return;
    }
    hs_executor_timer_set(link->options.executor, link->phase, LINK_GREETING_S);
    greet(link, password);
}

static void lookup_work(void *arg)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct lookup *lookup = arg;
    struct addrinfo *found = NULL;

    lookup->gai_rc = getaddrinfo(lookup->host, NULL, &hints, &found);
    for (struct addrinfo *i = found; i != NULL && lookup->n_addresses < LINK_ADDRESSES_MAX;
         i = i->ai_next) {
        if (getnameinfo(i->ai_addr, i->ai_addrlen, lookup->addresses[lookup->n_addresses],
                        sizeof(lookup->addresses[0]), NULL, 0, NI_NUMERICHOST)
            == 0) {
            lookup->n_addresses++;
        }
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
}

static void lookup_done(int rc, void *arg)
{
    struct lookup *lookup = arg;
    struct hs_redis_link *link = lookup->link;
    struct hs_err why;

    if (link == NULL) {
        return;
    }
    lookup->link = NULL;
    link->lookup = NULL;
    if (rc < 0 || lookup->n_addresses == 0) {
        hs_err_set(&why, HS_E_UNAVAILABLE, link->url.name, "cannot resolve '%s': %s",
                   link->url.host, rc < 0 ? "no answer in time" : gai_strerror(lookup->gai_rc));
        give_up(link, &why);
        return;
    }
    memcpy(link->addresses, lookup->addresses, sizeof(link->addresses));
    link->n_addresses = lookup->n_addresses;
    link->address_idx = 0;
    open_conn(link);
}

static void resolve(struct hs_redis_link *link)
{
    struct lookup *lookup = hs_xcalloc(1, sizeof(*lookup));

    link->state = LINK_RESOLVING;
    link->lookup = lookup;
    lookup->link = link;
    memcpy(lookup->host, link->url.host, sizeof(lookup->host));
    if (link->resolver == NULL) {
        link->resolver = hs_executor_lane_add(link->options.executor, link->url.name);
    }
    hs_executor_run(link->options.executor, link->resolver, LINK_GREETING_S, lookup_work,
                    lookup_done, free, lookup);
}

static void phase_over(void *arg)
{
    struct hs_redis_link *link = arg;
    struct hs_err why;

    if (link->state == LINK_UP) {
        hs_executor_timer_set(link->options.executor, link->phase, LINK_PROBE_S);
        link->options.probe(link->options.arg); /* last: it may free the link */
    } else if (link->state == LINK_GREETING) {
        hs_err_set(&why, HS_E_TIMEOUT, link->url.name, "no greeting within %g s: %s",
                   LINK_GREETING_S, hs_redis_conn_get_stage(link->conn));
        give_up(link, &why);
    } else if (link->url.path[0] != '\0' || link->address_idx < link->n_addresses) {
        open_conn(link);
    } else {
        resolve(link);
    }
}

/* ---- life ---- */

int hs_redis_link_new(const struct hs_redis_link_options *options, struct hs_redis_link **ret_link,
                      struct hs_err *err)
{
    struct hs_redis_url url;
    struct hs_redis_link *link;
    int rc = hs_redis_url_parse(options->access.url, &url, err);

    if (rc < 0) {
        return rc;
    }
    link = hs_xcalloc(1, sizeof(*link));
    link->options = *options;
    link->access = hs_redis_access_dup(&options->access);
    link->options.access = *link->access; /* what was given is borrowed for this call only */
    link->url = url;
    STAILQ_INIT(&link->pending);
    STAILQ_INIT(&link->ended);
    link->backoff_s = LINK_BACKOFF_MIN_S;
    hs_err_set(&link->why_down, HS_E_UNAVAILABLE, url.name, "still connecting");
    link->telling = hs_executor_timer_add(options->executor, -1.0, tell_ended, link);
    link->phase = hs_executor_timer_add(options->executor, 0.0, phase_over, link);
    *ret_link = link;
    return 0;
}

bool hs_redis_link_is_up(const struct hs_redis_link *link)
{
    return link->state == LINK_UP && !link->is_refusing;
}

const struct hs_err *hs_redis_link_get_why_down(const struct hs_redis_link *link)
{
    return hs_redis_link_is_up(link) ? NULL : &link->why_down;
}

void hs_redis_link_set_refusal(struct hs_redis_link *link, const struct hs_err *why)
{
    bool was_refusing = link->is_refusing;

    if (link->state != LINK_UP) {
        return;
    }
    link->is_refusing = why != NULL;
    if (why != NULL) {
        set_why_down(link, why);
    }
    if (link->is_refusing == was_refusing) {
        return;
    }
    hs_executor_timer_set(link->options.executor, link->phase,
                          why != NULL && link->options.probe != NULL ? LINK_PROBE_S : -1.0);
    if (why != NULL && link->options.down != NULL) {
        link->options.down(link->options.arg, &link->why_down); /* last: it may free the link */
    } else if (why == NULL && link->options.up != NULL) {
        link->options.up(link->options.arg);
    }
}

void hs_redis_link_free(struct hs_redis_link *link)
{
    struct request *request;
    struct hs_err err;

    if (link == NULL) {
        return;
    }
    hs_redis_conn_free(link->conn);
    link->conn = NULL;
    link->state = LINK_WAITING;
    hs_err_set(&err, HS_E_UNAVAILABLE, link->url.name, "the connection was closed");
    link->why_down = err;
    while ((request = STAILQ_FIRST(&link->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->pending, entry);
        if (request->fn == on_greeting) {
            free(request);
        } else {
            end_later(request, -HS_E_UNAVAILABLE, &err);
        }
    }
    while ((request = STAILQ_FIRST(&link->ended)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->ended, entry);
        request_finish(request, NULL);
    }
    if (link->lookup != NULL) {
        link->lookup->link = NULL;
    }
    hs_executor_lane_remove(link->options.executor, link->resolver);
    hs_executor_timer_remove(link->options.executor, link->phase);
    hs_executor_timer_remove(link->options.executor, link->telling);
    hs_redis_access_free(link->access);
    free(link);
}
