/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** rack - an electrical limit and a cooling architecture, attached to one heat loop. */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"

/* allowable inlet air of servers of class A2: ASHRAE TC 9.9, Thermal Guidelines, 5th ed. */
#define HS_RACK_INLET_MAX_C 35.0

struct hs_rack {
    char name[HS_NAME_MAX];
    char path[HS_PATH_MAX]; /* "site/rack" */
    char loop[HS_NAME_MAX]; /* name within the site, as in the file */
    char cooling[HS_NAME_MAX];
    size_t site_idx;
    size_t loop_idx;
    double limit_w;        /* INFINITY if none */
    double capture_ratio;  /* resolved: rack's, else loop's, else the cooling's default */
    double inlet_max_c;    /* hotter what cools it may not be; see hs_rack_get_inlet_max_c() */
    double ramp_w_per_min; /* how fast captured heat may rise; see hs_rack_has_ramp() */

    size_t first_host_idx;
    size_t n_hosts;
};

extern const struct hs_conf_table hs_rack_table;

/**
 * Hotter the air or water into the rack may not be, degrees Celsius: as stated, else
 * HS_RACK_INLET_MAX_C where air cools it. INFINITY: nobody said.
 */
double hs_rack_get_inlet_max_c(const struct hs_rack *rack);

/** True if its cooling follows rising heat slowly; false where no ramp was given. */
bool hs_rack_has_ramp(const struct hs_rack *rack);
