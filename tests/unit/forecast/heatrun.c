/* SPDX-License-Identifier: Apache-2.0 */
/* heatrun - all models of a run in step. */
#include "tests/unit/forecast/heatrun.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"

struct heatrun *heatrun_new(void)
{
    struct heatrun *run = hs_xcalloc(1, sizeof(*run));

    hs_heathistory_init(&run->history);
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->weather[i] = HS_WEATHER_UNKNOWN;
    }
    return run;
}

void heatrun_free(struct heatrun *run)
{
    if (run != NULL) {
        for (size_t m = 0; m < run->n_models; m++) {
            free(run->states[m]);
        }
        free(run);
    }
}

size_t heatrun_add(struct heatrun *run, const struct hs_heatmodel *model)
{
    size_t m = run->n_models++;

    assert(m < HEATRUN_MODELS);
    run->models[m] = model;
    run->states[m] = hs_xcalloc(1, model->state_bytes + 1);
    model->init(run->states[m]);
    return m;
}

/** The true weather of the next hours. */
static void foresee(const struct heatrun *run, struct hs_outlook *outlook)
{
    outlook->issued_at_s = (HEATRUN_FROM_NO + (int64_t)run->now) * 3600;
    outlook->from_at_s = outlook->issued_at_s;
    outlook->n_hours = HEATRUN_AHEAD;
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        outlook->hours[i] =
            run->now + i < HEATRUN_HOURS ? run->weather[run->now + i] : HS_WEATHER_UNKNOWN;
    }
}

static void say(struct heatrun *run)
{
    struct hs_outlook outlook;
    struct hs_heatmodel_view view = {&run->history, NULL, &outlook};

    foresee(run, &outlook);
    hs_heathistory_foresee(&run->history, &outlook);
    for (size_t m = 0; m < run->n_models; m++) {
        const struct hs_heatmodel *model = run->models[m];
        bool has_said = model->promise != NULL
                            ? model->promise(run->states[m], &view, HEATRUN_AHEAD, run->said_w[m])
                            : model->predict(run->states[m], &view, HEATRUN_AHEAD, run->said_w[m]);

        for (size_t i = 0; i < HEATRUN_AHEAD && !has_said; i++) {
            run->said_w[m][i] = (double)NAN;
        }
    }
}

static void judge(struct heatrun *run)
{
    for (size_t m = 0; m < run->n_models; m++) {
        for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
            run->error_sum_w[m][i] += fabs(run->said_w[m][i] - run->heat_w[run->now + i]);
        }
    }
    run->n_judged += 1.0;
}

void heatrun_show(struct heatrun *run, size_t until, size_t judge_from)
{
    struct hs_heatmodel_view view = {&run->history, NULL, NULL};

    assert(until + HEATRUN_AHEAD <= HEATRUN_HOURS);
    for (; run->now < until; run->now++) {
        if (run->now > 0) {
            say(run);
        }
        if (run->now >= judge_from) {
            judge(run);
        }
        hs_heathistory_push(&run->history, HEATRUN_FROM_NO + (int64_t)run->now,
                            run->heat_w[run->now], &run->weather[run->now]);
        for (size_t m = 0; m < run->n_models; m++) {
            run->models[m]->learn(run->states[m], &view);
        }
    }
    say(run);
}

double heatrun_get_error_w(const struct heatrun *run, size_t m, size_t from, size_t to)
{
    double sum_w = 0.0;

    for (size_t i = from; i <= to; i++) {
        sum_w += run->error_sum_w[m][i - 1];
    }
    return sum_w / run->n_judged / (double)(to - from + 1);
}

bool heatrun_ask(const struct heatrun *run, size_t m, const struct hs_outlook *outlook,
                 double *ret_heat_w)
{
    struct hs_heatmodel_view view = {&run->history, NULL, outlook};

    return run->models[m]->predict(run->states[m], &view, outlook->n_hours, ret_heat_w);
}

void heatrun_hold_air(const struct heatrun *run, double t_out_c, size_t n_hours,
                      struct hs_outlook *ret_outlook)
{
    ret_outlook->issued_at_s = (HEATRUN_FROM_NO + (int64_t)run->now) * 3600;
    ret_outlook->from_at_s = ret_outlook->issued_at_s;
    ret_outlook->n_hours = n_hours;
    for (size_t i = 0; i < n_hours; i++) {
        ret_outlook->hours[i] = (struct hs_weather){t_out_c, 0, 0};
    }
}
