/* SPDX-License-Identifier: Apache-2.0 */
/* airfilter - first-order low-pass filters by the hour: share = 1 - exp(-1 h / time constant). */
#include "forecast/airfilter.h"

/* time constants of 0, 5, 20 and 72 h */
static const double share[HS_AIRFILTER_N] = {1.0, 0.18126924692201818, 0.048770575499285984,
                                             0.013792883256083743};
#define GHI_SHARE 0.15351827510938587 /* 6 h */

void hs_airfilter_step(struct hs_airfilter *filter, const struct hs_weather *weather)
{
    double ghi = isnan(weather->ghi_w_per_m2) ? 0.0 : weather->ghi_w_per_m2;

    filter->wind_m_per_s = isnan(weather->wind_m_per_s) ? 0.0 : weather->wind_m_per_s;
    filter->ghi_w_per_m2 = ghi;
    filter->slow_ghi_w_per_m2 += GHI_SHARE * (ghi - filter->slow_ghi_w_per_m2);
    if (isnan(weather->t_out_c)) {
        return;
    }
    for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
        double from_c = filter->has_air ? filter->t_c[i] : weather->t_out_c;

        filter->t_c[i] = from_c + share[i] * (weather->t_out_c - from_c);
    }
    filter->has_air = true;
}
