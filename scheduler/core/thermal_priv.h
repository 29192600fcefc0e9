/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * thermal_priv - what the files of thermal share: a loop's course and one slot of the plant.
 *
 * thermal.c        the course, and what is asked of it
 * thermal_slope.c  what a little more heat is worth along it
 */

#include "scheduler/base/least.h"
#include "scheduler/core/thermal.h"

#define HS_THERMAL_LEAST_WH 1e-6 /* less room than this is rounding */

/** One slot's figures, apart from the tank. */
struct hs_thermal_slot {
    double captured_wh;
    double demand_wh; /* all sinks, servable */
    double reject_cur_per_wh;
    double floor_wh; /* at its end */
    double cost_cur; /* on the present course */
};

/** What a little more is worth, and how much more keeps that worth. */
struct hs_thermal_slope {
    double cur_per_wh;
    double room_wh;
};

/** Pieces of a worth function that are kept: few loops need as many, the rest is run forward. */
#define HS_THERMAL_PIECES_MAX 4

/** What more is worth, piece by piece; past the last piece nobody knows. */
struct hs_thermal_worth {
    struct hs_thermal_slope pieces[HS_THERMAL_PIECES_MAX];
    size_t n;
};

/** All that a settle writes, by slot. */
struct hs_thermal_course {
    struct hs_thermal_slot *slots;   /* [n_slots] */
    double *tank_wh;                 /* [n_slots + 1] at slot starts */
    struct hs_thermal_worth *stored; /* [n_slots + 1] of heat in the tank at a slot's start */
    struct hs_thermal_slope *heat;   /* [n_slots] of captured heat */
    double *prices;                  /* [n_slots] cur/Wh of probe_wh more */
};

struct hs_thermal {
    size_t n_slots;
    size_t n_sinks;
    double tank_max_wh;
    double loss_a_w;        /* W lost at min_c */
    double loss_b_w_per_wh; /* W lost per stored Wh */
    double charge_limit_w;
    double draw_limit_w;

    double loss_a_wh;
    double loss_b_ratio;
    double charge_max_wh;
    double draw_max_wh;
    double end_cur_per_wh;
    double floor_cur_per_wh;
    size_t *by_worth;       /* [n_sinks] sink indices, least worthy first */
    double *cur_per_wh;     /* [n_sinks] in that order */
    double *sink_demand_wh; /* [n_slots][n_sinks] in that order */
    struct hs_thermal_course now;
    /* what the last settle wrote over, in slots before_first..before_end */
    struct hs_thermal_course before;
    size_t before_first;
    size_t before_end;
    size_t undo_first; /* where heat was laid last */
    size_t undo_end;
    bool is_laid_once; /* since the settle before */
    bool may_undo;     /* nothing was laid since the last settle, and once before it */
    double probe_wh;

    size_t laid_first; /* heat was laid in laid_first..laid_end-1 since the last settle */
    size_t laid_end;   /* 0: none */
    bool is_new;       /* nothing of the present course holds */
};

/** Energy left after the slot's loss; never below 0, never more than before. */
static inline double hs_thermal_keep(const struct hs_thermal *th, double stored_wh)
{
    double loss_wh = th->loss_a_wh + th->loss_b_ratio * stored_wh;

    return stored_wh - hs_least(hs_most(loss_wh, 0.0), stored_wh);
}

/** Cost of leaving @unserved_wh to backup: the least worthy sinks go without first. */
static inline double hs_thermal_price_unserved(const struct hs_thermal *th, size_t t,
                                               double unserved_wh)
{
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double cost_cur = 0.0;

    if (th->n_sinks == 1) {
        return hs_least(unserved_wh, demand_wh[0]) * th->cur_per_wh[0];
    }
    for (size_t k = 0; k < th->n_sinks && unserved_wh > 0; k++) {
        double part_wh = hs_least(unserved_wh, demand_wh[k]);

        cost_cur += part_wh * th->cur_per_wh[k];
        unserved_wh -= part_wh;
    }
    return cost_cur;
}

/** What ending slot @t with @stored_wh falls short of comfort. */
static inline double hs_thermal_price_short(const struct hs_thermal *th, size_t t, double stored_wh)
{
    return hs_most(th->now.slots[t].floor_wh - stored_wh, 0.0) * th->floor_cur_per_wh;
}

/** Run slot @t from @stored_wh with @captured_wh; the tank at its end and the slot's cost. */
static inline double hs_thermal_run_slot(const struct hs_thermal *th, size_t t, double stored_wh,
                                         double captured_wh, double *ret_cost_cur,
                                         double *ret_rejected_wh)
{
    const struct hs_thermal_slot *slot = &th->now.slots[t];
    double kept_wh = hs_thermal_keep(th, stored_wh);
    double over_wh = captured_wh - slot->demand_wh;

    if (over_wh >= 0) {
        double charge_wh =
            hs_least(hs_least(over_wh, th->charge_max_wh), th->tank_max_wh - kept_wh);

        charge_wh = hs_most(charge_wh, 0.0);
        *ret_rejected_wh = over_wh - charge_wh;
        *ret_cost_cur = *ret_rejected_wh * slot->reject_cur_per_wh
                        + hs_thermal_price_short(th, t, kept_wh + charge_wh);
        return kept_wh + charge_wh;
    }
    double draw_wh = hs_least(hs_least(-over_wh, th->draw_max_wh), kept_wh);

    *ret_rejected_wh = 0.0;
    *ret_cost_cur = hs_thermal_price_unserved(th, t, -over_wh - draw_wh)
                    + hs_thermal_price_short(th, t, kept_wh - draw_wh);
    return kept_wh - draw_wh;
}

/** Worths of slot @t on the present course from those of the slot after it. */
void hs_thermal_price_slot(struct hs_thermal *th, size_t t);
