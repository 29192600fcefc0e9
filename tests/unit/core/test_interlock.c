/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/core/interlock.h"

static const struct hs_interlock_input silent = {
    .said = {{NAN, 1e9}, {NAN, 1e9}, {NAN, 1e9}, {NAN, 1e9}},
    .flow_min_l_per_min = 5,
    .fresh_s = 3600};

static const struct {
    enum hs_interlock_kind kind;
    double fault;
    double order;
    const char *text;
} rows[] = {
    {HS_INTERLOCK_PUMP, 0, 1, "pump out of order"},
    {HS_INTERLOCK_NO_FLOW, 0.2, 8, "flow 0.2 l/min, least 5.0 l/min"},
    {HS_INTERLOCK_LEAK, 1, 0, "leak"},
    {HS_INTERLOCK_EMERGENCY, 1, 0, "emergency switch"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* What the point said @age_s ago is the last of it. */
static bool says(struct hs_interlock *interlock, size_t row, double value, double age_s,
                 int64_t now_at_s)
{
    struct hs_interlock_input in = silent;
    bool turned[HS_INTERLOCK_COUNT_];

    in.said[rows[row].kind] = (struct hs_interlock_said){value, age_s};
    hs_interlock_step(interlock, &in, now_at_s, turned);
    return turned[rows[row].kind];
}

static void interlock__each_begins_at_once_and_ends_a_minute_after_it_is_over(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct hs_interlock interlock;

        hs_interlock_init(&interlock);
        assert_false(says(&interlock, i, rows[i].order, 0, 0));
        assert_true(says(&interlock, i, rows[i].fault, 0, 10));
        assert_true(hs_interlock_is_on(&interlock));
        assert_int_equal(interlock.since_at_s[rows[i].kind], 10);
        assert_false(says(&interlock, i, rows[i].order, 0, 20));
        assert_false(hs_interlock_is_on(&interlock));
        assert_true(interlock.holds[rows[i].kind]);
        assert_false(says(&interlock, i, rows[i].order, 0, 79));
        assert_true(says(&interlock, i, rows[i].order, 0, 80));
        assert_false(interlock.holds[rows[i].kind]);
    }
}

static void interlock__a_fault_in_the_minute_after_starts_it_anew(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct hs_interlock interlock;

        hs_interlock_init(&interlock);
        assert_true(says(&interlock, i, rows[i].fault, 0, 0));
        assert_false(says(&interlock, i, rows[i].order, 0, 10));
        assert_false(says(&interlock, i, rows[i].fault, 0, 40));
        assert_false(says(&interlock, i, rows[i].order, 0, 50));
        assert_false(says(&interlock, i, rows[i].order, 0, 100));
        assert_true(says(&interlock, i, rows[i].order, 0, 110));
    }
}

static void interlock__a_sensor_that_fails_ends_nothing_for_a_day(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct hs_interlock interlock;
        int64_t at_s = 0;

        hs_interlock_init(&interlock);
        assert_true(says(&interlock, i, rows[i].fault, 0, 0));
        for (; at_s <= HS_INTERLOCK_MUTE_S; at_s += 600) {
            assert_false(says(&interlock, i, rows[i].fault, (double)at_s, at_s));
        }
        assert_false(says(&interlock, i, rows[i].fault, (double)at_s, at_s));
        assert_true(says(&interlock, i, rows[i].fault, (double)at_s + 60, at_s + 60));
    }
}

static void interlock__an_old_reading_begins_nothing(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct hs_interlock interlock;

        hs_interlock_init(&interlock);
        assert_false(says(&interlock, i, rows[i].fault, 3601, 0));
        assert_false(says(&interlock, i, (double)NAN, 0, 10));
        assert_true(says(&interlock, i, rows[i].fault, 3600, 20));
    }
}

static void
interlock__flow_has_to_come_back_with_a_margin_and_only_where_it_is_watched(void **state)
{
    struct hs_interlock interlock;
    struct hs_interlock_input in = silent;
    bool turned[HS_INTERLOCK_COUNT_];

    hs_interlock_init(&interlock);
    assert_true(says(&interlock, 1, 4.9, 0, 0));
    assert_false(says(&interlock, 1, 5.4, 0, 10));
    assert_false(says(&interlock, 1, 5.4, 0, 200));
    assert_false(says(&interlock, 1, 5.5, 0, 210));
    assert_true(says(&interlock, 1, 5.5, 0, 270));
    in.flow_min_l_per_min = NAN;
    in.said[HS_INTERLOCK_NO_FLOW] = (struct hs_interlock_said){0, 0};
    hs_interlock_step(&interlock, &in, 300, turned);
    assert_false(turned[HS_INTERLOCK_NO_FLOW]);
}

static void interlock_format__has_the_reading(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct hs_interlock_input in = silent;
        char text[96];

        in.said[rows[i].kind].value = rows[i].fault;
        hs_interlock_format(rows[i].kind, &in, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
    assert_string_equal(hs_interlock_word(HS_INTERLOCK_NO_FLOW), "no-flow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interlock__each_begins_at_once_and_ends_a_minute_after_it_is_over),
        cmocka_unit_test(interlock__a_fault_in_the_minute_after_starts_it_anew),
        cmocka_unit_test(interlock__a_sensor_that_fails_ends_nothing_for_a_day),
        cmocka_unit_test(interlock__an_old_reading_begins_nothing),
        cmocka_unit_test(
            interlock__flow_has_to_come_back_with_a_margin_and_only_where_it_is_watched),
        cmocka_unit_test(interlock_format__has_the_reading),
    };
    return cmocka_run_group_tests_name("interlock", tests, NULL, NULL);
}
