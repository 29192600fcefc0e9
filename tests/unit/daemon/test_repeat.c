/* SPDX-License-Identifier: Apache-2.0 */
/* Answers kept for those who ask again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/repeat.h"

static int begin(struct hs_repeat *repeat, const char *key, uint64_t digest,
                 struct hs_repeat_answer *ret_answer)
{
    struct hs_err err;

    return hs_repeat_begin(repeat, 7, key, digest, ret_answer, &err);
}

static void key__has_its_first_answer(void **state)
{
    HS_AUTO(hs_repeat) repeat = hs_repeat_new();
    struct hs_repeat_answer answer;

    assert_int_equal(begin(repeat, "a", 1, &answer), 0);
    assert_int_equal(answer.status, 0);
    assert_int_equal(begin(repeat, "a", 1, &answer), -HS_E_CONFLICT); /* under way */
    hs_repeat_set(repeat, 7, "a", 201, "first");
    assert_int_equal(begin(repeat, "a", 1, &answer), 0);
    assert_int_equal(answer.status, 201);
    assert_string_equal(answer.text, "first");
    assert_int_equal(begin(repeat, "a", 2, &answer), -HS_E_CONFLICT); /* another request */
}

static void kept_key__is_known_in_the_next_life(void **state)
{
    HS_AUTO(hs_repeat) repeat = hs_repeat_new();
    HS_AUTO(hs_repeat) next = hs_repeat_new();
    struct hs_repeat_answer answer;
    HS_AUTO_MEM char *text = NULL;
    char row[24];

    assert_int_equal(begin(repeat, "a \"b\"", 0xfedcba9876543210, &answer), 0);
    text = hs_repeat_format(repeat, 7, "a \"b\"", 12, 3, row);
    assert_string_equal(row, "0");
    assert_int_equal(hs_repeat_restore(next, text, NULL), 0);
    assert_int_equal(begin(next, "a \"b\"", 0xfedcba9876543210, &answer), 0);
    assert_int_equal(answer.status, 201);
    assert_null(answer.text);
    assert_true(answer.first_id == 12 && answer.n_ids == 3);
    assert_int_equal(begin(next, "a \"b\"", 1, &answer), -HS_E_CONFLICT);
    assert_int_equal(hs_repeat_restore(next, "{\"seq\":-1}", NULL), -HS_E_PROTOCOL);
    assert_int_equal(hs_repeat_restore(next, "nonsense", NULL), -HS_E_PROTOCOL);
}

static void rows__are_bounded_and_the_oldest_goes(void **state)
{
    HS_AUTO(hs_repeat) repeat = hs_repeat_new();
    struct hs_repeat_answer answer;
    char key[24];
    char row[24];

    for (unsigned i = 0; i < HS_REPEAT_MAX + 2; i++) {
        HS_AUTO_MEM char *text = NULL;

        snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(begin(repeat, key, 1, &answer), 0);
        text = hs_repeat_format(repeat, 7, key, i + 1, 1, row);
        assert_int_equal(strtoul(row, NULL, 10), i % HS_REPEAT_MAX);
        hs_repeat_set(repeat, 7, key, 201, key);
    }
    assert_int_equal(begin(repeat, "k2", 1, &answer), 0);
    assert_string_equal(answer.text, "k2");
    assert_int_equal(begin(repeat, "k1", 1, &answer), 0);
    assert_int_equal(answer.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key__has_its_first_answer),
        cmocka_unit_test(kept_key__is_known_in_the_next_life),
        cmocka_unit_test(rows__are_bounded_and_the_oldest_goes),
    };

    return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
