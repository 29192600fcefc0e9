/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scheduler/sim/simratio.h"
#include "tests/support/near.h"

static struct hs_simrun_result make(double cost_cur, double useful_heat_wh)
{
    return (struct hs_simrun_result){
        .total = {.cost_cur = cost_cur, .it_wh = 1000, .useful_heat_wh = useful_heat_wh}};
}

static void value__is_the_share_of_the_possible_saving(void **state)
{
    struct hs_simrun_result asap = make(100, 0), bound = make(80, 0), result = make(85, 0);
    struct hs_simratio_marks marks = {.asap = &asap, .bound = &bound};

    assert_near(hs_simratio_get_value(&marks, &result), 0.75, 1e-12);
    result.total.cost_cur = 104;
    assert_near(hs_simratio_get_value(&marks, &result), -0.2, 1e-12);
    bound.total.cost_cur = 99.1;
    assert_true(isnan(hs_simratio_get_value(&marks, &result)));
    bound.total.cost_cur = 98.9;
    assert_false(isnan(hs_simratio_get_value(&marks, &result)));
}

static void value__is_absent_without_a_true_bound(void **state)
{
    struct hs_simrun_result asap = make(100, 0), bound = make(80, 0);
    struct hs_simratio_marks no_bound = {.asap = &asap}, no_asap = {.bound = &bound};
    struct hs_simratio_marks marks = {.asap = &asap, .bound = &bound};

    assert_true(isnan(hs_simratio_get_value(&no_bound, &asap)));
    assert_true(isnan(hs_simratio_get_value(&no_asap, &asap)));
    bound.note = "no schedule is in time";
    assert_true(isnan(hs_simratio_get_value(&marks, &asap)));
}

static void recovery__wants_two_tenths_of_a_point(void **state)
{
    struct hs_simrun_result asap = make(0, 700), useful = make(0, 720), result = make(0, 710);
    struct hs_simratio_marks marks = {.asap = &asap, .bound_useful = &useful};

    assert_near(hs_simratio_get_recovery(&marks, &result), 0.5, 1e-9);
    useful.total.useful_heat_wh = 701.9;
    assert_true(isnan(hs_simratio_get_recovery(&marks, &result)));
    marks.bound_useful = NULL;
    assert_true(isnan(hs_simratio_get_recovery(&marks, &result)));
}

static void later__counts_jobs_and_seconds(void **state)
{
    struct hs_simrun_result asap = {.jobs_late = 2, .late_s_sum = 100};
    struct hs_simrun_result more_jobs = {.jobs_late = 3, .late_s_sum = 50};
    struct hs_simrun_result more_time = {.jobs_late = 1, .late_s_sum = 101};
    struct hs_simrun_result less = {.jobs_late = 2, .late_s_sum = 99};

    assert_true(hs_simratio_is_later(&asap, &more_jobs));
    assert_true(hs_simratio_is_later(&asap, &more_time));
    assert_false(hs_simratio_is_later(&asap, &less));
    assert_false(hs_simratio_is_later(&asap, &asap));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__is_the_share_of_the_possible_saving),
        cmocka_unit_test(value__is_absent_without_a_true_bound),
        cmocka_unit_test(recovery__wants_two_tenths_of_a_point),
        cmocka_unit_test(later__counts_jobs_and_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
