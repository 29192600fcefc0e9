/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/weather/weather_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <zlib.h>

#define HOURS     48
#define ETAG      "\"forecast\""
#define HUGE_SIZE (3U << 20)
#define BOMB_SIZE (16U << 20)

static void format_date(int64_t at_s, char *ret_text, size_t size)
{
    time_t at = (time_t)at_s;
    struct tm tm;

    assert(strftime(ret_text, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm)) > 0);
}

static void add_date(struct evhttp_request *request, const char *name, int64_t at_s)
{
    char text[64];

    format_date(at_s, text, sizeof(text));
    evhttp_add_header(evhttp_request_get_output_headers(request), name, text);
}

static void add_forecast(const struct weather_server *server, const char *unit,
                         struct evbuffer *body)
{
    int64_t hour_at_s = server->changed_at_s - server->changed_at_s % 3600;

    evbuffer_add_printf(body,
                        "{\"utc_offset_seconds\":0,\"hourly_units\":{\"time\":\"unixtime\","
                        "\"temperature_2m\":\"%s\"},\"hourly\":{\"time\":[",
                        unit);
    for (int i = 0; i < HOURS; i++) {
        evbuffer_add_printf(body, "%s%" PRId64, i > 0 ? "," : "", hour_at_s + 3600 * (int64_t)i);
    }
    evbuffer_add_printf(body, "],\"temperature_2m\":[");
    for (int i = 0; i < HOURS; i++) {
        evbuffer_add_printf(body, "%s%.1f", i > 0 ? "," : "", server->t_out_c);
    }
    evbuffer_add_printf(body, "]}}");
}

static void add_bomb(struct evhttp_request *request, struct evbuffer *body)
{
    static unsigned char packed[256U << 10];
    unsigned char *zeros = calloc(1, BOMB_SIZE);
    z_stream stream = {
        .next_in = zeros, .avail_in = BOMB_SIZE, .next_out = packed, .avail_out = sizeof(packed)};

    assert(zeros != NULL
           && deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    evbuffer_add(body, packed, stream.total_out);
    (void)deflateEnd(&stream);
    free(zeros);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Encoding", "gzip");
}

static void fill(const struct weather_server *server, struct evhttp_request *request,
                 struct evbuffer *body)
{
    char *huge;

    switch (server->mode) {
    case SERVES_GARBAGE:
        evbuffer_add_printf(body, "<html><body>Down for maintenance</body></html>");
        break;
    case SERVES_TRUNCATED:
        add_forecast(server, "°C", body);
        evbuffer_drain(body, 0);
        huge = calloc(1, evbuffer_get_length(body) / 2 + 1);
        assert(huge != NULL);
        (void)evbuffer_copyout(body, huge, evbuffer_get_length(body) / 2);
        evbuffer_drain(body, evbuffer_get_length(body));
        evbuffer_add(body, huge, strlen(huge));
        free(huge);
        break;
    case SERVES_UNITS:
        add_forecast(server, "K", body);
        break;
    case SERVES_HUGE:
        huge = malloc(HUGE_SIZE);
        assert(huge != NULL);
        memset(huge, ' ', HUGE_SIZE);
        evbuffer_add(body, huge, HUGE_SIZE);
        free(huge);
        break;
    case SERVES_BOMB:
        add_bomb(request, body);
        break;
    default:
        add_forecast(server, "°C", body);
        break;
    }
}

/** Whether the client has what we have, by its own words. */
static int is_known(const struct weather_server *server, struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    const char *since = evhttp_find_header(headers, "If-Modified-Since");
    const char *etag = evhttp_find_header(headers, "If-None-Match");
    char text[64];

    format_date(server->changed_at_s, text, sizeof(text));
    return since != NULL && etag != NULL && strcmp(since, text) == 0 && strcmp(etag, ETAG) == 0;
}

static void answer(struct evhttp_request *request, void *arg)
{
    struct weather_server *server = arg;
    struct evkeyvalq *out = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    const char *agent = evhttp_find_header(evhttp_request_get_input_headers(request), "User-Agent");
    int known = is_known(server, request);
    int code = 200;

    server->n_requests++;
    server->n_conditional += known;
    snprintf(server->agent, sizeof(server->agent), "%s", agent != NULL ? agent : "");
    snprintf(server->query, sizeof(server->query), "%s", evhttp_request_get_uri(request));
    if (server->mode == SERVES_SLOWLY) {
        evbuffer_free(body);
        return;
    }
    add_date(request, "Date", server->now_at_s);
    add_date(request, "Expires", server->now_at_s + 1800);
    if (server->mode == SERVES_429 || server->mode == SERVES_500 || server->mode == SERVES_403) {
        code = server->mode == SERVES_429 ? 429 : server->mode == SERVES_500 ? 500 : 403;
        evhttp_add_header(out, "Retry-After", server->mode == SERVES_429 ? "7200" : "1");
    } else if (server->mode == SERVES_REDIRECT) {
        char url[64];

        code = 302;
        snprintf(url, sizeof(url), "http://127.0.0.1:%u/elsewhere", server->port);
        evhttp_add_header(out, "Location", url);
    } else {
        add_date(request, "Last-Modified", server->changed_at_s);
        evhttp_add_header(out, "ETag", ETAG);
        if (server->mode == SERVES_MAX_AGE) {
            evhttp_add_header(out, "Cache-Control", "public, max-age=7200");
        }
        code = known ? 304 : server->mode == SERVES_203 ? 203 : 200;
        if (!known) {
            fill(server, request, body);
        }
    }
    evhttp_send_reply(request, code, "so", body);
    evbuffer_free(body);
}

static void serve(struct weather_server *server, int ready_fd)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(http, "127.0.0.1", server->port);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bound == NULL
        || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size)
               != 0) {
        _exit(1);
    }
    server->port = ntohs(address.sin_port);
    evhttp_set_gencb(http, answer, server);
    if (write(ready_fd, "x", 1) != 1) {
        _exit(1);
    }
    event_base_dispatch(base);
    _exit(0);
}

struct weather_server *weather_server_start(void)
{
    struct weather_server *server =
        mmap(NULL, sizeof(*server), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;
    char byte;
    int fds[2];

    assert(server != MAP_FAILED && pipe(fds) == 0);
    pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        serve(server, fds[1]);
    }
    server->pid = pid; /* not before: the child's own would be shared */
    close(fds[1]);
    assert(read(fds[0], &byte, 1) == 1);
    close(fds[0]);
    return server;
}

void weather_server_stop(struct weather_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}
