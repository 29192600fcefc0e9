/* SPDX-License-Identifier: Apache-2.0 */
/* docs/examples/limits: no controller draws more than a rack or a feeder may give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/controller.h"
#include "tests/support/near.h"

#define N_RACKS     3 /* plant/r1, plant/r2, office/r1 */
#define N_SITES     2
#define TOLERANCE_W 0.01

struct world {
    struct hs_scenario *scenario;
    struct hs_trace *trace;
    struct hs_simjobs jobs;
    struct hs_simrun *run;
    /* limits by which power is judged; the estate's own may be lifted */
    double rack_limit_w[N_RACKS];
    double site_limit_w[N_SITES];
    /* power since the last change */
    double rack_w[N_RACKS];
    double since_at_s;
    /* what was seen */
    size_t n_over; /* stretches of time in which a limit was not kept */
    size_t n_racks_over;
    size_t n_sites_over;
    size_t n_slots;
    size_t n_slots_over;
    double first_rack_w[N_RACKS]; /* means of the first slot */
    double first_captured_wh[N_SITES];
};

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));
    struct hs_conf_report report = {0};
    struct hs_err err = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/docs/examples/limits/scenario.json",
             getenv("HSCHED_TEST_ROOT") != NULL ? getenv("HSCHED_TEST_ROOT") : ".");
    if (hs_scenario_read(path, &report, &w->scenario, &err) != 0
        || hs_jobtrace_make(w->scenario, &w->jobs, &err) != 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 1;
    }
    hs_conf_report_fini(&report);
    w->trace = hs_trace_new(w->scenario);
    for (size_t r = 0; r < N_RACKS; r++) {
        w->rack_limit_w[r] = w->scenario->estate->racks[r].limit_w;
    }
    for (size_t s = 0; s < N_SITES; s++) {
        w->site_limit_w[s] = w->scenario->estate->sites[s].limit_w;
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hs_trace_free(w->trace);
    hs_jobtrace_fini(&w->jobs);
    hs_scenario_free(w->scenario);
    free(w);
    return 0;
}

/* How many of the limits these watts are over. */
static void judge(const struct world *w, const double *rack_w, size_t *n_racks, size_t *n_sites)
{
    const struct hs_estate *estate = w->scenario->estate;

    for (size_t s = 0; s < N_SITES; s++) {
        const struct hs_site *site = &estate->sites[s];
        double site_w = 0;

        for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
            *n_racks += rack_w[r] > w->rack_limit_w[r] + TOLERANCE_W;
            site_w += rack_w[r];
        }
        *n_sites += site_w > w->site_limit_w[s] + TOLERANCE_W;
    }
}

/* Changes at one instant make one: only power that held for a while is judged. */
static void on_job_changed(void *arg, size_t job_idx, enum hs_simrun_change change)
{
    struct world *w = arg;

    if (w->run->at_s > w->since_at_s) {
        size_t n_before = w->n_racks_over + w->n_sites_over;

        judge(w, w->rack_w, &w->n_racks_over, &w->n_sites_over);
        w->n_over += w->n_racks_over + w->n_sites_over > n_before;
        w->since_at_s = w->run->at_s;
    }
    memcpy(w->rack_w, w->run->rack_elec_w, sizeof(w->rack_w));
}

static void on_slot_closed(void *arg)
{
    struct world *w = arg;
    double mean_w[N_RACKS];
    size_t n_over = 0;

    for (size_t r = 0; r < N_RACKS; r++) {
        mean_w[r] = hs_w_from_wh(w->run->rack_elec_wh[r], (double)w->scenario->slot_s);
    }
    judge(w, mean_w, &n_over, &n_over);
    w->n_slots_over += n_over > 0;
    if (w->n_slots++ == 0) {
        memcpy(w->first_rack_w, mean_w, sizeof(mean_w));
        memcpy(w->first_captured_wh, w->run->captured_wh, sizeof(w->first_captured_wh));
    }
}

/* Runs @name to the end. */
static void drive(struct world *w, const char *name, struct hs_simrun_result *ret_result)
{
    const struct hs_controller_ops *ops = NULL;
    struct hs_controller_options options = {0};
    struct hs_controller_stats stats = {0};
    struct hs_err err = {0};

    assert_int_equal(hs_controller_find(name, &ops, &err), 0);
    w->n_over = w->n_racks_over = w->n_sites_over = w->n_slots = w->n_slots_over = 0;
    w->run = hs_simrun_new(w->scenario, w->trace, &w->jobs);
    w->since_at_s = w->run->at_s;
    memcpy(w->rack_w, w->run->rack_elec_w, sizeof(w->rack_w));
    w->run->watcher = (struct hs_simrun_watcher){on_job_changed, on_slot_closed, w};
    assert_int_equal(ops->drive(w->run, &options, &stats, &err), 0);
    hs_simrun_finish(w->run, ret_result);
    hs_simrun_free(w->run);
    free(ret_result->sites);
    assert_int_equal(w->n_slots, w->scenario->n_slots);
}

static void limits__are_kept_by_every_controller_in_every_slot(void **state)
{
    static const char *const names[] = {"asap",   "heat",       "perfect",
                                        "sticky", "thermostat", "carbon"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct hs_simrun_result result;

        drive(w, names[i], &result);
        print_message("%-10s over a limit: %zu stretches, %zu slots; %zu of %zu jobs, %zu late\n",
                      names[i], w->n_over, w->n_slots_over, result.jobs_done, result.jobs_total,
                      result.jobs_late);
        assert_int_equal(w->n_over, 0);
        assert_int_equal(w->n_slots_over, 0);
        assert_near(result.over_limit_s, 0, 0);
        assert_true(result.jobs_done > 100);
    }
}

static void limits__bind_in_this_scenario(void **state)
{
    struct world *w = *state;
    struct hs_estate *estate = w->scenario->estate;
    struct hs_simrun_result result;

    for (size_t r = 0; r < N_RACKS; r++) {
        estate->racks[r].limit_w = 1e9;
    }
    for (size_t s = 0; s < N_SITES; s++) {
        estate->sites[s].limit_w = 1e9;
    }
    drive(w, "asap", &result);
    assert_true(w->n_racks_over > 20);
    assert_true(w->n_sites_over > 20);
    assert_true(w->n_slots_over > 20);
}

/*
 * The first slot by hand. Every host has 32 vCPUs, 4 of them pinned, idles at 100 W and draws 900 W
 * at most: (900 - 100) / 32 = 25 W a vCPU. Before any job, W:
 *
 *     plant/r1   2 x 100 + 2 x 4 x 25 = 400 of 1300     plant   400 + 400 = 800 of 2200
 *     plant/r2   2 x 100 + 2 x 4 x 25 = 400 of 1200
 *     office/r1      100 +     4 x 25 = 200 of  700     office        200 of 1000
 *
 * At 0 s come five jobs of 16 vCPUs (400 W each, 2 h), one of 8 (200 W, 1 h) and two of 4 (100 W,
 * 1 h). asap gives each to the host with most free vCPUs that may take it:
 *
 *     16   r1h1 (28 free, the first)     r1  800     plant 1200
 *     16   r1h2 (28 free)                r1 1200     plant 1600
 *     16   r2h1 (28 free)                r2  800     plant 2000
 *     16   r2h2 has 28 free and r2 room for 400 W, but the feeder only 2200 - 2000 = 200 W
 *          office (28 free)              r1  600     office 600
 *     16   nowhere: it waits at the head, for 7200 s, when the first ones end
 *      8   done by then; r2h2            r2 1000     plant 2200: all that the feeder gives
 *      4   done by then; office          r1  700     office 700: all that the rack may draw
 *      4   nowhere, with 12 + 12 + 12 + 20 vCPUs free at plant and 8 at office
 *
 * So the slot's means are 1200, 1000 and 700 W. It captures 0.8 x 2200 W x 0.25 h = 440 Wh at
 * plant and 0.8 x 700 W x 0.25 h = 140 Wh at office.
 */
static void limits__give_the_first_slot_worked_out_by_hand(void **state)
{
    struct world *w = *state;
    struct hs_simrun_result result;

    drive(w, "asap", &result);
    assert_near(w->first_rack_w[0], 1200, 1e-6);
    assert_near(w->first_rack_w[1], 1000, 1e-6);
    assert_near(w->first_rack_w[2], 700, 1e-6);
    assert_near(w->first_captured_wh[0], 440, 1e-6);
    assert_near(w->first_captured_wh[1], 140, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(limits__are_kept_by_every_controller_in_every_slot, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(limits__bind_in_this_scenario, setup, teardown),
        cmocka_unit_test_setup_teardown(limits__give_the_first_slot_worked_out_by_hand, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
