/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** heatloop - source, capture, storage, sinks and rejection of one pipe. Plain value. */

#include <stddef.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"
#include "scheduler/model/tank.h"

struct hs_heatloop {
    char name[HS_NAME_MAX];
    char path[HS_PATH_MAX]; /* "site/loop" */
    size_t site_idx;
    double capture_ratio; /* NAN if the racks' cooling decides */
    double supply_c;
    struct hs_tank tank;
    double rejection_limit_w;    /* INFINITY if none is stated */
    double rejection_elec_ratio; /* electricity ÷ rejected heat */

    size_t first_sink_idx;
    size_t n_sinks;
};

extern const struct hs_conf_table hs_heatloop_table;
