/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_replay - the decisions of a trace once more, compared line by line. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/decisionlog.h"
#include "scheduler/sim/sim_cmd.h"
#include "scheduler/sim/simprogress.h"
#include "scheduler/sim/simscene.h"

struct replay_args {
    const char *trace_path;
    const char *scenario_path; /* NULL: the trace's own */
    const char *policy;        /* NULL: all */
    uint64_t seq;              /* 0: none asked for */
    int64_t at_s;              /* 0: none asked for */
    bool is_json;
};

/** One controller's part of the trace. */
struct part {
    json_t *head; /* owned */
    const char *controller;
    uint64_t first_seq;
    uint64_t n;  /* decisions */
    long offset; /* of its first decision */
};

struct parts {
    HS_VEC(struct part) list;
};

enum outcome { GOING, FOUND, DIFFERS };

struct replay {
    const struct replay_args *args;
    FILE *file;
    char *line; /* the last recorded one */
    size_t line_max;
    const struct part *part;
    struct hs_simrun *run;
    struct hs_simprogress *progress;
    uint64_t next_seq;
    enum outcome outcome;
};

/** Next line of the trace without its newline, NULL at the end. */
static char *read_line(struct replay *replay)
{
    ssize_t n = getline(&replay->line, &replay->line_max, replay->file);

    if (n > 0 && replay->line[n - 1] == '\n') {
        replay->line[n - 1] = '\0';
    }
    return n > 0 ? replay->line : NULL;
}

static bool is_head(const char *line)
{
    return strncmp(line, "{\"api\"", strlen("{\"api\"")) == 0;
}

static int add_part(struct replay *replay, size_t line_no, struct parts *parts, struct hs_err *err)
{
    struct part part = {.offset = ftell(replay->file)};
    char where[64];
    const char *api;
    int rc;

    snprintf(where, sizeof(where), "%.40s:%zu", replay->args->trace_path, line_no);
    rc = hs_jsonx_parse(where, replay->line, strlen(replay->line), &part.head, err);
    if (rc != 0) {
        return rc;
    }
    (void)HS_VEC_PUSH(&parts->list, part);
    api = json_string_value(json_object_get(part.head, "api"));
    part.controller = json_string_value(json_object_get(part.head, "controller"));
    part.first_seq = (uint64_t)json_integer_value(json_object_get(part.head, "first_seq"));
    if (api == NULL || strcmp(api, HS_DECISIONLOG_API) != 0 || part.controller == NULL
        || json_string_value(json_object_get(part.head, "scenario")) == NULL) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "a controller's part begins with a line of "
                          "\"api\": \"" HS_DECISIONLOG_API "\", its controller and scenario");
    }
    parts->list.items[parts->list.n - 1] = part;
    return 0;
}

static int read_parts(struct replay *replay, struct parts *parts, struct hs_err *err)
{
    size_t line_no = 0;
    int rc = 0;

    while (rc == 0 && read_line(replay) != NULL) {
        line_no++;
        if (is_head(replay->line)) {
            rc = add_part(replay, line_no, parts, err);
        } else if (parts->list.n > 0) {
            parts->list.items[parts->list.n - 1].n++;
        } else {
            return hs_err_set(
                err, HS_E_INVALID, replay->args->trace_path,
                "is no trace of hsim: line 1 is no head with \"api\": \"" HS_DECISIONLOG_API "\"");
        }
    }
    if (rc == 0 && parts->list.n == 0) {
        rc = hs_err_set(err, HS_E_INVALID, replay->args->trace_path, "is empty");
    }
    return rc;
}

static bool is_wanted(const struct replay_args *args, const struct part *part)
{
    return (args->policy == NULL || strcmp(args->policy, part->controller) == 0)
           && (args->seq == 0
               || (args->seq >= part->first_seq && args->seq < part->first_seq + part->n));
}

/** @return an exit status: whether what is asked for is there, and of one part if it must be */
static int check_wanted(const struct replay_args *args, const struct parts *parts)
{
    size_t n = 0;

    for (size_t i = 0; i < parts->list.n; i++) {
        n += is_wanted(args, &parts->list.items[i]);
    }
    if (n == 0 && args->seq != 0) {
        fprintf(stderr, "hsim: the trace has no decision %" PRIu64 "%s%s\n", args->seq,
                args->policy != NULL ? " of " : "", args->policy != NULL ? args->policy : "");
        return HS_SIM_CMD_NOT_FOUND;
    }
    if (n == 0) {
        fprintf(stderr, "hsim: the trace has no controller '%s'\n", args->policy);
        return HS_SIM_CMD_NOT_FOUND;
    }
    if (n > 1 && args->at_s != 0) {
        return hs_sim_cmd_fail_usage(
            "the trace has several controllers; choose one with --policies");
    }
    return HS_SIM_CMD_OK;
}

static void print_difference(struct replay *replay, const char *recorded, const char *replayed)
{
    printf("decision %" PRIu64 " of %s differs\nrecorded: %s\nreplayed: %s\n", replay->next_seq,
           replay->part->controller, recorded != NULL ? recorded : "(none)",
           replayed != NULL ? replayed : "(none)");
    replay->outcome = DIFFERS;
}

static void print_scene(const struct replay *replay, size_t job_idx, const char *line)
{
    json_auto_t *scene = hs_simscene_format(replay->run, job_idx, line);

    if (replay->args->is_json) {
        HS_AUTO_MEM char *text = hs_jsonx_format(scene);

        puts(text);
    } else {
        hs_simscene_print(scene, stdout);
    }
}

static void on_job_changed(void *arg, size_t job_idx, enum hs_simrun_change change)
{
    struct replay *replay = arg;
    HS_AUTO_MEM char *line = NULL;
    const char *recorded;

    if (replay->outcome != GOING) {
        return; /* the rest of the instant */
    }
    line = hs_decisionlog_format(replay->run, replay->part->controller, replay->next_seq, job_idx,
                                 change);
    recorded = read_line(replay);
    if (recorded == NULL || is_head(recorded) || strcmp(recorded, line) != 0) {
        print_difference(replay, recorded != NULL && !is_head(recorded) ? recorded : NULL, line);
    } else if (replay->next_seq == replay->args->seq
               || (replay->args->at_s != 0 && replay->run->at_s >= (double)replay->args->at_s)) {
        replay->outcome = FOUND;
        hs_simprogress_stop(replay->progress);
        print_scene(replay, job_idx, line);
    }
    replay->run->is_stopped = replay->outcome != GOING;
    replay->next_seq++;
}

static void on_slot_closed(void *arg)
{
    struct replay *replay = arg;

    hs_simprogress_set(replay->progress,
                       (double)(replay->run->slot + 1) / (double)replay->run->scenario->n_slots);
}

/** What is left to say when a controller has come to its end or was stopped. */
static int conclude(struct replay *replay)
{
    const struct part *part = replay->part;
    const char *recorded = replay->outcome == GOING ? read_line(replay) : NULL;

    if (recorded != NULL && !is_head(recorded)) {
        print_difference(replay, recorded, NULL);
    }
    if (replay->outcome == GOING && replay->args->at_s != 0) {
        fprintf(stderr, "hsim: %s decides nothing more at that time\n", part->controller);
        return HS_SIM_CMD_NOT_FOUND;
    }
    if (replay->outcome == GOING) {
        printf("%s: all %" PRIu64 " decisions are the same\n", part->controller, part->n);
    }
    return replay->outcome == DIFFERS ? HS_SIM_CMD_FAILED : HS_SIM_CMD_OK;
}

static int replay_part(struct replay *replay, const struct part *part,
                       const struct hs_scenario *scenario, const struct hs_trace *world,
                       const struct hs_simjobs *jobs)
{
    HS_AUTO(hs_simrun) run = hs_simrun_new(scenario, world, jobs);
    const struct hs_controller_ops *ops = NULL;
    struct hs_controller_options options = {0};
    struct hs_controller_stats stats;
    struct hs_err err = {0};
    int rc = hs_controller_find(part->controller, &ops, &err);

    if (rc == 0 && ops->drive == NULL) {
        rc = hs_err_set(&err, HS_E_INVALID, replay->args->trace_path, "'%s' decides nothing",
                        part->controller);
    }
    if (rc == 0 && fseek(replay->file, part->offset, SEEK_SET) != 0) {
        rc = hs_err_set(&err, HS_E_SYSTEM, replay->args->trace_path, "cannot go back in it: %m");
    }
    if (rc != 0) {
        return hs_sim_cmd_print_err(&err);
    }
    replay->part = part;
    replay->run = run;
    replay->next_seq = part->first_seq;
    replay->outcome = GOING;
    run->watcher = (struct hs_simrun_watcher){on_job_changed, on_slot_closed, replay};
    hs_simprogress_start(replay->progress, part->controller, (double)scenario->start_at_s,
                         (double)hs_scenario_end_at_s(scenario));
    rc = ops->drive(run, &options, &stats, &err);
    hs_simprogress_stop(replay->progress);
    return rc != 0 ? hs_sim_cmd_print_err(&err) : conclude(replay);
}

/** The scenario's path: as given, else as the trace says, from here or from the trace's folder. */
static char *find_scenario(const struct replay_args *args, const json_t *head)
{
    const char *path = json_string_value(json_object_get(head, "scenario"));
    const char *slash = strrchr(args->trace_path, '/');
    char *joined = NULL;

    if (args->scenario_path != NULL) {
        return hs_xstrdup(args->scenario_path);
    }
    if (path[0] == '/' || access(path, R_OK) == 0 || slash == NULL) {
        return hs_xstrdup(path);
    }
    if (asprintf(&joined, "%.*s/%s", (int)(slash - args->trace_path), args->trace_path, path) < 0) {
        hs_mem_exhausted();
    }
    return joined;
}

static bool is_member(const json_t *head, const char *key, const char *text)
{
    const char *recorded = json_string_value(json_object_get(head, key));

    return recorded != NULL && strcmp(recorded, text) == 0;
}

static int check_same(const char *path, const json_t *head, struct hs_err *err)
{
    struct hs_fingerprint print;
    int rc = hs_fingerprint_read(path, &print, err);

    if (rc != 0) {
        return rc;
    }
    if (!is_member(head, "scenario_fnv64", print.scenario)) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "the trace was made from another content of '%.80s'; give the one it "
                          "was made from with --scenario",
                          path);
    }
    if (!is_member(head, "inputs_fnv64", print.inputs)) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "a file that '%.80s' names is not what it was when the trace was made",
                          path);
    }
    if (!is_member(head, "version", HSCHED_VERSION)) {
        fprintf(stderr, "note: the trace is of another version than " HSCHED_VERSION "\n");
    }
    return 0;
}

static int replay_all(struct replay *replay, const struct parts *parts)
{
    const json_t *head = parts->list.items[0].head;
    HS_AUTO_MEM char *path = find_scenario(replay->args, head);
    HS_AUTO(hs_scenario) scenario = NULL;
    HS_AUTO(hs_trace) world = NULL;
    struct hs_simjobs jobs = {0};
    struct hs_err err = {0};
    int status = check_same(path, head, &err) != 0 ? hs_sim_cmd_print_err(&err) : HS_SIM_CMD_OK;

    if (status == HS_SIM_CMD_OK) {
        status = hs_sim_cmd_load(path, &scenario, &jobs);
    }
    if (status == HS_SIM_CMD_OK) {
        world = hs_trace_new(scenario);
    }
    for (size_t i = 0; status == HS_SIM_CMD_OK && i < parts->list.n; i++) {
        if (is_wanted(replay->args, &parts->list.items[i])) {
            status = replay_part(replay, &parts->list.items[i], scenario, world, &jobs);
        }
    }
    hs_jobtrace_fini(&jobs);
    return status;
}

static int parse_seq(const char *text, uint64_t *ret_seq)
{
    char *end = NULL;

    errno = 0;
    *ret_seq = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '1' || text[0] > '9') {
        return hs_sim_cmd_fail_usage("--seq wants a decision's number, from 1");
    }
    return HS_SIM_CMD_OK;
}

static int parse_option(int letter, struct replay_args *args)
{
    struct hs_err err = {0};

    switch (letter) {
    case 's':
        return parse_seq(optarg, &args->seq);
    case 'a':
        if (hs_timetext_parse(optarg, 0, &args->at_s, &err) != 0 || args->at_s <= 0) {
            return hs_sim_cmd_fail_usage("--at wants a time like 2026-01-05T10:00:00Z");
        }
        return HS_SIM_CMD_OK;
    case 'p':
        args->policy = optarg;
        return HS_SIM_CMD_OK;
    case 'c':
        args->scenario_path = optarg;
        return HS_SIM_CMD_OK;
    case 'o':
        args->is_json = strcmp(optarg, "json") == 0;
        return args->is_json || strcmp(optarg, "text") == 0
                   ? HS_SIM_CMD_OK
                   : hs_sim_cmd_fail_usage("-o of replay is text or json");
    default:
        fputs(hs_sim_cmd_usage, stderr);
        return HS_SIM_CMD_USAGE;
    }
}

static int parse_args(int argc, char **argv, struct replay_args *ret_args)
{
    static const struct option long_options[] = {
        {"seq", required_argument, NULL, 's'},      {"at", required_argument, NULL, 'a'},
        {"policies", required_argument, NULL, 'p'}, {"scenario", required_argument, NULL, 'c'},
        {"output", required_argument, NULL, 'o'},   {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
        int status = parse_option(letter, ret_args);

        if (status != HS_SIM_CMD_OK) {
            return status;
        }
    }
    if (optind != argc - 1) {
        return hs_sim_cmd_fail_usage("name one trace");
    }
    if (ret_args->seq != 0 && ret_args->at_s != 0) {
        return hs_sim_cmd_fail_usage("--seq and --at exclude each other");
    }
    ret_args->trace_path = argv[optind];
    return HS_SIM_CMD_OK;
}

int hs_sim_cmd_replay(int argc, char **argv)
{
    struct replay_args args = {0};
    HS_AUTO(hs_simprogress) progress = hs_simprogress_new();
    struct replay replay = {.args = &args, .progress = progress};
    struct parts parts = {0};
    struct hs_err err = {0};
    int status = parse_args(argc, argv, &args);

    if (status != HS_SIM_CMD_OK) {
        return status;
    }
    replay.file = fopen(args.trace_path, "re");
    if (replay.file == NULL) {
        fprintf(stderr, "hsim: cannot read '%s': %m\n", args.trace_path);
        return HS_SIM_CMD_INVALID;
    }
    status = read_parts(&replay, &parts, &err) != 0 ? hs_sim_cmd_print_err(&err)
                                                    : check_wanted(&args, &parts);
    if (status == HS_SIM_CMD_OK) {
        status = replay_all(&replay, &parts);
    }
    for (size_t i = 0; i < parts.list.n; i++) {
        json_decref(parts.list.items[i].head);
    }
    HS_VEC_FINI(&parts.list);
    free(replay.line);
    (void)fclose(replay.file);
    return status;
}
