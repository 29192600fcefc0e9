/* SPDX-License-Identifier: Apache-2.0 */
/* Forecasts over days of 23 and 25 hours of a SYNTHETIC town that lives by the wall clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/signal/zonefile.h"
#include "forecast/forecast.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/civil.h"
#include "scheduler/base/mem.h"
#include "tests/unit/forecast/town.h"

#define CHANGE_DAY 42
#define AFTER_D    7

/* Error over the days from the one before the change, as said at each midnight of UTC. */
static double run(const char *model, const struct town *town, const struct hs_calendar *calendar)
{
    struct hs_forecast_setup setup = {.slot_s = TOWN_HOUR_S, .calendar = calendar};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new(model, &setup);
    struct hs_forecast_slot made[48];
    struct hs_outlook outlook;
    double error = 0.0, heat = 0.0;

    for (size_t day = 0; day < CHANGE_DAY + AFTER_D; day++) {
        size_t hour = day * 24;

        town_foresee(town, hour, hour, TOWN_FAR_H, &outlook);
        hs_forecast_set_outlook(forecast, &outlook);
        hs_forecast_predict(forecast, town_get_at_s(town, hour), 48, made);
        for (size_t i = 0; i < 48; i++) {
            assert_true(isfinite(made[i].p90_w) && made[i].p10_w >= 0);
            assert_true(made[i].p10_w <= made[i].p50_w && made[i].p50_w <= made[i].p90_w);
            if (day + 1 >= CHANGE_DAY) {
                error += fabs(made[i].p50_w - town->true_w[hour + i]);
                heat += town->true_w[hour + i];
            }
        }
        town_show(town, forecast, hour, hour + 24);
    }
    return error / heat;
}

/* A model that has a profile of the day must know which day it is. */
static void check(int year, int month, int day)
{
    static const char *const profiled[] = {"regression", "mixer"};
    struct hs_timezone *timezone = NULL;
    HS_AUTO_MEM struct town *town = hs_xcalloc(1, sizeof(*town));

    assert_int_equal(hs_zonefile_load("Europe/Berlin", &timezone, NULL), 0);
    HS_AUTO(hs_calendar) calendar = hs_calendar_new(timezone, NULL);

    town_init(town, (hs_civil_get_day_no(year, month, day) - CHANGE_DAY) * 86400, calendar);
    for (size_t m = 0; hs_forecast_get_model(m) != NULL; m++) {
        const char *model = hs_forecast_get_model(m)->name;
        double with = run(model, town, calendar), without = run(model, town, NULL);

        print_message("%d-%02d: %s errs by %.3f with a calendar, %.3f without\n", year, month,
                      model, with, without);
    }
    for (size_t i = 0; i < sizeof(profiled) / sizeof(profiled[0]); i++) {
        if (hs_forecast_find_model(profiled[i]) != NULL) {
            assert_true(run(profiled[i], town, calendar) < 0.9 * run(profiled[i], town, NULL));
        }
    }
    hs_timezone_free(timezone);
}

static void day_of_23_hours__keeps_the_profile_in_place(void **state)
{
    (void)state;
    check(2025, 3, 30);
}

static void day_of_25_hours__keeps_the_profile_in_place(void **state)
{
    (void)state;
    check(2025, 10, 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(day_of_23_hours__keeps_the_profile_in_place),
        cmocka_unit_test(day_of_25_hours__keeps_the_profile_in_place),
    };

    return cmocka_run_group_tests_name("forecast_dst", tests, NULL, NULL);
}
