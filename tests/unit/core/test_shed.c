/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/core/shed.h"

static void shed__takes_the_fewest_and_no_larger_a_last_than_needed(void **state)
{
    struct hs_shed_item items[] = {{100, 0, 0}, {900, 0, 1}, {500, 0, 2}, {300, 0, 3}, {200, 0, 4}};

    (void)state;
    assert_int_equal(hs_shed_pick(items, 5, 1150), 2);
    assert_int_equal(items[0].of, 1);
    assert_int_equal(items[1].of, 3); /* 900 + 300, not 900 + 500 */
}

static void shed__leaves_higher_ranks_alone_while_lower_ones_suffice(void **state)
{
    struct hs_shed_item items[] = {{5000, 2, 0}, {400, 0, 1}, {400, 1, 2}, {300, 1, 3}};

    (void)state;
    assert_int_equal(hs_shed_pick(items, 4, 700), 2);
    assert_int_equal(items[0].of, 1);
    assert_int_equal(items[1].of, 3);
}

static void shed__takes_all_where_all_do_not_suffice_and_nothing_for_nothing(void **state)
{
    struct hs_shed_item items[] = {{100, 0, 0}, {200, 1, 1}};

    (void)state;
    assert_int_equal(hs_shed_pick(items, 2, 1000), 2);
    assert_int_equal(hs_shed_pick(items, 2, 0), 0);
    assert_int_equal(hs_shed_pick(items, 0, 1000), 0);
}

/* Against every subset of a few items. */
static void shed__no_shorter_list_suffices(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct hs_shed_item items[6];
        double sum_w = 0.0;
        size_t fewest = 7;

        for (size_t i = 0; i < 6; i++) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            items[i] = (struct hs_shed_item){(double)(1 + (random >> 33) % 50), 0, i};
            sum_w += items[i].elec_w;
        }
        random = random * 6364136223846793005U + 1442695040888963407U;
        double excess_w = 1.0 + (double)((random >> 33) % 1000) / 1000.0 * (sum_w - 1.0);

        for (unsigned set = 1; set < 64; set++) {
            double held_w = 0.0;
            size_t n = 0;

            for (size_t i = 0; i < 6; i++) {
                held_w += (set >> i & 1U) != 0 ? items[i].elec_w : 0.0;
                n += set >> i & 1U;
            }
            fewest = held_w >= excess_w && n < fewest ? n : fewest;
        }
        size_t n_picked = hs_shed_pick(items, 6, excess_w);
        double picked_w = 0.0;

        for (size_t i = 0; i < n_picked; i++) {
            picked_w += items[i].elec_w;
        }
        assert_int_equal(n_picked, fewest);
        assert_true(picked_w >= excess_w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shed__takes_the_fewest_and_no_larger_a_last_than_needed),
        cmocka_unit_test(shed__leaves_higher_ranks_alone_while_lower_ones_suffice),
        cmocka_unit_test(shed__takes_all_where_all_do_not_suffice_and_nothing_for_nothing),
        cmocka_unit_test(shed__no_shorter_list_suffices),
    };
    return cmocka_run_group_tests_name("shed", tests, NULL, NULL);
}
