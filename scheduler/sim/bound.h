/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * bound - the least that any schedule in time can cost, as a linear program over the whole run.
 *
 * Jobs are one fluid, hosts of one loop and power are one class, the tank may lose a little more
 * or less than it would: every true schedule keeps all rows, so none is better than the optimum.
 * Source: simulator.md, "bound"; in words in docs/simulator.md. Pure: builds rows and reads
 * their solution; solving is sparselp_clp.h's.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/sim/jobfluid.h"
#include "scheduler/sim/simrun.h"
#include "scheduler/sim/sparselp.h"

/** Hosts whose busy vCPUs are alike: same loop, W per vCPU and capture. */
struct hs_bound_class {
    size_t loop_idx;
    size_t site_idx;
    size_t rack_idx; /* SIZE_MAX: of any rack whose limit cannot bind */
    double elec_w_per_vcpu;
    double capture_ratio;
    double free_vcpus;
};

struct hs_bound {
    const struct hs_scenario *scenario;
    const struct hs_trace *trace;
    const struct hs_simjobs *jobs;
    unsigned flags; /* enum hs_bound_flags */
    double slot_h;
    struct hs_jobfluid *work;       /* owned: all jobs */
    struct hs_bound_class *classes; /* [n_classes] owned */
    size_t n_classes;
    double *rack_base_w;       /* [n_racks][n_slots] idle and pinned work of hosts that are on */
    double *worth;             /* [n_sinks] cur/MWh of useful heat */
    double *left_worth;        /* [n_loops] cur/MWh of heat left in the tank */
    double *left_gco2_per_kwh; /* [n_loops] what that heat replaces */
    double mean_w_per_vcpu;    /* over the classes' free vCPUs */
    double late_cur_per_mwh;   /* what a slot's delay of one MWh of work costs */
    struct hs_sparselp *lp;    /* owned */
    size_t n_columns_per_slot;
};

enum hs_bound_flags {
    HS_BOUND_USEFUL = 1 << 0, /* least backup heat instead of least cost */
    HS_BOUND_LATE = 1 << 1,   /* jobs may be late, at a price */
    HS_BOUND_JOBS = 1 << 2,   /* groups of like jobs, contiguous ones run through; not with LATE */
};

/**
 * Write the program down.
 *
 * @param scenario,trace,jobs  kept
 * @param flags                enum hs_bound_flags
 * @param ret_bound            owned by the caller on success
 * @return 0, or -HS_E_UNSUPPORTED for an estate that these rows do not bound
 */
int hs_bound_new(const struct hs_scenario *scenario, const struct hs_trace *trace,
                 const struct hs_simjobs *jobs, unsigned flags, struct hs_bound **ret_bound,
                 struct hs_err *err);

/** Column of the busy vCPUs of @class_idx in @slot. */
size_t hs_bound_get_busy_column(const struct hs_bound *bound, size_t slot, size_t class_idx);

/**
 * The figures of a solution.
 *
 * @param values      [n_columns] borrowed
 * @param ret_result  its sites are the caller's (free); what a bound has not is 0 or NAN
 */
void hs_bound_read(const struct hs_bound *bound, const double *values,
                   struct hs_simrun_result *ret_result);

/** Accepts NULL. */
void hs_bound_free(struct hs_bound *bound);
HS_DEFINE_AUTO(hs_bound);
