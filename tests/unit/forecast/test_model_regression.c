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

#define DAYS    60
#define PER_K_W 500.0
#define BASE_W  2000.0
#define STOP_C  16.0

/* Fronts of some days over the day's own course, 2 C on the mean. */
static void make_weather(struct heatrun *run)
{
    uint64_t seed = 3;
    double front_k = 0.0;

    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        front_k = 0.98 * front_k + 1.4 * (town_draw(&seed) - 0.5);
        run->weather[i] = (struct hs_weather){
            2.0 + 3.0 * sin(2.0 * M_PI * ((double)(i % 24) - 9.0) / 24.0) + front_k, 0, 0};
    }
}

/* A building that feels the air outside @tau_h late. */
static struct heatrun *new_building(double tau_h)
{
    struct heatrun *run = heatrun_new();
    double felt_c = 2.0;
    uint64_t seed = 9;

    make_weather(run);
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        double share = tau_h > 0 ? 1.0 - exp(-1.0 / tau_h) : 1.0;

        felt_c += share * (run->weather[i].t_out_c - felt_c);
        run->heat_w[i] = BASE_W + PER_K_W * fmax(0, STOP_C - felt_c);
        run->heat_w[i] += 200.0 * (town_draw(&seed) - 0.5);
    }
    return run;
}

/* W more for each kelvin colder, after two days of it. */
static double find_slope_w_per_k(const struct heatrun *run, size_t m)
{
    struct hs_outlook mild, cold;
    double mild_w[HEATRUN_AHEAD], cold_w[HEATRUN_AHEAD];

    heatrun_hold_air(run, 4.0, HEATRUN_AHEAD, &mild);
    heatrun_hold_air(run, 0.0, HEATRUN_AHEAD, &cold);
    assert_true(heatrun_ask(run, m, &mild, mild_w));
    assert_true(heatrun_ask(run, m, &cold, cold_w));
    return (cold_w[HEATRUN_AHEAD - 1] - mild_w[HEATRUN_AHEAD - 1]) / 4.0;
}

static void weather__finds_the_heat_per_kelvin_of_a_building(void **state)
{
    HS_AUTO(heatrun) run = new_building(0);
    size_t weather = heatrun_add(run, &hs_heatmodel_weather);
    size_t recent = heatrun_add(run, &hs_heatmodel_recent);

    (void)state;
    heatrun_show(run, DAYS * 24, DAYS * 24);
    assert_near(find_slope_w_per_k(run, weather), PER_K_W, 0.05 * PER_K_W);
    assert_near(find_slope_w_per_k(run, recent), PER_K_W, 0.05 * PER_K_W);
}

static void weather__finds_that_a_heavy_building_feels_it_late(void **state)
{
    HS_AUTO(heatrun) run = new_building(20);
    size_t m = heatrun_add(run, &hs_heatmodel_weather);
    struct hs_outlook mild, cold;
    double mild_w[HEATRUN_AHEAD], cold_w[HEATRUN_AHEAD];

    (void)state;
    heatrun_show(run, DAYS * 24, DAYS * 24);
    heatrun_hold_air(run, 4.0, HEATRUN_AHEAD, &mild);
    heatrun_hold_air(run, 0.0, HEATRUN_AHEAD, &cold);
    assert_true(heatrun_ask(run, m, &mild, mild_w));
    assert_true(heatrun_ask(run, m, &cold, cold_w));
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        double want_w = 4.0 * PER_K_W * (1.0 - exp(-(double)(i + 1) / 20.0));

        assert_near(cold_w[i] - mild_w[i], want_w, 0.1 * 4.0 * PER_K_W);
    }
}

static void weather__is_silent_until_four_days_are_known(void **state)
{
    HS_AUTO(heatrun) run = new_building(0);
    size_t m = heatrun_add(run, &hs_heatmodel_weather);

    (void)state;
    heatrun_show(run, 94, 94);
    assert_true(isnan(run->said_w[m][0]));
    heatrun_show(run, 96, 96);
    assert_false(isnan(run->said_w[m][0]));
}

static void weather__without_an_outdoor_temperature_is_the_profile_of_the_day(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_weather);

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = 1000.0 + 50.0 * (double)(i % 24);
    }
    heatrun_show(run, DAYS * 24, DAYS * 24);
    for (size_t i = 0; i < HEATRUN_AHEAD; i++) {
        assert_near(run->said_w[m][i], 1000.0 + 50.0 * (double)(i % 24), 50.0);
    }
}

static void regression__corrects_for_what_the_weather_does_not_explain(void **state)
{
    HS_AUTO(heatrun) run = new_building(0);
    size_t weather = heatrun_add(run, &hs_heatmodel_weather);
    size_t regression = heatrun_add(run, &hs_heatmodel_regression);
    uint64_t seed = 21;
    double spell_w = 0.0;

    (void)state;
    /* spells of more and of less, some hours long */
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        spell_w = 0.9 * spell_w + 1500.0 * (town_draw(&seed) - 0.5);
        run->heat_w[i] += spell_w;
    }
    heatrun_show(run, 2 * DAYS * 24, DAYS * 24);
    /* one that knew all of it would err by 0.44 of what the weather alone does, an hour ahead */
    assert_true(heatrun_get_error_w(run, regression, 1, 1)
                < 0.52 * heatrun_get_error_w(run, weather, 1, 1));
    assert_true(heatrun_get_error_w(run, regression, 37, 48)
                < 1.03 * heatrun_get_error_w(run, weather, 37, 48));
}

static void regression__learns_nothing_from_a_frozen_meter(void **state)
{
    HS_AUTO(heatrun) run = new_building(0);
    size_t m = heatrun_add(run, &hs_heatmodel_weather);
    double before_w_per_k;

    (void)state;
    for (size_t i = DAYS * 24 + 1; i < (DAYS + 21) * 24; i++) {
        run->heat_w[i] = run->heat_w[DAYS * 24];
    }
    heatrun_show(run, (DAYS + 3) * 24 + 1, HEATRUN_HOURS);
    before_w_per_k = find_slope_w_per_k(run, m);
    heatrun_show(run, (DAYS + 21) * 24, HEATRUN_HOURS);
    assert_near(find_slope_w_per_k(run, m), before_w_per_k, 0.01 * PER_K_W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weather__finds_the_heat_per_kelvin_of_a_building),
        cmocka_unit_test(weather__finds_that_a_heavy_building_feels_it_late),
        cmocka_unit_test(weather__is_silent_until_four_days_are_known),
        cmocka_unit_test(weather__without_an_outdoor_temperature_is_the_profile_of_the_day),
        cmocka_unit_test(regression__corrects_for_what_the_weather_does_not_explain),
        cmocka_unit_test(regression__learns_nothing_from_a_frozen_meter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
