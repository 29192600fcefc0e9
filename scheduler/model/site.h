/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** site - a building or campus with one grid connection. Plain value. */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/conf.h"

#define HS_NAME_MAX 64  /* one name, NUL included */
#define HS_PATH_MAX 200 /* site/loop/sink, NUL included */

#define HS_SITE_CLOSED_MAX 64

/** Days on which nobody comes, both included; local days since 1970-01-01. */
struct hs_site_closed {
    int64_t first_day_no;
    int64_t last_day_no;
};

struct hs_site {
    char name[HS_NAME_MAX];
    char template_name[HS_NAME_MAX]; /* "" if none */
    char redundancy[HS_NAME_MAX];    /* of the rejection: n, n+1, 2n */
    char timezone[HS_NAME_MAX];
    char holidays[HS_NAME_MAX]; /* "none", or a country of holidays.h; "auto" only while read */
    double latitude;
    double longitude;
    double price_cur_per_mwh; /* electricity, where no series is given */
    double gco2_per_kwh;      /* electricity, where no series is given */
    double limit_w;           /* grid connection; INFINITY if none */
    double aux_elec_ratio;    /* electricity of pumps and cooling ÷ IT electricity */

    struct hs_site_closed closed[HS_SITE_CLOSED_MAX];
    size_t n_closed;

    size_t first_loop_idx;
    size_t n_loops;
    size_t first_rack_idx;
    size_t n_racks;
};

/** Fields of /sites/N; `electricity` is a nested object read into the same struct. */
extern const struct hs_conf_table hs_site_table;

struct hs_assumed_list;

/**
 * What the table cannot: the country of `holidays`: "auto", and `closed`, a list of days
 * ("2026-12-24") and spans ("2026-07-02/2026-08-15").
 *
 * @param object   the site; borrowed
 * @param pointer  JSON pointer of @object, for messages; borrowed
 * @param assumed  told of a country that was not written
 */
void hs_site_read_days(const json_t *object, const char *pointer, struct hs_site *site,
                       struct hs_assumed_list *assumed, struct hs_conf_report *report);
