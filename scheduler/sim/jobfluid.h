/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jobfluid - jobs poured together: how much work may be done, must be done and may run by slot.
 *
 * Work is counted in busy vCPU-hours. What holds for each job alone holds for the sums, so a
 * program over the sums never asks for more than the jobs do. Source: simulator.md, `bound`.
 * Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"

/** Sums over jobs; times count seconds from the start of the run. */
struct hs_jobfluid {
    size_t n_slots;
    double slot_s;
    double *must_vcpu_h; /* [n_slots] done by the end of the slot at least: Σ v·(run - (due - t)) */
    double
        *may_vcpu_h; /* [n_slots] done by the end of the slot at most: Σ v·min(run, t - submit) */
    double *open_vcpus; /* [n_slots] mean vCPUs of jobs that are between submit and due */
};

/** No jobs yet. Owned by the caller. */
struct hs_jobfluid *hs_jobfluid_new(size_t n_slots, double slot_s);

/**
 * Pour in a job of @run_s > 0 between @submit_s and @due_s, 0 <= submit <= due. One that runs for
 * longer than it has (due times may go by a requested time that is too short) must be done sooner
 * than it may.
 */
void hs_jobfluid_add(struct hs_jobfluid *fluid, double vcpus, double submit_s, double due_s,
                     double run_s);

/** Make the sums: once, after the last job. */
void hs_jobfluid_apply(struct hs_jobfluid *fluid);

/** Accepts NULL. */
void hs_jobfluid_free(struct hs_jobfluid *fluid);
HS_DEFINE_AUTO(hs_jobfluid);
