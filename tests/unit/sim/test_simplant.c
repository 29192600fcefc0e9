/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's part of a run, on docs/examples/limits with nothing but its base load. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/sim/simrun.h"
#include "tests/support/near.h"

struct world {
    struct hs_scenario *scenario;
    struct hs_trace *trace;
    struct hs_simjobs jobs; /* none */
    struct hs_simrun *run;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    const char *root = getenv("HSCHED_TEST_ROOT");
    struct hs_conf_report report = {0};
    struct hs_err err = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/docs/examples/limits/scenario.json",
             root != NULL ? root : ".");
    if (hs_scenario_read(path, &report, &w->scenario, &err) != 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 1;
    }
    hs_conf_report_fini(&report);
    w->trace = hs_trace_new(w->scenario);
    w->run = hs_simrun_new(w->scenario, w->trace, &w->jobs);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hs_simrun_free(w->run);
    hs_trace_free(w->trace);
    hs_scenario_free(w->scenario);
    free(w);
    return 0;
}

static void simplant__closes_every_slot_of_a_run(void **state)
{
    struct world *w = *state;

    hs_simrun_advance(w->run, (double)hs_scenario_end_at_s(w->scenario));
    assert_int_equal(hs_simrun_check(w->run, NULL), 0);
    assert_near(w->run->tank_wh[0], w->run->tanks[0].stored_wh, 0);
}

static void simplant__names_the_loop_and_the_first_slot_whose_heat_does_not_close(void **state)
{
    struct world *w = *state;
    struct hs_err err;

    hs_simrun_advance(w->run, hs_simrun_slot_end_at_s(w->run));
    assert_int_equal(hs_simrun_check(w->run, NULL), 0);
    w->run->tanks[0].stored_wh = (double)NAN;
    hs_simrun_advance(w->run, (double)hs_scenario_end_at_s(w->scenario));
    assert_int_equal(hs_simrun_check(w->run, &err), -HS_E_INTERNAL);
    assert_string_equal(err.where, w->scenario->estate->loops[0].path);
    assert_non_null(strstr(err.text, ":15:00Z: heat does not close"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(simplant__closes_every_slot_of_a_run, setup, teardown),
        cmocka_unit_test_setup_teardown(
            simplant__names_the_loop_and_the_first_slot_whose_heat_does_not_close, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
