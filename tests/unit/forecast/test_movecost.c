/* SPDX-License-Identifier: Apache-2.0 */
/* How long a move takes, as those that were made tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/movecost.h"
#include "scheduler/base/jsonx.h"
#include "tests/support/near.h"

static void movecost__knows_nothing_at_first(void **state)
{
    const struct hs_movecost cost = {0};

    assert_near(hs_movecost_get_s(&cost, 1024), 0, 0);
}

static void movecost__goes_in_proportion_to_memory_while_all_are_alike(void **state)
{
    struct hs_movecost cost = {0};

    for (int i = 0; i < 5; i++) {
        hs_movecost_add(&cost, 1024, 20);
    }
    assert_near(hs_movecost_get_s(&cost, 1024), 20, 1e-9);
    assert_near(hs_movecost_get_s(&cost, 4096), 80, 1e-6);
    assert_near(hs_movecost_get_s(&cost, 512), 10, 1e-6);
}

static void movecost__learns_what_does_not_depend_on_memory(void **state)
{
    struct hs_movecost cost = {0};

    for (int i = 0; i < 20; i++) { /* 30 s, and 10 s a GiB */
        hs_movecost_add(&cost, 1024, 40);
        hs_movecost_add(&cost, 16384, 190);
    }
    assert_near(hs_movecost_get_s(&cost, 16384), 190, 1);
    assert_near(hs_movecost_get_s(&cost, 1024), 40, 1);
    assert_near(hs_movecost_get_s(&cost, 8192), 110, 1);
}

static void movecost__follows_a_network_that_has_become_slow(void **state)
{
    struct hs_movecost cost = {0};

    for (int i = 0; i < 100; i++) {
        hs_movecost_add(&cost, 1024, 10);
    }
    for (int i = 0; i < 60; i++) {
        hs_movecost_add(&cost, 1024, 50);
    }
    assert_near(hs_movecost_get_s(&cost, 1024), 50, 3);
}

static void movecost__leaves_out_what_cannot_be(void **state)
{
    struct hs_movecost cost = {0};

    hs_movecost_add(&cost, 1024, -1); /* the clock was set */
    hs_movecost_add(&cost, 0, 5);
    assert_near(cost.n, 0, 0);
}

static void movecost__outlives_a_restart(void **state)
{
    struct hs_movecost cost = {0};
    struct hs_movecost again = {0};

    hs_movecost_add(&cost, 1024, 20);
    hs_movecost_add(&cost, 8192, 90);
    json_auto_t *saved = hs_movecost_save(&cost);
    assert_int_equal(hs_movecost_restore(&again, saved, NULL), 0);
    assert_near(hs_movecost_get_s(&again, 4096), hs_movecost_get_s(&cost, 4096), 1e-9);
    hs_jsonx_set_text(saved, "mib", "x");
    assert_int_equal(hs_movecost_restore(&again, saved, NULL), -HS_E_INVALID);
    assert_near(hs_movecost_get_s(&again, 4096), hs_movecost_get_s(&cost, 4096), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movecost__knows_nothing_at_first),
        cmocka_unit_test(movecost__goes_in_proportion_to_memory_while_all_are_alike),
        cmocka_unit_test(movecost__learns_what_does_not_depend_on_memory),
        cmocka_unit_test(movecost__follows_a_network_that_has_become_slow),
        cmocka_unit_test(movecost__leaves_out_what_cannot_be),
        cmocka_unit_test(movecost__outlives_a_restart),
    };
    return cmocka_run_group_tests_name("movecost", tests, NULL, NULL);
}
