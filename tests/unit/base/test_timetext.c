/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/timetext.h"

#define NOW_AT_S INT64_C(1767607200) /* 2026-01-05T10:00:00Z, a Monday */

static void check(const char *text, int64_t want_at_s)
{
    struct hs_err err = {0};
    int64_t at_s = 0;

    if (hs_timetext_parse(text, NOW_AT_S, &at_s, &err) != 0) {
        fail_msg("'%s' refused: %s", text, err.text);
    }
    assert_int_equal(at_s, want_at_s);
}

static void parse__reads_every_form_of_a_time(void **state)
{
    check("2026-01-05T10:00:00Z", NOW_AT_S);
    check("2026-01-05T11:30:00.250+01:30", NOW_AT_S);
    check("2026-01-05T04:00:00-06:00", NOW_AT_S);
    check("now", NOW_AT_S);
    check("now+2h", NOW_AT_S + 7200);
    check("18:00", NOW_AT_S + 8 * 3600);
    check("09:00", NOW_AT_S + 23 * 3600);
    check("10:00", NOW_AT_S + 24 * 3600);
    check("tomorrow 06:00", NOW_AT_S + 20 * 3600);
    check("2024-02-29T00:00:00Z", INT64_C(1709164800));
}

static void parse__refuses_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "",
        "soon",
        "2026-01-05",
        "2026-01-05T10:00:00",
        "2026-02-29T00:00:00Z",
        "25:00",
        "18:60",
        "18:0x",
        "now+2",
        "now2h",
        "tomorrow",
        "tomorrow 6",
        "nowhere",
        "2026-13-01T00:00:00Z",
        "2026-01-05T10:00:00Zx",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hs_err err = {0};
        int64_t at_s = 7;

        assert_int_equal(hs_timetext_parse(bad[i], NOW_AT_S, &at_s, &err), -HS_E_INVALID);
        assert_int_equal(at_s, 7);
        assert_true(strlen(err.text) > 0);
    }
}

static void format__is_the_inverse_of_parse(void **state)
{
    char text[HS_TIMETEXT_MAX];

    hs_timetext_format(NOW_AT_S, text);
    assert_string_equal(text, "2026-01-05T10:00:00Z");
    check(text, NOW_AT_S);
}

static void duration__adds_up_its_parts(void **state)
{
    static const struct {
        const char *text;
        int64_t span_s;
    } rows[] = {{"90m", 5400},   {"1h30m", 5400},     {"1d", 86400}, {"45s", 45},
                {"2w", 1209600}, {"1d2h3m4s", 93784}, {"0s", 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t span_s = -1;

        assert_int_equal(hs_timetext_parse_duration(rows[i].text, &span_s, NULL), 0);
        assert_int_equal(span_s, rows[i].span_s);
    }
}

static void duration__says_which_units_a_bare_number_may_have(void **state)
{
    struct hs_err err = {0};
    int64_t span_s = 0;

    assert_int_equal(hs_timetext_parse_duration("90", &span_s, &err), -HS_E_INVALID);
    assert_string_equal(err.text, "'90' has no unit; write 90s, 90m or 90h");
}

static void duration__refuses_disorder_and_nonsense(void **state)
{
    static const char *const bad[] = {
        "", "m", "1.5h", "-1h", "30m1h", "1h1h", "1h 30m", "1y", "99999999999999999999s", "1h30"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t span_s = 7;

        assert_int_equal(hs_timetext_parse_duration(bad[i], &span_s, NULL), -HS_E_INVALID);
        assert_int_equal(span_s, 7);
    }
}

static void duration__formats_shortest(void **state)
{
    char text[HS_TIMETEXT_MAX];

    hs_timetext_format_duration(5400, text);
    assert_string_equal(text, "1h30m");
    hs_timetext_format_duration(0, text);
    assert_string_equal(text, "0s");
    hs_timetext_format_duration(86400 + 1, text);
    assert_string_equal(text, "1d1s");
    hs_timetext_format_duration(-60, text);
    assert_string_equal(text, "-1m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_every_form_of_a_time),
        cmocka_unit_test(parse__refuses_what_is_no_time),
        cmocka_unit_test(format__is_the_inverse_of_parse),
        cmocka_unit_test(duration__adds_up_its_parts),
        cmocka_unit_test(duration__says_which_units_a_bare_number_may_have),
        cmocka_unit_test(duration__refuses_disorder_and_nonsense),
        cmocka_unit_test(duration__formats_shortest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
