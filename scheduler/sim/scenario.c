/* SPDX-License-Identifier: Apache-2.0 */
/* scenario - the file by table, then everything that it names, errors gathered. */
#include "scheduler/sim/scenario.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/signal.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/scenario_fields.h"

#define SPEC_FIELDS_MAX 8
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))

/** One entry of heat, weather, price or carbon: the spec first, as its table wants. */
struct series_entry {
    struct hs_signal_spec spec;
    char thing[HS_PATH_MAX];
};

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

/** The array @key, or NULL with an error if it is something else. */
static const json_t *get_array(struct scenario_reader *reader, const char *key)
{
    const json_t *array = json_object_get(reader->root, key);
    char pointer[64];

    if (array != NULL && !json_is_array(array)) {
        snprintf(pointer, sizeof(pointer), "/%s", key);
        hs_conf_report_add(reader->report, pointer, "must be a list [ … ]");
        return NULL;
    }
    return array;
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
    } else if (estate != NULL) {
        hs_conf_report_add(reader->report, "/estate", "must be an estate or the path of its file");
    }
    if (rc == 0 && reader->scenario->estate != NULL) {
        check_tanks(reader);
    }
    return rc;
}

/** Refuse a series that misses more than a day at either end of the run. */
static void check_cover(struct scenario_reader *reader, const struct hs_series *series,
                        const char *pointer)
{
    const struct hs_scenario *scenario = reader->scenario;
    char from[HS_TIMETEXT_MAX] = "never", to[HS_TIMETEXT_MAX] = "never";
    int64_t first_at_s = INT64_MAX, last_at_s = INT64_MIN;

    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            first_at_s = first_at_s < series->at_s[i] ? first_at_s : series->at_s[i];
            last_at_s = series->at_s[i] + series->step_s;
        }
    }
    if (first_at_s > last_at_s || first_at_s > scenario->start_at_s + HS_S_PER_DAY
        || last_at_s < hs_scenario_end_at_s(scenario) - HS_S_PER_DAY) {
        if (first_at_s <= last_at_s) {
            hs_timetext_format(first_at_s, from);
            hs_timetext_format(last_at_s, to);
        }
        hs_conf_report_add(reader->report, pointer,
                           "the series covers %s to %s, not the run to within a day; choose "
                           "another start, or shift_s",
                           from, to);
    }
}

struct series_group {
    const char *key;       /* in the scenario */
    const char *thing_key; /* in an entry: "sink" or "site" */
    size_t (*find)(const struct hs_estate *estate, const char *path);
    struct hs_series **series;
};

static void read_series_entry(struct scenario_reader *reader, const struct series_group *group,
                              const json_t *object, const char *pointer)
{
    struct hs_conf_field fields[SPEC_FIELDS_MAX + 1] = {
        {.name = group->thing_key,
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct series_entry, thing),
         .size = HS_PATH_MAX,
         .required = true},
    };
    size_t n_spec = hs_signal_spec_table.n_fields;
    struct hs_conf_table table = {.name = group->key, .fields = fields, .n_fields = n_spec + 1};
    struct series_entry entry = {0};
    struct hs_series *series = NULL;
    struct hs_err cause = {0};
    size_t thing_idx;

    memcpy(fields + 1, hs_signal_spec_table.fields, n_spec * sizeof(fields[0]));
    if (!hs_conf_read(&table, object, pointer, &entry, reader->report)) {
        return;
    }
    thing_idx = group->find(reader->scenario->estate, entry.thing);
    if (thing_idx == SIZE_MAX) {
        hs_conf_report_add(reader->report, pointer, "no %s '%s' in the estate", group->thing_key,
                           entry.thing);
        return;
    }
    if (group->series[thing_idx] != NULL) {
        hs_conf_report_add(reader->report, pointer, "%s '%s' is listed twice", group->thing_key,
                           entry.thing);
        return;
    }
    if (hs_signal_load(&entry.spec, reader->dir, &series, &cause) != 0) {
        hs_conf_report_add(reader->report, pointer, "%s: %s", cause.where, cause.text);
        return;
    }
    check_cover(reader, series, pointer);
    group->series[thing_idx] = series;
}

static void read_series_group(struct scenario_reader *reader, const struct series_group *group)
{
    const json_t *array = get_array(reader, group->key);
    size_t i;
    const json_t *object;

    json_array_foreach (array, i, object) {
        char pointer[64];

        snprintf(pointer, sizeof(pointer), "/%s/%zu", group->key, i);
        read_series_entry(reader, group, object, pointer);
    }
}

static void read_all_series(struct scenario_reader *reader)
{
    struct hs_scenario *scenario = reader->scenario;
    const struct hs_estate *estate = scenario->estate;

    scenario->demand_heat_w = hs_xcalloc(estate->n_sinks, sizeof(struct hs_series *));
    scenario->outdoor_c = hs_xcalloc(estate->n_sites, sizeof(struct hs_series *));
    scenario->price = hs_xcalloc(estate->n_sites, sizeof(struct hs_series *));
    scenario->gco2_per_kwh = hs_xcalloc(estate->n_sites, sizeof(struct hs_series *));

    const struct series_group groups[] = {
        {"heat", "sink", hs_estate_find_sink, scenario->demand_heat_w},
        {"weather", "site", hs_estate_find_site, scenario->outdoor_c},
        {"price", "site", hs_estate_find_site, scenario->price},
        {"carbon", "site", hs_estate_find_site, scenario->gco2_per_kwh},
    };

    for (size_t i = 0; i < COUNT(groups); i++) {
        read_series_group(reader, &groups[i]);
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        if (scenario->demand_heat_w[k] == NULL) {
            hs_conf_report_add(reader->report, "/heat", "sink '%s' has no series",
                               estate->sinks[k].path);
        }
    }
}

static void read_traces(struct scenario_reader *reader)
{
    const json_t *array = get_array(reader, "jobs");
    struct hs_scenario *scenario = reader->scenario;
    size_t i;
    const json_t *object;

    scenario->traces = hs_xcalloc(json_array_size(array), sizeof(*scenario->traces));
    json_array_foreach (array, i, object) {
        struct hs_scenario_trace_entry entry = {0};
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
        scenario->traces[scenario->n_traces++] = entry.trace;
    }
}

static void read_controllers(struct scenario_reader *reader)
{
    const json_t *array = get_array(reader, "policies");
    struct hs_scenario *scenario = reader->scenario;
    size_t i;
    const json_t *name;

    scenario->controllers = hs_xcalloc(json_array_size(array), sizeof(char *));
    json_array_foreach (array, i, name) {
        if (!json_is_string(name)) {
            hs_conf_report_add(reader->report, "/policies", "must be a list of names");
            return;
        }
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
    const json_t *array = get_array(reader, "policy_files");
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
    read_all_series(reader);
    read_traces(reader);
    read_controllers(reader);
    hs_simevents_read(get_array(reader, "events"), reader->scenario->estate,
                      reader->scenario->start_at_s, hs_scenario_end_at_s(reader->scenario),
                      reader->report, &reader->scenario->events);
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
    free(scenario->traces);
    hs_simevents_fini(&scenario->events);
    if (scenario->estate != NULL) {
        free_series(scenario->gco2_per_kwh, scenario->estate->n_sites);
        free_series(scenario->price, scenario->estate->n_sites);
        free_series(scenario->outdoor_c, scenario->estate->n_sites);
        free_series(scenario->demand_heat_w, scenario->estate->n_sinks);
    }
    hs_policy_free(scenario->policy);
    hs_estate_free(scenario->estate);
    free(scenario);
}
