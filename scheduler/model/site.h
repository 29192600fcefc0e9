/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** site - a building or campus with one grid connection. Plain value. */

#include <stddef.h>

#include "scheduler/base/conf.h"

#define HS_NAME_MAX 64  /* one name, NUL included */
#define HS_PATH_MAX 200 /* site/loop/sink, NUL included */

struct hs_site {
    char name[HS_NAME_MAX];
    char template_name[HS_NAME_MAX]; /* "" if none */
    char redundancy[HS_NAME_MAX];    /* of the rejection: n, n+1, 2n */
    char timezone[HS_NAME_MAX];
    double latitude;
    double longitude;
    double price_cur_per_mwh; /* electricity, where no series is given */
    double gco2_per_kwh;      /* electricity, where no series is given */
    double limit_w;           /* grid connection; INFINITY if none */
    double aux_elec_ratio;    /* electricity of pumps and cooling ÷ IT electricity */

    size_t first_loop_idx;
    size_t n_loops;
    size_t first_rack_idx;
    size_t n_racks;
};

/** Fields of /sites/N; `electricity` is a nested object read into the same struct. */
extern const struct hs_conf_table hs_site_table;
