/* SPDX-License-Identifier: Apache-2.0 */
/* Work that may be stopped, but not before its shortest run is over: whatever else comes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/place.h"
#include "tests/unit/core/small_estate.h"

#define N      24
#define FROM   INT64_C(1700000000)
#define SLOT_S INT64_C(1000)

struct horizon {
    double elec[SMALL_SITES * N];
    double zeros[N];
    double worth[1];
    struct hs_thermal_input inputs[SMALL_SITES];
    struct hs_place_frame frame;
};

/* Electricity is dear now and cheap from @cheap_from on. */
static void set_dear_now(struct horizon *h, size_t cheap_from)
{
    memset(h, 0, sizeof(*h));
    for (size_t i = 0; i < SMALL_SITES * N; i++) {
        h->elec[i] = i % N < cheap_from ? 200.0 : 20.0;
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h->inputs[s] = (struct hs_thermal_input){.slot_s = (double)SLOT_S,
                                                 .captured_wh = h->zeros,
                                                 .sink_demand_wh = h->zeros,
                                                 .sink_cur_per_mwh = h->worth,
                                                 .reject_cur_per_wh = h->zeros};
    }
    h->frame = (struct hs_place_frame){
        .now_at_s = FROM, .from_at_s = FROM, .elec_cur_per_mwh = h->elec, .thermal = h->inputs};
}

/* It fills host 0, runs, and its shortest run is not over. */
static struct hs_place_job going_on(double run_slots, int64_t due_slot)
{
    return (struct hs_place_job){.job_id = 1,
                                 .freedom = HS_PLACE_INTERRUPTIBLE,
                                 .size = {.vcpus = SMALL_HOST_VCPUS, .memory_mib = 1024},
                                 .remaining_s = run_slots * (double)SLOT_S,
                                 .due_at_s = FROM + due_slot * SLOT_S,
                                 .min_run_s = SLOT_S,
                                 .is_running = true,
                                 .must_run_now = true,
                                 .host_idx = 0};
}

static bool runs_now(struct hs_place *place, uint64_t job_id)
{
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), job_id);

    assert_non_null(placement);
    return placement->host_idx != SIZE_MAX && hs_plan_runs(placement, 0);
}

static void go_on__gives_way_to_nothing_that_starts_at_once(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[2] = {going_on(2, 20), going_on(2, 3)};

    jobs[1].job_id = 2;
    jobs[1].freedom = HS_PLACE_AT_ONCE;
    jobs[1].is_running = jobs[1].must_run_now = false;
    jobs[1].host_idx = SIZE_MAX;
    set_dear_now(&h, 0);
    hs_place_set(place, &h.frame);
    hs_place_bar(place, 1);
    hs_place_plan(place, jobs, 2);
    assert_true(runs_now(place, 1));
    assert_false(runs_now(place, 2));
}

static void go_on__holds_for_work_longer_than_the_horizon(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = going_on(2 * N, 8 * N);

    set_dear_now(&h, N / 2);
    hs_place_set(place, &h.frame);
    hs_place_plan(place, &job, 1);
    assert_true(runs_now(place, 1));
}

/* Late as it is, it would run through sooner or later: now, and the rest when there is room. */
static void go_on__holds_for_work_that_is_late(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = going_on(4, -1);
    const struct hs_fit_size all = {.vcpus = SMALL_HOST_VCPUS};

    set_dear_now(&h, 0);
    hs_place_set(place, &h.frame);
    hs_place_reserve_slots(place, 0, &all, 2, 3);
    hs_place_plan(place, &job, 1);
    assert_true(runs_now(place, 1));
}

/* A limit leaves power for one: it is what cannot stop that runs. */
static void go_on__gives_way_to_what_cannot_stop(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job jobs[2] = {going_on(2, 20), going_on(6, 20)};

    jobs[1].job_id = 2;
    jobs[1].freedom = HS_PLACE_FIXED;
    jobs[1].must_run_now = false;
    jobs[0].size.vcpus = jobs[1].size.vcpus = SMALL_HOST_VCPUS / 2; /* 200 W each, and 100 W idle */
    set_dear_now(&h, 0);
    hs_place_set(place, &h.frame);
    hs_place_cap_slots(place, HS_FIT_SITE, 0, 350.0, 0, 5);
    hs_place_plan(place, jobs, 2);
    assert_true(runs_now(place, 2));
    assert_false(runs_now(place, 1));
}

static void go_on__lasts_until_its_host_is_closed(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);
    struct hs_place_job job = going_on(2 * N, 8 * N);

    set_dear_now(&h, 0);
    hs_place_set(place, &h.frame);
    hs_place_close_slots(place, 0, 5, 8);
    hs_place_plan(place, &job, 1);

    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), 1);

    for (size_t t = 0; t < N; t++) {
        assert_int_equal(hs_plan_runs(placement, t), t < 5 || t > 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_on__gives_way_to_nothing_that_starts_at_once),
        cmocka_unit_test(go_on__holds_for_work_longer_than_the_horizon),
        cmocka_unit_test(go_on__holds_for_work_that_is_late),
        cmocka_unit_test(go_on__gives_way_to_what_cannot_stop),
        cmocka_unit_test(go_on__lasts_until_its_host_is_closed),
    };

    return cmocka_run_group_tests_name("place_go_on", tests, NULL, NULL);
}
