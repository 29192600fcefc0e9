/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** weathervalue - which figures weather can have at all; a service's filler is none of them. */

#include <math.h>

/* Wider than any record on earth, so that only fillers and wrong units fall out. */
#define HS_WEATHERVALUE_T_MIN_C  (-95.0)
#define HS_WEATHERVALUE_T_MAX_C  65.0
#define HS_WEATHERVALUE_GHI_MAX  1600.0 /* W/m2; above the solar constant, at cloud edges */
#define HS_WEATHERVALUE_WIND_MAX 120.0  /* m/s */

/** @value, or NAN where it is no figure between @min and @max. */
static inline double hs_weathervalue_check(double value, double min, double max)
{
    return value >= min && value <= max ? value : (double)NAN;
}

static inline double hs_weathervalue_check_t_c(double t_c)
{
    return hs_weathervalue_check(t_c, HS_WEATHERVALUE_T_MIN_C, HS_WEATHERVALUE_T_MAX_C);
}

/** Models of the atmosphere give a night's sun as -0.1 at times: that is 0. */
static inline double hs_weathervalue_check_ghi(double ghi_w_per_m2)
{
    return hs_weathervalue_check(ghi_w_per_m2 < 0 && ghi_w_per_m2 > -5 ? 0 : ghi_w_per_m2, 0,
                                 HS_WEATHERVALUE_GHI_MAX);
}

static inline double hs_weathervalue_check_wind(double wind_m_per_s)
{
    return hs_weathervalue_check(wind_m_per_s, 0, HS_WEATHERVALUE_WIND_MAX);
}
