/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/askagain.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MIN_S 60.0
#define BACKOFF_MAX_S 3600.0
#define BACKOFF_STEPS 6    /* 60 s x 2^6 is over an hour */
#define SPREAD_RATIO  0.05 /* of the freshness: many clients of one run do not come at once */
#define SPREAD_MAX_S  300.0

/** Even in 0..1. Source: splitmix64, Steele et al. 2014. */
static double draw(uint64_t *io_chance)
{
    uint64_t z = *io_chance += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/** Value of max-age in a Cache-Control header, -1 without. */
static double find_max_age_s(const char *cache_control)
{
    static const char name[] = "max-age=";

    for (const char *at = cache_control; (at = strcasestr(at, name)) != NULL; at += strlen(name)) {
        bool is_whole = at == cache_control || strchr(" ,\t", at[-1]) != NULL;
        const char *digits = at + strlen(name) + (at[strlen(name)] == '"');

        if (is_whole && isdigit((unsigned char)*digits)) {
            return strtod(digits, NULL);
        }
    }
    return -1;
}

double hs_askagain_get_fresh_s(const struct hs_askagain_headers *headers, int64_t received_at_s)
{
    double fresh_s = find_max_age_s(headers->cache_control);

    if (fresh_s < 0 && headers->expires_at_s >= 0) {
        int64_t date_at_s = headers->date_at_s >= 0 ? headers->date_at_s : received_at_s;

        fresh_s = (double)(headers->expires_at_s - date_at_s);
    } else if (fresh_s < 0) {
        fresh_s = HS_ASKAGAIN_USUAL_S;
    }
    return fmin(HS_ASKAGAIN_MAX_S, fmax(HS_ASKAGAIN_MIN_S, fresh_s));
}

double hs_askagain_get_wait_s(double fresh_s, uint64_t *io_chance)
{
    return fresh_s + 1 + draw(io_chance) * fmin(SPREAD_MAX_S, SPREAD_RATIO * fresh_s);
}

double hs_askagain_get_backoff_s(unsigned n_failures, double retry_after_s, bool is_refusal,
                                 uint64_t *io_chance)
{
    unsigned step = n_failures > BACKOFF_STEPS ? BACKOFF_STEPS : n_failures - 1;
    double backoff_s =
        is_refusal ? BACKOFF_MAX_S : fmin(BACKOFF_MAX_S, BACKOFF_MIN_S * (double)(1U << step));

    backoff_s *= 1 + 0.5 * draw(io_chance);
    return fmax(backoff_s, fmin(HS_ASKAGAIN_MAX_S, retry_after_s));
}
