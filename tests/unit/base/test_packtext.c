/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/packtext.h"

#define N 1000

struct value {
    double reals[N];
    int32_t odd; /* so that the size is no multiple of a double's on every machine */
    char tail[3];
};

static void fill(struct value *value)
{
    memset(value, 0, sizeof(*value));
    for (size_t i = 0; i < N; i++) {
        value->reals[i] = i % 7 == 0 ? (double)NAN : 1000.0 + (double)(i % 24) / 3.0;
    }
    value->odd = -42;
    memcpy(value->tail, "xyz", 3);
}

static void packtext__gives_back_every_bit_and_is_smaller(void **state)
{
    struct value value, again;
    HS_AUTO_MEM char *text = NULL;

    fill(&value);
    text = hs_packtext_format(&value, sizeof(value));
    assert_true(hs_packtext_parse(text, &again, sizeof(again)));
    assert_memory_equal(&value, &again, sizeof(value));
    assert_true(strlen(text) < sizeof(value));
}

static void packtext__of_nothing_and_of_a_few_bytes_holds(void **state)
{
    HS_AUTO_MEM char *none = hs_packtext_format("", 0);
    HS_AUTO_MEM char *few = hs_packtext_format("abcdefghijk", 11);
    char again[11];

    assert_true(hs_packtext_parse(none, again, 0));
    assert_true(hs_packtext_parse(few, again, 11));
    assert_memory_equal(again, "abcdefghijk", 11);
    for (size_t n = 1; n < 40; n++) { /* packed to lengths that end in each way base64 can */
        char bytes[40], back[40];
        HS_AUTO_MEM char *text = NULL;

        for (size_t i = 0; i < n; i++) {
            bytes[i] = (char)(i * i * 37 + n);
        }
        text = hs_packtext_format(bytes, n);
        assert_true(hs_packtext_parse(text, back, n));
        assert_memory_equal(bytes, back, n);
    }
}

static void packtext__damage_and_another_size_are_refused(void **state)
{
    struct value value, again;
    HS_AUTO_MEM char *text = NULL;
    char first;

    fill(&value);
    text = hs_packtext_format(&value, sizeof(value));
    assert_false(hs_packtext_parse(NULL, &again, sizeof(again)));
    assert_false(hs_packtext_parse("", &again, sizeof(again)));
    assert_false(hs_packtext_parse(text, &again, sizeof(again) - 1));
    assert_false(hs_packtext_parse(text, &again, sizeof(again) - sizeof(value.reals)));
    first = text[strlen(text) / 2];
    text[strlen(text) / 2] = first == '0' ? '1' : '0';
    assert_false(hs_packtext_parse(text, &again, sizeof(again)));
    text[strlen(text) / 2] = '-';
    assert_false(hs_packtext_parse(text, &again, sizeof(again)));
    text[strlen(text) / 2] = first;
    text[strlen(text) - 2] = '\0';
    assert_false(hs_packtext_parse(text, &again, sizeof(again)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packtext__gives_back_every_bit_and_is_smaller),
        cmocka_unit_test(packtext__of_nothing_and_of_a_few_bytes_holds),
        cmocka_unit_test(packtext__damage_and_another_size_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
