/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/sim/trace.h"
#include "tests/support/near.h"

#define START_AT_S INT64_C(900000)
#define SLOT_S     INT64_C(900)

/* One sink, four slots; rows every 300 s. */
static void trace__holds_gaps_and_says_that_they_are_unknown(void **state)
{
    /* slot 0 whole; slot 1 two thirds; slot 2 one third; slot 3 nothing */
    static const double values[] = {3, 6, 9, 12, NAN, 12, 15, NAN, NAN, NAN, NAN, NAN};
    struct hs_sink sink = {.loop_idx = 0};
    struct hs_estate estate = {.sinks = &sink, .n_sinks = 1};
    HS_AUTO(hs_series) heat = hs_series_new();
    struct hs_series *of_sinks[] = {heat};
    struct hs_scenario scenario = {.estate = &estate,
                                   .start_at_s = START_AT_S,
                                   .slot_s = SLOT_S,
                                   .n_slots = 4,
                                   .demand_heat_w = of_sinks};

    heat->step_s = 300;
    for (int64_t i = 0; i < 12; i++) {
        hs_series_add(heat, START_AT_S + 300 * i, values[i]);
    }
    HS_AUTO(hs_trace) trace = hs_trace_new(&scenario);

    assert_near(trace->demand_heat_w[0], 6, 1e-9);
    assert_near(trace->demand_heat_w[1], 12, 1e-9);
    assert_near(trace->demand_heat_w[2], 15, 1e-9);
    assert_near(trace->demand_heat_w[3], 15, 1e-9);
    assert_true(hs_trace_is_known(trace, 0, 0));
    assert_true(hs_trace_is_known(trace, 0, 1));
    assert_false(hs_trace_is_known(trace, 0, 2));
    assert_false(hs_trace_is_known(trace, 0, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace__holds_gaps_and_says_that_they_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
