/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "tests/support/near.h"

#define SLOT_S  900
#define DAY     96 /* slots */
#define ORIGIN  (INT64_C(20000) * 86400)
#define HORIZON 192

static int64_t at_s(int slot)
{
    return ORIGIN + (int64_t)slot * SLOT_S;
}

/** Heat of slot @slot counted from the origin: differs from day to day and hour to hour. */
static double heat_w(int slot)
{
    return 5000.0 + 10.0 * (double)(slot + 40 * DAY);
}

static void yesterday__is_the_same_hour_of_the_latest_known_day(void **state)
{
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("yesterday", SLOT_S);
    double got[HORIZON];

    for (int slot = -3 * DAY; slot < 0; slot++) {
        hs_forecast_observe(forecast, at_s(slot), heat_w(slot));
    }
    hs_forecast_predict(forecast, ORIGIN, HORIZON, got);
    assert_near(got[0], heat_w(-DAY), 0);
    assert_near(got[50], heat_w(50 - DAY), 0);
    assert_near(got[DAY + 50], heat_w(50 - DAY), 0);
}

static void yesterday__falls_back_to_an_earlier_day_then_to_the_last_value(void **state)
{
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("yesterday", SLOT_S);
    double got[HORIZON];

    hs_forecast_predict(forecast, ORIGIN, HORIZON, got);
    assert_near(got[7], 0, 0);
    hs_forecast_observe(forecast, at_s(8 - 3 * DAY), 300);
    hs_forecast_observe(forecast, at_s(8 - DAY), NAN);
    hs_forecast_observe(forecast, at_s(9 - DAY), -5);
    hs_forecast_observe(forecast, at_s(10 - DAY), 700);
    hs_forecast_predict(forecast, ORIGIN, HORIZON, got);
    assert_near(got[8], 300, 0);
    assert_near(got[9], 700, 0);
    assert_near(got[10], 700, 0);
    assert_near(got[11], 700, 0);
}

static void yesterday__keeps_the_last_value_beyond_its_ring(void **state)
{
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("yesterday", SLOT_S);
    double got[2];

    hs_forecast_observe(forecast, at_s(-60 * DAY), 1234);
    hs_forecast_predict(forecast, ORIGIN, 2, got);
    assert_near(got[1], 1234, 0);
}

static void predict__is_the_same_to_the_bit_when_the_future_is_destroyed(void **state)
{
    HS_AUTO(hs_forecast) honest = hs_forecast_new("yesterday", SLOT_S);
    HS_AUTO(hs_forecast) tempted = hs_forecast_new("yesterday", SLOT_S);
    double want[HORIZON], got[HORIZON];

    for (int slot = -9 * DAY; slot < 0; slot++) {
        double known = slot % 7 == 0 ? (double)NAN : heat_w(slot);

        hs_forecast_observe(honest, at_s(slot), known);
        hs_forecast_observe(tempted, at_s(slot), known);
    }
    for (int slot = 0; slot < HORIZON; slot++) {
        hs_forecast_observe(tempted, at_s(slot), 9e9);
    }
    hs_forecast_predict(honest, ORIGIN, HORIZON, want);
    hs_forecast_predict(tempted, ORIGIN, HORIZON, got);
    assert_memory_equal(got, want, sizeof(want));
    assert_true(want[3] > 0);
}

static void model__is_null_for_an_unknown_name(void **state)
{
    assert_null(hs_forecast_model("crystal-ball"));
    assert_string_equal(hs_forecast_model("yesterday")->name, "yesterday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yesterday__is_the_same_hour_of_the_latest_known_day),
        cmocka_unit_test(yesterday__falls_back_to_an_earlier_day_then_to_the_last_value),
        cmocka_unit_test(yesterday__keeps_the_last_value_beyond_its_ring),
        cmocka_unit_test(predict__is_the_same_to_the_bit_when_the_future_is_destroyed),
        cmocka_unit_test(model__is_null_for_an_unknown_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
