/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones from bytes made here, so that no data of the system is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/civil.h"
#include "scheduler/base/timezone.h"
#include "scheduler/base/timezone_rule.h"

#define MAX_BYTES 512

struct made {
    uint8_t bytes[MAX_BYTES];
    size_t n;
};

static void put(struct made *made, int64_t value, size_t n_bytes)
{
    assert_true(made->n + n_bytes <= MAX_BYTES);
    for (size_t i = 0; i < n_bytes; i++) {
        made->bytes[made->n++] = (uint8_t)((uint64_t)value >> (8 * (n_bytes - 1 - i)));
    }
}

static void put_text(struct made *made, const char *text)
{
    for (; *text != '\0'; text++) {
        put(made, *text, 1);
    }
}

static void put_header(struct made *made, int n_leap, int n_changes, int n_types, int n_chars)
{
    put_text(made, "TZif2");
    for (int i = 0; i < 15; i++) {
        put(made, 0, 1);
    }
    put(made, 0, 4);
    put(made, 0, 4);
    put(made, n_leap, 4);
    put(made, n_changes, 4);
    put(made, n_types, 4);
    put(made, n_chars, 4);
}

/* An empty first block, then one change at @at_s from @before_s to @after_s, then the footer. */
static struct made make(int64_t at_s, int32_t before_s, int32_t after_s, const char *footer)
{
    struct made made = {0};

    put_header(&made, 0, 0, 1, 4);
    put(&made, 0, 6);
    put_text(&made, "AAA");
    put(&made, 0, 1);
    put_header(&made, 0, 1, 2, 4);
    put(&made, at_s, 8);
    put(&made, 1, 1);
    put(&made, before_s, 4);
    put(&made, 0, 2);
    put(&made, after_s, 4);
    put(&made, 0, 2);
    put_text(&made, "AAA");
    put(&made, 0, 1);
    put_text(&made, footer);
    return made;
}

static struct hs_timezone *parse(int64_t at_s, int32_t before_s, int32_t after_s,
                                 const char *footer)
{
    struct made made = make(at_s, before_s, after_s, footer);
    struct hs_timezone *zone = NULL;

    assert_int_equal(hs_timezone_parse("Test/Town", made.bytes, made.n, &zone, NULL), 0);
    return zone;
}

static int64_t at(int year, int month, int day, int hour)
{
    return hs_civil_get_day_no(year, month, day) * 86400 + hour * 3600;
}

static void timezone__changes_at_the_second_of_the_table(void **state)
{
    HS_AUTO(hs_timezone) zone = parse(at(1990, 6, 1, 0), 600, 1200, "\n<+0020>-0:20\n");

    (void)state;
    assert_int_equal(hs_timezone_get_offset_s(zone, at(1990, 6, 1, 0) - 1), 600);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(1990, 6, 1, 0)), 1200);
    assert_int_equal(hs_timezone_get_offset_s(zone, INT64_MIN / 2), 600);
    assert_int_equal(hs_timezone_get_offset_s(zone, INT64_MAX / 2), 1200);
    assert_string_equal(hs_timezone_get_name(zone), "Test/Town");
}

static void timezone__follows_the_footer_past_the_table_and_past_2100(void **state)
{
    HS_AUTO(hs_timezone)
    zone = parse(at(1996, 10, 27, 1), 7200, 3600, "\nCET-1CEST,M3.5.0,M10.5.0/3\n");

    (void)state;
    /* last Sundays of March and October: 2060-03-28 and 2060-10-31, 2200-03-30 and 2200-10-26 */
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2060, 3, 28, 1) - 1), 3600);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2060, 3, 28, 1)), 7200);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2060, 10, 31, 1) - 1), 7200);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2060, 10, 31, 1)), 3600);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2200, 3, 30, 1) - 1), 3600);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2200, 3, 30, 1)), 7200);
    assert_int_equal(hs_timezone_get_offset_s(zone, at(2200, 10, 26, 1)), 3600);
}

static void timezone__knows_a_summer_without_end(void **state)
{
    HS_AUTO(hs_timezone) zone = parse(at(1996, 1, 1, 0), 0, -14400, "\nXXX5EDT4,0/0,J365/25\n");

    (void)state;
    for (int year = 1997; year < 2110; year++) {
        for (int month = 1; month <= 12; month++) {
            assert_int_equal(hs_timezone_get_offset_s(zone, at(year, month, 1, 5)), -14400);
        }
        assert_int_equal(hs_timezone_get_offset_s(zone, at(year, 1, 1, 5) - 1), -14400);
    }
}

static void timezone__refuses_every_cut_of_its_file(void **state)
{
    struct made made = make(at(1996, 10, 27, 1), 7200, 3600, "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    struct hs_err err;

    (void)state;
    for (size_t n = 0; n < made.n; n++) {
        struct hs_timezone *zone = NULL;

        assert_int_equal(hs_timezone_parse("Test/Town", made.bytes, n, &zone, &err), -HS_E_INVALID);
        assert_null(zone);
        assert_non_null(strstr(err.text, "Test/Town"));
    }
}

static void timezone__survives_every_flipped_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < make(0, 0, 0, "\nUTC0\n").n; i++) {
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            struct made made = make(at(1996, 10, 27, 1), 7200, 3600, "\nUTC0\n");
            HS_AUTO(hs_timezone) zone = NULL;

            made.bytes[i] ^= (uint8_t)flip;
            if (hs_timezone_parse("Test/Town", made.bytes, made.n, &zone, NULL) == 0) {
                int32_t offset_s = hs_timezone_get_offset_s(zone, at(2030, 1, 1, 0));

                assert_true(offset_s > -90000 && offset_s < 93600);
            }
        }
    }
}

static void timezone__refuses_leap_seconds(void **state)
{
    struct made made = {0};
    struct hs_timezone *zone = NULL;
    struct hs_err err;

    (void)state;
    put_header(&made, 0, 0, 1, 4);
    put(&made, 0, 6);
    put_text(&made, "AAA");
    put(&made, 0, 1);
    put_header(&made, 1, 0, 1, 4);
    put(&made, 0, 6);
    put_text(&made, "AAA");
    put(&made, 0, 1);
    put(&made, 78796800, 8);
    put(&made, 1, 4);
    put_text(&made, "\nUTC0\n");
    assert_int_equal(hs_timezone_parse("right/UTC", made.bytes, made.n, &zone, &err),
                     -HS_E_INVALID);
    assert_non_null(strstr(err.text, "leap seconds"));
}

static void rule__refuses_what_is_no_posix_zone(void **state)
{
    static const char *const bad[] = {"",
                                      "CE-1",
                                      "CET",
                                      "CET-25",
                                      "CET-1CEST",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "<+1-1",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1 ",
                                      "CET-1CEST,M3.5.0,M10.5.0/168",
                                      "CET-1:60",
                                      "CET-1CEST,J0,J365",
                                      "CET-1CEST,M3.5.0,M10.5.0,"};
    static const char *const good[] = {"UTC0", "<-03>3", "IST-1GMT0,M10.5.0,M3.5.0/1",
                                       "EET-2EEST,M3.4.4/50,M10.4.4/50",
                                       "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"};
    struct hs_timezone_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(hs_timezone_rule_parse(bad[i], strlen(bad[i]), &rule));
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(hs_timezone_rule_parse(good[i], strlen(good[i]), &rule));
    }
}

static void civil__counts_every_day_from_1600_to_2400(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day_no = -135140; /* 1600-01-01: 370 years of 365 days and 90 leap days before */

    (void)state;
    for (int year = 1600; year <= 2400; year++) {
        int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days[month - 1] + (month == 2 ? leap : 0); day++) {
                struct hs_civil date = hs_civil_get_date(day_no);

                assert_true(date.year == year && date.month == month && date.day == day);
                assert_int_equal(hs_civil_get_day_no(year, month, day), day_no);
                day_no++;
            }
        }
    }
    assert_int_equal(hs_civil_get_weekday(0), 3);
    assert_int_equal(hs_civil_get_weekday(-4), 6);
}

static void civil__refuses_what_is_no_day(void **state)
{
    static const char *const bad[] = {"2026-02-29", "2026-13-01", "2026-00-01",  "2026-01-00",
                                      "26-01-01",   "2026/01/01", "2026-01-01x", ""};
    int64_t day_no = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hs_civil_parse_day(bad[i], &day_no, NULL), -HS_E_INVALID);
    }
    assert_int_equal(hs_civil_parse_day("2024-02-29", &day_no, NULL), 0);
    assert_int_equal(day_no, 19782);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timezone__changes_at_the_second_of_the_table),
        cmocka_unit_test(timezone__follows_the_footer_past_the_table_and_past_2100),
        cmocka_unit_test(timezone__knows_a_summer_without_end),
        cmocka_unit_test(timezone__refuses_every_cut_of_its_file),
        cmocka_unit_test(timezone__survives_every_flipped_byte),
        cmocka_unit_test(timezone__refuses_leap_seconds),
        cmocka_unit_test(rule__refuses_what_is_no_posix_zone),
        cmocka_unit_test(civil__counts_every_day_from_1600_to_2400),
        cmocka_unit_test(civil__refuses_what_is_no_day),
    };

    return cmocka_run_group_tests_name("timezone", tests, NULL, NULL);
}
