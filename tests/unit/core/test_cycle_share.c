/* SPDX-License-Identifier: Apache-2.0 */
/* Elastic work on its way: throttled where power is dear, and its progress kept true. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "scheduler/core/jobstate.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START  INT64_C(1700000000) /* a multiple of the 1000 s slot */
#define SLOT_S 1000
#define WORK_S 4000

struct world {
    struct hs_policy *policy;
    struct hs_series *price;
    struct hs_cycle *cycle;
    int64_t now_at_s;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
};

static void push(struct world *w, struct hs_event event)
{
    event.at_s = w->now_at_s;
    (void)HS_VEC_PUSH(&w->events, event);
}

static void step_at(struct world *w, int64_t at_s)
{
    w->now_at_s = at_s;
    hs_cycle_step(w->cycle, w->now_at_s, w->events.items, w->events.n, &w->decision);
    w->events.n = 0;
}

static const struct hs_action *only_action(struct world *w, enum hs_action_kind kind)
{
    assert_int_equal(w->decision.n_actions, 1);
    assert_int_equal(w->decision.actions[0].kind, kind);
    return &w->decision.actions[0];
}

static void answer(struct world *w, int rc)
{
    struct hs_event event = {
        .kind = HS_EVENT_ACTION_DONE, .op_id = w->decision.actions[0].op_id, .rc = rc};

    push(w, event);
    step_at(w, w->now_at_s);
}

static const struct hs_job *job_of(struct world *w)
{
    return hs_cycle_get_job(w->cycle, 1);
}

/* Power is dear in slots 2 and 3, and the work has to be under way by then. */
static struct world *new_world(const char *class_name, bool can_throttle)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->price = hs_series_new();
    for (int64_t t = 0; t < 60; t++) {
        hs_series_add(w->price, START + t * SLOT_S, t == 2 || t == 3 ? 300.0 : 20.0);
    }
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){.estate = small_estate(),
                                                       .policy = w->policy,
                                                       .n_slots = 48,
                                                       .now_at_s = START,
                                                       .can_throttle = can_throttle});
    for (size_t s = 0; s < SMALL_SITES; s++) {
        hs_cycle_set_signal(w->cycle, s, HS_SIGNAL_PRICE, w->price);
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = s});
    }
    job->id = 1;
    snprintf(job->name, sizeof(job->name), "job");
    snprintf(job->class_name, sizeof(job->class_name), "%s", class_name);
    job->vcpus = 2;
    job->memory_mib = 1024;
    job->duration_s = WORK_S;
    job->due_at_s = START + 7 * SLOT_S;
    job->submitted_at_s = w->now_at_s;
    job->since_at_s = w->now_at_s;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, w->now_at_s, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
    step_at(w, START);
    return w;
}

static void free_world(struct world *w)
{
    hs_cycle_free(w->cycle);
    hs_series_free(w->price);
    hs_policy_free(w->policy);
    HS_VEC_FINI(&w->events);
    free(w);
}

/* Started, and slots 0 and 1 run at full share. */
static struct world *run_to_the_dear_slots(void)
{
    struct world *w = new_world("elastic", true);

    (void)only_action(w, HS_ACTION_START);
    answer(w, 0);
    step_at(w, START + SLOT_S);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 2 * SLOT_S);
    return w;
}

static void cycle_share__throttles_where_power_is_dear_and_lets_go_again(void **state)
{
    struct world *w = run_to_the_dear_slots();

    assert_near(only_action(w, HS_ACTION_THROTTLE)->share, 0.25, 1e-9);
    answer(w, 0);
    assert_near(job_of(w)->share, 0.25, 1e-9);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 3 * SLOT_S);
    assert_int_equal(w->decision.n_actions, 0); /* one call for both slots */
    assert_near(hs_jobstate_get_ran_s(job_of(w), w->now_at_s), 2250.0, 1e-6);
    step_at(w, START + 4 * SLOT_S);
    assert_near(only_action(w, HS_ACTION_THROTTLE)->share, 1.0, 1e-9);
    answer(w, 0);
    assert_near(hs_jobstate_get_ran_s(job_of(w), w->now_at_s + 1000), 3500.0, 1e-6);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_int_equal(job_of(w)->suspends, 0);
    free_world(w);
}

static void cycle_share__books_the_power_that_it_draws(void **state)
{
    struct world *w = run_to_the_dear_slots();
    struct hs_account before;
    struct hs_account after;
    size_t site = w->decision.actions[0].host_idx;

    answer(w, 0);
    hs_cycle_get_account(w->cycle, site, &before);
    step_at(w, START + 3 * SLOT_S);
    hs_cycle_get_account(w->cycle, site, &after);
    /* 100 W idle and a quarter of 2 vCPUs at 50 W */
    assert_near(after.it_wh - before.it_wh, 125.0 * SLOT_S / 3600, 1e-6);
    free_world(w);
}

static void cycle_share__leaves_alone_what_is_not_elastic(void **state)
{
    struct world *w = new_world("deferrable", true);

    for (int64_t t = 0; t < 7; t++) {
        for (size_t i = 0; i < w->decision.n_actions; i++) {
            assert_int_not_equal(w->decision.actions[i].kind, HS_ACTION_THROTTLE);
        }
        if (w->decision.n_actions > 0) {
            answer(w, 0);
        }
        step_at(w, START + t * SLOT_S);
    }
    assert_near(job_of(w)->share, 1.0, 0);
    free_world(w);
}

static void cycle_share__plans_none_where_the_backend_cannot(void **state)
{
    struct world *w = new_world("elastic", false);

    for (int64_t t = 0; t < 7; t++) {
        for (size_t i = 0; i < w->decision.n_actions; i++) {
            assert_int_not_equal(w->decision.actions[i].kind, HS_ACTION_THROTTLE);
        }
        if (w->decision.n_actions > 0) {
            answer(w, 0);
        }
        step_at(w, START + t * SLOT_S);
    }
    free_world(w);
}

static void cycle_share__a_host_that_cannot_is_not_asked_again(void **state)
{
    struct world *w = run_to_the_dear_slots();

    (void)only_action(w, HS_ACTION_THROTTLE);
    answer(w, -HS_E_UNSUPPORTED);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 3 * SLOT_S);
    assert_int_equal(w->decision.n_actions, 0);
    assert_near(hs_jobstate_get_ran_s(job_of(w), w->now_at_s), 3000.0, 1e-6);
    free_world(w);
}

static void cycle_share__a_throttle_without_an_answer_is_asked_for_again(void **state)
{
    struct world *w = run_to_the_dear_slots();
    const struct hs_machine machine = {.name = "hs-1",
                                       .state = HS_MACHINE_RUNNING,
                                       .vcpus = 2,
                                       .memory_mib = 1024,
                                       .cpu_s = NAN,
                                       .job_id = 1};
    size_t host_idx = only_action(w, HS_ACTION_THROTTLE)->host_idx;

    answer(w, -HS_E_TIMEOUT);
    assert_int_equal(w->decision.n_actions, 0);
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                              .host_idx = host_idx,
                              .machines = &machine,
                              .n_machines = 1});
    step_at(w, w->now_at_s + 100);
    assert_near(only_action(w, HS_ACTION_THROTTLE)->share, 0.25, 1e-9);
    answer(w, 0);
    assert_int_equal(w->decision.n_actions, 0);
    free_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycle_share__throttles_where_power_is_dear_and_lets_go_again),
        cmocka_unit_test(cycle_share__books_the_power_that_it_draws),
        cmocka_unit_test(cycle_share__leaves_alone_what_is_not_elastic),
        cmocka_unit_test(cycle_share__plans_none_where_the_backend_cannot),
        cmocka_unit_test(cycle_share__a_host_that_cannot_is_not_asked_again),
        cmocka_unit_test(cycle_share__a_throttle_without_an_answer_is_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
