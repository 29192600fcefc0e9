/* SPDX-License-Identifier: Apache-2.0 */
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
#include "scheduler/core/fit.h"
#include "tests/support/near.h"
#include "tests/unit/core/certcase.h"

#define N_CASES 300
#define N_TINY  200

static int compare_reals(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static double find_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare_reals);
    return values[n / 2];
}

/* --- against the planner --- */

static void certificate_bound__is_below_every_plan_of_the_planner(void **state)
{
    static double gaps[N_CASES];
    size_t n_gaps = 0;

    for (uint64_t seed = 0; seed < certcase_count(N_CASES); seed++) {
        static struct certcase f;

        certcase_fill(&f, seed, 1 + seed % CERTCASE_JOBS, 5);
        HS_AUTO(hs_certificate) cert = certcase_start(&f);
        HS_AUTO(hs_place) place = hs_place_new(&f.estate, CERTCASE_SLOTS);

        hs_place_set(place, &f.frame);
        hs_place_plan(place, f.jobs, f.n_jobs);
        const struct hs_plan *plan = hs_place_get_plan(place);
        double cost_cur = hs_certificate_get_cost(cert, plan->placements, plan->n_placements);

        hs_certificate_set_prices(cert, plan->heat_cur_per_mwh);
        double first_cur = hs_certificate_improve(cert, cost_cur, 1);
        double bound_cur = hs_certificate_improve(cert, cost_cur, 60);

        assert_true(isfinite(cost_cur) && isfinite(first_cur));
        assert_true(bound_cur >= first_cur);
        if (bound_cur > cost_cur + 1e-9 * fabs(cost_cur) + 1e-12) {
            print_error("case %u: bound %.9g, cost %.9g\n", (unsigned)seed, bound_cur, cost_cur);
        }
        assert_true(bound_cur <= cost_cur + 1e-9 * fabs(cost_cur) + 1e-12);
        if (bound_cur > 0) {
            gaps[n_gaps++] = hs_certificate_get_gap_ratio(cost_cur, bound_cur);
        }
    }
    print_message("planner: median gap %.4f over %zu\n", find_median(gaps, n_gaps), n_gaps);
}

/* --- prices --- */

static void certificate_prices__are_those_that_gave_the_best_bound(void **state)
{
    static struct certcase f;

    certcase_fill(&f, 11, CERTCASE_JOBS, 5);
    for (size_t i = 0; i < CERTCASE_HOSTS; i++) { /* so little room that it has its price */
        f.racks[i % CERTCASE_LOOPS].limit_w = 400;
    }
    HS_AUTO(hs_certificate) cert = certcase_start(&f);
    double bound_cur = hs_certificate_improve(cert, INFINITY, 60);
    double room_cur = 0.0;

    for (size_t i = 0; i < CERTCASE_LOOPS * CERTCASE_SLOTS; i++) {
        assert_true(hs_certificate_get_heat_prices(cert)[i] <= 250e-6);
        assert_true(hs_certificate_get_room_prices(cert)[i] >= 0);
        room_cur += hs_certificate_get_room_prices(cert)[i];
    }
    assert_true(room_cur > 0);
    hs_certificate_set(cert, &f.frame); /* the same horizon again: one step finds the same bound */
    hs_certificate_set_jobs(cert, f.jobs, f.n_jobs);
    assert_near(hs_certificate_improve(cert, INFINITY, 1), bound_cur, 1e-9 * fabs(bound_cur));
}

/* --- against the best of all plans --- */

/* All ways to place one job, and what has been found so far. */
struct hunt {
    const struct certcase *f;
    struct hs_certificate *cert;
    struct hs_fit *fit;
    struct hs_placement placements[CERTCASE_JOBS];
    double best_cur;
    size_t n_plans;
};

static void hunt_on(struct hunt *hunt, size_t j);

static void set_slots(struct hs_placement *placement, uint64_t slots)
{
    placement->slots[0] = slots;
    placement->first_slot = (size_t)__builtin_ctzll(slots);
    placement->last_slot = 63 - (size_t)__builtin_clzll(slots);
    placement->held_slot = placement->first_slot;
}

/* May the job run in just these slots: not before its time, not in parts, no slot too many? */
static bool is_sound(const struct certcase *f, const struct hs_place_job *job, uint64_t slots)
{
    size_t first = (size_t)__builtin_ctzll(slots);
    size_t last = 63 - (size_t)__builtin_clzll(slots);
    double left_s = job->remaining_s;
    bool may_stop = job->freedom == HS_PLACE_INTERRUPTIBLE || job->freedom == HS_PLACE_FILLER;

    if (!may_stop && ((slots >> first) & ((slots >> first) + 1)) != 0) {
        return false;
    }
    for (size_t t = first; t <= last; t++) {
        int64_t start_at_s =
            t == 0 ? f->frame.now_at_s : CERTCASE_FROM + (int64_t)t * CERTCASE_SLOT_S;

        if ((slots >> t & 1) == 0) {
            continue;
        }
        if (start_at_s < job->earliest_at_s || left_s <= 1e-6) {
            return false;
        }
        left_s -= t == 0 ? (double)(CERTCASE_FROM + CERTCASE_SLOT_S - f->frame.now_at_s)
                         : (double)CERTCASE_SLOT_S;
    }
    return left_s <= 1e-6 || last == CERTCASE_SLOTS - 1; /* the rest follows the horizon */
}

static void hunt_slots(struct hunt *hunt, size_t j, uint64_t slots)
{
    const struct hs_place_job *job = &hunt->f->jobs[j];
    struct hs_placement *placement = &hunt->placements[j];
    const struct hs_fit_size without_memory = {.vcpus = job->size.vcpus, .memory_mib = INT64_MIN};

    for (size_t h = 0; h < CERTCASE_HOSTS; h++) {
        bool fits = (job->host_idx == SIZE_MAX || job->host_idx == h)
                    && (job->site_allowed == NULL || job->site_allowed[hunt->f->hosts[h].site_idx]);

        for (size_t t = 0; t < CERTCASE_SLOTS && fits; t++) {
            fits = (slots >> t & 1) == 0 || hs_fit_check_span(hunt->fit, h, &without_memory, t, t);
        }
        if (fits) {
            placement->host_idx = h;
            set_slots(placement, slots);
            hs_fit_take(hunt->fit, placement, &job->size);
            hunt_on(hunt, j + 1);
            hs_fit_give(hunt->fit, placement, &job->size);
        }
    }
}

static void hunt_on(struct hunt *hunt, size_t j)
{
    if (j == hunt->f->n_jobs) {
        double cost_cur = hs_certificate_get_cost(hunt->cert, hunt->placements, j);

        hunt->n_plans++;
        hunt->best_cur = fmin(hunt->best_cur, cost_cur);
        return;
    }
    const struct hs_place_job *job = &hunt->f->jobs[j];

    hunt->placements[j] = (struct hs_placement){.job_id = job->job_id, .host_idx = SIZE_MAX};
    hunt_on(hunt, j + 1);
    for (uint64_t slots = 1; slots < UINT64_C(1) << CERTCASE_SLOTS; slots++) {
        if (is_sound(hunt->f, job, slots)) {
            hunt_slots(hunt, j, slots);
        }
        hunt->placements[j].host_idx = SIZE_MAX;
    }
}

static void certificate_bound__is_below_the_best_of_all_plans(void **state)
{
    static double gaps[N_TINY];
    size_t n_gaps = 0;
    size_t n_plans = 0;

    for (uint64_t seed = 0; seed < certcase_count(N_TINY); seed++) {
        static struct certcase f;

        certcase_fill(&f, seed + 5000, 1 + seed % 2, 2);
        for (size_t j = 0; j < f.n_jobs; j++) { /* nothing is fixed: all that is can be decided */
            f.jobs[j].freedom =
                f.jobs[j].freedom == HS_PLACE_FIXED ? HS_PLACE_INTERRUPTIBLE : f.jobs[j].freedom;
        }
        HS_AUTO(hs_certificate) cert = certcase_start(&f);
        HS_AUTO(hs_fit) fit = hs_fit_new(&f.estate, CERTCASE_SLOTS);
        struct hunt hunt = {.f = &f, .cert = cert, .fit = fit, .best_cur = INFINITY};

        hunt_on(&hunt, 0);
        double bound_cur = hs_certificate_improve(cert, hunt.best_cur, 300);

        if (bound_cur > hunt.best_cur + 1e-9 * fabs(hunt.best_cur)) {
            print_error("case %u: bound %.9g, best %.9g\n", (unsigned)seed, bound_cur,
                        hunt.best_cur);
        }
        assert_true(bound_cur <= hunt.best_cur + 1e-9 * fabs(hunt.best_cur) + 1e-12);
        n_plans += hunt.n_plans;
        if (bound_cur > 0) {
            gaps[n_gaps++] = hs_certificate_get_gap_ratio(hunt.best_cur, bound_cur);
        }
    }
    print_message("best: median gap %.4f over %zu, %zu plans\n", find_median(gaps, n_gaps), n_gaps,
                  n_plans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_bound__is_below_every_plan_of_the_planner),
        cmocka_unit_test(certificate_prices__are_those_that_gave_the_best_bound),
        cmocka_unit_test(certificate_bound__is_below_the_best_of_all_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
