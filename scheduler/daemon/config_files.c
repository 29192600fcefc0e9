/* SPDX-License-Identifier: Apache-2.0 */
/* config_files - the files that hschedd.json names, and the rules that need several of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/zonefile.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/daemon/config_priv.h"

#define SIM_PREFIX  "sim:"
#define POINTER_MAX 256

void hs_config_read_estate(struct hs_config *config, struct hs_config_errors *errors)
{
    HS_AUTO_MEM char *text = NULL;
    struct hs_conf_report report = {.file = config->estate_file};
    struct hs_err err;
    size_t n_bytes = 0;

    if (hs_filetext_read(config->estate_file, &text, &n_bytes, &err) != 0) {
        hs_config_errors_add(errors, "%s: %s", config->estate_file, err.text);
        return;
    }
    report.text = text;
    (void)hs_estate_parse(config->estate_file, text, &report, &config->estate);
    if (config->estate != NULL) {
        config->timezones = hs_zonefile_load_all(config->estate, "", &report);
    }
    hs_config_errors_add_report(errors, &report);
    hs_conf_report_fini(&report);
}

static int is_policy_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static void read_policy(struct hs_policy *policy, const char *path, struct hs_config_errors *errors)
{
    HS_AUTO_MEM char *text = NULL;
    struct hs_conf_report report = {.file = path};
    struct hs_err err;
    size_t n_bytes = 0;

    if (hs_filetext_read(path, &text, &n_bytes, &err) != 0) {
        hs_config_errors_add(errors, "%s: %s", path, err.text);
        return;
    }
    report.text = text;
    (void)hs_policy_parse(policy, path, text, &report);
    hs_config_errors_add_report(errors, &report);
    hs_conf_report_fini(&report);
}

void hs_config_read_policies(struct hs_config *config, struct hs_config_errors *errors)
{
    struct dirent **entries = NULL;
    int n;

    config->policy = hs_policy_new();
    if (config->policies_dir[0] == '\0') {
        return;
    }
    n = scandir(config->policies_dir, &entries, is_policy_file, alphasort);
    if (n < 0) {
        hs_config_errors_add(errors, "%s: cannot read the policies: %s", config->policies_dir,
                             strerror(errno));
        return;
    }
    for (int i = 0; i < n; i++) {
        HS_AUTO_MEM char *path = hs_config_join(config->policies_dir, entries[i]->d_name);

        read_policy(config->policy, path, errors);
        free(entries[i]);
    }
    free(entries);
}

void hs_config_check_limits(const struct hs_config *config, struct hs_config_errors *errors)
{
    for (size_t i = 0; i < config->policy->n_limits; i++) {
        const struct hs_limit *limit = &config->policy->limits[i];
        const char *part = limit->loop[0] != '\0' ? limit->loop : limit->rack;
        char path[HS_PATH_MAX];
        size_t idx;

        snprintf(path, sizeof(path), "%s%s%s", limit->site, part[0] != '\0' ? "/" : "", part);
        idx = limit->loop[0] != '\0'   ? hs_estate_find_loop(config->estate, path)
              : limit->rack[0] != '\0' ? hs_estate_find_rack(config->estate, path)
                                       : hs_estate_find_site(config->estate, path);
        if (idx == SIZE_MAX) {
            hs_config_errors_add(errors, "%s: a limit is of '%s', which the estate does not have",
                                 config->policies_dir, path);
        }
    }
}

/** Load one series; a csv of "" had its error before. */
static void read_series(const struct hs_config *config, const struct hs_signal_spec *spec,
                        const char *pointer, struct hs_series **ret_series,
                        struct hs_conf_report *report)
{
    struct hs_err err;

    if (spec->csv[0] != '\0' && hs_signal_load(spec, config->dir, ret_series, &err) != 0) {
        hs_conf_report_add(report, pointer, "%s%s%s", err.where, err.where[0] != '\0' ? ": " : "",
                           err.text);
    }
}

static void read_heat_series(struct hs_config *config, size_t i, struct hs_conf_report *report)
{
    struct hs_config_heat *heat = &config->heat[i];
    char pointer[POINTER_MAX];

    snprintf(pointer, sizeof(pointer), "/plant/heat/%zu", i);
    heat->sink_idx = hs_estate_find_sink(config->estate, heat->sink);
    if (heat->sink[0] != '\0' && heat->sink_idx == SIZE_MAX) {
        hs_conf_report_add(report, pointer, "no sink '%s' in the estate, write site/loop/sink",
                           heat->sink);
    }
    for (size_t j = 0; j < i; j++) {
        if (heat->sink_idx != SIZE_MAX && config->heat[j].sink_idx == heat->sink_idx) {
            hs_conf_report_add(report, pointer, "sink '%s' is listed twice", heat->sink);
        }
    }
    read_series(config, &heat->spec, pointer, &heat->series, report);
}

void hs_config_read_series(struct hs_config *config, struct hs_conf_report *report)
{
    static const char *const words[] = {[HS_SIGNAL_PRICE] = "price",
                                        [HS_SIGNAL_CARBON] = "carbon",
                                        [HS_SIGNAL_OUTDOOR] = "weather"};
    size_t n_of_kind[3] = {0};

    for (size_t i = 0; i < config->n_heat; i++) {
        read_heat_series(config, i, report);
    }
    for (size_t i = 0; i < config->n_signals; i++) {
        struct hs_config_signal *signal = &config->signals[i];
        char pointer[POINTER_MAX];

        snprintf(pointer, sizeof(pointer), "/signals/%s/%zu", words[signal->kind],
                 n_of_kind[signal->kind]++);
        signal->site_idx = hs_estate_find_site(config->estate, signal->site);
        if (signal->site[0] != '\0' && signal->site_idx == SIZE_MAX) {
            hs_conf_report_add(report, pointer, "no site '%s' in the estate", signal->site);
        }
        read_series(config, &signal->spec, pointer, &signal->series, report);
    }
}

static void check_time(struct hs_config *config, struct hs_conf_report *report)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    struct hs_err err;

    if (config->start[0] != '\0'
        && hs_timetext_parse(config->start, hs_clock_at_s(clock), &config->start_at_s, &err) != 0) {
        hs_conf_report_add(report, "/start", "%s", err.text);
    }
    for (size_t i = 0; config->estate != NULL && i < config->estate->n_hosts; i++) {
        const struct hs_host *host = &config->estate->hosts[i];

        if (config->speed > HS_CONFIG_SPEED_MAX
            && strncmp(host->uri, SIM_PREFIX, strlen(SIM_PREFIX)) != 0) {
            hs_conf_report_add(report, "/speed",
                               "over %.0f every host must be simulated, '%s' is '%s'",
                               HS_CONFIG_SPEED_MAX, host->path, host->uri);
            return;
        }
    }
}

/** A socket path must fit the address and lie in a directory that is there and ours to write. */
static void check_socket(const char *path, size_t i, struct hs_conf_report *report)
{
    HS_AUTO_MEM char *dir = hs_xstrdup(path);
    char *slash = strrchr(dir, '/');
    char pointer[POINTER_MAX];
    struct stat st;

    snprintf(pointer, sizeof(pointer), "/listen/%zu/unix", i);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        hs_conf_report_add(report, pointer, "'%s' is longer than %zu characters", path,
                           sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        return;
    }
    if (slash != NULL) {
        slash[slash == dir ? 1 : 0] = '\0';
    }
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        hs_conf_report_add(report, pointer, "directory '%s' does not exist", dir);
    } else if (access(dir, W_OK | X_OK) != 0) {
        hs_conf_report_add(report, pointer, "directory '%s': %s", dir, strerror(errno));
    } else if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        hs_conf_report_add(report, pointer, "'%s' is there and is not a socket", path);
    }
}

void hs_config_check_whole(struct hs_config *config, struct hs_conf_report *report)
{
    hs_config_check_redis(config, report);
    check_time(config, report);
    hs_config_check_weather(config, report);
    for (size_t i = 0; i < config->n_sockets; i++) {
        check_socket(config->sockets[i], i, report);
    }
}
