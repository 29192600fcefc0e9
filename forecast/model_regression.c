/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_regression - two stages. "weather": the heat of an hour from the weather and the hour of
 * the week, by ridge regression that forgets. "regression": the same, corrected for what it
 * missed lately, per lead (residuals.h). One state serves both. "recent" forgets faster: habits
 * change more often than walls.
 */
#include <math.h>
#include <string.h>

#include "forecast/airfilter.h"
#include "forecast/heatfeatures.h"
#include "forecast/heatmodel.h"
#include "forecast/heatscale.h"
#include "forecast/residuals.h"
#include "forecast/ridge.h"

#define N           HS_HEATFEATURES_N
#define KEEP        0.998958876 /* of an hour's weight an hour later: 1/e in 40 days */
#define PULL        0.5
#define RECENT_KEEP 0.996533800 /* 1/e in 12 days */
#define RECENT_PULL 1.0
#define HUBER       1.5 /* errors over so many typical ones count less (Huber 1964) */
#define FIRST_HOURS 72  /* before the first solution */
#define SOLVE_HOURS 12

struct regression_state {
    double keep;        /* of an hour's weight an hour later */
    double pull;        /* weight of the wish that coefficients are zero */
    int64_t solve_turn; /* hour of SOLVE_HOURS at which it is solved: not all at once */
    struct hs_heatscale scale;
    struct hs_airfilter air;                 /* as measured */
    struct hs_airfilter ahead[HS_LEADS_MAX]; /* from each origin along what was foreseen */
    double n_taught;
    struct hs_typical spread;
    bool is_ready;
    double a[HS_RIDGE_PACKED(N)];
    double b[N];
    double coefs[N];
    struct hs_residuals residuals;
};

static void begin(struct regression_state *model, double keep, double pull, int64_t solve_turn)
{
    memset(model, 0, sizeof(*model));
    model->keep = keep;
    model->pull = pull;
    model->solve_turn = solve_turn;
    hs_residuals_init(&model->residuals);
}

static void regression_init(void *state)
{
    begin(state, KEEP, PULL, 0);
}

static void recent_init(void *state)
{
    begin(state, RECENT_KEEP, RECENT_PULL, SOLVE_HOURS / 2);
}

/** Heat that the weather explains, in units of the mean. */
static double explain(const struct regression_state *model, const struct hs_airfilter *air,
                      const struct hs_calendar *calendar, int64_t no)
{
    return hs_heatfeatures_explain(air, calendar, no, model->coefs);
}

/** Teach the second stage with what the first would have said from each origin. */
static void learn_residuals(struct regression_state *model, const struct hs_heatmodel_view *view,
                            double heat)
{
    int64_t no = view->history->newest_no;

    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        struct hs_airfilter *air = &model->ahead[hs_leads_place(no - (int64_t)lead)];
        struct hs_weather foreseen = hs_heathistory_get_foreseen(view->history, lead);

        hs_airfilter_step(air, &foreseen);
        if (model->is_ready && !isnan(heat) && hs_leads_is_taught(lead, no)
            && hs_residuals_has_origin(&model->residuals, no, lead)) {
            hs_residuals_learn(&model->residuals, no, lead, explain(model, air, view->calendar, no),
                               heat);
        }
    }
}

/** Teach the first stage with the hour as it was. */
static void learn_weather(struct regression_state *model, const struct hs_heatmodel_view *view,
                          double heat)
{
    double x[N];
    double weight = 1.0;

    hs_heatfeatures_describe(&model->air, view->calendar, view->history->newest_no, x);
    if (model->is_ready) {
        double error = heat - explain(model, &model->air, view->calendar, view->history->newest_no);

        weight = hs_typical_weigh(&model->spread, HUBER, error);
        hs_typical_add(&model->spread, error);
    }
    hs_ridge_fade(N, model->a, model->b, model->keep);
    hs_ridge_add(N, model->a, model->b, x, heat, weight);
    model->n_taught += 1.0;
}

static void solve_weather(struct regression_state *model)
{
    double pull[N];
    double work[HS_RIDGE_PACKED(N)];

    hs_heatfeatures_get_pull(model->pull, pull);
    if (hs_ridge_solve(N, model->a, model->b, pull, work, model->coefs)) {
        model->is_ready = true;
    }
}

static void regression_learn(void *state, const struct hs_heatmodel_view *view)
{
    struct regression_state *model = state;
    int64_t no = view->history->newest_no;
    struct hs_weather weather = hs_heathistory_get_weather(view->history, no);
    double heat = hs_heatscale_take(&model->scale, view->history);

    hs_airfilter_step(&model->air, &weather);
    if (!hs_heatscale_is_known(&model->scale)) {
        return;
    }
    if (hs_heatscale_is_frozen(&model->scale)) {
        heat = (double)NAN;
    }
    learn_residuals(model, view, heat);
    if (!isnan(heat)) {
        learn_weather(model, view, heat);
    }
    if (model->is_ready) {
        hs_residuals_push(&model->residuals, no, explain(model, &model->air, view->calendar, no),
                          heat);
    }
    model->ahead[hs_leads_place(no)] = model->air;
    if (model->n_taught >= FIRST_HOURS
        && (!model->is_ready || no % SOLVE_HOURS == model->solve_turn)) {
        solve_weather(model);
    }
}

/** First stage, then the second one if @is_corrected. */
static bool predict(const struct regression_state *model, const struct hs_heatmodel_view *view,
                    bool is_corrected, size_t n_hours, double *ret_heat_w)
{
    struct hs_airfilter air = model->air;
    int64_t newest_no = view->history->newest_no;

    if (!model->is_ready) {
        return false;
    }
    for (size_t i = 0; i < n_hours; i++) {
        int64_t no = newest_no + 1 + (int64_t)i;
        struct hs_weather foreseen = hs_outlook_get(view->outlook, no * 3600);
        double heat;

        hs_airfilter_step(&air, &foreseen);
        heat = explain(model, &air, view->calendar, no);
        if (is_corrected) {
            heat += hs_residuals_correct(&model->residuals, newest_no, i + 1, heat);
        }
        ret_heat_w[i] = fmax(0.0, heat * model->scale.mean_w);
    }
    return true;
}

static bool regression_check(const void *state)
{
    const struct regression_state *model = state;
    bool is_sound =
        hs_heatmodel_is_flag(&model->is_ready) && hs_heatmodel_is_flag(&model->air.has_air);

    for (size_t i = 0; i < HS_LEADS_MAX; i++) {
        is_sound = is_sound && hs_heatmodel_is_flag(&model->ahead[i].has_air);
    }
    return is_sound;
}

static bool weather_predict(const void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                            double *ret_heat_w)
{
    return predict(state, view, false, n_hours, ret_heat_w);
}

static bool regression_predict(const void *state, const struct hs_heatmodel_view *view,
                               size_t n_hours, double *ret_heat_w)
{
    return predict(state, view, true, n_hours, ret_heat_w);
}

const struct hs_heatmodel hs_heatmodel_weather = {
    .name = "weather",
    .summary = "weather and hour of the week, with change points and slow air",
    .state_bytes = sizeof(struct regression_state),
    .init = regression_init,
    .learn = regression_learn,
    .predict = weather_predict,
    .check = regression_check,
};

const struct hs_heatmodel hs_heatmodel_regression = {
    .name = "regression",
    .summary = "weather, corrected per lead for what it missed lately",
    .state_bytes = sizeof(struct regression_state),
    .init = regression_init,
    .learn = regression_learn,
    .predict = regression_predict,
    .check = regression_check,
};

const struct hs_heatmodel hs_heatmodel_recent = {
    .name = "recent",
    .summary = "as regression, with a memory of two weeks in place of six",
    .state_bytes = sizeof(struct regression_state),
    .init = recent_init,
    .learn = regression_learn,
    .predict = regression_predict,
    .check = regression_check,
};
