/* SPDX-License-Identifier: Apache-2.0 */
/* town - a winter's end: cold first, mild later, in fronts of some days. */
#include "tests/unit/forecast/town.h"

#include <math.h>

#define BASE_W      2000.0
#define PER_K_W     600.0
#define ROOM_C      16.0
#define NIGHT_RATIO 0.6 /* of the day's heat, from 21 to 5 h by the wall clock */
#define REST_RATIO  0.8 /* of a working day's, at weekends and on holidays */
#define NOISE_RATIO 0.05

double town_draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

int64_t town_get_at_s(const struct town *town, size_t hour)
{
    return town->from_at_s + (int64_t)hour * TOWN_HOUR_S;
}

static double make_heat_w(const struct town *town, size_t hour, double slow_c, uint64_t *seed)
{
    struct hs_calendar_hour lived = hs_calendar_get_hour(town->calendar, town_get_at_s(town, hour));
    double heat_w = BASE_W + PER_K_W * fmax(0.0, ROOM_C - slow_c);

    heat_w *= lived.hour < 5 || lived.hour >= 21 ? NIGHT_RATIO : 1.0;
    heat_w *= lived.hour == 6 || lived.hour == 7 ? 1.5 : 1.0;
    heat_w *= lived.weekday >= 5 || lived.is_holiday ? REST_RATIO : 1.0;
    return heat_w * (1.0 + NOISE_RATIO * (2.0 * town_draw(seed) - 1.0));
}

void town_init(struct town *town, int64_t from_at_s, const struct hs_calendar *calendar)
{
    uint64_t seed = 7;
    double front_k = 0.0, slow_c = 0.0;

    town->from_at_s = from_at_s;
    town->calendar = calendar;
    for (size_t i = 0; i < TOWN_HOURS; i++) {
        double day = sin(2.0 * M_PI * ((double)(i % 24) - 9.0) / 24.0);

        front_k = 0.98 * front_k + 1.4 * (town_draw(&seed) - 0.5);
        town->true_weather[i] = (struct hs_weather){
            .t_out_c = 2.0 + 6.0 * (double)i / TOWN_HOURS + 3.0 * day + front_k,
            .ghi_w_per_m2 = fmax(0.0, 300.0 * day) * town_draw(&seed),
            .wind_m_per_s = 1.0 + 6.0 * town_draw(&seed),
        };
        slow_c = i == 0 ? 2.0 : 0.8 * slow_c + 0.2 * town->true_weather[i].t_out_c;
        town->true_w[i] = make_heat_w(town, i, slow_c, &seed);
        town->seen_w[i] = town->true_w[i];
        town->seen_weather[i] = town->true_weather[i];
    }
}

void town_show(const struct town *town, struct hs_forecast *forecast, size_t from, size_t until)
{
    for (size_t i = from; i < until; i++) {
        hs_forecast_observe_weather(forecast, town_get_at_s(town, i), &town->seen_weather[i]);
        hs_forecast_observe(forecast, town_get_at_s(town, i), town->seen_w[i]);
    }
    hs_forecast_advance(forecast, town_get_at_s(town, until));
}

void town_foresee(const struct town *town, size_t hour, size_t from, size_t n_hours,
                  struct hs_outlook *ret_outlook)
{
    uint64_t seed = hour;

    ret_outlook->issued_at_s = town_get_at_s(town, hour);
    ret_outlook->from_at_s = town_get_at_s(town, from);
    ret_outlook->n_hours = n_hours;
    for (size_t i = 0; i < n_hours; i++) {
        ret_outlook->hours[i] = HS_WEATHER_UNKNOWN;
        if (from + i < TOWN_HOURS) {
            ret_outlook->hours[i] = town->true_weather[from + i];
            ret_outlook->hours[i].t_out_c += 2.0 * (town_draw(&seed) - 0.5);
        }
    }
}
