/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/slotpath.h"
#include "tests/support/near.h"

#define N 10

static uint64_t seed = 1;

static double draw(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* Cost of one choice, by the definition: blocks taken, plus a stop wherever work is left. */
static double price(const struct hs_slotpath *path, unsigned mask, size_t n_need)
{
    bool running = path->is_running;
    size_t left = n_need;
    double cost_cur = 0.0;

    for (size_t b = 0; b < N; b++) {
        bool take = (mask >> b) & 1U;

        if (take && (!path->fits[b] || left == 0)) {
            return INFINITY;
        }
        if (!take && b == 0 && path->must_run_first && path->fits[0]) {
            return INFINITY;
        }
        cost_cur += take ? path->blocks[b].cost_cur : 0.0;
        cost_cur += running && !take && left > 0 ? path->stop_cur : 0.0;
        left -= take;
        running = take;
    }
    return left == 0 ? cost_cur : INFINITY;
}

static void slotpath__is_the_cheapest_of_all_choices(void **state)
{
    for (int round = 0; round < 400; round++) {
        struct hs_slotpath_block blocks[N];
        bool fits[N];
        bool taken[N] = {0};
        size_t n_need = 1 + (size_t)(draw() * 5);
        double best_cur = INFINITY;
        unsigned mask = 0;

        for (size_t b = 0; b < N; b++) {
            blocks[b] = (struct hs_slotpath_block){
                .first = b, .n = 1, .run_s = 900.0, .cost_cur = draw() - 0.3};
            fits[b] = draw() < 0.8;
        }
        struct hs_slotpath path = {.blocks = blocks,
                                   .n_blocks = N,
                                   .fits = fits,
                                   .stop_cur = draw() * 0.3,
                                   .is_running = draw() < 0.5,
                                   .must_run_first = draw() < 0.3};

        for (unsigned choice = 0; choice < 1U << N; choice++) {
            best_cur = fmin(best_cur, price(&path, choice, n_need));
        }
        double cost_cur = hs_slotpath_find(&path, 900.0 * (double)n_need, taken);

        if (!isfinite(best_cur)) {
            assert_false(isfinite(cost_cur));
            continue;
        }
        for (size_t b = 0; b < N; b++) {
            mask |= taken[b] ? 1U << b : 0U;
        }
        assert_near(cost_cur, best_cur, 1e-12);
        assert_near(price(&path, mask, n_need), best_cur, 1e-12);
    }
}

static void slotpath__takes_one_more_where_the_first_block_is_short(void **state)
{
    struct hs_slotpath_block blocks[3] = {{.first = 0, .n = 1, .run_s = 100.0, .cost_cur = -1.0},
                                          {.first = 1, .n = 1, .run_s = 900.0, .cost_cur = 1.0},
                                          {.first = 2, .n = 1, .run_s = 900.0, .cost_cur = 5.0}};
    bool fits[3] = {true, true, true};
    bool taken[3] = {0};
    struct hs_slotpath path = {.blocks = blocks, .n_blocks = 3, .fits = fits};

    assert_near(hs_slotpath_find(&path, 900.0, taken), 0.0, 1e-12);
    assert_true(taken[0] && taken[1] && !taken[2]);
}

static void slotpath__goes_on_rather_than_stop_for_a_hair(void **state)
{
    struct hs_slotpath_block blocks[3] = {{.first = 0, .n = 1, .run_s = 900.0, .cost_cur = 1.01},
                                          {.first = 1, .n = 1, .run_s = 900.0, .cost_cur = 1.00},
                                          {.first = 2, .n = 1, .run_s = 900.0, .cost_cur = 1.00}};
    bool fits[3] = {true, true, true};
    bool taken[3] = {0};
    struct hs_slotpath path = {
        .blocks = blocks, .n_blocks = 3, .fits = fits, .stop_cur = 0.1, .is_running = true};

    (void)hs_slotpath_find(&path, 1800.0, taken);
    assert_true(taken[0] && taken[1] && !taken[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slotpath__is_the_cheapest_of_all_choices),
        cmocka_unit_test(slotpath__takes_one_more_where_the_first_block_is_short),
        cmocka_unit_test(slotpath__goes_on_rather_than_stop_for_a_hair),
    };
    return cmocka_run_group_tests_name("slotpath", tests, NULL, NULL);
}
