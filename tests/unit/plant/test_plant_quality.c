/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/plant/plant_quality.h"
#include "tests/support/near.h"

static const struct hs_pointmap_rule rule = {
    .min = 0, .max = 90, .rate_per_s = 0.5, .max_age_s = 60, .stuck_after_s = 100, .confirm = 3};

static enum hs_quality judge(struct hs_plant_quality *quality, double value, int64_t at_s)
{
    return hs_plant_quality_judge(quality, &rule, HS_POINT_SUPPLY_C, value, at_s);
}

/* A point that was good at 1000 with 40 degrees. */
static struct hs_plant_quality settled(void)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_int_equal(judge(&quality, 39, 980), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 39.5, 990), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40, 1000), HS_QUALITY_GOOD);
    return quality;
}

static void quality__nothing_is_good_before_it_is_confirmed(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_true(isnan(quality.good));
    assert_true(hs_plant_quality_is_stale(&quality, &rule, 0));
    quality = settled();
    assert_near(quality.good, 40, 0);
}

static void quality__readings_that_contradict_each_other_confirm_nothing(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(judge(&quality, i % 2 == 0 ? 20 : 80, 10 * i), HS_QUALITY_UNCONFIRMED);
    }
}

static void quality__bad_ones_between_begin_the_count_anew(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_int_equal(judge(&quality, 40, 0), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40.1, 10), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, NAN, 20), HS_QUALITY_NOT_A_NUMBER);
    assert_int_equal(judge(&quality, 40.2, 30), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40.3, 40), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40.4, 50), HS_QUALITY_GOOD);
}

static void quality__own_range_is_narrower_than_the_quantitys(void **state)
{
    struct hs_plant_quality quality = settled();

    assert_int_equal(judge(&quality, 91, 1010), HS_QUALITY_OUT_OF_RANGE);
    assert_int_equal(judge(&quality, -1, 1020), HS_QUALITY_OUT_OF_RANGE);
    assert_int_equal(judge(&quality, 850, 1030), HS_QUALITY_OUT_OF_RANGE);
    assert_near(quality.good, 40, 0); /* the last good one is kept, never zero */
    assert_int_equal(judge(&quality, 40, 1040), HS_QUALITY_GOOD);
}

static void quality__jump_is_left_out_until_it_proves_true(void **state)
{
    struct hs_plant_quality quality = settled();

    assert_int_equal(judge(&quality, 60, 1010), HS_QUALITY_JUMPED); /* 5 K were possible */
    assert_int_equal(judge(&quality, 41, 1020), HS_QUALITY_GOOD);   /* a spike */
    assert_int_equal(judge(&quality, 70, 1030), HS_QUALITY_JUMPED);
    assert_int_equal(judge(&quality, 70, 1031), HS_QUALITY_JUMPED);
    assert_int_equal(judge(&quality, 70, 1032), HS_QUALITY_GOOD); /* a step */
}

static void quality__time_makes_room_for_change(void **state)
{
    struct hs_plant_quality quality = settled();

    assert_int_equal(judge(&quality, 60, 1040), HS_QUALITY_GOOD); /* 20 K in 40 s */
}

static void quality__stuck_begins_and_ends(void **state)
{
    struct hs_plant_quality quality = settled();

    assert_int_equal(judge(&quality, 40, 1099), HS_QUALITY_GOOD);
    assert_int_equal(judge(&quality, 40, 1100), HS_QUALITY_STUCK);
    assert_int_equal(judge(&quality, 40, 1200), HS_QUALITY_STUCK);
    assert_int_equal(judge(&quality, 40.1, 1210), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40.2, 1220), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40.3, 1230), HS_QUALITY_GOOD);
}

static void quality__without_a_limit_a_value_may_stand_still(void **state)
{
    struct hs_pointmap_rule still = rule;
    struct hs_plant_quality quality = settled();

    still.stuck_after_s = 0;
    for (int64_t at_s = 1010; at_s < 90000; at_s += 1000) {
        assert_int_equal(hs_plant_quality_judge(&quality, &still, HS_POINT_SUPPLY_C, 40, at_s),
                         HS_QUALITY_GOOD);
    }
}

static void quality__after_a_reconnection_the_old_value_proves_nothing(void **state)
{
    struct hs_plant_quality quality = settled();

    hs_plant_quality_reconnect(&quality);
    assert_int_equal(judge(&quality, 40, 1010), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40, 1020), HS_QUALITY_UNCONFIRMED);
    assert_int_equal(judge(&quality, 40, 1030), HS_QUALITY_GOOD);
}

static void quality__age_is_told_from_the_last_good_one(void **state)
{
    struct hs_plant_quality quality = settled();

    assert_false(hs_plant_quality_is_stale(&quality, &rule, 1060));
    assert_true(hs_plant_quality_is_stale(&quality, &rule, 1061));
    assert_int_equal(judge(&quality, NAN, 1061), HS_QUALITY_NOT_A_NUMBER);
    assert_true(hs_plant_quality_is_stale(&quality, &rule, 1062));
}

static void quality__without_a_rule_only_the_quantity_counts(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_int_equal(hs_plant_quality_judge(&quality, NULL, HS_POINT_SUPPLY_C, 40, 0),
                     HS_QUALITY_GOOD);
    assert_int_equal(hs_plant_quality_judge(&quality, NULL, HS_POINT_SUPPLY_C, 131, 1),
                     HS_QUALITY_OUT_OF_RANGE);
    assert_near(quality.good, 40, 0);
}

static void quality_counter__goes_on_where_it_rolled_over(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 65000), 65000, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 65500), 65500, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 100), 65636, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 40000), 105536, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 60000), 125536, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 7), 131079, 0);
}

static void quality_counter__a_new_meter_is_seen_as_one(void **state)
{
    struct hs_plant_quality quality;

    hs_plant_quality_init(&quality);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 65500), 65500, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 100), 65636, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 30000), 95536, 0);
    assert_near(hs_plant_quality_unroll(&quality, 65536, 3), 3, 0); /* it was not nearly full */
    assert_near(hs_plant_quality_unroll(&quality, 0, 9e9), 9e9, 0);
    assert_near(hs_plant_quality_unroll(&quality, 0, 1), 1, 0);
}

static void quality_beat__counts_changes_not_values(void **state)
{
    struct hs_plant_quality_beat beat;

    hs_plant_quality_init_beat(&beat);
    assert_false(hs_plant_quality_add_beat(&beat, NAN, 60, 0));
    assert_true(hs_plant_quality_add_beat(&beat, 5, 60, 10));
    assert_true(hs_plant_quality_add_beat(&beat, 5, 60, 70));
    assert_false(hs_plant_quality_add_beat(&beat, 5, 60, 71));
    assert_true(hs_plant_quality_add_beat(&beat, 0, 60, 80)); /* a counter may begin anew */
    assert_true(hs_plant_quality_add_beat(&beat, NAN, 60, 140));
    assert_false(hs_plant_quality_add_beat(&beat, NAN, 60, 141));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality__nothing_is_good_before_it_is_confirmed),
        cmocka_unit_test(quality__readings_that_contradict_each_other_confirm_nothing),
        cmocka_unit_test(quality__bad_ones_between_begin_the_count_anew),
        cmocka_unit_test(quality__own_range_is_narrower_than_the_quantitys),
        cmocka_unit_test(quality__jump_is_left_out_until_it_proves_true),
        cmocka_unit_test(quality__time_makes_room_for_change),
        cmocka_unit_test(quality__stuck_begins_and_ends),
        cmocka_unit_test(quality__without_a_limit_a_value_may_stand_still),
        cmocka_unit_test(quality__after_a_reconnection_the_old_value_proves_nothing),
        cmocka_unit_test(quality__age_is_told_from_the_last_good_one),
        cmocka_unit_test(quality__without_a_rule_only_the_quantity_counts),
        cmocka_unit_test(quality_counter__goes_on_where_it_rolled_over),
        cmocka_unit_test(quality_counter__a_new_meter_is_seen_as_one),
        cmocka_unit_test(quality_beat__counts_changes_not_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
