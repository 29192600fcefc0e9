/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weatherbias - what a weather service's temperature is off by at this very site, learned online
 * from the site's own outdoor sensor.
 *
 * The error expected of an hour is a mean of its block of leads, plus a part of its hour of day,
 * plus what is left of the newest error seen, by lead. All three are shrunk to 0 while little is
 * known and forget slowly. Pure, O(leads) per hour; a plain value, stored and restored as it is.
 *
 * A broken sensor cannot do harm: a reading that jumps, is stuck or is absurdly far from the
 * forecast teaches nothing, and no correction is larger than HS_WEATHERBIAS_MAX_K.
 */

#include <stdint.h>

#include "forecast/weather.h"

#define HS_WEATHERBIAS_LEADS  48
#define HS_WEATHERBIAS_BLOCKS 3 /* 1-6 h, 7-24 h, 25 h and more */
#define HS_WEATHERBIAS_MAX_K  5.0

/** A mean that forgets: sum / (n + prior). */
struct hs_weatherbias_mean {
    double sum_k;
    double n;
};

struct hs_weatherbias {
    int64_t newest_no; /* newest closed hour, from 1970-01-01 00:00 UTC; -1: none yet */
    int64_t n_seen;    /* hours that taught something */
    /* [hour][lead - 1]: what was issued for that hour when it was lead hours ahead; NAN: nothing */
    double issued_c[HS_WEATHERBIAS_LEADS][HS_WEATHERBIAS_LEADS];
    /* [hour]: error of that hour beyond the means, K: issued minus this would have been right */
    double fresh_k[HS_WEATHERBIAS_LEADS];
    struct hs_weatherbias_mean level[HS_WEATHERBIAS_BLOCKS];
    struct hs_weatherbias_mean hour_of_day[24]; /* UTC: the sun and the sensor's wall know no DST */
    double cross_k2[HS_WEATHERBIAS_LEADS];      /* error so many hours later x fresh_k */
    double square_k2[HS_WEATHERBIAS_LEADS];     /* fresh_k x fresh_k */
    double last_c;                              /* newest reading; NAN: none */
    double stuck_h;                             /* hours in which the reading has not moved */
    double stuck_low_c;                         /* what was issued for those hours */
    double stuck_high_c;
};

void hs_weatherbias_init(struct hs_weatherbias *bias);

/**
 * Hour @no has closed: learn what was wrong with what had been issued for it. Hours come in
 * order; those left out are unknown.
 *
 * @param t_out_c  mean of the site's sensor; NAN: unknown
 */
void hs_weatherbias_observe(struct hs_weatherbias *bias, int64_t no, double t_out_c);

/**
 * From the newest closed hour on, @outlook is the forecast in force; the last of an hour counts.
 *
 * @param outlook  as it was issued, not corrected; borrowed
 */
void hs_weatherbias_foresee(struct hs_weatherbias *bias, const struct hs_outlook *outlook);

/** What to add to the temperature issued for hour @no, K; 0 while nothing is known. */
double hs_weatherbias_get_k(const struct hs_weatherbias *bias, int64_t no);
