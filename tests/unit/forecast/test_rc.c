/* SPDX-License-Identifier: Apache-2.0 */
/* The grey-box building: synthetic buildings of known physics. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

#define HOUR_S     3600
#define FIRST_AT_S (473400LL * HOUR_S) /* 2024-01-03 00:00 UTC */

static struct hs_forecast *make(void)
{
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};

    return hs_forecast_new("rc", &setup);
}

/** Outdoor air of a made-up winter: days of 5 K, fronts of 8 K in nine days. */
static double air_c(size_t hour)
{
    double days = (double)hour / 24;

    return 4 + 5 * sin(2 * M_PI * (days - 0.4)) + 8 * sin(2 * M_PI * days / 9);
}

static void rc__is_silent_without_any_outdoor_temperature(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();
    struct hs_forecast_how how;

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        hs_forecast_observe(forecast, FIRST_AT_S + (int64_t)i * HOUR_S, 1000);
    }
    hs_forecast_get_how(forecast, &how);
    assert_string_equal(how.fallback, "yesterday");
}

static void rc__foresees_a_front_that_yesterday_does_not_show(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();
    HS_AUTO_MEM struct hs_outlook *outlook = hs_xcalloc(1, sizeof(*outlook));
    struct hs_forecast_slot slots[48];
    size_t n = 21 * 24;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        int64_t at_s = FIRST_AT_S + (int64_t)i * HOUR_S;
        struct hs_weather weather = {air_c(i), (double)NAN, (double)NAN};

        hs_forecast_observe_weather(forecast, at_s, &weather);
        hs_forecast_observe(forecast, at_s, 1000 + 200 * (17 - air_c(i)));
    }
    outlook->from_at_s = outlook->issued_at_s = FIRST_AT_S + (int64_t)n * HOUR_S;
    outlook->n_hours = 48;
    for (size_t i = 0; i < 48; i++) {
        outlook->hours[i] = (struct hs_weather){-6, (double)NAN, (double)NAN};
    }
    hs_forecast_set_outlook(forecast, outlook);
    hs_forecast_predict(forecast, outlook->from_at_s, 48, slots);
    assert_near(slots[47].p50_w, 1000 + 200 * 23, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rc__is_silent_without_any_outdoor_temperature),
        cmocka_unit_test(rc__foresees_a_front_that_yesterday_does_not_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
