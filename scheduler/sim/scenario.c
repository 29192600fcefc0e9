/* SPDX-License-Identifier: Apache-2.0 */
/* scenario - the file by table, then everything that it names, errors gathered. */
#include "scheduler/sim/scenario.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/zonefile.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/scenario_fields.h"
#include "scheduler/sim/scenario_series.h"

/** What the helpers share while one file is read. */
struct scenario_reader {
    struct hs_scenario *scenario;
    const json_t *root;
    struct hs_conf_report *report;
    char dir[HS_SCENARIO_PATH_MAX]; /* that relative paths start from */
};

/** @path from the scenario's folder; "" if it is too long, which no file answers to. */
static void resolve(const struct scenario_reader *reader, const char *path, char *ret_path)
{
    int n = path[0] == '/' ? snprintf(ret_path, HS_SCENARIO_PATH_MAX, "%s", path)
                           : snprintf(ret_path, HS_SCENARIO_PATH_MAX, "%s/%s", reader->dir, path);

    if (n >= HS_SCENARIO_PATH_MAX) {
        ret_path[0] = '\0';
    }
}

/** Copy the kept errors of @from to the end of @to, as they are. */
static void move_errors(struct hs_conf_report *to, struct hs_conf_report *from)
{
    for (size_t i = 0; i < from->n_errors && i < HS_CONF_ERRORS_MAX; i++) {
        if (to->n_errors < HS_CONF_ERRORS_MAX) {
            to->errors[to->n_errors] = HS_STEAL(from->errors[i]);
        }
        to->n_errors++;
    }
    hs_conf_report_fini(from);
}

static void read_timezones(struct hs_scenario *scenario, const char *pointer,
                           struct hs_conf_report *report)
{
    if (scenario->estate != NULL) {
        scenario->timezones = hs_zonefile_load_all(scenario->estate, pointer, report);
    }
}

static int read_estate_file(struct scenario_reader *reader, const char *name, struct hs_err *err)
{
    char path[HS_SCENARIO_PATH_MAX];
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc;

    resolve(reader, name, path);
    rc = hs_filetext_read(path, &text, &n_bytes, err);
    if (rc != 0) {
        return rc;
    }
    struct hs_conf_report report = {.file = path, .text = text};

    (void)hs_estate_parse(path, text, &report, &reader->scenario->estate);
    read_timezones(reader->scenario, "", &report);
    move_errors(reader->report, &report);
    return 0;
}

/** A tank colder than what a sink without a lift needs could never serve it. */
static void check_tanks(struct scenario_reader *reader)
{
    const struct hs_estate *estate = reader->scenario->estate;

    for (size_t k = 0; k < estate->n_sinks; k++) {
        const struct hs_sink *sink = &estate->sinks[k];
        const struct hs_tank *tank = &estate->loops[sink->loop_idx].tank;

        if (tank->present && strcmp(sink->lift, "none") == 0 && tank->min_c < sink->supply_min_c) {
            hs_conf_report_add(reader->report, "/estate",
                               "the tank's min_c %g is below supply_min_c %g of sink '%s', which "
                               "has no lift; raise min_c or name a lift",
                               tank->min_c, sink->supply_min_c, sink->path);
        }
    }
}

static int read_estate(struct scenario_reader *reader, struct hs_err *err)
{
    const json_t *estate = json_object_get(reader->root, "estate");
    int rc = 0;

    if (json_is_string(estate)) {
        rc = read_estate_file(reader, json_string_value(estate), err);
    } else if (json_is_object(estate)) {
        (void)hs_estate_parse_json(estate, "/estate", reader->report, &reader->scenario->estate);
        read_timezones(reader->scenario, "/estate", reader->report);
    } else if (estate != NULL) {
        hs_conf_report_add(reader->report, "/estate", "must be an estate or the path of its file");
    }
    if (rc == 0 && reader->scenario->estate != NULL) {
        check_tanks(reader);
    }
    return rc;
}

static void read_traces(struct scenario_reader *reader)
{
    const json_t *array = hs_scenario_fields_get_array(reader->root, "jobs", reader->report);
    struct hs_scenario *scenario = reader->scenario;
    size_t i;
    const json_t *object;

    scenario->traces = hs_xcalloc(json_array_size(array), sizeof(*scenario->traces));
    json_array_foreach (array, i, object) {
        struct hs_scenario_trace_entry entry = {0};
        struct hs_err cause = {0};
        char pointer[64];

        snprintf(pointer, sizeof(pointer), "/jobs/%zu", i);
        if (!hs_conf_read(&hs_scenario_fields_trace_table, object, pointer, &entry,
                          reader->report)) {
            continue;
        }
        if ((entry.swf[0] == '\0') == (entry.csv[0] == '\0')) {
            hs_conf_report_add(reader->report, pointer, "name one trace, as 'swf' or as 'csv'");
            continue;
        }
        entry.trace.is_swf = entry.swf[0] != '\0';
        entry.trace.is_due_from_requested = strcmp(entry.estimate, "requested") == 0;
        resolve(reader, entry.trace.is_swf ? entry.swf : entry.csv, entry.trace.path);
        if (hs_filetext_check(entry.trace.path, &cause) != 0) {
            hs_conf_report_add(reader->report, pointer, "%s: %s", cause.where, cause.text);
            continue;
        }
        scenario->traces[scenario->n_traces++] = entry.trace;
    }
}

/** @param i  its place in the list; those before it are in the scenario */
static void check_controller(struct scenario_reader *reader, size_t i, const char *name)
{
    const struct hs_controller_ops *ops;
    struct hs_err err = {0};
    char pointer[64];

    snprintf(pointer, sizeof(pointer), "/policies/%zu", i);
    if (hs_controller_find(name, &ops, &err) != 0) {
        hs_conf_report_add(reader->report, pointer, "%s", err.text);
    }
    for (size_t before = 0; before < reader->scenario->n_controllers; before++) {
        if (strcmp(reader->scenario->controllers[before], name) == 0) {
            hs_conf_report_add(reader->report, pointer, "'%s' is listed twice", name);
            return;
        }
    }
}

static void read_controllers(struct scenario_reader *reader)
{
    const json_t *array = hs_scenario_fields_get_array(reader->root, "policies", reader->report);
    struct hs_scenario *scenario = reader->scenario;
    size_t i;
    const json_t *name;

    scenario->controllers = hs_xcalloc(json_array_size(array), sizeof(char *));
    json_array_foreach (array, i, name) {
        if (!json_is_string(name)) {
            hs_conf_report_add(reader->report, "/policies", "must be a list of names");
            return;
        }
        check_controller(reader, i, json_string_value(name));
        scenario->controllers[scenario->n_controllers++] = hs_xstrdup(json_string_value(name));
    }
}

static int read_policy_file(struct scenario_reader *reader, const char *name, struct hs_err *err)
{
    char path[HS_SCENARIO_PATH_MAX];
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc;

    resolve(reader, name, path);
    rc = hs_filetext_read(path, &text, &n_bytes, err);
    if (rc != 0) {
        return rc;
    }
    struct hs_conf_report report = {.file = path, .text = text};

    (void)hs_policy_parse(reader->scenario->policy, path, text, &report);
    move_errors(reader->report, &report);
    return 0;
}

static int read_policy_files(struct scenario_reader *reader, struct hs_err *err)
{
    const json_t *array =
        hs_scenario_fields_get_array(reader->root, "policy_files", reader->report);
    size_t i;
    const json_t *name;
    int rc = 0;

    reader->scenario->policy = hs_policy_new();
    json_array_foreach (array, i, name) {
        if (!json_is_string(name)) {
            hs_conf_report_add(reader->report, "/policy_files", "must be a list of paths");
            return 0;
        }
        rc = read_policy_file(reader, json_string_value(name), err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static void read_span(struct scenario_reader *reader, const struct hs_scenario_file *file)
{
    struct hs_scenario *scenario = reader->scenario;
    struct hs_err err = {0};

    if (strchr(file->start, 'T') == NULL
        || hs_timetext_parse(file->start, 0, &scenario->start_at_s, &err) != 0) {
        hs_conf_report_add(reader->report, "/start",
                           "'%s' is no time; write RFC 3339 like 2026-01-05T00:00:00Z",
                           file->start);
    }
    scenario->slot_s = file->slot_s;
    scenario->seed = file->seed;
    scenario->move_s = file->move_s;
    scenario->suspend_s = file->suspend_s;
    scenario->suspended_memory_held = file->suspended_memory_held;
    scenario->no_expected_arrivals = file->no_expected_arrivals;
    scenario->n_slots = (size_t)(file->days * HS_S_PER_DAY / (double)file->slot_s + 1e-6);
    if (HS_S_PER_DAY % file->slot_s != 0) {
        hs_conf_report_add(reader->report, "/slot_s", "%lld s does not divide a day",
                           (long long)file->slot_s);
    }
    if (scenario->start_at_s % file->slot_s != 0) {
        hs_conf_report_add(reader->report, "/start", "must lie on a slot of %lld s",
                           (long long)file->slot_s);
    }
}

static int fill(struct scenario_reader *reader, struct hs_err *err)
{
    struct hs_scenario_file file = {0};
    int rc;

    if (!hs_conf_read(&hs_scenario_fields_table, reader->root, "", &file, reader->report)) {
        return 0;
    }
    read_span(reader, &file);
    rc = read_estate(reader, err);
    if (rc == 0) {
        rc = read_policy_files(reader, err);
    }
    if (rc != 0 || reader->report->n_errors > 0) {
        return rc;
    }
    /* plans and truth share the scenario's slot */
    reader->scenario->estate->slot_s = reader->scenario->slot_s;
    for (size_t h = 0; h < reader->scenario->estate->n_hosts; h++) {
        reader->scenario->estate->hosts[h].sleeps = file.idle_hosts_off;
    }
    hs_scenario_series_read(reader->scenario, reader->root, reader->dir, reader->report);
    read_traces(reader);
    read_controllers(reader);
    hs_simevents_read(hs_scenario_fields_get_array(reader->root, "events", reader->report),
                      reader->scenario->estate, reader->scenario->start_at_s,
                      hs_scenario_end_at_s(reader->scenario), reader->report,
                      &reader->scenario->events);
    return 0;
}

int hs_scenario_read(const char *path, struct hs_conf_report *report,
                     struct hs_scenario **ret_scenario, struct hs_err *err)
{
    HS_AUTO(hs_scenario) scenario = hs_xcalloc(1, sizeof(*scenario));
    struct scenario_reader reader = {.scenario = scenario, .report = report};
    const char *slash = strrchr(path, '/');
    HS_AUTO_MEM char *text = NULL;
    json_auto_t *root = NULL;
    size_t n_bytes = 0;
    int rc = hs_filetext_read(path, &text, &n_bytes, err);

    if (rc == 0) {
        rc = hs_jsonx_parse(path, text, n_bytes, &root, err);
    }
    if (rc != 0) {
        return rc;
    }
    snprintf(reader.dir, sizeof(reader.dir), "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    if (slash == path) {
        snprintf(reader.dir, sizeof(reader.dir), "/");
    }
    reader.root = root;
    report->file = path;
    report->text = text;
    rc = fill(&reader, err);
    report->text = NULL;
    if (rc == 0 && report->n_errors > 0) {
        rc = hs_err_set(err, HS_E_INVALID, path, "%zu error%s in the scenario", report->n_errors,
                        report->n_errors == 1 ? "" : "s");
    }
    if (rc == 0) {
        *ret_scenario = HS_STEAL(scenario);
    }
    return rc;
}

static void free_series(struct hs_series **series, size_t n)
{
    for (size_t i = 0; series != NULL && i < n; i++) {
        hs_series_free(series[i]);
    }
    free(series);
}

void hs_scenario_free(struct hs_scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    for (size_t i = 0; i < scenario->n_controllers; i++) {
        free(scenario->controllers[i]);
    }
    free(scenario->controllers);
    for (size_t i = 0; i < scenario->n_notes; i++) {
        free(scenario->notes[i]);
    }
    free(scenario->notes);
    free(scenario->traces);
    hs_simevents_fini(&scenario->events);
    if (scenario->estate != NULL) {
        hs_zonefile_free_all(scenario->timezones, scenario->estate->n_sites);
        free_series(scenario->gco2_per_kwh, scenario->estate->n_sites);
        free_series(scenario->price, scenario->estate->n_sites);
        for (size_t i = 0; scenario->air != NULL && i < scenario->estate->n_sites; i++) {
            hs_scenario_air_fini(&scenario->air[i]);
        }
        free(scenario->air);
        free_series(scenario->demand_heat_w, scenario->estate->n_sinks);
    }
    hs_policy_free(scenario->policy);
    hs_estate_free(scenario->estate);
    free(scenario);
}
