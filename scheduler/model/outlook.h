/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * outlook - what is known of the air outside in one hour, and what a forecast said of hours to
 * come when it was issued. Plain values; unknown is NAN, never zero.
 */

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define HS_OUTLOOK_HOURS 240 /* ten days: what the free weather services issue */

/** Means over an hour. */
struct hs_weather {
    double t_out_c;
    double ghi_w_per_m2; /* global horizontal irradiance */
    double wind_m_per_s;
};

#define HS_WEATHER_UNKNOWN ((struct hs_weather){(double)NAN, (double)NAN, (double)NAN})

/** A weather forecast as it was issued. */
struct hs_outlook {
    int64_t issued_at_s; /* when it became available */
    int64_t from_at_s;   /* start of its first hour, a multiple of an hour */
    size_t n_hours;      /* <= HS_OUTLOOK_HOURS */
    struct hs_weather hours[HS_OUTLOOK_HOURS];
};

/** What @outlook says of the hour that begins at @at_s; unknown outside of it. */
static inline struct hs_weather hs_outlook_get(const struct hs_outlook *outlook, int64_t at_s)
{
    int64_t i = at_s >= outlook->from_at_s ? (at_s - outlook->from_at_s) / 3600 : -1;

    return i >= 0 && i < (int64_t)outlook->n_hours ? outlook->hours[i] : HS_WEATHER_UNKNOWN;
}
