/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * config - hschedd.json and everything it names: estate, policies, series, images.
 *
 * Read once at start and by `--check`; blocking. Every error of every file is collected, so that
 * an operator mends them in one go. Relative paths start from the directory of hschedd.json.
 * Fields: docs/operate.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "adapters/compute/compute.h"
#include "adapters/plant/plant_modbus.h"
#include "adapters/plant/plant_mqtt.h"
#include "adapters/redis/redis_access.h"
#include "adapters/signal/signal.h"
#include "policies/policy.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/timezone.h"
#include "scheduler/core/cycle.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/series.h"

#define HS_CONFIG_PATH_MAX  512
#define HS_CONFIG_SPEED_MAX 60.0 /* with real guests: interfaces.md, plan time and real time */

/** What a sink wants, for a replayed or simulated plant. */
struct hs_config_heat {
    struct hs_signal_spec spec; /* first: hs_signal_spec_table reads into it */
    char sink[HS_PATH_MAX];
    size_t sink_idx;
    struct hs_series *series; /* owned */
};

/** A known-ahead series of a site. */
struct hs_config_signal {
    struct hs_signal_spec spec; /* first: hs_signal_spec_table reads into it */
    char site[HS_NAME_MAX];
    size_t site_idx;
    enum hs_signal_kind kind;
    struct hs_series *series; /* owned */
};

/** Where the weather forecast of a site comes from. */
struct hs_config_weather {
    char site[HS_NAME_MAX];
    size_t site_idx;
    char kind[16];
    char url[1000]; /* "": path is read */
    char path[HS_CONFIG_PATH_MAX];
    char contact[128];
    bool is_good; /* its fields were */
};

struct hs_config_redis_tls {
    char ca[HS_CONFIG_PATH_MAX];
    char cert[HS_CONFIG_PATH_MAX];
    char key[HS_CONFIG_PATH_MAX];
    char server_name[256];
};

/** A Redis as it is configured; "" where nothing was said. */
struct hs_config_redis {
    char url[HS_URI_MAX];
    char user[128];
    char password_file[HS_CONFIG_PATH_MAX];
    struct hs_config_redis_tls tls;
};

/** A broker as it is configured; "" where nothing was said. */
struct hs_config_mqtt {
    char name[HS_NAME_MAX];
    char host[HS_URI_MAX];
    int port;
    char client_id[128];
    char user[128];
    char password_file[HS_CONFIG_PATH_MAX];
    bool has_tls;
    char ca[HS_CONFIG_PATH_MAX];
    char cert[HS_CONFIG_PATH_MAX];
    char key[HS_CONFIG_PATH_MAX];
    int keepalive_s;
    char status_topic[HS_POINTMAP_TOPIC_MAX];
    char discovery[64]; /* Home Assistant's prefix, or "" */
    bool can_write;
};

struct hs_config {
    char file[HS_CONFIG_PATH_MAX];
    char dir[HS_CONFIG_PATH_MAX]; /* where relative paths start */
    char cell[HS_NAME_MAX];
    char estate_file[HS_CONFIG_PATH_MAX];
    char policies_dir[HS_CONFIG_PATH_MAX]; /* "" if none */
    char state_dir[HS_CONFIG_PATH_MAX];
    char store[16]; /* "redis" or "mem" */
    struct hs_config_redis redis;
    struct hs_config_redis readings; /* url "" takes all of redis */
    double lease_s;                  /* real; how long leadership outlives its last renewal */
    uint64_t history_jobs;           /* jobs that are over and kept, at most */
    int64_t history_age_s;           /* and so long; 0: however old */
    char planner[16];                /* "plan", "thermostat" */
    double speed;                    /* plan seconds per real second */
    char start[64];                  /* as written */
    int64_t start_at_s;              /* 0: now */
    bool heat_history;
    bool takes_wall_clock; /* of the command line: plan time begins as wall time again */
    char plant_kind[16];   /* "redis", "csv", "sim", or "" for none; devices besides */

    char **sockets; /* [n_sockets] unix socket paths; owned */
    size_t n_sockets;
    uid_t *uids; /* [n_uids] who may speak besides root and our own user; owned */
    size_t n_uids;
    struct hs_config_heat *heat; /* [n_heat] */
    size_t n_heat;
    struct hs_plant_modbus_device *modbus; /* [n_modbus] */
    size_t n_modbus;
    struct hs_config_mqtt *mqtt; /* [n_mqtt] */
    size_t n_mqtt;
    struct hs_config_signal *signals; /* [n_signals] */
    size_t n_signals;
    struct hs_config_weather *weather; /* [n_weather] */
    size_t n_weather;
    struct hs_image *images; /* [n_images] texts owned */
    size_t n_images;

    struct hs_estate *estate;
    struct hs_timezone **timezones; /* [estate->n_sites]; NULL: UTC */
    struct hs_policy *policy;
};

/** Fields of hschedd.json. */
extern const struct hs_conf_table hs_config_table;

/**
 * Read and check everything that @path names.
 *
 * @param ret_config  owned by the caller on success
 * @param ret_errors  all errors, one a line, owned by the caller (free); set on failure only
 * @return 0 or -HS_E_INVALID
 */
int hs_config_load(const char *path, struct hs_config **ret_config, char **ret_errors);

/** The same, for who connects; texts borrowed. */
struct hs_redis_access hs_config_get_redis_access(const struct hs_config_redis *redis);

/** The same, for who listens to it; texts borrowed. */
struct hs_plant_mqtt_broker hs_config_get_broker(const struct hs_config_mqtt *mqtt);

/** Demand series by sink, NULL where none is named. Owned by the caller (free), series borrowed. */
const struct hs_series **hs_config_get_heat_by_sink(const struct hs_config *config);

/** Accepts NULL. */
void hs_config_free(struct hs_config *config);
HS_DEFINE_AUTO(hs_config);
