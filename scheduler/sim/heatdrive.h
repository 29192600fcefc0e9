/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatdrive - core/cycle driven as the daemon drives it, on a virtual clock.
 *
 * What it is told of the world is heatworld's.
 * Machines are compute_sim's on the virtual executor; what they do is told to simrun, which keeps
 * the truth.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/compute/compute.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/virtual_executor.h"

struct hs_heatfaults;

/** What decisions are told in a run. */
struct hs_heatdrive_options {
    bool knows_future; /* true demand, run times and arrivals, 24 h ahead (prices always are) */
};

/** One run. For heatdrive.c, heatfaults.c and heatworld.c. */
struct hs_heatdrive {
    bool knows_future;
    struct hs_simrun *run;
    const struct hs_controller_options *options;
    struct hs_clock *clock; /* virtual */
    struct hs_clock *watch; /* real: how long planning takes */
    struct hs_virtual_executor *executor;
    struct hs_host *hosts; /* [n_hosts] the estate's, every uri "sim:" */
    struct hs_compute **computes;
    struct hs_cycle *cycle;
    const struct hs_action *acting; /* taking effect right now; NULL between actions */
    struct hs_heatfaults *faults;   /* scripted events as they show */
    HS_VEC(struct hs_event) events; /* since the last step */
    HS_VEC(double) plan_ms;
    HS_VEC(double) gaps;               /* of plans that were bounded */
    struct hs_series **known_demand_w; /* [n_sinks] owned; NULL unless the future is known */
    int64_t *told_issue_at_s;          /* [n_sites] of the weather forecast given last */
    size_t next_told;                  /* next job to be told of */
    size_t next_submit;                /* next job whose submit has not come */
    size_t told_slot;                  /* slots whose readings were given */
    int64_t wake_at_s;
};

/** Now, plan UTC. */
int64_t hs_heatdrive_get_at_s(const struct hs_heatdrive *drive);

/** Hand @event to the next step; stamped now unless it has a stamp. */
void hs_heatdrive_push(struct hs_heatdrive *drive, struct hs_event event);

/** Drive @run from its start to its end; the body of hs_controller_ops.drive. */
int hs_heatdrive_run(struct hs_simrun *run, const struct hs_heatdrive_options *drive_options,
                     const struct hs_controller_options *options,
                     struct hs_controller_stats *ret_stats, struct hs_err *err);
