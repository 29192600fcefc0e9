/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "adapters/signal/zonefile.h"
#include "forecast/baseload.h"
#include "tests/support/near.h"

#define MONDAY_AT_S INT64_C(1735516800) /* 2024-12-30T00:00:00Z */
#define SUMMER_AT_S                                                              \
    INT64_C(1743379200) /* 2025-03-31T00:00:00Z, the first Monday of summer time \
                         */

/* Made up: an office's servers, busy by day, less so at weekends, with noise. */
static double synthetic(int64_t hour, uint64_t *state)
{
    int64_t hour_of_day = hour % 24;
    double busy = hour_of_day >= 8 && hour_of_day < 18 ? 1.0 : 0.2;

    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (hour / 24 % 7 >= 5) {
        busy *= 0.4;
    }
    return 40.0 + 60.0 * busy + 6.0 * ((double)(*state >> 40) / 16777216.0 - 0.5);
}

static void baseload__knows_nothing_at_first(void **state)
{
    struct hs_baseload baseload;
    struct hs_baseload_range range;

    hs_baseload_init(&baseload);
    hs_baseload_predict(&baseload, NULL, MONDAY_AT_S, &range);
    assert_true(isnan(range.p50));
    hs_baseload_observe(&baseload, NULL, MONDAY_AT_S, 900, 12.0);
    hs_baseload_predict(&baseload, NULL, MONDAY_AT_S + 40000, &range);
    assert_near(range.p50, 12.0, 1e-9);
}

static void baseload__stays_where_load_is_constant(void **state)
{
    struct hs_baseload baseload;
    struct hs_baseload_range range;

    hs_baseload_init(&baseload);
    for (int64_t h = 0; h < 100; h++) {
        hs_baseload_observe(&baseload, NULL, MONDAY_AT_S + h * 3600, 3600, 32.0);
    }
    hs_baseload_predict(&baseload, NULL, MONDAY_AT_S + 140 * 3600, &range);
    assert_near(range.p10, 32.0, 1e-9);
    assert_near(range.p50, 32.0, 1e-9);
    assert_near(range.p90, 32.0, 1e-9);
}

/* A day ahead, over the fifth and sixth of six made-up weeks. */
static void baseload__learns_a_week(void **state)
{
    struct hs_baseload baseload;
    uint64_t seed = 5;
    double error = 0.0;
    double held_error = 0.0;
    double inside = 0.0;
    double loads[6 * 168];

    hs_baseload_init(&baseload);
    for (int64_t h = 0; h < 6 * 168; h++) {
        loads[h] = synthetic(h, &seed);
    }
    for (int64_t h = 0; h + 24 < 6 * 168; h++) {
        struct hs_baseload_range range;

        hs_baseload_observe(&baseload, NULL, MONDAY_AT_S + h * 3600, 3600, loads[h]);
        if (h < 4 * 168) {
            continue;
        }
        hs_baseload_predict(&baseload, NULL, MONDAY_AT_S + (h + 12) * 3600, &range);
        error += fabs(range.p50 - loads[h + 12]);
        held_error += fabs(loads[h] - loads[h + 12]);
        hs_baseload_predict(&baseload, NULL, MONDAY_AT_S + (h + 1) * 3600, &range);
        inside += loads[h + 1] >= range.p10 && loads[h + 1] <= range.p90 ? 1.0 : 0.0;
    }
    print_message("12 h ahead: %.3f of 'as now'; 1 h ahead inside: %.3f\n", error / held_error,
                  inside / (2 * 168 - 24));
    assert_true(error < 0.4 * held_error);
    assert_true(inside > 0.6 * (2 * 168 - 24));
    assert_true(inside < 0.95 * (2 * 168 - 24));
}

/* Summer time begins on 2025-03-30: what is busy from eight on is so an hour of UTC earlier. */
static void baseload__follows_the_clocks_of_the_site(void **state)
{
    struct hs_timezone *zone = NULL;
    struct hs_calendar *calendar = NULL;
    struct hs_baseload local;
    struct hs_baseload utc;
    struct hs_baseload_range range;
    int64_t h = 0;

    assert_int_equal(hs_zonefile_load("Europe/Copenhagen", &zone, NULL), 0);
    calendar = hs_calendar_new(zone, NULL);
    hs_baseload_init(&local);
    hs_baseload_init(&utc);
    for (; MONDAY_AT_S + h * 3600 < SUMMER_AT_S; h++) {
        struct hs_calendar_hour hour = hs_calendar_get_hour(calendar, MONDAY_AT_S + h * 3600);
        double load = hour.hour >= 8 && hour.hour < 18 ? 90.0 : 30.0;

        hs_baseload_observe(&local, calendar, MONDAY_AT_S + h * 3600, 3600, load);
        hs_baseload_observe(&utc, NULL, MONDAY_AT_S + h * 3600, 3600, load);
    }
    hs_baseload_predict(&local, calendar, SUMMER_AT_S + 6 * 3600, &range);
    assert_near(range.p50, 90.0, 5.0);
    hs_baseload_predict(&local, calendar, SUMMER_AT_S + 16 * 3600, &range);
    assert_near(range.p50, 30.0, 5.0);
    hs_baseload_predict(&utc, NULL, SUMMER_AT_S + 6 * 3600, &range);
    assert_near(range.p50, 30.0, 5.0);
    hs_calendar_free(calendar);
    hs_timezone_free(zone);
}

/* One day of 526 machines as one host: a day has no week to learn, so it must not do harm. */
static void baseload__of_a_shared_day_is_no_worse_than_as_now(void **state)
{
    const char *shared = getenv("HSCHED_TEST_SHARED");
    struct hs_baseload baseload;
    double hours[24] = {0};
    double error = 0.0;
    double held_error = 0.0;
    char path[4096];
    char *line = malloc(1 << 16);
    gzFile file;
    int row = 0;

    snprintf(path, sizeof(path), "%s/data/vmcpu_planetlab_20110303.csv.gz",
             shared != NULL ? shared : "");
    file = gzopen(path, "rb");
    if (file == NULL) {
        free(line);
        print_message("skipped: no shared data under HSCHED_TEST_SHARED\n");
        skip();
    }
    (void)gzgets(file, line, 1 << 16);
    for (; row < 288 && gzgets(file, line, 1 << 16) != NULL; row++) {
        char *at = strchr(line, ',');

        for (; at != NULL; at = strchr(at + 1, ',')) {
            hours[row / 12] += strtod(at + 1, NULL) / 12.0;
        }
    }
    gzclose(file);
    free(line);
    assert_int_equal(row, 288);
    hs_baseload_init(&baseload);
    for (int h = 0; h < 24; h++) {
        for (int lead = 1; h >= 6 && lead <= 6 && h - 1 + lead < 24; lead++) {
            struct hs_baseload_range range;

            hs_baseload_predict(&baseload, NULL, MONDAY_AT_S + (h - 1 + lead) * 3600, &range);
            error += fabs(range.p50 - hours[h - 1 + lead]);
            held_error += fabs(hours[h - 1] - hours[h - 1 + lead]);
        }
        hs_baseload_observe(&baseload, NULL, MONDAY_AT_S + h * 3600, 3600, hours[h]);
        hs_baseload_observe(&baseload, NULL, MONDAY_AT_S + (h + 1) * 3600, 0, hours[h]);
    }
    print_message("1-6 h ahead: %.3f of 'as now'\n", error / held_error);
    assert_true(error < 1.1 * held_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baseload__knows_nothing_at_first),
        cmocka_unit_test(baseload__stays_where_load_is_constant),
        cmocka_unit_test(baseload__learns_a_week),
        cmocka_unit_test(baseload__follows_the_clocks_of_the_site),
        cmocka_unit_test(baseload__of_a_shared_day_is_no_worse_than_as_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
