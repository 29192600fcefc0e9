/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * town - a SYNTHETIC building and its weather by the hour, made from a seed, measured nowhere.
 *
 * Its heat follows the air outside and the wall clock of those who live in it. `true_w` is what
 * the loop really takes, `seen_w` and the rest is what the meters say; tests spoil the latter.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/calendar.h"
#include "forecast/forecast.h"
#include "forecast/weather.h"

#define TOWN_DAYS   84
#define TOWN_HOURS  (TOWN_DAYS * 24)
#define TOWN_FAR_H  72 /* hours that its weather forecasts reach */
#define TOWN_HOUR_S 3600

struct town {
    int64_t from_at_s;
    const struct hs_calendar *calendar; /* of its people and of its forecast; borrowed */
    double true_w[TOWN_HOURS];
    double seen_w[TOWN_HOURS];
    struct hs_weather true_weather[TOWN_HOURS];
    struct hs_weather seen_weather[TOWN_HOURS];
};

/** @param calendar  kept; NULL: people live by UTC */
void town_init(struct town *town, int64_t from_at_s, const struct hs_calendar *calendar);

int64_t town_get_at_s(const struct town *town, size_t hour);

/** Let @forecast see the hours from @from to before @until. */
void town_show(const struct town *town, struct hs_forecast *forecast, size_t from, size_t until);

/** A weather forecast of @n_hours made in hour @hour, a little wrong, from @from on. */
void town_foresee(const struct town *town, size_t hour, size_t from, size_t n_hours,
                  struct hs_outlook *ret_outlook);

/** Random in 0..1, the same for the same @seed; moves the seed on. */
double town_draw(uint64_t *seed);
