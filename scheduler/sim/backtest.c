/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backtest - one pass over the history a model.
 *
 * At every full hour the model is told the weather that was known then and asked for its
 * predictions, at an origin or not: a mixer and its quantiles learn from what was said.
 */
#include "scheduler/sim/backtest.h"

#include <math.h>

#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/sim/backtest_priv.h"

#define S_PER_HOUR 3600
#define US_PER_S   1e6
#define REACH_H    50 /* the forecast looks so far beyond a horizon of two days */

int64_t hs_backtest_get_unit_s(const struct hs_backtest_data *data)
{
    return data->step_s > S_PER_HOUR ? data->step_s : S_PER_HOUR;
}

/** One model on its way through the history. */
struct pass {
    const struct hs_backtest_setup *setup;
    const char *model;
    struct hs_forecast *forecast;
    struct hs_clock *clock;
    struct hs_backtest_truth truth;
    struct hs_backtest_sums halves[2];
    size_t n_slots; /* of the horizon */
    size_t n_units;
    struct hs_forecast_slot *slots; /* [n_slots] as predicted */
    struct hs_forecast_slot *units; /* [n_units] what is judged */
    double *took_us;                /* [n_origins] */
    size_t next_origin;
    const struct hs_outlook *told; /* the issued forecast that is in use */
};

/** Mean measured weather of the hour from @at_s on. */
static struct hs_weather average_hour(const struct hs_backtest_data *data, int64_t at_s)
{
    double sums[3] = {0}, n[3] = {0};

    for (int64_t s = at_s; s < at_s + S_PER_HOUR; s += data->step_s) {
        int64_t i = (s - data->from_at_s) / data->step_s;
        double values[3];

        if (i >= (int64_t)data->n) {
            break;
        }
        values[0] = data->weather[i].t_out_c;
        values[1] = data->weather[i].ghi_w_per_m2;
        values[2] = data->weather[i].wind_m_per_s;
        for (size_t k = 0; k < 3; k++) {
            sums[k] += isnan(values[k]) ? 0 : values[k];
            n[k] += isnan(values[k]) ? 0 : 1;
        }
    }
    for (size_t k = 0; k < 3; k++) {
        sums[k] = n[k] > 0 ? sums[k] / n[k] : (double)NAN;
    }
    return (struct hs_weather){sums[0], sums[1], sums[2]};
}

/** The weather to come, as it will have been measured. */
static void tell_perfect(struct pass *pass, int64_t now_at_s)
{
    const struct hs_backtest_data *data = pass->setup->data;
    int64_t hour_at_s = now_at_s - now_at_s % S_PER_HOUR;
    int64_t hours = pass->setup->horizon_s / S_PER_HOUR + 2;
    struct hs_outlook outlook = {.issued_at_s = now_at_s, .from_at_s = hour_at_s};

    outlook.n_hours = (size_t)(hours > REACH_H ? hours : REACH_H);
    outlook.n_hours = outlook.n_hours < HS_OUTLOOK_HOURS ? outlook.n_hours : HS_OUTLOOK_HOURS;
    for (size_t i = 0; i < outlook.n_hours; i++) {
        outlook.hours[i] = average_hour(data, hour_at_s + (int64_t)i * S_PER_HOUR);
    }
    hs_forecast_set_outlook(pass->forecast, &outlook);
}

/** The newest weather forecast that has been issued. */
static void tell_issued(struct pass *pass, int64_t now_at_s)
{
    const struct hs_outlook *newest = hs_issuedcsv_find(pass->setup->data->issued, now_at_s);

    if (newest != pass->told) {
        hs_forecast_set_outlook(pass->forecast, newest);
        pass->told = newest;
    }
}

/** What the slots say of each unit: the mean of each quantile. */
static void gather_units(struct pass *pass)
{
    size_t per_unit = pass->n_slots / pass->n_units;

    for (size_t u = 0; u < pass->n_units; u++) {
        struct hs_forecast_slot sum = {0};

        for (size_t k = u * per_unit; k < (u + 1) * per_unit; k++) {
            sum.p10_w += pass->slots[k].p10_w / (double)per_unit;
            sum.p50_w += pass->slots[k].p50_w / (double)per_unit;
            sum.p90_w += pass->slots[k].p90_w / (double)per_unit;
        }
        pass->units[u] = per_unit == 1 ? pass->slots[u] : sum;
    }
}

static void judge(struct pass *pass, int64_t origin_h)
{
    const struct hs_backtest_data *data = pass->setup->data;
    size_t unit_h = (size_t)(hs_backtest_get_unit_s(data) / S_PER_HOUR);
    bool is_late = pass->next_origin >= (data->n_origins + 1) / 2;

    gather_units(pass);
    hs_backtest_sums_add(&pass->halves[is_late], &pass->truth, (size_t)origin_h / unit_h,
                         pass->units, pass->n_units, unit_h);
    for (size_t u = 0; pass->setup->dump != NULL && u < pass->n_units; u++) {
        const struct hs_forecast_slot *said = &pass->units[u];

        fprintf(pass->setup->dump, "%lld,%s,%zu,%.17g,%.17g,%.17g\n", (long long)origin_h,
                pass->model, (u + 1) * unit_h, said->p10_w, said->p50_w, said->p90_w);
    }
}

/** It is @now_at_s: tell the weather and ask. */
static void ask(struct pass *pass, int64_t now_at_s, bool is_origin)
{
    const struct hs_backtest_data *data = pass->setup->data;
    double begun_mono_s;

    if (pass->setup->outlook == HS_BACKTEST_PERFECT) {
        tell_perfect(pass, now_at_s);
    } else if (pass->setup->outlook == HS_BACKTEST_ISSUED) {
        tell_issued(pass, now_at_s);
    }
    begun_mono_s = hs_clock_mono_s(pass->clock);
    hs_forecast_predict(pass->forecast, now_at_s, pass->n_slots, pass->slots);
    if (is_origin) {
        pass->took_us[pass->next_origin] = (hs_clock_mono_s(pass->clock) - begun_mono_s) * US_PER_S;
        judge(pass, data->origins_h[pass->next_origin]);
        pass->next_origin++;
    }
}

static void go(struct pass *pass)
{
    const struct hs_backtest_data *data = pass->setup->data;
    int64_t end_h = data->origins_h[data->n_origins - 1];

    for (size_t i = 0;; i++) {
        int64_t span_s = (int64_t)i * data->step_s;
        int64_t now_at_s = data->from_at_s + span_s;
        bool is_origin = span_s == data->origins_h[pass->next_origin] * S_PER_HOUR;

        if (is_origin || now_at_s % S_PER_HOUR == 0) {
            ask(pass, now_at_s, is_origin);
        }
        if (pass->next_origin == data->n_origins) {
            return;
        }
        if (pass->setup->outlook != HS_BACKTEST_NONE) {
            hs_forecast_observe_weather(pass->forecast, now_at_s, &data->weather[i]);
        }
        hs_forecast_observe(pass->forecast, now_at_s, data->heat_w[i]);
        if (pass->setup->progress != NULL) {
            hs_simprogress_set(pass->setup->progress,
                               (double)span_s / (double)(end_h * S_PER_HOUR));
        }
    }
}

static void join(const struct hs_backtest_sums *halves, struct hs_backtest_sums *ret_all)
{
    *ret_all = halves[0];
    ret_all->n += halves[1].n;
    ret_all->heat_w += halves[1].heat_w;
    ret_all->error_w += halves[1].error_w;
    ret_all->error2_w2 += halves[1].error2_w2;
    ret_all->inside += halves[1].inside;
    ret_all->mase_sum += halves[1].mase_sum;
    ret_all->n_mase += halves[1].n_mase;
    ret_all->n_origins += halves[1].n_origins;
    for (size_t b = 0; b < HS_BACKTEST_BLOCKS; b++) {
        ret_all->block_heat_w[b] += halves[1].block_heat_w[b];
        ret_all->block_error_w[b] += halves[1].block_error_w[b];
    }
}

static void conclude(const struct pass *pass, struct hs_backtest_result *ret_result)
{
    size_t n = pass->setup->data->n_origins;
    struct hs_backtest_sums all;

    join(pass->halves, &all);
    ret_result->all = hs_backtest_sums_get(&all);
    ret_result->halves[0] = hs_backtest_sums_get(&pass->halves[0]);
    ret_result->halves[1] = hs_backtest_sums_get(&pass->halves[1]);
    hs_reals_sort(pass->took_us, n);
    ret_result->us_per_forecast = (pass->took_us[(n - 1) / 2] + pass->took_us[n / 2]) / 2;
}

void hs_backtest_run(const struct hs_backtest_setup *setup, const char *model,
                     struct hs_backtest_result *ret_result)
{
    const struct hs_backtest_data *data = setup->data;
    struct hs_forecast_setup made = {.slot_s = data->step_s, .calendar = setup->calendar};
    struct pass pass = {.setup = setup, .model = model};

    pass.forecast = hs_forecast_new(model, &made);
    pass.clock = hs_clock_new_real();
    pass.n_slots = (size_t)(setup->horizon_s / data->step_s);
    pass.n_units = (size_t)(setup->horizon_s / hs_backtest_get_unit_s(data));
    pass.slots = hs_xcalloc(pass.n_slots, sizeof(*pass.slots));
    pass.units = hs_xcalloc(pass.n_units, sizeof(*pass.units));
    pass.took_us = hs_xcalloc(data->n_origins, sizeof(*pass.took_us));
    hs_backtest_truth_init(&pass.truth, data);
    if (setup->progress != NULL) {
        hs_simprogress_start(
            setup->progress, model, (double)data->from_at_s,
            (double)(data->from_at_s + data->origins_h[data->n_origins - 1] * S_PER_HOUR));
    }
    go(&pass);
    conclude(&pass, ret_result);
    if (setup->progress != NULL) {
        hs_simprogress_stop(setup->progress);
    }
    hs_backtest_truth_fini(&pass.truth);
    free(pass.took_us);
    free(pass.units);
    free(pass.slots);
    hs_clock_free(pass.clock);
    hs_forecast_free(pass.forecast);
}
