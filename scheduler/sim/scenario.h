/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * scenario - what a simulated run is made of: estate, span, series, job traces, controllers.
 *
 * Reads and checks the file and everything that it names. Fields: docs/simulator.md. The series
 * are whole (history before the start is what a forecast may train on).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/policy.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/err.h"
#include "scheduler/base/timezone.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/series.h"
#include "scheduler/sim/scenario_air.h"
#include "scheduler/sim/simevents.h"

#define HS_SCENARIO_PATH_MAX 1024

/** One entry of `jobs`: a trace and how it is bent to the estate. */
struct hs_scenario_trace {
    char path[HS_SCENARIO_PATH_MAX];
    bool is_swf;
    int64_t limit; /* records kept; 0: all */
    double offset_s;
    double scale_cpus;
    double slack_ratio;
    double min_slack_s;
    double interruptible_ratio;
    double elastic_ratio;
    double max_run_s;           /* 0: any */
    bool is_due_from_requested; /* due times go by the requested time where there is one */
};

struct hs_scenario {
    struct hs_estate *estate;       /* owned */
    struct hs_timezone **timezones; /* [estate->n_sites] owned; NULL: UTC */
    struct hs_policy *policy;       /* owned: defaults and policy_files */
    int64_t start_at_s;
    int64_t slot_s;
    size_t n_slots;
    uint64_t seed;
    struct hs_series **demand_heat_w; /* [n_sinks] owned; NULL: no heat entry */
    struct hs_scenario_air *air;      /* [n_sites] owned */
    struct hs_series **price;         /* [n_sites] owned, cur/MWh; NULL: the site's constant */
    struct hs_series **gco2_per_kwh;  /* [n_sites] owned; NULL: the site's constant */
    struct hs_scenario_trace *traces; /* [n_traces] */
    size_t n_traces;
    char **controllers; /* [n_controllers] names under `policies`, as in the file */
    size_t n_controllers;
    char **notes; /* [n_notes] owned; what was taken with a doubt, one clause each */
    size_t n_notes;
    struct hs_simevents events; /* owned; scripted faults and maintenance */
    /* price of a disturbance: seconds of the job's power and time each */
    double move_s;
    double suspend_s;
    bool suspended_memory_held; /* a suspended machine keeps its memory; else it is saved to disk */
    bool no_expected_arrivals;  /* `heat` plans as if nobody submitted anything more */
};

/**
 * Read a scenario and all that it names.
 *
 * @param ret_scenario  owned by the caller on success
 * @param report        errors inside the scenario file, up to 20; the caller releases it
 * @return 0, or the kind with @err set for the first error (also of the files it names)
 */
int hs_scenario_read(const char *path, struct hs_conf_report *report,
                     struct hs_scenario **ret_scenario, struct hs_err *err);

/** End of the run, Unix UTC. */
static inline int64_t hs_scenario_end_at_s(const struct hs_scenario *scenario)
{
    return scenario->start_at_s + (int64_t)scenario->n_slots * scenario->slot_s;
}

/** Accepts NULL. */
void hs_scenario_free(struct hs_scenario *scenario);
HS_DEFINE_AUTO(hs_scenario);
