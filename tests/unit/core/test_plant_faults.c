/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Promise 12: a lost sink, a standing pump and water that is too hot, at every minute of a day.
 *
 * Twenty days, a fault of ten minutes in each loop every twenty, a minute later each day: so each
 * of the three comes at each minute of the day. With HS_WITHOUT the program lacks a guard
 * (tests/unit/core/without_*.c), and has to show what the guard is for.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/units.h"
#include "tests/unit/core/plantworld.h"

#ifndef HS_WITHOUT
#define HS_WITHOUT ""
#endif

#define EVERY_S    1200
#define FAULT_S    600
#define SENSE_S    10
#define SETTLED_S  1080 /* after its beginning: five minutes of cold water, and a minute more */
#define DAYS       20
#define SHORT_STEP 5 /* of the days, unless the long run was asked for */
#define N_JOBS     60

enum fault { FAULT_SINK, FAULT_PUMP, FAULT_HEAT, N_FAULTS };

static const char *const fault_words[] = {"sink lost", "pump fault", "over-temperature"};
static const char *const fault_states[] = {"sink-unavailable", "sink-unavailable",
                                           "over-temperature"};

struct counts {
    size_t n;         /* faults */
    size_t n_asked;   /* rejection was asked for in the cycle that saw it */
    size_t n_state;   /* and the loop's state said why */
    size_t n_shed;    /* work was shed in that cycle */
    size_t n_ended;   /* by itself: normal, nothing rejected, nothing held back */
    size_t n_over;    /* a host was over its limit */
    double hottest_c; /* coolant of a host */
};

static void begin(struct plantworld_loop *loop, enum fault fault)
{
    loop->is_sink_off = fault == FAULT_SINK;
    loop->is_pump_off = fault == FAULT_PUMP;
    if (fault == FAULT_HEAT) { /* its sink's valve has shut: nobody says so */
        loop->is_valve_shut = true;
        loop->water_c = 75.5;
        loop->coolant_c = fmax(loop->coolant_c, 78.0);
    }
    loop->hottest_c = 0;
}

static void end(struct plantworld_loop *loop)
{
    loop->is_sink_off = false;
    loop->is_pump_off = false;
    if (loop->is_valve_shut) { /* and cold water comes in */
        loop->is_valve_shut = false;
        loop->water_c = fmin(loop->water_c, 65.0);
    }
}

static void count_seen(struct plantworld *w, const enum fault *faults, struct counts *counts)
{
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        struct hs_cycle_loop_status status;
        struct counts *of = &counts[faults[l]];

        hs_cycle_get_loop_status(w->cycle, l, &status);
        of->n++;
        of->n_asked += status.wants_rejection;
        of->n_state += strcmp(status.state, fault_states[faults[l]]) == 0;
    }
    for (size_t i = 0; i < w->decision.n_actions; i++) {
        const struct hs_action *action = &w->decision.actions[i];

        if (action->is_safety) {
            counts[faults[w->estate->hosts[action->host_idx].loop_idx]].n_shed++;
        }
    }
}

static void count_ended(struct plantworld *w, const enum fault *faults, struct counts *counts)
{
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        struct hs_cycle_loop_status status;
        struct counts *of = &counts[faults[l]];

        hs_cycle_get_loop_status(w->cycle, l, &status);
        of->n_ended += strcmp(status.state, "normal") == 0 && !status.wants_rejection
                       && isinf(status.cap_elec_w);
        of->n_over += w->loops[l].hottest_c > PLANTWORLD_HOST_C;
        of->hottest_c = fmax(of->hottest_c, w->loops[l].hottest_c);
    }
}

/* From a sound plant through the fault to where it has to have ended. */
static void run_fault(struct plantworld *w, int64_t at_s, const enum fault *faults,
                      struct counts *counts)
{
    plantworld_step(w, at_s - SENSE_S);
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        begin(&w->loops[l], faults[l]);
    }
    plantworld_step(w, at_s); /* the readings of this cycle are the first that show it */
    count_seen(w, faults, counts);
    for (int64_t t = at_s + SENSE_S; t < at_s + 60; t += SENSE_S) {
        plantworld_step(w, t);
    }
    for (int64_t t = at_s + 60; t < at_s + EVERY_S - 60; t += 60) {
        if (t == at_s + FAULT_S) {
            for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
                end(&w->loops[l]);
            }
        }
        plantworld_step(w, t);
        if (t == at_s + SETTLED_S) {
            count_ended(w, faults, counts);
        }
    }
}

static void print(const struct counts *counts)
{
    for (size_t k = 0; k < N_FAULTS; k++) {
        print_message("%s: %zu faults, rejection asked in the same cycle %zu, jobs shed in it %zu, "
                      "ended by itself %zu, host over %.0f °C %zu (hottest %.1f °C)\n",
                      fault_words[k], counts[k].n, counts[k].n_asked, counts[k].n_shed,
                      counts[k].n_ended, PLANTWORLD_HOST_C, counts[k].n_over, counts[k].hottest_c);
    }
}

static void plant_faults__at_every_minute_end_in_rejection_and_no_harm(void **state)
{
    struct counts counts[N_FAULTS] = {0};
    struct plantworld w;
    int step = getenv("HSCHED_TEST_LONG") != NULL ? 1 : SHORT_STEP;
    int64_t at_s = PLANTWORLD_START;
    size_t n_over = 0;

    plantworld_open(&w, 12, N_JOBS, true);
    for (int64_t t = at_s; t < at_s + 1800; t += 60) {
        plantworld_step(&w, t);
    }
    for (int day = 0; day < DAYS; day += step) {
        for (int64_t t = 0; t < HS_S_PER_DAY; t += EVERY_S) {
            /* each loop has each fault in turn */
            enum fault faults[PLANTWORLD_LOOPS];
            uint64_t turn = plantworld_draw(&w, N_FAULTS);

            for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
                faults[l] = (enum fault)((turn + l) % N_FAULTS);
            }
            run_fault(&w, at_s + (1 + day / step) * HS_S_PER_DAY + t + 60 * day, faults, counts);
        }
    }
    print(counts);
    print_message("jobs: %zu done, %zu suspended, %zu destroyed; pinned touched %zu times\n",
                  w.n_done, w.n_suspended, w.n_destroyed, w.n_pinned_touched);
    for (size_t k = 0; k < N_FAULTS; k++) {
        n_over += counts[k].n_over;
    }
    assert_int_equal(w.n_destroyed, 0);
    assert_int_equal(w.n_pinned_touched, 0);
    if (HS_WITHOUT[0] != '\0') {
        print_message("without %s: %zu times a host over its limit\n", HS_WITHOUT, n_over);
        assert_true(n_over > 0);
        plantworld_close(&w);
        return;
    }
    for (size_t k = 0; k < N_FAULTS; k++) {
        assert_int_equal(counts[k].n, (DAYS / step) * HS_S_PER_DAY / EVERY_S);
        assert_int_equal(counts[k].n_asked, counts[k].n);
        assert_int_equal(counts[k].n_state, counts[k].n);
        assert_int_equal(counts[k].n_ended, counts[k].n);
        assert_int_equal(counts[k].n_over, 0);
    }
    assert_true(w.n_done > 0);
    plantworld_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plant_faults__at_every_minute_end_in_rejection_and_no_harm),
    };
    return cmocka_run_group_tests_name("plant_faults", tests, NULL, NULL);
}
