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
    char kind[HS_NAME_MAX]; /* interfaces.md, enums */
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
 * Source: interfaces.md, "The plant in hsim".
 */
double hs_sink_worth_cur_per_mwh(const struct hs_sink *sink, double carbon_price_cur_per_t);
