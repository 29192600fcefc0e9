/* SPDX-License-Identifier: Apache-2.0 */
/* config_plant - the object `plant` of hschedd.json: where readings come from, and which devices.
 */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/config_priv.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define POINTER_MAX 64
#define AT(member)  .offset = offsetof(struct device, member)
#define SIZED(member) \
    .offset = offsetof(struct device, member), .size = sizeof(((struct device *)NULL)->member)

static const char *const kind_words[] = {"redis", "csv", "sim", NULL};

/* A device as it is written; words become enums afterwards. */
struct device {
    struct hs_plant_modbus_device device;
    char order[8];
    char beat_table[16];
    char beat_type[16];
};

static const struct hs_conf_field beat_fields[] = {
    {.name = "table",
     .type = HS_CONF_WORD,
     SIZED(beat_table),
     .words = hs_pointmap_table_words,
     .default_text = "holding",
     .help = "which of the device's four tables"},
    {.name = "address",
     .type = HS_CONF_INT,
     AT(device.heartbeat.reg.address),
     .required = true,
     .min = 0,
     .max = 65536,
     .help = "of a number that the device changes all the time"},
    {.name = "type",
     .type = HS_CONF_WORD,
     SIZED(beat_type),
     .words = hs_pointmap_type_words,
     .default_text = "uint16",
     .help = "how it is kept"},
    {.name = "max_age",
     .type = HS_CONF_DURATION,
     AT(device.heartbeat.max_age_s),
     .min = 1,
     .max = 86400,
     .has_default = true,
     .default_number = 120,
     .help = "so long without a change, all of the device is stuck"},
};
static const struct hs_conf_table beat_table = {"heartbeat", beat_fields, N_OF(beat_fields)};

static const struct hs_conf_field modbus_fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     SIZED(device.name),
     .required = true,
     .help = "what `modbus` of a point calls it"},
    {.name = "host",
     .type = HS_CONF_TEXT,
     SIZED(device.host),
     .required = true,
     .help = "name or address"},
    {.name = "port",
     .type = HS_CONF_INT,
     AT(device.port),
     .min = 1,
     .max = 65535,
     .has_default = true,
     .default_number = 502,
     .help = "TCP port"},
    {.name = "unit",
     .type = HS_CONF_INT,
     AT(device.defaults.unit),
     .min = 0,
     .max = 255,
     .has_default = true,
     .default_number = 1,
     .help = "unit (slave) where a point names none"},
    {.name = "base",
     .type = HS_CONF_INT,
     AT(device.defaults.base),
     .min = 0,
     .max = 1,
     .has_default = true,
     .default_number = 0,
     .help = "what the maker's list calls the first register: 0 or 1"},
    {.name = "word_order",
     .type = HS_CONF_WORD,
     SIZED(order),
     .words = hs_pointmap_order_words,
     .default_text = "ABCD",
     .help = "how the bytes of a longer number lie in its registers, where a point does not say"},
    {.name = "period",
     .type = HS_CONF_DURATION,
     AT(device.period_s),
     .min = 1,
     .max = 3600,
     .has_default = true,
     .default_number = 10,
     .help = "time from one round of reads to the next"},
    {.name = "timeout_s",
     .type = HS_CONF_REAL,
     AT(device.timeout_s),
     .min = 0.05,
     .max = 60,
     .unit = "s",
     .has_default = true,
     .default_number = 1,
     .help = "how long an answer may take; real time"},
    {.name = "gap",
     .type = HS_CONF_INT,
     AT(device.gap),
     .min = 0,
     .max = 100,
     .has_default = true,
     .default_number = 16,
     .help = "registers between two points that are read too, rather than reading twice; a device "
             "that refuses that is asked for each point alone"},
    {.name = "write",
     .type = HS_CONF_BOOL,
     AT(device.can_write),
     .has_default = true,
     .default_number = 0,
     .help = "points with write are written; off, hschedd only reads"},
    {.name = "heartbeat",
     .type = HS_CONF_OBJECT,
     .table = &beat_table,
     .present_offset = offsetof(struct device, device.heartbeat.present),
     .help = "a sign of life, so that values may stand still without being stuck"},
};
static const struct hs_conf_table modbus_table = {"modbus", modbus_fields, N_OF(modbus_fields)};

static const struct hs_conf_field plant_fields[] = {
    {.name = "kind",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct hs_config, plant_kind),
     .size = sizeof(((struct hs_config *)NULL)->plant_kind),
     .words = kind_words,
     .help = "where readings come from besides the devices below"},
    {.name = "heat", .type = HS_CONF_CHILDREN, .help = "heat demand of sinks, for csv and sim"},
    {.name = "modbus",
     .type = HS_CONF_CHILDREN,
     .table = &modbus_table,
     .help = "Modbus TCP devices; `points` in estate.json say what lies where"},
    {.name = "mqtt",
     .type = HS_CONF_CHILDREN,
     .table = &hs_config_mqtt_table,
     .help = "MQTT brokers; `points` in estate.json say which topic is what"},
};
const struct hs_conf_table hs_config_plant_table = {"plant", plant_fields, N_OF(plant_fields)};

static int find_word(const char *const *words, const char *word)
{
    int i = 0;

    while (words[i] != NULL && strcmp(words[i], word) != 0) {
        i++;
    }
    return words[i] != NULL ? i : 0; /* a wrong one was reported */
}

static void read_device(const json_t *entry, const char *pointer, struct hs_config *config,
                        struct hs_conf_report *report)
{
    struct device row = {.device.heartbeat.reg = {.order = -1, .base = -1, .unit = -1, .scale = 1}};
    struct hs_plant_modbus_heartbeat *beat = &row.device.heartbeat;

    if (!hs_conf_read(&modbus_table, entry, pointer, &row, report)) {
        return;
    }
    row.device.defaults.order =
        (enum hs_pointmap_order)find_word(hs_pointmap_order_words, row.order);
    beat->reg.table = (enum hs_pointmap_table)find_word(hs_pointmap_table_words, row.beat_table);
    beat->reg.type = (enum hs_pointmap_type)find_word(hs_pointmap_type_words, row.beat_type);
    for (size_t i = 0; i < config->n_modbus; i++) {
        if (strcmp(config->modbus[i].name, row.device.name) == 0) {
            hs_conf_report_add(report, pointer, "there is already a device named '%s'",
                               row.device.name);
        }
    }
    config->modbus[config->n_modbus++] = row.device;
}

void hs_config_read_plant(const json_t *root, struct hs_config *config,
                          struct hs_conf_report *report)
{
    const json_t *plant = json_object_get(root, "plant");
    const json_t *list = json_object_get(plant, "modbus");
    const json_t *brokers = json_object_get(plant, "mqtt");
    bool has_redis = config->redis.url[0] != '\0' || config->readings.url[0] != '\0';
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    if (plant == NULL && has_redis) {
        snprintf(config->plant_kind, sizeof(config->plant_kind), "redis");
    }
    if (json_is_object(plant) && json_object_get(plant, "kind") == NULL && list == NULL
        && brokers == NULL) {
        hs_conf_report_add(report, "/plant",
                           "needs 'kind' (redis, csv, sim) or devices under 'modbus' or 'mqtt'");
    }
    hs_config_read_mqtt(brokers, config, report);
    if (list != NULL && !json_is_array(list)) {
        hs_conf_report_add(report, "/plant/modbus", "must be a list of devices");
        return;
    }
    config->modbus = hs_xcalloc(json_array_size(list) + 1, sizeof(*config->modbus));
    json_array_foreach (list, i, entry) {
        snprintf(pointer, sizeof(pointer), "/plant/modbus/%zu", i);
        read_device(entry, pointer, config, report);
    }
}

static void check_heat(const struct hs_config *config, struct hs_conf_report *report)
{
    HS_AUTO_MEM bool *has_heat = hs_xcalloc(config->estate->n_sinks, sizeof(*has_heat));

    for (size_t i = 0; i < config->n_heat; i++) {
        if (config->heat[i].sink_idx < config->estate->n_sinks) {
            has_heat[config->heat[i].sink_idx] = true;
        }
    }
    for (size_t i = 0; i < config->estate->n_sinks; i++) {
        if (!has_heat[i]) {
            hs_conf_report_add(report, "/plant", "sink '%s' needs a series under 'heat'",
                               config->estate->sinks[i].path);
        }
    }
}

static const struct hs_plant_modbus_device *find_device(const struct hs_config *config,
                                                        const char *name)
{
    for (size_t i = 0; i < config->n_modbus; i++) {
        if (strcmp(config->modbus[i].name, name) == 0) {
            return &config->modbus[i];
        }
    }
    return NULL;
}

static bool has_broker(const struct hs_config *config, const char *name)
{
    bool has = false;

    for (size_t i = 0; i < config->n_mqtt; i++) {
        has |= strcmp(config->mqtt[i].name, name) == 0;
    }
    return has;
}

static void check_row(const struct hs_config *config, const struct hs_pointmap_row *row,
                      struct hs_config_errors *errors)
{
    const struct hs_plant_modbus_device *device = find_device(config, row->modbus);
    struct hs_err err;

    if (device == NULL) {
        hs_config_errors_add(errors, "%s: %s: no device '%s' under plant.modbus of %s",
                             config->estate_file, row->pointer, row->modbus, config->file);
    } else if (hs_plant_modbus_check(device, row, &err) != 0) {
        hs_config_errors_add(errors, "%s: %s: %s", config->estate_file, row->pointer, err.text);
    }
}

void hs_config_check_plant(const struct hs_config *config, struct hs_conf_report *report,
                           struct hs_config_errors *errors)
{
    const struct hs_pointmap *map = config->estate->points;

    if (strcmp(config->plant_kind, "sim") == 0) {
        check_heat(config, report);
    }
    hs_config_check_mqtt(config, report);
    for (size_t i = 0; i < map->n_rows; i++) {
        const struct hs_pointmap_row *row = &map->rows[i];

        if (row->modbus[0] != '\0') {
            check_row(config, row, errors);
        } else if (!has_broker(config, row->mqtt)) {
            hs_config_errors_add(errors, "%s: %s: no broker '%s' under plant.mqtt of %s",
                                 config->estate_file, row->pointer, row->mqtt, config->file);
        }
    }
}
