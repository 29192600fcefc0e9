/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_run - each controller over the same world; report, table, trace of decisions. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/decisionlog.h"
#include "scheduler/sim/sim_cmd.h"
#include "scheduler/sim/simoutput.h"
#include "scheduler/sim/simplot.h"
#include "scheduler/sim/simprogress.h"
#include "scheduler/sim/simrecord.h"
#include "scheduler/sim/simreport.h"
#include "scheduler/sim/simtable.h"

struct run_args {
    const char *scenario_path;
    char *policies;
    const char *report_path;
    const char *trace_path;
    const char *plot_folder;
    bool has_timings;
};

/** What is asked of all runs, and where it goes. */
struct session {
    const struct run_args *args;
    const struct hs_scenario *scenario;
    const struct hs_simjobs *jobs;
    struct hs_trace *world;
    struct hs_simprogress *progress;
    struct hs_simoutput *report;
    struct hs_simoutput *decisions; /* NULL: decisions are not written */
    FILE *log;                      /* into it */
    struct hs_decisionlog_head head;
    uint64_t next_seq;
    /* the run at hand */
    const char *controller;
    struct hs_simrun *run;
    struct hs_simrecord *record; /* NULL: no plots */
};

static void on_slot_closed(void *arg)
{
    struct session *session = arg;
    const struct hs_simrun *run = session->run;

    if (session->record != NULL) {
        hs_simrecord_add(session->record, run);
    }
    hs_simprogress_set(session->progress, (double)(run->slot + 1) / (double)run->scenario->n_slots);
}

static void on_progress(double done_ratio, void *arg)
{
    hs_simprogress_set(((struct session *)arg)->progress, done_ratio);
}

static void on_job_changed(void *arg, size_t job_idx, enum hs_simrun_change change)
{
    struct session *session = arg;
    HS_AUTO_MEM char *line = hs_decisionlog_format(session->run, session->controller,
                                                   session->next_seq++, job_idx, change);

    fprintf(session->log, "%s\n", line);
}

static void log_head(struct session *session)
{
    HS_AUTO_MEM char *line =
        hs_decisionlog_format_head(&session->head, session->controller, session->next_seq);

    fprintf(session->log, "%s\n", line);
}

static void say(const char *text, void *arg)
{
    fprintf(stderr, "note: %s: %s\n", ((const struct session *)arg)->controller, text);
}

/** A bound is no run: no decisions, no slots, an answer at the end. */
static int bound_one(struct session *session, const struct hs_controller_ops *ops,
                     struct hs_simreport_entry *ret_entry)
{
    struct hs_controller_options options = {.say = say, .say_arg = session};
    struct hs_controller_input input = {
        .scenario = session->scenario, .trace = session->world, .jobs = session->jobs};
    struct hs_err err = {0};

    session->controller = ops->name;
    ret_entry->stats.plan_ms_p50 = ret_entry->stats.plan_ms_p99 = (double)NAN;
    ret_entry->stats.plan_gap_ratio_p50 = (double)NAN;
    if (ops->bound(&input, &options, &ret_entry->result, &err) != 0) {
        return hs_sim_cmd_print_err(&err);
    }
    ret_entry->name = ops->name;
    if (ret_entry->result.note != NULL) {
        say(ret_entry->result.note, session);
    }
    return HS_SIM_CMD_OK;
}

static int run_one(struct session *session, const struct hs_controller_ops *ops,
                   struct hs_simreport_entry *ret_entry)
{
    HS_AUTO(hs_simrun) run = hs_simrun_new(session->scenario, session->world, session->jobs);
    HS_AUTO(hs_simrecord) record = NULL;
    struct hs_controller_options options = {.progress = on_progress, .progress_arg = session};
    struct hs_err err = {0};
    int rc;

    session->controller = ops->name;
    session->run = run;
    record = session->args->plot_folder != NULL ? hs_simrecord_new(session->scenario) : NULL;
    session->record = record;
    run->watcher = (struct hs_simrun_watcher){
        .job_changed = session->log != NULL ? on_job_changed : NULL,
        .slot_closed = on_slot_closed,
        .arg = session,
    };
    if (session->log != NULL) {
        log_head(session);
    }
    hs_simprogress_start(session->progress, ops->name, (double)session->scenario->start_at_s,
                         (double)hs_scenario_end_at_s(session->scenario));
    rc = ops->drive(run, &options, &ret_entry->stats, &err);
    hs_simprogress_stop(session->progress);
    if (rc != 0) {
        return hs_sim_cmd_print_err(&err);
    }
    ret_entry->name = ops->name;
    hs_simrun_finish(run, &ret_entry->result);
    rc = hs_simrun_check(run, &err);
    if (rc == 0 && record != NULL) {
        rc = hs_simplot_write_loops(session->args->plot_folder, ops->name, run, record, &err);
    }
    return rc == 0 ? HS_SIM_CMD_OK : hs_sim_cmd_print_err(&err);
}

/** File name without folder and ".json". Owned by the caller. */
static char *format_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = hs_xstrdup(slash != NULL ? slash + 1 : path);
    size_t n = strlen(name);

    if (n > 5 && strcmp(name + n - 5, ".json") == 0) {
        name[n - 5] = '\0';
    }
    return name;
}

/** The trace of decisions: where it goes, and what its heads say. Nothing is emptied yet. */
static int prepare_log(struct session *session, struct hs_err *err)
{
    const struct run_args *args = session->args;
    int rc = hs_simoutput_new(args->trace_path, &session->decisions, err);

    if (rc != 0) {
        return rc;
    }
    if (hs_simoutput_is_same(session->report, session->decisions)) {
        return hs_err_set(err, HS_E_SYSTEM, NULL,
                          "cannot write report and decisions into one file, '%s'; name two",
                          args->trace_path);
    }
    session->head = (struct hs_decisionlog_head){.scenario_path = args->scenario_path,
                                                 .seed = session->scenario->seed,
                                                 .version = HSCHED_VERSION};
    return hs_fingerprint_read(args->scenario_path, &session->head.print, err);
}

/** What is written at the end or on the way must be writable before hours are spent, and what was
 *  there stays until all of it is. */
static int open_outputs(struct session *session)
{
    const struct run_args *args = session->args;
    struct hs_err err = {0};
    int rc = hs_simoutput_new(args->report_path, &session->report, &err);

    if (rc == 0 && args->trace_path != NULL) {
        rc = prepare_log(session, &err);
    }
    if (rc == 0 && args->plot_folder != NULL) {
        rc = hs_simoutput_check_folder(args->plot_folder, &err);
    }
    if (rc == 0 && session->decisions != NULL) {
        rc = hs_simoutput_open_stream(session->decisions, &session->log, &err);
    }
    return rc == 0 ? HS_SIM_CMD_OK : hs_sim_cmd_print_err(&err);
}

/** A trace of a run that failed is dropped: what was there stays. */
static int close_log(struct session *session, int status)
{
    struct hs_err err;

    if (session->log == NULL) {
        return HS_SIM_CMD_OK;
    }
    if (status != HS_SIM_CMD_OK) {
        (void)fclose(HS_STEAL(session->log));
        return status;
    }
    if (hs_simoutput_close_stream(session->decisions, HS_STEAL(session->log), &err) != 0) {
        return hs_sim_cmd_print_err(&err);
    }
    return HS_SIM_CMD_OK;
}

static int write_results(struct session *session, const struct hs_simreport_entry *entries,
                         size_t n)
{
    HS_AUTO_MEM char *name = format_name(session->args->scenario_path);
    json_auto_t *report =
        hs_simreport_format(name, session->scenario, entries, n, session->args->has_timings);
    HS_AUTO_MEM char *line = hs_jsonx_format(report);
    HS_AUTO_MEM char *text = NULL;
    struct hs_err err = {0};
    size_t n_bytes = strlen(line);

    text = hs_xrealloc(NULL, n_bytes + 2, 1);
    memcpy(text, line, n_bytes);
    memcpy(text + n_bytes, "\n", 2);
    hs_simtable_print(report, stderr);
    if (hs_simoutput_write(session->report, text, &err) != 0
        || (session->args->plot_folder != NULL
            && hs_simplot_write_compare(session->args->plot_folder, report, &err) != 0)) {
        return hs_sim_cmd_print_err(&err);
    }
    return HS_SIM_CMD_OK;
}

static int run_all(struct session *session)
{
    const struct hs_controller_ops *ops[HS_SIM_CMD_CONTROLLERS_MAX] = {NULL};
    struct hs_simreport_entry entries[HS_SIM_CMD_CONTROLLERS_MAX] = {0};
    size_t n = 0, n_run = 0;
    int status = hs_sim_cmd_choose(session->scenario, session->args->policies, ops, &n);
    int log_status;

    if (status == HS_SIM_CMD_OK) {
        status = open_outputs(session);
    }
    if (status == HS_SIM_CMD_OK) {
        session->world = hs_trace_new(session->scenario);
    }
    while (n_run < n && status == HS_SIM_CMD_OK) {
        status = ops[n_run]->bound != NULL ? bound_one(session, ops[n_run], &entries[n_run])
                                           : run_one(session, ops[n_run], &entries[n_run]);
        n_run++;
    }
    log_status = close_log(session, status);
    if (status == HS_SIM_CMD_OK) {
        status = write_results(session, entries, n);
    }
    for (size_t i = 0; i < n_run; i++) {
        free(entries[i].result.sites);
    }
    hs_trace_free(session->world);
    hs_simoutput_free(session->decisions);
    hs_simoutput_free(session->report);
    return status != HS_SIM_CMD_OK ? status : log_status;
}

static int parse_args(int argc, char **argv, struct run_args *ret_args)
{
    static const struct option long_options[] = {
        {"policies", required_argument, NULL, 'p'}, {"output", required_argument, NULL, 'o'},
        {"trace", required_argument, NULL, 'd'},    {"plot", required_argument, NULL, 'g'},
        {"timings", no_argument, NULL, 't'},        {NULL, 0, NULL, 0},
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
        case 'd':
            ret_args->trace_path = optarg;
            break;
        case 'g':
            ret_args->plot_folder = optarg;
            break;
        case 't':
            ret_args->has_timings = true;
            break;
        default:
            fputs(hs_sim_cmd_usage, stderr);
            return HS_SIM_CMD_USAGE;
        }
    }
    if (optind != argc - 1) {
        return hs_sim_cmd_fail_usage("name one scenario");
    }
    ret_args->scenario_path = argv[optind];
    return HS_SIM_CMD_OK;
}

int hs_sim_cmd_run(int argc, char **argv)
{
    struct run_args args = {0};
    HS_AUTO(hs_scenario) scenario = NULL;
    HS_AUTO(hs_simprogress) progress = hs_simprogress_new();
    struct hs_simjobs jobs = {0};
    int status = parse_args(argc, argv, &args);

    if (status == HS_SIM_CMD_OK) {
        status = hs_sim_cmd_load(args.scenario_path, &scenario, &jobs);
    }
    if (status == HS_SIM_CMD_OK) {
        struct session session = {.args = &args,
                                  .scenario = scenario,
                                  .jobs = &jobs,
                                  .progress = progress,
                                  .next_seq = 1};

        hs_sim_cmd_say_estate(scenario->estate);
        status = run_all(&session);
    }
    hs_jobtrace_fini(&jobs);
    return status;
}
