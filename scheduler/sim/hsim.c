/* SPDX-License-Identifier: Apache-2.0 */
/* hsim - the simulator's command line: the same decisions on a virtual clock. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/model/advice.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/scenario.h"
#include "scheduler/sim/simreport.h"
#include "scheduler/sim/simrun.h"

#define ASSUMED_MAX          12 /* values named in one note; the rest are counted */
#define HSIM_CONTROLLERS_MAX 16

enum hsim_exit { HSIM_OK = 0, HSIM_FAILED = 1, HSIM_USAGE = 2, HSIM_INVALID = 6 };

static const char usage_text[] =
    "usage: hsim run SCENARIO.json [--policies a,b] [-o report.json] [--timings]\n"
    "       hsim jobs SCENARIO.json\n"
    "       hsim --help | --version\n"
    "\n"
    "run   simulate each policy over the same traces; the report goes to -o FILE or to\n"
    "      standard output, a table to standard error\n"
    "jobs  print the scenario's jobs as requests, one JSON object a line, with `submit`\n"
    "\n"
    "  --policies a,b  controllers to run instead of the scenario's list: heat, asap\n"
    "  -o FILE         write the report there\n"
    "  --timings       report planning times too (no two runs share them)\n";

static int fail_usage(const char *what)
{
    fprintf(stderr, "hsim: %s\n%s", what, usage_text);
    return HSIM_USAGE;
}

static int print_err(const struct hs_err *err)
{
    if (err->where[0] != '\0') {
        fprintf(stderr, "hsim: %s: %s\n", err->where, err->text);
    } else {
        fprintf(stderr, "hsim: %s\n", err->text);
    }
    return err->kind == HS_E_SYSTEM ? HSIM_FAILED : HSIM_INVALID;
}

/** What of the traces is not simulated: nothing is dropped without a word. */
static void say_left_out(const struct hs_simjobs *jobs)
{
    if (jobs->n_bad + jobs->n_long + jobs->n_after_end > 0) {
        fprintf(stderr,
                "note: records left out: %zu without a run time or processors, %zu over "
                "max_run_s, %zu due after the end\n",
                jobs->n_bad, jobs->n_long, jobs->n_after_end);
    }
}

/** What the owner of the estate should know before believing a figure. */
static void say_about_estate(const struct hs_estate *estate)
{
    HS_AUTO_MEM char *advice = hs_advice_format(estate, "note: ");
    HS_AUTO_MEM char *assumed = hs_assumed_format_text(&estate->assumed, ASSUMED_MAX);

    fputs(advice, stderr);
    if (estate->assumed.n > 0) {
        fprintf(stderr, "note: %s. Sources: docs/catalogue.md\n", assumed);
    }
}

/** Read the scenario and its jobs, printing what is wrong. @return an exit status */
static int load(const char *path, struct hs_scenario **ret_scenario, struct hs_simjobs *ret_jobs)
{
    struct hs_conf_report report = {0};
    struct hs_err err = {0};
    int rc = hs_scenario_read(path, &report, ret_scenario, &err);
    int status = HSIM_OK;

    for (size_t i = 0; i < report.n_errors && i < HS_CONF_ERRORS_MAX; i++) {
        fprintf(stderr, "%s\n", report.errors[i]);
    }
    hs_conf_report_fini(&report);
    if (rc == 0) {
        rc = hs_jobtrace_make(*ret_scenario, ret_jobs, &err);
    }
    if (rc != 0) {
        status = print_err(&err);
    } else {
        for (size_t i = 0; i < (*ret_scenario)->n_notes; i++) {
            fprintf(stderr, "note: %s\n", (*ret_scenario)->notes[i]);
        }
        say_left_out(ret_jobs);
    }
    return status;
}

static void show_progress(double done_ratio, void *arg)
{
    fprintf(stderr, "\r%-10s %3.0f %%", (const char *)arg, done_ratio * 100);
    fflush(stderr);
}

/** The controllers to run: @list (comma-separated), else the scenario's. Prints what is wrong. */
static int choose(const struct hs_scenario *scenario, char *list,
                  const struct hs_controller_ops **ret_ops, size_t *ret_n)
{
    size_t n_names = 0, n = 0;
    const char *names[HSIM_CONTROLLERS_MAX] = {NULL};
    char *name;

    if (list == NULL) {
        for (; n_names < scenario->n_controllers && n_names < HSIM_CONTROLLERS_MAX; n_names++) {
            names[n_names] = scenario->controllers[n_names];
        }
    }
    while (list != NULL && n_names < HSIM_CONTROLLERS_MAX && (name = strsep(&list, ",")) != NULL) {
        names[n_names++] = name;
    }
    for (size_t i = 0; i < n_names; i++) {
        struct hs_err err = {0};

        if (hs_controller_find(names[i], &ret_ops[n], &err) != 0) {
            print_err(&err);
            return HSIM_USAGE;
        }
        n++;
    }
    *ret_n = n;
    return n > 0 ? HSIM_OK
                 : fail_usage("no policies to run; name them in the scenario or with --policies");
}

static int run_one(const struct hs_scenario *scenario, const struct hs_trace *trace,
                   const struct hs_simjobs *jobs, const struct hs_controller_ops *ops,
                   struct hs_simreport_entry *ret_entry)
{
    HS_AUTO(hs_simrun) run = hs_simrun_new(scenario, trace, jobs);
    char name[32];
    struct hs_controller_options options = {.progress_arg = name};
    bool is_shown = isatty(STDERR_FILENO);
    struct hs_err err = {0};
    int rc;

    snprintf(name, sizeof(name), "%s", ops->name);
    options.progress = is_shown ? show_progress : NULL;
    rc = ops->drive(run, &options, &ret_entry->stats, &err);
    if (is_shown) {
        fprintf(stderr, "\r%-40s\r", "");
    }
    if (rc != 0) {
        return print_err(&err);
    }
    ret_entry->name = ops->name;
    hs_simrun_finish(run, &ret_entry->result);
    return HSIM_OK;
}

static int write_report(const json_t *report, const char *path)
{
    HS_AUTO_MEM char *text = hs_jsonx_format(report);
    FILE *out = path != NULL ? fopen(path, "w") : stdout;
    bool is_bad;

    if (out == NULL) {
        fprintf(stderr, "hsim: cannot write '%s': %m\n", path);
        return HSIM_FAILED;
    }
    is_bad = fprintf(out, "%s\n", text) < 0;
    is_bad |= path != NULL ? fclose(out) != 0 : fflush(out) != 0;
    if (is_bad) {
        fprintf(stderr, "hsim: cannot write '%s': %m\n", path != NULL ? path : "standard output");
        return HSIM_FAILED;
    }
    return HSIM_OK;
}

struct run_args {
    const char *scenario_path;
    char *policies;
    const char *report_path;
    bool has_timings;
};

static int run_all(const struct hs_scenario *scenario, const struct hs_simjobs *jobs,
                   const struct run_args *args)
{
    const struct hs_controller_ops *ops[HSIM_CONTROLLERS_MAX] = {NULL};
    struct hs_simreport_entry entries[HSIM_CONTROLLERS_MAX] = {0};
    HS_AUTO(hs_trace) trace = NULL;
    size_t n = 0, n_run = 0;
    int status = choose(scenario, args->policies, ops, &n);

    if (status != HSIM_OK) {
        return status;
    }
    trace = hs_trace_new(scenario);
    for (; n_run < n && status == HSIM_OK; n_run++) {
        status = run_one(scenario, trace, jobs, ops[n_run], &entries[n_run]);
    }
    if (status == HSIM_OK) {
        json_auto_t *report = hs_simreport_format(scenario, entries, n, args->has_timings);

        hs_simreport_print(scenario, entries, n, stderr);
        status = write_report(report, args->report_path);
    }
    for (size_t i = 0; i < n_run; i++) {
        free(entries[i].result.sites);
    }
    return status;
}

static int parse_run(int argc, char **argv, struct run_args *ret_args)
{
    static const struct option long_options[] = {
        {"policies", required_argument, NULL, 'p'},
        {"output", required_argument, NULL, 'o'},
        {"timings", no_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
        switch (letter) {
        case 'p':
            ret_args->policies = optarg;
            break;
        case 'o':
            ret_args->report_path = optarg;
            break;
        case 't':
            ret_args->has_timings = true;
            break;
        default:
            fputs(usage_text, stderr);
            return HSIM_USAGE;
        }
    }
    if (optind != argc - 1) {
        return fail_usage("name one scenario");
    }
    ret_args->scenario_path = argv[optind];
    return HSIM_OK;
}

static int cmd_run(int argc, char **argv)
{
    struct run_args args = {0};
    HS_AUTO(hs_scenario) scenario = NULL;
    struct hs_simjobs jobs = {0};
    int status = parse_run(argc, argv, &args);

    if (status == HSIM_OK) {
        status = load(args.scenario_path, &scenario, &jobs);
    }
    if (status == HSIM_OK) {
        say_about_estate(scenario->estate);
        status = run_all(scenario, &jobs, &args);
    }
    hs_jobtrace_fini(&jobs);
    return status;
}

/** A job as its owner would have asked for it (interfaces.md, job). Owned by the caller. */
static json_t *format_request(const struct hs_simjob *job)
{
    json_t *request = hs_jsonx_object();
    json_t *env = hs_jsonx_object();
    char text[64];

    snprintf(text, sizeof(text), "trace-%" PRIu64 "-%" PRIu32, job->record_idx, job->piece);
    hs_jsonx_set_text(request, "name", text);
    hs_jsonx_set_int(request, "vcpus", job->vcpus);
    hs_jsonx_set_int(request, "memory_mib", (int64_t)job->memory_mib);
    hs_timetext_format_duration((int64_t)ceil(job->estimate_s), text);
    hs_jsonx_set_text(request, "duration", text);
    hs_jsonx_set_at(request, "due", (int64_t)floor(job->due_at_s));
    hs_jsonx_set_bool(request, "interruptible", job->interruptible);
    snprintf(text, sizeof(text), "%.0f", ceil(job->run_s));
    hs_jsonx_set_text(env, "HSCHED_SIM_RUN_S", text);
    hs_jsonx_set(request, "env", env);
    hs_jsonx_set_at(request, "submit", (int64_t)floor(job->submit_at_s));
    return request;
}

static int cmd_jobs(int argc, char **argv)
{
    HS_AUTO(hs_scenario) scenario = NULL;
    struct hs_simjobs jobs = {0};
    int status;

    if (argc != 2 || argv[1][0] == '-') {
        return fail_usage("name one scenario");
    }
    status = load(argv[1], &scenario, &jobs);
    for (size_t i = 0; status == HSIM_OK && i < jobs.n; i++) {
        json_auto_t *request = format_request(&jobs.items[i]);
        HS_AUTO_MEM char *text = hs_jsonx_format(request);

        if (puts(text) < 0) {
            fprintf(stderr, "hsim: cannot write: %m\n");
            status = HSIM_FAILED;
        }
    }
    hs_jobtrace_fini(&jobs);
    return status;
}

int main(int argc, char **argv)
{
    static char own_name[] = "hsim";
    const char *verb = argc > 1 ? argv[1] : "";

    if (argc > 1) {
        argv[1] = own_name; /* getopt's messages begin with it, not with the verb */
    }

    if (strcmp(verb, "run") == 0) {
        return cmd_run(argc - 1, argv + 1);
    }
    if (strcmp(verb, "jobs") == 0) {
        return cmd_jobs(argc - 1, argv + 1);
    }
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        fputs(usage_text, stdout);
        return HSIM_OK;
    }
    if (strcmp(verb, "--version") == 0) {
        puts("hsim " HSCHED_VERSION);
        return HSIM_OK;
    }
    if (verb[0] == '\0') {
        return fail_usage("name a verb");
    }
    fprintf(stderr, "hsim: no verb '%s'\n%s", verb, usage_text);
    return HSIM_USAGE;
}
