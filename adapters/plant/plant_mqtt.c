/* SPDX-License-Identifier: Apache-2.0 */
/* plant_mqtt - topics to rows; several rows may share a topic and differ in their pointer. */
#include "adapters/plant/plant_mqtt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/plant/mqttpayload.h"
#include "adapters/plant/plant_quality.h"
#include "scheduler/base/mem.h"

#define LOOK_REAL_MIN_S 0.05
#define LOOK_REAL_MAX_S 1.0
#define LOOK_PLAN_S     10.0 /* how often ages are looked at, and our heartbeat beats */

/* A row that is read. */
struct channel {
    const struct hs_pointmap_row *row;
    struct hs_plant_quality quality;
    bool is_refused; /* and that was said */
    bool is_stale;
};

/* A row that is told. */
struct output {
    const struct hs_pointmap_row *row;
    double value; /* NAN: nothing */
};

struct plant_mqtt {
    struct hs_plant base;
    char name[HS_NAME_MAX];
    char where[HS_URI_MAX];
    struct hs_plant_mqtt_access access;
    bool can_write;
    struct hs_plant_mqtt_link *link;
    struct hs_timer *look;
    struct channel *channels; /* [n_channels] */
    size_t n_channels;
    struct output *outputs; /* [n_outputs] */
    size_t n_outputs;
    unsigned n_sessions;
    bool is_told; /* whether it is up was said */
    bool was_up;
    bool own_beat;
};

static void tell_connection(struct plant_mqtt *plant, bool is_up, const char *text)
{
    if (!plant->is_told || plant->was_up != is_up) {
        plant->is_told = true;
        plant->was_up = is_up;
        hs_plant_tell_connection(&plant->base, is_up, "mqtt '%s' at %s: %s", plant->name,
                                 plant->where, text);
    }
}

/* ---- what we say ---- */

static void say(struct plant_mqtt *plant, const struct output *output)
{
    const struct hs_pointmap_register *reg = &output->row->reg;
    char text[32];

    if (!isnan(output->value)) {
        snprintf(text, sizeof(text), "%.15g", (output->value - reg->offset) / reg->scale);
        (void)hs_plant_mqtt_link_publish(plant->link, output->row->topic, text, true);
    }
}

static void beat(struct plant_mqtt *plant)
{
    plant->own_beat = !plant->own_beat;
    for (size_t i = 0; i < plant->n_outputs && plant->can_write; i++) {
        if (plant->outputs[i].row->point.kind == HS_POINT_HEARTBEAT) {
            plant->outputs[i].value = plant->own_beat;
            say(plant, &plant->outputs[i]);
        }
    }
}

/* ---- what we hear ---- */

static void on_up(void *arg)
{
    struct plant_mqtt *plant = arg;

    plant->n_sessions++;
    tell_connection(plant, true, "connected");
    for (size_t i = 0; i < plant->n_channels; i++) {
        hs_plant_quality_reconnect(&plant->channels[i].quality);
        (void)hs_plant_mqtt_link_subscribe(plant->link, plant->channels[i].row->topic);
    }
    for (size_t i = 0; i < plant->n_outputs; i++) {
        say(plant, &plant->outputs[i]);
    }
}

static void on_down(void *arg, const struct hs_err *err)
{
    tell_connection(arg, false, err->text);
}

static void refuse(struct plant_mqtt *plant, struct channel *channel, const struct hs_err *err)
{
    char text[520];

    if (!channel->is_refused) {
        channel->is_refused = true;
        snprintf(text, sizeof(text), "mqtt '%s', point '%.100s', topic '%.100s': %s", plant->name,
                 channel->row->path, channel->row->topic, err->text);
        plant->base.options.listener.refused(plant->base.options.listener.arg, text);
    }
}

static void take(struct plant_mqtt *plant, struct channel *channel, const char *payload,
                 size_t n_bytes)
{
    const struct hs_pointmap_register *reg = &channel->row->reg;
    struct hs_err err;
    double number;

    if (hs_mqttpayload_read(payload, n_bytes, channel->row->member, &number, &err) != 0) {
        refuse(plant, channel, &err);
        return;
    }
    channel->is_refused = false;
    for (size_t i = 0; i < reg->n_sentinels; i++) {
        number = number == reg->sentinels[i] ? (double)NAN : number;
    }
    channel->is_stale = false;
    hs_plant_deliver_by(&plant->base, channel->row, &channel->quality,
                        number * reg->scale + reg->offset);
}

static void on_message(void *arg, const char *topic, const char *payload, size_t n_bytes,
                       bool is_retained)
{
    struct plant_mqtt *plant = arg;

    for (size_t i = 0; i < plant->n_channels && !is_retained; i++) {
        if (strcmp(plant->channels[i].row->topic, topic) == 0) {
            take(plant, &plant->channels[i], payload, n_bytes);
        }
    }
}

static void look(void *arg)
{
    struct plant_mqtt *plant = arg;
    const struct hs_clock *clock = plant->base.options.clock;
    double pause_s = LOOK_PLAN_S / hs_clock_get_speed(clock);
    int64_t now_at_s = hs_clock_at_s(clock);

    for (size_t i = 0; i < plant->n_channels; i++) {
        struct channel *channel = &plant->channels[i];
        bool is_stale = hs_plant_quality_is_stale(&channel->quality, &channel->row->rule, now_at_s);

        if (is_stale && !channel->is_stale) {
            hs_plant_deliver_bad(&plant->base, channel->row, HS_QUALITY_STALE);
        }
        channel->is_stale = is_stale;
    }
    beat(plant);
    pause_s = plant->n_outputs > 0 ? pause_s : fmin(pause_s, LOOK_REAL_MAX_S);
    hs_executor_timer_set(plant->base.options.executor, plant->look,
                          fmax(pause_s, LOOK_REAL_MIN_S));
}

/* ---- the port ---- */

static void plant_mqtt_start(struct hs_plant *base)
{
    struct plant_mqtt *plant = (struct plant_mqtt *)base;
    const struct hs_plant_mqtt_link_options options = {
        .executor = base->options.executor,
        .access = plant->access,
        .up = on_up,
        .down = on_down,
        .message = on_message,
        .arg = plant,
    };

    plant->link = hs_plant_mqtt_link_new(&options);
    plant->look = hs_executor_timer_add(base->options.executor, LOOK_REAL_MAX_S, look, plant);
}

static int plant_mqtt_write(struct hs_plant *base, const struct hs_point *point, double value,
                            struct hs_err *err)
{
    struct plant_mqtt *plant = (struct plant_mqtt *)base;

    for (size_t i = 0; i < plant->n_outputs; i++) {
        struct output *output = &plant->outputs[i];
        bool is_new = output->value != value; /* NAN always is */

        if (output->row->point.kind != point->kind
            || output->row->point.thing_idx != point->thing_idx) {
            continue;
        }
        if (!plant->can_write) {
            return hs_err_set(err, HS_E_DENIED, output->row->path,
                              "mqtt '%s' is read only: its write is off", plant->name);
        }
        if (isinf(value)) {
            return hs_err_set(err, HS_E_INVALID, output->row->path, "is not a number");
        }
        output->value = value;
        if (is_new && plant->link != NULL) {
            say(plant, output);
        }
        return 0;
    }
    return hs_err_set(err, HS_E_NOTFOUND, plant->name, "no point of it is to be told");
}

static void plant_mqtt_destroy(struct hs_plant *base)
{
    struct plant_mqtt *plant = (struct plant_mqtt *)base;

    hs_plant_mqtt_link_free(plant->link);
    hs_executor_timer_remove(base->options.executor, plant->look);
    free(plant->outputs);
    free(plant->channels);
    free(plant);
}

static const struct hs_plant_ops plant_mqtt_ops = {
    .name = "mqtt",
    .summary = "topics of an MQTT broker, by the estate's point map",
    .start = plant_mqtt_start,
    .write = plant_mqtt_write,
    .destroy = plant_mqtt_destroy,
};

static void add_row(struct plant_mqtt *plant, const struct hs_pointmap_row *row)
{
    if (row->is_write) {
        plant->outputs[plant->n_outputs++] = (struct output){.row = row, .value = NAN};
    } else {
        plant->channels[plant->n_channels].row = row;
        hs_plant_quality_init(&plant->channels[plant->n_channels++].quality);
    }
}

int hs_plant_mqtt_new(const struct hs_plant_options *options,
                      const struct hs_plant_mqtt_broker *broker, struct hs_plant **ret_plant,
                      struct hs_err *err)
{
    const struct hs_pointmap *map = options->estate->points;
    size_t n_rows = map != NULL ? map->n_rows : 0;
    int rc = hs_plant_mqtt_link_check(&broker->access, err);
    struct plant_mqtt *plant;

    if (rc != 0) {
        return rc;
    }
    plant = hs_xcalloc(1, sizeof(*plant));
    plant->base.ops = &plant_mqtt_ops;
    plant->base.options = *options;
    plant->access = broker->access;
    plant->can_write = broker->can_write;
    plant->access.status_topic = broker->can_write ? broker->access.status_topic : NULL;
    snprintf(plant->name, sizeof(plant->name), "%s", broker->name);
    snprintf(plant->where, sizeof(plant->where), "%s:%d", broker->access.host, broker->access.port);
    plant->channels = hs_xcalloc(n_rows + 1, sizeof(*plant->channels));
    plant->outputs = hs_xcalloc(n_rows + 1, sizeof(*plant->outputs));
    for (size_t i = 0; i < n_rows; i++) {
        if (strcmp(map->rows[i].mqtt, broker->name) == 0) {
            add_row(plant, &map->rows[i]);
        }
    }
    *ret_plant = &plant->base;
    return 0;
}

unsigned hs_plant_mqtt_get_session(const struct hs_plant *base)
{
    const struct plant_mqtt *plant = (const struct plant_mqtt *)base;

    return plant->link != NULL && hs_plant_mqtt_link_is_up(plant->link) ? plant->n_sessions : 0;
}

void hs_plant_mqtt_say(struct hs_plant *base, const char *topic, const char *text)
{
    struct plant_mqtt *plant = (struct plant_mqtt *)base;

    if (plant->can_write && plant->link != NULL) {
        (void)hs_plant_mqtt_link_publish(plant->link, topic, text, true);
    }
}
