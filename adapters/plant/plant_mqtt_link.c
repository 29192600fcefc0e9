/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_mqtt_link - one libmosquitto client an attempt.
 *
 * An attempt that hangs in its connect keeps its client until it returns; the next begins with a
 * new one. libmosquitto calls back from within its calls: what ends a session there is only marked,
 * and done when the call has returned. It closes its descriptor by itself, so the watch has a
 * duplicate: nobody else's descriptor of that number is ever unwatched.
 */
#include "adapters/plant/plant_mqtt_link.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mosquitto.h>

#include "adapters/redis/secretfile.h"
#include "scheduler/base/mem.h"

#define BACKOFF_FIRST_S    0.5
#define BACKOFF_MOST_S     30.0
#define CONNECT_DEADLINE_S 10.0 /* name, TCP, TLS; then again for the broker's word */
#define MISC_S             0.5
#define PACKETS_A_TURN     32 /* so that a flood leaves others their turn */
#define SYSTEM_CA_DIR      "/etc/ssl/certs"

/* One attempt and what became of it. */
struct session {
    struct hs_plant_mqtt_link *link;    /* NULL: nobody waits for it any more */
    struct hs_plant_mqtt_access access; /* its own: a job may outlive the link */
    char *texts;
    struct mosquitto *mosquitto;
    struct hs_watch *watch;
    int watch_fd;
    int n_refs; /* the link, and a job in flight */
    int connect_rc;
    int connect_errno;
    bool is_up;
    bool is_over;
    struct hs_err err; /* why */
};

struct hs_plant_mqtt_link {
    struct hs_plant_mqtt_link_options options;
    char *texts; /* holds the copies that access points to */
    struct hs_lane *lane;
    struct hs_timer *timer;  /* next attempt, or libmosquitto's own chores */
    struct session *session; /* NULL between attempts */
    double waited_s;         /* for the broker's word */
    unsigned n_failed;
    bool is_away;
};

/* ---- texts ---- */

static const char *copy_text(char **io_room, const char *text)
{
    char *copy = *io_room;

    if (text == NULL || text[0] == '\0') {
        return NULL;
    }
    strcpy(copy, text); /* the room was measured */
    *io_room += strlen(text) + 1;
    return copy;
}

/* @access with texts of its own. @return the room in which they lie, owned by the caller */
static char *copy_access(const struct hs_plant_mqtt_access *access,
                         struct hs_plant_mqtt_access *ret_access)
{
    struct hs_plant_mqtt_access copy = *access;
    const char **texts[] = {&copy.host, &copy.client_id, &copy.user, &copy.password_file,
                            &copy.ca,   &copy.cert,      &copy.key,  &copy.status_topic};
    const size_t n = sizeof(texts) / sizeof(texts[0]);
    size_t n_bytes = 1;
    char *texts_room;
    char *room;

    for (size_t i = 0; i < n; i++) {
        n_bytes += *texts[i] != NULL ? strlen(*texts[i]) + 1 : 0;
    }
    room = texts_room = hs_xcalloc(n_bytes, 1);
    for (size_t i = 0; i < n; i++) {
        *texts[i] = copy_text(&room, *texts[i]);
    }
    *ret_access = copy;
    return texts_room;
}

/* ---- the client ---- */

static void unref(struct session *session)
{
    if (--session->n_refs == 0) {
        mosquitto_destroy(session->mosquitto);
        free(session->texts);
        free(session);
    }
}

/** Mark the session's end; the first reason counts. */
__attribute__((format(printf, 3, 4))) static void
end_session(struct session *session, enum hs_err_kind kind, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    if (!session->is_over) {
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        session->is_over = true;
        (void)hs_err_set(&session->err, kind, NULL, "%s", text);
    }
}

static void on_connect(struct mosquitto *mosquitto, void *arg, int rc)
{
    struct session *session = arg;
    struct hs_plant_mqtt_link *link = session->link;
    const char *topic = link != NULL ? link->options.access.status_topic : NULL;

    if (rc != 0) {
        end_session(session, HS_E_DENIED, "the broker refuses: %s", mosquitto_connack_string(rc));
        return;
    }
    session->is_up = true;
    if (link != NULL) {
        link->n_failed = 0;
        if (topic != NULL) {
            (void)hs_plant_mqtt_link_publish(link, topic, "online", true);
        }
        link->options.up(link->options.arg);
    }
}

static void on_disconnect(struct mosquitto *mosquitto, void *arg, int rc)
{
    end_session(arg, HS_E_UNAVAILABLE, "connection lost: %s",
                rc == 0 ? "we left" : mosquitto_strerror(rc));
}

static void on_message(struct mosquitto *mosquitto, void *arg,
                       const struct mosquitto_message *message)
{
    struct session *session = arg;
    size_t n_bytes = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
    HS_AUTO_MEM char *payload = hs_xcalloc(n_bytes + 1, 1);

    if (n_bytes > 0) {
        memcpy(payload, message->payload, n_bytes);
    }
    if (session->link != NULL && session->link->options.message != NULL) {
        session->link->options.message(session->link->options.arg, message->topic, payload, n_bytes,
                                       message->retain);
    }
}

static int set_secrets(struct mosquitto *mosquitto, const struct hs_plant_mqtt_access *access,
                       struct hs_err *err)
{
    HS_AUTO_MEM char *password = NULL;
    int rc = 0;

    if (access->password_file != NULL) {
        rc = hs_secretfile_read_line(access->password_file, &password, err);
    }
    if (rc == 0 && access->user != NULL) {
        (void)mosquitto_username_pw_set(mosquitto, access->user, password);
    }
    if (rc == 0 && access->has_tls
        && (mosquitto_tls_set(mosquitto, access->ca, access->ca != NULL ? NULL : SYSTEM_CA_DIR,
                              access->cert, access->key, NULL)
                != MOSQ_ERR_SUCCESS
            || mosquitto_tls_opts_set(mosquitto, 1, NULL, NULL) != MOSQ_ERR_SUCCESS)) {
        rc = hs_err_set(err, HS_E_INVALID, access->host,
                        "tls: a file of 'ca', 'cert' and 'key' cannot be read");
    }
    return rc;
}

static int make_client(const struct hs_plant_mqtt_access *access, void *arg,
                       struct mosquitto **ret_mosquitto, struct hs_err *err)
{
    static const char offline[] = "offline";
    struct mosquitto *mosquitto = mosquitto_new(access->client_id, true, arg);
    int rc;

    if (mosquitto == NULL) {
        return hs_err_set(err, HS_E_INVALID, access->host, "client_id '%.60s' cannot be used",
                          access->client_id);
    }
    rc = set_secrets(mosquitto, access, err);
    if (rc == 0 && access->status_topic != NULL
        && mosquitto_will_set(mosquitto, access->status_topic, (int)strlen(offline), offline, 1,
                              true)
               != MOSQ_ERR_SUCCESS) {
        rc = hs_err_set(err, HS_E_INVALID, access->host, "'%.60s' is no topic to publish at",
                        access->status_topic);
    }
    if (rc != 0) {
        mosquitto_destroy(mosquitto);
        return rc;
    }
    (void)mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(mosquitto, on_connect);
    mosquitto_disconnect_callback_set(mosquitto, on_disconnect);
    mosquitto_message_callback_set(mosquitto, on_message);
    *ret_mosquitto = mosquitto;
    return 0;
}

/* ---- one session ---- */

static void close_session(struct hs_plant_mqtt_link *link)
{
    struct session *session = link->session;

    link->session = NULL;
    session->link = NULL;
    if (session->watch != NULL) {
        hs_executor_watch_remove(link->options.executor, session->watch);
        close(session->watch_fd);
    }
    unref(session);
}

static void try_later(struct hs_plant_mqtt_link *link)
{
    double pause_s = fmin(ldexp(BACKOFF_FIRST_S, (int)fmin(link->n_failed, 16)), BACKOFF_MOST_S);

    link->n_failed++;
    hs_executor_timer_set(link->options.executor, link->timer, link->is_away ? -1.0 : pause_s);
}

/* After each call of libmosquitto: has it ended, and does it want to write? */
static void settle(struct hs_plant_mqtt_link *link, int rc)
{
    struct session *session = link->session;
    struct hs_err err;

    if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_NO_CONN) {
        end_session(session, rc == MOSQ_ERR_PROTOCOL ? HS_E_PROTOCOL : HS_E_UNAVAILABLE,
                    "connection lost: %s",
                    rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
    }
    if (session->is_over || mosquitto_socket(session->mosquitto) < 0) {
        end_session(session, HS_E_UNAVAILABLE, "connection lost");
        err = session->err;
        close_session(link);
        try_later(link);
        link->options.down(link->options.arg, &err);
        return;
    }
    hs_executor_watch_set(link->options.executor, session->watch,
                          HS_WATCH_READ
                              | (mosquitto_want_write(session->mosquitto) ? HS_WATCH_WRITE : 0U));
}

static void on_ready(int fd, unsigned events, void *arg)
{
    struct hs_plant_mqtt_link *link = arg;
    struct mosquitto *mosquitto = link->session->mosquitto;
    int rc = MOSQ_ERR_SUCCESS;

    if (events & HS_WATCH_WRITE) {
        rc = mosquitto_loop_write(mosquitto, PACKETS_A_TURN);
    }
    if (rc == MOSQ_ERR_SUCCESS && (events & ~(unsigned)HS_WATCH_WRITE)) {
        rc = mosquitto_loop_read(mosquitto, PACKETS_A_TURN);
    }
    settle(link, rc);
}

/* The blocking part, on a worker; nobody else touches the client meanwhile. */
static void connect_job(void *arg)
{
    struct session *session = arg;
    const struct hs_plant_mqtt_access *access = &session->access;

    session->connect_rc =
        mosquitto_connect(session->mosquitto, access->host, access->port, access->keepalive_s);
    session->connect_errno = errno;
}

static const char *get_connect_error(const struct session *session)
{
    return session->connect_rc == MOSQ_ERR_ERRNO ? strerror(session->connect_errno)
                                                 : mosquitto_strerror(session->connect_rc);
}

static void connect_done(int rc, void *arg)
{
    struct session *session = arg;
    struct hs_plant_mqtt_link *link = session->link;
    struct hs_err err;

    if (link == NULL) {
        return;
    }
    if (rc == 0 && session->connect_rc == MOSQ_ERR_SUCCESS) {
        session->watch_fd = fcntl(mosquitto_socket(session->mosquitto), F_DUPFD_CLOEXEC, 0);
        if (session->watch_fd >= 0) {
            session->watch = hs_executor_watch_add(link->options.executor, session->watch_fd,
                                                   HS_WATCH_READ | HS_WATCH_WRITE, on_ready, link);
            link->waited_s = 0;
            hs_executor_timer_set(link->options.executor, link->timer, MISC_S);
            return;
        }
    }
    hs_err_set(&err, HS_E_UNAVAILABLE, NULL, "no connection: %s",
               rc != 0 ? "no answer within 10 s" : get_connect_error(session));
    close_session(link);
    try_later(link);
    link->options.down(link->options.arg, &err);
}

static void connect_release(void *arg)
{
    unref(arg);
}

static void begin_session(struct hs_plant_mqtt_link *link)
{
    struct session *session = hs_xcalloc(1, sizeof(*session));
    struct hs_err err;

    session->link = link;
    session->texts = copy_access(&link->options.access, &session->access);
    session->watch_fd = -1;
    if (make_client(&link->options.access, session, &session->mosquitto, &err) != 0) {
        free(session->texts);
        free(session);
        try_later(link);
        link->options.down(link->options.arg, &err);
        return;
    }
    session->n_refs = 2;
    link->session = session;
    hs_executor_run(link->options.executor, link->lane, CONNECT_DEADLINE_S, connect_job,
                    connect_done, connect_release, session);
}

static void on_timer(void *arg)
{
    struct hs_plant_mqtt_link *link = arg;
    struct session *session = link->session;

    if (session == NULL) {
        begin_session(link);
        return;
    }
    if (session->watch == NULL) {
        return; /* its connect is out */
    }
    link->waited_s += MISC_S;
    if (!session->is_up && link->waited_s > CONNECT_DEADLINE_S) {
        end_session(session, HS_E_TIMEOUT, "it accepts and does not answer");
    }
    hs_executor_timer_set(link->options.executor, link->timer, MISC_S);
    settle(link, session->is_over ? MOSQ_ERR_SUCCESS : mosquitto_loop_misc(session->mosquitto));
}

/* ---- life ---- */

struct hs_plant_mqtt_link *hs_plant_mqtt_link_new(const struct hs_plant_mqtt_link_options *options)
{
    struct hs_plant_mqtt_link *link = hs_xcalloc(1, sizeof(*link));

    (void)mosquitto_lib_init(); /* counts its callers; a late connect may outlive any of ours */
    link->options = *options;
    link->texts = copy_access(&options->access, &link->options.access);
    link->lane = hs_executor_lane_add(options->executor, link->options.access.host);
    link->timer = hs_executor_timer_add(options->executor, 0, on_timer, link);
    return link;
}

int hs_plant_mqtt_link_check(const struct hs_plant_mqtt_access *access, struct hs_err *err)
{
    struct hs_plant_mqtt_access copy;
    HS_AUTO_MEM char *texts = copy_access(access, &copy);
    struct mosquitto *mosquitto = NULL;
    int rc;

    (void)mosquitto_lib_init();
    rc = make_client(&copy, NULL, &mosquitto, err);
    if (rc == 0) {
        mosquitto_destroy(mosquitto);
    }
    return rc;
}

bool hs_plant_mqtt_link_is_up(const struct hs_plant_mqtt_link *link)
{
    return link->session != NULL && link->session->is_up && !link->session->is_over;
}

bool hs_plant_mqtt_link_subscribe(struct hs_plant_mqtt_link *link, const char *topic)
{
    return hs_plant_mqtt_link_is_up(link)
           && mosquitto_subscribe(link->session->mosquitto, NULL, topic, 1) == MOSQ_ERR_SUCCESS;
}

bool hs_plant_mqtt_link_publish(struct hs_plant_mqtt_link *link, const char *topic,
                                const char *text, bool is_retained)
{
    bool is_sent = hs_plant_mqtt_link_is_up(link)
                   && mosquitto_publish(link->session->mosquitto, NULL, topic, (int)strlen(text),
                                        text, 1, is_retained)
                          == MOSQ_ERR_SUCCESS;

    if (is_sent && link->session->watch != NULL && mosquitto_want_write(link->session->mosquitto)) {
        hs_executor_watch_set(link->options.executor, link->session->watch,
                              HS_WATCH_READ | HS_WATCH_WRITE);
    }
    return is_sent;
}

static void leave(struct hs_plant_mqtt_link *link)
{
    const char *topic = link->options.access.status_topic;

    if (hs_plant_mqtt_link_is_up(link)) {
        if (topic != NULL) { /* the will is not sent for one who says good-bye */
            (void)hs_plant_mqtt_link_publish(link, topic, "offline", true);
        }
        (void)mosquitto_disconnect(link->session->mosquitto);
    }
    if (link->session != NULL) {
        close_session(link);
    }
}

void hs_plant_mqtt_link_set_away(struct hs_plant_mqtt_link *link, bool is_away)
{
    if (link->is_away == is_away) {
        return;
    }
    link->is_away = is_away;
    if (is_away) {
        leave(link);
    }
    hs_executor_timer_set(link->options.executor, link->timer, is_away ? -1.0 : 0.0);
}

void hs_plant_mqtt_link_free(struct hs_plant_mqtt_link *link)
{
    if (link == NULL) {
        return;
    }
    leave(link);
    hs_executor_timer_remove(link->options.executor, link->timer);
    hs_executor_lane_remove(link->options.executor, link->lane);
    free(link->texts);
    free(link);
}
