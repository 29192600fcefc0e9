/* SPDX-License-Identifier: Apache-2.0 */
/* Computed holidays against published lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/civil.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/holidays.h"
#include "scheduler/model/holidays_priv.h"

#define TEXT_BYTES 400

/* Western Easter, US Census Bureau, https://www.census.gov/data/software/x13as/genhol/easter-dates
 */
static const char *const easter[] = {
    "2000-04-23", "2001-04-15", "2002-03-31", "2003-04-20", "2004-04-11", "2005-03-27",
    "2006-04-16", "2007-04-08", "2008-03-23", "2009-04-12", "2010-04-04", "2011-04-24",
    "2012-04-08", "2013-03-31", "2014-04-20", "2015-04-05", "2016-03-27", "2017-04-16",
    "2018-04-01", "2019-04-21", "2020-04-12", "2021-04-04", "2022-04-17", "2023-04-09",
    "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01",
    "2030-04-21"};

static void easter__is_as_published_from_2000_to_2030(void **state)
{
    (void)state;
    for (int year = 2000; year <= 2030; year++) {
        int64_t day_no = 0;

        assert_int_equal(hs_civil_parse_day(easter[year - 2000], &day_no, NULL), 0);
        assert_int_equal(hs_holidays_get_easter(year), day_no);
    }
}

/* Holidays of @country that fall on Monday to Friday of @year, "MM-DD " each, in order. */
static void write_working_days(const char *country, int year, char *ret_text)
{
    bool is_off[366] = {0};
    int64_t day_nos[HS_HOLIDAYS_MAX];
    int64_t new_year = hs_civil_get_day_no(year, 1, 1);
    size_t used = 0;

    for (int y = year; y <= year + 1; y++) {
        size_t n = hs_holidays_list(country, y, day_nos);

        for (size_t i = 0; i < n; i++) {
            if (day_nos[i] >= new_year && hs_civil_get_date(day_nos[i]).year == year) {
                is_off[day_nos[i] - new_year] = hs_civil_get_weekday(day_nos[i]) < 5;
            }
        }
    }
    ret_text[0] = '\0';
    for (int i = 0; i < 366; i++) {
        struct hs_civil date = hs_civil_get_date(new_year + i);

        if (is_off[i]) {
            used += (size_t)snprintf(ret_text + used, TEXT_BYTES - used, "%02d-%02d ", date.month,
                                     date.day);
        }
    }
}

static void holidays__are_those_of_the_official_lists(void **state)
{
    static const struct {
        const char *country;
        int year;
        const char *days;
    } lists[] = {
        /* https://www.gov.uk/bank-holidays */
        {"GB-ENG", 2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27 "},
        {"GB-ENG", 2023, "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26 "},
        {"GB-SCT", 2022, "01-03 01-04 04-15 05-02 06-02 06-03 08-01 09-19 11-30 12-26 12-27 "},
        {"GB-SCT", 2023, "01-02 01-03 04-07 05-01 05-08 05-29 08-07 11-30 12-25 12-26 "},
        {"GB-NIR", 2025, "01-01 03-17 04-18 04-21 05-05 05-26 07-14 08-25 12-25 12-26 "},
        {"GB-ENG", 2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28 "},
        /* https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/ */
        {"US", 2021, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31 "},
        {"US", 2022, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26 "},
        {"US", 2023, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25 "},
        /* the ministries of the interior and of labour of each state */
        {"DE", 2024, "01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26 "},
        {"DE-NW", 2024, "01-01 03-29 04-01 05-01 05-09 05-20 05-30 10-03 11-01 12-25 12-26 "},
        {"DE-SN", 2023, "04-07 04-10 05-01 05-18 05-29 10-03 10-31 11-22 12-25 12-26 "},
        {"DE", 2017, "04-14 04-17 05-01 05-25 06-05 10-03 10-31 12-25 12-26 "},
        {"AT", 2024, "01-01 04-01 05-01 05-09 05-20 05-30 08-15 11-01 12-25 12-26 "},
        {"CH", 2024, "01-01 05-09 08-01 12-25 "},
        {"DK", 2023, "04-06 04-07 04-10 05-05 05-18 05-29 12-25 12-26 "},
        {"DK", 2024, "01-01 03-28 03-29 04-01 05-09 05-20 12-25 12-26 "},
        {"NL", 2025, "01-01 04-21 05-05 05-29 06-09 12-25 12-26 "},
        {"FR", 2023, "04-10 05-01 05-08 05-18 05-29 07-14 08-15 11-01 12-25 "},
        {"BE", 2024, "01-01 04-01 05-01 05-09 05-20 08-15 11-01 11-11 12-25 "},
        {"SE", 2024, "01-01 03-29 04-01 05-01 05-09 06-06 06-21 12-24 12-25 12-26 12-31 "},
        {"NO", 2024, "01-01 03-28 03-29 04-01 05-01 05-09 05-17 05-20 12-25 12-26 "},
        {"FI", 2023, "01-06 04-07 04-10 05-01 05-18 06-23 12-06 12-25 12-26 "},
        {"IE", 2023, "02-06 03-17 04-10 05-01 06-05 08-07 10-30 12-25 12-26 "},
        {"IE", 2022, "03-17 03-18 04-18 05-02 06-06 08-01 10-31 12-26 "},
        {"none", 2024, ""},
    };
    char text[TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        write_working_days(lists[i].country, lists[i].year, text);
        if (strcmp(text, lists[i].days) != 0) {
            fail_msg("%s %d: %s, expected %s", lists[i].country, lists[i].year, text,
                     lists[i].days);
        }
    }
}

static void holidays__of_saint_brigid_keep_a_friday(void **state)
{
    char text[TEXT_BYTES];

    (void)state;
    write_working_days("IE", 2030, text);
    assert_non_null(strstr(text, "02-01 "));
    assert_null(strstr(text, "02-04 "));
}

static void holidays__are_less_than_a_list_holds_in_every_country_and_year(void **state)
{
    int64_t day_nos[HS_HOLIDAYS_MAX];

    (void)state;
    assert_string_equal(hs_holidays_words[0], "auto");
    assert_string_equal(hs_holidays_words[1], "none");
    for (size_t i = 0; i < hs_holidays_n_regions; i++) {
        assert_string_equal(hs_holidays_words[i + 2], hs_holidays_regions[i]);
        for (int year = 1970; year <= 2100; year++) {
            size_t n = hs_holidays_list(hs_holidays_regions[i], year, day_nos);

            assert_in_range(n, 4, HS_HOLIDAYS_MAX);
            for (size_t k = 0; k < n; k++) {
                assert_in_range(day_nos[k] + 1, hs_civil_get_day_no(year, 1, 1),
                                hs_civil_get_day_no(year + 1, 1, 1));
            }
        }
    }
    assert_null(hs_holidays_words[hs_holidays_n_regions + 2]);
}

static void auto__is_the_country_of_an_unambiguous_zone(void **state)
{
    (void)state;
    assert_string_equal(hs_holidays_resolve("auto", "Europe/Berlin"), "DE");
    assert_string_equal(hs_holidays_resolve("auto", "America/Indiana/Knox"), "US");
    assert_string_equal(hs_holidays_resolve("auto", "UTC"), "none");
    assert_string_equal(hs_holidays_resolve("auto", "CET"), "none");
    assert_string_equal(hs_holidays_resolve("none", "Europe/Berlin"), "none");
    assert_string_equal(hs_holidays_resolve("DE-NW", "UTC"), "DE-NW");
}

#define ESTATE(more)                                                                               \
    "{\"estate\":\"e\",\"sites\":[{\"name\":\"s\",\"template\":\"office\",\"racks\":[]," more "}]" \
    "}"

static struct hs_estate *parse(const char *text, char **ret_errors)
{
    struct hs_conf_report report = {0};
    struct hs_estate *estate = NULL;

    (void)hs_estate_parse(NULL, text, &report, &estate);
    *ret_errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    return estate;
}

static void site__tells_a_country_that_was_not_written(void **state)
{
    HS_AUTO_MEM char *errors = NULL;
    HS_AUTO(hs_estate) estate = parse(ESTATE("\"timezone\":\"Europe/Oslo\""), &errors);
    int n_told = 0;

    (void)state;
    assert_non_null(estate);
    assert_string_equal(estate->sites[0].holidays, "NO");
    for (size_t i = 0; i < estate->assumed.n; i++) {
        const struct hs_assumed *item = &estate->assumed.items[i];

        n_told += strcmp(item->field, "holidays") == 0 && strcmp(item->word, "NO") == 0
                  && strcmp(item->path, "s") == 0;
    }
    assert_int_equal(n_told, 1);
}

static void site__reads_closed_days_and_spans(void **state)
{
    HS_AUTO_MEM char *errors = NULL;
    HS_AUTO(hs_estate)
    estate =
        parse(ESTATE("\"holidays\":\"none\",\"closed\":[\"2026-12-24\",\"2026-07-02/2026-08-15\"]"),
              &errors);

    (void)state;
    assert_non_null(estate);
    assert_int_equal(estate->sites[0].n_closed, 2);
    assert_int_equal(estate->sites[0].closed[0].first_day_no, hs_civil_get_day_no(2026, 12, 24));
    assert_int_equal(estate->sites[0].closed[0].last_day_no, hs_civil_get_day_no(2026, 12, 24));
    assert_int_equal(estate->sites[0].closed[1].last_day_no, hs_civil_get_day_no(2026, 8, 15));
}

static void site__refuses_what_is_no_day_and_says_where(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } bad[] = {
        {ESTATE("\"holidays\":\"DE-XX\""), "/sites/0/holidays"},
        {ESTATE("\"closed\":\"2026-12-24\""), "/sites/0/closed: must be a list"},
        {ESTATE("\"closed\":[\"2026-12-24\",5]"), "/sites/0/closed/1: must be a day in quotes"},
        {ESTATE("\"closed\":[\"24.12.2026\"]"), "/sites/0/closed/0: '24.12.2026' is no day"},
        {ESTATE("\"closed\":[\"2026-12-24/2026-12-01\"]"), "ends before it begins"},
        {ESTATE("\"closed\":[\"2026-12-24/2036-12-24\"]"), "longer than a year"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        HS_AUTO_MEM char *errors = NULL;

        assert_null(parse(bad[i].text, &errors));
        if (strstr(errors, bad[i].error) == NULL) {
            fail_msg("'%s' not in: %s", bad[i].error, errors);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(easter__is_as_published_from_2000_to_2030),
        cmocka_unit_test(holidays__are_those_of_the_official_lists),
        cmocka_unit_test(holidays__of_saint_brigid_keep_a_friday),
        cmocka_unit_test(holidays__are_less_than_a_list_holds_in_every_country_and_year),
        cmocka_unit_test(auto__is_the_country_of_an_unambiguous_zone),
        cmocka_unit_test(site__tells_a_country_that_was_not_written),
        cmocka_unit_test(site__reads_closed_days_and_spans),
        cmocka_unit_test(site__refuses_what_is_no_day_and_says_where),
    };

    return cmocka_run_group_tests_name("holidays", tests, NULL, NULL);
}
