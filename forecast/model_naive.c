/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_naive - the models that every other one has to beat, and the end of the chain of
 * fall-backs: the last value, the same hour of yesterday, the same hour of last week.
 *
 * None of them learns: the history is all they need.
 */
#include "forecast/heatmodel.h"

#define HOURS_PER_DAY  24
#define HOURS_PER_WEEK 168

/** Newest known heat; NAN if none is held. */
static double find_last(const struct hs_heathistory *history)
{
    for (int64_t back = 0; back < HS_HEATHISTORY_HOURS; back++) {
        double heat_w = hs_heathistory_get_heat_w(history, history->newest_no - back);

        if (!isnan(heat_w)) {
            return heat_w;
        }
    }
    return (double)NAN;
}

/** The same hour a whole number of @period hours before, the newest that is known. */
static bool repeat(const struct hs_heathistory *history, int64_t period, size_t n_hours,
                   double *ret_heat_w)
{
    double last_w = find_last(history);

    if (isnan(last_w)) {
        return false;
    }
    for (size_t i = 0; i < n_hours; i++) {
        int64_t no = history->newest_no + 1 + (int64_t)i;
        double heat_w = (double)NAN;

        while (isnan(heat_w) && no > history->newest_no - HS_HEATHISTORY_HOURS) {
            no -= period;
            heat_w = hs_heathistory_get_heat_w(history, no);
        }
        ret_heat_w[i] = isnan(heat_w) ? last_w : heat_w;
    }
    return true;
}

static void naive_init(void *state)
{
    (void)state;
}

static void naive_learn(void *state, const struct hs_heatmodel_view *view)
{
    (void)state;
    (void)view;
}

static bool persistence_predict(const void *state, const struct hs_heatmodel_view *view,
                                size_t n_hours, double *ret_heat_w)
{
    double last_w = find_last(view->history);

    (void)state;
    for (size_t i = 0; i < n_hours; i++) {
        ret_heat_w[i] = last_w;
    }
    return !isnan(last_w);
}

static bool yesterday_predict(const void *state, const struct hs_heatmodel_view *view,
                              size_t n_hours, double *ret_heat_w)
{
    (void)state;
    return repeat(view->history, HOURS_PER_DAY, n_hours, ret_heat_w);
}

static bool lastweek_predict(const void *state, const struct hs_heatmodel_view *view,
                             size_t n_hours, double *ret_heat_w)
{
    (void)state;
    return view->history->newest_no - view->history->first_no + 1 >= HOURS_PER_WEEK
           && repeat(view->history, HOURS_PER_WEEK, n_hours, ret_heat_w);
}

const struct hs_heatmodel hs_heatmodel_persistence = {
    .name = "persistence",
    .summary = "the last known hour, held",
    .init = naive_init,
    .learn = naive_learn,
    .predict = persistence_predict,
};

const struct hs_heatmodel hs_heatmodel_yesterday = {
    .name = "yesterday",
    .summary = "same hour yesterday, else of the latest day that is known",
    .init = naive_init,
    .learn = naive_learn,
    .predict = yesterday_predict,
};

const struct hs_heatmodel hs_heatmodel_lastweek = {
    .name = "lastweek",
    .summary = "same hour of last week, else of the latest week that is known",
    .init = naive_init,
    .learn = naive_learn,
    .predict = lastweek_predict,
};
