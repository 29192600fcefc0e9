/* SPDX-License-Identifier: Apache-2.0 */
/* backtest_score - errors by hour ahead, summed over origins. */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/backtest_priv.h"

#define KNOWN_RATIO 0.5 /* a unit is known if so much of it was metered */

static const size_t block_ends_h[HS_BACKTEST_BLOCKS] = {6, 24, 48};

void hs_backtest_truth_init(struct hs_backtest_truth *truth, const struct hs_backtest_data *data)
{
    int64_t unit_s = hs_backtest_get_unit_s(data);
    size_t per_unit = (size_t)(unit_s / data->step_s);
    size_t day = (size_t)(HS_S_PER_DAY / unit_s);

    truth->n = data->n / per_unit;
    truth->heat_w = hs_xcalloc(truth->n + 1, sizeof(double));
    truth->error_w = hs_xcalloc(truth->n + 1, sizeof(double));
    truth->n_errors = hs_xcalloc(truth->n + 1, sizeof(double));
    for (size_t i = 0; i < truth->n; i++) {
        double sum_w = 0, n_known = 0, error_w;

        for (size_t k = i * per_unit; k < (i + 1) * per_unit; k++) {
            if (!isnan(data->heat_w[k])) {
                sum_w += data->heat_w[k];
                n_known++;
            }
        }
        truth->heat_w[i] = n_known > 0 && n_known >= KNOWN_RATIO * (double)per_unit
                               ? sum_w / n_known
                               : (double)NAN;
        error_w = i >= day ? fabs(truth->heat_w[i] - truth->heat_w[i - day]) : (double)NAN;
        truth->error_w[i + 1] = truth->error_w[i] + (isnan(error_w) ? 0 : error_w);
        truth->n_errors[i + 1] = truth->n_errors[i] + (isnan(error_w) ? 0 : 1);
    }
}

void hs_backtest_truth_fini(struct hs_backtest_truth *truth)
{
    free(truth->n_errors);
    free(truth->error_w);
    free(truth->heat_w);
}

static void add_block(struct hs_backtest_sums *sums, size_t lead_h, double heat_w, double error_w)
{
    for (size_t b = 0; b < HS_BACKTEST_BLOCKS; b++) {
        if (lead_h <= block_ends_h[b]) {
            sums->block_heat_w[b] += heat_w;
            sums->block_error_w[b] += error_w;
            return;
        }
    }
}

void hs_backtest_sums_add(struct hs_backtest_sums *sums, const struct hs_backtest_truth *truth,
                          size_t origin, const struct hs_forecast_slot *said, size_t n_said,
                          size_t unit_h)
{
    double past_w = truth->error_w[origin] / truth->n_errors[origin];
    double sum_w = 0, n = 0;

    for (size_t i = 0; i < n_said && origin + i < truth->n; i++) {
        double heat_w = truth->heat_w[origin + i];
        double error_w = fabs(said[i].p50_w - heat_w);

        if (isnan(heat_w)) {
            continue;
        }
        n++;
        sum_w += error_w;
        sums->heat_w += heat_w;
        sums->error2_w2 += error_w * error_w;
        sums->inside += heat_w >= said[i].p10_w && heat_w <= said[i].p90_w ? 1 : 0;
        add_block(sums, (i + 1) * unit_h, heat_w, error_w);
    }
    sums->n += n;
    sums->error_w += sum_w;
    sums->n_origins += n > 0;
    if (n > 0 && past_w > 0) {
        sums->mase_sum += sum_w / n / past_w;
        sums->n_mase++;
    }
}

/** NAN instead of a share of nothing. */
static double divide(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

struct hs_backtest_figures hs_backtest_sums_get(const struct hs_backtest_sums *sums)
{
    struct hs_backtest_figures figures = {
        .nmae = divide(sums->error_w, sums->heat_w),
        .nrmse = divide(sqrt(divide(sums->error2_w2, sums->n)), divide(sums->heat_w, sums->n)),
        .mase = divide(sums->mase_sum, sums->n_mase),
        .coverage_80_ratio = divide(sums->inside, sums->n),
        .n_origins = sums->n_origins,
    };

    for (size_t b = 0; b < HS_BACKTEST_BLOCKS; b++) {
        figures.block_nmae[b] = divide(sums->block_error_w[b], sums->block_heat_w[b]);
    }
    return figures;
}
