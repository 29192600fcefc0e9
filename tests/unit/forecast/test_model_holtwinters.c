/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "tests/unit/forecast/heatrun.h"
#include "tests/unit/forecast/town.h"

#define DAYS 56
#define WEEK 168

static double get_day_w(size_t i)
{
    return 1000.0 + 30.0 * (double)(i % 24);
}

/* 25 W either way: errors that it takes for usual. */
static void add_noise(struct heatrun *run)
{
    uint64_t seed = 6;

    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] += 100.0 * (town_draw(&seed) - 0.5);
    }
}

static void holtwinters__is_silent_for_two_days_and_then_repeats_the_day(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i);
    }
    heatrun_show(run, 47, HEATRUN_HOURS);
    assert_true(isnan(run->said_w[m][0]));
    heatrun_show(run, 48, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], get_day_w(i), 1.0);
    }
}

static void holtwinters__learns_the_days_of_the_week(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i) * (i / 24 % 7 >= 5 ? 0.6 : 1.0);
    }
    add_noise(run);
    heatrun_show(run, (DAYS + 14) * 24, DAYS * 24);
    /* with a profile of the day alone it would be twice as much */
    assert_true(heatrun_get_error_w(run, m, 1, 48) < 180.0);
}

static void holtwinters__follows_a_level_that_moves(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i) + (i >= DAYS * 24 ? 400.0 : 0.0);
    }
    add_noise(run);
    heatrun_show(run, (DAYS + 7) * 24, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], get_day_w(i) + 400.0, 100.0);
    }
}

/* Two days ahead a rise by 2 W an hour would have come to 96 W, ten days ahead to 480 W. */
static void holtwinters__damps_the_trend(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);
    struct hs_outlook outlook;
    double far_w[240];

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = 1000.0 + 2.0 * (double)i;
    }
    add_noise(run);
    heatrun_show(run, DAYS * 24, HEATRUN_HOURS);
    heatrun_hold_air(run, 0.0, 240, &outlook);
    assert_true(heatrun_ask(run, m, &outlook, far_w));
    assert_true(far_w[24] - far_w[0] > 5.0);
    assert_true(far_w[239] - far_w[0] < 150.0);
    assert_near(far_w[239], far_w[239 - WEEK], 30.0);
}

static void holtwinters__does_not_keep_a_spike(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i);
    }
    add_noise(run);
    run->heat_w[DAYS * 24] = 1e6;
    heatrun_show(run, DAYS * 24 + 1, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], get_day_w(i + 1), 100.0);
    }
}

static void holtwinters__an_unknown_hour_teaches_nothing(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_holtwinters);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = i >= DAYS * 24 && i < (DAYS + 9) * 24 ? (double)NAN : get_day_w(i);
    }
    heatrun_show(run, (DAYS + 9) * 24, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], get_day_w(i), 1.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holtwinters__is_silent_for_two_days_and_then_repeats_the_day),
        cmocka_unit_test(holtwinters__learns_the_days_of_the_week),
        cmocka_unit_test(holtwinters__follows_a_level_that_moves),
        cmocka_unit_test(holtwinters__damps_the_trend),
        cmocka_unit_test(holtwinters__does_not_keep_a_spike),
        cmocka_unit_test(holtwinters__an_unknown_hour_teaches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
