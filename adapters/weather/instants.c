/* SPDX-License-Identifier: Apache-2.0 */
/* instants - one walk along the instants and the hours. */
#include "adapters/weather/instants.h"

#include <math.h>

#define HOUR_S    3600
#define GAP_MAX_S 21600 /* MET Norway issues six-hourly steps after two days */

/** Last instant at or before @at_s; @n if there is none. */
static size_t find_before(const struct hs_instant *instants, size_t n, int64_t at_s)
{
    size_t from = 0, to = n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (instants[middle].at_s <= at_s) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from > 0 ? from - 1 : n;
}

/** Values at @at_s. */
static struct hs_weather interpolate(const struct hs_instant *instants, size_t n, int64_t at_s)
{
    size_t i = find_before(instants, n, at_s);
    struct hs_weather weather = HS_WEATHER_UNKNOWN;

    if (i == n) {
        return weather;
    }
    if (instants[i].at_s == at_s) {
        weather.t_out_c = instants[i].t_out_c;
        weather.wind_m_per_s = instants[i].wind_m_per_s;
    } else if (i + 1 < n && instants[i + 1].at_s - instants[i].at_s <= GAP_MAX_S) {
        const struct hs_instant *a = &instants[i], *b = &instants[i + 1];
        double share = (double)(at_s - a->at_s) / (double)(b->at_s - a->at_s);

        weather.t_out_c = a->t_out_c + share * (b->t_out_c - a->t_out_c);
        weather.wind_m_per_s = a->wind_m_per_s + share * (b->wind_m_per_s - a->wind_m_per_s);
    }
    return weather;
}

/** Mean of the hour that ends at @end_at_s, from the hours before stamps that overlap it. */
static double get_sun(const struct hs_instant *instants, size_t n, int64_t end_at_s)
{
    size_t i = find_before(instants, n, end_at_s + HOUR_S - 1);
    double sum = 0, known_s = 0;

    for (; i < n && instants[i].at_s > end_at_s - HOUR_S; i--) {
        int64_t off_s = instants[i].at_s - end_at_s;
        double overlap_s = (double)(HOUR_S - (off_s < 0 ? -off_s : off_s));

        if (!isnan(instants[i].ghi_before_w_per_m2)) {
            sum += instants[i].ghi_before_w_per_m2 * overlap_s;
            known_s += overlap_s;
        }
        if (i == 0) {
            break;
        }
    }
    return known_s >= HOUR_S ? sum / known_s : (double)NAN;
}

/* An hour's mean is that of its ends: between them the value goes straight. */
static struct hs_weather get_hour(const struct hs_instant *instants, size_t n, int64_t at_s)
{
    struct hs_weather start = interpolate(instants, n, at_s);
    struct hs_weather end = interpolate(instants, n, at_s + HOUR_S);

    return (struct hs_weather){
        .t_out_c = (start.t_out_c + end.t_out_c) / 2,
        .ghi_w_per_m2 = get_sun(instants, n, at_s + HOUR_S),
        .wind_m_per_s = (start.wind_m_per_s + end.wind_m_per_s) / 2,
    };
}

void hs_instants_get_outlook(const struct hs_instant *instants, size_t n, int64_t issued_at_s,
                             struct hs_outlook *ret_outlook)
{
    int64_t from_at_s = issued_at_s - issued_at_s % HOUR_S;
    int64_t first_at_s = n > 0 ? instants[0].at_s - instants[0].at_s % HOUR_S : 0;
    int64_t last_at_s = n > 0 ? instants[n - 1].at_s : 0;

    from_at_s = from_at_s > first_at_s ? from_at_s : first_at_s;
    *ret_outlook = (struct hs_outlook){.issued_at_s = issued_at_s, .from_at_s = from_at_s};
    for (size_t i = 0; i < HS_OUTLOOK_HOURS; i++) {
        int64_t at_s = from_at_s + (int64_t)i * HOUR_S;

        if (at_s >= last_at_s) {
            break;
        }
        ret_outlook->hours[i] = get_hour(instants, n, at_s);
        if (!isnan(ret_outlook->hours[i].t_out_c)) {
            ret_outlook->n_hours = i + 1;
        }
    }
}
