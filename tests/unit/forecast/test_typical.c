/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/typical.h"
#include "tests/support/near.h"

/* Errors of 1 to 3, either way: 2 on the mean. */
static struct hs_typical know(int n)
{
    struct hs_typical typical = {0};

    for (int i = 0; i < n; i++) {
        hs_typical_add(&typical, (i % 2 == 0 ? 1.0 : -1.0) * (1.0 + i % 3));
    }
    return typical;
}

static void typical__is_the_mean_size_of_errors(void **state)
{
    struct hs_typical typical = know(99);

    (void)state;
    assert_near(typical.size, 2.0, 1e-9);
}

static void typical__calls_nothing_wild_before_a_day_is_known(void **state)
{
    struct hs_typical typical = know(24);

    (void)state;
    assert_near(hs_typical_weigh(&typical, 1.5, 1e9), 1.0, 0);
    assert_near(hs_typical_cut(&typical, 1.5, 0.0, 1e9), 1e9, 0);
}

static void typical__weighs_an_error_less_beyond_the_bend(void **state)
{
    struct hs_typical typical = know(99);

    (void)state;
    assert_near(hs_typical_weigh(&typical, 1.5, 2.9), 1.0, 0);
    assert_near(hs_typical_weigh(&typical, 1.5, 6.0), 0.5, 1e-9);
    assert_near(hs_typical_weigh(&typical, 1.5, -30.0), 0.1, 1e-9);
    assert_near(hs_typical_weigh(&typical, 1.5, 0.0), 1.0, 0);
}

static void typical__cuts_to_either_side_of_the_centre(void **state)
{
    struct hs_typical typical = know(99);

    (void)state;
    assert_near(hs_typical_cut(&typical, 3.0, 10.0, 15.0), 15.0, 0);
    assert_near(hs_typical_cut(&typical, 3.0, 10.0, 100.0), 16.0, 1e-9);
    assert_near(hs_typical_cut(&typical, 3.0, 10.0, -100.0), 4.0, 1e-9);
}

static void typical__is_moved_little_by_a_wild_error(void **state)
{
    struct hs_typical typical = know(198);

    (void)state;
    hs_typical_add(&typical, 1e6);
    assert_near(typical.size, 2.0 + 0.01 * (5.0 * 2.0 - 2.0), 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typical__is_the_mean_size_of_errors),
        cmocka_unit_test(typical__calls_nothing_wild_before_a_day_is_known),
        cmocka_unit_test(typical__weighs_an_error_less_beyond_the_bend),
        cmocka_unit_test(typical__cuts_to_either_side_of_the_centre),
        cmocka_unit_test(typical__is_moved_little_by_a_wild_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
