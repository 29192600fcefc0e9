/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle learns how long jobs run and what hosts carry that is not ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/core/cycle.h"
#include "tests/unit/core/small_estate.h"

#define START    INT64_C(1735516800) /* 2024-12-30T00:00:00Z */
#define ASKED_S  14400
#define RAN_S    1200
#define DUE_IN_S 40000

static struct hs_cycle *new_cycle(const struct hs_policy *policy)
{
    return hs_cycle_new(&(struct hs_cycle_options){
        .estate = small_estate(), .policy = policy, .n_slots = 48, .now_at_s = START});
}

static struct hs_job *new_job(uint64_t id, int64_t at_s)
{
    struct hs_job *job = hs_job_new();

    job->id = id;
    snprintf(job->name, sizeof(job->name), "render-%d", (int)id);
    snprintf(job->team, sizeof(job->team), "films");
    job->duration_s = ASKED_S;
    job->due_at_s = at_s + DUE_IN_S;
    job->interruptible = true;
    job->state = HS_JOB_WAITING;
    job->submitted_at_s = at_s;
    job->since_at_s = at_s;
    return job;
}

/* One job that asks for four hours and runs for twenty minutes. */
static void run_one(struct hs_cycle *cycle, uint64_t id, int64_t at_s)
{
    struct hs_job *job = new_job(id, at_s);
    struct hs_event running = {.kind = HS_EVENT_JOB, .at_s = at_s, .job = job};
    struct hs_event ended = {.kind = HS_EVENT_MACHINE_ENDED,
                             .at_s = at_s + RAN_S,
                             .job_id = id,
                             .has_exit_status = true};
    struct hs_decision decision;

    job->state = HS_JOB_RUNNING;
    job->started_at_s = at_s;
    snprintf(job->host, sizeof(job->host), "%s", small_estate()->hosts[0].path);
    hs_cycle_step(cycle, at_s, &running, 1, &decision);
    hs_cycle_step(cycle, at_s + RAN_S, &ended, 1, &decision);
    assert_int_equal(hs_cycle_get_job(cycle, id)->state, HS_JOB_DONE);
}

static void check_explained(const struct hs_cycle *cycle, int64_t now_at_s)
{
    struct hs_job *job = new_job(0, now_at_s);
    json_t *trial = hs_cycle_format_trial(cycle, job, now_at_s);
    json_t *why = json_object_get(trial, "explanation");
    const char *from = json_string_value(json_object_get(why, "expected_run_from"));
    json_int_t expected_s = json_integer_value(json_object_get(why, "expected_run_s"));

    assert_non_null(from);
    assert_string_equal(from, "12 ended jobs of its team and name that asked for the same; "
                              "4h was asked for");
    assert_in_range(expected_s, RAN_S / 2, RAN_S * 3);
    assert_true(json_integer_value(json_object_get(why, "upper_run_s")) >= expected_s);
    json_decref(trial);
    hs_job_free(job);
}

static void cycle__tells_how_long_a_job_will_run_and_remembers(void **state)
{
    struct hs_policy *policy = hs_policy_new();
    struct hs_cycle *cycle = new_cycle(policy);
    struct hs_cycle *later = new_cycle(policy);
    json_t *saved;
    int64_t at_s = START;

    for (uint64_t id = 1; id <= 12; id++, at_s += 3600) {
        run_one(cycle, id, at_s);
    }
    check_explained(cycle, at_s);
    saved = hs_cycle_save_runtimes(cycle);
    assert_int_equal(hs_cycle_restore_runtimes(later, saved, NULL), 0);
    check_explained(later, at_s);
    json_decref(saved);
    hs_cycle_free(later);
    hs_cycle_free(cycle);
    hs_policy_free(policy);
}

/* Whatever is expected of the run: there must be time for all that was asked for. */
static void cycle__keeps_the_latest_start_of_what_was_asked_for(void **state)
{
    struct hs_policy *policy = hs_policy_new();
    struct hs_cycle *cycle = new_cycle(policy);
    struct hs_event event = {.kind = HS_EVENT_JOB};
    struct hs_decision decision;
    int64_t at_s = START;

    for (uint64_t id = 1; id <= 12; id++, at_s += 3600) {
        run_one(cycle, id, at_s);
    }
    event.at_s = at_s;
    event.job = new_job(13, at_s);
    hs_cycle_step(cycle, at_s, &event, 1, &decision);
    json_t *why = hs_cycle_format_explain(cycle, 13, at_s);
    const char *latest = json_string_value(json_object_get(why, "latest_start"));

    assert_non_null(latest);
    assert_string_equal(latest, "2024-12-30T19:06:40Z"); /* due 23:06:40, four hours before */
    json_decref(why);
    hs_cycle_free(cycle);
    hs_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycle__tells_how_long_a_job_will_run_and_remembers),
        cmocka_unit_test(cycle__keeps_the_latest_start_of_what_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
