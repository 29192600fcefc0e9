/* SPDX-License-Identifier: Apache-2.0 */
/* The validator is only worth its name if it finds what is wrong: every fault is put in by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "tests/support/planvalid.h"
#include "tests/unit/core/small_estate.h"

#define N       48
#define FROM    INT64_C(1700000000)
#define SLOT_S  INT64_C(1000)
#define JOBS    3
#define W_A_JOB ((500.0 - 100.0) / SMALL_HOST_VCPUS * 2) /* of two vCPUs */

struct fixture {
    double elec[SMALL_SITES * N];
    double captured_wh[SMALL_SITES][N];
    double demand_wh[SMALL_SITES][N];
    double worth[SMALL_SITES];
    double reject[N];
    struct hs_thermal_input inputs[SMALL_SITES];
    struct hs_place_frame frame;
    struct hs_place_job jobs[JOBS];
    struct hs_placement placements[JOBS];
    bool allowed[SMALL_SITES];
    struct planvalid_case valid;
    struct planvalid_report report;
};

static void set_slots(struct hs_placement *placement, size_t first, size_t last)
{
    memset(placement->slots, 0, sizeof(placement->slots));
    for (size_t t = first; t <= last; t++) {
        placement->slots[t / 64] |= UINT64_C(1) << t % 64;
    }
    placement->first_slot = placement->held_slot = first;
    placement->last_slot = last;
}

static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < SMALL_SITES * N; i++) {
        f->elec[i] = 100.0;
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        f->worth[s] = 90.0;
        f->inputs[s] = (struct hs_thermal_input){.slot_s = (double)SLOT_S,
                                                 .captured_wh = f->captured_wh[s],
                                                 .sink_demand_wh = f->demand_wh[s],
                                                 .sink_cur_per_mwh = &f->worth[s],
                                                 .reject_cur_per_wh = f->reject};
    }
    f->frame = (struct hs_place_frame){
        .now_at_s = FROM, .from_at_s = FROM, .elec_cur_per_mwh = f->elec, .thermal = f->inputs};
    for (size_t j = 0; j < JOBS; j++) {
        f->jobs[j] = (struct hs_place_job){.job_id = j + 1,
                                           .freedom = HS_PLACE_CONTIGUOUS,
                                           .size = {.vcpus = 2, .memory_mib = 1024},
                                           .remaining_s = 2 * (double)SLOT_S,
                                           .due_at_s = FROM + 20 * SLOT_S,
                                           .host_idx = SIZE_MAX};
        f->placements[j] = (struct hs_placement){.job_id = j + 1};
        set_slots(&f->placements[j], 4 * j, 4 * j + 1);
    }
    f->valid = (struct planvalid_case){.estate = small_estate(),
                                       .frame = &f->frame,
                                       .n_slots = N,
                                       .jobs = f->jobs,
                                       .n_jobs = JOBS};
}

static void check(struct fixture *f)
{
    planvalid_check(&f->valid, f->placements, JOBS, &f->report);
}

static void assert_blamed(struct fixture *f, const char *word)
{
    check(f);
    assert_false(f->report.is_feasible);
    if (strstr(f->report.why, word) == NULL) {
        fail_msg("'%s' does not say '%s'", f->report.why, word);
    }
}

static void planvalid__passes_a_plan_without_fault(void **state)
{
    struct fixture f;

    set_up(&f);
    check(&f);
    assert_string_equal(f.report.why, "");
    assert_true(f.report.is_feasible);
    assert_int_equal(f.report.n_missed, 0);
}

static void planvalid__finds_a_site_that_is_not_allowed(void **state)
{
    struct fixture f;

    set_up(&f);
    f.allowed[1] = true;
    f.jobs[1].site_allowed = f.allowed;
    assert_blamed(&f, "may not use");
}

static void planvalid__finds_a_job_away_from_its_host(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[0].host_idx = 1;
    assert_blamed(&f, "bound to another");
    f.jobs[0].is_movable = true;
    check(&f);
    assert_true(f.report.is_feasible);
}

static void planvalid__finds_a_barred_host(void **state)
{
    struct fixture f;
    bool barred[SMALL_SITES] = {true};

    set_up(&f);
    f.valid.barred = barred;
    assert_blamed(&f, "takes no jobs");
}

static void planvalid__finds_a_start_before_the_release(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[1].earliest_at_s = FROM + 5 * SLOT_S;
    assert_blamed(&f, "before its release");
}

static void planvalid__finds_too_few_and_too_many_slots(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[1].remaining_s += 1;
    assert_blamed(&f, "are in no slot");
    set_up(&f);
    f.jobs[1].remaining_s = (double)SLOT_S;
    assert_blamed(&f, "more slots");
}

static void planvalid__finds_a_break_in_a_contiguous_run(void **state)
{
    struct fixture f;

    set_up(&f);
    f.placements[1].slots[0] = 1U << 4 | 1U << 6;
    f.placements[1].last_slot = 6;
    assert_blamed(&f, "must run through");
    f.jobs[1].freedom = HS_PLACE_INTERRUPTIBLE;
    check(&f);
    assert_true(f.report.is_feasible);
    f.jobs[1].min_run_s = SLOT_S + 1;
    assert_blamed(&f, "shortest run");
}

static void planvalid__finds_a_running_job_left_alone(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[1].freedom = HS_PLACE_FIXED;
    assert_blamed(&f, "must go on");
}

static void planvalid__finds_a_host_without_vcpus_or_memory(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[0].size.vcpus = SMALL_HOST_VCPUS + 1;
    assert_blamed(&f, "vCPUs wanted");
    set_up(&f);
    f.jobs[0].size.memory_mib = 10000;
    f.jobs[1].size.memory_mib = 10000;
    check(&f);
    assert_true(f.report.is_feasible); /* one after the other */
    f.jobs[1].host_idx = 0;            /* suspended there: it holds its memory from now on */
    f.placements[1].held_slot = 0;
    assert_blamed(&f, "MiB wanted");
}

static void planvalid__finds_a_rack_and_a_site_over_their_limits(void **state)
{
    struct fixture f;
    struct hs_estate estate = *small_estate();
    struct hs_rack racks[SMALL_SITES];
    struct hs_site sites[SMALL_SITES];

    set_up(&f);
    memcpy(racks, estate.racks, sizeof(racks));
    memcpy(sites, estate.sites, sizeof(sites));
    estate.racks = racks;
    estate.sites = sites;
    f.valid.estate = &estate;
    racks[0].limit_w = 100 + W_A_JOB;
    check(&f);
    assert_true(f.report.is_feasible);
    racks[0].limit_w -= 1;
    assert_blamed(&f, "pool/r1");
    racks[0].limit_w = INFINITY;
    sites[0].limit_w = 100 + W_A_JOB - 1;
    assert_blamed(&f, "site pool");
}

static void planvalid__finds_doubles_strangers_and_the_forgotten(void **state)
{
    struct fixture f;

    set_up(&f);
    f.placements[1].job_id = 1;
    assert_blamed(&f, "two places");
    f.placements[1].job_id = 77;
    assert_blamed(&f, "nobody asked");
    planvalid_check(&f.valid, f.placements, JOBS - 1, &f.report);
    assert_false(f.report.is_feasible);
    f.placements[1].job_id = 2;
    planvalid_check(&f.valid, f.placements, JOBS - 1, &f.report);
    assert_string_equal(f.report.why, "job 3: the plan says nothing of it");
}

static void planvalid__counts_misses_and_holds_the_plan_to_them(void **state)
{
    struct fixture f;

    set_up(&f);
    f.jobs[1].due_at_s = FROM + 6 * SLOT_S;
    check(&f);
    assert_int_equal(f.report.n_missed, 0);
    f.jobs[1].due_at_s -= 1;
    assert_blamed(&f, "late");
    assert_int_equal(f.report.n_missed, 1);
    f.placements[1].is_late = true;
    check(&f);
    assert_true(f.report.is_feasible);
    f.placements[1].host_idx = SIZE_MAX; /* not placed at all */
    check(&f);
    assert_int_equal(f.report.n_missed, 1);
    assert_near(f.report.missing_cur, W_A_JOB * 2000 / 3600 * 100e-6, 1e-9);
    f.jobs[1].freedom = HS_PLACE_FILLER;
    check(&f);
    assert_int_equal(f.report.n_missed, 0);
}

/* By hand: 100 W idle a host; the first job's 0.8 of heat goes to a demand that wants more. */
static void planvalid__counts_electricity_and_heat_as_the_plant_does(void **state)
{
    struct fixture f;
    double job_wh = W_A_JOB * 2000 / 3600;

    set_up(&f);
    f.demand_wh[0][0] = f.demand_wh[0][1] = 1000;
    f.elec[4] = f.elec[5] = 50;
    check(&f);
    assert_near(f.report.job_elec_cur, job_wh * (100 + 50 + 100) * 1e-6, 1e-9);
    assert_near(f.report.base_elec_cur, 100 * 1000 / 3.6e9 * (100.0 * (2 * N - 2) + 2 * 50), 1e-9);
    assert_near(f.report.backup_cur, (2000 - 0.8 * job_wh) * 90e-6, 1e-9);
    assert_near(f.report.reject_cur, 0, 1e-12);
    /* The other two fill the tank, which loses 2 W/K x 17 K for as long as there is any. */
    f.inputs[0].end_cur_per_wh = f.inputs[1].end_cur_per_wh = 1;
    f.inputs[1].tank_wh = 20000;
    double stored_wh = 20000;

    for (size_t t = 0; t < N; t++) {
        stored_wh -= 2 * (17 + stored_wh / 1163) * 1000 / 3600;
    }
    check(&f);
    assert_near(f.report.left_cur, stored_wh, 1e-6);
    assert_near(f.report.cost_cur, f.report.job_elec_cur + f.report.backup_cur - f.report.left_cur,
                1e-9);
}

static void planvalid__counts_stops_and_floors(void **state)
{
    struct fixture f;
    double floor_wh[N] = {[3] = 40};

    set_up(&f);
    f.jobs[1].freedom = HS_PLACE_INTERRUPTIBLE;
    f.placements[1].slots[0] = 1U << 4 | 1U << 7;
    f.placements[1].last_slot = 7;
    f.elec[5] = 60; /* where it stops */
    check(&f);
    assert_near(f.report.stop_cur, W_A_JOB * 300 / 3600 * 60e-6, 1e-9);
    f.frame.suspend_s = 600;
    f.jobs[1].is_running = true; /* and stops at once as well */
    f.inputs[1].floor_wh = floor_wh;
    f.inputs[1].floor_cur_per_wh = 0.5;
    check(&f);
    assert_near(f.report.stop_cur, W_A_JOB * 600 / 3600 * 160e-6, 1e-9);
    assert_near(f.report.floor_cur, 20, 1e-9);
    assert_near(f.report.cost_cur, f.report.job_elec_cur + f.report.stop_cur + f.report.floor_cur,
                1e-9);
}

static void planvalid__counts_what_a_full_tank_dumps(void **state)
{
    struct fixture f;

    set_up(&f);
    f.inputs[0].tank_wh = hs_tank_max_wh(&f.valid.estate->loops[0].tank);
    f.captured_wh[0][0] = 5000;
    f.reject[0] = 0.001;
    check(&f);
    double loss_wh = 2 * (60.0 - 18.0) * 1000 / 3600;
    double heat_wh = 5000 + 0.8 * W_A_JOB * 1000 / 3600;

    assert_near(f.report.reject_cur, (heat_wh - loss_wh) * 0.001, 1e-9);
}

static void planvalid__holds_a_plan_to_its_own_cost_and_tanks(void **state)
{
    struct fixture f;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    set_up(&f);
    f.demand_wh[0][9] = 3000;
    hs_place_set(place, &f.frame);
    hs_place_plan(place, f.jobs, JOBS);
    struct hs_plan plan = *hs_place_get_plan(place);

    planvalid_check_plan(&f.valid, &plan, &f.report);
    assert_string_equal(f.report.why, "");
    plan.cost_cur += 1e-4;
    planvalid_check_plan(&f.valid, &plan, &f.report);
    assert_non_null(strstr(f.report.why, "the plan says"));
    plan.cost_cur -= 1e-4;
    plan.n_late++;
    planvalid_check_plan(&f.valid, &plan, &f.report);
    assert_non_null(strstr(f.report.why, "jobs are late"));
    plan.n_late--;
    plan.tank_wh[5] += 100;
    planvalid_check_plan(&f.valid, &plan, &f.report);
    assert_non_null(strstr(f.report.why, "in the tank"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planvalid__passes_a_plan_without_fault),
        cmocka_unit_test(planvalid__finds_a_site_that_is_not_allowed),
        cmocka_unit_test(planvalid__finds_a_job_away_from_its_host),
        cmocka_unit_test(planvalid__finds_a_barred_host),
        cmocka_unit_test(planvalid__finds_a_start_before_the_release),
        cmocka_unit_test(planvalid__finds_too_few_and_too_many_slots),
        cmocka_unit_test(planvalid__finds_a_break_in_a_contiguous_run),
        cmocka_unit_test(planvalid__finds_a_running_job_left_alone),
        cmocka_unit_test(planvalid__finds_a_host_without_vcpus_or_memory),
        cmocka_unit_test(planvalid__finds_a_rack_and_a_site_over_their_limits),
        cmocka_unit_test(planvalid__finds_doubles_strangers_and_the_forgotten),
        cmocka_unit_test(planvalid__counts_misses_and_holds_the_plan_to_them),
        cmocka_unit_test(planvalid__counts_electricity_and_heat_as_the_plant_does),
        cmocka_unit_test(planvalid__counts_stops_and_floors),
        cmocka_unit_test(planvalid__counts_what_a_full_tank_dumps),
        cmocka_unit_test(planvalid__holds_a_plan_to_its_own_cost_and_tanks),
    };
    return cmocka_run_group_tests_name("planvalid", tests, NULL, NULL);
}
