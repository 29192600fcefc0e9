/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * certificate_priv - what the files of certificate share.
 *
 * certificate.c       life, the horizon, jobs and prices
 * certificate_setup.c what jobs and hosts come down to
 * certificate_jobs.c  the cheapest choice of each job, given prices
 * certificate_path.c  the same of those that may stop
 * certificate_loop.c  the cheapest course of a loop, given prices
 * certificate_slot.c  what one of its slots may draw
 * certificate_grid.c  where a loop's prices move to, nearly
 * certificate_step.c  steps towards better prices
 * certificate_cost.c  what a plan costs
 */

#include <stdbool.h>

#include "scheduler/base/vec.h"
#include "scheduler/core/certificate.h"

/** Hosts of a loop with the same power per vCPU and the same capture. */
struct hs_certificate_kind {
    size_t site_idx;
    size_t loop_idx;
    double elec_w; /* per vCPU */
    double capture_ratio;
    double tail_cur;   /* of a vCPU for a slot past the horizon */
    double least_cur;  /* cheapest slot of work at the present prices, tail included */
    int32_t vcpus_max; /* of its largest host that is not barred */
    int64_t memory_max_mib;
};

/** A job as the certificate sees it; everything is per vCPU in full use and in slots of work. */
struct hs_certificate_job {
    double need;        /* slots of work, > 0 */
    double late_cur;    /* once, per vCPU */
    double fill_cur;    /* filler: what its work is worth at most, per vCPU; else 0 */
    double tail_max;    /* slots of work that may follow the horizon in time */
    double vcpus;       /* in full use: less where its share is cut */
    uint32_t set_first; /* into sets */
    uint32_t set_n;
    uint16_t first;
    uint16_t last_start; /* latest slot to start a run-through in, cut at the horizon */
    uint16_t end;        /* slots before this one may be used */
    bool can_start;      /* at all, in time */
    uint8_t freedom;     /* enum hs_place_freedom */
    bool is_running;
    bool is_elastic; /* may take any part of a slot: least share, stops and waiting are left out */
};

/** A job's choice. Slots of work that lie past the horizon belong to no slot here. */
struct hs_certificate_choice {
    double cur; /* per vCPU */
    size_t kind;
    bool is_path; /* its slots are in the parts given along */
    double start; /* run-through: first slot; negative: nothing within the horizon */
};

/** Stretch of a convex piecewise-linear function. */
struct hs_certificate_segment {
    double width;
    double slope; /* at its start */
    double rise;  /* of the slope, to its end */
    bool is_bought;
};

#define HS_CERTIFICATE_LEAST_WORK 1e-9 /* slots: less is rounding */
#define HS_CERTIFICATE_LEVELS     64   /* of worth: see certificate_grid.c */

struct hs_certificate {
    const struct hs_estate *estate;
    size_t n_slots;
    size_t n_loops;

    /* the horizon */
    int64_t from_at_s;
    int64_t now_at_s;
    double slot_s;
    double waiting_weight;
    double stop_s;
    double late_cur;                 /* a vCPU's price of being late, by slot of work */
    double n_len;                    /* sum of len */
    double len[HS_PLAN_SLOTS_MAX];   /* of a slot that lies ahead; 1 but for the first */
    double *elec_cur_per_mwh;        /* [n_sites][n_slots] */
    struct hs_thermal_input *inputs; /* [n_loops] pointing into the arrays below */
    double *floor_wh;                /* [n_loops][n_slots] */
    double *captured_wh;             /* [n_loops][n_slots] with the jobs that cannot be stopped */
    double *reject_cur_per_wh;       /* [n_loops][n_slots] */
    double *sink_demand_wh;          /* [n_sinks][n_slots] */
    double *sink_cur_per_mwh;        /* [n_sinks] */
    bool *barred;                    /* [n_hosts] */
    int32_t *free_vcpus;             /* [n_hosts][n_slots] */
    double *held_vcpus;              /* [n_hosts] of jobs that run there and may go on regardless */
    double *rack_left_w;             /* [n_racks][n_slots] */

    struct hs_certificate_kind *kinds; /* [n_kinds] */
    size_t n_kinds;
    size_t *kind_of_host; /* [n_hosts] */
    /* rows by kind and slot, per vCPU and (what is left of the) slot */
    double *elec_cur;  /* [n_kinds][n_slots] */
    double *heat_wh;   /* [n_kinds][n_slots] */
    double *stop_cur;  /* [n_kinds][n_slots] */
    double *elec_sum;  /* [n_kinds][n_slots + 1] over the slots before */
    double *price_cur; /* [n_kinds][n_slots] electricity less heat and with room, as priced now */
    double *price_sum; /* [n_kinds][n_slots + 1] */
    uint16_t *order;   /* [n_kinds][n_slots] cheapest per time first */

    const struct hs_place_job *given; /* [n_jobs] borrowed */
    struct hs_certificate_job *jobs;  /* [n_jobs] without those that are fixed */
    size_t n_jobs;
    size_t n_given;
    HS_VEC(uint32_t) sets;

    /* prices and what they bring about, [n_loops][n_slots] each */
    double *heat_cur_per_wh; /* lambda */
    double *room_cur;        /* pi, per vCPU and slot */
    double *best_heat;
    double *best_room;
    double *calm_heat; /* mean of the last prices */
    double *calm_room;
    double *heat_max_cur;  /* [n_loops] no heat is worth more */
    double *room_vcpus;    /* capacity */
    double *heat_max_wh;   /* most heat that jobs can give */
    double *bought_wh;     /* heat that the loop would buy */
    double *given_wh;      /* heat that the jobs would give */
    double *used_vcpus;    /* room that the jobs would take */
    double *mean_given_wh; /* the same over the last choices */
    double *mean_used_vcpus;
    double *steep;      /* cur/Wh/Wh, > 0: see hs_certificate_move_loop() */
    double *heat_tally; /* sum of squares of what a price was off by, as shares of the scales */
    double *room_tally;
    double *heat_side; /* which side it was off to */
    double *room_side;
    double *heat_scale_wh; /* [n_loops] */
    double *room_scale;    /* [n_loops] */
    bool has_prices;
    bool has_plan; /* mean_given_wh is a plan's */
    double bound_cur;
    size_t n_steps;
    size_t n_since_calm;          /* steps since the mean prices were tried */
    size_t n_since_check;         /* steps since it was asked whether they should get finer */
    double checked_cur;           /* the bound then */
    size_t stride;                /* of the jobs that a step looks at */
    bool is_fine;                 /* steps are exact */
    struct hs_thermal **thermals; /* [n_loops] to cost a plan */

    /* scratch */
    double *path_run;                        /* [n_slots + 1][n_slots + 1] */
    double *path_idle;                       /* the same */
    struct hs_certificate_segment *segments; /* of a loop's functions, slot by slot */
    struct hs_certificate_segment *merged;
    struct hs_certificate_segment *draws; /* [2][n_draws_max] */
    size_t n_draws_max;
    float *levels_wh; /* [n_slots][HS_CERTIFICATE_LEVELS] */
};

/** Free what hosts and racks have, and the rows that no price changes. */
void hs_certificate_set_hosts(struct hs_certificate *cert);

/** Kinds of hosts. */
void hs_certificate_set_kinds(struct hs_certificate *cert);

/** Slots of work, windows and kinds of each job; fixed ones go into base load. */
void hs_certificate_add_jobs(struct hs_certificate *cert);

/** What a loop's hosts and racks leave to jobs. */
void hs_certificate_set_room(struct hs_certificate *cert);

/** Base load: it runs where it is to its end, as fast as it may. */
static inline bool hs_certificate_is_fixed(const struct hs_place_job *job)
{
    return job->freedom == HS_PLACE_FIXED && !job->is_movable && !hs_place_is_elastic(job);
}

/** Price a vCPU on each kind at the present prices. */
void hs_certificate_set_rows(struct hs_certificate *cert);

/**
 * Let each @stride-th job from @first on choose; their heat and room are added to given_wh and
 * used_vcpus.
 *
 * @return the sum of what they pay, cur
 */
double hs_certificate_choose_jobs(struct hs_certificate *cert, size_t first, size_t stride);

/**
 * The cheapest slots of work that may stop, if they cost less than *io_best.
 *
 * @param io_parts  [n_slots] what of each slot they take, where *io_best becomes a path
 */
void hs_certificate_choose_parts(struct hs_certificate *cert, const struct hs_certificate_job *job,
                                 struct hs_certificate_choice *io_best, double *io_parts);

/** Cheapest course of a loop that buys heat at the present prices; fills bought_wh. @return cur */
double hs_certificate_solve_loop(struct hs_certificate *cert, size_t loop_idx);

/**
 * Move a loop's heat prices to where it would buy what jobs give in the mean, but not far: they
 * are what they were where it buys just that, and rise by steep for each Wh more. Fills
 * heat_cur_per_wh and bought_wh.
 */
void hs_certificate_move_loop(struct hs_certificate *cert, size_t loop_idx);

/** The same nearly and sooner: see certificate_grid.c. */
void hs_certificate_slide_loop(struct hs_certificate *cert, size_t loop_idx);
