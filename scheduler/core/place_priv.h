/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * place_priv - the planner's state, for its own files only.
 *
 * place.c          life, the frame, the plan as others read it
 * place_job.c      where one job goes
 * place_book.c     what placements take
 * place_modes.c    in which order jobs choose, and which of several plans stands
 * place_repair.c   room for jobs that would be late
 * place_improve.c  jobs taken out and placed anew
 * place_pairs.c    the same, two at a time
 * place_ramp.c     heat that rises no faster than cooling follows
 * place_move.c     jobs that may go on on another host
 * place_parts.c    groups of sites that share no job, on several threads
 */

#include "scheduler/base/vec.h"
#include "scheduler/core/kinds.h"
#include "scheduler/core/place.h"
#include "scheduler/core/search.h"

/** How a plan is laid out, in the order in which they are tried. */
enum hs_place_mode {
    HS_PLACE_MODE_REFRESH,  /* the last plan, and anew what is new or has its turn */
    HS_PLACE_MODE_GUIDED,   /* every job anew, by the prices that we were given */
    HS_PLACE_MODE_CHEAPEST, /* every job anew */
    HS_PLACE_MODE_EARLIEST, /* as soon as possible, then moved to where it costs less */
    HS_PLACE_MODE_KEEP,     /* what the last plan promised, then the others */
    HS_PLACE_MODE_FIRST,    /* first due, first served, in the first place that there is */
    HS_PLACE_MODE_STILL,    /* the same, and nothing moves to another host */
    HS_PLACE_MODE_LAST,     /* last due, first served, as late as it can: room before is kept */
    HS_PLACE_MODE_COUNT_,
};

/** First due, first served? */
static inline bool hs_place_is_first(enum hs_place_mode mode)
{
    return mode == HS_PLACE_MODE_FIRST || mode == HS_PLACE_MODE_STILL;
}

/** Fewer jobs are planned as one, whatever they share. */
#define HS_PLACE_PARTS_JOBS_MIN 2000
#define HS_PLACE_PARTS_MAX      8

/** Room of a host that something else takes. */
struct hs_place_reserved {
    size_t host_idx;
    struct hs_fit_size size;
    size_t first_slot;
    size_t last_slot;
};

/** What holds for slots of the frame alone: a closed host, or a cap on electricity. */
struct hs_place_bound {
    bool is_cap; /* else host idx is closed */
    enum hs_fit_scope scope;
    size_t idx;
    double elec_w;
    size_t first_slot;
    size_t last_slot;
};

struct hs_place {
    const struct hs_estate *estate;
    size_t n_slots;
    struct hs_kinds *kinds;
    struct hs_fit *fit;
    struct hs_thermal **thermals; /* [n_loops] */
    bool *barred;                 /* [n_hosts] */
    double *unused_w;             /* [n_hosts][n_slots] of room that throttled jobs take */
    struct hs_search search;
    struct hs_search_bid *bids; /* [kinds->n] its scratch */
    const double *guide_heat;   /* [n_loops][n_slots] cur/Wh borrowed; NULL: no guide */
    const double *guide_room;   /* [n_loops][n_slots] */

    /* the frame, copied so that a second plan can start from it */
    struct hs_thermal_input *inputs;  /* [n_loops] pointing into the arrays below */
    double *captured_wh;              /* [n_loops][n_slots] */
    double *reject_cur_per_wh;        /* [n_loops][n_slots] */
    double *sink_demand_wh;           /* [n_sinks][n_slots] */
    double *sink_cur_per_mwh;         /* [n_sinks] */
    double *floor_wh;                 /* [n_loops][n_slots] */
    double *elec_cur_per_mwh;         /* [n_sites][n_slots] */
    double slot_h[HS_PLAN_SLOTS_MAX]; /* of each slot, what lies ahead */
    HS_VEC(struct hs_place_reserved) reserved;
    HS_VEC(struct hs_place_bound) bounds;

    HS_VEC(struct hs_placement) placements;
    HS_VEC(const struct hs_place_job *) placed; /* whose they are; borrowed for a plan */
    double ramp_cur_per_kw;                     /* of a breach; 0: ramps are not minded */
    double probe_wh;                            /* what a job of this plan gives a loop in a slot */
    size_t n_late;
    size_t n_avoidable; /* late, and another plan might not be */
    size_t n_threads;
    size_t n_parts;                             /* of the last plan; 0: it was made as one */
    struct hs_place *parts[HS_PLACE_PARTS_MAX]; /* planners of parts; NULL until needed */
    struct hs_plan *plan;                       /* rebuilt when asked for */
    bool is_plan_stale;
    bool is_refresh;      /* what was promised stands unless a move pays for itself */
    bool minds_ramps;     /* moves count what they do to breaches of ramps */
    bool is_reset_wanted; /* the frame has changed since the last reset */
    bool is_room_stale;   /* much was taken: look at every host's room at once */
};

/** Back to the horizon as it was before any job; heat is not priced before hs_place_settle(). */
void hs_place_reset(struct hs_place *place);

/** Prices for the next job: loops that took heat since the last time are solved again. */
void hs_place_settle(struct hs_place *place);

/** Occupy the job's host from now to its end, fit or not: it runs already. */
void hs_place_fix(struct hs_place *place, const struct hs_place_job *job);

/** Take over what a part's planner decided for the job, nowhere included. */
void hs_place_adopt(struct hs_place *place, const struct hs_place_job *job,
                    const struct hs_placement *placement);

/** Plan all jobs of @order, which is sorted anew, trying modes from @first on. */
void hs_place_plan_from(struct hs_place *place, const struct hs_place_job **order, size_t n_jobs,
                        enum hs_place_mode first);

/**
 * The same where the estate falls into parts that share no job, each planned by itself.
 *
 * @return false if it does not: nothing is done
 */
bool hs_place_plan_parts(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs,
                         enum hs_place_mode first);

/** Find the job's place and take it; it counts as late where there is none. */
void hs_place_put(struct hs_place *place, const struct hs_place_job *job, enum hs_place_mode mode);

/** Where the job goes, host_idx SIZE_MAX for nowhere. Takes nothing. */
void hs_place_find(struct hs_place *place, const struct hs_place_job *job, enum hs_place_mode mode,
                   struct hs_placement *ret_placement);

/** Take the placement's room and put its heat into its loop. */
void hs_place_commit(struct hs_place *place, const struct hs_place_job *job,
                     const struct hs_placement *placement);

/**
 * Take the placement's room, and where the job goes on on another host than it is on the memory
 * that its machine holds there until then.
 */
void hs_place_take_room(struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *placement);

/** Give back what hs_place_take_room() took. */
void hs_place_give_room(struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *placement);

/** Is there memory for the job's machine where it is until @placement takes it elsewhere? */
bool hs_place_can_wait_there(const struct hs_place *place, const struct hs_place_job *job,
                             const struct hs_placement *placement);

/** Give back the room and heat of placement @i; it has none until it is put back. */
void hs_place_take_out(struct hs_place *place, size_t i);

/** Give placement @i, taken out, a place; @placement may be none at all. */
void hs_place_put_back(struct hs_place *place, size_t i, const struct hs_placement *placement);

/** Put placement @i, taken out since nothing else was, back where it was; prices too. */
void hs_place_undo_take_out(struct hs_place *place, size_t i);

/** Starts at which the job, run through, ends by @end_at_s. @return false if there is none */
bool hs_place_get_starts(const struct hs_place *place, const struct hs_place_job *job,
                         double end_at_s, size_t *ret_first, size_t *ret_last);

/** Slots that the job, run through from @start, takes within the horizon. */
size_t hs_place_count_slots(const struct hs_place *place, const struct hs_place_job *job,
                            size_t start);

/** Make room for jobs that are late by moving others, where all of them are in time then. */
void hs_place_repair(struct hs_place *place);

/**
 * Jobs that have no place look for one again, and those that start at once, or cannot be in time
 * if their estimate is right, for an earlier one.
 *
 * @return how many found it
 */
size_t hs_place_advance(struct hs_place *place);

/**
 * Take jobs out and place them anew where that pays, up to @n_passes times each.
 *
 * @param has_turn  which jobs; NULL: all
 * @return moves made
 */
size_t hs_place_improve(struct hs_place *place, size_t n_passes,
                        bool (*has_turn)(const struct hs_place *place,
                                         const struct hs_place_job *job));

/**
 * The same two at a time, for few jobs: one chooses as if the other were not there.
 *
 * @param has_turn  which jobs choose first; NULL: all
 * @return pairs moved
 */
size_t hs_place_improve_pairs(struct hs_place *place,
                              bool (*has_turn)(const struct hs_place *place,
                                               const struct hs_place_job *job));

/** What a move of the job from @before has to save at least, cur. */
double hs_place_get_least_gain(const struct hs_place *place, const struct hs_place_job *job,
                               const struct hs_placement *before);

/**
 * Starts that bring more heat than cooling follows, later where that costs less than the breach.
 *
 * @return how many
 */
size_t hs_place_soften_ramps(struct hs_place *place);

/** Placement @i goes to @now if that costs less, breaches of ramps counted. @return whether it did
 */
bool hs_place_move_by_ramps(struct hs_place *place, size_t i, struct hs_placement *now);

/** The job if it were bound to no host, and its moves cost nothing. */
struct hs_place_job hs_place_unbind(const struct hs_place_job *job);

/**
 * Where a job that runs and cannot stop goes on from now: where it is, unless another host is so
 * much better over the horizon that a live move now pays, and pays more now than later.
 */
void hs_place_find_live(struct hs_place *place, const struct hs_place_job *job,
                        struct hs_placement *ret_placement);

/** When the job ends there, as if it went on at full share past its last slot. */
double hs_place_get_end_at_s(const struct hs_place *place, const struct hs_place_job *job,
                             const struct hs_placement *placement);

/** How long before its due time the job ends there, s; negative if it is late. */
double hs_place_get_slack_s(const struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *placement);

/** Is the job too long for the time that is left? Then no plan is to blame. */
bool hs_place_is_hopeless(const struct hs_place *place, const struct hs_place_job *job);

/** Most that a filler job may cost in all to be run, cur. */
double hs_place_get_ceiling(const struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *placement);

/** Run through on @host_idx from @start on, to its end or the horizon's. */
void hs_place_fill_run(const struct hs_place *place, const struct hs_place_job *job,
                       size_t host_idx, size_t start, struct hs_placement *ret_placement);

/** From now to its end where it is. */
void hs_place_fill_fixed(const struct hs_place *place, const struct hs_place_job *job,
                         struct hs_placement *ret_placement);

/** A machine that is there holds its memory until its job has a placement that says how long. */
void hs_place_hold_memory(struct hs_place *place, const struct hs_place_job *job, bool is_held);

/** Could the job start in the next slot and still be in time? */
bool hs_place_can_wait(const struct hs_place *place, const struct hs_place_job *job);
