/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * backtest - how well a model would have forecast a sink's heat, hour by hour over its own past.
 *
 * The model is fed the history in time order and asked at every hour, as it would be in service;
 * at the origins what it said is judged against what came. What lies after an origin is never
 * shown to it, but for the weather that it is told to know (docs/simulator.md, Back-test).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adapters/weather/issuedcsv.h"
#include "forecast/calendar.h"
#include "forecast/weather.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/sim/simprogress.h"

#define HS_BACKTEST_BLOCKS 3 /* 1-6 h, 7-24 h, 25-48 h ahead */

/** What of the coming weather a model is told. */
enum hs_backtest_outlook {
    HS_BACKTEST_PERSISTED, /* nothing: it takes yesterday's again */
    HS_BACKTEST_PERFECT,   /* what was then measured */
    HS_BACKTEST_NONE,      /* nothing, nor what the weather was */
    HS_BACKTEST_ISSUED,    /* weather forecasts, from their issue on */
};

/** A measured sink on an even grid, its weather, and where to judge. */
struct hs_backtest_data {
    int64_t from_at_s;
    int64_t step_s;
    size_t n;                    /* slots of step_s */
    double *heat_w;              /* [n]; NAN: not measured */
    struct hs_weather *weather;  /* [n] */
    struct hs_issuedcsv *issued; /* owned; NULL: none */
    int64_t *origins_h;          /* [n_origins] hours of history, ascending */
    size_t n_origins;
};

/** Figures of some origins; NAN where nothing was judged. */
struct hs_backtest_figures {
    double nmae;  /* sum of |error| / sum of heat */
    double nrmse; /* root of mean squared error / mean heat */
    double mase;  /* mean |error| / that of same-hour-yesterday over the history, mean of origins */
    double block_nmae[HS_BACKTEST_BLOCKS];
    double coverage_80_ratio; /* share of hours between p10 and p90 */
    size_t n_origins;         /* judged */
};

struct hs_backtest_result {
    struct hs_backtest_figures all;
    struct hs_backtest_figures halves[2]; /* of the origins in time order */
    double us_per_forecast;               /* median */
};

struct hs_backtest_setup {
    const struct hs_backtest_data *data;
    enum hs_backtest_outlook outlook;
    int64_t horizon_s;                  /* a multiple of hours and of step_s */
    const struct hs_calendar *calendar; /* borrowed; NULL: UTC without holidays */
    FILE *dump;                         /* borrowed, nullable: what was said at every origin */
    struct hs_simprogress *progress;    /* borrowed, nullable */
};

/**
 * Read heat and weather, plain or .gz: stamps first, then columns by name; t_out_c, ghi_w_m2 and
 * wind_m_s are taken where they are. Rows that are not there are unknown.
 *
 * @param column    NULL: heat_kw, else heat_rel
 * @param ret_data  owned by the caller on success
 * @return 0, -HS_E_NOTFOUND or -HS_E_INVALID with where = file:line, -HS_E_SYSTEM
 */
int hs_backtest_read(const char *path, const char *column, struct hs_backtest_data **ret_data,
                     struct hs_err *err);

/**
 * Read origins, one a line, in any order; empty lines and # comments are skipped.
 *
 * @return as hs_backtest_read()
 */
int hs_backtest_read_origins(struct hs_backtest_data *data, const char *path, struct hs_err *err);

/**
 * Choose origins: first after 28 days, or half of a series shorter than 56 days, then every 6 h
 * while @horizon_s fits; of these at most 60, evenly spaced.
 *
 * @return 0 or -HS_E_INVALID: the series is too short for one
 */
int hs_backtest_choose_origins(struct hs_backtest_data *data, int64_t horizon_s,
                               struct hs_err *err);

/** Accepts NULL. */
void hs_backtest_data_free(struct hs_backtest_data *data);
HS_DEFINE_AUTO(hs_backtest_data);

/** Length of what is judged: an hour, or a slot that is longer. */
int64_t hs_backtest_get_unit_s(const struct hs_backtest_data *data);

/** Run the model named @model (asserted to be known). */
void hs_backtest_run(const struct hs_backtest_setup *setup, const char *model,
                     struct hs_backtest_result *ret_result);
