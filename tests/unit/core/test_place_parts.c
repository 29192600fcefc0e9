/* SPDX-License-Identifier: Apache-2.0 */
/* An estate that falls into groups of sites which share no job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "tests/bench/plan_check.h"

#define N_JOBS 2400

static struct plan_cases *make(size_t n_groups)
{
    return plan_cases_new(&(struct plan_cases_setup){.n_jobs = N_JOBS,
                                                     .n_loops = 12,
                                                     .n_hosts = 240,
                                                     .n_slots = 96,
                                                     .utilisation = 0.5,
                                                     .seed = 2,
                                                     .n_groups = n_groups});
}

static struct planvalid_report check(const struct plan_cases *cases, const struct hs_plan *plan)
{
    struct planvalid_report report = plan_check_plan(cases, plan);

    if (!report.is_feasible) {
        fail_msg("%s", report.why);
    }
    return report;
}

static const struct hs_plan *plan_on(struct hs_place *place, const struct plan_cases *cases,
                                     size_t n_threads)
{
    hs_place_set_threads(place, n_threads);
    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    return hs_place_get_plan(place);
}

static void place_parts__are_planned_alike_on_any_number_of_threads(void **state)
{
    HS_AUTO(plan_cases) cases = make(4);
    HS_AUTO(hs_place) one = hs_place_new(cases->estate, 96);
    HS_AUTO(hs_place) three = hs_place_new(cases->estate, 96);
    const struct hs_plan *alone = plan_on(one, cases, 1);
    const struct hs_plan *shared = plan_on(three, cases, 3);

    assert_int_equal(check(cases, alone).n_missed, 0);
    assert_int_equal(alone->n_placements, N_JOBS);
    assert_int_equal(shared->n_placements, N_JOBS);
    assert_memory_equal(alone->placements, shared->placements, N_JOBS * sizeof(*alone->placements));
    assert_true(alone->cost_cur == shared->cost_cur);
}

/* The costs and tanks that the merged plan tells are those of all its jobs. */
static void place_parts__make_one_plan_that_tells_the_truth(void **state)
{
    HS_AUTO(plan_cases) cases = make(4);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, 96);
    double tank_wh[12];
    const struct hs_plan *plan = plan_on(place, cases, 2);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(check(cases, plan).n_missed, 0);
        for (size_t l = 0; l < 12; l++) {
            tank_wh[l] = plan->tank_wh[l * plan->n_slots];
        }
        plan_cases_step(cases, plan->placements, plan->n_placements, tank_wh);
        hs_place_set(place, &cases->frame);
        hs_place_refresh(place, cases->jobs, cases->n_jobs);
        plan = hs_place_get_plan(place);
    }
    struct hs_place_job job = plan_cases_draw_job(cases);
    const struct hs_placement *placement = hs_place_insert(place, &job);

    assert_true(placement->host_idx != SIZE_MAX);
}

/* One job that may go anywhere makes one estate of it again. */
static void place_parts__are_none_where_a_job_may_use_all_sites(void **state)
{
    HS_AUTO(plan_cases) cases = make(2);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, 96);

    cases->jobs[7].site_allowed = NULL;
    assert_int_equal(check(cases, plan_on(place, cases, 2)).n_missed, 0);
    assert_int_equal(hs_place_count_parts(place), 1);
    cases->jobs[7].site_allowed = cases->jobs[8].site_allowed;
    assert_int_equal(check(cases, plan_on(place, cases, 2)).n_missed, 0);
    assert_int_equal(hs_place_count_parts(place), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_parts__are_planned_alike_on_any_number_of_threads),
        cmocka_unit_test(place_parts__make_one_plan_that_tells_the_truth),
        cmocka_unit_test(place_parts__are_none_where_a_job_may_use_all_sites),
    };

    return cmocka_run_group_tests_name("place_parts", tests, NULL, NULL);
}
