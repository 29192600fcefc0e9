/* SPDX-License-Identifier: Apache-2.0 */
/* Run times predicted; here because the log is read as hsim reads it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "forecast/runspread.h"
#include "forecast/runtimes.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/packtext.h"
#include "tests/support/near.h"
#include "tests/support/runtimes_replay.h"

static struct hs_runtimes_request request_of(const char *team, double requested_s)
{
    return (struct hs_runtimes_request){
        .team = team, .name = "", .requested_s = requested_s, .vcpus = 2, .memory_mib = 2048};
}

/* @n jobs that ask for @requested_s and run @run_s, one after the other. */
static void run_jobs(struct hs_runtimes *runtimes, const char *team, double requested_s,
                     double run_s, uint64_t n)
{
    struct hs_runtimes_request request = request_of(team, requested_s);

    for (uint64_t i = 0; i < n; i++) {
        struct hs_runtimes_run run;

        hs_runtimes_predict(runtimes, &request, 1000, 0, &run);
        hs_runtimes_end(runtimes, &request, i + 1, run_s, &run);
    }
}

static void runtimes__believe_the_request_at_first(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 5000);
    struct hs_runtimes_run run;

    hs_runtimes_predict(runtimes, &request, 0, 0, &run);
    assert_near(run.expected_s, 5000, 1e-9);
    assert_near(run.upper_s, 5000, 1e-9);
    assert_true(run.is_request);
}

static void runtimes__believe_requests_that_come_true(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 7777);
    struct hs_runtimes_run run;

    run_jobs(runtimes, "a", 3600, 3590, 30);
    hs_runtimes_predict(runtimes, &request, 0, 0, &run);
    assert_near(run.expected_s, 7777, 1e-9);
    assert_near(run.upper_s, 7777, 1e-9);
}

static void runtimes__learn_of_a_team_that_asks_for_too_much(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 14400);
    struct hs_runtimes_run run;

    run_jobs(runtimes, "a", 14400, 600, 30);
    hs_runtimes_predict(runtimes, &request, 0, 0, &run);
    assert_false(run.is_request);
    assert_in_range((uint64_t)run.expected_s, 450, 800);
    assert_true(run.upper_s >= run.expected_s);
    assert_true(run.upper_s < 14400);
    assert_near(run.n_ended, 30, 0);
    assert_string_equal(hs_runtimes_group_words(run.group),
                        "jobs of its team that asked for the same");
}

static void runtimes__learn_of_a_name(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 14400);
    struct hs_runtimes_run fast;
    struct hs_runtimes_run slow;

    for (uint64_t i = 0; i < 40; i++) {
        char name[32];

        snprintf(name, sizeof(name), i % 2 ? "render-%d" : "check-%d", (int)i);
        request.name = name;
        hs_runtimes_predict(runtimes, &request, 0, 0, &fast);
        hs_runtimes_end(runtimes, &request, i + 1, i % 2 ? 7000 : 70, &fast);
    }
    request.name = "check-99";
    hs_runtimes_predict(runtimes, &request, 0, 0, &fast);
    request.name = "render-99";
    hs_runtimes_predict(runtimes, &request, 0, 0, &slow);
    assert_true(slow.expected_s > 3 * fast.expected_s);
    assert_int_equal(slow.group, HS_RUNTIMES_NAME);
}

/* Of a burst of equal jobs the short ones end first: those still running speak against them. */
static void runtimes__hear_those_that_still_run(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 86400);
    struct hs_runtimes_run deaf;
    struct hs_runtimes_run run;

    run_jobs(runtimes, "a", 86400, 20000, 20);
    run_jobs(runtimes, "a", 86400, 5, 3);
    hs_runtimes_predict(runtimes, &request, 4000, 0, &deaf);
    for (uint64_t id = 100; id < 120; id++) {
        hs_runtimes_start(runtimes, &request, id, 1000);
    }
    hs_runtimes_predict(runtimes, &request, 4000, 0, &run);
    assert_true(run.expected_s > 2 * deaf.expected_s);
    for (uint64_t id = 100; id < 120; id++) {
        hs_runtimes_drop(runtimes, &request, id);
    }
    hs_runtimes_predict(runtimes, &request, 4000, 0, &run);
    assert_near(run.expected_s, deaf.expected_s, 1e-9);
}

static void runtimes__go_on_from_what_a_job_has_run(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 14400);
    struct hs_runtimes_run run;

    run_jobs(runtimes, "a", 14400, 600, 30);
    for (double ran_s = 60; ran_s < 200000; ran_s *= 2) {
        hs_runtimes_predict(runtimes, &request, 0, ran_s, &run);
        assert_true(run.expected_s > ran_s);
        assert_true(run.upper_s >= run.expected_s);
    }
    request.limit_s = 9000;
    hs_runtimes_predict(runtimes, &request, 0, 8000, &run);
    assert_true(run.upper_s <= 9000);
}

static void runtimes__come_back_as_they_were(void **state)
{
    HS_AUTO(hs_runtimes) before = hs_runtimes_new();
    HS_AUTO(hs_runtimes) after = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("b", 14400);
    struct hs_runtimes_run a;
    struct hs_runtimes_run b;
    json_t *saved;

    run_jobs(before, "a", 14400, 600, 7);
    run_jobs(before, "b", 3600, 100, 5);
    hs_runtimes_start(before, &request, 99, 500);
    saved = hs_runtimes_save(before);
    assert_int_equal(hs_runtimes_restore(after, saved, NULL), 0);
    hs_runtimes_predict(before, &request, 4000, 0, &a);
    hs_runtimes_predict(after, &request, 4000, 0, &b);
    assert_memory_equal(&a.expected_s, &b.expected_s, sizeof(double));
    assert_memory_equal(&a.upper_s, &b.upper_s, sizeof(double));
    hs_jsonx_set_text(saved, "groups", "00");
    assert_int_equal(hs_runtimes_restore(after, saved, NULL), -HS_E_INVALID);
    hs_runtimes_predict(after, &request, 4000, 0, &b);
    assert_memory_equal(&a.upper_s, &b.upper_s, sizeof(double));
    json_decref(saved);
}

/* Bits turned over in what was stored: it is refused, or all that is said of it is a number. */
static void runtimes__with_turned_bits_do_no_harm(void **state)
{
    HS_AUTO(hs_runtimes) whole = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 14400);
    unsigned char groups[65536], spoilt[65536];
    json_auto_t *saved = NULL;
    uint64_t seed = 5;
    size_t n = 1;
    int n_refused = 0;

    (void)state;
    run_jobs(whole, "a", 14400, 600, 7);
    hs_runtimes_start(whole, &request, 99, 500);
    saved = hs_runtimes_save(whole);
    while (!hs_packtext_parse(json_string_value(json_object_get(saved, "groups")), groups, n)) {
        assert_true(++n < sizeof(groups));
    }
    for (int trial = 0; trial < 300; trial++) {
        HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
        HS_AUTO_MEM char *text = NULL;
        json_auto_t *again = NULL;
        struct hs_runtimes_run run;

        memcpy(spoilt, groups, n);
        for (int k = 0; k < 1 << trial % 8; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1;
            spoilt[(seed >> 33) % n] ^= (unsigned char)(1 << (seed >> 20) % 8);
        }
        text = hs_packtext_format(spoilt, n);
        hs_jsonx_set_text(saved, "groups", text);
        n_refused += hs_runtimes_restore(runtimes, saved, NULL) != 0;
        for (int i = 0; i < 40; i++) {
            request.requested_s = 100.0 * (i + 1);
            hs_runtimes_predict(runtimes, &request, 4000, 10.0 * i, &run);
            assert_true(isfinite(run.expected_s) && run.expected_s >= 0);
            assert_true(isfinite(run.upper_s) && run.upper_s >= run.expected_s);
            hs_runtimes_end(runtimes, &request, (uint64_t)i, 50, &run);
        }
        again = hs_runtimes_save(runtimes);
    }
    assert_in_range(n_refused, 10, 290);
}

static void runtimes__forget_who_was_not_heard_of(void **state)
{
    HS_AUTO(hs_runtimes) runtimes = hs_runtimes_new();
    struct hs_runtimes_request request = request_of("a", 14400);
    struct hs_runtimes_run run;

    run_jobs(runtimes, "a", 14400, 600, 30);
    for (int team = 0; team < HS_RUNTIMES_GROUPS; team++) {
        char name[32];

        snprintf(name, sizeof(name), "t%d", team);
        run_jobs(runtimes, name, 100 + team, 50, 1);
    }
    hs_runtimes_predict(runtimes, &request, 0, 0, &run);
    assert_true(run.group < HS_RUNTIMES_TEAM);
}

/* Far looser than what is measured: docs/forecast.md has the figures. */
static void check(const struct runtimes_score *score, double ratio_max, double over_min,
                  double over_max)
{
    print_message("%zu jobs: error %.3f, of requested %.3f, ratio %.3f, longer %.3f\n", score->n,
                  score->mean_abs_log_error, score->of_requested, score->ratio,
                  score->share_above_quantile);
    assert_true(score->ratio < ratio_max);
    assert_true(score->share_above_quantile > over_min);
    assert_true(score->share_above_quantile < over_max);
}

static void runtimes__of_made_up_jobs_are_near(void **state)
{
    HS_AUTO_MEM struct runtimes_job *jobs = runtimes_replay_make(4000);
    struct runtimes_scores scores;

    runtimes_replay(jobs, 4000, RUNTIMES_AT_SUBMIT, &scores);
    check(&scores.halves[1], 0.2, 0.07, 0.13);
    check(&scores.all, 0.2, 0.07, 0.13);
}

static void runtimes__of_the_shared_log_are_near(void **state)
{
    const char *shared = getenv("HSCHED_TEST_SHARED");
    HS_AUTO_MEM struct runtimes_job *jobs = NULL;
    struct runtimes_scores scores;
    char path[4096];
    size_t n;

    snprintf(path, sizeof(path), "%s/data/jobs_wagap_2013.swf.gz", shared != NULL ? shared : "");
    if (access(path, R_OK) != 0) {
        print_message("skipped: no job log under HSCHED_TEST_SHARED\n");
        skip();
    }
    jobs = runtimes_replay_read(path, &n);
    assert_int_equal(n, 17898);
    runtimes_replay(jobs, n, RUNTIMES_AT_START, &scores);
    check(&scores.halves[0], 0.55, 0.07, 0.13);
    check(&scores.halves[1], 0.42, 0.07, 0.13);
    check(&scores.all, 0.48, 0.08, 0.12);
    runtimes_replay(jobs, n, RUNTIMES_AT_SUBMIT, &scores);
    check(&scores.halves[1], 0.58, 0.07, 0.13);
    check(&scores.all, 0.59, 0.08, 0.12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runtimes__believe_the_request_at_first),
        cmocka_unit_test(runtimes__believe_requests_that_come_true),
        cmocka_unit_test(runtimes__learn_of_a_team_that_asks_for_too_much),
        cmocka_unit_test(runtimes__learn_of_a_name),
        cmocka_unit_test(runtimes__hear_those_that_still_run),
        cmocka_unit_test(runtimes__go_on_from_what_a_job_has_run),
        cmocka_unit_test(runtimes__come_back_as_they_were),
        cmocka_unit_test(runtimes__with_turned_bits_do_no_harm),
        cmocka_unit_test(runtimes__forget_who_was_not_heard_of),
        cmocka_unit_test(runtimes__of_made_up_jobs_are_near),
        cmocka_unit_test(runtimes__of_the_shared_log_are_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
