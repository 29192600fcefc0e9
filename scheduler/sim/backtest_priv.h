/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** backtest_priv - sums over origins, from which the figures are made. */

#include "forecast/forecast.h"
#include "scheduler/sim/backtest.h"

/** Sums over what was judged. */
struct hs_backtest_sums {
    double n;
    double heat_w;
    double error_w;
    double error2_w2;
    double inside;
    double block_heat_w[HS_BACKTEST_BLOCKS];
    double block_error_w[HS_BACKTEST_BLOCKS];
    double mase_sum;
    double n_mase;
    size_t n_origins;
};

/** What was measured by judged units, and how well yesterday told today up to each of them. */
struct hs_backtest_truth {
    size_t n;
    double *heat_w;   /* [n]; NAN: unknown */
    double *error_w;  /* [n + 1] sum of |heat - a day before| over the units before */
    double *n_errors; /* [n + 1] of those that are known */
};

void hs_backtest_truth_init(struct hs_backtest_truth *truth, const struct hs_backtest_data *data);
void hs_backtest_truth_fini(struct hs_backtest_truth *truth);

/**
 * Judge one origin.
 *
 * @param origin  units of history
 * @param said    [n_said] from the unit @origin on
 * @param unit_h  hours of a unit
 */
void hs_backtest_sums_add(struct hs_backtest_sums *sums, const struct hs_backtest_truth *truth,
                          size_t origin, const struct hs_forecast_slot *said, size_t n_said,
                          size_t unit_h);

struct hs_backtest_figures hs_backtest_sums_get(const struct hs_backtest_sums *sums);
