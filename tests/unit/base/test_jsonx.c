/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"

static void format__writes_absent_as_null_and_keeps_order(void **state)
{
    json_auto_t *object = hs_jsonx_object();
    json_t *list = hs_jsonx_array();
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_real(object, "z", 0.1);
    hs_jsonx_set_real(object, "unknown_w", NAN);
    hs_jsonx_set_real(object, "limit_w", INFINITY);
    hs_jsonx_set_int(object, "id", INT64_C(1) << 53);
    hs_jsonx_set_bool(object, "now", 2);
    hs_jsonx_set_text(object, "team", NULL);
    hs_jsonx_set_at(object, "due", 0);
    hs_jsonx_set_at(object, "started", 1767607200);
    hs_jsonx_add(list, hs_jsonx_text("a\"b"));
    hs_jsonx_set(object, "list", list);
    text = hs_jsonx_format(object);
    assert_string_equal(text, "{\"z\":0.1,\"unknown_w\":null,\"limit_w\":null,"
                              "\"id\":9007199254740992,\"now\":true,\"team\":null,\"due\":null,"
                              "\"started\":\"2026-01-05T10:00:00Z\",\"list\":[\"a\\\"b\"]}");
}

static void text__shows_what_it_can_of_bytes_that_are_not_utf8(void **state)
{
    json_auto_t *text = hs_jsonx_text("caf\xe9!");

    assert_string_equal(json_string_value(text), "caf?!");
}

static void check_refused(const char *text, const char *want_where)
{
    struct hs_err err = {0};
    json_t *json = NULL;

    assert_int_equal(hs_jsonx_parse("f.json", text, strlen(text), &json, &err), -HS_E_INVALID);
    assert_null(json);
    assert_string_equal(err.where, want_where);
}

static void parse__says_where_a_mistake_is(void **state)
{
    check_refused("{\n  \"a\": 1,\n  \"b\" 2\n}", "f.json:3:7");
    check_refused("{\"a\":1,\n\"a\":2}", "f.json:2:3");
    check_refused("{\"a\":\"\\u0000\"}", "f.json:1:13");
    check_refused("{} x", "f.json:1:4");
}

static void parse__keeps_the_position_behind_a_long_name(void **state)
{
    struct hs_err err = {0};
    json_t *json = NULL;
    char file[120];

    memset(file, 'd', sizeof(file));
    strcpy(file + sizeof(file) - 8, "/x.json");
    assert_int_equal(hs_jsonx_parse(file, "[", 1, &json, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.where, "d/x.json:1:1"));
}

static void parse__bounds_the_depth(void **state)
{
    char text[2 * HS_JSONX_DEPTH_MAX + 3] = "";
    struct hs_err err = {0};
    json_auto_t *json = NULL;

    memset(text, '[', HS_JSONX_DEPTH_MAX);
    memset(text + HS_JSONX_DEPTH_MAX, ']', HS_JSONX_DEPTH_MAX);
    assert_int_equal(hs_jsonx_parse("f", text, strlen(text), &json, &err), 0);
    memset(text, '[', HS_JSONX_DEPTH_MAX + 1);
    memset(text + HS_JSONX_DEPTH_MAX + 1, ']', HS_JSONX_DEPTH_MAX + 1);
    check_refused(text, "f.json:1:17");
    check_refused("[\"[[[[[[[[[[[[[[[[[[[[\\\"[\", x]", "f.json:1:29");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format__writes_absent_as_null_and_keeps_order),
        cmocka_unit_test(text__shows_what_it_can_of_bytes_that_are_not_utf8),
        cmocka_unit_test(parse__says_where_a_mistake_is),
        cmocka_unit_test(parse__keeps_the_position_behind_a_long_name),
        cmocka_unit_test(parse__bounds_the_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
