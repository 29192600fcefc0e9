/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobfluid - sums over jobs by slot. A job's own ramp is added slot by slot; what it is worth
 * from the ramp's end on is added once, in the ramp's last slot, and carried on at the end: a
 * year of jobs costs the sum of their run times, not jobs × slots.
 */
#include "scheduler/sim/jobfluid.h"

#include <assert.h>
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/** Ramps still in the making beside the levels that stay; two arrays in one block. */
static double *new_ramp(size_t n_slots)
{
    return hs_xcalloc(2 * n_slots, sizeof(double));
}

struct hs_jobfluid *hs_jobfluid_new(size_t n_slots, double slot_s)
{
    struct hs_jobfluid *fluid = hs_xcalloc(1, sizeof(*fluid));

    fluid->n_slots = n_slots;
    fluid->slot_s = slot_s;
    fluid->must_vcpu_h = new_ramp(n_slots);
    fluid->may_vcpu_h = new_ramp(n_slots);
    fluid->open_vcpus = new_ramp(n_slots);
    return fluid;
}

/** To @ramp add @vcpus × the hours of [@from_s, @from_s + @span_s] that have passed. */
static void add_ramp(const struct hs_jobfluid *fluid, double *ramp, double vcpus, double from_s,
                     double span_s)
{
    size_t slot = (size_t)floor(fmax(0, from_s) / fluid->slot_s);
    double *stays = ramp + fluid->n_slots;

    for (; slot < fluid->n_slots; slot++) {
        double passed_s = (double)(slot + 1) * fluid->slot_s - from_s;

        if (passed_s >= span_s) {
            stays[slot] += vcpus * span_s / HS_S_PER_H;
            return;
        }
        ramp[slot] += vcpus * passed_s / HS_S_PER_H;
    }
}

void hs_jobfluid_add(struct hs_jobfluid *fluid, double vcpus, double submit_s, double due_s,
                     double run_s)
{
    assert(run_s > 0 && submit_s >= 0 && due_s >= submit_s);
    add_ramp(fluid, fluid->must_vcpu_h, vcpus, due_s - run_s, run_s);
    add_ramp(fluid, fluid->may_vcpu_h, vcpus, submit_s, run_s);
    add_ramp(fluid, fluid->open_vcpus, vcpus, submit_s, due_s - submit_s);
}

static void sum_ramp(double *ramp, size_t n_slots)
{
    double stays = 0;

    for (size_t t = 0; t < n_slots; t++) {
        stays += ramp[n_slots + t];
        ramp[t] += stays;
    }
}

void hs_jobfluid_apply(struct hs_jobfluid *fluid)
{
    double slot_h = fluid->slot_s / HS_S_PER_H;

    sum_ramp(fluid->must_vcpu_h, fluid->n_slots);
    sum_ramp(fluid->may_vcpu_h, fluid->n_slots);
    sum_ramp(fluid->open_vcpus, fluid->n_slots);
    /* the growth of open vCPU-hours in a slot is the mean of open vCPUs over it */
    for (size_t t = fluid->n_slots; t-- > 0;) {
        double before = t > 0 ? fluid->open_vcpus[t - 1] : 0;

        fluid->open_vcpus[t] = fmax(0, fluid->open_vcpus[t] - before) / slot_h;
    }
}

void hs_jobfluid_free(struct hs_jobfluid *fluid)
{
    if (fluid == NULL) {
        return;
    }
    free(fluid->open_vcpus);
    free(fluid->may_vcpu_h);
    free(fluid->must_vcpu_h);
    free(fluid);
}
