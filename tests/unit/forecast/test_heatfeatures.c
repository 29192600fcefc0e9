/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/heatfeatures.h"
#include "tests/support/near.h"
#include "tests/unit/forecast/town.h"

#define N         HS_HEATFEATURES_N
#define MONDAY_NO (INT64_C(20003) * 24) /* 2024-10-07 00:00 UTC */
#define FREE_FROM 24
/* where things lie in the row: hours, free hours, Saturday, Monday, air, bends, harmonics */
#define AT_SATURDAY 48
#define AT_MONDAY   49
#define AT_AIR      50
#define AT_BENDS    54
#define AT_WAVES    58
#define AT_FREE     66

static const struct hs_airfilter winter = {
    .t_c = {-2, 0, 1, 3},
    .ghi_w_per_m2 = 150,
    .slow_ghi_w_per_m2 = 75,
    .wind_m_per_s = 6,
    .has_air = true,
};

static void heatfeatures__explain_is_the_sum_of_what_describe_says(void **state)
{
    static const struct hs_airfilter nothing = {0};
    const struct hs_airfilter *airs[] = {&winter, &nothing};
    double coefs[N];
    uint64_t seed = 5;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        coefs[i] = town_draw(&seed) - 0.5;
    }
    for (size_t a = 0; a < 2; a++) {
        for (int64_t no = MONDAY_NO; no < MONDAY_NO + 7 * 24; no++) {
            double x[N];
            double want = 0.0;

            hs_heatfeatures_describe(airs[a], NULL, no, x);
            for (size_t i = 0; i < N; i++) {
                want += coefs[i] * x[i];
            }
            assert_near(hs_heatfeatures_explain(airs[a], NULL, no, coefs), want, 1e-12);
        }
    }
}

static void heatfeatures__say_the_hour_once(void **state)
{
    (void)state;
    for (int hour = 0; hour < 24; hour++) {
        double x[N];

        hs_heatfeatures_describe(&winter, NULL, MONDAY_NO + hour, x);
        for (int i = 0; i < 24; i++) {
            assert_near(x[i], i == hour ? 1.0 : 0.0, 0);
            assert_near(x[FREE_FROM + i], 0.0, 0);
        }
    }
}

static void heatfeatures__say_the_hour_of_a_free_day_besides(void **state)
{
    double x[N];

    (void)state;
    hs_heatfeatures_describe(&winter, NULL, MONDAY_NO + 5 * 24 + 7, x);
    assert_near(x[7], 1.0, 0);
    assert_near(x[FREE_FROM + 7], 1.0, 0);
    assert_near(x[AT_SATURDAY], 1.0, 0);
    assert_true(x[AT_FREE] > 0);
    hs_heatfeatures_describe(&winter, NULL, MONDAY_NO + 7, x);
    assert_near(x[AT_MONDAY], 1.0, 0);
    assert_near(x[AT_FREE], 0.0, 0);
}

static void heatfeatures__a_day_is_free_at_weekends_and_on_holidays(void **state)
{
    (void)state;
    for (int weekday = 0; weekday < 7; weekday++) {
        struct hs_calendar_hour hour = {.weekday = weekday};

        assert_int_equal(hs_heatfeatures_is_free(&hour), weekday >= 5);
        hour.is_holiday = true;
        assert_true(hs_heatfeatures_is_free(&hour));
    }
}

/* Felt air of -0.0 C: 0.35 * -2 + 0.15 * 0 + 0.4 * 1 + 0.1 * 3; 17 K under where heating stops. */
static void heatfeatures__waves_are_harmonics_of_the_day_as_high_as_it_is_cold(void **state)
{
    const double cold = 1.7;

    (void)state;
    for (int hour = 0; hour < 24; hour++) {
        double x[N];

        hs_heatfeatures_describe(&winter, NULL, MONDAY_NO + hour, x);
        for (int k = 1; k <= 4; k++) {
            double angle = 2.0 * M_PI * k * hour / 24.0;

            assert_near(x[AT_WAVES + 2 * (k - 1)], cold * cos(angle), 1e-12);
            assert_near(x[AT_WAVES + 2 * (k - 1) + 1], cold * sin(angle), 1e-12);
        }
    }
}

static void heatfeatures__bends_are_zero_where_it_is_warmer(void **state)
{
    static const double bends_c[] = {18, 12, 7, 1};
    struct hs_airfilter air = {.has_air = true};

    (void)state;
    for (double t_c = -10; t_c <= 25; t_c += 0.5) {
        double x[N];

        for (size_t i = 0; i < HS_AIRFILTER_N; i++) {
            air.t_c[i] = t_c;
        }
        hs_heatfeatures_describe(&air, NULL, MONDAY_NO, x);
        for (size_t i = 0; i < 4; i++) {
            assert_near(x[AT_BENDS + i], fmax(0, bends_c[i] - t_c) / 10, 1e-12);
            assert_near(x[AT_AIR + i], fmax(0, 16 - t_c) / 10, 1e-12);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heatfeatures__explain_is_the_sum_of_what_describe_says),
        cmocka_unit_test(heatfeatures__say_the_hour_once),
        cmocka_unit_test(heatfeatures__say_the_hour_of_a_free_day_besides),
        cmocka_unit_test(heatfeatures__a_day_is_free_at_weekends_and_on_holidays),
        cmocka_unit_test(heatfeatures__waves_are_harmonics_of_the_day_as_high_as_it_is_cold),
        cmocka_unit_test(heatfeatures__bends_are_zero_where_it_is_warmer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
