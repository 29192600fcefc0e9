/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_holtwinters - level with damped trend, a profile of the day and one of the week, and a
 * deviation that fades; exponential smoothing (Holt 1957, Winters 1960; damping: Gardner and
 * McKenzie 1985). Needs nothing but the meter; errors are cut, so a spike does not stay.
 */
#include <math.h>
#include <string.h>

#include "forecast/calendar.h"
#include "forecast/heatmodel.h"

#define HOURS_PER_DAY 24
#define LEVEL_SHARE   0.02
#define TREND_SHARE   0.0005
#define TREND_KEEP    0.99
#define DAY_SHARE     0.12
#define WEEK_SHARE    0.13
#define FADE          0.85 /* of the deviation, an hour later */
#define DEVIATION     0.4
#define DAMPING       0.98
#define CENTRING      0.1
#define SPREAD_STEP   0.01
#define OUTLIER       4.0
#define FIRST_SPREAD  0.2 /* of the level, until errors are known */

struct holtwinters_state {
    double n; /* known hours */
    double level_w;
    double trend_w;
    double deviation_w;
    double spread_w;
    double day_w[HOURS_PER_DAY];
    double week_w[7 * HOURS_PER_DAY];
};

static void holtwinters_init(void *state)
{
    memset(state, 0, sizeof(struct holtwinters_state));
}

/** The first day as it is: a level and a profile. */
static void begin(struct holtwinters_state *model, int hour, double heat_w)
{
    model->n += 1.0;
    model->level_w += (heat_w - model->level_w) / model->n;
    model->day_w[hour] = heat_w;
    if (model->n == HOURS_PER_DAY) {
        for (size_t i = 0; i < HOURS_PER_DAY; i++) {
            model->day_w[i] -= model->level_w;
        }
        model->spread_w = FIRST_SPREAD * model->level_w;
    }
}

/** The profile of the day has no level of its own. */
static void centre(struct holtwinters_state *model)
{
    double mean_w = 0.0;

    for (size_t i = 0; i < HOURS_PER_DAY; i++) {
        mean_w += CENTRING * model->day_w[i] / HOURS_PER_DAY;
    }
    for (size_t i = 0; i < HOURS_PER_DAY; i++) {
        model->day_w[i] -= mean_w;
    }
    model->level_w += mean_w;
}

static void holtwinters_learn(void *state, const struct hs_heatmodel_view *view)
{
    struct holtwinters_state *model = state;
    int64_t no = view->history->newest_no;
    double heat_w = hs_heathistory_get_heat_w(view->history, no);
    struct hs_calendar_hour hour = hs_calendar_get_hour(view->calendar, no * 3600);
    double *week_w = &model->week_w[hour.weekday * HOURS_PER_DAY + hour.hour];
    double most_w = OUTLIER * model->spread_w;
    double error_w;

    if (isnan(heat_w)) {
        return;
    }
    if (model->n >= HOURS_PER_DAY && !(model->spread_w > 0) && heat_w > 0) {
        holtwinters_init(model); /* nothing but zero so far: it has only begun */
    }
    if (model->n < HOURS_PER_DAY) {
        begin(model, hour.hour, heat_w);
        return;
    }
    error_w = heat_w - model->level_w - model->day_w[hour.hour] - *week_w;
    model->spread_w += SPREAD_STEP * (fmin(fabs(error_w), 1.5 * most_w) - model->spread_w);
    model->spread_w = fmax(model->spread_w, 1e-6 * model->level_w);
    error_w = fmax(-most_w, fmin(most_w, error_w));
    model->n += 1.0;
    model->level_w += model->trend_w + LEVEL_SHARE * error_w;
    model->trend_w = TREND_KEEP * model->trend_w + TREND_SHARE * error_w;
    model->day_w[hour.hour] += DAY_SHARE * error_w;
    *week_w += WEEK_SHARE * error_w;
    model->deviation_w += DEVIATION * (error_w - model->deviation_w);
    centre(model);
}

static bool holtwinters_predict(const void *state, const struct hs_heatmodel_view *view,
                                size_t n_hours, double *ret_heat_w)
{
    const struct holtwinters_state *model = state;
    double damping = 1.0;
    double drift_w = 0.0;
    double deviation_w = model->deviation_w;

    if (model->n < 2 * HOURS_PER_DAY) {
        return false;
    }
    for (size_t i = 0; i < n_hours; i++) {
        int64_t no = view->history->newest_no + 1 + (int64_t)i;
        struct hs_calendar_hour hour = hs_calendar_get_hour(view->calendar, no * 3600);

        damping *= DAMPING;
        drift_w += damping * model->trend_w;
        deviation_w *= FADE;
        ret_heat_w[i] = fmax(0.0, model->level_w + drift_w + deviation_w + model->day_w[hour.hour]
                                      + model->week_w[hour.weekday * HOURS_PER_DAY + hour.hour]);
    }
    return true;
}

const struct hs_heatmodel hs_heatmodel_holtwinters = {
    .name = "holtwinters",
    .summary = "level, damped trend, profiles of day and week; needs the meter alone",
    .state_bytes = sizeof(struct holtwinters_state),
    .init = holtwinters_init,
    .learn = holtwinters_learn,
    .predict = holtwinters_predict,
};
