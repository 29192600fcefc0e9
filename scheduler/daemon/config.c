/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - the fields of hschedd.json and its life; its lists and objects of names are read by
 * config_parts.c, the files it names by config_files.c.
 */
#include "scheduler/daemon/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/zonefile.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/config_priv.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const store_words[] = {"redis", "mem", NULL};
static const char *const planner_words[] = {"plan", "thermostat", NULL};
static const char *const api_words[] = {"hsched.daemon/v1", NULL};

#define CONFIG_TEXT(member) \
    .offset = offsetof(struct hs_config, member), .size = sizeof(((struct hs_config *)NULL)->member)

static const struct hs_conf_field history_fields[] = {
    {.name = "jobs",
     .type = HS_CONF_UINT64,
     .offset = offsetof(struct hs_config, history_jobs),
     .min = 0,
     .max = 10000000,
     .has_default = true,
     .default_number = 1000000,
     .help = "jobs that are over and kept; about 1 KB each in Redis"},
    {.name = "age",
     .type = HS_CONF_DURATION,
     .offset = offsetof(struct hs_config, history_age_s),
     .min = 0,
     .max = 10 * 366 * 86400.0,
     .has_default = true,
     .default_number = 400 * 86400.0,
     .help = "how long they are kept; 0s: however old"},
};
static const struct hs_conf_table history_table = {"history", history_fields, N_OF(history_fields)};

static const struct hs_conf_field auth_fields[] = {
    {.name = "unix_users",
     .type = HS_CONF_CHILDREN,
     .help = "users who may speak besides root and the daemon's own"},
};
static const struct hs_conf_table auth_table = {"auth", auth_fields, N_OF(auth_fields)};

static const struct hs_conf_field signals_fields[] = {
    {.name = "price", .type = HS_CONF_CHILDREN, .help = "electricity price, cur/MWh"},
    {.name = "carbon", .type = HS_CONF_CHILDREN, .help = "carbon intensity, g/kWh"},
    {.name = "weather", .type = HS_CONF_CHILDREN, .help = "outdoor temperature, degrees C"},
};
static const struct hs_conf_table signals_table = {"signals", signals_fields, N_OF(signals_fields)};

static const struct hs_conf_field config_fields[] = {
    {.name = "api",
     .type = HS_CONF_WORD,
     .required = true,
     .words = api_words,
     .help = "hsched.daemon/v1"},
    {.name = "cell",
     .type = HS_CONF_NAME,
     CONFIG_TEXT(cell),
     .has_default = true,
     .default_text = "main",
     .help = "prefix of the keys in Redis"},
    {.name = "estate",
     .type = HS_CONF_TEXT,
     CONFIG_TEXT(estate_file),
     .required = true,
     .help = "path of estate.json"},
    {.name = "policies",
     .type = HS_CONF_TEXT,
     CONFIG_TEXT(policies_dir),
     .help = "directory of policy files, read in name order"},
    {.name = "state",
     .type = HS_CONF_TEXT,
     CONFIG_TEXT(state_dir),
     .has_default = true,
     .default_text = "/var/lib/hsched",
     .help = "directory for seeds, consoles and exit files"},
    {.name = "store",
     .type = HS_CONF_WORD,
     CONFIG_TEXT(store),
     .has_default = true,
     .default_text = "redis",
     .words = store_words,
     .help = "mem forgets everything at exit"},
    {.name = "redis",
     .type = HS_CONF_OBJECT,
     .offset = offsetof(struct hs_config, redis),
     .table = &hs_config_redis_table,
     .help = "where jobs, intents and the journal are kept"},
    {.name = "lease_s",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_config, lease_s),
     .min = 0.5,
     .max = 300,
     .has_default = true,
     .default_number = 15,
     .unit = "s",
     .help = "how long another hschedd waits for the one that leads; real time"},
    {.name = "history",
     .type = HS_CONF_OBJECT,
     .table = &history_table,
     .help = "how many jobs that are over are kept, and how long"},
    {.name = "readings",
     .type = HS_CONF_OBJECT,
     .offset = offsetof(struct hs_config, readings),
     .table = &hs_config_readings_table,
     .help = "where readings are fed"},
    {.name = "listen",
     .type = HS_CONF_CHILDREN,
     .required = true,
     .help = "list of {\"unix\": PATH}"},
    {.name = "auth", .type = HS_CONF_OBJECT, .table = &auth_table, .help = "who may speak"},
    {.name = "tls", .type = HS_CONF_ANY, .help = "kept for tcp listeners"},
    {.name = "planner",
     .type = HS_CONF_WORD,
     CONFIG_TEXT(planner),
     .words = planner_words,
     .has_default = true,
     .default_text = "plan",
     .help = "`thermostat`: nothing is planned, each loop's tank and demand say what runs"},
    {.name = "speed",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_config, speed),
     .min = 0.001,
     .max = 100000,
     .has_default = true,
     .default_number = 1,
     .help = "plan seconds per real second"},
    {.name = "start",
     .type = HS_CONF_TEXT,
     CONFIG_TEXT(start),
     .help = "plan time at the first start, RFC 3339; absent is now"},
    {.name = "plant",
     .type = HS_CONF_OBJECT,
     .offset = 0,
     .table = &hs_config_plant_table,
     .help = "where readings come from"},
    {.name = "signals",
     .type = HS_CONF_OBJECT,
     .table = &signals_table,
     .help = "series that are known ahead"},
    {.name = "weather",
     .type = HS_CONF_CHILDREN,
     .table = &hs_config_weather_table,
     .help = "weather forecasts, one source a site"},
    {.name = "images", .type = HS_CONF_CHILDREN, .help = "what jobs boot, by name"},
    {.name = "heat_history",
     .type = HS_CONF_BOOL,
     .offset = offsetof(struct hs_config, heat_history),
     .has_default = true,
     .help = "train forecasts on the rows before the start"},
};
const struct hs_conf_table hs_config_table = {"hschedd", config_fields, N_OF(config_fields)};

/* --- small helpers --- */

void hs_config_errors_add(struct hs_config_errors *errors, const char *fmt, ...)
{
    HS_AUTO_MEM char *line = NULL;
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&line, fmt, ap);
    va_end(ap);
    if (n < 0 || asprintf(&text, "%s%s\n", errors->text != NULL ? errors->text : "", line) < 0) {
        hs_mem_exhausted();
    }
    free(errors->text);
    errors->text = text;
    errors->n++;
}

void hs_config_errors_add_report(struct hs_config_errors *errors,
                                 const struct hs_conf_report *report)
{
    size_t n_kept = report->n_errors < HS_CONF_ERRORS_MAX ? report->n_errors : HS_CONF_ERRORS_MAX;

    for (size_t i = 0; i < n_kept; i++) {
        hs_config_errors_add(errors, "%s", report->errors[i]);
    }
    if (report->n_errors > n_kept) {
        hs_config_errors_add(errors, "%s: %zu more", report->file, report->n_errors - n_kept);
    }
}

char *hs_config_join(const char *dir, const char *path)
{
    char *joined = NULL;

    if (path[0] == '/') {
        return hs_xstrdup(path);
    }
    if (asprintf(&joined, "%s/%s", dir, path) < 0) {
        hs_mem_exhausted();
    }
    return joined;
}

void hs_config_resolve(const char *dir, char *io_path)
{
    HS_AUTO_MEM char *joined = NULL;

    if (io_path[0] != '\0') {
        joined = hs_config_join(dir, io_path);
        snprintf(io_path, HS_CONFIG_PATH_MAX, "%s", joined);
    }
}

static void read_root(const json_t *root, struct hs_config *config, struct hs_conf_report *report)
{
    if (!json_is_object(root)) {
        hs_conf_report_add(report, "", "must be an object");
        return;
    }
    (void)hs_conf_read(&hs_config_table, root, "", config, report);
    hs_config_read_parts(root, config, report);
    hs_config_read_plant(root, config, report);
    hs_config_read_weather(root, config, report);
    hs_config_resolve(config->dir, config->estate_file);
    hs_config_resolve(config->dir, config->policies_dir);
    hs_config_resolve(config->dir, config->state_dir);
    hs_config_resolve_redis(config->dir, &config->redis);
    hs_config_resolve_redis(config->dir, &config->readings);
}

/* --- the whole --- */

static void set_dir(struct hs_config *config, const char *path)
{
    const char *slash;

    snprintf(config->file, sizeof(config->file), "%s", path);
    slash = strrchr(config->file, '/');
    if (slash == NULL) {
        snprintf(config->dir, sizeof(config->dir), ".");
    } else {
        int n = slash == config->file ? 1 : (int)(slash - config->file);

        snprintf(config->dir, sizeof(config->dir), "%.*s", n, config->file);
    }
}

static void load_all(struct hs_config *config, struct hs_config_errors *errors)
{
    HS_AUTO_MEM char *text = NULL;
    json_auto_t *root = NULL;
    struct hs_conf_report report = {.file = config->file};
    struct hs_err err;
    size_t n_bytes = 0;

    if (hs_filetext_read(config->file, &text, &n_bytes, &err) != 0) {
        hs_config_errors_add(errors, "%s: %s", config->file, err.text);
        return;
    }
    if (hs_jsonx_parse(config->file, text, n_bytes, &root, &err) != 0) {
        hs_config_errors_add(errors, "%s: %s", err.where, err.text);
        return;
    }
    report.text = text;
    read_root(root, config, &report);
    if (config->estate_file[0] != '\0') {
        hs_config_read_estate(config, errors);
    }
    hs_config_read_policies(config, errors);
    if (config->estate != NULL) {
        hs_config_check_limits(config, errors);
        hs_config_read_series(config, &report);
        hs_config_check_plant(config, &report, errors);
    }
    hs_config_check_whole(config, &report);
    hs_config_errors_add_report(errors, &report);
    hs_conf_report_fini(&report);
}

int hs_config_load(const char *path, struct hs_config **ret_config, char **ret_errors)
{
    HS_AUTO(hs_config) config = hs_xcalloc(1, sizeof(*config));
    struct hs_config_errors errors = {0};

    set_dir(config, path);
    load_all(config, &errors);
    if (errors.n > 0) {
        *ret_errors = errors.text;
        return -HS_E_INVALID;
    }
    *ret_config = HS_STEAL(config);
    return 0;
}

const struct hs_series **hs_config_get_heat_by_sink(const struct hs_config *config)
{
    const struct hs_series **by_sink =
        hs_xcalloc(config->estate->n_sinks, sizeof(const struct hs_series *));

    for (size_t i = 0; i < config->n_heat; i++) {
        by_sink[config->heat[i].sink_idx] = config->heat[i].series;
    }
    return by_sink;
}

void hs_config_free(struct hs_config *config)
{
    if (config == NULL) {
        return;
    }
    hs_policy_free(config->policy);
    if (config->estate != NULL) {
        hs_zonefile_free_all(config->timezones, config->estate->n_sites);
    }
    hs_estate_free(config->estate);
    for (size_t i = 0; i < config->n_images; i++) {
        free(config->images[i].kernel);
        free(config->images[i].initrd);
        free(config->images[i].cmdline);
    }
    free(config->images);
    free(config->mqtt);
    free(config->modbus);
    free(config->weather);
    for (size_t i = 0; i < config->n_signals; i++) {
        hs_series_free(config->signals[i].series);
    }
    free(config->signals);
    for (size_t i = 0; i < config->n_heat; i++) {
        hs_series_free(config->heat[i].series);
    }
    free(config->heat);
    free(config->uids);
    for (size_t i = 0; i < config->n_sockets; i++) {
        free(config->sockets[i]);
    }
    free(config->sockets);
    free(config);
}
