/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bound_jobs - rows that know more of the jobs: groups of like length, contiguous ones run through.
 *
 * Added to the rows of bound, so its optimum is never below. Jobs that may stop, and short ones,
 * are one fluid per length. Of a contiguous job the first m whole slots (its core; m from a coarse
 * grid, so that like jobs share it) run through in one class, what is left is a fluid of its own.
 *
 * C(t) counts vCPUs of a group and class whose core has started by the beginning of slot t; a
 * start between two slots is a share of both. Then C(t) - C(t - m) run in slot t, exactly, for any
 * start. Windows need only sums: started by t are at least the jobs whose latest start has passed
 * and at most those that were submitted, which says all where the earlier submitted are due first.
 */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/bound_priv.h"

#define JOBS_SLACK      1e-6 /* rounding of sums must not make work late */
#define JOBS_REST_MIN_S 1.0  /* less is not worth a share of a fluid */
#define JOBS_CORES      4
#define JOBS_FLUIDS     2

/*
 * Slots of a core; a contiguous job of fewer than the first is a fluid. A finer grid is hardly
 * tighter and much slower (13 lengths: 0.03 % and 62 s where these take 25 s and 0.01 %).
 */
static const size_t core_slots[JOBS_CORES] = {8, 24, 72, 216};

/* Longest run of a fluid's jobs, slots. */
static const double fluid_slots[JOBS_FLUIDS] = {16, INFINITY};

struct job_groups {
    struct hs_jobfluid *cores[JOBS_CORES]; /* one slot of work a job: its start */
    struct hs_jobfluid *fluids[JOBS_FLUIDS];
    struct hs_jobfluid *rest;
    size_t *link_rows; /* [n_slots][n_classes] busy vCPUs = the sum over groups */
};

/** The grid's core for a run; JOBS_CORES if it is too short to have one. */
static size_t find_core(double run_slots)
{
    size_t found = JOBS_CORES;

    for (size_t i = 0; i < JOBS_CORES && (double)core_slots[i] <= run_slots; i++) {
        found = i;
    }
    return found;
}

static void pour(const struct hs_bound *b, struct hs_jobfluid **io_fluid, double vcpus,
                 double submit_s, double due_s, double run_s)
{
    if (*io_fluid == NULL) {
        *io_fluid = hs_jobfluid_new(b->scenario->n_slots, (double)b->scenario->slot_s);
    }
    hs_jobfluid_add(*io_fluid, vcpus, submit_s, due_s, run_s);
}

static void pour_job(const struct hs_bound *b, const struct hs_simjob *job,
                     struct job_groups *groups)
{
    double slot_s = (double)b->scenario->slot_s;
    double submit_s = job->submit_at_s - (double)b->scenario->start_at_s;
    /* what cannot be in time is late in the fluid of all; here it has the time that it needs */
    double due_s = fmax(job->due_at_s - (double)b->scenario->start_at_s, submit_s + job->run_s);
    size_t core = job->interruptible ? JOBS_CORES : find_core(job->run_s / slot_s);
    double core_s, rest_s;

    if (core == JOBS_CORES) {
        size_t i = 0;

        while (job->run_s > fluid_slots[i] * slot_s) {
            i++;
        }
        pour(b, &groups->fluids[i], job->vcpus, submit_s, due_s, job->run_s);
        return;
    }
    core_s = (double)core_slots[core] * slot_s;
    rest_s = job->run_s - core_s;
    pour(b, &groups->cores[core], job->vcpus, submit_s, due_s - job->run_s + slot_s, slot_s);
    if (rest_s > JOBS_REST_MIN_S) {
        pour(b, &groups->rest, job->vcpus, submit_s + core_s, due_s, rest_s);
    }
}

/** A fluid's own columns and rows: busy vCPUs per class, work so far within its limits. */
static void add_fluid(struct hs_bound *b, const struct job_groups *groups,
                      struct hs_jobfluid *fluid)
{
    size_t before = 0;

    if (fluid == NULL) {
        return;
    }
    hs_jobfluid_apply(fluid);
    for (size_t t = 0; t < b->scenario->n_slots; t++) {
        size_t done = hs_sparselp_add_row(b->lp, 0, 0);
        size_t open = hs_sparselp_add_row(b->lp, -INFINITY, fluid->open_vcpus[t] + JOBS_SLACK);
        size_t work = hs_sparselp_add_column(b->lp, fmax(0, fluid->must_vcpu_h[t] - JOBS_SLACK),
                                             fluid->may_vcpu_h[t] + JOBS_SLACK, 0);

        hs_sparselp_set(b->lp, done, work, 1);
        if (t > 0) {
            hs_sparselp_set(b->lp, done, before, -1);
        }
        before = work;
        for (size_t k = 0; k < b->n_classes; k++) {
            size_t busy = hs_sparselp_add_column(b->lp, 0, b->classes[k].free_vcpus, 0);

            hs_sparselp_set(b->lp, done, busy, -b->slot_h);
            hs_sparselp_set(b->lp, open, busy, 1);
            hs_sparselp_set(b->lp, groups->link_rows[t * b->n_classes + k], busy, -1);
        }
    }
}

/** A group of cores of @n_slots_core slots: started so far, per class, and never fewer. */
static void add_cores(struct hs_bound *b, const struct job_groups *groups,
                      struct hs_jobfluid *starts, size_t n_slots_core)
{
    size_t n_slots = b->scenario->n_slots, first = b->lp->columns.n;

    if (starts == NULL) {
        return;
    }
    hs_jobfluid_apply(starts);
    for (size_t t = 0; t < n_slots; t++) {
        double must = fmax(0, starts->must_vcpu_h[t] / b->slot_h - JOBS_SLACK);
        size_t sum =
            hs_sparselp_add_row(b->lp, must, starts->may_vcpu_h[t] / b->slot_h + JOBS_SLACK);

        for (size_t k = 0; k < b->n_classes; k++) {
            size_t started = hs_sparselp_add_column(b->lp, 0, INFINITY, 0);

            hs_sparselp_set(b->lp, sum, started, 1);
            if (t > 0) {
                size_t grows = hs_sparselp_add_row(b->lp, 0, INFINITY);

                hs_sparselp_set(b->lp, grows, started, 1);
                hs_sparselp_set(b->lp, grows, started - b->n_classes, -1);
            }
        }
    }
    for (size_t t = 0; t < n_slots; t++) {
        for (size_t k = 0; k < b->n_classes; k++) {
            size_t row = groups->link_rows[t * b->n_classes + k];

            hs_sparselp_set(b->lp, row, first + t * b->n_classes + k, -1);
            if (t >= n_slots_core) {
                hs_sparselp_set(b->lp, row, first + (t - n_slots_core) * b->n_classes + k, 1);
            }
        }
    }
}

void hs_bound_add_groups(struct hs_bound *b)
{
    struct job_groups groups = {0};
    size_t n_slots = b->scenario->n_slots;

    for (size_t j = 0; j < b->jobs->n; j++) {
        pour_job(b, &b->jobs->items[j], &groups);
    }
    groups.link_rows = hs_xcalloc(n_slots * b->n_classes, sizeof(*groups.link_rows));
    for (size_t t = 0; t < n_slots; t++) {
        for (size_t k = 0; k < b->n_classes; k++) {
            size_t row = hs_sparselp_add_row(b->lp, 0, 0);

            hs_sparselp_set(b->lp, row, hs_bound_get_busy_column(b, t, k), 1);
            groups.link_rows[t * b->n_classes + k] = row;
        }
    }
    for (size_t i = 0; i < JOBS_FLUIDS; i++) {
        add_fluid(b, &groups, groups.fluids[i]);
        hs_jobfluid_free(groups.fluids[i]);
    }
    add_fluid(b, &groups, groups.rest);
    hs_jobfluid_free(groups.rest);
    for (size_t i = 0; i < JOBS_CORES; i++) {
        add_cores(b, &groups, groups.cores[i], core_slots[i]);
        hs_jobfluid_free(groups.cores[i]);
    }
    free(groups.link_rows);
}
