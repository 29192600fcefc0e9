/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_redis - readings that anyone may XADD to a stream, read with a cursor of our own.
 *
 * At each (re)connect the newest entry is looked up first. The first time it is where reading
 * begins, as '$' would; later the cursor stands, so that nothing added while we were away is
 * missed. Only a stream that has fallen behind the cursor (Redis lost it) moves the cursor back.
 */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "adapters/plant/plant.h"
#include "adapters/redis/redis_link.h"
#include "adapters/redis/redis_url.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define READINGS_BLOCK_MS   "1000"
#define READINGS_DEADLINE_S 4.0 /* the blocking second included */
#define READINGS_COUNT      "1000"
#define READINGS_AHEAD_S    60.0 /* a source's clock may be so far ahead of ours, real s */
#define READINGS_ID_MAX     48   /* two 64-bit numbers and a dash */

struct plant_redis {
    struct hs_plant base;
    struct hs_redis_link *link;
    struct hs_redis_access *access; /* owned */
    char *key;
    struct hs_timer *again;       /* after a refusal by the server */
    char cursor[READINGS_ID_MAX]; /* "" until the first connect */
    /* the connection that the open XREAD belongs to, so that there is one chain of them only */
    unsigned long long connection;
};

/* A sent command, with the connection it was sent on. */
struct ask {
    struct plant_redis *plant;
    unsigned long long connection;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct plant_redis *plant, const char *fmt,
                                                        ...)
{
    const struct hs_plant_listener *listener = &plant->base.options.listener;
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (listener->refused != NULL) {
        listener->refused(listener->arg, text);
    }
    return -HS_E_INVALID;
}

/* ---- one entry ---- */

/* The value of @name in [name, value, ...], or NULL; a text with a NUL inside counts as absent. */
static const char *find_field(const redisReply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *field = fields->element[i];
        const redisReply *value = fields->element[i + 1];

        if (field->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING
            && strcmp(field->str, name) == 0) {
            return strlen(value->str) == value->len ? value->str : NULL;
        }
    }
    return NULL;
}

/* A decimal number, "nan" or "inf"; strtod() alone would also take hexadecimal and blanks. */
static bool parse_value(const char *text, double *ret_value)
{
    char *end;

    if (text[0] == '\0' || isspace((unsigned char)text[0]) || strpbrk(text, "xX(") != NULL) {
        return false;
    }
    *ret_value = strtod(text, &end);
    return *end == '\0';
}

/* RFC 3339 alone: `now+2h` and `18:00` are for people, not for the source of a reading. */
static bool parse_at(const char *text, int64_t now_at_s, int64_t *ret_at_s)
{
    return strlen(text) >= sizeof("2026-01-05T10:00:00Z") - 1 && isdigit((unsigned char)text[0])
           && (text[10] == 'T' || text[10] == 't')
           && hs_timetext_parse(text, now_at_s, ret_at_s, NULL) == 0;
}

static int parse_entry(struct plant_redis *plant, const char *id, const redisReply *fields,
                       struct hs_reading *ret_reading)
{
    const struct hs_clock *clock = plant->base.options.clock;
    const char *path = find_field(fields, "point");
    const char *value = find_field(fields, "value");
    const char *at = find_field(fields, "at");
    struct hs_reading reading = {.received_at_s = hs_clock_at_s(clock)};
    struct hs_err err;

    if (path == NULL || value == NULL || at == NULL) {
        return refuse(plant, "entry %s has no field '%s'; point, value and at are needed", id,
                      path == NULL    ? "point"
                      : value == NULL ? "value"
                                      : "at");
    }
    if (hs_reading_parse_point(plant->base.options.estate, path, &reading.point, &err) < 0) {
        return refuse(plant, "entry %s, point '%.60s': %.120s", id, path, err.text);
    }
    if (hs_plant_check_source(&plant->base, path, &reading.point, &err) < 0) {
        return refuse(plant, "entry %s: %.160s", id, err.text);
    }
    if (!parse_value(value, &reading.value)) {
        return refuse(plant, "entry %s, point '%.60s': value '%.30s' is not a number", id, path,
                      value);
    }
    if (!parse_at(at, reading.received_at_s, &reading.taken_at_s)) {
        return refuse(plant,
                      "entry %s, point '%.60s': at '%.30s' must be like 2026-01-05T10:00:00Z", id,
                      path, at);
    }
    if ((double)(reading.taken_at_s - reading.received_at_s)
        > READINGS_AHEAD_S * fmax(hs_clock_get_speed(clock), 1.0)) {
        return refuse(plant, "entry %s, point '%.60s': at '%.30s' lies in the future", id, path,
                      at);
    }
    *ret_reading = reading;
    return 0;
}

static void take_entry(struct plant_redis *plant, const redisReply *entry)
{
    const char *id;
    struct hs_reading reading;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2
        || entry->element[0]->type != REDIS_REPLY_STRING) {
        return;
    }
    id = entry->element[0]->str;
    snprintf(plant->cursor, sizeof(plant->cursor), "%s", id);
    if (entry->element[1]->type == REDIS_REPLY_ARRAY
        && parse_entry(plant, id, entry->element[1], &reading) == 0) {
        hs_plant_deliver(&plant->base, &reading);
    }
}

/* ---- the chain of XREADs ---- */

static struct ask *ask_new(struct plant_redis *plant)
{
    struct ask *ask = hs_xcalloc(1, sizeof(*ask));

    *ask = (struct ask){plant, plant->connection};
    return ask;
}

/* True if @arg's answer is still wanted: sent on the connection that is up now. */
static bool ask_is_current(void *arg)
{
    HS_AUTO_MEM struct ask *ask = arg;

    return ask->connection == ask->plant->connection && hs_redis_link_is_up(ask->plant->link);
}

static void read_on_later(struct plant_redis *plant, const struct hs_err *err)
{
    /* A refusal that stays (no permission, a key of another type) must not become a busy loop. */
    refuse(plant, "stream %s: %.160s", plant->key, err->text);
    hs_executor_timer_set(plant->base.options.executor, plant->again, 1.0);
}

static void read_on(struct plant_redis *plant);

static void on_entries(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct plant_redis *plant = ((struct ask *)arg)->plant;

    if (!ask_is_current(arg)) {
        return;
    }
    if (rc < 0) {
        read_on_later(plant, err);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1
        && reply->element[0]->elements == 2) {
        const redisReply *entries = reply->element[0]->element[1];

        for (size_t i = 0; i < entries->elements; i++) {
            take_entry(plant, entries->element[i]);
        }
    }
    read_on(plant);
}

static void read_on(struct plant_redis *plant)
{
    const char *const args[] = {"XREAD",           "COUNT",   READINGS_COUNT, "BLOCK",
                                READINGS_BLOCK_MS, "STREAMS", plant->key,     plant->cursor};
    const struct hs_redis_link_command command = {sizeof(args) / sizeof(args[0]), args};

    hs_redis_link_send(plant->link, &command, 1, READINGS_DEADLINE_S, on_entries, ask_new(plant));
}

static bool id_is_after(const char *a, const char *b)
{
    unsigned long long ms[2] = {0};
    unsigned long long n[2] = {0};

    (void)sscanf(a, "%llu-%llu", &ms[0], &n[0]);
    (void)sscanf(b, "%llu-%llu", &ms[1], &n[1]);
    return ms[0] != ms[1] ? ms[0] > ms[1] : n[0] > n[1];
}

static void on_newest(int rc, const struct hs_err *err, const struct redisReply *reply, void *arg)
{
    struct plant_redis *plant = ((struct ask *)arg)->plant;
    const char *newest = "0-0";

    if (!ask_is_current(arg)) {
        return;
    }
    if (rc < 0) {
        read_on_later(plant, err);
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1
        && reply->element[0]->elements == 2) {
        newest = reply->element[0]->element[0]->str;
    }
    if (plant->cursor[0] == '\0' || id_is_after(plant->cursor, newest)) {
        snprintf(plant->cursor, sizeof(plant->cursor), "%s", newest);
    }
    read_on(plant);
}

static void find_newest(void *arg)
{
    struct plant_redis *plant = arg;
    const char *const args[] = {"XREVRANGE", plant->key, "+", "-", "COUNT", "1"};
    const struct hs_redis_link_command command = {sizeof(args) / sizeof(args[0]), args};

    if (hs_redis_link_is_up(plant->link)) {
        hs_redis_link_send(plant->link, &command, 1, READINGS_DEADLINE_S, on_newest,
                           ask_new(plant));
    }
}

static void on_up(void *arg)
{
    struct plant_redis *plant = arg;

    plant->connection++;
    hs_executor_timer_set(plant->base.options.executor, plant->again, -1.0);
    find_newest(plant);
}

/* ---- life ---- */

static void plant_redis_start(struct hs_plant *base)
{
    struct plant_redis *plant = (struct plant_redis *)base;
    const struct hs_redis_link_options options = {
        .executor = base->options.executor,
        .access = *plant->access,
        .up = on_up,
        .arg = plant,
    };

    plant->again = hs_executor_timer_add(base->options.executor, -1.0, find_newest, plant);
    (void)hs_redis_link_new(&options, &plant->link, NULL); /* the url was checked in new */
}

static void plant_redis_destroy(struct hs_plant *base)
{
    struct plant_redis *plant = (struct plant_redis *)base;
    struct hs_redis_link *link = plant->link;

    plant->connection++; /* what is pending ends unheard */
    hs_redis_link_free(link);
    hs_executor_timer_remove(base->options.executor, plant->again);
    hs_redis_access_free(plant->access);
    free(plant->key);
    free(plant);
}

static const struct hs_plant_ops plant_redis_ops = {
    .name = "redis",
    .summary = "readings that anyone may XADD to a Redis stream",
    .start = plant_redis_start,
    .destroy = plant_redis_destroy,
};

int hs_plant_redis_new(const struct hs_plant_options *options, const struct hs_redis_access *access,
                       const char *cell, struct hs_plant **ret_plant, struct hs_err *err)
{
    struct hs_redis_url parsed;
    struct plant_redis *plant;
    int rc = hs_redis_url_parse(access->url, &parsed, err);

    if (rc < 0) {
        return rc;
    }
    plant = hs_xcalloc(1, sizeof(*plant));
    plant->base.ops = &plant_redis_ops;
    plant->base.options = *options;
    plant->access = hs_redis_access_dup(access);
    if (asprintf(&plant->key, "hs:{%s}:readings", cell) < 0) {
        hs_mem_exhausted();
    }
    *ret_plant = &plant->base;
    return 0;
}
