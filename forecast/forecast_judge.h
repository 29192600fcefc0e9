/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * forecast_judge - holds predictions until their hour comes, then says how good they were and how
 * wide an interval has to be.
 *
 * Quantiles are conformal: offsets from the prediction, moved online so that the share of hours
 * below each one is what it says (Gibbs and Candes 2021, Adaptive conformal inference). Part of
 * forecast.c's stored state: a plain value.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/heathistory.h"

struct hs_forecast_accuracy;

#define HS_FORECAST_JUDGE_DAYS   14
#define HS_FORECAST_JUDGE_BLOCKS 3

/** Sums of one day and block. */
struct hs_forecast_judge_day {
    double n;
    double error_sum_w;
    double yesterday_sum_w;
    double yesterday_heat_sum_w; /* of the hours whose yesterday is known */
    double heat_sum_w;
    double inside;
};

struct hs_forecast_judge {
    float expected_w[HS_HEATHISTORY_LEADS][HS_HEATHISTORY_LEADS]; /* [hour][lead - 1] */
    double scale_w[HS_HEATHISTORY_LEADS];  /* recent mean |error| by lead; NAN: none yet */
    double n_judged[HS_HEATHISTORY_LEADS]; /* errors that the scale was learned from */
    double by_hour[24];                    /* of UTC: spread of an hour relative to the mean */
    double level_w;                        /* usual heat; 0: none known */
    double low[HS_HEATHISTORY_LEADS];      /* p10 = p50 + low x scale */
    double high[HS_HEATHISTORY_LEADS];
    int64_t day_no[HS_FORECAST_JUDGE_DAYS];
    struct hs_forecast_judge_day days[HS_FORECAST_JUDGE_DAYS][HS_FORECAST_JUDGE_BLOCKS];
};

void hs_forecast_judge_init(struct hs_forecast_judge *judge);

/** Predictions made so far will not be judged: time has jumped. */
void hs_forecast_judge_forget(struct hs_forecast_judge *judge);

/** After hour @newest_no these are expected. @param heat_w  [HS_HEATHISTORY_LEADS or more] */
void hs_forecast_judge_expect(struct hs_forecast_judge *judge, int64_t newest_no,
                              const double *heat_w);

/**
 * Hour @no was @heat_w.
 *
 * @param heat_w       NAN: unknown
 * @param yesterday_w  [2] a day earlier, two days earlier: what was the newest of this hour of the
 *                     day when the prediction was made up to 24 h, or more, ahead; NAN: unknown
 */
void hs_forecast_judge_settle(struct hs_forecast_judge *judge, int64_t no, double heat_w,
                              const double *yesterday_w);

/** Interval of 80 % around @p50_w of hour @no, @lead hours ahead (>= 1), @widening times as wide.
 */
void hs_forecast_judge_quantify(const struct hs_forecast_judge *judge, int64_t no, size_t lead,
                                double p50_w, double widening, double *ret_p10_w,
                                double *ret_p90_w);

/** @param ret_blocks  [HS_FORECAST_JUDGE_BLOCKS] */
void hs_forecast_judge_get_accuracy(const struct hs_forecast_judge *judge,
                                    struct hs_forecast_accuracy *ret_blocks);
