/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_tank - what a simulated tank holds, and at which height.
 *
 * nodes: 1 is one number, the energy above min_c (docs/simulator.md, Plant). With more
 * nodes the water lies in layers of equal volume, top first: charge enters at the top and pushes
 * the water down, draw leaves at the top and its return enters the bottom at min_c, layers conduct
 * heat and lose it to the air around, warm water rises. Every step keeps energy to rounding and is
 * stable for any span. Never colder than min_c: an empty tank has nothing to lose. Pure.
 */

#include <stddef.h>

#include "scheduler/model/tank.h"

#define HS_PLANT_TANK_NODES_MAX 50

/* Vertical conduction: water 0.6 W/(m K), and as much again for the wall: 50 W/(m K) of steel, 3 mm
 * thick, round 1 m of water, is 50 x 4 x 0.003 / 1 = 0.6 W/(m K) of the water's section. Assumed.
 */
#define HS_PLANT_TANK_CONDUCTION_W_PER_M_K 1.2
#define HS_PLANT_TANK_SLENDER_RATIO        2.5 /* height / diameter; assumed */
#define HS_PLANT_TANK_SPREAD_K             10  /* what the racks add to a return; assumed */

#define HS_PLANT_TANK_SENSORS 3 /* of a stratified tank: the middles of its thirds, top first */

struct hs_plant_tank {
    size_t n_nodes;                          /* 0: there is no tank */
    double stored_wh;                        /* above min_c, all nodes */
    double node_wh[HS_PLANT_TANK_NODES_MAX]; /* [n_nodes] top first; unused by nodes: 1 */
};

/** A tank that holds @stored_wh: hot (max_c) above, empty (min_c) below; nodes: 1 is mixed. */
void hs_plant_tank_init(const struct hs_tank *spec, double stored_wh,
                        struct hs_plant_tank *ret_tank);

/** Height of a cylinder of the tank's volume with HS_PLANT_TANK_SLENDER_RATIO, m. */
double hs_plant_tank_get_height_m(const struct hs_tank *spec);

/** Temperature at @height_ratio (0 bottom, 1 top), between the middles of layers. */
double hs_plant_tank_get_c(const struct hs_tank *spec, const struct hs_plant_tank *tank,
                           double height_ratio);

/** Heights of the sensors that a simulated tank has. @return 1 (nodes: 1) or all; 0 without tank */
size_t hs_plant_tank_get_sensors(const struct hs_plant_tank *tank, const double **ret_height_ratio);

/** Let @span_s pass: conduction, loss, mixing. @return heat lost, Wh; never negative */
double hs_plant_tank_rest(const struct hs_tank *spec, struct hs_plant_tank *tank, double span_s);

/**
 * Put in @charge_wh, no more than there is room for.
 *
 * It enters at @supply_c. Where the bottom is that warm already, the racks warm their return by
 * HS_PLANT_TANK_SPREAD_K at a pass, up to max_c.
 */
void hs_plant_tank_charge(const struct hs_tank *spec, struct hs_plant_tank *tank, double supply_c,
                          double charge_wh);

/** Take out @draw_wh, no more than it holds, from the top down. */
void hs_plant_tank_draw(const struct hs_tank *spec, struct hs_plant_tank *tank, double draw_wh);
