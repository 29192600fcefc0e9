/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_serve - a scenario's plant behind real sockets, for a daemon that reads real ones. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/poll_executor.h"
#include "scheduler/sim/sim_cmd.h"
#include "scheduler/sim/simserve.h"

#define PERIOD_DEFAULT_S 10
#define SPEED_MAX        100000.0

struct serve_options {
    const char *scenario;
    HS_VEC(struct hs_simserve_modbus) modbus;
    HS_VEC(struct hs_simserve_mqtt) mqtt;
    HS_VEC(struct hs_servefault) faults;
    double speed;
    int64_t period_s;
    int64_t span_s;
};

static const struct option long_options[] = {
    {"modbus", required_argument, NULL, 'm'},
    {"speed", required_argument, NULL, 's'},
    {"for", required_argument, NULL, 'f'},
    {"fault", required_argument, NULL, 'x'},
    {"period", required_argument, NULL, 'p'},
    {"mqtt", required_argument, NULL, 'q'},
    {NULL, 0, NULL, 0},
};

static int find_order(const char *word)
{
    for (int i = 0; hs_pointmap_order_words[i] != NULL; i++) {
        if (strcmp(hs_pointmap_order_words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

/* One of base=, word_order=, unit=, heartbeat= behind a device's address. */
static bool parse_extra(const char *extra, struct hs_simserve_modbus *device)
{
    const char *value = strchr(extra, '=');
    size_t n = value != NULL ? (size_t)(value - extra) : 0;
    char *end = NULL;
    int order = value != NULL ? find_order(value + 1) : -1;
    long number = value != NULL ? strtol(value + 1, &end, 10) : 0;
    bool is_number = end != NULL && end != value + 1 && *end == '\0';

    if (strncmp(extra, "word_order", n) == 0 && n == 10 && order >= 0) {
        device->defaults.order = (enum hs_pointmap_order)order;
    } else if (strncmp(extra, "base", n) == 0 && n == 4 && is_number && (number | 1) == 1) {
        device->defaults.base = (int)number;
    } else if (strncmp(extra, "heartbeat", n) == 0 && n == 9 && is_number && number >= 0
               && number < 65536) {
        device->heartbeat = (int)number;
    } else {
        return false;
    }
    return true;
}

/* NAME=HOST:PORT. @param ret_name [HS_NAME_MAX] @param ret_host [n_host] */
static bool parse_place(const char *text, char *ret_name, char *ret_host, size_t n_host,
                        int *ret_port)
{
    const char *equals = strchr(text, '=');
    const char *colon = equals != NULL ? strrchr(equals, ':') : NULL;
    char *end = NULL;
    long port = colon != NULL ? strtol(colon + 1, &end, 10) : -1;

    if (port < 0 || port > 65535 || end == colon + 1 || *end != '\0' || equals - text >= HS_NAME_MAX
        || colon - equals > (ptrdiff_t)n_host) {
        return false;
    }
    snprintf(ret_name, HS_NAME_MAX, "%.*s", (int)(equals - text), text);
    snprintf(ret_host, n_host, "%.*s", (int)(colon - equals - 1), equals + 1);
    *ret_port = (int)port;
    return true;
}

/* NAME=HOST:PORT[,base=1][,word_order=CDAB][,heartbeat=N] */
static int add_modbus(struct serve_options *options, char *text)
{
    struct hs_simserve_modbus device = {.heartbeat = -1};
    char *rest = text;
    bool is_good = parse_place(strsep(&rest, ","), device.name, device.host, sizeof(device.host),
                               &device.port);

    while (is_good && rest != NULL) {
        is_good = parse_extra(strsep(&rest, ","), &device);
    }
    if (!is_good) {
        return hs_sim_cmd_fail_usage("--modbus is NAME=ADDRESS:PORT[,base=1][,word_order=CDAB]"
                                     "[,heartbeat=REGISTER]");
    }
    /* the device itself counts from 0, whatever its list says */
    device.heartbeat -= device.heartbeat >= 0 ? device.defaults.base : 0;
    HS_VEC_PUSH(&options->modbus, device);
    return HS_SIM_CMD_OK;
}

static int add_mqtt(struct serve_options *options, const char *text)
{
    struct hs_simserve_mqtt broker = {0};

    if (!parse_place(text, broker.name, broker.host, sizeof(broker.host), &broker.port)) {
        return hs_sim_cmd_fail_usage("--mqtt is NAME=HOST:PORT of a broker");
    }
    HS_VEC_PUSH(&options->mqtt, broker);
    return HS_SIM_CMD_OK;
}

static int add_fault(struct serve_options *options, const char *text)
{
    struct hs_servefault fault;
    struct hs_err err;

    if (hs_servefault_parse(text, &fault, &err) != 0) {
        return hs_sim_cmd_fail_usage(err.text);
    }
    HS_VEC_PUSH(&options->faults, fault);
    return HS_SIM_CMD_OK;
}

static int set_span(const char *text, int64_t *ret_s)
{
    struct hs_err err;

    if (hs_timetext_parse_duration(text, ret_s, &err) != 0 || *ret_s <= 0) {
        return hs_sim_cmd_fail_usage("--for and --period are durations, as 7d or 10s");
    }
    return HS_SIM_CMD_OK;
}

static int set_speed(const char *text, double *ret_speed)
{
    char *end;

    *ret_speed = strtod(text, &end);
    return *end == '\0' && *ret_speed > 0 && *ret_speed <= SPEED_MAX
               ? HS_SIM_CMD_OK
               : hs_sim_cmd_fail_usage("--speed is a number above 0, up to 100000");
}

static int parse(int argc, char **argv, struct serve_options *options)
{
    int status = HS_SIM_CMD_OK;
    int letter;

    optind = 1;
    while (status == HS_SIM_CMD_OK
           && (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (letter) {
        case 'm':
            status = add_modbus(options, optarg);
            break;
        case 'q':
            status = add_mqtt(options, optarg);
            break;
        case 's':
            status = set_speed(optarg, &options->speed);
            break;
        case 'f':
            status = set_span(optarg, &options->span_s);
            break;
        case 'p':
            status = set_span(optarg, &options->period_s);
            break;
        case 'x':
            status = add_fault(options, optarg);
            break;
        default:
            status = hs_sim_cmd_fail_usage("no such option of serve");
            break;
        }
    }
    if (status == HS_SIM_CMD_OK
        && (optind != argc - 1 || options->modbus.n + options->mqtt.n == 0)) {
        return hs_sim_cmd_fail_usage(
            "serve one scenario, with --modbus NAME=ADDRESS:PORT or --mqtt NAME=HOST:PORT");
    }
    options->scenario = status == HS_SIM_CMD_OK ? argv[optind] : NULL;
    return status;
}

static void stop(void *arg)
{
    hs_poll_executor_stop(arg);
}

static int serve_scenario(const struct serve_options *options, const struct hs_scenario *scenario)
{
    HS_AUTO(hs_poll_executor) executor = hs_poll_executor_new();
    HS_AUTO(hs_simserve) serve = NULL;
    HS_AUTO_MEM char *silent = NULL;
    HS_AUTO_MEM char *report = NULL;
    json_auto_t *json = NULL;
    struct hs_err err = {0};
    const struct hs_simserve_options serve_options = {
        .executor = hs_poll_executor_get(executor),
        .scenario = scenario,
        .modbus = options->modbus.items,
        .n_modbus = options->modbus.n,
        .mqtt = options->mqtt.items,
        .n_mqtt = options->mqtt.n,
        .faults = options->faults.items,
        .n_faults = options->faults.n,
        .speed = options->speed,
        .period_s = options->period_s,
        .span_s = options->span_s,
        .done = stop,
        .arg = executor,
    };

    if (hs_simserve_new(&serve_options, &serve, &err) != 0) {
        return hs_sim_cmd_print_err(&err);
    }
    silent = hs_simserve_format_silent(serve);
    if (silent[0] != '\0') {
        fprintf(stderr, "note: nobody simulates %s: they say nothing\n", silent);
    }
    for (size_t i = 0; i < options->modbus.n; i++) {
        fprintf(stderr, "modbus %s on %s:%d\n", options->modbus.items[i].name,
                options->modbus.items[i].host, hs_simserve_get_port(serve, i));
    }
    fflush(stderr);
    hs_poll_executor_run(executor);
    json = hs_simserve_format(serve);
    report = hs_jsonx_format(json);
    return puts(report) < 0 ? HS_SIM_CMD_FAILED : HS_SIM_CMD_OK;
}

int hs_sim_cmd_serve(int argc, char **argv)
{
    HS_AUTO(hs_scenario) scenario = NULL;
    struct serve_options options = {.speed = 1, .period_s = PERIOD_DEFAULT_S};
    struct hs_simjobs jobs = {0};
    int status = parse(argc, argv, &options);

    if (status == HS_SIM_CMD_OK) {
        status = hs_sim_cmd_load(options.scenario, &scenario, &jobs);
    }
    if (status == HS_SIM_CMD_OK) {
        status = serve_scenario(&options, scenario);
    }
    hs_jobtrace_fini(&jobs);
    HS_VEC_FINI(&options.mqtt);
    HS_VEC_FINI(&options.modbus);
    HS_VEC_FINI(&options.faults);
    return status;
}
