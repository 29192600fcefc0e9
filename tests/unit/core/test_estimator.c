/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/units.h"
#include "scheduler/core/estimator.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START INT64_C(1700000000)

static void add(struct hs_estimator *est, enum hs_point_kind kind, int64_t at_s, double value)
{
    struct hs_reading reading = {.point = {.kind = kind},
                                 .value = value,
                                 .taken_at_s = at_s,
                                 .received_at_s = at_s,
                                 .quality = hs_reading_check(kind, value)};

    hs_estimator_add(est, &reading);
}

struct slots {
    size_t n;
    int64_t at_s[16];
    double demand_w[16];
    struct hs_weather weather[16];
};

static void keep_slot(void *arg, size_t sink_idx, int64_t slot_at_s, double demand_w,
                      const struct hs_weather *weather)
{
    struct slots *slots = arg;

    if (sink_idx == 0) {
        slots->at_s[slots->n] = slot_at_s;
        slots->weather[slots->n] = *weather;
        slots->demand_w[slots->n++] = demand_w;
    }
}

static void estimator__a_slot_is_the_time_weighted_mean_of_its_readings(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);
    struct slots slots = {0};

    add(est, HS_POINT_DEMAND_HEAT_W, START, 1000.0);
    add(est, HS_POINT_DEMAND_HEAT_W, START + 250, 3000.0);
    hs_estimator_close(est, START + 1000, keep_slot, &slots);
    assert_int_equal(slots.n, 1);
    assert_int_equal(slots.at_s[0], START);
    assert_near(slots.demand_w[0], 0.25 * 1000 + 0.75 * 3000, 1e-9);
}

static void estimator__a_slot_without_readings_is_unknown_and_not_zero(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);
    struct slots slots = {0};

    add(est, HS_POINT_DEMAND_HEAT_W, START, 1000.0);
    hs_estimator_close(est, START + 5000, keep_slot, &slots);
    assert_int_equal(slots.n, 5);
    assert_near(slots.demand_w[0], 1000.0, 1e-9);
    assert_near(slots.demand_w[1], 1000.0, 1e-9); /* bridged by the last good value */
    assert_true(isnan(slots.demand_w[2]));        /* and then no longer */
}

static void estimator__a_bad_reading_leaves_the_last_good_one_in_force(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add(est, HS_POINT_DEMAND_HEAT_W, START, 1000.0);
    add(est, HS_POINT_DEMAND_HEAT_W, START + 10, NAN);
    add(est, HS_POINT_DEMAND_HEAT_W, START + 20, -5.0);
    assert_near(hs_estimator_get_demand_w(est, 0), 1000.0, 0.0);
    assert_int_equal(hs_estimator_get_n_bad(est, 0), 2);
    add(est, HS_POINT_DEMAND_HEAT_W, START + 30, 1200.0);
    assert_int_equal(hs_estimator_get_n_bad(est, 0), 0);
    assert_near(hs_estimator_get_demand_w(est, 0), 1200.0, 0.0);
}

static void estimator__silence_counts_from_the_point_that_is_silent_longest(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add(est, HS_POINT_DEMAND_HEAT_W, START + 900, 1000.0);
    assert_near(hs_estimator_get_silent_s(est, 0, START + 1000), 1000.0, 0.0); /* no tank yet */
    add(est, HS_POINT_TANK_C, START + 950, 40.0);
    assert_near(hs_estimator_get_silent_s(est, 0, START + 1000), 100.0, 0.0);
}

static void estimator__a_counter_that_falls_is_a_new_meter(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add(est, HS_POINT_USEFUL_HEAT_WH, START, 5000.0);
    add(est, HS_POINT_USEFUL_HEAT_WH, START + 100, 5400.0);
    add(est, HS_POINT_USEFUL_HEAT_WH, START + 200, 30.0);
    add(est, HS_POINT_USEFUL_HEAT_WH, START + 300, 50.0);
    assert_near(est->sinks[0].metered_useful_wh, 400.0 + 30.0 + 20.0, 1e-9);
}

static void estimator__a_reading_from_the_past_changes_nothing(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add(est, HS_POINT_TANK_C, START + 100, 50.0);
    add(est, HS_POINT_TANK_C, START + 50, 36.0);
    assert_near(hs_estimator_get_tank_wh(est, 0),
                hs_tank_wh_from_c(&small_estate()->loops[0].tank, 50.0), 1e-9);
}

static void estimator__captured_power_is_the_counters_rise_over_time(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add(est, HS_POINT_CAPTURED_HEAT_WH, START, 100.0);
    add(est, HS_POINT_CAPTURED_HEAT_WH, START + 360, 150.0);
    assert_near(est->loops[0].captured_w, 500.0, 1e-9);
    assert_near(est->loops[0].metered_captured_wh, 50.0, 1e-9);
}

static void estimator__a_sink_is_out_by_its_own_word_or_its_pumps(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    assert_true(hs_estimator_get_off_s(est, 0, START) < 0);
    add(est, HS_POINT_PUMP_OK, START, 0);
    add(est, HS_POINT_PUMP_OK, START + 500, 0);
    assert_near(hs_estimator_get_off_s(est, 0, START + 500), 500, 0);
    assert_true(hs_estimator_get_off_s(est, 1, START + 500) < 0);
    add(est, HS_POINT_SINK_OK, START + 600, 0);
    add(est, HS_POINT_PUMP_OK, START + 700, 1);
    assert_near(hs_estimator_get_off_s(est, 0, START + 759), 759, 0); /* it may bounce */
    assert_near(hs_estimator_get_off_s(est, 0, START + 760), 160, 0);
    add(est, HS_POINT_SINK_OK, START + 800, NAN);
    assert_near(hs_estimator_get_off_s(est, 0, START + 800), 200, 0);
    /* a word that is not repeated is not believed for ever, but for a day */
    assert_near(hs_estimator_get_off_s(est, 0, START + 4600), 4000, 0);
    assert_true(hs_estimator_get_off_s(est, 0, START + 600 + HS_ESTIMATOR_MUTE_S + 1) < 0);
    add(est, HS_POINT_SINK_OK, START + 5000, 1);
    assert_false(hs_estimator_says_off(est, 0, START + 5000));
    assert_true(hs_estimator_get_off_s(est, 0, START + 5059) > 0);
    add(est, HS_POINT_SINK_OK, START + 5050, 0);
    assert_near(hs_estimator_get_off_s(est, 0, START + 5060), 4460, 0);
    add(est, HS_POINT_SINK_OK, START + 5100, 1);
    assert_true(hs_estimator_get_off_s(est, 0, START + 5160) < 0);
}

static void add_height(struct hs_estimator *est, double height_ratio, int64_t at_s, double value)
{
    struct hs_reading reading = {
        .point = {.kind = HS_POINT_TANK_C, .thing_idx = 0, .height_ratio = height_ratio},
        .value = value,
        .taken_at_s = at_s,
        .received_at_s = at_s,
        .quality = hs_reading_check(HS_POINT_TANK_C, value),
    };

    hs_estimator_add(est, &reading);
}

static void estimator__several_thermometers_share_the_tank_by_height(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);

    add_height(est, 0.9, START, 60.0);
    add_height(est, 0.5, START, 50.0);
    add_height(est, 0.1, START, 40.0);
    /* each stands for the water nearest to it: 0.3, 0.4 and 0.3 of the tank */
    assert_near(est->loops[0].tank_c.value, 0.3 * 60 + 0.4 * 50 + 0.3 * 40, 1e-9);
    assert_near(est->loops[0].first_tank_wh, hs_estimator_get_tank_wh(est, 0), 1e-9);
    add_height(est, 0.5, START + 60, 45.0);
    assert_near(est->loops[0].tank_c.value, 0.3 * 60 + 0.4 * 45 + 0.3 * 40, 1e-9);
    assert_near(hs_estimator_find_value(
                    est, &(struct hs_point){.kind = HS_POINT_TANK_C, .height_ratio = 0.1})
                    ->value,
                40.0, 0.0);
}

static void estimator__a_tank_is_known_while_one_thermometer_speaks(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);
    int64_t later_at_s = START + (HS_ESTIMATOR_FRESH_SLOTS + 1) * small_estate()->slot_s;

    add_height(est, 0.9, START, 60.0);
    add_height(est, 0.1, START, 40.0);
    add_height(est, 0.1, START + 10, NAN);
    assert_int_equal(hs_estimator_get_n_bad(est, 0), 0);
    add_height(est, 0.9, later_at_s, 56.0);
    /* the one below has been bad too long: the one above speaks for all */
    assert_near(est->loops[0].tank_c.value, 56.0, 1e-9);
    add_height(est, 0.9, later_at_s + 1, NAN);
    add_height(est, 0.1, later_at_s + 1, NAN);
    assert_int_equal(hs_estimator_get_n_bad(est, 0), 1);
    assert_near(est->loops[0].tank_c.value, 56.0, 1e-9);
}

static void estimator__what_a_tank_loses_is_learned_from_its_readings(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);
    struct hs_tank tank = small_estate()->loops[0].tank;
    double loss_w_per_k = 3 * tank.loss_w_per_k + 10;
    double stored_wh = 0.7 * hs_tank_max_wh(&tank);
    double captured_wh = 0;
    struct hs_physics_figure figure;

    (void)state;
    for (int64_t at_s = START; at_s < START + 7 * HS_S_PER_DAY; at_s += 900) {
        double tank_c = hs_tank_c_from_wh(&tank, stored_wh);
        double lost_wh = hs_wh_from_w(loss_w_per_k * (tank_c - tank.ambient_c), 900);

        add(est, HS_POINT_CAPTURED_HEAT_WH, at_s, captured_wh);
        add(est, HS_POINT_USEFUL_HEAT_WH, at_s, 0);
        add(est, HS_POINT_TANK_C, at_s, tank_c);
        captured_wh += lost_wh; /* kept warm */
    }
    figure = hs_tankloss_get(&est->loops[0].tank_loss);
    assert_near(figure.value, loss_w_per_k, 2 * figure.sd);
    assert_true(figure.sd < 0.25 * loss_w_per_k);
}

static void estimator__the_air_outside_is_averaged_by_slot_and_holds_for_a_while(void **state)
{
    HS_AUTO(hs_estimator) est = hs_estimator_new(small_estate(), START);
    struct slots slots = {0};

    add(est, HS_POINT_OUTDOOR_C, START, 2.0);
    add(est, HS_POINT_OUTDOOR_C, START + 250, 6.0);
    add(est, HS_POINT_OUTDOOR_C, START + 300, -200.0); /* broken: left out */
    add(est, HS_POINT_OUTDOOR_WIND_M_PER_S, START + 500, 3.0);
    hs_estimator_close(est, START + 8000, keep_slot, &slots);
    assert_int_equal(slots.n, 8);
    assert_near(slots.weather[0].t_out_c, 0.25 * 2 + 0.75 * 6, 1e-9);
    assert_near(slots.weather[0].wind_m_per_s, 3.0, 1e-9);
    assert_true(isnan(slots.weather[0].ghi_w_per_m2));
    assert_near(slots.weather[5].t_out_c, 6.0, 1e-9); /* a station may speak once an hour */
    assert_true(isnan(slots.weather[6].t_out_c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimator__a_slot_is_the_time_weighted_mean_of_its_readings),
        cmocka_unit_test(estimator__a_slot_without_readings_is_unknown_and_not_zero),
        cmocka_unit_test(estimator__a_bad_reading_leaves_the_last_good_one_in_force),
        cmocka_unit_test(estimator__silence_counts_from_the_point_that_is_silent_longest),
        cmocka_unit_test(estimator__a_counter_that_falls_is_a_new_meter),
        cmocka_unit_test(estimator__several_thermometers_share_the_tank_by_height),
        cmocka_unit_test(estimator__a_tank_is_known_while_one_thermometer_speaks),
        cmocka_unit_test(estimator__a_reading_from_the_past_changes_nothing),
        cmocka_unit_test(estimator__captured_power_is_the_counters_rise_over_time),
        cmocka_unit_test(estimator__what_a_tank_loses_is_learned_from_its_readings),
        cmocka_unit_test(estimator__the_air_outside_is_averaged_by_slot_and_holds_for_a_while),
        cmocka_unit_test(estimator__a_sink_is_out_by_its_own_word_or_its_pumps),
    };
    return cmocka_run_group_tests_name("estimator", tests, NULL, NULL);
}
