/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_fields - the tables. */
#include "scheduler/sim/scenario_fields.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define REAL_FIELD(type_, field_, min_, max_)                                              \
    .type = HS_CONF_REAL, .offset = offsetof(type_, field_), .min = (min_), .max = (max_), \
    .has_default = true

static const struct hs_conf_field cost_fields[] = {
    {.name = "move_s",
     REAL_FIELD(struct hs_scenario_file, move_s, 0, 86400),
     .unit = "s",
     .help = "seconds of the job's power and time that a move takes"},
    {.name = "suspend_s",
     REAL_FIELD(struct hs_scenario_file, suspend_s, 0, 86400),
     .unit = "s",
     .help = "seconds of the job's power and time that a suspend takes"},
};

static const struct hs_conf_table cost_table = {
    .name = "costs", .fields = cost_fields, .n_fields = COUNT(cost_fields)};

static const struct hs_conf_field scenario_fields[] = {
    {.name = "estate",
     .type = HS_CONF_ANY,
     .required = true,
     .help = "an estate, or the path of its file"},
    {.name = "start",
     .type = HS_CONF_TEXT,
     .offset = offsetof(struct hs_scenario_file, start),
     .size = HS_TIMETEXT_MAX,
     .required = true,
     .help = "first instant, RFC 3339"},
    {.name = "days",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_scenario_file, days),
     .min = 0.01,
     .max = 3660,
     .required = true,
     .unit = "d",
     .help = "length of the run"},
    {.name = "slot_s",
     .type = HS_CONF_INT64,
     .offset = offsetof(struct hs_scenario_file, slot_s),
     .min = 60,
     .max = 86400,
     .has_default = true,
     .default_number = 900,
     .unit = "s",
     .help = "length of a slot"},
    {.name = "seed",
     .type = HS_CONF_UINT64,
     .offset = offsetof(struct hs_scenario_file, seed),
     .min = 0,
     .max = 9e15,
     .has_default = true,
     .default_number = 1,
     .help = "decides which jobs are interruptible"},
    {.name = "heat", .type = HS_CONF_CHILDREN, .help = "demand: sink and series"},
    {.name = "weather", .type = HS_CONF_CHILDREN, .help = "outdoor temperature: site and series"},
    {.name = "price", .type = HS_CONF_CHILDREN, .help = "electricity price: site and series"},
    {.name = "carbon", .type = HS_CONF_CHILDREN, .help = "carbon intensity: site and series"},
    {.name = "jobs", .type = HS_CONF_CHILDREN, .help = "job traces"},
    {.name = "policies", .type = HS_CONF_CHILDREN, .help = "controllers to run"},
    {.name = "policy_files", .type = HS_CONF_CHILDREN, .help = "operator's rule files"},
    {.name = "events",
     .type = HS_CONF_CHILDREN,
     .table = &hs_simevents_table,
     .help = "scripted faults and maintenance"},
    {.name = "idle_hosts_off",
     .type = HS_CONF_BOOL,
     .offset = offsetof(struct hs_scenario_file, idle_hosts_off),
     .help = "hosts without a busy vCPU draw nothing"},
    {.name = "suspended_memory_held",
     .type = HS_CONF_BOOL,
     .offset = offsetof(struct hs_scenario_file, suspended_memory_held),
     .help = "a suspended machine keeps its memory on its host; else it is saved to disk"},
    {.name = "no_expected_arrivals",
     .type = HS_CONF_BOOL,
     .offset = offsetof(struct hs_scenario_file, no_expected_arrivals),
     .help = "`heat` plans as if nobody submitted anything more"},
    {.name = "costs",
     .type = HS_CONF_OBJECT,
     .offset = 0,
     .table = &cost_table,
     .present_offset = SIZE_MAX,
     .help = "what moves and suspends cost"},
};

const struct hs_conf_table hs_scenario_fields_table = {
    .name = "scenario", .fields = scenario_fields, .n_fields = COUNT(scenario_fields)};

static const char *const estimate_words[] = {"recorded", "requested", NULL};

#define TRACE_REAL(field_, min_, max_) \
    REAL_FIELD(struct hs_scenario_trace_entry, trace.field_, min_, max_)

static const struct hs_conf_field trace_fields[] = {
    {.name = "swf",
     .type = HS_CONF_TEXT,
     .offset = offsetof(struct hs_scenario_trace_entry, swf),
     .size = sizeof(((struct hs_scenario_trace_entry *)NULL)->swf),
     .help = "trace in the Standard Workload Format, plain or .gz"},
    {.name = "csv",
     .type = HS_CONF_TEXT,
     .offset = offsetof(struct hs_scenario_trace_entry, csv),
     .size = sizeof(((struct hs_scenario_trace_entry *)NULL)->csv),
     .help = "trace with columns arrival_s,run_s,cpus, plain or .gz"},
    {.name = "limit",
     .type = HS_CONF_INT64,
     .offset = offsetof(struct hs_scenario_trace_entry, trace.limit),
     .min = 0,
     .max = 1e12,
     .has_default = true,
     .help = "records kept of those submitted within the run; 0: all"},
    {.name = "offset_s",
     TRACE_REAL(offset_s, -1e12, 1e12),
     .unit = "s",
     .help = "trace time of the start"},
    {.name = "scale_cpus",
     TRACE_REAL(scale_cpus, 1e-6, 1e6),
     .default_number = 1,
     .help = "vCPUs per trace processor"},
    {.name = "slack_ratio", TRACE_REAL(slack_ratio, 0, 1e6), .help = "slack by the run time"},
    {.name = "min_slack_s", TRACE_REAL(min_slack_s, 0, 1e12), .unit = "s", .help = "least slack"},
    {.name = "interruptible_ratio",
     TRACE_REAL(interruptible_ratio, 0, 1),
     .help = "share of interruptible jobs"},
    {.name = "elastic_ratio",
     TRACE_REAL(elastic_ratio, 0, 1),
     .help = "share of jobs that may be throttled"},
    {.name = "max_run_s",
     TRACE_REAL(max_run_s, 0, 1e12),
     .unit = "s",
     .help = "longer records are dropped; 0: none"},
    {.name = "estimate",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct hs_scenario_trace_entry, estimate),
     .size = sizeof(((struct hs_scenario_trace_entry *)NULL)->estimate),
     .words = estimate_words,
     .has_default = true,
     .default_text = "recorded",
     .help = "whether due times go by the recorded or the requested run"},
};

const struct hs_conf_table hs_scenario_fields_trace_table = {
    .name = "trace", .fields = trace_fields, .n_fields = COUNT(trace_fields)};

const json_t *hs_scenario_fields_get_array(const json_t *root, const char *key,
                                           struct hs_conf_report *report)
{
    const json_t *array = json_object_get(root, key);
    char pointer[64];

    if (array != NULL && !json_is_array(array)) {
        snprintf(pointer, sizeof(pointer), "/%s", key);
        hs_conf_report_add(report, pointer, "must be a list [ … ]");
        return NULL;
    }
    return array;
}
