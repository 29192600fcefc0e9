/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/loopstate.h"

static const struct hs_loopstate_input quiet = {.tank_ratio = 0.5,
                                                .captured_w = 1000,
                                                .demand_w = 2000,
                                                .allowed_s = 1800,
                                                .hottest_c = 50,
                                                .over_c = 70};

static struct hs_loopstate_input with(double tank_ratio, double captured_w, double demand_w)
{
    struct hs_loopstate_input in = quiet;

    in.tank_ratio = tank_ratio;
    in.captured_w = captured_w;
    in.demand_w = demand_w;
    return in;
}

static void loopstate__full_needs_a_full_tank_a_surplus_and_its_dwell(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input surplus = with(0.96, 3000, 1000);
    struct hs_loopstate_input wanted = with(0.96, 1000, 3000);

    hs_loopstate_init(&loop, 0);
    assert_false(hs_loopstate_step(&loop, &wanted, 100));
    assert_false(hs_loopstate_step(&loop, &surplus, 200));
    assert_false(hs_loopstate_step(&loop, &surplus, 259));
    assert_true(hs_loopstate_step(&loop, &surplus, 260));
    assert_int_equal(loop.kind, HS_LOOPSTATE_FULL);
    assert_non_null(strstr(loop.cause, "tank at 96 %"));
}

static void loopstate__a_break_in_the_condition_starts_the_dwell_anew(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input surplus = with(0.96, 3000, 1000);

    hs_loopstate_init(&loop, 0);
    assert_false(hs_loopstate_step(&loop, &surplus, 200));
    assert_false(hs_loopstate_step(&loop, &quiet, 230));
    assert_false(hs_loopstate_step(&loop, &surplus, 260));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
}

static void loopstate__full_is_left_below_its_lower_threshold_only(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input surplus = with(0.96, 3000, 1000);
    struct hs_loopstate_input between = with(0.92, 1000, 3000);
    struct hs_loopstate_input below = with(0.89, 1000, 3000);

    hs_loopstate_init(&loop, 0);
    (void)hs_loopstate_step(&loop, &surplus, 0);
    assert_true(hs_loopstate_step(&loop, &surplus, 60));
    assert_false(hs_loopstate_step(&loop, &between, 600));
    assert_false(hs_loopstate_step(&loop, &below, 700));
    assert_true(hs_loopstate_step(&loop, &below, 760));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
}

static void loopstate__silence_is_a_fault_and_its_end_ends_it(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input silent = quiet;

    silent.silent_s = 1801;
    hs_loopstate_init(&loop, 0);
    assert_true(hs_loopstate_step(&loop, &silent, 2000));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SENSOR_FAULT);
    assert_non_null(strstr(loop.cause, "30m1s"));
    assert_false(hs_loopstate_step(&loop, &quiet, 2100));
    assert_true(hs_loopstate_step(&loop, &quiet, 2160));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
}

static void loopstate__three_bad_readings_in_a_row_are_a_fault_at_once(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input bad = quiet;

    hs_loopstate_init(&loop, 0);
    bad.n_bad = 2;
    assert_false(hs_loopstate_step(&loop, &bad, 10));
    bad.n_bad = 3;
    assert_true(hs_loopstate_step(&loop, &bad, 20));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SENSOR_FAULT);
}

static void loopstate__a_fault_outranks_a_full_tank(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input both = with(0.99, 3000, 0);

    hs_loopstate_init(&loop, 0);
    (void)hs_loopstate_step(&loop, &both, 0);
    assert_true(hs_loopstate_step(&loop, &both, 60));
    both.silent_s = 5000;
    assert_true(hs_loopstate_step(&loop, &both, 61));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SENSOR_FAULT);
}

static void loopstate__without_a_tank_any_surplus_is_full(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input surplus = with(NAN, 3000, 1000);
    struct hs_loopstate_input wanted = with(NAN, 1000, 3000);

    hs_loopstate_init(&loop, 0);
    (void)hs_loopstate_step(&loop, &surplus, 0);
    assert_true(hs_loopstate_step(&loop, &surplus, 60));
    (void)hs_loopstate_step(&loop, &wanted, 100);
    assert_true(hs_loopstate_step(&loop, &wanted, 160));
}

static void loopstate__a_sink_that_is_out_is_said_and_its_end_ends_it(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input out = quiet;
    struct hs_loopstate_input blind = quiet;

    out.is_sink_off = true;
    out.off_why = "flow 0.2 l/min, least 5.0 l/min";
    blind.is_sink_off = true;
    blind.n_bad = 3;
    hs_loopstate_init(&loop, 0);
    assert_true(hs_loopstate_step(&loop, &out, 100));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SINK_UNAVAILABLE);
    assert_string_equal(loop.cause, out.off_why);
    assert_true(hs_loopstate_step(&loop, &blind, 200));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SENSOR_FAULT);
    assert_false(hs_loopstate_step(&loop, &out, 300));
    assert_true(hs_loopstate_step(&loop, &out, 360));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SINK_UNAVAILABLE);
    assert_false(hs_loopstate_step(&loop, &quiet, 400));
    assert_true(hs_loopstate_step(&loop, &quiet, 460));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
}

static struct hs_loopstate_input at_c(double hottest_c)
{
    struct hs_loopstate_input in = quiet;

    in.hottest_c = hottest_c;
    return in;
}

/* @in with what brings @kind about. */
static struct hs_loopstate_input with_cause(int kind, struct hs_loopstate_input in)
{
    if (kind == HS_LOOPSTATE_FULL) {
        in.tank_ratio = 0.99;
        in.captured_w = in.demand_w + 1;
    }
    in.is_maintained |= kind == HS_LOOPSTATE_MAINTENANCE;
    in.is_sink_off |= kind == HS_LOOPSTATE_SINK_UNAVAILABLE;
    in.n_bad = kind == HS_LOOPSTATE_SENSOR_FAULT ? 3 : in.n_bad;
    in.hottest_c = kind == HS_LOOPSTATE_OVER_TEMPERATURE ? in.over_c : in.hottest_c;
    return in;
}

static void loopstate__too_hot_is_said_at_once_and_ends_cool_for_five_minutes(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input hot = at_c(70);
    struct hs_loopstate_input warm = at_c(66);
    struct hs_loopstate_input cool = at_c(64.9);

    hs_loopstate_init(&loop, 0);
    assert_false(hs_loopstate_wants_rejection(&loop));
    assert_true(hs_loopstate_step(&loop, &hot, 10));
    assert_int_equal(loop.kind, HS_LOOPSTATE_OVER_TEMPERATURE);
    assert_string_equal(loop.cause, "70.0 °C, limit 70.0 °C");
    assert_true(hs_loopstate_wants_rejection(&loop));
    assert_false(hs_loopstate_step(&loop, &warm, 1000));
    assert_false(hs_loopstate_step(&loop, &cool, 1010));
    assert_false(hs_loopstate_step(&loop, &cool, 1309));
    assert_true(hs_loopstate_step(&loop, &cool, 1310));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
    assert_false(hs_loopstate_wants_rejection(&loop));
}

static void loopstate__too_hot_ends_only_a_day_after_the_last_thermometer_spoke(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input hot = at_c(90);
    struct hs_loopstate_input silent = at_c(NAN);

    hs_loopstate_init(&loop, 0);
    assert_true(hs_loopstate_step(&loop, &hot, 10));
    for (int64_t at_s = 10; at_s <= 10 + HS_LOOPSTATE_MUTE_S; at_s += 600) {
        silent.mute_s = (double)(at_s - 10);
        assert_false(hs_loopstate_step(&loop, &silent, at_s));
    }
    silent.mute_s = HS_LOOPSTATE_MUTE_S + 1;
    assert_false(hs_loopstate_step(&loop, &silent, 90000));
    assert_true(hs_loopstate_step(&loop, &silent, 90300));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
}

static void loopstate__maintenance_is_below_a_lost_sink_and_above_a_full_tank(void **state)
{
    struct hs_loopstate loop;
    struct hs_loopstate_input in = with(0.99, 3000, 0);

    hs_loopstate_init(&loop, 0);
    (void)hs_loopstate_step(&loop, &in, 0);
    assert_true(hs_loopstate_step(&loop, &in, 60));
    assert_int_equal(loop.kind, HS_LOOPSTATE_FULL);
    in.is_maintained = true;
    assert_true(hs_loopstate_step(&loop, &in, 70));
    assert_int_equal(loop.kind, HS_LOOPSTATE_MAINTENANCE);
    in.is_sink_off = true;
    assert_true(hs_loopstate_step(&loop, &in, 80));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SINK_UNAVAILABLE);
    in.is_sink_off = false;
    assert_false(hs_loopstate_step(&loop, &in, 90));
    assert_true(hs_loopstate_step(&loop, &in, 150));
    assert_int_equal(loop.kind, HS_LOOPSTATE_MAINTENANCE);
    in.is_maintained = false;
    assert_true(hs_loopstate_step(&loop, &in, 160));
    assert_int_equal(loop.kind, HS_LOOPSTATE_FULL);
}

/* Every abnormal state comes, is covered by every higher one, and ends when its cause is gone. */
static void loopstate__each_ends_by_itself_whatever_comes_over_it(void **state)
{
    for (int low = HS_LOOPSTATE_NORMAL + 1; low < HS_LOOPSTATE_COUNT_; low++) {
        for (int high = low + 1; high < HS_LOOPSTATE_COUNT_; high++) {
            struct hs_loopstate loop;
            int64_t at_s = 0;

            hs_loopstate_init(&loop, 0);
            for (; at_s < 200; at_s += 10) {
                struct hs_loopstate_input in = with_cause(low, quiet);

                (void)hs_loopstate_step(&loop, &in, at_s);
            }
            assert_int_equal((int)loop.kind, low);
            for (; at_s < 400; at_s += 10) {
                struct hs_loopstate_input in = with_cause(high, with_cause(low, quiet));

                (void)hs_loopstate_step(&loop, &in, at_s);
            }
            assert_int_equal((int)loop.kind, high);
            for (; at_s < 1000; at_s += 10) {
                struct hs_loopstate_input in = with_cause(low, quiet);

                (void)hs_loopstate_step(&loop, &in, at_s);
            }
            assert_int_equal((int)loop.kind, low);
            for (; at_s < 1600; at_s += 10) {
                (void)hs_loopstate_step(&loop, &quiet, at_s);
            }
            assert_int_equal((int)loop.kind, HS_LOOPSTATE_NORMAL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopstate__full_needs_a_full_tank_a_surplus_and_its_dwell),
        cmocka_unit_test(loopstate__a_break_in_the_condition_starts_the_dwell_anew),
        cmocka_unit_test(loopstate__full_is_left_below_its_lower_threshold_only),
        cmocka_unit_test(loopstate__a_sink_that_is_out_is_said_and_its_end_ends_it),
        cmocka_unit_test(loopstate__silence_is_a_fault_and_its_end_ends_it),
        cmocka_unit_test(loopstate__three_bad_readings_in_a_row_are_a_fault_at_once),
        cmocka_unit_test(loopstate__a_fault_outranks_a_full_tank),
        cmocka_unit_test(loopstate__too_hot_is_said_at_once_and_ends_cool_for_five_minutes),
        cmocka_unit_test(loopstate__too_hot_ends_only_a_day_after_the_last_thermometer_spoke),
        cmocka_unit_test(loopstate__maintenance_is_below_a_lost_sink_and_above_a_full_tank),
        cmocka_unit_test(loopstate__each_ends_by_itself_whatever_comes_over_it),
        cmocka_unit_test(loopstate__without_a_tank_any_surplus_is_full),
    };
    return cmocka_run_group_tests_name("loopstate", tests, NULL, NULL);
}
