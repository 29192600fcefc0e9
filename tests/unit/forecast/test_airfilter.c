/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/airfilter.h"
#include "tests/support/near.h"

#define FROM_C 10.0
#define TO_C   -5.0

static void airfilter__begins_at_the_first_temperature_seen(void **state)
{
    struct hs_airfilter filter = {0};
    struct hs_weather weather = HS_WEATHER_UNKNOWN;

    (void)state;
    hs_airfilter_step(&filter, &weather);
    assert_false(filter.has_air);
    weather.t_out_c = FROM_C;
    hs_airfilter_step(&filter, &weather);
    assert_true(filter.has_air);
    for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
        assert_near(filter.t_c[i], FROM_C, 1e-12);
    }
}

static void airfilter__answers_a_step_by_its_time_constants(void **state)
{
    static const double tau_h[HS_AIRFILTER_N] = {0, 5, 20, 72};
    struct hs_airfilter filter = {0};
    struct hs_weather weather = {FROM_C, 0, 0};

    (void)state;
    hs_airfilter_step(&filter, &weather);
    weather.t_out_c = TO_C;
    for (int hour = 1; hour <= 200; hour++) {
        hs_airfilter_step(&filter, &weather);
        assert_near(filter.t_c[0], TO_C, 1e-12);
        for (size_t i = 1; i < HS_AIRFILTER_N; i++) {
            assert_near(filter.t_c[i], TO_C + (FROM_C - TO_C) * exp(-hour / tau_h[i]), 1e-9);
        }
    }
}

static void airfilter__slows_the_sun_over_six_hours(void **state)
{
    struct hs_airfilter filter = {0};
    struct hs_weather weather = {FROM_C, 500, 0};

    (void)state;
    for (int hour = 1; hour <= 24; hour++) {
        hs_airfilter_step(&filter, &weather);
        assert_near(filter.ghi_w_per_m2, 500, 1e-12);
        assert_near(filter.slow_ghi_w_per_m2, 500 * (1 - exp(-hour / 6.0)), 1e-6);
    }
}

static void airfilter__keeps_the_air_where_the_next_hour_is_unknown(void **state)
{
    struct hs_airfilter filter = {0};
    struct hs_weather weather = {FROM_C, 500, 4};

    (void)state;
    hs_airfilter_step(&filter, &weather);
    weather = HS_WEATHER_UNKNOWN;
    hs_airfilter_step(&filter, &weather);
    for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
        assert_near(filter.t_c[i], FROM_C, 1e-12);
    }
    assert_true(filter.has_air);
    /* sun and wind are of the hour alone: none is known */
    assert_near(filter.ghi_w_per_m2, 0, 1e-12);
    assert_near(filter.wind_m_per_s, 0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(airfilter__begins_at_the_first_temperature_seen),
        cmocka_unit_test(airfilter__answers_a_step_by_its_time_constants),
        cmocka_unit_test(airfilter__slows_the_sun_over_six_hours),
        cmocka_unit_test(airfilter__keeps_the_air_where_the_next_hour_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
