/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** rack - an electrical limit and a cooling architecture, attached to one heat loop. */

#include <stddef.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"

struct hs_rack {
    char name[HS_NAME_MAX];
    char path[HS_PATH_MAX]; /* "site/rack" */
    char loop[HS_NAME_MAX]; /* name within the site, as in the file */
    char cooling[HS_NAME_MAX];
    size_t site_idx;
    size_t loop_idx;
    double limit_w;       /* INFINITY if none */
    double capture_ratio; /* resolved: rack's, else loop's, else the cooling's default */

    size_t first_host_idx;
    size_t n_hosts;
};

extern const struct hs_conf_table hs_rack_table;
