/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simreport - the figures of the runs as JSON (docs/simulator.md, Report).
 *
 * Savings are against `asap` of the same report, null without it; shares of what was possible need
 * the bounds too (simratio.h). The order of the entries does not matter.
 */

#include <stdbool.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/sim/controller.h"

struct hs_simreport_entry {
    const char *name;
    struct hs_simrun_result result;
    struct hs_controller_stats stats;
};

/**
 * The report of @entries. Owned by the caller.
 *
 * @param name         the scenario's, for tables over several reports
 * @param has_timings  write plan_ms_*, which no two runs share
 */
json_t *hs_simreport_format(const char *name, const struct hs_scenario *scenario,
                            const struct hs_simreport_entry *entries, size_t n_entries,
                            bool has_timings);
