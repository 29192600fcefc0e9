/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** sink - something that wants heat, and what makes that heat if compute does not. */

#include <stddef.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"

struct hs_sink {
    char name[HS_NAME_MAX];
    char path[HS_PATH_MAX]; /* "site/loop/sink" */
    size_t loop_idx;
    char kind[HS_NAME_MAX]; /* docs/config.md */
    char lift[HS_NAME_MAX]; /* none, preheat, heat-pump */
    double supply_min_c;
    double heat_limit_w; /* INFINITY if none */
    char backup_kind[HS_NAME_MAX];
    double backup_efficiency_ratio;
    double backup_price_cur_per_mwh; /* of the fuel */
    double backup_gco2_per_kwh;      /* of the fuel */
};

extern const struct hs_conf_table hs_sink_table;

/**
 * What a Wh of useful heat is worth: (price + carbon price x gco2) / efficiency, cur/MWh.
 * Source: docs/simulator.md, Plant.
 */
double hs_sink_worth_cur_per_mwh(const struct hs_sink *sink, double carbon_price_cur_per_t);

#define HS_SINK_CARNOT_RATIO  0.45 /* heat pump's COP / Carnot's; assumed */
#define HS_SINK_MAINS_C       10.0 /* what a dhw sink sends back: cold water; assumed */
#define HS_SINK_RETURN_DROP_K 20.0 /* other sinks send back supply_min_c less this; assumed */

/** How a sink uses loop water of one temperature. */
struct hs_sink_lift {
    double demand_ratio; /* share of its demand that can be met at all; the rest is backup's */
    double heat_ratio;   /* loop heat for each Wh so met */
    double elec_ratio;   /* heat pump's electricity for each Wh so met; heat_ratio + this = 1 */
};

/** Temperature at which the sink's water comes back, as assumed for preheating it. */
double hs_sink_get_return_c(const struct hs_sink *sink);

/**
 * What loop water of @loop_c can do for the sink.
 *
 * As warm as supply_min_c, or lift none: all, without electricity. preheat: the share
 * (loop - return) / (supply_min - return). heat-pump: all, 1 / COP of it electricity, with
 * COP = HS_SINK_CARNOT_RATIO x T_supply_min / (T_supply_min - T_loop), T in kelvin.
 */
struct hs_sink_lift hs_sink_get_lift(const struct hs_sink *sink, double loop_c);

/** Worth of one Wh of loop heat behind @lift: backup's @worth less the heat pump's electricity. */
double hs_sink_get_lifted_worth(const struct hs_sink_lift *lift, double worth_cur_per_mwh,
                                double elec_cur_per_mwh);
