/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/sim/servefault.h"

#define NOON_AT_S INT64_C(1767614400) /* 2026-01-05T12:00:00Z */

static void servefault__is_upon_its_point_for_its_time(void **state)
{
    struct hs_servefault fault;

    assert_int_equal(
        hs_servefault_parse("freeze:pool/main/supply_c@2026-01-05T12:00:00Z+30m", &fault, NULL), 0);
    assert_int_equal(fault.kind, HS_SERVEFAULT_FREEZE);
    assert_false(
        hs_servefault_check(&fault, 1, HS_SERVEFAULT_FREEZE, "pool/main/supply_c", NOON_AT_S - 1));
    assert_true(
        hs_servefault_check(&fault, 1, HS_SERVEFAULT_FREEZE, "pool/main/supply_c", NOON_AT_S));
    assert_false(hs_servefault_check(&fault, 1, HS_SERVEFAULT_FREEZE, "pool/main/supply_c",
                                     NOON_AT_S + 1800));
    assert_false(
        hs_servefault_check(&fault, 1, HS_SERVEFAULT_FREEZE, "pool/main/return_c", NOON_AT_S));
    assert_false(
        hs_servefault_check(&fault, 1, HS_SERVEFAULT_NAN, "pool/main/supply_c", NOON_AT_S));
}

static void servefault__without_a_name_is_upon_all(void **state)
{
    struct hs_servefault fault;

    assert_int_equal(hs_servefault_parse("disconnect@2026-01-05T12:00:00Z+1h", &fault, NULL), 0);
    assert_true(hs_servefault_check(&fault, 1, HS_SERVEFAULT_DISCONNECT, "plc", NOON_AT_S));
}

static void servefault__says_what_would_be_right(void **state)
{
    static const char *const bad[] = {
        "",
        "freeze",
        "freeze@2026-01-05T12:00:00Z",
        "melt@2026-01-05T12:00:00Z+1h",
        "freeze@noon+1h",
        "freeze@2026-01-05T12:00:00Z+0s",
        "freeze@2026-01-05T12:00:00Z+soon",
        "@+",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hs_servefault fault;
        struct hs_err err;

        assert_int_equal(hs_servefault_parse(bad[i], &fault, &err), -HS_E_INVALID);
        assert_non_null(strstr(err.text, "KIND[:NAME]@TIME+DURATION"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servefault__is_upon_its_point_for_its_time),
        cmocka_unit_test(servefault__without_a_name_is_upon_all),
        cmocka_unit_test(servefault__says_what_would_be_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
