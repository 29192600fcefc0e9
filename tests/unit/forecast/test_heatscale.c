/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/heatscale.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

#define FROM_NO 480000

struct meter {
    struct hs_heathistory history;
    struct hs_heatscale scale;
};

static struct meter *new_meter(void)
{
    struct meter *meter = hs_xcalloc(1, sizeof(*meter));

    hs_heathistory_init(&meter->history);
    return meter;
}

static double say(struct meter *meter, double heat_w)
{
    struct hs_weather weather = HS_WEATHER_UNKNOWN;
    int64_t no = meter->history.newest_no < 0 ? FROM_NO : meter->history.newest_no + 1;

    hs_heathistory_push(&meter->history, no, heat_w, &weather);
    return hs_heatscale_take(&meter->scale, &meter->history);
}

static void heatscale__is_known_after_a_day_of_known_hours(void **state)
{
    HS_AUTO_MEM struct meter *meter = new_meter();

    (void)state;
    for (int i = 0; i < 23; i++) {
        (void)say(meter, 100.0 + i);
        assert_true(isnan(say(meter, (double)NAN)));
    }
    assert_false(hs_heatscale_is_known(&meter->scale));
    (void)say(meter, 200.0);
    assert_true(hs_heatscale_is_known(&meter->scale));
}

static void heatscale__is_the_mean_of_three_days_and_stays(void **state)
{
    HS_AUTO_MEM struct meter *meter = new_meter();

    (void)state;
    for (int i = 0; i < 72; i++) {
        (void)say(meter, 1000.0 + 10.0 * (i % 2));
    }
    assert_near(meter->scale.mean_w, 1005.0, 1e-9);
    assert_near(say(meter, 2010.0), 2.0, 1e-9);
    for (int i = 0; i < 200; i++) {
        (void)say(meter, 5000.0 + i);
    }
    assert_near(meter->scale.mean_w, 1005.0, 1e-9);
}

static void heatscale__of_nothing_but_zeros_divides_all_the_same(void **state)
{
    HS_AUTO_MEM struct meter *meter = new_meter();

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_near(say(meter, 0.0), 0.0, 0);
    }
}

static void heatscale__a_meter_is_frozen_after_three_days_of_one_value(void **state)
{
    HS_AUTO_MEM struct meter *meter = new_meter();

    (void)state;
    (void)say(meter, 10.0);
    (void)say(meter, 20.0);
    for (int i = 0; i < 71; i++) {
        (void)say(meter, 20.0);
        (void)say(meter, (double)NAN); /* what is unknown is no change */
    }
    assert_false(hs_heatscale_is_frozen(&meter->scale));
    (void)say(meter, 20.0);
    assert_true(hs_heatscale_is_frozen(&meter->scale));
    (void)say(meter, 21.0);
    assert_false(hs_heatscale_is_frozen(&meter->scale));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heatscale__is_known_after_a_day_of_known_hours),
        cmocka_unit_test(heatscale__is_the_mean_of_three_days_and_stays),
        cmocka_unit_test(heatscale__of_nothing_but_zeros_divides_all_the_same),
        cmocka_unit_test(heatscale__a_meter_is_frozen_after_three_days_of_one_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
