/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simchart - quantities over time, one panel under the other on one time axis, as SVG.
 *
 * Long spans are drawn as means over hours, days or weeks, each with the band of its least and
 * most slot; the subtitle says so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"

#define HS_SIMCHART_SERIES_MAX 2
#define HS_SIMCHART_PANELS_MAX 4

struct hs_simchart_series {
    const char *name; /* in the legend, and its id */
    const char *colour;
    const double *values; /* [n] one a slot; NAN: unknown */
    bool is_area;         /* filled down to 0 */
};

struct hs_simchart_panel {
    const char *title; /* quantity and unit */
    double height;     /* px of its plot */
    double most;       /* top of the axis if it is fixed, NAN: by the values */
    struct hs_simchart_series series[HS_SIMCHART_SERIES_MAX];
    size_t n_series;
};

struct hs_simchart {
    const char *title;
    const char *subtitle; /* nullable */
    int64_t from_at_s;
    int64_t slot_s;
    size_t n; /* slots */
    struct hs_simchart_panel panels[HS_SIMCHART_PANELS_MAX];
    size_t n_panels;
};

/** The picture; owned by the caller (free). */
char *hs_simchart_format(const struct hs_simchart *chart);
