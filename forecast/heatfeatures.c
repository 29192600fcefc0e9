/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heatfeatures - the row of the weather regression.
 *
 * Change-point models of heat against outdoor temperature are standard (ASHRAE Guideline 14,
 * inverse modelling toolkit); several bends let the regression find its own. A profile whose
 * height follows the cold (harmonics times the hinge) is a night setback that is deeper in winter.
 */
#include "forecast/heatfeatures.h"

#include <string.h>

#define HOURS       24
#define N_BENDS     4
#define N_HARMONICS 4
#define N_FREE      3    /* harmonics of a day off */
#define WARM_C      17.0 /* no room heating above, for interactions */
#define LINEAR_C    16.0
#define TEN_K       10.0
#define SUN         300.0 /* W/m2 */
#define BREEZE      5.0   /* m/s */

static const double bends_c[N_BENDS] = {18, 12, 7, 1};
static const double felt[HS_AIRFILTER_N] = {0.35, 0.15, 0.4, 0.1}; /* of the filters, adds to 1 */
static const double cosine[HOURS] = {1.0,
                                     0.9659258262890683,
                                     0.8660254037844387,
                                     0.7071067811865476,
                                     0.5,
                                     0.25881904510252074,
                                     0.0,
                                     -0.25881904510252074,
                                     -0.5,
                                     -0.7071067811865476,
                                     -0.8660254037844387,
                                     -0.9659258262890683,
                                     -1.0,
                                     -0.9659258262890683,
                                     -0.8660254037844387,
                                     -0.7071067811865476,
                                     -0.5,
                                     -0.25881904510252074,
                                     0.0,
                                     0.25881904510252074,
                                     0.5,
                                     0.7071067811865476,
                                     0.8660254037844387,
                                     0.9659258262890683};

static double hinge(double x)
{
    return x > 0 ? x : 0.0;
}

/** cos and sin of the first @n harmonics of the day, times @factor. Returns the next feature. */
static double *add_harmonics(double *x, int n, int hour, double factor)
{
    for (int i = 1; i <= n; i++) {
        *x++ = factor * cosine[i * hour % HOURS];
        *x++ = factor * cosine[(i * hour + 3 * HOURS / 4) % HOURS]; /* the sine */
    }
    return x;
}

bool hs_heatfeatures_is_free(const struct hs_calendar_hour *hour)
{
    return hour->weekday >= 5 || hour->is_holiday;
}

static double *add_air(double *x, const struct hs_airfilter *air, const double felt_c)
{
    for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
        *x++ = air->has_air ? hinge(LINEAR_C - air->t_c[i]) / TEN_K : 0.0;
    }
    for (size_t i = 0; i < N_BENDS; i++) {
        *x++ = air->has_air ? hinge(bends_c[i] - felt_c) / TEN_K : 0.0;
    }
    return x;
}

/** The features after the hours of the day. @param ret_x  [HS_HEATFEATURES_N - 2 * HOURS] */
static void describe_rest(const struct hs_airfilter *air, const struct hs_calendar_hour *hour,
                          bool is_free, double *ret_x)
{
    double *x = ret_x;
    double felt_c = 0.0;
    double cold;

    for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
        felt_c += felt[i] * air->t_c[i];
    }
    cold = air->has_air ? hinge(WARM_C - felt_c) / TEN_K : 1.0;
    *x++ = hour->weekday == 5 ? 1.0 : 0.0;
    *x++ = hour->weekday == 0 ? 1.0 : 0.0;
    x = add_air(x, air, felt_c);
    x = add_harmonics(x, N_HARMONICS, hour->hour, cold);
    *x++ = is_free ? cold : 0.0;
    x = add_harmonics(x, N_FREE, hour->hour, is_free ? cold : 0.0);
    *x++ = air->ghi_w_per_m2 / SUN;
    *x++ = air->slow_ghi_w_per_m2 / SUN;
    *x++ = air->wind_m_per_s / BREEZE * cold;
    *x++ = air->wind_m_per_s / BREEZE;
    *x = 1.0;
}

void hs_heatfeatures_describe(const struct hs_airfilter *air, const struct hs_calendar *calendar,
                              int64_t no, double *ret_x)
{
    struct hs_calendar_hour hour = hs_calendar_get_hour(calendar, no * 3600);
    bool is_free = hs_heatfeatures_is_free(&hour);

    memset(ret_x, 0, 2 * HOURS * sizeof(*ret_x));
    ret_x[hour.hour] = 1.0;
    ret_x[HOURS + hour.hour] = is_free ? 1.0 : 0.0;
    describe_rest(air, &hour, is_free, &ret_x[2 * HOURS]);
}

double hs_heatfeatures_explain(const struct hs_airfilter *air, const struct hs_calendar *calendar,
                               int64_t no, const double *coefs)
{
    struct hs_calendar_hour hour = hs_calendar_get_hour(calendar, no * 3600);
    bool is_free = hs_heatfeatures_is_free(&hour);
    double rest[HS_HEATFEATURES_N - 2 * HOURS];
    double sum = coefs[hour.hour] + (is_free ? coefs[HOURS + hour.hour] : 0.0);

    describe_rest(air, &hour, is_free, rest);
    for (size_t i = 0; i < HS_HEATFEATURES_N - 2 * HOURS; i++) {
        sum += coefs[2 * HOURS + i] * rest[i];
    }
    return sum;
}

void hs_heatfeatures_get_pull(double pull, double *ret_pull)
{
    for (size_t i = 0; i < HS_HEATFEATURES_N; i++) {
        ret_pull[i] = i >= HOURS && i < 2 * HOURS ? 2.0 * pull : pull;
    }
    ret_pull[HS_HEATFEATURES_N - 1] = 0.01 * pull; /* the mean is hardly pulled */
}
