/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/core/balance.h"
#include "tests/support/near.h"

#define SLOT_S 900

/* Slot by slot 1000 Wh come, of which @missing_wh go nowhere. */
static struct hs_balance_sums sums_at(double slot, double missing_wh)
{
    return (struct hs_balance_sums){
        .captured = {1000.0 * slot, HS_BALANCE_METERED},
        .useful = {(700.0 - missing_wh) * slot, HS_BALANCE_METERED},
        .stored = {5000.0 + 100.0 * slot, HS_BALANCE_METERED},
        .rejected = {150.0 * slot, HS_BALANCE_ASSUMED},
        .lost = {50.0 * slot, HS_BALANCE_ASSUMED},
    };
}

static void balance__is_what_came_less_what_went_in_the_slot(void **state)
{
    struct hs_balance balance;
    struct hs_balance_sums first = sums_at(7, 0);
    struct hs_balance_sums second = sums_at(8, 0);

    hs_balance_init(&balance);
    assert_false(hs_balance_close(&balance, &first, 900));
    assert_int_equal(balance.slot.from_at_s, 0);
    second.useful.wh -= 20;
    assert_false(hs_balance_close(&balance, &second, 1800));
    assert_int_equal(balance.slot.from_at_s, 900);
    assert_near(balance.slot.parts.stored.wh, 100, 1e-9);
    assert_near(balance.slot.residual_wh, 20, 1e-9);
    assert_near(balance.slot.residual_ratio, 0.02, 1e-12);
}

static void balance__alarms_after_four_slots_and_ends_with_one_that_adds_up(void **state)
{
    struct hs_balance balance;
    struct hs_balance_sums sums = sums_at(0, 0);

    hs_balance_init(&balance);
    (void)hs_balance_close(&balance, &sums, SLOT_S);
    for (int i = 1; i <= 6; i++) {
        sums = sums_at(i, 60);
        assert_int_equal(hs_balance_close(&balance, &sums, (1 + i) * SLOT_S), i == 4);
        assert_int_equal(balance.is_alarmed, i >= 4);
    }
    sums.captured.wh += 1000;
    sums.useful.wh += 1000;
    assert_true(hs_balance_close(&balance, &sums, 8 * SLOT_S));
    assert_false(balance.is_alarmed);
}

/* What is not metered makes no residual, and neither begins nor ends an alarm. */
static void balance__never_mixes_what_is_metered_with_what_is_not(void **state)
{
    for (int part = 0; part < 3; part++) {
        for (int source = HS_BALANCE_ESTIMATED; source <= HS_BALANCE_UNKNOWN; source++) {
            struct hs_balance balance;
            struct hs_balance_sums sums = sums_at(0, 0);

            hs_balance_init(&balance);
            (void)hs_balance_close(&balance, &sums, SLOT_S);
            for (int i = 1; i <= 6; i++) {
                sums = sums_at(i, 300);
                *(part == 0   ? &sums.captured.source
                  : part == 1 ? &sums.useful.source
                              : &sums.stored.source) = (enum hs_balance_source)source;
                assert_false(hs_balance_close(&balance, &sums, (1 + i) * SLOT_S));
                assert_true(isnan(balance.slot.residual_ratio));
            }
        }
    }
}

static void balance__a_slot_is_as_sure_as_the_less_sure_of_its_ends(void **state)
{
    struct hs_balance balance;
    struct hs_balance_sums sums = sums_at(0, 0);

    hs_balance_init(&balance);
    sums.captured.source = HS_BALANCE_UNKNOWN;
    (void)hs_balance_close(&balance, &sums, SLOT_S);
    sums = sums_at(1, 0);
    (void)hs_balance_close(&balance, &sums, 2 * SLOT_S);
    assert_int_equal(balance.slot.parts.captured.source, HS_BALANCE_UNKNOWN);
    sums = sums_at(2, 0);
    (void)hs_balance_close(&balance, &sums, 3 * SLOT_S);
    assert_int_equal(balance.slot.parts.captured.source, HS_BALANCE_METERED);
    assert_string_equal(hs_balance_source_word(HS_BALANCE_ASSUMED), "assumed");
}

static void balance__of_hardly_any_heat_is_no_ratio(void **state)
{
    struct hs_balance balance;
    struct hs_balance_sums sums = sums_at(0, 0);

    hs_balance_init(&balance);
    (void)hs_balance_close(&balance, &sums, SLOT_S);
    sums = sums_at(0.09, 300);
    (void)hs_balance_close(&balance, &sums, 2 * SLOT_S);
    assert_false(isnan(balance.slot.residual_wh));
    assert_true(isnan(balance.slot.residual_ratio));
}

static void balance__what_thermometers_leave_open_is_no_alarm(void **state)
{
    struct hs_balance balance;
    struct hs_balance_sums sums = sums_at(0, 0);

    hs_balance_init(&balance);
    (void)hs_balance_close(&balance, &sums, SLOT_S);
    for (int i = 1; i <= 6; i++) {
        sums = sums_at(i, 60);
        sums.unsure_wh = 61;
        assert_false(hs_balance_close(&balance, &sums, (1 + i) * SLOT_S));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balance__is_what_came_less_what_went_in_the_slot),
        cmocka_unit_test(balance__alarms_after_four_slots_and_ends_with_one_that_adds_up),
        cmocka_unit_test(balance__never_mixes_what_is_metered_with_what_is_not),
        cmocka_unit_test(balance__a_slot_is_as_sure_as_the_less_sure_of_its_ends),
        cmocka_unit_test(balance__what_thermometers_leave_open_is_no_alarm),
        cmocka_unit_test(balance__of_hardly_any_heat_is_no_ratio),
    };
    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
