/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heatrun - models of heat alone, without the frame: hours of a made-up building are shown to each
 * of them side by side, and before each hour they say what they expect, knowing the weather.
 */

#include <stddef.h>

#include "forecast/heatmodel.h"
#include "scheduler/base/auto.h"

#define HEATRUN_FROM_NO (INT64_C(20003) * 24) /* Monday, 2024-10-07 00:00 UTC */
#define HEATRUN_HOURS   3000
#define HEATRUN_MODELS  10
#define HEATRUN_AHEAD   48

struct heatrun {
    double heat_w[HEATRUN_HOURS]; /* what the test makes of the building; NAN: not metered */
    struct hs_weather weather[HEATRUN_HOURS];
    size_t now; /* hours shown so far */
    struct hs_heathistory history;
    size_t n_models;
    const struct hs_heatmodel *models[HEATRUN_MODELS];
    void *states[HEATRUN_MODELS];
    double said_w[HEATRUN_MODELS][HEATRUN_AHEAD]; /* of the hours from now on; NAN: silent */
    double error_sum_w[HEATRUN_MODELS][HEATRUN_AHEAD];
    double n_judged;
};

/** Weather unknown, heat 0, no model; owned by the caller, who frees it by heatrun_free(). */
struct heatrun *heatrun_new(void);

/** A fresh model joins; the next hours teach it. Returns which one it is. */
size_t heatrun_add(struct heatrun *run, const struct hs_heatmodel *model);

/** Show the hours up to @until; from @judge_from on errors are added up. */
void heatrun_show(struct heatrun *run, size_t until, size_t judge_from);

/** Mean |error| of model @m over @from to @to hours ahead, since judging began. */
double heatrun_get_error_w(const struct heatrun *run, size_t m, size_t from, size_t to);

/** What model @m says now if the weather is @outlook. Returns what its predict does. */
bool heatrun_ask(const struct heatrun *run, size_t m, const struct hs_outlook *outlook,
                 double *ret_heat_w);

/** An outlook of @n_hours from now on, all at @t_out_c. */
void heatrun_hold_air(const struct heatrun *run, double t_out_c, size_t n_hours,
                      struct hs_outlook *ret_outlook);

void heatrun_free(struct heatrun *run);
HS_DEFINE_AUTO(heatrun);
