/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/loopstate.h"

static const struct hs_loopstate_input quiet = {
    .tank_ratio = 0.5, .captured_w = 1000, .demand_w = 2000, .allowed_s = 1800};

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
    blind.is_sink_off = true;
    blind.n_bad = 3;
    hs_loopstate_init(&loop, 0);
    assert_true(hs_loopstate_step(&loop, &out, 100));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SINK_UNAVAILABLE);
    assert_true(hs_loopstate_step(&loop, &blind, 200));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SENSOR_FAULT);
    assert_false(hs_loopstate_step(&loop, &out, 300));
    assert_true(hs_loopstate_step(&loop, &out, 360));
    assert_true(hs_loopstate_step(&loop, &out, 361));
    assert_int_equal(loop.kind, HS_LOOPSTATE_SINK_UNAVAILABLE);
    assert_false(hs_loopstate_step(&loop, &quiet, 400));
    assert_true(hs_loopstate_step(&loop, &quiet, 460));
    assert_int_equal(loop.kind, HS_LOOPSTATE_NORMAL);
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
        cmocka_unit_test(loopstate__without_a_tank_any_surplus_is_full),
    };
    return cmocka_run_group_tests_name("loopstate", tests, NULL, NULL);
}
