/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** tank - a heat loop's buffer: how much heat it holds and loses. Plain value. */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/conf.h"

struct hs_tank {
    bool present;
    double volume_l;
    int nodes;
    double min_c;
    double max_c;
    double loss_w_per_k;
    double ambient_c;
    double charge_limit_w;  /* INFINITY if none */
    double draw_limit_w;    /* INFINITY if none */
    double comfort_c;       /* rather not colder than this; NAN: nothing is asked */
    int64_t ride_through_s; /* rather hold the demand of so long; 0: nothing is asked */
    double hygiene_c;       /* to be seen once in hygiene_interval_s; NAN: nothing is asked */
    int64_t hygiene_interval_s;
    int64_t hygiene_hold_s; /* for so long */
};

extern const struct hs_conf_table hs_tank_table;

/** Usable energy of a full tank, Wh; 0 without a tank. */
double hs_tank_max_wh(const struct hs_tank *tank);

/** Usable energy at mean temperature @mean_c, Wh, clipped to 0..max. */
double hs_tank_wh_from_c(const struct hs_tank *tank, double mean_c);

/** Mean temperature at usable energy @stored_wh, degrees Celsius. */
double hs_tank_c_from_wh(const struct hs_tank *tank, double stored_wh);
