/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** config_priv - what config.c, config_parts.c and config_files.c share. */

#include "scheduler/base/conf.h"
#include "scheduler/daemon/config.h"

/** Errors of all files, one a line. */
struct hs_config_errors {
    char *text; /* owned, NULL while there is none */
    size_t n;
};

/** Append one line. */
__attribute__((format(printf, 2, 3))) void hs_config_errors_add(struct hs_config_errors *errors,
                                                                const char *fmt, ...);

/** Append all errors of @report. */
void hs_config_errors_add_report(struct hs_config_errors *errors,
                                 const struct hs_conf_report *report);

/** @path as it is if absolute, else below @dir. Owned by the caller (free). */
char *hs_config_join(const char *dir, const char *path);

/** The same, in place. @param io_path  [HS_CONFIG_PATH_MAX] */
void hs_config_resolve(const char *dir, char *io_path);

/** Read what the field table cannot: lists and objects of names; @report is of hschedd.json. */
void hs_config_read_parts(const json_t *root, struct hs_config *config,
                          struct hs_conf_report *report);

/** Fields of /redis and /readings. */
extern const struct hs_conf_table hs_config_redis_table;
extern const struct hs_conf_table hs_config_readings_table;

/** Paths of files, in place. */
void hs_config_resolve_redis(const char *dir, struct hs_config_redis *redis);

/** Can what was said be meant, and can its files be read? */
void hs_config_check_redis(const struct hs_config *config, struct hs_conf_report *report);

/** Fields of /plant. */
extern const struct hs_conf_table hs_config_plant_table;

/** Fields of /plant/mqtt/N. */
extern const struct hs_conf_table hs_config_mqtt_table;

/** Read the brokers, and check whether their files can be read. */
void hs_config_read_mqtt(const json_t *list, struct hs_config *config,
                         struct hs_conf_report *report);
void hs_config_check_mqtt(const struct hs_config *config, struct hs_conf_report *report);

/** Read the devices, and check them and the estate's point map when the estate is there. */
void hs_config_read_plant(const json_t *root, struct hs_config *config,
                          struct hs_conf_report *report);
void hs_config_check_plant(const struct hs_config *config, struct hs_conf_report *report,
                           struct hs_config_errors *errors);

/** Fields of /weather/N. */
extern const struct hs_conf_table hs_config_weather_table;

/** Read the sources of weather, and check them when the estate is there. */
void hs_config_read_weather(const json_t *root, struct hs_config *config,
                            struct hs_conf_report *report);
void hs_config_check_weather(struct hs_config *config, struct hs_conf_report *report);

/** Read estate and policies; adds to @errors. */
void hs_config_read_estate(struct hs_config *config, struct hs_config_errors *errors);
void hs_config_read_policies(struct hs_config *config, struct hs_config_errors *errors);

/** Are limits of policies of what the estate has? */
void hs_config_check_limits(const struct hs_config *config, struct hs_config_errors *errors);

/** Resolve sinks and sites and load their series; @report is of hschedd.json. */
void hs_config_read_series(struct hs_config *config, struct hs_conf_report *report);

/** Rules that need more than one field; @report is of hschedd.json. */
void hs_config_check_whole(struct hs_config *config, struct hs_conf_report *report);
