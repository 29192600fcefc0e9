/* SPDX-License-Identifier: Apache-2.0 */
/* What is expected of a made-up flow of requests. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/arrivals.h"
#include "tests/support/near.h"

#define HOUR_S   INT64_C(3600)
#define MONDAY_S INT64_C(1767571200) /* 2026-01-05T00:00:00Z */

/* @n requests of 2 vCPUs for half an hour (3600 vCPU-s), due three hours after their submit. */
static void submit(struct hs_arrivals *arrivals, int64_t at_s, int n)
{
    for (int i = 0; i < n; i++) {
        hs_arrivals_observe(arrivals, &(struct hs_arrivals_request){
                                          .at_s = at_s,
                                          .vcpus = 2,
                                          .run_s = 1800,
                                          .due_at_s = at_s + 3 * HOUR_S,
                                      });
    }
}

static struct hs_arrivals_bucket expect(const struct hs_arrivals *arrivals, int64_t at_s, int hours)
{
    struct hs_arrivals_bucket bucket;

    hs_arrivals_expect(arrivals, HS_ARRIVALS_DEFERRABLE, at_s, hours * HOUR_S, 1, &bucket);
    return bucket;
}

static void arrivals__learns_the_hour_of_the_week(void **state)
{
    struct hs_arrivals arrivals;
    int64_t next_s = MONDAY_S + 8 * 168 * HOUR_S;

    hs_arrivals_init(&arrivals, MONDAY_S);
    for (int week = 0; week < 8; week++) {
        submit(&arrivals, MONDAY_S + (week * 168 + 9) * HOUR_S + 60, 10);
    }
    hs_arrivals_advance(&arrivals, next_s);
    double monday = expect(&arrivals, next_s + 9 * HOUR_S, 1).work_vcpu_s;

    assert_true(monday > 20000 && monday < 36000);
    assert_true(expect(&arrivals, next_s + (24 + 9) * HOUR_S, 1).work_vcpu_s < monday / 10);
    assert_true(expect(&arrivals, next_s + 10 * HOUR_S, 1).work_vcpu_s < monday / 100);
    /* typical run and due time are of the work that came */
    assert_near(expect(&arrivals, next_s + 9 * HOUR_S, 1).run_s, 1800, 1e-6);
    assert_int_equal(expect(&arrivals, next_s + 9 * HOUR_S, 1).release_at_s,
                     next_s + 9 * HOUR_S + 1800);
    assert_int_equal(expect(&arrivals, next_s + 9 * HOUR_S, 1).due_at_s,
                     next_s + 9 * HOUR_S + 1800 + 3 * HOUR_S);
}

static void arrivals__falls_back_to_the_mean_so_far(void **state)
{
    struct hs_arrivals arrivals;

    hs_arrivals_init(&arrivals, MONDAY_S);
    submit(&arrivals, MONDAY_S + 100, 3);
    assert_near(expect(&arrivals, MONDAY_S + 200, 3).work_vcpu_s, 0, 0); /* no whole hour yet */
    submit(&arrivals, MONDAY_S + HOUR_S, 1);
    hs_arrivals_advance(&arrivals, MONDAY_S + 2 * HOUR_S);
    /* two hours of a day are believed by a twelfth: what came so far may be all there is */
    assert_near(expect(&arrivals, MONDAY_S + 5 * HOUR_S, 1).work_vcpu_s, 7200.0 / 12, 1e-6);
    assert_near(expect(&arrivals, MONDAY_S + 5 * HOUR_S + 1800, 3).work_vcpu_s, 21600.0 / 12, 1e-6);
    hs_arrivals_advance(&arrivals, MONDAY_S + 24 * HOUR_S);
    assert_near(expect(&arrivals, MONDAY_S + 29 * HOUR_S, 24).work_vcpu_s, 14400, 100);
}

static void arrivals__an_hour_seen_on_other_days_is_leant_on(void **state)
{
    struct hs_arrivals arrivals;

    hs_arrivals_init(&arrivals, MONDAY_S);
    for (int day = 0; day < 3; day++) {
        submit(&arrivals, MONDAY_S + (day * 24 + 9) * HOUR_S, 24);
    }
    hs_arrivals_advance(&arrivals, MONDAY_S + 72 * HOUR_S);
    /* Thursday was never seen: (3 x 24 + 4 x 1) / 7 requests at nine, (0 + 4 x 1) / 7 at ten */
    assert_near(expect(&arrivals, MONDAY_S + 81 * HOUR_S, 1).work_vcpu_s, 3600 * 76.0 / 7, 1e-6);
    assert_near(expect(&arrivals, MONDAY_S + 82 * HOUR_S, 1).work_vcpu_s, 3600 * 4.0 / 7, 1e-6);
}

static void arrivals__spread_is_none_where_all_hours_are_alike(void **state)
{
    struct hs_arrivals even, uneven;

    hs_arrivals_init(&even, MONDAY_S);
    hs_arrivals_init(&uneven, MONDAY_S);
    for (int hour = 0; hour < 48; hour++) {
        submit(&even, MONDAY_S + hour * HOUR_S, 1);
        submit(&uneven, MONDAY_S + hour * HOUR_S, hour % 2 * 2);
    }
    hs_arrivals_advance(&even, MONDAY_S + 48 * HOUR_S);
    hs_arrivals_advance(&uneven, MONDAY_S + 48 * HOUR_S);
    assert_near(expect(&even, MONDAY_S + 48 * HOUR_S, 24).spread_vcpu_s, 0, 1e-3);
    assert_true(expect(&uneven, MONDAY_S + 48 * HOUR_S, 24).spread_vcpu_s > 3600);
}

static void arrivals__expects_what_runs_not_what_is_asked_for(void **state)
{
    struct hs_arrivals arrivals;

    hs_arrivals_init(&arrivals, MONDAY_S);
    submit(&arrivals, MONDAY_S, 2);
    hs_arrivals_advance(&arrivals, MONDAY_S + HOUR_S);
    assert_near(hs_arrivals_get_run_ratio(&arrivals), 1, 0);
    for (int i = 0; i < 20; i++) {
        hs_arrivals_observe_end(&arrivals, 2, 1800, 450);
    }
    assert_near(hs_arrivals_get_run_ratio(&arrivals), 0.25, 1e-9);
    assert_near(expect(&arrivals, MONDAY_S + HOUR_S, 1).work_vcpu_s, 1800.0 / 24, 1e-6);
    assert_near(expect(&arrivals, MONDAY_S + HOUR_S, 1).run_s, 450, 1e-6);
}

static void arrivals__forgets_old_weeks_and_is_never_negative(void **state)
{
    struct hs_arrivals arrivals;
    int64_t next_s = MONDAY_S + 40 * 168 * HOUR_S;

    hs_arrivals_init(&arrivals, MONDAY_S);
    submit(&arrivals, MONDAY_S, 1000);
    hs_arrivals_advance(&arrivals, next_s);
    submit(&arrivals, MONDAY_S, 1000); /* of an hour long closed: ignored */
    for (int hour = 0; hour < 168; hour++) {
        struct hs_arrivals_bucket bucket = expect(&arrivals, next_s + hour * HOUR_S, 1);

        assert_true(bucket.work_vcpu_s >= 0 && bucket.work_vcpu_s < 3600 * 10.0);
        assert_true(bucket.spread_vcpu_s >= 0);
        assert_true(bucket.due_at_s >= bucket.release_at_s);
    }
}

static void arrivals__is_restored_to_the_last_bit_or_not_at_all(void **state)
{
    struct hs_arrivals arrivals, again;

    hs_arrivals_init(&arrivals, MONDAY_S);
    submit(&arrivals, MONDAY_S, 1000);
    hs_arrivals_advance(&arrivals, MONDAY_S + 30 * HOUR_S);
    hs_arrivals_observe_end(&arrivals, 2, 1800, 450);

    json_auto_t *saved = hs_arrivals_save(&arrivals);

    hs_arrivals_init(&again, MONDAY_S + 99 * HOUR_S);
    assert_int_equal(hs_arrivals_restore(&again, saved, NULL), 0);
    assert_memory_equal(&arrivals, &again, sizeof(arrivals));
    assert_int_equal(json_object_del(saved, "state"), 0);
    hs_arrivals_init(&arrivals, MONDAY_S);
    assert_int_equal(hs_arrivals_restore(&again, saved, NULL), -HS_E_INVALID);
    assert_int_equal(hs_arrivals_restore(&again, NULL, NULL), -HS_E_INVALID);
    assert_near(again.ended_run_vcpu_s, 900, 1e-9);
}

static void arrivals__that_are_damaged_are_refused(void **state)
{
    static const int64_t hours_at_s[] = {INT64_MIN, -3600, 1800, MONDAY_S};
    struct hs_arrivals arrivals, again;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        json_auto_t *saved = NULL;

        hs_arrivals_init(&arrivals, MONDAY_S);
        submit(&arrivals, MONDAY_S, 1000);
        if (i < 4) {
            arrivals.hour_at_s = hours_at_s[i];
        } else if (i == 4) {
            arrivals.cells[0][5].mean.work_vcpu_s = (double)NAN;
        } else {
            arrivals.n_ended = -1;
        }
        saved = hs_arrivals_save(&arrivals);
        assert_int_equal(hs_arrivals_restore(&again, saved, NULL), i == 3 ? 0 : -HS_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals__learns_the_hour_of_the_week),
        cmocka_unit_test(arrivals__falls_back_to_the_mean_so_far),
        cmocka_unit_test(arrivals__an_hour_seen_on_other_days_is_leant_on),
        cmocka_unit_test(arrivals__spread_is_none_where_all_hours_are_alike),
        cmocka_unit_test(arrivals__expects_what_runs_not_what_is_asked_for),
        cmocka_unit_test(arrivals__is_restored_to_the_last_bit_or_not_at_all),
        cmocka_unit_test(arrivals__that_are_damaged_are_refused),
        cmocka_unit_test(arrivals__forgets_old_weeks_and_is_never_negative),
    };
    return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
