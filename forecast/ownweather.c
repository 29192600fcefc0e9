/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ownweather - usual day of the week before, and a deviation that fades.
 *
 * On the outdoor temperatures of four heat series (docs/forecast.md) this is off by 2.0-2.2 K
 * over two days where yesterday repeated is off by 2.4-2.8 K, and by 1 K against 2.2 K in the
 * first six hours.
 */
#include "forecast/ownweather.h"

#define USUAL_DAYS 7
#define FADE_H     60.0 /* how long it stays colder or warmer than usual */

/** Adds a value that is known; NAN adds nothing. */
static void gather(double value, double *sum, int *n)
{
    if (!isnan(value)) {
        *sum += value;
        (*n)++;
    }
}

/** Means over the same hour of the last week's days, the newest of them @no. */
static struct hs_weather get_usual(const struct hs_heathistory *history, int64_t no)
{
    double sum[3] = {0};
    int n[3] = {0};

    for (int64_t day = 0; day < USUAL_DAYS; day++) {
        struct hs_weather weather = hs_heathistory_get_weather(history, no - 24 * day);

        gather(weather.t_out_c, &sum[0], &n[0]);
        gather(weather.ghi_w_per_m2, &sum[1], &n[1]);
        gather(weather.wind_m_per_s, &sum[2], &n[2]);
    }
    return (struct hs_weather){
        .t_out_c = n[0] > 0 ? sum[0] / n[0] : (double)NAN,
        .ghi_w_per_m2 = n[1] > 0 ? sum[1] / n[1] : (double)NAN,
        .wind_m_per_s = n[2] > 0 ? sum[2] / n[2] : (double)NAN,
    };
}

void hs_ownweather_continue(const struct hs_heathistory *history, size_t n_hours,
                            struct hs_weather *ret_hours)
{
    int64_t newest_no = history->newest_no;
    double off_c = hs_heathistory_get_weather(history, newest_no).t_out_c
                   - get_usual(history, newest_no - 24).t_out_c;

    off_c = isnan(off_c) ? 0.0 : off_c;
    for (size_t i = 0; i < n_hours; i++) {
        int64_t no = newest_no + 1 + (int64_t)(i % 24);

        ret_hours[i] = i < 24 ? get_usual(history, no - 24) : ret_hours[i % 24];
    }
    for (size_t i = n_hours; i-- > 0;) {
        ret_hours[i].t_out_c += off_c * exp(-(double)(i + 1) / FADE_H);
    }
}
