/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_forecast - back-test of the forecasting models over a measured sink. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/zonefile.h"
#include "forecast/forecast.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/timetext.h"
#include "scheduler/model/holidays.h"
#include "scheduler/model/site.h"
#include "scheduler/sim/backtest.h"
#include "scheduler/sim/sim_cmd.h"
#include "scheduler/sim/simoutput.h"

#define FORECAST_API      "hsched.sim.forecast/v1"
#define MODELS_MAX        32
#define S_PER_HOUR        3600
#define HORIZON_DEFAULT_S (48 * S_PER_HOUR)
#define NAME_W            14
#define CHOSEN            "mixer"

struct forecast_args {
    const char *heat;
    const char *column;
    const char *weather;
    const char *origins;
    const char *horizon;
    const char *out;
    const char *dump;
    const char *timezone;
    const char *holidays;
    char *models; /* is cut up */
};

struct forecast_job {
    struct hs_backtest_data *data;
    struct hs_timezone *timezone; /* NULL: UTC */
    struct hs_calendar *calendar;
    struct hs_backtest_setup setup;
    const char *names[MODELS_MAX];
    struct hs_backtest_result results[MODELS_MAX];
    size_t n;
};

static bool parse_args(int argc, char **argv, struct forecast_args *args)
{
    static const struct option options[] = {
        {"heat", required_argument, NULL, 'h'},
        {"column", required_argument, NULL, 'c'},
        {"weather", required_argument, NULL, 'w'},
        {"origins", required_argument, NULL, 'g'},
        {"horizon", required_argument, NULL, 'z'},
        {"output", required_argument, NULL, 'o'},
        {"dump", required_argument, NULL, 'd'},
        {"models", required_argument, NULL, 'm'},
        {"timezone", required_argument, NULL, 't'},
        {"holidays", required_argument, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            args->heat = optarg;
            break;
        case 'c':
            args->column = optarg;
            break;
        case 'w':
            args->weather = optarg;
            break;
        case 'g':
            args->origins = optarg;
            break;
        case 'z':
            args->horizon = optarg;
            break;
        case 'o':
            args->out = optarg;
            break;
        case 'd':
            args->dump = optarg;
            break;
        case 'm':
            args->models = optarg;
            break;
        case 't':
            args->timezone = optarg;
            break;
        case 'y':
            args->holidays = optarg;
            break;
        default:
            fputs(hs_sim_cmd_usage, stderr);
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hsim: '%s' is one word too many; name the series with --heat\n",
                argv[optind]);
        return false;
    }
    if (args->heat == NULL) {
        hs_sim_cmd_fail_usage("name the series with --heat");
        return false;
    }
    return true;
}

/** All models of the table, or those of @list; prints what is wrong. */
static int choose_models(char *list, struct forecast_job *job)
{
    const struct hs_heatmodel *model;
    char *name;

    for (size_t i = 0; list == NULL && (model = hs_forecast_get_model(i)) != NULL; i++) {
        if (job->n < MODELS_MAX) {
            job->names[job->n++] = model->name;
        }
    }
    while (list != NULL && (name = strsep(&list, ",")) != NULL) {
        model = hs_forecast_find_model(name);
        if (model == NULL) {
            fprintf(stderr, "hsim: no model '%s'; there are", name);
            for (size_t i = 0; (model = hs_forecast_get_model(i)) != NULL; i++) {
                fprintf(stderr, "%s %s", i > 0 ? "," : "", model->name);
            }
            fputc('\n', stderr);
            return HS_SIM_CMD_USAGE;
        }
        for (size_t i = 0; i < job->n; i++) {
            if (job->names[i] == model->name) {
                fprintf(stderr, "hsim: models: '%s' is listed twice\n", name);
                return HS_SIM_CMD_USAGE;
            }
        }
        if (job->n < MODELS_MAX) {
            job->names[job->n++] = model->name;
        }
    }
    return HS_SIM_CMD_OK;
}

static int parse_horizon(const char *text, struct forecast_job *job, struct hs_err *err)
{
    int64_t unit_s = hs_backtest_get_unit_s(job->data);
    int64_t horizon_s = HORIZON_DEFAULT_S;
    int rc = text != NULL ? hs_timetext_parse_duration(text, &horizon_s, err) : 0;

    if (rc == 0
        && (horizon_s < unit_s || horizon_s % unit_s != 0
            || horizon_s > HS_OUTLOOK_HOURS * S_PER_HOUR)) {
        rc = hs_err_set(err, HS_E_INVALID, "--horizon",
                        "'%s' is to be a multiple of %lldh up to %dh", text != NULL ? text : "48h",
                        (long long)(unit_s / S_PER_HOUR), HS_OUTLOOK_HOURS);
    }
    job->setup.horizon_s = horizon_s;
    return rc;
}

static int read_weather(const char *text, struct forecast_job *job, struct hs_err *err)
{
    static const struct {
        const char *word;
        enum hs_backtest_outlook outlook;
    } words[] = {
        {"persisted", HS_BACKTEST_PERSISTED},
        {"perfect", HS_BACKTEST_PERFECT},
        {"none", HS_BACKTEST_NONE},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text == NULL || strcmp(text, words[i].word) == 0) {
            job->setup.outlook = words[i].outlook;
            return 0;
        }
    }
    job->setup.outlook = HS_BACKTEST_ISSUED;
    if (strchr(text, '.') == NULL && strchr(text, '/') == NULL
        && hs_filetext_check(text, NULL) != 0) {
        return hs_err_set(err, HS_E_INVALID, "--weather",
                          "'%.60s' is no weather; write persisted, perfect, none or a file", text);
    }
    return hs_issuedcsv_read(text, &job->data->issued, err);
}

static int make_calendar(const struct forecast_args *args, struct forecast_job *job,
                         struct hs_err *err)
{
    struct hs_site site = {.name = "back-test"};
    const char *nearest;
    int rc = args->timezone != NULL ? hs_zonefile_load(args->timezone, &job->timezone, err) : 0;

    if (rc != 0) {
        return rc;
    }
    snprintf(site.timezone, sizeof(site.timezone), "%s", hs_timezone_get_name(job->timezone));
    snprintf(site.holidays, sizeof(site.holidays), "%s",
             args->holidays != NULL ? args->holidays : "auto");
    for (size_t i = 0; hs_holidays_words[i] != NULL; i++) {
        if (strcmp(hs_holidays_words[i], site.holidays) == 0) {
            job->calendar = hs_calendar_new(job->timezone, &site);
            job->setup.calendar = job->calendar;
            return 0;
        }
    }
    nearest = hs_conf_nearest(hs_holidays_words, site.holidays);
    return hs_err_set(err, HS_E_INVALID, "--holidays", "no country '%.20s', %s %s", site.holidays,
                      nearest != NULL ? "did you mean" : "write auto, none or such as",
                      nearest != NULL ? nearest : "DE-NW");
}

static int read_files(const struct forecast_args *args, struct forecast_job *job,
                      struct hs_err *err)
{
    int rc = hs_backtest_read(args->heat, args->column, &job->data, err);

    job->setup.data = job->data;
    if (rc == 0) {
        rc = make_calendar(args, job, err);
    }
    if (rc == 0) {
        rc = parse_horizon(args->horizon, job, err);
    }
    if (rc == 0) {
        rc = read_weather(args->weather, job, err);
    }
    if (rc == 0) {
        rc = args->origins != NULL
                 ? hs_backtest_read_origins(job->data, args->origins, err)
                 : hs_backtest_choose_origins(job->data, job->setup.horizon_s, err);
    }
    return rc;
}

static void set_figures(json_t *object, const struct hs_backtest_figures *figures)
{
    hs_jsonx_set_real(object, "nmae", figures->nmae);
    hs_jsonx_set_real(object, "nrmse", figures->nrmse);
    hs_jsonx_set_real(object, "mase", figures->mase);
    hs_jsonx_set_real(object, "nmae_1_6", figures->block_nmae[0]);
    hs_jsonx_set_real(object, "nmae_7_24", figures->block_nmae[1]);
    hs_jsonx_set_real(object, "nmae_25_48", figures->block_nmae[2]);
    hs_jsonx_set_real(object, "coverage_80_ratio", figures->coverage_80_ratio);
}

static json_t *format_model(const char *name, const struct hs_backtest_result *result)
{
    json_t *object = hs_jsonx_object();
    json_t *halves = hs_jsonx_array();

    hs_jsonx_set_text(object, "name", name);
    set_figures(object, &result->all);
    hs_jsonx_set_real(object, "us_per_forecast", result->us_per_forecast);
    hs_jsonx_set_int(object, "origins", (int64_t)result->all.n_origins);
    for (size_t i = 0; i < 2; i++) {
        json_t *half = hs_jsonx_object();

        set_figures(half, &result->halves[i]);
        hs_jsonx_set_int(half, "origins", (int64_t)result->halves[i].n_origins);
        hs_jsonx_add(halves, half);
    }
    hs_jsonx_set(object, "halves", halves);
    return object;
}

/** What the daemon would use of these; NULL if it is not among them. */
static const char *find_chosen(const struct forecast_job *job)
{
    const char *chosen = hs_forecast_find_model(CHOSEN) != NULL ? CHOSEN : "yesterday";

    for (size_t i = 0; i < job->n; i++) {
        if (strcmp(job->names[i], chosen) == 0) {
            return chosen;
        }
    }
    return NULL;
}

/** Owned by the caller. */
static json_t *format_report(const struct forecast_args *args, const struct forecast_job *job)
{
    json_t *report = hs_jsonx_object();
    json_t *models = hs_jsonx_array();

    hs_jsonx_set_text(report, "api", FORECAST_API);
    hs_jsonx_set_text(report, "heat", args->heat);
    hs_jsonx_set_text(report, "weather", args->weather != NULL ? args->weather : "persisted");
    hs_jsonx_set_text(report, "timezone", hs_timezone_get_name(job->timezone));
    hs_jsonx_set_text(report, "holidays",
                      hs_holidays_resolve(args->holidays != NULL ? args->holidays : "auto",
                                          hs_timezone_get_name(job->timezone)));
    hs_jsonx_set_int(report, "step_s", job->data->step_s);
    hs_jsonx_set_int(report, "horizon_s", job->setup.horizon_s);
    for (size_t i = 0; i < job->n; i++) {
        hs_jsonx_add(models, format_model(job->names[i], &job->results[i]));
    }
    hs_jsonx_set(report, "models", models);
    hs_jsonx_set_text(report, "chosen", find_chosen(job));
    return report;
}

static void print_number(double value, int width, int decimals, FILE *out)
{
    if (isnan(value)) {
        fprintf(out, "%*s", width, "-");
    } else {
        fprintf(out, "%*.*f", width, decimals, value);
    }
}

static void print_table(const struct forecast_args *args, const struct forecast_job *job, FILE *out)
{
    const struct hs_backtest_data *data = job->data;
    const char *chosen = find_chosen(job);
    char from[HS_TIMETEXT_MAX];

    hs_timetext_format(data->from_at_s, from);
    fprintf(out, "%s: %.1f days from %.10s, %zu origins, weather %s\n\n",
            strrchr(args->heat, '/') != NULL ? strrchr(args->heat, '/') + 1 : args->heat,
            (double)data->n * (double)data->step_s / 86400.0, from, data->n_origins,
            args->weather != NULL ? args->weather : "persisted");
    fprintf(out, "%-*s%8s%8s%8s%9s%9s%9s%9s%10s\n", NAME_W, "model", "nmae", "nrmse", "mase",
            "1-6 h", "7-24 h", "25-48 h", "in 80 %", "forecast");
    fprintf(out, "%-*s%8s%8s%8s%9s%9s%9s%9s%10s\n", NAME_W, "", "", "", "", "nmae", "nmae", "nmae",
            "ratio", "us");
    for (size_t i = 0; i < job->n; i++) {
        const struct hs_backtest_figures *figures = &job->results[i].all;
        char name[64];

        snprintf(name, sizeof(name), "%s%s", job->names[i], job->names[i] == chosen ? "*" : "");
        fprintf(out, "%-*s", NAME_W, name);
        print_number(figures->nmae, 8, 4, out);
        print_number(figures->nrmse, 8, 4, out);
        print_number(figures->mase, 8, 3, out);
        print_number(figures->block_nmae[0], 9, 4, out);
        print_number(figures->block_nmae[1], 9, 4, out);
        print_number(figures->block_nmae[2], 9, 4, out);
        print_number(figures->coverage_80_ratio, 9, 3, out);
        print_number(job->results[i].us_per_forecast, 10, 1, out);
        fputc('\n', out);
    }
    if (chosen != NULL) {
        fputs("* what hschedd uses\n", out);
    }
}

static int run_models(struct forecast_job *job, struct hs_simoutput *dump, struct hs_err *err)
{
    HS_AUTO(hs_simprogress) progress = hs_simprogress_new();
    FILE *stream = NULL;
    int rc = dump != NULL ? hs_simoutput_open_stream(dump, &stream, err) : 0;

    if (rc != 0) {
        return rc;
    }
    job->setup.progress = progress;
    job->setup.dump = stream;
    if (stream != NULL) {
        fputs("origin_h,model,lead_h,p10,p50,p90\n", stream);
    }
    for (size_t i = 0; i < job->n; i++) {
        hs_backtest_run(&job->setup, job->names[i], &job->results[i]);
    }
    return stream != NULL ? hs_simoutput_close_stream(dump, stream, err) : 0;
}

static int write_report(const json_t *report, struct hs_simoutput *file, struct hs_err *err)
{
    HS_AUTO_MEM char *text = hs_jsonx_format(report);
    FILE *stream = NULL;
    int rc = hs_simoutput_open_stream(file, &stream, err);

    if (rc == 0) {
        fprintf(stream, "%s\n", text);
        rc = hs_simoutput_close_stream(file, stream, err);
    }
    return rc;
}

static int back_test(const struct forecast_args *args, struct forecast_job *job, struct hs_err *err)
{
    HS_AUTO(hs_simoutput) report_file = NULL;
    HS_AUTO(hs_simoutput) dump_file = NULL;
    json_auto_t *report = NULL;
    bool is_plain = args->out != NULL && strcmp(args->out, "-") == 0;
    int rc = read_files(args, job, err);

    if (rc == 0 && args->out != NULL) {
        rc = hs_simoutput_new(is_plain ? NULL : args->out, &report_file, err);
    }
    if (rc == 0 && args->dump != NULL) {
        rc = hs_simoutput_new(args->dump, &dump_file, err);
    }
    if (rc == 0 && report_file != NULL && dump_file != NULL
        && hs_simoutput_is_same(report_file, dump_file)) {
        rc = hs_err_set(err, HS_E_INVALID, "--dump", "is the file of -o; give it one of its own");
    }
    if (rc == 0) {
        rc = run_models(job, dump_file, err);
    }
    if (rc != 0) {
        return rc;
    }
    print_table(args, job, is_plain ? stderr : stdout);
    if (report_file != NULL) {
        report = format_report(args, job);
        rc = write_report(report, report_file, err);
    }
    return rc;
}

int hs_sim_cmd_forecast(int argc, char **argv)
{
    struct forecast_args args = {0};
    struct forecast_job job = {0};
    struct hs_err err = {0};
    int status;

    if (!parse_args(argc, argv, &args)) {
        return HS_SIM_CMD_USAGE;
    }
    status = choose_models(args.models, &job);
    if (status == HS_SIM_CMD_OK && back_test(&args, &job, &err) != 0) {
        status = hs_sim_cmd_print_err(&err);
    }
    hs_calendar_free(job.calendar);
    hs_timezone_free(job.timezone);
    hs_backtest_data_free(job.data);
    return status;
}
