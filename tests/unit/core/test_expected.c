/* SPDX-License-Identifier: Apache-2.0 */
/* Work to come, laid over two loops, and what a cycle makes of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "scheduler/core/expected.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START   INT64_C(1700000000) /* a multiple of the 1000 s slot */
#define N_SLOTS 48
#define SLOT_S  1000

static const double *all_free(void)
{
    static double free_vcpus[SMALL_SITES * N_SLOTS];

    for (size_t i = 0; i < SMALL_SITES * N_SLOTS; i++) {
        free_vcpus[i] = SMALL_HOST_VCPUS;
    }
    return free_vcpus;
}

static double sum_vcpu_s(const struct hs_expected *expected, size_t first, size_t end)
{
    double sum = 0.0;

    for (size_t l = 0; l < SMALL_SITES; l++) {
        for (size_t t = first; t < end; t++) {
            double vcpus = hs_expected_get_vcpus(expected, l, START + (int64_t)t * SLOT_S);

            assert_true(vcpus >= 0.0 && vcpus <= SMALL_HOST_VCPUS + 1e-9);
            sum += vcpus * SLOT_S;
        }
    }
    return sum;
}

static void expected__runs_as_it_comes_for_its_typical_run(void **state)
{
    HS_AUTO(hs_expected) expected = hs_expected_new(small_estate(), N_SLOTS);
    const struct hs_arrivals_bucket bucket = {.release_at_s = START + 10 * SLOT_S,
                                              .due_at_s = START + 40 * SLOT_S,
                                              .run_s = 5 * SLOT_S,
                                              .work_vcpu_s = 10 * SLOT_S};

    hs_expected_lay(expected, START, all_free(), &bucket, 1);
    assert_near(sum_vcpu_s(expected, 10, 15), 10 * SLOT_S, 1e-6);
    assert_near(sum_vcpu_s(expected, 0, N_SLOTS), 10 * SLOT_S, 1e-6);
    /* two vCPUs, shared by two loops that have the same room */
    assert_near(hs_expected_get_vcpus(expected, 1, START + 12 * SLOT_S), 1, 1e-9);
    assert_near(hs_expected_get_elec_w(expected, 1, START + 12 * SLOT_S), 400.0 / SMALL_HOST_VCPUS,
                1e-9);
    assert_near(hs_expected_get_heat_w(expected, 1, START + 12 * SLOT_S), 320.0 / SMALL_HOST_VCPUS,
                1e-9);
}

static void expected__goes_on_after_its_run_where_room_was_short(void **state)
{
    HS_AUTO(hs_expected) expected = hs_expected_new(small_estate(), N_SLOTS);
    const double both_vcpus = 2.0 * SMALL_HOST_VCPUS;
    struct hs_arrivals_bucket bucket = {.release_at_s = START + 10 * SLOT_S,
                                        .due_at_s = START + 20 * SLOT_S,
                                        .run_s = 2 * SLOT_S,
                                        .work_vcpu_s = 5.0 * SLOT_S * both_vcpus};

    hs_expected_lay(expected, START, all_free(), &bucket, 1);
    assert_near(sum_vcpu_s(expected, 10, 15), 5.0 * SLOT_S * both_vcpus, 1e-6);
    assert_near(sum_vcpu_s(expected, 15, N_SLOTS), 0, 1e-6);

    bucket.work_vcpu_s =
        50.0 * SLOT_S * both_vcpus; /* more than there is room for until it is due */
    hs_expected_lay(expected, START, all_free(), &bucket, 1);
    assert_near(sum_vcpu_s(expected, 10, 20), 10.0 * SLOT_S * both_vcpus, 1e-6);
    assert_near(sum_vcpu_s(expected, 20, N_SLOTS), 0, 1e-6);
}

static void expected__past_the_horizon_is_not_seen(void **state)
{
    HS_AUTO(hs_expected) expected = hs_expected_new(small_estate(), N_SLOTS);
    const struct hs_arrivals_bucket buckets[] = {
        {.release_at_s = START + 38 * SLOT_S,
         .due_at_s = START + 158 * SLOT_S,
         .run_s = 20 * SLOT_S,
         .work_vcpu_s = 40 * SLOT_S},
        {.release_at_s = START + 48 * SLOT_S,
         .due_at_s = START + 58 * SLOT_S,
         .run_s = SLOT_S,
         .work_vcpu_s = 40 * SLOT_S},
    };

    hs_expected_lay(expected, START, all_free(), buckets, 2);
    assert_near(sum_vcpu_s(expected, 38, N_SLOTS), 20 * SLOT_S, 1e-6);
    assert_near(sum_vcpu_s(expected, 0, 38), 0, 0);
}

/* --- in the cycle --- */

struct world {
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    struct hs_series *price;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
};

static void push_job(struct world *w, uint64_t id, int64_t at_s, uint32_t vcpus, int64_t run_s,
                     int64_t due_at_s)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    job->vcpus = vcpus;
    job->memory_mib = 64;
    job->duration_s = run_s;
    job->due_at_s = due_at_s;
    job->submitted_at_s = at_s;
    job->since_at_s = at_s;
    job->state = HS_JOB_WAITING;
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    assert_int_equal(hs_cycle_check_job(w->cycle, job, at_s, cannot_meet, NULL), 0);
    (void)HS_VEC_PUSH(&w->events,
                      ((struct hs_event){.kind = HS_EVENT_JOB, .at_s = at_s, .job = job}));
}

static void push_demand(struct world *w, int64_t at_s)
{
    for (size_t k = 0; k < SMALL_SITES; k++) {
        (void)HS_VEC_PUSH(&w->events,
                          ((struct hs_event){
                              .kind = HS_EVENT_READING,
                              .at_s = at_s,
                              .reading = {.point = {.kind = HS_POINT_DEMAND_HEAT_W, .thing_idx = k},
                                          .value = 230.0,
                                          .taken_at_s = at_s,
                                          .received_at_s = at_s,
                                          .quality = HS_QUALITY_GOOD}}));
    }
}

static void step_at(struct world *w, int64_t at_s)
{
    hs_cycle_step(w->cycle, at_s, w->events.items, w->events.n, &w->decision);
    w->events.n = 0;
}

/*
 * Power is dear now and cheaper from slot 20 on; heat is wanted all the time and held nowhere.
 * After an hour in which @n_others requests came (and were taken back), does a job start at once?
 */
static bool starts_at_once(int n_others)
{
    const struct hs_estate *estate = small_estate();
    struct world w = {.policy = hs_policy_new(), .price = hs_series_new()};

    for (size_t l = 0; l < SMALL_SITES; l++) {
        estate->loops[l].tank.present = false;
    }
    w.cycle = hs_cycle_new(&(struct hs_cycle_options){
        .estate = estate, .policy = w.policy, .n_slots = N_SLOTS, .now_at_s = START});
    hs_series_add(w.price, START - SLOT_S, 100.0);
    hs_series_add(w.price, START + 24 * SLOT_S, 60.0);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        hs_cycle_set_signal(w.cycle, s, HS_SIGNAL_PRICE, w.price);
        (void)HS_VEC_PUSH(
            &w.events,
            ((struct hs_event){.kind = HS_EVENT_HOST_LISTED, .at_s = START, .host_idx = s}));
    }
    push_demand(&w, START);
    for (int i = 0; i < n_others; i++) {
        uint64_t id = (uint64_t)i + 1;

        push_job(&w, id, START, 4, 4000, START + 40 * SLOT_S);
        (void)HS_VEC_PUSH(
            &w.events, ((struct hs_event){.kind = HS_EVENT_CANCEL, .at_s = START, .job_id = id}));
    }
    step_at(&w, START);
    push_demand(&w, START + 4 * SLOT_S);
    push_job(&w, 1000, START + 4 * SLOT_S, 2, 2000, START + 200 * SLOT_S);
    step_at(&w, START + 4 * SLOT_S);
    bool starts = w.decision.n_actions > 0;

    hs_cycle_free(w.cycle);
    hs_policy_free(w.policy);
    hs_series_free(w.price);
    HS_VEC_FINI(&w.events);
    return starts;
}

static void expected__a_job_runs_now_where_later_heat_will_come_from_others(void **state)
{
    assert_false(starts_at_once(0));
    assert_true(starts_at_once(144)); /* one hour of a day is seen, so a 24th of it is believed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expected__runs_as_it_comes_for_its_typical_run),
        cmocka_unit_test(expected__goes_on_after_its_run_where_room_was_short),
        cmocka_unit_test(expected__past_the_horizon_is_not_seen),
        cmocka_unit_test(expected__a_job_runs_now_where_later_heat_will_come_from_others),
    };
    return cmocka_run_group_tests_name("expected", tests, NULL, NULL);
}
