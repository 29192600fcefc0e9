/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of `./dev bench plan`, and small cases of it through planner and validator. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "tests/bench/plan_asap.h"
#include "tests/bench/plan_check.h"
#include "tests/support/near.h"

static struct plan_cases *make(size_t n_slots, double utilisation, uint64_t seed)
{
    return plan_cases_new(&(struct plan_cases_setup){.n_jobs = 200,
                                                     .n_loops = 4,
                                                     .n_hosts = 40,
                                                     .n_slots = n_slots,
                                                     .utilisation = utilisation,
                                                     .seed = seed});
}

static void plan_cases_new__draws_within_the_documented_figures(void **state)
{
    HS_AUTO(plan_cases) cases = make(192, 0.5, 3);
    double mean_w = 0;

    for (size_t l = 0; l < 4; l++) {
        const struct hs_heatloop *loop = &cases->estate->loops[l];
        double demand_wh = 0;

        for (size_t t = 0; t < 192; t++) {
            double cur_per_mwh = cases->elec_cur_per_mwh[l * 192 + t];

            demand_wh += cases->demand_wh[l * 192 + t];
            assert_true(cur_per_mwh >= 80 && cur_per_mwh <= 180);
        }
        mean_w = demand_wh / 48;
        assert_near(mean_w, cases->mean_demand_w[l], 0.05 * mean_w);
        assert_true(mean_w > 19e3 && mean_w < 84e3);
        double capacity_ratio = cases->estate->racks[l].limit_w / cases->mean_demand_w[l];
        double tank_h = hs_tank_max_wh(&loop->tank) / cases->mean_demand_w[l];

        assert_true(capacity_ratio >= 1.4 && capacity_ratio <= 2.2);
        assert_true(tank_h >= 1 && tank_h <= 5);
        assert_true(loop->capture_ratio >= 0.6 && loop->capture_ratio <= 0.95);
    }
}

static void plan_cases_new__draws_jobs_that_fit_and_use_the_wanted_share(void **state)
{
    HS_AUTO(plan_cases) cases = make(192, 0.8, 1);
    double job_wh = 0;
    double free_wh = 0;
    size_t n_now = 0;
    size_t n_contiguous = 0;

    for (size_t j = 0; j < cases->n_jobs; j++) {
        const struct hs_place_job *job = &cases->jobs[j];
        int64_t slack_s = job->due_at_s - job->earliest_at_s - (int64_t)job->remaining_s;

        assert_true(job->remaining_s >= 4 * 900 && job->remaining_s <= 48 * 900);
        assert_true(slack_s >= 4 * 900 && slack_s <= 64 * 900);
        assert_true(job->due_at_s <= cases->frame.from_at_s + 192 * 900);
        n_now += job->earliest_at_s == cases->frame.from_at_s;
        n_contiguous += job->freedom == HS_PLACE_CONTIGUOUS;
        job_wh += job->size.vcpus * plan_cases_get_w_per_vcpu(cases) * job->remaining_s / 3600;
        for (size_t h = 0; h < cases->estate->n_hosts; h++) {
            assert_true((uint32_t)job->size.vcpus <= cases->estate->hosts[h].vcpus);
            assert_true(job->size.memory_mib <= (int64_t)cases->estate->hosts[h].memory_mib);
        }
    }
    for (size_t l = 0; l < 4; l++) {
        const struct hs_rack *rack = &cases->estate->racks[l];
        double base_w = cases->estate->hosts[rack->first_host_idx].idle_w * (double)rack->n_hosts;

        assert_true(base_w >= 0.04 * rack->limit_w && base_w <= 0.2 * rack->limit_w);
        free_wh += (rack->limit_w - base_w) * 48;
    }
    assert_near(job_wh / free_wh, 0.8, 1e-3);
    assert_true(n_now > 45 && n_now < 90);
    assert_true(n_contiguous > 40 && n_contiguous < 80);
}

static void plan_cases_new__of_one_seed_is_one_case(void **state)
{
    HS_AUTO(plan_cases) left = make(96, 0.5, 7);
    HS_AUTO(plan_cases) right = make(96, 0.5, 7);
    HS_AUTO(plan_cases) other = make(96, 0.5, 8);

    assert_memory_equal(left->demand_wh, right->demand_wh, 4 * 96 * sizeof(double));
    assert_near(left->jobs[199].remaining_s, right->jobs[199].remaining_s, 0);
    assert_memory_not_equal(left->demand_wh, other->demand_wh, 4 * 96 * sizeof(double));
}

/** Plan, go on by a slot, plan again: every plan can be carried out and says what it costs. */
static void plan_and_go_on(size_t n_slots, double utilisation, uint64_t seed)
{
    HS_AUTO(plan_cases) cases = make(n_slots, utilisation, seed);
    HS_AUTO(hs_place) place = hs_place_new(cases->estate, n_slots);
    struct planvalid_report report;
    double tank_wh[4];

    hs_place_set(place, &cases->frame);
    hs_place_plan(place, cases->jobs, cases->n_jobs);
    for (int step = 0; step < 4; step++) {
        const struct hs_plan *plan = hs_place_get_plan(place);
        struct planvalid_case valid = plan_check_get_case(cases);

        planvalid_check_plan(&valid, plan, &report);
        assert_string_equal(report.why, "");
        if (step == 0) {
            HS_AUTO_MEM struct hs_placement *asap = hs_xcalloc(cases->n_jobs, sizeof(*asap));
            struct planvalid_report asap_report;
            size_t n_late = plan_asap_make(cases, asap);

            planvalid_check(&valid, asap, cases->n_jobs, &asap_report);
            assert_string_equal(asap_report.why, "");
            assert_int_equal(asap_report.n_missed, n_late);
            assert_true(report.n_missed <= n_late);
            assert_true(n_late > 0 || report.cost_cur < asap_report.cost_cur);
        }
        for (size_t l = 0; l < 4; l++) {
            tank_wh[l] = plan->tank_wh[l * n_slots];
        }
        plan_cases_step(cases, plan->placements, plan->n_placements, tank_wh);
        hs_place_set(place, &cases->frame);
        hs_place_refresh(place, cases->jobs, cases->n_jobs);
    }
}

static void place_plan__of_made_up_cases_can_be_carried_out(void **state)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        plan_and_go_on(96, 0.3, seed);
        plan_and_go_on(192, 0.5, seed);
        plan_and_go_on(192, 0.8, seed);
    }
}

static void plan_cases_step__goes_on_by_one_slot(void **state)
{
    HS_AUTO(plan_cases) cases = make(192, 0.5, 1);
    HS_AUTO_MEM struct hs_placement *asap = hs_xcalloc(cases->n_jobs, sizeof(*asap));
    HS_AUTO_MEM double *before = hs_xcalloc(192, sizeof(double));
    int64_t from_at_s = cases->frame.from_at_s;
    double tank_wh[4] = {1, 2, 3, 4};
    size_t n_new = 0;

    plan_asap_make(cases, asap);
    memcpy(before, cases->demand_wh, 192 * sizeof(double));
    plan_cases_step(cases, asap, cases->n_jobs, tank_wh);
    assert_int_equal(cases->frame.from_at_s, from_at_s + 900);
    assert_near(cases->inputs[3].tank_wh, 4, 0);
    for (size_t j = 0; j < cases->n_jobs; j++) {
        const struct hs_place_job *job = &cases->jobs[j];
        const struct hs_placement *placement = job->last;

        n_new += placement == NULL;
        assert_true(job->remaining_s > 0);
        if (placement != NULL && placement->first_slot == 0) {
            assert_int_equal(job->host_idx, placement->host_idx);
            assert_true(job->freedom != HS_PLACE_CONTIGUOUS);
        }
    }
    assert_int_equal(n_new, 2);
    for (size_t t = 0; t < 191; t++) { /* the same weather, told a little differently */
        assert_near(cases->demand_wh[t], before[t + 1], 0.25 * before[t + 1]);
    }
    assert_memory_not_equal(cases->demand_wh, before + 1, 191 * sizeof(double));
}

/* Before, heat was priced anew for the plan that was asked for, and hosts were not told. */
static void place__asking_changes_no_later_decision(void **state)
{
    HS_AUTO(plan_cases) cases = make(96, 0.7, 5);
    HS_AUTO(hs_place) asked = hs_place_new(cases->estate, 96);
    HS_AUTO(hs_place) left_alone = hs_place_new(cases->estate, 96);
    struct hs_place *places[] = {asked, left_alone};
    struct hs_placement placements[2];

    for (int p = 0; p < 2; p++) {
        hs_place_set(places[p], &cases->frame);
        hs_place_plan(places[p], cases->jobs, cases->n_jobs);
    }
    for (int i = 0; i < 40; i++) {
        struct hs_place_job job = plan_cases_draw_job(cases);

        (void)hs_place_price_now(asked, &job);
        for (int p = 0; p < 2; p++) {
            (void)hs_place_get_plan(places[p]);
            placements[p] = *hs_place_insert(places[p], &job);
        }
        assert_memory_equal(&placements[0], &placements[1], sizeof(placements[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_cases_new__draws_within_the_documented_figures),
        cmocka_unit_test(place__asking_changes_no_later_decision),
        cmocka_unit_test(plan_cases_new__draws_jobs_that_fit_and_use_the_wanted_share),
        cmocka_unit_test(plan_cases_new__of_one_seed_is_one_case),
        cmocka_unit_test(plan_cases_step__goes_on_by_one_slot),
        cmocka_unit_test(place_plan__of_made_up_cases_can_be_carried_out),
    };
    return cmocka_run_group_tests_name("plan_cases", tests, NULL, NULL);
}
