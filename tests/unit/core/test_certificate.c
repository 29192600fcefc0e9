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

#define N       12
#define LOOPS   3
#define SINKS   2 /* of each loop */
#define HOSTS   4
#define JOBS    12
#define SLOT_S  INT64_C(900)
#define FROM    (SLOT_S * 1000000)
#define N_CASES 300
#define N_TINY  200

/* A random estate, horizon and jobs: loops with one rack each, the first with two kinds of host. */
struct fixture {
    uint64_t random;
    struct hs_site sites[LOOPS];
    struct hs_heatloop loops[LOOPS];
    struct hs_sink sinks[LOOPS * SINKS];
    struct hs_rack racks[LOOPS];
    struct hs_host hosts[HOSTS];
    struct hs_estate estate;
    double elec[LOOPS * N];
    double captured_wh[LOOPS][N];
    double demand_wh[LOOPS][SINKS * N];
    double worth[LOOPS][SINKS];
    double reject[LOOPS][N];
    struct hs_thermal_input inputs[LOOPS];
    struct hs_place_frame frame;
    struct hs_place_job jobs[JOBS];
    size_t n_jobs;
    bool allowed[JOBS][LOOPS];
};

static double draw(struct fixture *f, double min, double max)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return min + (max - min) * (double)(f->random >> 11) * 0x1p-53;
}

static size_t draw_whole(struct fixture *f, size_t min, size_t max)
{
    return min + (size_t)(draw(f, 0, 1) * (double)(max - min + 1));
}

static bool toss(struct fixture *f, double chance)
{
    return draw(f, 0, 1) < chance;
}

static void draw_loop(struct fixture *f, size_t l)
{
    bool has_tank = toss(f, 0.8);

    f->sites[l] = (struct hs_site){
        .limit_w = INFINITY, .first_loop_idx = l, .n_loops = 1, .first_rack_idx = l, .n_racks = 1};
    f->loops[l] = (struct hs_heatloop){.site_idx = l,
                                       .first_sink_idx = l * SINKS,
                                       .n_sinks = toss(f, 0.5) ? 1 : SINKS,
                                       .rejection_limit_w = INFINITY};
    f->loops[l].tank =
        (struct hs_tank){.present = has_tank,
                         .volume_l = draw(f, 20, 400),
                         .nodes = 1,
                         .min_c = 35,
                         .max_c = 60,
                         .loss_w_per_k = draw(f, 0, 8),
                         .ambient_c = toss(f, 0.3) ? 35 : draw(f, 10, 45),
                         .charge_limit_w = toss(f, 0.3) ? draw(f, 200, 2000) : (double)INFINITY,
                         .draw_limit_w = toss(f, 0.3) ? draw(f, 200, 2000) : (double)INFINITY};
    f->racks[l] = (struct hs_rack){.site_idx = l,
                                   .loop_idx = l,
                                   .limit_w = draw(f, 900, 2500),
                                   .capture_ratio = draw(f, 0.5, 0.95),
                                   .first_host_idx = l == 0 ? 0 : l + 1,
                                   .n_hosts = l == 0 ? 2 : 1};
    for (size_t t = 0; t < N; t++) {
        f->elec[l * N + t] = draw(f, toss(f, 0.05) ? -20 : 20, 200);
        f->captured_wh[l][t] = draw(f, 0, 100);
        f->reject[l][t] = toss(f, 0.5) ? 0 : draw(f, 0, 1e-5);
        for (size_t k = 0; k < SINKS; k++) {
            f->demand_wh[l][k * N + t] = toss(f, 0.3) ? 0 : draw(f, 0, 300);
        }
    }
    for (size_t k = 0; k < SINKS; k++) {
        f->worth[l][k] = draw(f, 30, 250);
    }
    f->inputs[l] = (struct hs_thermal_input){.slot_s = (double)SLOT_S,
                                             .tank_wh = has_tank ? draw(f, 0, 2000) : 0,
                                             .captured_wh = f->captured_wh[l],
                                             .sink_demand_wh = f->demand_wh[l],
                                             .sink_cur_per_mwh = f->worth[l],
                                             .reject_cur_per_wh = f->reject[l],
                                             .end_cur_per_wh = draw(f, 0, 1e-4)};
}

static void draw_host(struct fixture *f, size_t h)
{
    size_t l = h < 2 ? 0 : h - 1;
    double idle_w = draw(f, 50, 150);

    f->hosts[h] = (struct hs_host){.site_idx = l,
                                   .rack_idx = l,
                                   .loop_idx = l,
                                   .vcpus = 8,
                                   .memory_mib = 16384,
                                   .idle_w = idle_w,
                                   .max_w = idle_w + draw(f, 300, 900)};
}

static void draw_job(struct fixture *f, size_t j, size_t run_max)
{
    struct hs_place_job *job = &f->jobs[j];
    double run_s =
        (double)SLOT_S
        * (toss(f, 0.7) ? (double)draw_whole(f, 1, run_max) : draw(f, 0.2, (double)run_max));
    int64_t earliest_at_s = toss(f, 0.5) ? 0 : FROM + (int64_t)draw(f, 0, 6 * SLOT_S);
    int64_t slack_s = (int64_t)draw(f, toss(f, 0.1) ? -900 : 0, (N - 2) * SLOT_S);

    for (size_t l = 0; l < LOOPS; l++) {
        f->allowed[j][l] = toss(f, 0.7);
    }
    *job = (struct hs_place_job){
        .job_id = j + 1,
        .freedom = (enum hs_place_freedom)draw_whole(f, HS_PLACE_AT_ONCE, HS_PLACE_FILLER),
        .size = {.vcpus = (int32_t)draw_whole(f, 1, 6),
                 .memory_mib = (int64_t)draw_whole(f, 512, 8000)},
        .remaining_s = run_s,
        .earliest_at_s = earliest_at_s,
        .due_at_s = (earliest_at_s > f->frame.now_at_s ? earliest_at_s : f->frame.now_at_s)
                    + (int64_t)run_s + slack_s,
        .host_idx = SIZE_MAX,
        .site_allowed = toss(f, 0.3) ? NULL : f->allowed[j],
    };
    if (toss(f, 0.15) && earliest_at_s == 0) { /* there already */
        job->host_idx = draw_whole(f, 0, HOSTS - 1);
        job->is_running = toss(f, 0.7);
        if (job->is_running && toss(f, 0.5)) {
            job->freedom = HS_PLACE_FIXED;
        }
    }
}

static void draw_case(struct fixture *f, uint64_t seed, size_t n_jobs, size_t run_max)
{
    *f = (struct fixture){.random = seed * 7919 + 13, .n_jobs = n_jobs};
    for (int i = 0; i < 4; i++) {
        (void)draw(f, 0, 1);
    }
    f->estate = (struct hs_estate){.slot_s = SLOT_S,
                                   .sites = f->sites,
                                   .n_sites = LOOPS,
                                   .loops = f->loops,
                                   .n_loops = LOOPS,
                                   .sinks = f->sinks,
                                   .n_sinks = LOOPS * SINKS,
                                   .racks = f->racks,
                                   .n_racks = LOOPS,
                                   .hosts = f->hosts,
                                   .n_hosts = HOSTS};
    for (size_t l = 0; l < LOOPS; l++) {
        draw_loop(f, l);
    }
    for (size_t h = 0; h < HOSTS; h++) {
        draw_host(f, h);
    }
    f->frame = (struct hs_place_frame){
        .now_at_s = FROM + (toss(f, 0.5) ? 0 : (int64_t)draw(f, 0, 899)),
        .from_at_s = FROM,
        .elec_cur_per_mwh = f->elec,
        .thermal = f->inputs,
        .waiting_weight = toss(f, 0.5) ? 0 : draw(f, 0, 0.5),
        .suspend_s = toss(f, 0.5) ? 0 : draw(f, 0, 900),
    };
    for (size_t j = 0; j < n_jobs; j++) {
        draw_job(f, j, run_max);
    }
}

static struct hs_certificate *start(struct fixture *f)
{
    struct hs_certificate *cert = hs_certificate_new(&f->estate, N);

    hs_certificate_set(cert, &f->frame);
    hs_certificate_set_jobs(cert, f->jobs, f->n_jobs);
    return cert;
}

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

    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        static struct fixture f;

        draw_case(&f, seed, 1 + seed % JOBS, 5);
        HS_AUTO(hs_certificate) cert = start(&f);
        HS_AUTO(hs_place) place = hs_place_new(&f.estate, N);

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
    static struct fixture f;

    draw_case(&f, 11, JOBS, 5);
    for (size_t i = 0; i < HOSTS; i++) { /* so little room that it has its price */
        f.racks[i % LOOPS].limit_w = 400;
    }
    HS_AUTO(hs_certificate) cert = start(&f);
    double bound_cur = hs_certificate_improve(cert, INFINITY, 60);
    double room_cur = 0.0;

    for (size_t i = 0; i < LOOPS * N; i++) {
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
    const struct fixture *f;
    struct hs_certificate *cert;
    struct hs_fit *fit;
    struct hs_placement placements[JOBS];
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
static bool is_sound(const struct fixture *f, const struct hs_place_job *job, uint64_t slots)
{
    size_t first = (size_t)__builtin_ctzll(slots);
    size_t last = 63 - (size_t)__builtin_clzll(slots);
    double left_s = job->remaining_s;
    bool may_stop = job->freedom == HS_PLACE_INTERRUPTIBLE || job->freedom == HS_PLACE_FILLER;

    if (!may_stop && ((slots >> first) & ((slots >> first) + 1)) != 0) {
        return false;
    }
    for (size_t t = first; t <= last; t++) {
        int64_t start_at_s = t == 0 ? f->frame.now_at_s : FROM + (int64_t)t * SLOT_S;

        if ((slots >> t & 1) == 0) {
            continue;
        }
        if (start_at_s < job->earliest_at_s || left_s <= 1e-6) {
            return false;
        }
        left_s -= t == 0 ? (double)(FROM + SLOT_S - f->frame.now_at_s) : (double)SLOT_S;
    }
    return left_s <= 1e-6 || last == N - 1; /* the rest follows the horizon */
}

static void hunt_slots(struct hunt *hunt, size_t j, uint64_t slots)
{
    const struct hs_place_job *job = &hunt->f->jobs[j];
    struct hs_placement *placement = &hunt->placements[j];

    for (size_t h = 0; h < HOSTS; h++) {
        bool fits = (job->host_idx == SIZE_MAX || job->host_idx == h)
                    && (job->site_allowed == NULL || job->site_allowed[hunt->f->hosts[h].site_idx]);

        for (size_t t = 0; t < N && fits; t++) {
            fits = (slots >> t & 1) == 0 || hs_fit_check_run(hunt->fit, h, &job->size, t);
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
    for (uint64_t slots = 1; slots < UINT64_C(1) << N; slots++) {
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

    for (uint64_t seed = 0; seed < N_TINY; seed++) {
        static struct fixture f;

        draw_case(&f, seed + 5000, 1 + seed % 2, 2);
        for (size_t j = 0; j < f.n_jobs; j++) { /* nothing is fixed: all that is can be decided */
            f.jobs[j].freedom =
                f.jobs[j].freedom == HS_PLACE_FIXED ? HS_PLACE_INTERRUPTIBLE : f.jobs[j].freedom;
        }
        HS_AUTO(hs_certificate) cert = start(&f);
        HS_AUTO(hs_fit) fit = hs_fit_new(&f.estate, N);
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
