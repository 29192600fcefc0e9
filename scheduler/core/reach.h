/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * reach - how far a loop's heat reaches: how long its tank alone carries the demand, and how much
 * more heat it could use.
 *
 * Source of the words: ride-through is how long the building stays warm if all compute stops now;
 * headroom is captured heat that would still replace backup heat, now or later, and not be dumped.
 * Pure.
 */

#include <stddef.h>

#include "scheduler/model/tank.h"

/**
 * How long the tank alone meets the whole demand, s.
 *
 * In each slot the loss loss_w_per_k (T - ambient_c) leaves the tank, then the demand does. A
 * demand above the tank's draw limit is not met.
 *
 * @param tank_wh        usable energy now
 * @param first_s        length of the first slot, what is left of it; the others last @slot_s
 * @param demand_heat_w  [n] mean of each slot, >= 0
 * @return INFINITY if the tank outlasts all slots
 */
double hs_reach_get_ride_s(const struct hs_tank *tank, double tank_wh, double first_s,
                           double slot_s, const double *demand_heat_w, size_t n);

/** A loop's planned course. */
struct hs_reach_course {
    double tank_max_wh;    /* 0 without a tank */
    double charge_limit_w; /* INFINITY if none */
    double first_s;        /* length of slot 0, what is left of it; the others last slot_s */
    double slot_s;
    size_t n_slots;
    const double *tank_wh;     /* [n_slots] at slot end */
    const double *unserved_wh; /* [n_slots] demand left to backup */
    const double *rejected_wh; /* [n_slots] dumped */
};

/**
 * Heat that could be added at constant power from @first over @n slots and still be used, W: it
 * meets demand left to backup, or is stored and does so later, and none of it is ever dumped.
 * Losses of what is stored meanwhile are left out, which errs on the small side.
 */
double hs_reach_get_headroom_w(const struct hs_reach_course *course, size_t first, size_t n);
