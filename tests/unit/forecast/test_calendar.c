/* SPDX-License-Identifier: Apache-2.0 */
/* Local hours of real zones (package tzdata), and days that are unlike others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/signal/zonefile.h"
#include "forecast/calendar.h"
#include "scheduler/base/civil.h"
#include "scheduler/model/site.h"

#define HALF_HOUR_S 1800
#define DAY_S       86400

struct place {
    struct hs_timezone *timezone;
    struct hs_calendar *calendar;
};

static struct place open_place(const char *name, const struct hs_site *site)
{
    struct place place = {0};

    assert_int_equal(hs_zonefile_load(name, &place.timezone, NULL), 0);
    place.calendar = hs_calendar_new(place.timezone, site);
    return place;
}

static void close_place(struct place *place)
{
    hs_calendar_free(place->calendar);
    hs_timezone_free(place->timezone);
}

/* Half hours of UTC that fall on a local day: they come in order, and each has one local hour. */
static int count_half_hours(const char *name, int year, int month, int day)
{
    struct place place = open_place(name, NULL);
    int64_t day_no = hs_civil_get_day_no(year, month, day);
    int64_t newest_day_no = INT64_MIN;
    int n = 0;

    for (int64_t at_s = (day_no - 2) * DAY_S; at_s < (day_no + 3) * DAY_S; at_s += HALF_HOUR_S) {
        struct hs_calendar_hour hour = hs_calendar_get_hour(place.calendar, at_s);

        assert_true(hour.day_no >= newest_day_no);
        assert_in_range(hour.hour, 0, 23);
        assert_int_equal(hour.weekday, hs_civil_get_weekday(hour.day_no));
        newest_day_no = hour.day_no;
        n += hour.day_no == day_no;
    }
    close_place(&place);
    return n;
}

static void days__have_23_24_and_25_hours(void **state)
{
    (void)state;
    assert_int_equal(count_half_hours("Europe/Berlin", 2023, 3, 26), 46);
    assert_int_equal(count_half_hours("Europe/Berlin", 2023, 10, 29), 50);
    assert_int_equal(count_half_hours("Europe/Berlin", 2023, 10, 30), 48);
    assert_int_equal(count_half_hours("Europe/Berlin", 2060, 3, 28), 46);
    assert_int_equal(count_half_hours("America/New_York", 2023, 3, 12), 46);
    assert_int_equal(count_half_hours("America/New_York", 2023, 11, 5), 50);
    assert_int_equal(count_half_hours("Asia/Kolkata", 2023, 3, 26), 48);
    assert_int_equal(count_half_hours("Australia/Lord_Howe", 2023, 4, 2), 49);
    assert_int_equal(count_half_hours("Australia/Lord_Howe", 2023, 10, 1), 47);
    assert_int_equal(count_half_hours("Africa/Casablanca", 2023, 3, 19), 50);
    assert_int_equal(count_half_hours("Africa/Casablanca", 2023, 4, 23), 46);
    assert_int_equal(count_half_hours("Pacific/Apia", 2011, 12, 29), 48);
    assert_int_equal(count_half_hours("Pacific/Apia", 2011, 12, 30), 0);
    assert_int_equal(count_half_hours("Pacific/Apia", 2011, 12, 31), 48);
}

static void hours__skip_and_repeat_when_the_clocks_change(void **state)
{
    struct place place = open_place("Europe/Berlin", NULL);
    int64_t spring_s = hs_civil_get_day_no(2023, 3, 26) * DAY_S;
    int64_t autumn_s = hs_civil_get_day_no(2023, 10, 29) * DAY_S;

    (void)state;
    assert_int_equal(hs_calendar_get_hour(place.calendar, spring_s).hour, 1);
    assert_int_equal(hs_calendar_get_hour(place.calendar, spring_s + 3600).hour, 3);
    assert_int_equal(hs_calendar_get_hour(place.calendar, autumn_s).hour, 2);
    assert_int_equal(hs_calendar_get_hour(place.calendar, autumn_s + 3600).hour, 2);
    assert_int_equal(hs_calendar_get_hour(place.calendar, autumn_s + 7200).hour, 3);
    assert_int_equal(hs_calendar_get_hour(place.calendar, spring_s).weekday, 6);
    close_place(&place);
}

static void hours__without_a_calendar_are_of_utc(void **state)
{
    struct hs_calendar_hour hour = hs_calendar_get_hour(NULL, -1);

    (void)state;
    assert_int_equal(hour.hour, 23);
    assert_int_equal(hour.day_no, -1);
    assert_int_equal(hour.weekday, 2);
    assert_false(hour.is_holiday);
}

static void holidays__begin_and_end_at_local_midnight(void **state)
{
    struct hs_site site = {.timezone = "America/New_York", .holidays = "auto"};
    struct place place = open_place("America/New_York", &site);
    int64_t from_s = hs_civil_get_day_no(2024, 12, 25) * DAY_S + 5 * 3600;

    (void)state;
    assert_false(hs_calendar_get_hour(place.calendar, from_s - 1).is_holiday);
    assert_true(hs_calendar_get_hour(place.calendar, from_s).is_holiday);
    assert_true(hs_calendar_get_hour(place.calendar, from_s + DAY_S - 1).is_holiday);
    assert_false(hs_calendar_get_hour(place.calendar, from_s + DAY_S).is_holiday);
    /* 1 January 2022 was a Saturday and was kept on the eve */
    assert_true(
        hs_calendar_get_hour(place.calendar, hs_civil_get_day_no(2021, 12, 31) * DAY_S + DAY_S / 2)
            .is_holiday);
    close_place(&place);
}

static void closed_days__are_holidays_the_last_included(void **state)
{
    struct hs_site site = {.timezone = "UTC", .holidays = "none", .n_closed = 1};
    int64_t first = hs_civil_get_day_no(2026, 7, 2), last = hs_civil_get_day_no(2026, 8, 15);

    (void)state;
    site.closed[0] = (struct hs_site_closed){first, last};
    HS_AUTO(hs_calendar) calendar = hs_calendar_new(NULL, &site);

    for (int64_t day_no = first - 10; day_no <= last + 10; day_no++) {
        assert_int_equal(hs_calendar_get_hour(calendar, day_no * DAY_S).is_holiday,
                         day_no >= first && day_no <= last);
    }
}

static void holidays__are_unknown_outside_of_their_years(void **state)
{
    struct hs_site site = {.timezone = "UTC", .holidays = "DE", .n_closed = 1};

    (void)state;
    site.closed[0] =
        (struct hs_site_closed){hs_civil_get_day_no(2099, 12, 30), hs_civil_get_day_no(2100, 1, 9)};
    HS_AUTO(hs_calendar) calendar = hs_calendar_new(NULL, &site);

    assert_true(hs_calendar_get_hour(calendar, hs_civil_get_day_no(1970, 1, 1) * DAY_S).is_holiday);
    assert_true(
        hs_calendar_get_hour(calendar, hs_civil_get_day_no(2099, 12, 31) * DAY_S).is_holiday);
    assert_false(
        hs_calendar_get_hour(calendar, hs_civil_get_day_no(2100, 1, 1) * DAY_S).is_holiday);
    assert_false(
        hs_calendar_get_hour(calendar, hs_civil_get_day_no(1969, 12, 25) * DAY_S).is_holiday);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days__have_23_24_and_25_hours),
        cmocka_unit_test(hours__skip_and_repeat_when_the_clocks_change),
        cmocka_unit_test(hours__without_a_calendar_are_of_utc),
        cmocka_unit_test(holidays__begin_and_end_at_local_midnight),
        cmocka_unit_test(closed_days__are_holidays_the_last_included),
        cmocka_unit_test(holidays__are_unknown_outside_of_their_years),
    };

    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
