/* SPDX-License-Identifier: Apache-2.0 */
/* No plan of any class of work, and under no limit, costs less than its bound. */
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
#include "scheduler/core/place.h"
#include "tests/unit/core/certcase.h"

#define N_CASES 300

/* What makes a case one of its class. */
struct class
{
    void (*change_job)(struct certcase *c, struct hs_place_job *io_job);
    void (*limit)(struct certcase *c, struct hs_place *place, struct hs_certificate *cert);
    /* does this placement show what the class is about? NULL: all do */
    bool (*shows)(const struct hs_place_job *job, const struct hs_placement *placement);
};

static const struct hs_place_job *find_job(const struct certcase *c, uint64_t job_id)
{
    for (size_t j = 0; j < c->n_jobs; j++) {
        if (c->jobs[j].job_id == job_id) {
            return &c->jobs[j];
        }
    }
    return NULL;
}

static size_t count_shown(const struct class *class, const struct certcase *c,
                          const struct hs_plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_placements; i++) {
        const struct hs_placement *placement = &plan->placements[i];

        n += placement->host_idx != SIZE_MAX
             && (class->shows == NULL || class->shows(find_job(c, placement->job_id), placement));
    }
    return n;
}

/* @return how many placements show what the class is about */
static size_t check_case(const struct class *class, uint64_t seed)
{
    static struct certcase c;

    certcase_fill(&c, seed, 1 + seed % CERTCASE_JOBS, 5);
    for (size_t j = 0; j < c.n_jobs && class->change_job != NULL; j++) {
        class->change_job(&c, &c.jobs[j]);
    }
    HS_AUTO(hs_place) place = hs_place_new(&c.estate, CERTCASE_SLOTS);
    HS_AUTO(hs_certificate) cert = hs_certificate_new(&c.estate, CERTCASE_SLOTS);

    hs_place_set(place, &c.frame);
    hs_certificate_set(cert, &c.frame);
    if (class->limit != NULL) {
        class->limit(&c, place, cert);
    }
    hs_place_plan(place, c.jobs, c.n_jobs);
    hs_certificate_set_jobs(cert, c.jobs, c.n_jobs);
    const struct hs_plan *plan = hs_place_get_plan(place);
    double cost_cur = hs_certificate_get_cost(cert, plan->placements, plan->n_placements);

    hs_certificate_set_prices(cert, plan->heat_cur_per_mwh);
    double bound_cur = hs_certificate_improve(cert, cost_cur, 60);

    if (!(bound_cur <= cost_cur + 1e-9 * fabs(cost_cur) + 1e-12)) {
        print_error("case %u: bound %.9g, cost %.9g\n", (unsigned)seed, bound_cur, cost_cur);
    }
    assert_true(isfinite(cost_cur) && isfinite(bound_cur));
    assert_true(bound_cur <= cost_cur + 1e-9 * fabs(cost_cur) + 1e-12);
    return count_shown(class, &c, plan);
}

static void check_class(const struct class *class)
{
    size_t n_shown = 0;

    for (uint64_t seed = 0; seed < certcase_count(N_CASES); seed++) {
        n_shown += check_case(class, seed + 1000);
    }
    print_message("%zu placements\n", n_shown);
    assert_true(n_shown >= certcase_count(20));
}

/* --- classes --- */

static void make_movable(struct certcase *c, struct hs_place_job *io_job)
{
    if (certcase_toss(c, 0.5)) {
        return;
    }
    io_job->host_idx = certcase_draw_whole(c, 0, CERTCASE_HOSTS - 1);
    io_job->is_running = true;
    io_job->is_movable = true;
    io_job->earliest_at_s = 0;
    io_job->move_s = certcase_draw(c, 0, 60);
    if (certcase_toss(c, 0.5)) {
        io_job->freedom = HS_PLACE_FIXED;
    }
}

static bool is_moved(const struct hs_place_job *job, const struct hs_placement *placement)
{
    return job->is_movable && placement->host_idx != job->host_idx;
}

static void certificate_bound__holds_for_work_that_moves(void **state)
{
    check_class(&(struct class){.change_job = make_movable, .shows = is_moved});
}

static void make_elastic(struct certcase *c, struct hs_place_job *io_job)
{
    io_job->share_min = (uint8_t)certcase_draw_whole(c, 1, 4);
    io_job->share_max = (uint8_t)certcase_draw_whole(c, io_job->share_min, 4);
}

static bool is_cut(const struct hs_place_job *job, const struct hs_placement *placement)
{
    return hs_plan_is_cut(placement);
}

static void certificate_bound__holds_for_work_at_shares(void **state)
{
    check_class(&(struct class){.change_job = make_elastic, .shows = is_cut});
}

static bool is_fixed_and_cut(const struct hs_place_job *job, const struct hs_placement *placement)
{
    return job->freedom == HS_PLACE_FIXED && hs_plan_is_cut(placement);
}

static void make_elastic_and_fixed(struct certcase *c, struct hs_place_job *io_job)
{
    make_elastic(c, io_job);
    if (certcase_toss(c, 0.5)) {
        io_job->freedom = HS_PLACE_FIXED;
        io_job->is_running = true;
        io_job->earliest_at_s = 0;
        io_job->host_idx = certcase_draw_whole(c, 0, CERTCASE_HOSTS - 1);
    }
}

static void certificate_bound__holds_for_running_work_at_shares(void **state)
{
    check_class(&(struct class){.change_job = make_elastic_and_fixed, .shows = is_fixed_and_cut});
}

static void make_filler(struct certcase *c, struct hs_place_job *io_job)
{
    if (certcase_toss(c, 0.6)) {
        io_job->freedom = HS_PLACE_FILLER;
        io_job->ceiling_cur_per_mwh = certcase_draw(c, -50, 150);
    }
}

static bool is_filler(const struct hs_place_job *job, const struct hs_placement *placement)
{
    return job->freedom == HS_PLACE_FILLER && job->ceiling_cur_per_mwh > 0;
}

static void certificate_bound__holds_for_filler_below_its_ceiling(void **state)
{
    check_class(&(struct class){.change_job = make_filler, .shows = is_filler});
}

/* --- limits --- */

static void close_some(struct certcase *c, struct hs_place *place, struct hs_certificate *cert)
{
    for (size_t h = 0; h < CERTCASE_HOSTS; h++) {
        size_t first = certcase_draw_whole(c, 0, CERTCASE_SLOTS - 1);
        size_t last = certcase_draw_whole(c, first, CERTCASE_SLOTS - 1);

        if (certcase_toss(c, 0.5)) {
            hs_place_close_slots(place, h, first, last);
            hs_certificate_close_slots(cert, h, first, last);
        }
    }
}

static void certificate_bound__holds_under_maintenance(void **state)
{
    check_class(&(struct class){.limit = close_some});
    check_class(&(struct class){.change_job = make_movable, .limit = close_some});
    check_class(&(struct class){.change_job = make_elastic_and_fixed, .limit = close_some});
}

static void bar_some(struct certcase *c, struct hs_place *place, struct hs_certificate *cert)
{
    for (size_t h = 0; h < CERTCASE_HOSTS; h++) {
        if (certcase_toss(c, 0.4)) {
            hs_place_bar(place, h);
            hs_certificate_bar(cert, h);
        }
    }
}

static void certificate_bound__holds_where_hosts_are_silent(void **state)
{
    check_class(&(struct class){.change_job = make_movable, .limit = bar_some});
    check_class(&(struct class){.change_job = make_elastic_and_fixed, .limit = bar_some});
}

/* The certificate is not told. */
static void cap_some(struct certcase *c, struct hs_place *place, struct hs_certificate *cert)
{
    for (size_t l = 0; l < CERTCASE_LOOPS; l++) {
        size_t last = certcase_draw_whole(c, 0, CERTCASE_SLOTS - 1);
        enum hs_fit_scope scope = certcase_toss(c, 0.5) ? HS_FIT_SITE : HS_FIT_LOOP;

        hs_place_cap_slots(place, scope, l, certcase_draw(c, 0, 1500), 0, last);
    }
}

static void certificate_bound__holds_under_caps(void **state)
{
    check_class(&(struct class){.limit = cap_some});
    check_class(&(struct class){.change_job = make_elastic_and_fixed, .limit = cap_some});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_bound__holds_for_work_that_moves),
        cmocka_unit_test(certificate_bound__holds_for_work_at_shares),
        cmocka_unit_test(certificate_bound__holds_for_running_work_at_shares),
        cmocka_unit_test(certificate_bound__holds_for_filler_below_its_ceiling),
        cmocka_unit_test(certificate_bound__holds_under_maintenance),
        cmocka_unit_test(certificate_bound__holds_where_hosts_are_silent),
        cmocka_unit_test(certificate_bound__holds_under_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
