/* SPDX-License-Identifier: Apache-2.0 */
/* config_mqtt - the list `plant.mqtt` of hschedd.json: brokers, and who we are there. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/config_priv.h"

#define N_OF(array)   (sizeof(array) / sizeof((array)[0]))
#define POINTER_MAX   64
#define AT(member)    .offset = offsetof(struct hs_config_mqtt, member)
#define SIZED(member) AT(member), .size = sizeof(((struct hs_config_mqtt *)NULL)->member)

static const struct hs_conf_field tls_fields[] = {
    {.name = "ca",
     .type = HS_CONF_TEXT,
     SIZED(ca),
     .help = "PEM file of whom we trust to name the broker; absent is what the system trusts"},
    {.name = "cert",
     .type = HS_CONF_TEXT,
     SIZED(cert),
     .help = "PEM file of our certificate, if the broker wants one; goes with key"},
    {.name = "key", .type = HS_CONF_TEXT, SIZED(key), .help = "PEM file of its key"},
};
static const struct hs_conf_table tls_table = {"mqtt_tls", tls_fields, N_OF(tls_fields)};

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_NAME,
     SIZED(name),
     .required = true,
     .help = "what `mqtt` of a point calls it"},
    {.name = "host",
     .type = HS_CONF_TEXT,
     SIZED(host),
     .required = true,
     .help = "name or address"},
    {.name = "port",
     .type = HS_CONF_INT,
     AT(port),
     .min = 1,
     .max = 65535,
     .has_default = true,
     .default_number = 1883,
     .help = "TCP port; with TLS usually 8883"},
    {.name = "client_id",
     .type = HS_CONF_TEXT,
     SIZED(client_id),
     .help = "absent: the broker gives one"},
    {.name = "user", .type = HS_CONF_TEXT, SIZED(user), .help = "user of the broker"},
    {.name = "password_file",
     .type = HS_CONF_TEXT,
     SIZED(password_file),
     .help = "file of mode 0600 with the password; read again at every connection"},
    {.name = "tls",
     .type = HS_CONF_OBJECT,
     .table = &tls_table,
     .present_offset = offsetof(struct hs_config_mqtt, has_tls),
     .help = "speak TLS; {} trusts whom the system trusts"},
    {.name = "keepalive_s",
     .type = HS_CONF_INT,
     AT(keepalive_s),
     .min = 5,
     .max = 3600,
     .unit = "s",
     .has_default = true,
     .default_number = 30,
     .help = "a broker that says nothing for so long is lost; real time"},
    {.name = "write",
     .type = HS_CONF_BOOL,
     AT(can_write),
     .has_default = true,
     .default_number = 0,
     .help = "points with write are told; off, hschedd only listens"},
    {.name = "status_topic",
     .type = HS_CONF_TEXT,
     SIZED(status_topic),
     .help = "with write: online is said there, and offline by last will; absent is "
             "hsched/CELL/status"},
    {.name = "discovery",
     .type = HS_CONF_TEXT,
     SIZED(discovery),
     .help = "with write: our own figures are said, and described below this prefix for Home "
             "Assistant, which listens to homeassistant; absent: not"},
};
const struct hs_conf_table hs_config_mqtt_table = {"mqtt", fields, N_OF(fields)};

struct hs_plant_mqtt_broker hs_config_get_broker(const struct hs_config_mqtt *mqtt)
{
    return (struct hs_plant_mqtt_broker){
        .name = mqtt->name,
        .can_write = mqtt->can_write,
        .access = {.host = mqtt->host,
                   .port = mqtt->port,
                   .client_id = mqtt->client_id,
                   .user = mqtt->user,
                   .password_file = mqtt->password_file,
                   .has_tls = mqtt->has_tls,
                   .ca = mqtt->ca,
                   .cert = mqtt->cert,
                   .key = mqtt->key,
                   .keepalive_s = mqtt->keepalive_s,
                   .status_topic = mqtt->status_topic},
    };
}

static void read_broker(const json_t *entry, const char *pointer, struct hs_config *config,
                        struct hs_conf_report *report)
{
    struct hs_config_mqtt row = {0};

    if (!hs_conf_read(&hs_config_mqtt_table, entry, pointer, &row, report)) {
        return;
    }
    hs_config_resolve(config->dir, row.password_file);
    hs_config_resolve(config->dir, row.ca);
    hs_config_resolve(config->dir, row.cert);
    hs_config_resolve(config->dir, row.key);
    if (row.status_topic[0] == '\0') {
        snprintf(row.status_topic, sizeof(row.status_topic), "hsched/%s/status", config->cell);
    }
    if (strpbrk(row.discovery, "+#") != NULL || (row.discovery[0] != '\0' && !row.can_write)) {
        hs_conf_report_add(report, pointer,
                           "'discovery' is the start of a topic, as homeassistant, and needs "
                           "\"write\": true");
    }
    for (size_t i = 0; i < config->n_mqtt; i++) {
        if (strcmp(config->mqtt[i].name, row.name) == 0) {
            hs_conf_report_add(report, pointer, "there is already a broker named '%s'", row.name);
        }
    }
    config->mqtt[config->n_mqtt++] = row;
}

void hs_config_read_mqtt(const json_t *list, struct hs_config *config,
                         struct hs_conf_report *report)
{
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    if (list != NULL && !json_is_array(list)) {
        hs_conf_report_add(report, "/plant/mqtt", "must be a list of brokers");
        return;
    }
    config->mqtt = hs_xcalloc(json_array_size(list) + 1, sizeof(*config->mqtt));
    json_array_foreach (list, i, entry) {
        snprintf(pointer, sizeof(pointer), "/plant/mqtt/%zu", i);
        read_broker(entry, pointer, config, report);
    }
}

void hs_config_check_mqtt(const struct hs_config *config, struct hs_conf_report *report)
{
    char pointer[POINTER_MAX];

    for (size_t i = 0; i < config->n_mqtt; i++) {
        const struct hs_plant_mqtt_broker broker = hs_config_get_broker(&config->mqtt[i]);
        struct hs_err err;

        snprintf(pointer, sizeof(pointer), "/plant/mqtt/%zu", i);
        if (hs_plant_mqtt_link_check(&broker.access, &err) != 0) {
            hs_conf_report_add(report, pointer, "%s", err.text);
        }
    }
}
