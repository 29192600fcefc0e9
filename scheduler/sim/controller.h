/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * controller - what decides in a run: hsched's own decisions, or a rival to compare with.
 *
 * One file a controller, one row in the table of controller.c. (The scenario and the report call
 * them policies.)
 */

#include <stddef.h>

#include "scheduler/base/err.h"
#include "scheduler/core/cycle.h"
#include "scheduler/sim/simrun.h"

/** How long planning took; real time, so reports leave it out unless asked. */
struct hs_controller_stats {
    double plan_ms_p50; /* NAN: it makes no plans */
    double plan_ms_p99;
    double plan_gap_ratio_p50; /* of the plans that were bounded; NAN: none */
};

/** Called now and then with the share of the run that has passed; nullable. */
typedef void hs_controller_progress_fn(double done_ratio, void *arg);

/** Called with every line that the controller would write into its journal; nullable. */
typedef void hs_controller_note_fn(const struct hs_note *note, void *arg);

struct hs_controller_options {
    hs_controller_progress_fn *progress;
    void *progress_arg;
    hs_controller_note_fn *note;
    void *note_arg;
    /** Told to who waits, one clause; nullable. */
    void (*say)(const char *text, void *arg);
    void *say_arg;
};

/** What a bound is computed from; borrowed. */
struct hs_controller_input {
    const struct hs_scenario *scenario;
    const struct hs_trace *trace;
    const struct hs_simjobs *jobs;
};

struct hs_controller_ops {
    const char *name;
    const char *summary;
    /** Drive @run from its start to its end. NULL for a bound. */
    int (*drive)(struct hs_simrun *run, const struct hs_controller_options *options,
                 struct hs_controller_stats *ret_stats, struct hs_err *err);
    /**
     * Say what no schedule can beat, without a run. NULL for what drives.
     * @param ret_result  its sites are the caller's (free)
     */
    int (*bound)(const struct hs_controller_input *input,
                 const struct hs_controller_options *options, struct hs_simrun_result *ret_result,
                 struct hs_err *err);
};

/**
 * The controller named @name. Static.
 *
 * @return 0, or -HS_E_NOTFOUND with a text that names all there are
 */
int hs_controller_find(const char *name, const struct hs_controller_ops **ret_ops,
                       struct hs_err *err);

extern const struct hs_controller_ops hs_controller_heat_ops;
extern const struct hs_controller_ops hs_controller_perfect_ops;
extern const struct hs_controller_ops hs_controller_asap_ops;
extern const struct hs_controller_ops hs_controller_thermostat_ops;
extern const struct hs_controller_ops hs_controller_sticky_ops;
extern const struct hs_controller_ops hs_controller_carbon_ops;
extern const struct hs_controller_ops hs_controller_bound_ops;
extern const struct hs_controller_ops hs_controller_bound_useful_ops;
extern const struct hs_controller_ops hs_controller_bound_jobs_ops;
