/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/mqttpayload.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

static double read_good(const char *payload, const char *pointer)
{
    struct hs_err err;
    double value = -1;

    if (hs_mqttpayload_read(payload, strlen(payload), pointer, &value, &err) != 0) {
        fail_msg("'%s': %s", payload, err.text);
    }
    return value;
}

static void assert_refused(const char *payload, const char *pointer, int want)
{
    double value = -1;

    assert_int_equal(hs_mqttpayload_read(payload, strlen(payload), pointer, &value, NULL), want);
    assert_near(value, -1, 0);
}

static void mqttpayload__plain_numbers_and_switches(void **state)
{
    assert_near(read_good("21.5", ""), 21.5, 0);
    assert_near(read_good(" -3e2\r\n", ""), -300, 0);
    assert_near(read_good("0", ""), 0, 0);
    assert_near(read_good("ON", ""), 1, 0);
    assert_near(read_good("false", ""), 0, 0);
}

static void mqttpayload__what_is_not_known_is_never_zero(void **state)
{
    static const char *const unknown[] = {"",     " ",           "nan",     "NaN",
                                          "null", "unavailable", "unknown", "None"};

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_true(isnan(read_good(unknown[i], "")));
    }
    assert_true(isnan(read_good("{\"w\":null}", "/w")));
    assert_true(isnan(read_good("{\"w\":\"unavailable\"}", "/w")));
}

static void mqttpayload__numbers_deep_in_json(void **state)
{
    assert_near(read_good("{\"a\":{\"b\":[1,2.5]}}", "/a/b/1"), 2.5, 0);
    assert_near(read_good("{\"a/b\":3,\"m~n\":4}", "/a~1b"), 3, 0);
    assert_near(read_good("{\"a/b\":3,\"m~n\":4}", "/m~0n"), 4, 0);
    assert_near(read_good("{\"on\":true}", "/on"), 1, 0);
    assert_near(read_good("{\"w\":\"21500\"}", "/w"), 21500, 0);
    assert_near(read_good("{\"\":7}", "/"), 7, 0);
    assert_near(read_good("[5]", "/0"), 5, 0);
}

static void mqttpayload__nonsense_is_named(void **state)
{
    static const char *const plain[] = {"12kW", "0x10", "inf",       "1e999", "--1",
                                        "1 2",  "1,5",  "{\"w\":1}", "1e"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        assert_refused(plain[i], "", -HS_E_INVALID);
    }
    assert_refused("{\"w\":", "/w", -HS_E_INVALID);
    assert_refused("21", "/w", -HS_E_INVALID); /* no object that could have it */
    assert_refused("{\"w\":1,\"w\":2}", "/w", -HS_E_INVALID);
    assert_refused("{\"w\":[1]}", "/w", -HS_E_INVALID);
    assert_refused("{\"w\":1}", "/x", -HS_E_NOTFOUND);
    assert_refused("[1]", "/1", -HS_E_NOTFOUND);
    assert_refused("[1]", "/-1", -HS_E_NOTFOUND);
    assert_refused("[1]", "/ 0", -HS_E_NOTFOUND);
    assert_refused("{\"w\":1}", "/w/x", -HS_E_NOTFOUND);
}

static void mqttpayload__bytes_behind_a_nul_are_not_lost(void **state)
{
    double value;

    assert_int_equal(hs_mqttpayload_read("1\0002", 3, "", &value, NULL), -HS_E_INVALID);
    assert_int_equal(hs_mqttpayload_read("\0", 1, "", &value, NULL), -HS_E_INVALID);
}

static void mqttpayload__long_ones_are_not_read(void **state)
{
    HS_AUTO_MEM char *payload = hs_xcalloc(HS_MQTTPAYLOAD_MAX + 2, 1);
    double value;

    memset(payload, ' ', HS_MQTTPAYLOAD_MAX + 1);
    payload[0] = '7';
    assert_int_equal(hs_mqttpayload_read(payload, HS_MQTTPAYLOAD_MAX + 1, "", &value, NULL),
                     -HS_E_INVALID);
    assert_int_equal(hs_mqttpayload_read(payload, HS_MQTTPAYLOAD_MAX, "", &value, NULL), 0);
    assert_near(value, 7, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mqttpayload__plain_numbers_and_switches),
        cmocka_unit_test(mqttpayload__what_is_not_known_is_never_zero),
        cmocka_unit_test(mqttpayload__numbers_deep_in_json),
        cmocka_unit_test(mqttpayload__nonsense_is_named),
        cmocka_unit_test(mqttpayload__bytes_behind_a_nul_are_not_lost),
        cmocka_unit_test(mqttpayload__long_ones_are_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
