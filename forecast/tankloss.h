/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * tankloss - what a loop's buffer tank really loses, learned from its thermometers and meters.
 *
 * Balance over windows of some hours: loss x (tank - ambient) x span = put in - taken out - what
 * the tank gained. The meters err by a share of what they count, always the same way: both shares
 * are unknowns beside the loss, so that hours without flow tell most and the standard error does
 * not shrink below what such meters allow. Windows that cannot be (a tank at its limits, a silence,
 * an outlier) are left out or clipped. Old windows fade. Plain value, pure.
 */

#include <stdint.h>

#include "forecast/heatmodel.h"
#include "scheduler/model/tank.h"

/** What is wrong with the figure; each ends by itself when the readings are good again. */
enum hs_tankloss_doubt {
    HS_TANKLOSS_FINE,
    HS_TANKLOSS_GAINS,        /* it seems to gain heat from a colder room: a reading is off */
    HS_TANKLOSS_INCONSISTENT, /* its temperature does not follow what goes in and out */
};

/** What is known at one instant; counters are sums since any start. */
struct hs_tankloss_sample {
    int64_t at_s;
    double tank_c; /* mean over its heights */
    double in_wh;  /* put in so far; NAN: not metered */
    double out_wh; /* taken out or rejected so far; NAN: not metered */
};

#define HS_TANKLOSS_UNKNOWNS 3 /* loss, error of the meter in, error of the meter out */

struct hs_tankloss {
    struct hs_tankloss_sample open; /* start of the window; at_s 0: none */
    struct hs_tankloss_sample newest;
    double sum_c_s; /* integral of the tank's temperature over the window */
    double n_windows;
    double info[HS_TANKLOSS_UNKNOWNS][HS_TANKLOSS_UNKNOWNS]; /* of loss and the meters' errors */
    double push[HS_TANKLOSS_UNKNOWNS];
    double misfit; /* mean squared residual, in variances */
};

/** Nothing known. */
void hs_tankloss_init(struct hs_tankloss *loss);

/** Take in a sample; in time order, a second one of the same instant replaces the first. */
void hs_tankloss_add(struct hs_tankloss *loss, const struct hs_tank *tank,
                     const struct hs_tankloss_sample *sample);

/** W/K and its standard error; NAN while too little is known. */
struct hs_physics_figure hs_tankloss_get(const struct hs_tankloss *loss);

enum hs_tankloss_doubt hs_tankloss_get_doubt(const struct hs_tankloss *loss);
