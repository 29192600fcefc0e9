/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that choose by prices which somebody else found. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/certificate.h"
#include "tests/bench/plan_check.h"

#define STEPS 100 /* of the certificate: see docs/planner.md */

static const struct plan_cases_setup half_full = {
    .n_jobs = 800, .n_loops = 6, .n_hosts = 60, .n_slots = 96, .utilisation = 0.5, .seed = 1};

static struct planvalid_report check(const struct plan_cases *cases, const struct hs_plan *plan)
{
    struct planvalid_report report = plan_check_plan(cases, plan);

    if (!report.is_feasible) {
        fail_msg("%s", report.why);
    }
    return report;
}

static void place_guide__prices_of_the_bound_make_a_plan_cost_less(void **state)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(&half_full);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, half_full.n_slots);
    HS_AUTO(hs_certificate) cert = hs_certificate_new(cases->estate, half_full.n_slots);

    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    struct planvalid_report plain = check(cases, hs_place_get_plan(place));

    hs_certificate_set(cert, &cases->frame);
    hs_certificate_set_jobs(cert, cases->jobs, cases->n_jobs);
    hs_certificate_set_prices(cert, hs_place_get_plan(place)->heat_cur_per_mwh);
    double bound_cur = hs_certificate_improve(cert, INFINITY, STEPS);

    hs_place_set(place, &cases->frame);
    hs_place_guide(place, hs_certificate_get_heat_prices(cert),
                   hs_certificate_get_room_prices(cert));
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    struct planvalid_report guided = check(cases, hs_place_get_plan(place));

    print_message("gap %.2f %% without, %.2f %% with\n", 100 * (plain.cost_cur / bound_cur - 1),
                  100 * (guided.cost_cur / bound_cur - 1));
    assert_int_equal(plain.n_missed, 0);
    assert_int_equal(guided.n_missed, 0);
    assert_true(guided.cost_cur - bound_cur < 0.9 * (plain.cost_cur - bound_cur));
}

static void place_guide__prices_that_mean_nothing_make_nobody_late(void **state)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(&half_full);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, half_full.n_slots);
    size_t n = half_full.n_loops * half_full.n_slots;
    HS_AUTO_MEM double *heat_cur_per_wh = hs_xcalloc(n, sizeof(double));
    HS_AUTO_MEM double *room_cur = hs_xcalloc(n, sizeof(double));

    for (size_t i = 0; i < n; i++) {
        heat_cur_per_wh[i] = i % 96 < 4 ? 1.0 : 0.0; /* all of them would run at once */
    }
    hs_place_set(place, &cases->frame);
    hs_place_guide(place, heat_cur_per_wh, room_cur);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    assert_int_equal(check(cases, hs_place_get_plan(place)).n_missed, 0);
}

static void place_guide__is_forgotten_with_its_horizon(void **state)
{
    HS_AUTO(plan_cases) cases = plan_cases_new(&half_full);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, half_full.n_slots);
    HS_AUTO(hs_place) other = hs_place_new(cases->estate, half_full.n_slots);
    size_t n = half_full.n_loops * half_full.n_slots;
    HS_AUTO_MEM double *zeros = hs_xcalloc(n, sizeof(double));
    double costs[2];

    hs_place_set(other, &cases->frame);
    hs_place_plan(other, cases->jobs, cases->n_jobs);
    for (int i = 0; i < 2; i++) {
        hs_place_set(place, &cases->frame);
        if (i == 0) {
            hs_place_guide(place, zeros, zeros);
        }
        hs_place_plan(place, cases->jobs, cases->n_jobs);
        costs[i] = hs_place_get_plan(place)->cost_cur;
    }
    assert_true(costs[0] != costs[1]);
    assert_true(costs[1] == hs_place_get_plan(other)->cost_cur);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_guide__prices_of_the_bound_make_a_plan_cost_less),
        cmocka_unit_test(place_guide__prices_that_mean_nothing_make_nobody_late),
        cmocka_unit_test(place_guide__is_forgotten_with_its_horizon),
    };

    return cmocka_run_group_tests_name("place_guide", tests, NULL, NULL);
}
