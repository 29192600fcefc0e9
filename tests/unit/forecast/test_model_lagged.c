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

static double get_day_w(size_t i)
{
    return 1000.0 + 30.0 * (double)(i % 24 * (i % 7 == 0 ? 2 : 1));
}

static bool is_weekend(size_t i)
{
    return i / 24 % 7 >= 5;
}

static void lagged__repeats_days_that_are_alike(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_lagged);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i % 24);
    }
    heatrun_show(run, DAYS * 24, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], get_day_w(i % 24), 0.01 * get_day_w(i % 24));
    }
}

static void lagged__knows_weekends_from_working_days(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_lagged);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = get_day_w(i % 24) * (is_weekend(i) ? 0.6 : 1.0);
    }
    heatrun_show(run, (DAYS + 14) * 24, DAYS * 24);
    assert_true(heatrun_get_error_w(run, m, 1, 24) < 0.04 * 1300.0);
    assert_true(heatrun_get_error_w(run, m, 25, 48) < 0.04 * 1300.0);
}

/* Fronts come and go; a kelvin is 100 W. */
static void make_fronts(struct heatrun *run)
{
    uint64_t seed = 3;
    double front_k = 0.0;

    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        front_k = 0.98 * front_k + 1.4 * (town_draw(&seed) - 0.5);
        run->weather[i] = (struct hs_weather){2.0 + front_k, 0, 0};
        run->heat_w[i] = get_day_w(i % 24) + 100.0 * (15.0 - run->weather[i].t_out_c);
    }
}

static void lagged__follows_the_weather_that_is_foreseen(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_lagged);
    struct hs_outlook mild, cold;
    double mild_w[HEATRUN_AHEAD], cold_w[HEATRUN_AHEAD];

    (void)state;
    make_fronts(run);
    heatrun_show(run, DAYS * 24, HEATRUN_HOURS);
    heatrun_hold_air(run, 4.0, HEATRUN_AHEAD, &mild);
    heatrun_hold_air(run, 0.0, HEATRUN_AHEAD, &cold);
    assert_true(heatrun_ask(run, m, &mild, mild_w));
    assert_true(heatrun_ask(run, m, &cold, cold_w));
    for (size_t i = 12; i < HEATRUN_AHEAD; i++) {
        assert_near(cold_w[i] - mild_w[i], 400.0, 60.0);
    }
}

static void lagged__does_not_repeat_a_spike(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    HS_AUTO(heatrun) calm = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_lagged);

    (void)state;
    (void)heatrun_add(calm, &hs_heatmodel_lagged);
    make_fronts(run);
    make_fronts(calm);
    run->heat_w[DAYS * 24 + 5] *= 48.0;
    heatrun_show(run, DAYS * 24 + 6, HEATRUN_HOURS);
    heatrun_show(calm, DAYS * 24 + 6, HEATRUN_HOURS);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], calm->said_w[0][i], 0.3 * calm->said_w[0][i]);
    }
}

static void lagged__is_silent_until_four_days_are_known(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_lagged);

    (void)state;
    make_fronts(run);
    heatrun_show(run, 94, HEATRUN_HOURS);
    assert_true(isnan(run->said_w[m][0]));
    heatrun_show(run, 96, HEATRUN_HOURS);
    assert_false(isnan(run->said_w[m][0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lagged__repeats_days_that_are_alike),
        cmocka_unit_test(lagged__knows_weekends_from_working_days),
        cmocka_unit_test(lagged__follows_the_weather_that_is_foreseen),
        cmocka_unit_test(lagged__does_not_repeat_a_spike),
        cmocka_unit_test(lagged__is_silent_until_four_days_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
