/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/model/series.h"
#include "tests/support/near.h"

#define HOUR_S INT64_C(3600)

/* Ten days of hours: value = hour of day + 100 x day; unknown on day 5 and from hour 12 of day 9.
 */
static struct hs_series *ten_days(void)
{
    struct hs_series *series = hs_series_new();

    series->step_s = HOUR_S;
    for (int64_t hour = 0; hour < 9 * 24 + 12; hour++) {
        double value = (double)(hour % 24 + 100 * (hour / 24));

        hs_series_add(series, hour * HOUR_S, hour / 24 == 5 ? NAN : value);
    }
    return series;
}

static void series__expects_what_was_measured(void **state)
{
    HS_AUTO(hs_series) series = ten_days();

    assert_near(hs_series_get_expected(series, (4 * 24 + 7) * HOUR_S + 60), 407, 0);
}

static void series__expects_over_a_gap_the_same_hour_of_the_day_before(void **state)
{
    HS_AUTO(hs_series) series = ten_days();

    assert_near(hs_series_get_held(series, (5 * 24 + 7) * HOUR_S), 423, 0);
    assert_near(hs_series_get_expected(series, (5 * 24 + 7) * HOUR_S), 407, 0);
}

static void series__expects_past_the_end_the_latest_day_that_knows(void **state)
{
    HS_AUTO(hs_series) series = ten_days();

    assert_near(hs_series_get_expected(series, (9 * 24 + 18) * HOUR_S), 818, 0);
    assert_near(hs_series_get_expected(series, (11 * 24 + 7) * HOUR_S), 907, 0);
    /* after a week nobody knows: the last value */
    assert_near(hs_series_get_expected(series, (30 * 24 + 7) * HOUR_S), 911, 0);
    assert_true(isnan(hs_series_get_expected(series, -1)));
}

static void series__knows_the_share_of_a_span_that_was_measured(void **state)
{
    HS_AUTO(hs_series) series = ten_days();

    assert_near(hs_series_get_known_ratio(series, 0, 5 * 24 * HOUR_S), 1, 0);
    assert_near(hs_series_get_known_ratio(series, 0, 10 * 24 * HOUR_S), (8.0 * 24 + 12) / 240,
                1e-12);
    assert_near(hs_series_get_known_ratio(series, 4 * 24 * HOUR_S + 23 * HOUR_S + 1800,
                                          5 * 24 * HOUR_S + 1800),
                0.5, 1e-12);
    assert_near(hs_series_get_known_ratio(series, -7200, 7200), 0.5, 1e-12);
    assert_near(hs_series_get_known_ratio(series, 900, 900), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series__expects_what_was_measured),
        cmocka_unit_test(series__expects_over_a_gap_the_same_hour_of_the_day_before),
        cmocka_unit_test(series__expects_past_the_end_the_latest_day_that_knows),
        cmocka_unit_test(series__knows_the_share_of_a_span_that_was_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
