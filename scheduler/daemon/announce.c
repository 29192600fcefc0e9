/* SPDX-License-Identifier: Apache-2.0 */
/* announce - one table of figures makes both: what is said, and what it is. */
#include "scheduler/daemon/announce.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "adapters/plant/plant_mqtt.h"
#include "scheduler/base/mem.h"

#define PERIOD_PLAN_S     60
#define PERIOD_REAL_MIN_S 1.0
#define TOPIC_MAX         400

struct figure {
    const char *key; /* of the API's Loop or Site (docs/api.md) */
    const char *name;
    const char *unit;         /* NULL: none; "": the estate's currency per MWh */
    const char *device_class; /* of Home Assistant; nullable */
    const char *state_class;  /* nullable */
    const char *format;       /* nullable: of the template, else the value as it is */
    bool is_binary;
};

static const struct figure loop_figures[] = {
    {"state", "State", NULL, NULL, NULL, NULL, false},
    {"demand_heat_w", "Heat demand", "W", "power", "measurement", NULL, false},
    {"captured_heat_w", "Captured heat", "W", "power", "measurement", NULL, false},
    {"rejected_heat_w", "Rejected heat", "W", "power", "measurement", NULL, false},
    {"tank_c", "Tank temperature", "°C", "temperature", "measurement", NULL, false},
    {"tank_wh", "Heat in the tank", "Wh", "energy_storage", "measurement", NULL, false},
    {"heat_price_cur_per_mwh", "Worth of heat", "", NULL, "measurement", NULL, false},
    {"rejection_wanted", "Rejection wanted", NULL, "problem", NULL, NULL, true},
};

static const struct figure site_figures[] = {
    {"it_w", "IT power", "W", "power", "measurement", NULL, false},
    {"useful_heat_wh", "Useful heat", "Wh", "energy", "total_increasing", NULL, false},
    {"recovery_ratio", "Recovery", "%", NULL, "measurement", " * 100", false},
    {"jobs_running", "Jobs running", NULL, NULL, "measurement", NULL, false},
};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct hs_announce {
    struct hs_announce_options options;
    unsigned session;   /* of the broker, in which all was described */
    int64_t said_at_s;  /* plan */
    double said_mono_s; /* real */
};

/* Home Assistant's ids are of letters, digits, _ and -. @param ret_id [TOPIC_MAX] */
static void write_id(const struct hs_announce *announce, const char *path, const char *key,
                     char *ret_id)
{
    snprintf(ret_id, TOPIC_MAX, "hsched_%s_%.250s_%s", announce->options.config->cell, path, key);
    for (char *c = ret_id; *c != '\0'; c++) {
        *c = isalnum((unsigned char)*c) || *c == '-' ? *c : '_';
    }
}

static json_t *format_device(const struct hs_announce *announce, const char *path)
{
    json_t *device = hs_jsonx_object();
    json_t *ids = hs_jsonx_array();
    char id[TOPIC_MAX];

    write_id(announce, path, "heat", id);
    hs_jsonx_add(ids, hs_jsonx_text(id));
    hs_jsonx_set(device, "identifiers", ids);
    hs_jsonx_set_text(device, "name", path);
    hs_jsonx_set_text(device, "manufacturer", "hsched");
    return device;
}

/* What the figure is, for Home Assistant. */
static json_t *format_config(const struct hs_announce *announce, const struct figure *figure,
                             const char *path, const char *state_topic)
{
    json_t *config = hs_jsonx_object();
    char text[TOPIC_MAX];

    write_id(announce, path, figure->key, text);
    hs_jsonx_set_text(config, "name", figure->name);
    hs_jsonx_set_text(config, "unique_id", text);
    hs_jsonx_set_text(config, "state_topic", state_topic);
    hs_jsonx_set_text(config, "availability_topic", announce->options.mqtt->status_topic);
    if (figure->is_binary) {
        snprintf(text, sizeof(text), "{{ 'ON' if value_json.%s else 'OFF' }}", figure->key);
    } else {
        snprintf(text, sizeof(text), "{{ value_json.%s%s if value_json.%s is not none else None }}",
                 figure->key, figure->format != NULL ? figure->format : "", figure->key);
    }
    hs_jsonx_set_text(config, "value_template", text);
    if (figure->unit != NULL && figure->unit[0] == '\0') {
        snprintf(text, sizeof(text), "%s/MWh", announce->options.config->estate->currency);
        hs_jsonx_set_text(config, "unit_of_measurement", text);
    } else if (figure->unit != NULL) {
        hs_jsonx_set_text(config, "unit_of_measurement", figure->unit);
    }
    if (figure->device_class != NULL) {
        hs_jsonx_set_text(config, "device_class", figure->device_class);
    }
    if (figure->state_class != NULL) {
        hs_jsonx_set_text(config, "state_class", figure->state_class);
    }
    hs_jsonx_set(config, "device", format_device(announce, path));
    return config;
}

static void write_state_topic(const struct hs_announce *announce, const char *path, char *ret_topic)
{
    snprintf(ret_topic, TOPIC_MAX, "hsched/%s/%.300s", announce->options.config->cell, path);
}

static void describe(struct hs_announce *announce, const char *path, const struct figure *figures,
                     size_t n_figures)
{
    char state_topic[TOPIC_MAX];

    write_state_topic(announce, path, state_topic);
    for (size_t i = 0; i < n_figures; i++) {
        json_auto_t *config = format_config(announce, &figures[i], path, state_topic);
        HS_AUTO_MEM char *text = hs_jsonx_format(config);
        HS_AUTO_MEM char *topic = NULL;
        char id[TOPIC_MAX];

        write_id(announce, path, figures[i].key, id);
        if (asprintf(&topic, "%s/%s/%s/config", announce->options.mqtt->discovery,
                     figures[i].is_binary ? "binary_sensor" : "sensor", id)
            < 0) {
            hs_mem_exhausted();
        }
        hs_plant_mqtt_say(announce->options.plant, topic, text);
    }
}

/* The figures out of @full, which is what the API says. */
static void say(struct hs_announce *announce, const char *path, const json_t *full,
                const struct figure *figures, size_t n_figures)
{
    json_auto_t *state = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;
    char topic[TOPIC_MAX];

    for (size_t i = 0; i < n_figures; i++) {
        json_t *value = json_object_get(full, figures[i].key);

        if (value != NULL) {
            hs_jsonx_set(state, figures[i].key, json_incref(value));
        } else {
            hs_jsonx_set_text(state, figures[i].key, NULL);
        }
    }
    hs_jsonx_set_at(state, "at", hs_clock_at_s(announce->options.clock));
    text = hs_jsonx_format(state);
    write_state_topic(announce, path, topic);
    hs_plant_mqtt_say(announce->options.plant, topic, text);
}

static void describe_all(struct hs_announce *announce)
{
    const struct hs_estate *estate = announce->options.config->estate;

    for (size_t l = 0; l < estate->n_loops; l++) {
        describe(announce, estate->loops[l].path, loop_figures, N_OF(loop_figures));
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        describe(announce, estate->sites[s].name, site_figures, N_OF(site_figures));
    }
}

static void say_all(struct hs_announce *announce, const struct hs_cycle *cycle)
{
    const struct hs_estate *estate = announce->options.config->estate;
    int64_t now_at_s = hs_clock_at_s(announce->options.clock);

    for (size_t l = 0; l < estate->n_loops; l++) {
        json_auto_t *loop = hs_cycle_format_loop(cycle, l, now_at_s);

        say(announce, estate->loops[l].path, loop, loop_figures, N_OF(loop_figures));
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        json_auto_t *site = hs_cycle_format_site(cycle, s);

        say(announce, estate->sites[s].name, site, site_figures, N_OF(site_figures));
    }
}

struct hs_announce *hs_announce_new(const struct hs_announce_options *options)
{
    struct hs_announce *announce = hs_xcalloc(1, sizeof(*announce));

    announce->options = *options;
    return announce;
}

void hs_announce_tick(struct hs_announce *announce, const struct hs_cycle *cycle)
{
    unsigned session = hs_plant_mqtt_get_session(announce->options.plant);
    int64_t now_at_s = hs_clock_at_s(announce->options.clock);
    double now_mono_s = hs_clock_mono_s(announce->options.clock);

    if (session == 0) {
        return; /* nobody hears it */
    }
    if (session != announce->session) {
        announce->session = session;
        describe_all(announce);
    } else if (now_at_s - announce->said_at_s < PERIOD_PLAN_S
               || now_mono_s - announce->said_mono_s < PERIOD_REAL_MIN_S) {
        return;
    }
    announce->said_at_s = now_at_s;
    announce->said_mono_s = now_mono_s;
    say_all(announce, cycle);
}

void hs_announce_free(struct hs_announce *announce)
{
    free(announce);
}
