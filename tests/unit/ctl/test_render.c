/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>

#include "ctl/render.h"
#include "scheduler/base/auto.h"

#define UNKNOWN ((double)NAN)

static void render_bars__go_from_the_least_to_the_greatest(void **state)
{
    double values[] = {0, 1, 2, 3, 4, 5, 6, 7};
    HS_AUTO_MEM char *bars = hs_render_bars(values, 8);

    assert_string_equal(bars, "▁▂▃▄▅▆▇█");
}

static void render_bars__leave_a_gap_for_what_is_unknown(void **state)
{
    double values[] = {UNKNOWN, 0, UNKNOWN, 10};
    double nothing[] = {UNKNOWN, UNKNOWN};
    HS_AUTO_MEM char *bars = hs_render_bars(values, 4);
    HS_AUTO_MEM char *gaps = hs_render_bars(nothing, 2);
    HS_AUTO_MEM char *none = hs_render_bars(NULL, 0);

    assert_string_equal(bars, " ▁ █");
    assert_string_equal(gaps, "  ");
    assert_string_equal(none, "");
}

static void render_bars__draw_no_rounding(void **state)
{
    double values[] = {100.0, 100.2, 100.4};
    HS_AUTO_MEM char *bars = hs_render_bars(values, 3);

    assert_string_equal(bars, "▁▁▁");
}

static void render_bars__share_a_scale(void **state)
{
    double low[] = {0, 5};
    double high[] = {5, 10};
    double beyond[] = {-3, 99};
    HS_AUTO_MEM char *low_bars = hs_render_bars_between(low, 2, 0, 10);
    HS_AUTO_MEM char *high_bars = hs_render_bars_between(high, 2, 0, 10);
    HS_AUTO_MEM char *beyond_bars = hs_render_bars_between(beyond, 2, 0, 10);

    assert_string_equal(low_bars, "▁▅");
    assert_string_equal(high_bars, "▅█");
    assert_string_equal(beyond_bars, "▁█");
}

static void render_uncertain__keeps_the_digits_that_its_error_allows(void **state)
{
    static const struct {
        double value;
        double error;
        enum hs_render_kind kind;
        const char *text;
    } cases[] = {
        {412.3, 31.2, HS_RENDER_KW, "0.41 ± 0.03"},
        {2130, 140, HS_RENDER_KW, "2.13 ± 0.14"},
        {15.17, 0.41, HS_RENDER_CELSIUS, "15.2 ± 0.4"},
        {41234, 900, HS_RENDER_KW, "41.2 ± 0.9"},
        {12345, 600, HS_RENDER_TEXT, "12345 ± 600"},
        {12.34, UNKNOWN, HS_RENDER_TEXT, "12.3"},
        {0.5, 0, HS_RENDER_TEXT, "0.500"},
        {0, UNKNOWN, HS_RENDER_TEXT, "0"},
        {UNKNOWN, 1, HS_RENDER_TEXT, "-"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HS_AUTO_MEM char *text = hs_render_uncertain(cases[i].value, cases[i].error, cases[i].kind);

        assert_string_equal(text, cases[i].text);
    }
}

static void render__is_plain_where_the_locale_is(void **state)
{
    double values[] = {0, 5, UNKNOWN, 10};

    assert_non_null(setlocale(LC_ALL, "C"));
    HS_AUTO_MEM char *bars = hs_render_bars(values, 4);
    HS_AUTO_MEM char *text = hs_render_uncertain(1.5, 0.3, HS_RENDER_TEXT);

    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    assert_string_equal(bars, "05 9");
    assert_string_equal(text, "1.5 +- 0.3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_bars__go_from_the_least_to_the_greatest),
        cmocka_unit_test(render_bars__leave_a_gap_for_what_is_unknown),
        cmocka_unit_test(render_bars__draw_no_rounding),
        cmocka_unit_test(render_bars__share_a_scale),
        cmocka_unit_test(render_uncertain__keeps_the_digits_that_its_error_allows),
        cmocka_unit_test(render__is_plain_where_the_locale_is),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
        return 77; /* skipped: no UTF-8 here to draw with */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
