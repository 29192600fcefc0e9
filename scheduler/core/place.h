/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * place - decides what runs where and when.
 *
 * Greedy insertion, most urgent first: each job takes the host and slots at which electricity,
 * carbon and waiting, less the exact worth of its heat given everything placed before it, cost
 * least, and which end before its due time on a host that fits. Heat prices are updated as power
 * is placed. If some job comes out late that need not be, other plans are made: everything as early
 * as it can, what the last plan promised and then the rest, first come first served; the one with
 * the fewest such jobs stands. Then jobs are taken out and placed anew as long as that pays. See
 * docs/planner.md. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/fit.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

/** Few enough jobs to price whatever might be cheapest. */
#define HS_PLACE_THOROUGH_JOBS_MAX 500

struct hs_place;

/** What may be done with a job. */
enum hs_place_freedom {
    HS_PLACE_FIXED,         /* runs now and cannot be stopped: occupies its host to its end */
    HS_PLACE_AT_ONCE,       /* as early as it fits: pinned, movable, --now */
    HS_PLACE_CONTIGUOUS,    /* may wait, then runs through */
    HS_PLACE_INTERRUPTIBLE, /* may wait and be suspended between slots */
    HS_PLACE_FILLER,        /* like interruptible, and only where its heat pays for it */
};

/** A job as the planner sees it. Plain value. */
struct hs_place_job {
    uint64_t job_id;
    enum hs_place_freedom freedom;
    struct hs_fit_size size;
    double remaining_s;    /* > 0; at share_max if that is given */
    bool is_hopeless;      /* its estimate is longer than the time left, and remaining_s is cut */
    int64_t earliest_at_s; /* 0: now */
    int64_t due_at_s;      /* latest end; never 0 */
    double margin_s;       /* rather end this long before its due time, while there is room */
    int64_t min_run_s;     /* shortest run between suspensions */
    bool is_running;       /* now; stopping it costs something */
    bool must_run_now;     /* its minimum run is not over */
    bool is_movable;       /* bound to host_idx, but may go on elsewhere: live if fixed */
    double ceiling_cur_per_mwh; /* filler: most that its electricity, less its heat, may cost */
    double move_s;              /* what that costs, s of its power */
    uint8_t share_min;          /* quarters of its vCPUs' time that it runs at, at least ... */
    uint8_t share_max;          /* ... and at most, chosen by slot; 0: always all of it */
    size_t host_idx;            /* SIZE_MAX: any; else bound to this one */
    int priority;               /* higher first among equally urgent */
    const bool *site_allowed;   /* [n_sites] borrowed until the next set; NULL: all */
    const struct hs_placement *last; /* of the plan before, borrowed for the call; NULL: none */
    int64_t last_from_at_s;          /* start of that plan's slot 0 */
};

/** May its share be chosen by slot? */
static inline bool hs_place_is_elastic(const struct hs_place_job *job)
{
    return job->share_min > 0 && job->share_min < job->share_max;
}

/** The most of its vCPUs' time that it takes. */
static inline double hs_place_get_full_share(const struct hs_place_job *job)
{
    return job->share_max > 0 ? job->share_max / 4.0 : 1.0;
}

/** Its speed in @slot, as a ratio to that at its full share. */
static inline double hs_place_get_speed(const struct hs_place_job *job,
                                        const struct hs_placement *placement, size_t slot)
{
    unsigned cut = hs_plan_get_cut(placement, slot);

    return cut == 0 || job->share_max == 0 ? 1.0 : 1.0 - (double)cut / job->share_max;
}

/** What the horizon looks like before any job. Borrowed for the call. */
struct hs_place_frame {
    int64_t now_at_s;
    int64_t from_at_s;              /* start of slot 0, <= now */
    const double *elec_cur_per_mwh; /* [n_sites][n_slots] as decided upon: weights and carbon in */
    const struct hs_thermal_input *thermal; /* [n_loops] captured_wh is the base load's */
    double waiting_weight;  /* a day of waiting counts as this share of the job's electricity */
    bool frees_memory;      /* suspended work, saved to disk, does */
    double suspend_s;       /* a suspend costs at least this much of the job's power and time */
    double ramp_cur_per_kw; /* of a kW in a slot that cooling does not follow; 0: not minded */
};

/** A planner for @estate (kept). Owned by the caller. */
struct hs_place *hs_place_new(const struct hs_estate *estate, size_t n_slots);

/**
 * Plan on up to @n_threads where many jobs fall into groups that share no site; one until then.
 * The plan does not depend on how many there are.
 */
void hs_place_set_threads(struct hs_place *place, size_t n_threads);

/** Groups of sites that the last plan was made of; 1 where all is one. */
size_t hs_place_count_parts(const struct hs_place *place);

/** Take in a new horizon and forget every job. */
void hs_place_set(struct hs_place *place, const struct hs_place_frame *frame);

/** Hosts' room that something else takes for the whole horizon (machines that are not ours). */
void hs_place_reserve(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size);

/** The same for the slots @first..@last only. */
void hs_place_reserve_slots(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size,
                            size_t first, size_t last);

/** Nothing is to start or go on on @host_idx in slots @first..@last: planned maintenance. */
void hs_place_close_slots(struct hs_place *place, size_t host_idx, size_t first, size_t last);

/** No more than @elec_w of IT power in these slots; each slot once, its lowest cap. */
void hs_place_cap_slots(struct hs_place *place, enum hs_fit_scope scope, size_t idx, double elec_w,
                        size_t first, size_t last);

/** A host that does not answer takes no job. */
void hs_place_bar(struct hs_place *place, size_t host_idx);

/**
 * Prices at which supply of heat and room meets demand, such as hs_certificate_get_heat_prices()
 * and its _room_prices() have. Jobs of the next hs_place_plan() choose by them and look again
 * at what their choices cost together: a better plan than that of jobs which only see who came
 * first. Forgotten at the next set.
 *
 * @param heat_cur_per_wh  [n_loops][n_slots] borrowed until the plan is made
 * @param room_cur         [n_loops][n_slots] of a vCPU for a slot; borrowed likewise
 */
void hs_place_guide(struct hs_place *place, const double *heat_cur_per_wh, const double *room_cur);

/**
 * Place all of @jobs. Call after set, reserve and bar.
 *
 * @param jobs  [n_jobs] borrowed
 */
void hs_place_plan(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs);

/**
 * The same in less time: most jobs keep what the last plan promised them, and each looks for its
 * place anew, against all the others, once in a few slots; new jobs at once. For a horizon that
 * differs little from the one before. Few jobs are all placed anew.
 */
void hs_place_refresh(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs);

/** Place one more job against what stands. @return its placement, borrowed until the next call */
const struct hs_placement *hs_place_insert(struct hs_place *place, const struct hs_place_job *job);

/** Where hs_place_insert() would put @job, which is not fixed; nothing is taken. */
void hs_place_try(struct hs_place *place, const struct hs_place_job *job,
                  struct hs_placement *ret_placement);

/**
 * What @job would cost if it started in slot 0 on the best host that fits, cur; NAN if none fits.
 * Counts against everything placed but the job itself being placed already.
 */
double hs_place_price_now(struct hs_place *place, const struct hs_place_job *job);

/** Power of a host in @slot with everything that is placed, W. Ask after hs_place_get_plan(). */
double hs_place_get_elec_w(const struct hs_place *place, size_t host_idx, size_t slot);

/** What has been placed, without the rest of a plan; borrowed until the next call. */
const struct hs_placement *hs_place_get_placements(const struct hs_place *place, size_t *ret_n);

/** The plan in force, made when asked for; borrowed until the next call that places. */
const struct hs_plan *hs_place_get_plan(struct hs_place *place);

/** Accepts NULL. */
void hs_place_free(struct hs_place *place);
HS_DEFINE_AUTO(hs_place);
