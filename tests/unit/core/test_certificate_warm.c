/* SPDX-License-Identifier: Apache-2.0 */
/* What prices are worth that were found before: for the plan before, or without a bound. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/certificate.h"
#include "tests/bench/plan_cases.h"

#define FAR_RATIO 1e-3
#define COLD      300 /* steps that converge */

static void look_at(struct hs_certificate *cert, const struct plan_cases *cases,
                    const struct hs_plan *plan)
{
    hs_certificate_set(cert, &cases->frame);
    hs_certificate_set_jobs(cert, cases->jobs, cases->n_jobs);
    (void)hs_certificate_get_cost(cert, plan->placements, plan->n_placements);
    hs_certificate_set_prices(cert, plan->heat_cur_per_mwh);
}

/* Steps until the bound is within FAR_RATIO of @best_cur. */
static size_t count_steps(struct hs_certificate *cert, double best_cur)
{
    size_t n = 0;
    double bound_cur;

    do {
        bound_cur = hs_certificate_improve(cert, INFINITY, 5);
        n += 5;
    } while (bound_cur < best_cur * (1.0 - FAR_RATIO) && n < 10 * COLD);
    return n;
}

static void certificate_prices__go_on_into_the_next_horizon(void **state)
{
    const struct plan_cases_setup setup = {
        .n_jobs = 800, .n_loops = 3, .n_hosts = 60, .n_slots = 96, .utilisation = 0.5, .seed = 1};
    HS_AUTO(plan_cases) cases = plan_cases_new(&setup);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, setup.n_slots);
    HS_AUTO(hs_certificate) warm = hs_certificate_new(cases->estate, setup.n_slots);
    HS_AUTO(hs_certificate) cold = hs_certificate_new(cases->estate, setup.n_slots);
    HS_AUTO(hs_certificate) best = hs_certificate_new(cases->estate, setup.n_slots);
    double tank_wh[3];

    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);

    look_at(warm, cases, plan);
    (void)hs_certificate_improve(warm, INFINITY, COLD);
    for (size_t l = 0; l < setup.n_loops; l++) {
        tank_wh[l] = plan->tank_wh[l * plan->n_slots];
    }
    plan_cases_step(cases, plan->placements, plan->n_placements, tank_wh);
    hs_place_set(place, &cases->frame);
    hs_place_refresh(place, cases->jobs, cases->n_jobs);
    plan = hs_place_get_plan(place);
    look_at(best, cases, plan);
    double best_cur = hs_certificate_improve(best, INFINITY, 2 * COLD);

    look_at(warm, cases, plan);
    look_at(cold, cases, plan);
    size_t n_warm = count_steps(warm, best_cur);
    size_t n_cold = count_steps(cold, best_cur);

    print_message("%zu steps warm, %zu cold\n", n_warm, n_cold);
    assert_true(n_warm * 3 <= n_cold);
    assert_true(n_warm == 5); /* a single look */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_prices__go_on_into_the_next_horizon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
