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
    double over_c;             /* hotter its water may not be; NAN: see hs_heatloop_get_over_c() */
    double flow_min_l_per_min; /* less is no flow; NAN: nobody said */
    struct hs_tank tank;
    double rejection_limit_w;    /* INFINITY if none is stated */
    double rejection_elec_ratio; /* electricity ÷ rejected heat */

    size_t first_sink_idx;
    size_t n_sinks;
};

extern const struct hs_conf_table hs_heatloop_table;

/** Above this its water is too hot, degrees Celsius: as stated, or 10 K over what it is made for.
 */
double hs_heatloop_get_over_c(const struct hs_heatloop *loop);
