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

        if (take && left == 0) {
            return INFINITY;
        }
        if (!take && b == 0 && path->must_run_first && isfinite(path->cost_cur[0])) {
            return INFINITY;
        }
        cost_cur += take ? (double)path->cost_cur[b] : 0.0;
        cost_cur += running && !take && left > 0 ? (double)path->stop_cur : 0.0;
        left -= take;
        running = take;
    }
    return left == 0 ? cost_cur : INFINITY;
}

static void slotpath__is_the_cheapest_of_all_choices(void **state)
{
    for (int round = 0; round < 400; round++) {
        float run_s[N];
        float cost_cur[N];
        bool taken[N] = {0};
        size_t n_need = 1 + (size_t)(draw() * 5);
        double best_cur = INFINITY;
        unsigned mask = 0;

        for (size_t b = 0; b < N; b++) {
            run_s[b] = 900.0F;
            cost_cur[b] = draw() < 0.8 ? (float)(draw() - 0.3) : (float)INFINITY;
        }
        struct hs_slotpath path = {.cost_cur = cost_cur,
                                   .run_s = run_s,
                                   .n_blocks = N,
                                   .stop_cur = (float)(draw() * 0.3),
                                   .is_running = draw() < 0.5,
                                   .must_run_first = draw() < 0.3};

        for (unsigned choice = 0; choice < 1U << N; choice++) {
            best_cur = fmin(best_cur, price(&path, choice, n_need));
        }
        double path_cur = hs_slotpath_find(&path, 900.0 * (double)n_need, taken);

        if (!isfinite(best_cur)) {
            assert_false(isfinite(path_cur));
            continue;
        }
        for (size_t b = 0; b < N; b++) {
            mask |= taken[b] ? 1U << b : 0U;
        }
        assert_near(path_cur, best_cur, 1e-6);
        assert_near(price(&path, mask, n_need), best_cur, 1e-6);
    }
}

static void slotpath__takes_one_more_where_the_first_block_is_short(void **state)
{
    float run_s[3] = {100.0F, 900.0F, 900.0F};
    float cost_cur[3] = {-1.0F, 1.0F, 5.0F};
    bool taken[3] = {0};
    struct hs_slotpath path = {.cost_cur = cost_cur, .run_s = run_s, .n_blocks = 3};

    assert_near(hs_slotpath_find(&path, 900.0, taken), 0.0, 1e-12);
    assert_true(taken[0] && taken[1] && !taken[2]);
}

static void slotpath__goes_on_rather_than_stop_for_a_hair(void **state)
{
    float run_s[3] = {900.0F, 900.0F, 900.0F};
    float cost_cur[3] = {1.01F, 1.00F, 1.00F};
    bool taken[3] = {0};
    struct hs_slotpath path = {
        .cost_cur = cost_cur, .run_s = run_s, .n_blocks = 3, .stop_cur = 0.1F, .is_running = true};

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
