/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/leads.h"

#define ANY_NO 480000 /* an hour of our days */

static void leads__are_grouped_in_order_and_all_groups_are_used(void **state)
{
    (void)state;
    assert_int_equal(hs_leads_get_group(1), 0);
    assert_int_equal(hs_leads_get_group(HS_LEADS_MAX), HS_LEADS_GROUPS - 1);
    for (size_t lead = 2; lead <= HS_LEADS_MAX; lead++) {
        size_t step = hs_leads_get_group(lead) - hs_leads_get_group(lead - 1);

        assert_true(step <= 1);
    }
}

static void leads__of_the_first_four_hours_stand_alone(void **state)
{
    (void)state;
    for (size_t lead = 1; lead <= 4; lead++) {
        assert_int_equal(hs_leads_get_group(lead), lead - 1);
    }
    assert_int_equal(hs_leads_get_group(5), 4);
    assert_int_equal(hs_leads_get_group(6), 4);
}

static void leads__of_one_group_know_the_same_days(void **state)
{
    (void)state;
    assert_int_not_equal(hs_leads_get_group(24), hs_leads_get_group(25));
}

static void leads__beyond_the_last_are_the_same_hour_of_the_last_day(void **state)
{
    (void)state;
    assert_int_equal(hs_leads_clip(1), 1);
    assert_int_equal(hs_leads_clip(HS_LEADS_MAX), HS_LEADS_MAX);
    for (size_t lead = HS_LEADS_MAX + 1; lead <= 240; lead++) {
        size_t clipped = hs_leads_clip(lead);

        assert_in_range(clipped, HS_LEADS_MAX - 23, HS_LEADS_MAX);
        assert_int_equal((lead - clipped) % 24, 0);
        assert_int_equal(hs_leads_get_group(lead), hs_leads_get_group(clipped));
    }
}

/* In a turn, the group's width by how many are taught at once, every lead has its hour. */
static void leads__are_all_taught_within_their_turn(void **state)
{
    (void)state;
    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        int64_t turn = 0;
        int n = 0;

        for (size_t other = 1; other <= HS_LEADS_MAX; other++) {
            turn += hs_leads_get_group(other) == hs_leads_get_group(lead);
        }
        turn = (turn + 1) / 2;
        for (int64_t no = ANY_NO; no < ANY_NO + turn; no++) {
            n += hs_leads_is_taught(lead, no);
        }
        assert_int_equal(n, 1);
    }
}

static void leads__no_hour_teaches_more_of_a_group_than_is_said(void **state)
{
    (void)state;
    for (int64_t no = ANY_NO; no < ANY_NO + 48; no++) {
        size_t n[HS_LEADS_GROUPS] = {0};

        for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
            n[hs_leads_get_group(lead)] += hs_leads_is_taught(lead, no) ? 1 : 0;
        }
        for (size_t g = 0; g < HS_LEADS_GROUPS; g++) {
            assert_in_range(n[g], 1, hs_leads_get_taught(g));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads__are_grouped_in_order_and_all_groups_are_used),
        cmocka_unit_test(leads__of_the_first_four_hours_stand_alone),
        cmocka_unit_test(leads__of_one_group_know_the_same_days),
        cmocka_unit_test(leads__beyond_the_last_are_the_same_hour_of_the_last_day),
        cmocka_unit_test(leads__are_all_taught_within_their_turn),
        cmocka_unit_test(leads__no_hour_teaches_more_of_a_group_than_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
