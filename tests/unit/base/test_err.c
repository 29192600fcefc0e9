/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/err.h"
#include "scheduler/base/units.h"
#include "tests/support/near.h"

static void err_set__returns_negated_kind_and_fills_text(void **state)
{
    struct hs_err err;
    int rc = hs_err_set(&err, HS_E_STALE, "site-a", "reading is %d s old", 900);

    assert_int_equal(rc, -HS_E_STALE);
    assert_string_equal(err.where, "site-a");
    assert_string_equal(err.text, "reading is 900 s old");
    assert_true(hs_err_is_transient(rc));
}

static void err_set__accepts_null_err(void **state)
{
    assert_int_equal(hs_err_set(NULL, HS_E_INVALID, NULL, "x"), -HS_E_INVALID);
}

static void err_word__is_internal_for_an_unknown_code(void **state)
{
    assert_string_equal(hs_err_word(-9999), "internal");
    assert_string_equal(hs_err_word(0), "ok");
}

static void units__wh_and_w_round_trip(void **state)
{
    assert_near(hs_wh_from_w(8000.0, 900.0), 2000.0, 1e-9);
    assert_near(hs_w_from_wh(hs_wh_from_w(123.4, 60.0), 60.0), 123.4, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_set__returns_negated_kind_and_fills_text),
        cmocka_unit_test(err_set__accepts_null_err),
        cmocka_unit_test(err_word__is_internal_for_an_unknown_code),
        cmocka_unit_test(units__wh_and_w_round_trip),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
