/* SPDX-License-Identifier: Apache-2.0 */
/* servebroker - one message a topic, made of all rows that have it. */
#include "scheduler/sim/servebroker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/plant/mqttpayload.h"
#include "adapters/plant/plant_mqtt_link.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define KEEPALIVE_S 30
#define NUMBER_MAX  32

struct hs_servebroker {
    struct hs_servebroker_options options;
    char name[HS_NAME_MAX];
    struct hs_plant_mqtt_link *link;
};

static bool is_ours(const struct hs_servebroker *broker, const struct hs_pointmap_row *row)
{
    return strcmp(row->mqtt, broker->name) == 0;
}

static void on_up(void *arg)
{
    struct hs_servebroker *broker = arg;
    const struct hs_pointmap *map = broker->options.map;

    for (size_t i = 0; i < map->n_rows; i++) {
        if (is_ours(broker, &map->rows[i]) && map->rows[i].is_write) {
            (void)hs_plant_mqtt_link_subscribe(broker->link, map->rows[i].topic);
        }
    }
    broker->options.up(broker->options.arg);
}

static void on_down(void *arg, const struct hs_err *err)
{
    fprintf(stderr, "note: mqtt %s: %s\n", ((struct hs_servebroker *)arg)->name, err->text);
}

static void on_message(void *arg, const char *topic, const char *payload, size_t n_bytes,
                       bool is_retained)
{
    struct hs_servebroker *broker = arg;
    const struct hs_pointmap *map = broker->options.map;

    for (size_t i = 0; i < map->n_rows; i++) {
        const struct hs_pointmap_row *row = &map->rows[i];
        double number;

        if (is_ours(broker, row) && row->is_write && strcmp(row->topic, topic) == 0
            && hs_mqttpayload_read(payload, n_bytes, row->member, &number, NULL) == 0) {
            broker->options.told(broker->options.arg, i, number * row->reg.scale + row->reg.offset);
        }
    }
}

struct hs_servebroker *hs_servebroker_new(const struct hs_servebroker_options *options)
{
    struct hs_servebroker *broker = hs_xcalloc(1, sizeof(*broker));
    const struct hs_plant_mqtt_link_options link_options = {
        .executor = options->executor,
        .access = {.host = options->host, .port = options->port, .keepalive_s = KEEPALIVE_S},
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .arg = broker,
    };

    broker->options = *options;
    snprintf(broker->name, sizeof(broker->name), "%s", options->name);
    broker->link = hs_plant_mqtt_link_new(&link_options);
    return broker;
}

/* Put @value at an RFC 6901 pointer, with the objects on the way to it. */
static void set_member(json_t *object, const char *pointer, double value)
{
    char token[HS_POINTMAP_POINTER_MAX];
    const char *slash = strchr(pointer + 1, '/');
    size_t n = slash != NULL ? (size_t)(slash - pointer - 1) : strlen(pointer + 1);

    snprintf(token, sizeof(token), "%.*s", (int)n, pointer + 1);
    if (slash == NULL) {
        hs_jsonx_set_real(object, token, value);
        return;
    }
    if (!json_is_object(json_object_get(object, token))) {
        hs_jsonx_set(object, token, hs_jsonx_object());
    }
    set_member(json_object_get(object, token), slash, value);
}

static double get_number(const struct hs_pointmap_row *row, double value)
{
    return (value - row->reg.offset) / row->reg.scale;
}

static void say_topic(struct hs_servebroker *broker, size_t first, const double *values)
{
    const struct hs_pointmap *map = broker->options.map;
    const char *topic = map->rows[first].topic;
    json_auto_t *object = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;

    if (map->rows[first].member[0] == '\0') {
        char number[NUMBER_MAX];

        snprintf(number, sizeof(number), "%.15g", get_number(&map->rows[first], values[first]));
        (void)hs_plant_mqtt_link_publish(broker->link, topic, number, false);
        return;
    }
    for (size_t i = first; i < map->n_rows; i++) {
        if (is_ours(broker, &map->rows[i]) && !map->rows[i].is_write
            && map->rows[i].member[0] != '\0' && strcmp(map->rows[i].topic, topic) == 0) {
            set_member(object, map->rows[i].member, get_number(&map->rows[i], values[i]));
        }
    }
    text = hs_jsonx_format(object);
    (void)hs_plant_mqtt_link_publish(broker->link, topic, text, false);
}

void hs_servebroker_say(struct hs_servebroker *broker, const double *values)
{
    const struct hs_pointmap *map = broker->options.map;

    for (size_t i = 0; i < map->n_rows; i++) {
        const struct hs_pointmap_row *row = &map->rows[i];
        bool is_first = is_ours(broker, row) && !row->is_write;

        for (size_t k = 0; k < i && is_first; k++) {
            is_first = !(is_ours(broker, &map->rows[k]) && !map->rows[k].is_write
                         && strcmp(map->rows[k].topic, row->topic) == 0);
        }
        if (is_first) {
            say_topic(broker, i, values);
        }
    }
}

void hs_servebroker_set_away(struct hs_servebroker *broker, bool is_away)
{
    hs_plant_mqtt_link_set_away(broker->link, is_away);
}

void hs_servebroker_free(struct hs_servebroker *broker)
{
    if (broker != NULL) {
        hs_plant_mqtt_link_free(broker->link);
        free(broker);
    }
}
