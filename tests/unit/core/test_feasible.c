/* SPDX-License-Identifier: Apache-2.0 */
/* feasible: how late work may end so that all finds room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/core/feasible.h"

#define STEP_S 1800
#define AT_S   INT64_C(1800000)
#define HOUR_S 3600

static struct hs_feasible *room_of(double vcpus)
{
    struct hs_feasible *feasible = hs_feasible_new(STEP_S, 10 * 86400);

    hs_feasible_set(feasible, AT_S, vcpus);
    return feasible;
}

static struct hs_feasible_work work_of(int release_h, int due_h, double vcpus, double run_h)
{
    return (struct hs_feasible_work){.release_at_s = AT_S + (int64_t)release_h * HOUR_S,
                                     .due_at_s = AT_S + (int64_t)due_h * HOUR_S,
                                     .vcpus = vcpus,
                                     .run_s = run_h * HOUR_S};
}

static void feasible__alone_may_end_at_its_due_time(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(64);
    struct hs_feasible_work work = work_of(0, 20, 64, 4);

    assert_int_equal(hs_feasible_add(feasible, &work), AT_S + 20 * HOUR_S);
}

static void feasible__two_that_share_their_due_time_stand_in_line(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(64);
    struct hs_feasible_work works[] = {work_of(0, 20, 64, 4), work_of(0, 20, 64, 6)};
    int64_t end_at_s[2];

    hs_feasible_lay(feasible, works, 2, end_at_s);
    assert_int_equal(end_at_s[0], AT_S + 20 * HOUR_S);
    assert_int_equal(end_at_s[1], AT_S + 16 * HOUR_S);
}

static void feasible__what_comes_later_takes_the_last_hours(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(64);
    struct hs_feasible_work works[] = {work_of(0, 20, 64, 4), work_of(15, 20, 64, 5)};
    int64_t end_at_s[2];

    hs_feasible_lay(feasible, works, 2, end_at_s);
    assert_int_equal(end_at_s[0], AT_S + 15 * HOUR_S);
    assert_int_equal(end_at_s[1], AT_S + 20 * HOUR_S);
}

static void feasible__half_the_room_is_taken(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(64);
    struct hs_feasible_work works[] = {work_of(0, 20, 32, 4), work_of(0, 20, 32, 4)};
    int64_t end_at_s[2];

    hs_feasible_take(feasible, AT_S + 10 * HOUR_S, AT_S + 20 * HOUR_S, 32);
    hs_feasible_lay(feasible, works, 2, end_at_s);
    assert_int_equal(end_at_s[0], AT_S + 20 * HOUR_S);
    assert_int_equal(end_at_s[1], AT_S + 16 * HOUR_S);
}

static void feasible__too_much_starts_now(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(10);
    struct hs_feasible_work work = work_of(0, 4, 20, 4);

    assert_int_equal(hs_feasible_add(feasible, &work), AT_S);
}

static void feasible__past_its_reach_due_times_are_as_near(void **state)
{
    HS_AUTO(hs_feasible) feasible = room_of(64);
    struct hs_feasible_work work = work_of(0, 2400, 64, 4);

    assert_int_equal(hs_feasible_add(feasible, &work), AT_S + 240 * HOUR_S);
}

/*
 * Random work on hosts of one vCPU each. If everybody has room, earliest due first finds it too:
 * run so from now on, nobody whose end is set misses his due time.
 */
static void feasible__earliest_due_first_agrees(void **state)
{
    unsigned n_full = 0;

    for (unsigned seed = 1; seed <= 200; seed++) {
        HS_AUTO(hs_feasible) feasible = room_of(3);
        struct hs_feasible_work works[12];
        int64_t end_at_s[12];
        int left[12];
        bool all_fit = true;

        srand(seed);
        for (size_t i = 0; i < 12; i++) {
            int run = 1 + rand() % 8;

            works[i] = work_of(0, run + rand() % 30, 1, run);
            left[i] = run;
        }
        hs_feasible_lay(feasible, works, 12, end_at_s);
        for (size_t i = 0; i < 12; i++) {
            all_fit &= end_at_s[i] > AT_S;
            assert_true(end_at_s[i] <= works[i].due_at_s);
        }
        n_full += !all_fit;
        /* least slack first is optimal for runs that may be split on three hosts */
        for (int h = 0; all_fit && h < 40; h++) {
            bool is_run[12] = {false};

            for (int host = 0; host < 3; host++) {
                int best = -1;
                int64_t best_slack_s = INT64_MAX;

                for (int i = 0; i < 12; i++) {
                    int64_t slack_s = works[i].due_at_s - AT_S - (int64_t)(h + left[i]) * HOUR_S;

                    if (left[i] > 0 && !is_run[i] && slack_s < best_slack_s) {
                        best = i;
                        best_slack_s = slack_s;
                    }
                }
                if (best >= 0) {
                    assert_true(best_slack_s >= 0);
                    is_run[best] = true;
                    left[best]--;
                }
            }
        }
    }
    assert_true(n_full > 0 && n_full < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feasible__alone_may_end_at_its_due_time),
        cmocka_unit_test(feasible__two_that_share_their_due_time_stand_in_line),
        cmocka_unit_test(feasible__what_comes_later_takes_the_last_hours),
        cmocka_unit_test(feasible__half_the_room_is_taken),
        cmocka_unit_test(feasible__too_much_starts_now),
        cmocka_unit_test(feasible__past_its_reach_due_times_are_as_near),
        cmocka_unit_test(feasible__earliest_due_first_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
