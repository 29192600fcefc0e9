/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/units.h"
#include "scheduler/core/place.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define N      48
#define NOW    INT64_C(1700000100) /* 100 s into a slot */
#define FROM   INT64_C(1700000000)
#define SLOT_S INT64_C(1000)

/* A horizon with flat prices, no demand and no credit: nothing to gain but electricity. */
struct horizon {
    double elec[SMALL_SITES * N];
    double captured_wh[SMALL_SITES][N];
    double demand_wh[SMALL_SITES][N];
    double worth[SMALL_SITES];
    double reject[N];
    struct hs_thermal_input inputs[SMALL_SITES];
    struct hs_place_frame frame;
};

static void set_flat(struct horizon *h)
{
    memset(h, 0, sizeof(*h));
    for (size_t i = 0; i < SMALL_SITES * N; i++) {
        h->elec[i] = 100.0;
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h->worth[s] = 90.0;
        h->inputs[s] = (struct hs_thermal_input){
            .slot_s = (double)SLOT_S,
            .captured_wh = h->captured_wh[s],
            .sink_demand_wh = h->demand_wh[s],
            .sink_cur_per_mwh = &h->worth[s],
            .reject_cur_per_wh = h->reject,
        };
    }
    h->frame = (struct hs_place_frame){
        .now_at_s = NOW, .from_at_s = FROM, .elec_cur_per_mwh = h->elec, .thermal = h->inputs};
}

static struct hs_place_job job_of(uint64_t id, enum hs_place_freedom freedom, double run_s,
                                  int64_t due_at_s)
{
    return (struct hs_place_job){.job_id = id,
                                 .freedom = freedom,
                                 .size = {.vcpus = 2, .memory_mib = 1024},
                                 .remaining_s = run_s,
                                 .due_at_s = due_at_s,
                                 .host_idx = SIZE_MAX};
}

static size_t count_slots(const struct hs_placement *placement)
{
    size_t n = 0;

    for (size_t t = 0; t < N; t++) {
        n += hs_plan_runs(placement, t);
    }
    return n;
}

static void place_plan__puts_work_where_heat_is_wanted(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_CONTIGUOUS, 2000.0, NOW + 40000);

    set_flat(&h);
    h.demand_wh[1][20] = 5000.0; /* the second site wants heat late */
    h.demand_wh[1][21] = 5000.0;
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), 1);

    assert_non_null(placement);
    assert_int_equal(small_estate()->hosts[placement->host_idx].site_idx, 1);
    /* Slots before fill the tank as well as slots 20 and 21 serve directly: no earlier gain. */
    assert_true(placement->last_slot <= 21);
    assert_false(placement->is_late);
}

static void place_plan__takes_the_cheapest_hours_that_end_in_time(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_CONTIGUOUS, 2000.0, FROM + 30 * SLOT_S);

    set_flat(&h);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h.elec[s * N + 10] = h.elec[s * N + 11] = 20.0;
        h.elec[s * N + 40] = h.elec[s * N + 41] = 1.0; /* cheaper still, and too late */
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), 1);

    assert_int_equal(placement->first_slot, 10);
    assert_int_equal(placement->last_slot, 11);
}

static void place_plan__splits_interruptible_work_over_cheap_slots(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_INTERRUPTIBLE, 3000.0, FROM + 30 * SLOT_S);

    set_flat(&h);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h.elec[s * N + 5] = h.elec[s * N + 9] = h.elec[s * N + 13] = 20.0;
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), 1);

    assert_true(hs_plan_runs(placement, 5) && hs_plan_runs(placement, 9)
                && hs_plan_runs(placement, 13));
    assert_int_equal(count_slots(placement), 3);
}

static void place_plan__starts_at_the_latest_start_whatever_it_costs(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_CONTIGUOUS, 2000.0, NOW + 2000);

    set_flat(&h);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h.elec[s * N] = h.elec[s * N + 1] = h.elec[s * N + 2] = 9000.0;
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), 1);

    assert_int_equal(placement->first_slot, 0);
    assert_true(placement->is_forced);
    assert_false(placement->is_late);
}

static void place_plan__is_late_only_where_no_plan_could_be_in_time(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_CONTIGUOUS, 5000.0, NOW + 2000);

    set_flat(&h);
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    const struct hs_plan *plan = hs_place_get_plan(place);

    assert_int_equal(plan->n_late, 1);
    assert_true(plan->placements[0].is_late);
    assert_int_equal(plan->placements[0].first_slot, 0); /* at once: the least late */
}

/* Ten jobs of two vCPUs, each due when a plain queue would just finish: all must be in time. */
static void place_plan__loses_no_deadline_that_as_soon_as_possible_meets(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[24];
    size_t at_once = SMALL_SITES * SMALL_HOST_VCPUS / 2;

    set_flat(&h);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        for (size_t t = 20; t < N; t++) {
            h.elec[s * N + t] = 1.0; /* tempts everything to wait */
        }
    }
    for (size_t i = 0; i < 24; i++) {
        int64_t round = (int64_t)(i / at_once) + 1;

        jobs[i] = job_of(i + 1, HS_PLACE_CONTIGUOUS, 3000.0, NOW + round * 4000 + 1000);
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 24);
    assert_int_equal(hs_place_get_plan(place)->n_late, 0);
}

static void place_plan__never_overcommits_vcpus_memory_or_rack_power(void **state)
{
    struct horizon h;
    const struct hs_estate *estate = small_estate();
    HS_AUTO(hs_place) place = hs_place_new(estate, N);
    struct hs_place_job jobs[60];
    struct hs_fit_size size = {.vcpus = 2, .memory_mib = 1024};

    set_flat(&h);
    for (size_t i = 0; i < 60; i++) {
        jobs[i] = job_of(i + 1, i % 2 == 0 ? HS_PLACE_CONTIGUOUS : HS_PLACE_INTERRUPTIBLE,
                         1500.0 + 100.0 * (double)i, NOW + 40000);
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 60);
    const struct hs_plan *plan = hs_place_get_plan(place);
    HS_AUTO(hs_fit) fit = hs_fit_new(estate, N);
    size_t n_placed = 0;

    for (size_t i = 0; i < plan->n_placements; i++) {
        const struct hs_placement *placement = &plan->placements[i];

        if (placement->host_idx == SIZE_MAX) {
            continue;
        }
        for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
            assert_true(!hs_plan_runs(placement, t)
                        || hs_fit_check_span(fit, placement->host_idx, &size, t, t));
        }
        assert_true(hs_fit_check_memory(fit, placement->host_idx, &size, placement->held_slot,
                                        placement->last_slot));
        hs_fit_take(fit, placement, &size);
        n_placed++;
    }
    assert_true(n_placed > 20);
}

/* One is suspended on host 0 and will run when it is cheap; the other starts now. Together they are
 * more than a host's memory. */
static void set_suspended_and_new(struct horizon *h, struct hs_place_job jobs[2])
{
    set_flat(h);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h->elec[s * N + 10] = h->elec[s * N + 11] = 20.0;
    }
    jobs[0] = job_of(1, HS_PLACE_INTERRUPTIBLE, 2000.0, FROM + 30 * SLOT_S);
    jobs[1] = job_of(2, HS_PLACE_AT_ONCE, 2000.0, NOW + 40000);
    jobs[0].host_idx = 0;
    jobs[0].size.memory_mib = jobs[1].size.memory_mib = 12000; /* of 16384 on a host */
}

/* Both keep their slots; the new one is on @host_idx. */
static void assert_new_one_is_on(struct hs_place *place, size_t host_idx)
{
    const struct hs_plan *plan = hs_place_get_plan(place);

    assert_int_equal(hs_plan_find(plan, 1)->first_slot, 10);
    assert_int_equal(hs_plan_find(plan, 2)->first_slot, 0);
    assert_int_equal(hs_plan_find(plan, 2)->host_idx, host_idx);
}

/* A suspended machine holds its memory until it is done: nobody may count on that room. */
static void place_plan__counts_a_suspended_machines_memory_from_now_on(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[2];

    set_suspended_and_new(&h, jobs);
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 2);
    assert_new_one_is_on(place, 1);
}

/* Saved to disk it holds none, and the other may have the host meanwhile. */
static void place_plan__counts_no_memory_of_what_is_saved_to_disk(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[2];

    set_suspended_and_new(&h, jobs);
    h.frame.frees_memory = true;
    hs_place_set(place, &h.frame);
    hs_place_bar(place, 1);
    hs_place_plan(place, jobs, 2);
    assert_new_one_is_on(place, 0);
}

/* Its estimate is longer than its time: it has none to lose, whatever was promised. */
static void place_refresh__gives_what_cannot_be_in_time_an_earlier_place(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_INTERRUPTIBLE, 4000.0, NOW + 4000);
    struct hs_placement promised;

    set_flat(&h);
    job.is_hopeless = true;
    job.host_idx = 0;
    hs_place_set(place, &h.frame);
    hs_place_reserve_slots(place, 0, &(struct hs_fit_size){.vcpus = SMALL_HOST_VCPUS}, 0, 9);
    hs_place_plan(place, &job, 1);
    promised = *hs_plan_find(hs_place_get_plan(place), 1);
    assert_int_equal(promised.first_slot, 10);
    job.last = &promised;
    job.last_from_at_s = FROM;
    hs_place_set(place, &h.frame);
    hs_place_refresh(place, &job, 1);
    assert_int_equal(hs_plan_find(hs_place_get_plan(place), 1)->first_slot, 0);
}

/* What the last plan promised holds where choosing anew would make somebody late. */
static void place_refresh__keeps_a_promise_that_a_new_choice_would_break(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[3];
    struct hs_placement promised[3];

    set_flat(&h);
    for (size_t i = 0; i < 3; i++) {
        jobs[i] = job_of(i + 1, HS_PLACE_CONTIGUOUS, 3000.0, FROM + 20 * SLOT_S);
        jobs[i].size.vcpus = SMALL_HOST_VCPUS;
    }
    hs_place_set(place, &h.frame);
    hs_place_bar(place, 1);
    hs_place_plan(place, jobs, 3);
    memcpy(promised, hs_place_get_plan(place)->placements, sizeof(promised));
    assert_int_equal(hs_place_get_plan(place)->n_late, 0);
    /* A suspended machine, bound to the host, would now like the cheapest slots for itself. */
    struct hs_place_job more[4] = {jobs[0], jobs[1], jobs[2],
                                   job_of(4, HS_PLACE_INTERRUPTIBLE, 3000.0, FROM + 40 * SLOT_S)};

    more[3].size.vcpus = SMALL_HOST_VCPUS;
    more[3].host_idx = 0;
    for (size_t i = 0; i < 3; i++) {
        more[i].last = &promised[i];
        more[i].last_from_at_s = FROM;
        more[i].due_at_s = FROM + (int64_t)(promised[i].last_slot + 1) * SLOT_S;
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        for (size_t t = 0; t < 12; t++) {
            h.elec[s * N + t] = 10.0;
        }
    }
    hs_place_set(place, &h.frame);
    hs_place_bar(place, 1);
    hs_place_refresh(place, more, 4);
    const struct hs_plan *plan = hs_place_get_plan(place);

    assert_int_equal(plan->n_late, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hs_plan_find(plan, promised[i].job_id)->first_slot,
                         promised[i].first_slot);
    }
}

static void place_plan__runs_filler_only_where_its_heat_pays(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_FILLER, 2000.0, NOW + 40000);

    set_flat(&h);
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    assert_true(hs_plan_find(hs_place_get_plan(place), 1)->host_idx == SIZE_MAX);
    h.demand_wh[0][8] = h.demand_wh[0][9] = 5000.0;
    h.worth[0] = 400.0; /* a dear backup: heat is worth more than the electricity */
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    assert_true(hs_plan_find(hs_place_get_plan(place), 1)->host_idx != SIZE_MAX);
}

static void place_plan__runs_filler_up_to_its_ceiling(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_FILLER, 2000.0, NOW + 40000);

    set_flat(&h); /* electricity at 100, and heat that nobody wants */
    hs_place_set(place, &h.frame);
    job.ceiling_cur_per_mwh = 50.0;
    hs_place_plan(place, &job, 1);
    assert_true(hs_plan_find(hs_place_get_plan(place), 1)->host_idx == SIZE_MAX);
    job.ceiling_cur_per_mwh = 150.0;
    hs_place_plan(place, &job, 1);
    assert_true(hs_plan_find(hs_place_get_plan(place), 1)->host_idx != SIZE_MAX);
}

static void place_plan__leaves_hosts_that_do_not_answer_alone(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = job_of(1, HS_PLACE_CONTIGUOUS, 2000.0, NOW + 40000);

    set_flat(&h);
    h.demand_wh[0][0] = 50000.0;
    hs_place_set(place, &h.frame);
    hs_place_bar(place, 0);
    hs_place_plan(place, &job, 1);
    assert_int_equal(hs_plan_find(hs_place_get_plan(place), 1)->host_idx, 1);
}

static void place_plan__of_the_same_input_is_the_same_plan(void **state)
{
    struct horizon h;
    struct hs_place_job jobs[20];
    struct hs_placement first[20];
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    set_flat(&h);
    h.demand_wh[0][12] = 9000.0;
    for (size_t i = 0; i < 20; i++) {
        jobs[i] = job_of(i + 1, i % 3 == 0 ? HS_PLACE_INTERRUPTIBLE : HS_PLACE_CONTIGUOUS,
                         1000.0 + 77.0 * (double)i, NOW + 40000);
    }
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 20);
    memcpy(first, hs_place_get_plan(place)->placements, sizeof(first));
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 20);
    assert_memory_equal(first, hs_place_get_plan(place)->placements, sizeof(first));
}

static void place__a_suspend_that_costs_more_than_it_saves_is_not_planned(void **state)
{
    for (int is_dear = 0; is_dear < 2; is_dear++) {
        struct horizon h;
        HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
        struct hs_place_job job = job_of(1, HS_PLACE_INTERRUPTIBLE, 1900, FROM + 20 * SLOT_S);

        set_flat(&h);
        for (size_t s = 0; s < SMALL_SITES; s++) {
            h.elec[s * N + 1] = 200.0;
        }
        /* running: past the dear slot it saves 1000 s x 100; a stop is 300 s x 100 at least */
        job.is_running = true;
        job.host_idx = 0;
        h.frame.suspend_s = is_dear ? 3000 : 0;
        hs_place_set(place, &h.frame);
        hs_place_plan(place, &job, 1);
        const struct hs_placement *placement = &hs_place_get_plan(place)->placements[0];

        assert_int_equal(hs_plan_runs(placement, 0) && hs_plan_runs(placement, 1), is_dear);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_plan__puts_work_where_heat_is_wanted),
        cmocka_unit_test(place_plan__takes_the_cheapest_hours_that_end_in_time),
        cmocka_unit_test(place_plan__splits_interruptible_work_over_cheap_slots),
        cmocka_unit_test(place_plan__starts_at_the_latest_start_whatever_it_costs),
        cmocka_unit_test(place_plan__is_late_only_where_no_plan_could_be_in_time),
        cmocka_unit_test(place_plan__loses_no_deadline_that_as_soon_as_possible_meets),
        cmocka_unit_test(place_plan__never_overcommits_vcpus_memory_or_rack_power),
        cmocka_unit_test(place_plan__counts_a_suspended_machines_memory_from_now_on),
        cmocka_unit_test(place_plan__counts_no_memory_of_what_is_saved_to_disk),
        cmocka_unit_test(place_refresh__gives_what_cannot_be_in_time_an_earlier_place),
        cmocka_unit_test(place_refresh__keeps_a_promise_that_a_new_choice_would_break),
        cmocka_unit_test(place_plan__runs_filler_only_where_its_heat_pays),
        cmocka_unit_test(place_plan__runs_filler_up_to_its_ceiling),
        cmocka_unit_test(place_plan__leaves_hosts_that_do_not_answer_alone),
        cmocka_unit_test(place_plan__of_the_same_input_is_the_same_plan),
        cmocka_unit_test(place__a_suspend_that_costs_more_than_it_saves_is_not_planned),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
