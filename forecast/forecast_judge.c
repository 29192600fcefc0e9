/* SPDX-License-Identifier: Apache-2.0 */
/* forecast_judge - errors by lead, quantiles by online conformal steps, accuracy of two weeks. */
#include "forecast/forecast_judge.h"

#include <math.h>
#include <string.h>

#include "forecast/forecast.h"

#define LEADS      HS_HEATHISTORY_LEADS
#define LEVEL_STEP 0.005 /* weight of an hour in the usual heat: about eight days */
#define HOUR_STEP  0.05  /* weight of a day in the spread of its hour */
#define SCALE_STEP 0.01  /* weight of a new |error| in its scale: about four days, all at first */
/* Errors become known up to two days late and come in spells, so offsets that aim at a tenth
 * leave out more. With this one 80 % of measured hours fall inside. */
#define QUANTILE_P    0.085
#define QUANTILE_STEP 0.02
#define WILD          5.0
#define LEVEL_MOST    2.0
#define HOUR_LEAST    0.2
#define FIRST_OFFSET  1.6 /* p90 of a Laplace error in units of its mean |error| */

static const size_t block_end[HS_FORECAST_JUDGE_BLOCKS] = {6, 24, 48};

void hs_forecast_judge_forget(struct hs_forecast_judge *judge)
{
    for (size_t i = 0; i < LEADS; i++) {
        for (size_t k = 0; k < LEADS; k++) {
            judge->expected_w[i][k] = NAN;
        }
    }
}

void hs_forecast_judge_init(struct hs_forecast_judge *judge)
{
    memset(judge, 0, sizeof(*judge));
    hs_forecast_judge_forget(judge);
    for (size_t k = 0; k < LEADS; k++) {
        judge->scale_w[k] = (double)NAN;
        judge->low[k] = -FIRST_OFFSET;
        judge->high[k] = FIRST_OFFSET;
    }
    for (size_t h = 0; h < 24; h++) {
        judge->by_hour[h] = 1.0;
    }
    for (size_t d = 0; d < HS_FORECAST_JUDGE_DAYS; d++) {
        judge->day_no[d] = -1;
    }
}

void hs_forecast_judge_expect(struct hs_forecast_judge *judge, int64_t newest_no,
                              const double *heat_w)
{
    for (size_t k = 0; k < LEADS; k++) {
        int64_t no = newest_no + 1 + (int64_t)k;

        judge->expected_w[no % LEADS][k] = (float)heat_w[k];
    }
}

static size_t find_block(size_t lead)
{
    size_t b = 0;

    while (lead > block_end[b]) {
        b++;
    }
    return b;
}

static struct hs_forecast_judge_day *get_days(struct hs_forecast_judge *judge, int64_t no)
{
    int64_t day_no = no / 24;
    size_t i = (size_t)(day_no % HS_FORECAST_JUDGE_DAYS);

    if (judge->day_no[i] != day_no) {
        judge->day_no[i] = day_no;
        memset(judge->days[i], 0, sizeof(judge->days[i]));
    }
    return judge->days[i];
}

/* The offset moves so that a share QUANTILE_P of the errors ends beyond it. */
static void move_quantiles(struct hs_forecast_judge *judge, size_t k, double relative)
{
    judge->low[k] += QUANTILE_STEP * (relative < judge->low[k] ? QUANTILE_P - 1.0 : QUANTILE_P);
    judge->high[k] += QUANTILE_STEP * (relative > judge->high[k] ? 1.0 - QUANTILE_P : -QUANTILE_P);
    judge->low[k] = fmin(judge->low[k], 0.0);
    judge->high[k] = fmax(judge->high[k], 0.0);
}

/*
 * Unit of errors at hour @no: larger errors come with more heat and at the hours at which people
 * do as they please.
 */
static double get_unit_w(const struct hs_forecast_judge *judge, int64_t no, size_t k,
                         double expected_w)
{
    double level = judge->level_w > 0 ? 0.5 + 0.5 * expected_w / judge->level_w : 1.0;

    return judge->scale_w[k] * judge->by_hour[no % 24] * fmin(level, LEVEL_MOST);
}

/** An error @lead = @k + 1 hours ahead has become known. */
static void learn(struct hs_forecast_judge *judge, int64_t no, size_t k, double expected_w,
                  double error_w)
{
    double unit_w;
    double share;

    judge->n_judged[k] += 1.0;
    if (isnan(judge->scale_w[k]) || judge->scale_w[k] <= 0) {
        judge->scale_w[k] = fabs(error_w);
        return;
    }
    unit_w = get_unit_w(judge, no, k, expected_w);
    move_quantiles(judge, k, error_w / unit_w);
    share = fmax(SCALE_STEP, 1.0 / judge->n_judged[k]); /* the first error alone tells little */
    judge->scale_w[k] *= 1.0 + share * (fmin(fabs(error_w) / unit_w, WILD) - 1.0);
}

/** The hours of the day at which errors are large; their mean is 1. */
static void learn_hour(struct hs_forecast_judge *judge, int64_t no, double sum, double n)
{
    double mean = 0.0;

    if (n > 0) {
        judge->by_hour[no % 24] *= 1.0 + HOUR_STEP * (fmin(sum / n, WILD) - 1.0);
    }
    for (size_t h = 0; h < 24; h++) {
        judge->by_hour[h] = fmax(judge->by_hour[h], HOUR_LEAST);
        mean += judge->by_hour[h] / 24.0;
    }
    for (size_t h = 0; h < 24; h++) {
        judge->by_hour[h] /= mean;
    }
}

static void note(struct hs_forecast_judge_day *day, double heat_w, double error_w,
                 double yesterday_w, bool is_inside)
{
    day->n += 1;
    day->error_sum_w += fabs(error_w);
    day->heat_sum_w += heat_w;
    if (!isnan(yesterday_w)) {
        day->yesterday_sum_w += fabs(heat_w - yesterday_w);
        day->yesterday_heat_sum_w += heat_w;
    }
    day->inside += is_inside ? 1.0 : 0.0;
}

void hs_forecast_judge_settle(struct hs_forecast_judge *judge, int64_t no, double heat_w,
                              const double *yesterday_w)
{
    struct hs_forecast_judge_day *days = get_days(judge, no);
    double sum = 0.0;
    double n = 0.0;

    if (isnan(heat_w)) {
        return;
    }
    for (size_t k = 0; k < LEADS; k++) {
        double expected_w = (double)judge->expected_w[no % LEADS][k];
        double error_w = heat_w - expected_w;
        double p10_w;
        double p90_w;

        if (isnan(expected_w)) {
            continue;
        }
        hs_forecast_judge_quantify(judge, no, k + 1, expected_w, 1.0, &p10_w, &p90_w);
        note(&days[find_block(k + 1)], heat_w, error_w, yesterday_w[k / 24],
             heat_w >= p10_w && heat_w <= p90_w);
        if (judge->scale_w[k] > 0) {
            sum += fabs(error_w) / get_unit_w(judge, no, k, expected_w);
            n += 1.0;
        }
        learn(judge, no, k, expected_w, error_w);
    }
    learn_hour(judge, no, sum, n);
    judge->level_w += (judge->level_w > 0 ? LEVEL_STEP : 1.0) * (heat_w - judge->level_w);
}

void hs_forecast_judge_quantify(const struct hs_forecast_judge *judge, int64_t no, size_t lead,
                                double p50_w, double widening, double *ret_p10_w, double *ret_p90_w)
{
    size_t k = (lead < LEADS ? lead : LEADS) - 1;
    double unit_w = get_unit_w(judge, no, k, p50_w);

    if (isnan(unit_w)) {
        unit_w = 0.5 * p50_w; /* nothing judged yet: half of it, as on single buildings */
    }
    *ret_p10_w = fmax(p50_w + widening * judge->low[k] * unit_w, 0.0);
    *ret_p90_w = p50_w + widening * judge->high[k] * unit_w;
}

void hs_forecast_judge_get_accuracy(const struct hs_forecast_judge *judge,
                                    struct hs_forecast_accuracy *ret_blocks)
{
    for (size_t b = 0; b < HS_FORECAST_JUDGE_BLOCKS; b++) {
        struct hs_forecast_judge_day sum = {0};

        for (size_t d = 0; d < HS_FORECAST_JUDGE_DAYS; d++) {
            sum.n += judge->days[d][b].n;
            sum.error_sum_w += judge->days[d][b].error_sum_w;
            sum.yesterday_sum_w += judge->days[d][b].yesterday_sum_w;
            sum.yesterday_heat_sum_w += judge->days[d][b].yesterday_heat_sum_w;
            sum.heat_sum_w += judge->days[d][b].heat_sum_w;
            sum.inside += judge->days[d][b].inside;
        }
        ret_blocks[b] = (struct hs_forecast_accuracy){
            .from_lead_h = b == 0 ? 1 : block_end[b - 1] + 1,
            .to_lead_h = block_end[b],
            .nmae = sum.heat_sum_w > 0 ? sum.error_sum_w / sum.heat_sum_w : (double)NAN,
            .yesterday_nmae = sum.yesterday_heat_sum_w > 0
                                  ? sum.yesterday_sum_w / sum.yesterday_heat_sum_w
                                  : (double)NAN,
            .coverage_80_ratio = sum.n > 0 ? sum.inside / sum.n : (double)NAN,
            .n = (size_t)sum.n,
        };
    }
}
