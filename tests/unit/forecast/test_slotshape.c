/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/slotshape.h"
#include "tests/support/near.h"

#define SLOT_S   900
#define PER_HOUR 4
#define HOUR_S   3600
#define DAY_AT_S (INT64_C(20000) * 86400)

/* Hot water is drawn in the first quarter of the hour from 6 to 7. */
static const double morning[PER_HOUR] = {2.2, 1.0, 0.5, 0.3};
static const double even[PER_HOUR] = {1.0, 1.0, 1.0, 1.0};

static void live_hour(struct hs_slotshape *shape, int64_t at_s, const double *shares, double mean_w)
{
    for (int i = 0; i < PER_HOUR; i++) {
        hs_slotshape_observe(shape, SLOT_S, at_s + i * SLOT_S, shares[i] * mean_w);
    }
    hs_slotshape_close(shape, SLOT_S, at_s, mean_w);
}

static void live(struct hs_slotshape *shape, int n_days)
{
    for (int day = 0; day < n_days; day++) {
        for (int hour = 0; hour < 24; hour++) {
            live_hour(shape, DAY_AT_S + day * 86400 + hour * HOUR_S, hour == 6 ? morning : even,
                      1000.0 + 100.0 * day);
        }
    }
}

static void slotshape__is_even_until_taught(void **state)
{
    struct hs_slotshape shape;

    (void)state;
    hs_slotshape_init(&shape);
    for (int64_t slot = 0; slot < 96; slot++) {
        assert_near(hs_slotshape_get(&shape, SLOT_S, DAY_AT_S + slot * SLOT_S), 1.0, 1e-12);
    }
}

static void slotshape__of_an_hour_is_learned_by_the_hour_of_the_day(void **state)
{
    struct hs_slotshape shape;

    (void)state;
    hs_slotshape_init(&shape);
    live(&shape, 120);
    for (int i = 0; i < PER_HOUR; i++) {
        int64_t in_s = i * SLOT_S;

        assert_near(hs_slotshape_get(&shape, SLOT_S, DAY_AT_S + 6 * HOUR_S + in_s), morning[i],
                    0.01);
        assert_near(hs_slotshape_get(&shape, SLOT_S, DAY_AT_S + 7 * HOUR_S + in_s), 1.0, 0.01);
    }
}

static void slotshape__keeps_the_mean_of_the_hour(void **state)
{
    struct hs_slotshape shape;
    double sum = 0.0;

    (void)state;
    hs_slotshape_init(&shape);
    live(&shape, 5);
    for (int i = 0; i < PER_HOUR; i++) {
        sum += hs_slotshape_get(&shape, SLOT_S, DAY_AT_S + 6 * HOUR_S + i * SLOT_S);
    }
    assert_near(sum, PER_HOUR, 1e-9);
}

static void slotshape__an_hour_with_a_gap_or_without_heat_teaches_nothing(void **state)
{
    struct hs_slotshape shape;
    const int64_t at_s = DAY_AT_S + 6 * HOUR_S;
    double before[PER_HOUR];

    (void)state;
    hs_slotshape_init(&shape);
    live(&shape, 5);
    for (int i = 0; i < PER_HOUR; i++) {
        before[i] = hs_slotshape_get(&shape, SLOT_S, at_s + i * SLOT_S);
    }
    for (int i = 0; i < 50; i++) {
        /* twice the same half of the hour is no whole one */
        for (int again = 0; again < 2; again++) {
            hs_slotshape_observe(&shape, SLOT_S, at_s, 3000.0);
            hs_slotshape_observe(&shape, SLOT_S, at_s + SLOT_S, (double)NAN);
            hs_slotshape_observe(&shape, SLOT_S, at_s + 2 * SLOT_S, 200.0);
        }
        hs_slotshape_close(&shape, SLOT_S, at_s, 1000.0);
        live_hour(&shape, at_s, even, 0.0);
    }
    for (int i = 0; i < PER_HOUR; i++) {
        assert_near(hs_slotshape_get(&shape, SLOT_S, at_s + i * SLOT_S), before[i], 1e-12);
    }
}

static void slotshape__the_open_hour_says_how_far_it_is_over(void **state)
{
    struct hs_slotshape shape;
    const int64_t at_s = DAY_AT_S + 6 * HOUR_S;

    (void)state;
    hs_slotshape_init(&shape);
    live(&shape, 120);
    assert_near(hs_slotshape_get_over_w(&shape, SLOT_S, at_s, 1000.0), 0.0, 0);
    /* a first quarter as it always is says nothing, for all its height */
    hs_slotshape_observe(&shape, SLOT_S, at_s, morning[0] * 1000.0);
    assert_near(hs_slotshape_get_over_w(&shape, SLOT_S, at_s, 1000.0), 0.0, 10.0);
    hs_slotshape_observe(&shape, SLOT_S, at_s + SLOT_S, morning[1] * 1000.0 + 500.0);
    assert_near(hs_slotshape_get_over_w(&shape, SLOT_S, at_s, 1000.0), 250.0, 10.0);
    /* said again it replaces what was said */
    hs_slotshape_observe(&shape, SLOT_S, at_s + SLOT_S, morning[1] * 1000.0);
    assert_near(hs_slotshape_get_over_w(&shape, SLOT_S, at_s, 1000.0), 0.0, 10.0);
    /* and is forgotten when the hour closes */
    hs_slotshape_close(&shape, SLOT_S, at_s, (double)NAN);
    assert_near(hs_slotshape_get_over_w(&shape, SLOT_S, at_s + HOUR_S, 1000.0), 0.0, 0);
}

static void slotshape__of_hours_is_one(void **state)
{
    struct hs_slotshape shape;

    (void)state;
    hs_slotshape_init(&shape);
    for (int day = 0; day < 30; day++) {
        hs_slotshape_observe(&shape, HOUR_S, DAY_AT_S, 5000.0);
        hs_slotshape_close(&shape, HOUR_S, DAY_AT_S, 1000.0);
    }
    assert_near(hs_slotshape_get(&shape, HOUR_S, DAY_AT_S), 1.0, 0);
    assert_near(hs_slotshape_get(&shape, 2 * HOUR_S, DAY_AT_S), 1.0, 0);
    assert_near(hs_slotshape_get(&shape, 7 * 60, DAY_AT_S), 1.0, 0); /* no part of an hour */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slotshape__is_even_until_taught),
        cmocka_unit_test(slotshape__of_an_hour_is_learned_by_the_hour_of_the_day),
        cmocka_unit_test(slotshape__keeps_the_mean_of_the_hour),
        cmocka_unit_test(slotshape__an_hour_with_a_gap_or_without_heat_teaches_nothing),
        cmocka_unit_test(slotshape__the_open_hour_says_how_far_it_is_over),
        cmocka_unit_test(slotshape__of_hours_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
