/* SPDX-License-Identifier: Apache-2.0 */
/* api - sockets, identity, limits, routes; answers go out by api_reply.c. */
#include "scheduler/daemon/api.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/api_priv.h"
#include "scheduler/daemon/callers.h"
#include "scheduler/daemon/listener.h"
#include "scheduler/daemon/unixsocket.h"

#define HEADERS_MAX_BYTES 8192 /* promises.md, threats */
/* evhttp's own limit answers without our words, so ours comes first */
#define EVHTTP_BODY_MAX_BYTES (2 * HS_API_BODY_MAX_BYTES)

struct hs_api {
    bool is_waiting; /* that it waits for a socket was said */
    struct hs_daemon *daemon;
    const struct hs_config *config;
    struct evhttp *http;
    struct hs_callers *callers;
    struct event *again; /* for a socket that another daemon still answers on */
    size_t n_bound;      /* sockets of the config that are ours to remove */
};

struct route {
    enum evhttp_cmd_type method;
    const char *pattern; /* a part "*" is an argument */
    hs_api_handler_fn *handler;
};

static const struct route routes[] = {
    {EVHTTP_REQ_GET, "/healthz", hs_api_health_show},
    {EVHTTP_REQ_GET, "/readyz", hs_api_health_ready},
    {EVHTTP_REQ_GET, "/v1/doctor", hs_api_doctor_show},
    {EVHTTP_REQ_POST, "/v1/jobs", hs_api_submit_apply},
    {EVHTTP_REQ_GET, "/v1/jobs", hs_api_list_apply},
    {EVHTTP_REQ_GET, "/v1/jobs/*", hs_api_jobs_show},
    {EVHTTP_REQ_GET, "/v1/jobs/*/explain", hs_api_jobs_explain},
    {EVHTTP_REQ_GET, "/v1/jobs/*/log", hs_api_jobs_log},
    {EVHTTP_REQ_POST, "/v1/jobs/*/cancel", hs_api_jobs_cancel},
    {EVHTTP_REQ_GET, "/v1/sites", hs_api_views_sites},
    {EVHTTP_REQ_GET, "/v1/loops", hs_api_views_loops},
    {EVHTTP_REQ_GET, "/v1/hosts", hs_api_hosts_list},
    {EVHTTP_REQ_POST, "/v1/hosts/*/*/confirm-down", hs_api_hosts_confirm_down},
    {EVHTTP_REQ_GET, "/v1/vms", hs_api_views_vms},
    {EVHTTP_REQ_GET, "/v1/forecast/*/*", hs_api_views_forecast},
    {EVHTTP_REQ_GET, "/v1/maintenance", hs_api_maintenance_list},
    {EVHTTP_REQ_POST, "/v1/maintenance", hs_api_maintenance_add},
    {EVHTTP_REQ_POST, "/v1/maintenance/*/end", hs_api_maintenance_end},
    {EVHTTP_REQ_DELETE, "/v1/maintenance/*", hs_api_maintenance_end},
    {EVHTTP_REQ_POST, "/v1/readings", hs_api_readings_take},
    {EVHTTP_REQ_GET, "/v1/plan", hs_api_views_plan},
    {EVHTTP_REQ_GET, "/v1/report", hs_api_views_report},
};

static const size_t n_routes = sizeof(routes) / sizeof(routes[0]);

/* --- questions --- */

const char *hs_api_get_query(const struct hs_api_call *call, const char *name)
{
    return call->has_query ? evhttp_find_header(&call->query, name) : NULL;
}

int64_t hs_api_get_at_s(const struct hs_api_call *call)
{
    return hs_clock_at_s(hs_daemon_get_clock(call->daemon));
}

uint64_t hs_api_parse_id(struct hs_api_call *call)
{
    char *end = NULL;
    uint64_t id;

    errno = 0;
    id = strtoull(call->args[0], &end, 10);
    if (!isdigit((unsigned char)call->args[0][0]) || *end != '\0' || errno != 0 || id == 0) {
        hs_api_reply_error(call, -HS_E_NOTFOUND, evhttp_request_get_uri(call->http),
                           "a job is named by its number");
        return 0;
    }
    return id;
}

/* --- limits and identity --- */

/** Peer's user, or -1 cast to uid_t if it cannot be told. */
static uid_t get_peer_uid(struct evhttp_request *http)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof(peer);
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return (uid_t)-1;
    }
    return peer.uid;
}

static bool may_speak(const struct hs_config *config, uid_t uid)
{
    if (uid == 0 || uid == geteuid()) {
        return true;
    }
    for (size_t i = 0; i < config->n_uids; i++) {
        if (config->uids[i] == uid) {
            return true;
        }
    }
    return false;
}

/** evhttp takes "+3", two different lengths, and a length beside chunks; we do not. */
static bool has_sane_length(struct evhttp_request *http)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    const struct evkeyval *header;
    size_t n_lengths = 0;

    TAILQ_FOREACH (header, headers, next) {
        if (strcasecmp(header->key, "Content-Length") == 0) {
            n_lengths++;
            if (header->value[0] == '\0'
                || strspn(header->value, "0123456789") != strlen(header->value)) {
                return false;
            }
        }
    }
    return n_lengths == 0
           || (n_lengths == 1 && evhttp_find_header(headers, "Transfer-Encoding") == NULL);
}

static bool take_body(struct hs_api_call *call)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(call->http);
    size_t n_bytes = evbuffer_get_length(in);

    if (n_bytes > HS_API_BODY_MAX_BYTES) {
        hs_api_reply_status(call, 413, -HS_E_INVALID, evhttp_request_get_uri(call->http),
                            "the body is over 256 KiB");
        return false;
    }
    call->body = hs_xcalloc(n_bytes + 1, 1);
    call->n_body_bytes = n_bytes;
    evbuffer_remove(in, call->body, n_bytes);
    return true;
}

static bool take_query(struct hs_api_call *call)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(call->http));

    call->has_query = query != NULL && evhttp_parse_query_str(query, &call->query) == 0;
    if (query != NULL && query[0] != '\0' && !call->has_query) {
        hs_api_reply_error(call, -HS_E_INVALID, evhttp_request_get_uri(call->http),
                           "the query cannot be read");
        return false;
    }
    return true;
}

/** True if the request is new; else it has been answered. */
static bool take_key(struct hs_api_call *call)
{
    const char *key =
        evhttp_find_header(evhttp_request_get_input_headers(call->http), "Idempotency-Key");
    const char *uri = evhttp_request_get_uri(call->http);
    struct hs_repeat_answer answer;
    struct hs_err err;
    uint64_t digest;
    int rc;

    if (key == NULL || key[0] == '\0'
        || evhttp_request_get_command(call->http) != EVHTTP_REQ_POST) {
        return true;
    }
    if (strlen(key) >= sizeof(call->key)) {
        hs_api_reply_error(call, -HS_E_INVALID, "Idempotency-Key", "is over 128 characters");
        return false;
    }
    digest = hs_repeat_digest(0, uri, strlen(uri) + 1);
    digest = hs_repeat_digest(digest, call->body, call->n_body_bytes);
    rc = hs_repeat_begin(hs_daemon_get_repeat(call->daemon), call->uid, key, digest, &answer, &err);
    if (rc != 0) {
        hs_api_reply_error(call, rc, err.where, err.text);
        return false;
    }
    if (answer.status != 0 && answer.text == NULL) {
        hs_api_submit_repeat(call, answer.first_id, answer.n_ids);
        return false;
    }
    if (answer.status != 0) {
        hs_api_reply_send(call, answer.status, "application/json", answer.text,
                          strlen(answer.text));
        return false;
    }
    snprintf(call->key, sizeof(call->key), "%s", key);
    return true;
}

/* --- routes --- */

/** True if @path has the form of @pattern; fills call->args. */
static bool match(struct hs_api_call *call, const char *pattern, const char *path)
{
    size_t n_args = 0;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            size_t n = strcspn(path, "/");
            HS_AUTO_MEM char *raw = strndup(path, n);

            if (n == 0 || raw == NULL) {
                return false;
            }
            free(call->args[n_args]);
            call->args[n_args++] = evhttp_uridecode(raw, 0, NULL);
            path += n;
        } else if (*pattern != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

/** It answers also where nothing is known of jobs. */
static bool is_health(hs_api_handler_fn *handler)
{
    return handler == hs_api_health_show || handler == hs_api_health_ready
           || handler == hs_api_doctor_show;
}

static void dispatch(struct hs_api_call *call, const char *path)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(call->http);
    bool is_known = false;

    method = method == EVHTTP_REQ_HEAD ? EVHTTP_REQ_GET : method;
    for (size_t i = 0; i < n_routes; i++) {
        if (match(call, routes[i].pattern, path)) {
            is_known = true;
            if (routes[i].method != method) {
                continue;
            }
            if (call->cycle == NULL && !is_health(routes[i].handler)) {
                hs_api_reply_error(call, -HS_E_UNAVAILABLE, path, hs_api_health_why(call));
                return;
            }
            if (take_key(call)) {
                routes[i].handler(call);
            }
            return;
        }
    }
    if (is_known) {
        hs_api_reply_status(call, HTTP_BADMETHOD, -HS_E_UNSUPPORTED, path, "not this method here");
    } else {
        hs_api_reply_error(call, -HS_E_NOTFOUND, path, "no such path");
    }
}

static void on_request(struct evhttp_request *http, void *arg)
{
    struct hs_api *api = arg;
    struct hs_api_call *call = hs_xcalloc(1, sizeof(*call));
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

    hs_callers_stop(api->callers, evhttp_request_get_connection(http));
    call->callers = api->callers;
    call->daemon = api->daemon;
    call->cycle = hs_daemon_get_cycle(api->daemon);
    call->http = http;
    call->uid = get_peer_uid(http);
    if (!may_speak(api->config, call->uid)) {
        hs_api_reply_error(call, -HS_E_DENIED, path,
                           "your user is not among auth.unix_users of the daemon");
        return;
    }
    if (path == NULL || !has_sane_length(http)) {
        evhttp_add_header(evhttp_request_get_output_headers(http), "Connection", "close");
        hs_api_reply_error(call, -HS_E_INVALID, path, "the request cannot be read");
        return;
    }
    if (take_body(call) && take_query(call)) {
        dispatch(call, path);
    }
}

/* --- sockets --- */

/** It is the leader's while we stand by, or that of one who is about to end. */
static void wait_for_socket(struct hs_api *api, const struct hs_err *err)
{
    static const struct timeval period = {.tv_usec = 500000};

    if (!api->is_waiting) {
        HS_LOG_WARN("api", "waits: %s", err->text);
    }
    api->is_waiting = true;
    (void)evtimer_add(api->again, &period);
}

static int bind_all(struct hs_api *api, struct hs_err *err)
{
    const struct hs_config *config = api->config;

    for (size_t i = api->n_bound; i < config->n_sockets; i++) {
        int fd = -1;
        int rc = hs_unixsocket_open(config->sockets[i], &fd, err);

        if (rc == -HS_E_CONFLICT) {
            wait_for_socket(api, err);
            return 0;
        }
        if (rc != 0) {
            return rc;
        }
        api->n_bound = i + 1;
        if (hs_listener_add(api->http, fd, err) != 0) {
            (void)close(fd);
            return hs_err_set(err, HS_E_SYSTEM, NULL, "cannot serve on '%s'", config->sockets[i]);
        }
        HS_LOG_INFO("api", "answers on '%s'", config->sockets[i]);
    }
    return 0;
}

static void bind_rest(evutil_socket_t fd, short events, void *arg)
{
    struct hs_api *api = arg;
    struct hs_err err;

    if (bind_all(api, &err) != 0) {
        HS_LOG_ERROR("api", "%s", err.text);
    }
}

int hs_api_new(struct event_base *base, struct hs_daemon *daemon, struct hs_api **ret_api,
               struct hs_err *err)
{
    HS_AUTO(hs_api) api = hs_xcalloc(1, sizeof(*api));
    int rc;

    api->daemon = daemon;
    api->config = hs_daemon_get_config(daemon);
    api->http = evhttp_new(base);
    if (api->http == NULL) {
        hs_mem_exhausted();
    }
    api->callers = hs_callers_new(base, api->http);
    evhttp_set_max_headers_size(api->http, HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(api->http, EVHTTP_BODY_MAX_BYTES);
    evhttp_set_timeout(api->http, (int)HS_CALLERS_REQUEST_S);
    evhttp_set_flags(api->http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_allowed_methods(api->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD
                                              | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE
                                              | EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS);
    evhttp_set_gencb(api->http, on_request, api);
    api->again = evtimer_new(base, bind_rest, api);
    if (api->again == NULL) {
        hs_mem_exhausted();
    }
    rc = bind_all(api, err);
    if (rc != 0) {
        return rc;
    }
    *ret_api = HS_STEAL(api);
    return 0;
}

void hs_api_free(struct hs_api *api)
{
    if (api == NULL) {
        return;
    }
    /* first: as soon as nobody answers here, one that waits may put its own in this place */
    for (size_t i = 0; i < api->n_bound; i++) {
        (void)unlink(api->config->sockets[i]);
    }
    if (api->again != NULL) {
        event_free(api->again);
    }
    evhttp_free(api->http);
    hs_callers_free(api->callers);
    free(api);
}
