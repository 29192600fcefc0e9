/* SPDX-License-Identifier: Apache-2.0 */
/* probe_stream - what comes by at a broker, and what came last in a readings stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/plant/plant_mqtt_link.h"
#include "adapters/plant/plant_redis_tail.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/probe_priv.h"
#include "scheduler/daemon/reactor.h"

#define COUNT_DEFAULT 10
#define PORT_PLAIN    1883
#define PORT_TLS      8883
#define KEEPALIVE_S   30
#define TEXT_MAX      160 /* of a payload that is no JSON */
#define WHERE_MAX     160

/* One run: until enough has come, or it is over. */
struct listening {
    const struct hs_probe *probe;
    struct hs_reactor *reactor;
    struct hs_plant_mqtt_link *link;
    const char *topic;
    int n_left;
    bool was_up;
    int rc;
    struct hs_err err;
};

static void stop(struct listening *self, int rc, const struct hs_err *err)
{
    self->rc = rc;
    if (err != NULL) {
        self->err = *err;
    }
    hs_reactor_stop(self->reactor);
}

/* ---- a broker ---- */

/* Every number below @json, with the pointer that `points` would name it by. */
static void print_numbers(const json_t *json, const char *pointer)
{
    char where[WHERE_MAX];
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_number(json)) {
        printf("  %-40s %.10g\n", pointer, json_number_value(json));
    }
    json_object_foreach ((json_t *)json, key, member) {
        snprintf(where, sizeof(where), "%.90s/%.60s", pointer, key);
        print_numbers(member, where);
    }
    json_array_foreach (json, i, member) {
        snprintf(where, sizeof(where), "%.130s/%zu", pointer, i);
        print_numbers(member, where);
    }
}

/* What a terminal can show of it. */
static void print_payload(const char *payload, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes && i < TEXT_MAX; i++) {
        unsigned char c = (unsigned char)payload[i];

        putchar(c >= ' ' && c != 0x7F ? c : '.');
    }
    printf("%s\n", n_bytes > TEXT_MAX ? "..." : "");
}

static void on_message(void *arg, const char *topic, const char *payload, size_t n_bytes,
                       bool is_retained)
{
    struct listening *self = arg;
    json_auto_t *json = NULL;

    if (self->n_left == 0) {
        return;
    }
    if (self->probe->is_json) {
        json_auto_t *object = hs_jsonx_object();
        HS_AUTO_MEM char *text = hs_xstrdup(payload);

        hs_jsonx_set_text(object, "api", "hsched/v1");
        hs_jsonx_set_text(object, "kind", "Message");
        hs_jsonx_set_text(object, "topic", topic);
        hs_jsonx_set_bool(object, "retained", is_retained);
        hs_jsonx_set(object, "payload", hs_jsonx_text(text));
        hs_probe_print(object);
    } else {
        printf("%s%s: ", topic, is_retained ? " (retained: no reading)" : "");
        print_payload(payload, n_bytes);
        if (hs_jsonx_parse(NULL, payload, n_bytes, &json, NULL) == 0) {
            print_numbers(json, "");
        }
        fflush(stdout);
    }
    if (--self->n_left == 0) {
        stop(self, 0, NULL);
    }
}

static void on_up(void *arg)
{
    struct listening *self = arg;

    self->was_up = true;
    (void)hs_plant_mqtt_link_subscribe(self->link, self->topic);
}

static void on_down(void *arg, const struct hs_err *err)
{
    stop(arg, -(int)err->kind, err);
}

static void on_over(void *arg)
{
    struct listening *self = arg;
    struct hs_err err;
    int n = self->probe->count > 0 ? self->probe->count : COUNT_DEFAULT;

    hs_err_set(&err, HS_E_NOTFOUND, NULL, "nothing was said at '%s' in %llds", self->topic,
               (long long)self->probe->for_s);
    stop(self, self->n_left == n ? -HS_E_NOTFOUND : 0, self->n_left == n ? &err : NULL);
}

/* mqtt[s]://HOST[:PORT]/TOPIC. @param text  is cut up */
static int parse_broker(char *text, struct hs_plant_mqtt_access *ret_access, const char **ret_topic,
                        struct hs_err *err)
{
    char *host = strstr(text, "://") + 3;
    char *slash = strchr(host, '/');
    char *colon;

    ret_access->has_tls = text[4] == 's';
    ret_access->port = ret_access->has_tls ? PORT_TLS : PORT_PLAIN;
    if (slash == NULL || slash == host || slash[1] == '\0') {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "write mqtt://HOST[:PORT]/TOPIC, as mqtt://10.0.4.9/pool/#");
    }
    *slash = '\0';
    *ret_topic = slash + 1;
    colon = strrchr(host, ':');
    if (colon != NULL) {
        *colon = '\0';
        ret_access->port = atoi(colon + 1);
    }
    ret_access->host = host;
    return ret_access->port > 0 && ret_access->port < 65536
               ? 0
               : hs_err_set(err, HS_E_INVALID, NULL, "a port is 1 to 65535");
}

int hs_probe_hear_mqtt(const struct hs_probe *probe, struct hs_err *err)
{
    HS_AUTO(hs_reactor) reactor = NULL;
    HS_AUTO_MEM char *text = hs_xstrdup(probe->target);
    struct listening self = {.probe = probe,
                             .n_left = probe->count > 0 ? probe->count : COUNT_DEFAULT};
    struct hs_plant_mqtt_link_options options = {
        .access = {.keepalive_s = KEEPALIVE_S,
                   .user = probe->user,
                   .password_file = probe->password_file,
                   .ca = probe->ca},
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .arg = &self,
    };
    struct hs_timer *over;
    int rc = parse_broker(text, &options.access, &self.topic, err);

    if (rc == 0) {
        rc = hs_plant_mqtt_link_check(&options.access, err);
    }
    if (rc == 0) {
        rc = hs_reactor_new(NULL, &reactor, err);
    }
    if (rc != 0) {
        return rc;
    }
    self.reactor = reactor;
    options.executor = hs_reactor_get_executor(reactor);
    self.link = hs_plant_mqtt_link_new(&options);
    over = hs_executor_timer_add(options.executor, (double)probe->for_s, on_over, &self);
    hs_reactor_run(reactor);
    hs_executor_timer_remove(options.executor, over);
    hs_plant_mqtt_link_free(self.link);
    if (self.rc != 0 && err != NULL) {
        *err = self.err;
    }
    return self.rc;
}

/* ---- a stream ---- */

static void on_tail(void *arg, const json_t *entries, const struct hs_err *err)
{
    struct listening *self = arg;
    const char *key;
    json_t *entry;
    json_t *value;
    size_t i;

    json_array_foreach (entries, i, entry) {
        if (self->probe->is_json) {
            hs_probe_print(entry);
            continue;
        }
        json_object_foreach (entry, key, value) {
            bool is_id = strcmp(key, "id") == 0;

            printf("%s%s%s%s", is_id ? "" : "  ", is_id ? "" : key, is_id ? "" : " ",
                   json_string_value(value));
        }
        printf("\n");
    }
    if (err == NULL && json_array_size(entries) == 0) {
        struct hs_err empty;

        hs_err_set(&empty, HS_E_NOTFOUND, NULL, "the stream 'hs:{%s}:readings' has no entry",
                   self->probe->cell);
        stop(self, -HS_E_NOTFOUND, &empty);
        return;
    }
    stop(self, err != NULL ? -(int)err->kind : 0, err);
}

int hs_probe_read_stream(const struct hs_probe *probe, struct hs_err *err)
{
    HS_AUTO(hs_reactor) reactor = NULL;
    HS_AUTO(hs_plant_redis_tail) tail = NULL;
    const struct hs_redis_access access = {.url = probe->target,
                                           .user = probe->user,
                                           .password_file = probe->password_file,
                                           .tls = {.ca = probe->ca}};
    struct listening self = {.probe = probe};
    int rc = hs_redis_access_check(&access, err);

    if (rc == 0) {
        rc = hs_reactor_new(NULL, &reactor, err);
    }
    if (rc == 0) {
        self.reactor = reactor;
        rc = hs_plant_redis_tail_new(hs_reactor_get_executor(reactor), &access, probe->cell,
                                     probe->count > 0 ? probe->count : COUNT_DEFAULT, on_tail,
                                     &self, &tail, err);
    }
    if (rc != 0) {
        return rc;
    }
    hs_reactor_run(reactor);
    if (self.rc != 0 && err != NULL) {
        *err = self.err;
    }
    return self.rc;
}
