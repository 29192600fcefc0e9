/* SPDX-License-Identifier: Apache-2.0 */
/* The system's time zone data, against the C library. Needs package tzdata, as we do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/signal/zonefile.h"
#include "scheduler/base/civil.h"

#define INSTANTS_PER_ZONE 400
#define FIRST_S           INT64_C(-2208988800) /* 1900 */
#define SPAN_S            INT64_C(7889400000)  /* until 2150 */

static struct hs_timezone *load(const char *name)
{
    struct hs_timezone *zone = NULL;

    assert_int_equal(hs_zonefile_load(name, &zone, NULL), 0);
    return zone;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return hs_civil_get_day_no(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

/* One change: the offset in the second before @at_s and from it on. */
static void check_change(const char *name, int64_t at_s, int32_t before_s, int32_t after_s)
{
    HS_AUTO(hs_timezone) zone = load(name);

    assert_int_equal(hs_timezone_get_offset_s(zone, at_s - 1), before_s);
    assert_int_equal(hs_timezone_get_offset_s(zone, at_s), after_s);
}

static void zone__changes_when_the_law_says(void **state)
{
    (void)state;
    check_change("Europe/Berlin", at(2023, 3, 26, 1, 0), 3600, 7200);
    check_change("Europe/Berlin", at(2023, 10, 29, 1, 0), 7200, 3600);
    check_change("Europe/Berlin", at(2060, 3, 28, 1, 0), 3600, 7200);
    check_change("America/New_York", at(2023, 3, 12, 7, 0), -18000, -14400);
    check_change("America/New_York", at(2023, 11, 5, 6, 0), -14400, -18000);
    check_change("Australia/Lord_Howe", at(2023, 4, 1, 15, 0), 39600, 37800);
    check_change("Pacific/Apia", at(2011, 12, 30, 10, 0), -36000, 50400); /* no 30 December */
    check_change("Africa/Casablanca", at(2023, 3, 19, 2, 0), 3600, 0);    /* Ramadan */
    check_change("Africa/Casablanca", at(2023, 4, 23, 2, 0), 0, 3600);
    check_change("Asia/Kolkata", at(2023, 6, 1, 0, 0), 19800, 19800);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* As the C library says, at random instants. @return instants compared */
static size_t compare_zone(const char *name, uint64_t *seed)
{
    HS_AUTO(hs_timezone) zone = load(name);
    int64_t instants[INSTANTS_PER_ZONE];

    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    for (size_t i = 0; i < INSTANTS_PER_ZONE; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        instants[i] = FIRST_S + (int64_t)((*seed >> 16) % (uint64_t)SPAN_S);
    }
    qsort(instants, INSTANTS_PER_ZONE, sizeof(instants[0]), compare);
    for (size_t i = 0; i < INSTANTS_PER_ZONE; i++) {
        time_t instant = (time_t)instants[i];
        struct tm tm = {0};

        assert_non_null(localtime_r(&instant, &tm));
        if (hs_timezone_get_offset_s(zone, instants[i]) != tm.tm_gmtoff) {
            fail_msg("%s at %lld: we say %d, the C library %ld", name, (long long)instants[i],
                     hs_timezone_get_offset_s(zone, instants[i]), tm.tm_gmtoff);
        }
    }
    return INSTANTS_PER_ZONE;
}

static void zone__agrees_with_the_c_library_in_every_zone(void **state)
{
    const char *dir = getenv("TZDIR");
    char path[300], line[512], name[64];
    uint64_t seed = 1;
    size_t n = 0;
    FILE *list;

    (void)state;
    snprintf(path, sizeof(path), "%s/zone.tab", dir != NULL ? dir : "/usr/share/zoneinfo");
    list = fopen(path, "r");
    assert_non_null(list);
    while (fgets(line, sizeof(line), list) != NULL) {
        if (line[0] != '#' && sscanf(line, "%*s %*s %63s", name) == 1) {
            n += compare_zone(name, &seed);
        }
    }
    fclose(list);
    unsetenv("TZ");
    tzset();
    assert_true(n > 100000);
}

static void zone__unknown_names_say_what_would_be_right(void **state)
{
    struct hs_timezone *zone = NULL;
    struct hs_err err;

    (void)state;
    assert_int_equal(hs_zonefile_load("Europe/Berln", &zone, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.text, "did you mean 'Europe/Berlin'?"));
    assert_int_equal(hs_zonefile_load("Nowhere", &zone, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.text, "Europe/Berlin"));
    assert_int_equal(hs_zonefile_load("Europe", &zone, &err), -HS_E_INVALID); /* a folder */
    assert_int_equal(hs_zonefile_load("zone.tab", &zone, &err), -HS_E_INVALID);
    assert_null(zone);
}

static void zone__name_never_leaves_the_folder(void **state)
{
    static const char *const bad[] = {"../../../etc/passwd", "/etc/localtime", "Europe/../UTC0",
                                      "Europe//Berlin",      "Europe/",        "",
                                      ":Europe/Berlin",      "Europe/Berlin\n"};
    struct hs_timezone *zone = NULL;
    struct hs_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hs_zonefile_load(bad[i], &zone, &err), -HS_E_INVALID);
        assert_non_null(strstr(err.text, "is no name of a time zone"));
    }
}

static void zone__utc_needs_no_data_and_others_name_the_package(void **state)
{
    struct hs_timezone *zone = NULL;
    struct hs_err err;

    (void)state;
    assert_int_equal(setenv("TZDIR", "/nonexistent", 1), 0);
    assert_int_equal(hs_zonefile_load("UTC", &zone, &err), 0);
    assert_null(zone);
    assert_int_equal(hs_zonefile_load("Europe/Berlin", &zone, &err), -HS_E_NOTFOUND);
    assert_non_null(strstr(err.text, "install package tzdata"));
    unsetenv("TZDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone__changes_when_the_law_says),
        cmocka_unit_test(zone__agrees_with_the_c_library_in_every_zone),
        cmocka_unit_test(zone__unknown_names_say_what_would_be_right),
        cmocka_unit_test(zone__name_never_leaves_the_folder),
        cmocka_unit_test(zone__utc_needs_no_data_and_others_name_the_package),
    };

    return cmocka_run_group_tests_name("zonefile", tests, NULL, NULL);
}
