/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** scenario_fields - field tables of a scenario file, for scenario.c and the documentation. */

#include <stdint.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/timetext.h"
#include "scheduler/sim/scenario.h"

/** The plain fields of the file, before anything is resolved. */
struct hs_scenario_file {
    char start[HS_TIMETEXT_MAX];
    double days;
    int64_t slot_s;
    uint64_t seed;
    double move_s;
    double suspend_s;
    bool suspended_memory_held;
    bool idle_hosts_off;
    bool no_expected_arrivals;
};

/** One entry of `jobs`, before its path is resolved. */
struct hs_scenario_trace_entry {
    char swf[512];
    char csv[512];
    char estimate[16];
    struct hs_scenario_trace trace;
};

/** The array @key, or NULL, with an error if it is something else. Borrowed. */
const json_t *hs_scenario_fields_get_array(const json_t *root, const char *key,
                                           struct hs_conf_report *report);

extern const struct hs_conf_table hs_scenario_fields_table; /* struct hs_scenario_file */
extern const struct hs_conf_table
    hs_scenario_fields_trace_table; /* struct hs_scenario_trace_entry */
