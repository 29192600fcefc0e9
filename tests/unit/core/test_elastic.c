/* SPDX-License-Identifier: Apache-2.0 */
/* Work whose share is chosen by slot: as cheap as any choice, and never beyond what it bears. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/place.h"
#include "tests/support/near.h"
#include "tests/support/planvalid.h"
#include "tests/unit/core/small_estate.h"

#define N_MAX  48
#define FROM   INT64_C(1700000000)
#define SLOT_S INT64_C(1000)

struct horizon {
    size_t n;
    double elec[SMALL_SITES * N_MAX];
    double captured_wh[SMALL_SITES][N_MAX];
    double demand_wh[SMALL_SITES][N_MAX];
    double worth[SMALL_SITES];
    double reject[N_MAX];
    struct hs_thermal_input inputs[SMALL_SITES];
    struct hs_place_frame frame;
};

static void set_flat(struct horizon *h, size_t n)
{
    memset(h, 0, sizeof(*h));
    h->n = n;
    for (size_t i = 0; i < SMALL_SITES * n; i++) {
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
        .now_at_s = FROM, .from_at_s = FROM, .elec_cur_per_mwh = h->elec, .thermal = h->inputs};
}

static struct hs_place_job elastic_job(enum hs_place_freedom freedom, double slots, size_t due_slot)
{
    return (struct hs_place_job){.job_id = 1,
                                 .freedom = freedom,
                                 .size = {.vcpus = 4, .memory_mib = 1024},
                                 .remaining_s = slots * (double)SLOT_S,
                                 .due_at_s = FROM + (int64_t)due_slot * SLOT_S,
                                 .share_min = 1,
                                 .share_max = 4,
                                 .host_idx = SIZE_MAX};
}

static struct planvalid_report check(const struct horizon *h, const struct hs_place_job *job,
                                     const struct hs_placement *placement)
{
    struct planvalid_report report;
    const struct planvalid_case valid = {
        .estate = small_estate(), .frame = &h->frame, .n_slots = h->n, .jobs = job, .n_jobs = 1};

    planvalid_check(&valid, placement, 1, &report);
    return report;
}

static struct hs_placement plan_one(const struct horizon *h, const struct hs_place_job *job)
{
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), h->n);
    struct planvalid_report report;
    const struct planvalid_case valid = {
        .estate = small_estate(), .frame = &h->frame, .n_slots = h->n, .jobs = job, .n_jobs = 1};

    hs_place_set(place, &h->frame);
    hs_place_plan(place, job, 1);
    const struct hs_plan *plan = hs_place_get_plan(place);

    if (hs_plan_is_cut(&plan->placements[0])) { /* a plan counts others' last slots whole */
        planvalid_check_plan(&valid, plan, &report);
    } else {
        planvalid_check(&valid, plan->placements, 1, &report);
    }
    assert_string_equal(report.why, "");
    assert_int_equal(report.n_missed, 0);
    return *hs_plan_find(plan, 1);
}

static void elastic__runs_slowly_through_dear_hours(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_CONTIGUOUS, 4.25, 20);

    set_flat(&h, N_MAX);
    for (size_t t = 0; t < N_MAX; t++) {
        h.elec[t] = h.elec[N_MAX + t] = t == 5 || t == 6 || t == 8 || t == 9 ? 20.0 : 200.0;
    }
    const struct hs_placement placement = plan_one(&h, &job);

    assert_int_equal(placement.first_slot, 5);
    assert_int_equal(hs_plan_get_cut(&placement, 5), 0);
    assert_int_equal(hs_plan_get_cut(&placement, 7), 3); /* dear: as little as it bears */
    assert_true(hs_plan_runs(&placement, 7));            /* and it does not stop */
    assert_int_equal(placement.last_slot, 9);
}

static void elastic__needs_no_share_where_nothing_is_gained(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_CONTIGUOUS, 4, 20);

    set_flat(&h, N_MAX);
    const struct hs_placement placement = plan_one(&h, &job);

    assert_false(hs_plan_is_cut(&placement));
    assert_int_equal(hs_plan_count_runs(&placement), 4);
}

static void elastic__is_throttled_while_it_runs_and_cannot_stop(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_FIXED, 4, 20);

    job.host_idx = 0;
    job.is_running = true;
    set_flat(&h, N_MAX);
    for (size_t t = 0; t < 3; t++) {
        h.elec[t] = 300.0;
    }
    const struct hs_placement placement = plan_one(&h, &job);

    assert_int_equal(placement.first_slot, 0);
    assert_int_equal(hs_plan_get_cut(&placement, 0), 3);
    assert_int_equal(hs_plan_get_cut(&placement, 2), 3);
    assert_int_equal(hs_plan_get_cut(&placement, 4), 0);
}

static void elastic__does_not_run_slower_than_its_due_time_allows(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_FIXED, 4, 6);

    job.host_idx = 0;
    job.is_running = true;
    set_flat(&h, N_MAX);
    for (size_t t = 0; t < 3; t++) {
        h.elec[t] = 300.0;
    }
    const struct hs_placement placement = plan_one(&h, &job);

    assert_false(placement.is_late);
    assert_true(placement.last_slot <= 5);
    assert_true(hs_plan_is_cut(&placement)); /* a slot of slack is used, no more */
}

static void elastic__keeps_to_its_own_bounds(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_FIXED, 4, 30);

    job.host_idx = 0;
    job.is_running = true;
    job.share_min = 2;
    job.share_max = 3;
    set_flat(&h, N_MAX);
    for (size_t t = 0; t < 3; t++) {
        h.elec[t] = 300.0;
    }
    const struct hs_placement placement = plan_one(&h, &job);

    assert_int_equal(hs_plan_get_cut(&placement, 0), 1); /* two quarters of three */
    assert_int_equal(hs_plan_get_cut(&placement, 5), 0);
}

/* Looking again and finding nothing better leaves the plan's power as it was. */
static void elastic__draws_what_its_shares_draw(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N_MAX);
    const bool only[SMALL_SITES][SMALL_SITES] = {{true, false}, {false, true}};
    struct hs_place_job jobs[6];
    double it_w = 0.0;
    double want_w = 0.0;

    for (size_t j = 0; j < 6; j++) {
        jobs[j] = elastic_job(HS_PLACE_CONTIGUOUS, 4, 12);
        jobs[j].job_id = j + 1;
        jobs[j].size.vcpus = 2;
        jobs[j].site_allowed = only[j % 2];
        jobs[j].share_min = jobs[j].share_max = 2;
    }
    set_flat(&h, N_MAX);
    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 6);
    for (size_t i = 0; i < SMALL_SITES * N_MAX; i++) {
        it_w += hs_place_get_plan(place)->it_w[i];
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        want_w += hs_host_elec_w(&small_estate()->hosts[s], 0.0) * N_MAX;
    }
    want_w += hs_host_elec_w_per_vcpu(&small_estate()->hosts[0]) * 2.0 / 2.0 * 4.0 * 6.0;
    assert_near(it_w, want_w, 1e-6);
}

static void elastic__keeps_its_shares_in_a_refresh(void **state)
{
    struct horizon h;
    struct hs_place_job job = elastic_job(HS_PLACE_FIXED, 4, 20);
    struct hs_placement last;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N_MAX);

    job.host_idx = 0;
    job.is_running = true;
    set_flat(&h, N_MAX);
    h.elec[0] = h.elec[1] = h.elec[2] = 300.0;
    last = plan_one(&h, &job);
    job.last = &last;
    job.last_from_at_s = FROM;
    job.remaining_s -= (double)SLOT_S / 4;
    memmove(h.elec, h.elec + 1, (N_MAX - 1) * sizeof(double));
    h.frame.now_at_s = h.frame.from_at_s = FROM + SLOT_S;
    hs_place_set(place, &h.frame);
    hs_place_refresh(place, &job, 1);
    const struct hs_placement *now = hs_plan_find(hs_place_get_plan(place), 1);

    for (size_t t = 0; t < now->last_slot; t++) {
        assert_int_equal(hs_plan_get_cut(now, t), hs_plan_get_cut(&last, t + 1));
    }
}

/* --- against every choice there is --- */

#define N_BRUTE 6

static unsigned seed;

static double draw(double most)
{
    seed = seed * 1664525U + 1013904223U;
    return most * (double)(seed >> 8) / (double)(1U << 24);
}

/* Quarters in each slot as the digits of @pattern to base 5. @return false if that is no run */
static bool set_pattern(unsigned pattern, enum hs_place_freedom freedom, size_t host_idx,
                        unsigned n_quarters, struct hs_placement *ret_placement)
{
    unsigned sum = 0;

    *ret_placement =
        (struct hs_placement){.job_id = 1, .host_idx = host_idx, .first_slot = SIZE_MAX};
    for (size_t t = 0; t < N_BRUTE; t++, pattern /= 5) {
        unsigned quarters = pattern % 5;

        if (quarters == 0) {
            continue;
        }
        if (freedom == HS_PLACE_CONTIGUOUS && ret_placement->first_slot != SIZE_MAX
            && ret_placement->last_slot + 1 != t) {
            return false;
        }
        sum += quarters;
        ret_placement->slots[0] |= UINT64_C(1) << t;
        hs_plan_set_cut(ret_placement, t, 4 - quarters);
        ret_placement->first_slot =
            ret_placement->first_slot == SIZE_MAX ? t : ret_placement->first_slot;
        ret_placement->last_slot = t;
    }
    ret_placement->held_slot = ret_placement->first_slot;
    return sum == n_quarters;
}

static double find_least_cur(const struct horizon *h, const struct hs_place_job *job,
                             unsigned n_quarters)
{
    double least_cur = INFINITY;

    for (unsigned pattern = 1; pattern < 5 * 5 * 5 * 5 * 5;
         pattern++) { /* the last slot is margin */
        for (size_t host_idx = 0; host_idx < SMALL_SITES; host_idx++) {
            struct hs_placement placement;

            if (set_pattern(pattern, job->freedom, host_idx, n_quarters, &placement)) {
                struct planvalid_report report = check(h, job, &placement);

                assert_string_equal(report.why, "");
                least_cur = fmin(least_cur, report.cost_cur);
            }
        }
    }
    return least_cur;
}

static void check_brute(enum hs_place_freedom freedom, unsigned first_seed)
{
    double sum_cur = 0.0;
    double least_cur = 0.0;
    double full_cur = 0.0;

    for (unsigned i = 0; i < 24; i++) {
        struct horizon h;
        unsigned n_quarters = 4 + i % 7;
        struct hs_place_job job = elastic_job(freedom, n_quarters / 4.0, N_BRUTE);
        struct hs_place_job full = job;

        seed = first_seed + i;
        full.share_min = 4;
        set_flat(&h, N_BRUTE);
        for (size_t t = 0; t < SMALL_SITES * N_BRUTE; t++) {
            h.elec[t] = 20.0 + draw(150.0);
            h.demand_wh[t / N_BRUTE][t % N_BRUTE] = draw(60.0);
        }
        for (size_t s = 0; s < SMALL_SITES; s++) {
            h.inputs[s].tank_wh = draw(28000.0); /* up to full, where heat is dumped */
        }
        const struct hs_placement placement = plan_one(&h, &job);
        const struct hs_placement at_full = plan_one(&h, &full);

        sum_cur += check(&h, &job, &placement).cost_cur;
        full_cur += check(&h, &full, &at_full).cost_cur;
        least_cur += find_least_cur(&h, &job, n_quarters);
    }
    print_message("%.6f, of all choices %.6f, at full share %.6f\n", sum_cur, least_cur, full_cur);
    assert_true(sum_cur <= least_cur + 0.005 * fabs(least_cur));
    assert_true(sum_cur < full_cur);
}

static void elastic__costs_no_more_than_any_run_there_is(void **state)
{
    check_brute(HS_PLACE_CONTIGUOUS, 1);
}

static void elastic__costs_no_more_than_any_stretches_there_are(void **state)
{
    check_brute(HS_PLACE_INTERRUPTIBLE, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elastic__runs_slowly_through_dear_hours),
        cmocka_unit_test(elastic__needs_no_share_where_nothing_is_gained),
        cmocka_unit_test(elastic__is_throttled_while_it_runs_and_cannot_stop),
        cmocka_unit_test(elastic__does_not_run_slower_than_its_due_time_allows),
        cmocka_unit_test(elastic__keeps_to_its_own_bounds),
        cmocka_unit_test(elastic__draws_what_its_shares_draw),
        cmocka_unit_test(elastic__keeps_its_shares_in_a_refresh),
        cmocka_unit_test(elastic__costs_no_more_than_any_run_there_is),
        cmocka_unit_test(elastic__costs_no_more_than_any_stretches_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
