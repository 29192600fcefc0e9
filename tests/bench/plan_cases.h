/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plan_cases - made-up estates, horizons and jobs that the planner is measured on.
 *
 * One site, one heat loop, one sink and one rack per loop; one kind of host per loop. A loop's
 * capacity is the limit of its rack; its hosts have room for a quarter more vCPUs than that limit
 * can feed, so that both bind. Figures: docs/planner.md, Cases. The same setup gives the same case
 * on every machine.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/place.h"
#include "scheduler/model/estate.h"

#define PLAN_CASES_SLOT_S INT64_C(900)
#define PLAN_CASES_WORDS  6 /* that plan_cases_read() takes */

struct plan_cases_setup {
    size_t n_jobs; /* 20 a loop at least, so that the largest fits the smallest loop */
    size_t n_loops;
    size_t n_hosts; /* n_loops at least */
    size_t n_slots; /* 96 up to HS_PLAN_SLOTS_MAX */
    double utilisation;
    uint64_t seed;
    size_t n_groups; /* of loops that share no job; 0: one */
};

struct plan_cases {
    struct plan_cases_setup setup;
    struct hs_estate *estate;
    struct hs_place_frame frame; /* what hs_place_set() takes */
    struct hs_place_job *jobs;   /* [n_jobs] what hs_place_plan() takes */
    size_t n_jobs;
    size_t n_jobs_max;

    double *elec_cur_per_mwh;        /* [n_loops][n_slots] */
    double *captured_wh;             /* [n_loops][n_slots] */
    double *demand_wh;               /* [n_loops][n_slots] */
    double *reject_cur_per_wh;       /* [n_loops][n_slots] */
    double *noise;                   /* [n_loops][n_slots] standard normal, of the demand */
    double *worth_cur_per_mwh;       /* [n_loops] */
    double *mean_demand_w;           /* [n_loops] */
    double *mean_cur_per_mwh;        /* [n_loops] of electricity */
    struct hs_thermal_input *inputs; /* [n_loops] */

    bool *allowed; /* [n_allowed][n_loops] which sites a job may use */
    size_t n_allowed;
    struct hs_placement *last; /* [n_jobs] of the plan before, by job */
    uint64_t n_ids;            /* jobs made so far; ids count from 1 */
    uint64_t random;
};

/**
 * JOBS LOOPS HOSTS SLOTS UTILISATION SEED from a command line.
 *
 * @param words  [n] borrowed
 * @return false if they are fewer or no case can be made of them; said on stderr
 */
bool plan_cases_read(char *const *words, int n, struct plan_cases_setup *ret_setup);

/** A case; owned by the caller. */
struct plan_cases *plan_cases_new(const struct plan_cases_setup *setup);

/**
 * Go one slot on: what @placements ran in slot 0 has run, jobs that are done leave, up to 1 % of
 * all are gone in all, 1 % are new, the forecast differs a little. Jobs know their last placement.
 *
 * @param placements  [n_placements] the plan made for the case as it stands
 * @param tank_wh     [n_loops] heat in the tanks at the end of slot 0
 */
void plan_cases_step(struct plan_cases *cases, const struct hs_placement *placements,
                     size_t n_placements, const double *tank_wh);

/** One more job like the others, new to the case; not added. */
struct hs_place_job plan_cases_draw_job(struct plan_cases *cases);

/** Power of one busy vCPU, W: the same on every host. */
double plan_cases_get_w_per_vcpu(const struct plan_cases *cases);

/** Accepts NULL. */
void plan_cases_free(struct plan_cases *cases);
HS_DEFINE_AUTO(plan_cases);
