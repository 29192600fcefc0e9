/* SPDX-License-Identifier: Apache-2.0 */
/* A loop in over-temperature, in the closed loop: what is stopped, what is not, how it ends. */
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
#include "tests/unit/core/small_estate.h"

#define START  INT64_C(1700000000)
#define SLOT   1000
#define HOT_C  95.0
#define COOL_C 50.0

struct world {
    struct hs_estate estate;
    struct hs_heatloop loops[SMALL_SITES];
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    int64_t now_at_s;
    double demand_w;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
    size_t n_touched_foreign;
};

static void push(struct world *w, struct hs_event event)
{
    event.at_s = w->now_at_s;
    (void)HS_VEC_PUSH(&w->events, event);
}

static void push_reading(struct world *w, enum hs_point_kind kind, size_t thing_idx, double value)
{
    push(w, (struct hs_event){.kind = HS_EVENT_READING,
                              .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                          .value = value,
                                          .taken_at_s = w->now_at_s,
                                          .received_at_s = w->now_at_s}});
}

static void push_job(struct world *w, uint64_t id, uint32_t vcpus, bool interruptible)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->name, sizeof(job->name), "job-%d", (int)id);
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = vcpus;
    job->memory_mib = 1024;
    job->duration_s = 6 * SLOT;
    job->due_at_s = w->now_at_s + 7 * SLOT;
    job->interruptible = interruptible;
    job->n_sites = 1;
    job->sites = hs_xcalloc(1, sizeof(char *));
    job->sites[0] = hs_xstrdup("pool");
    job->submitted_at_s = w->now_at_s;
    job->since_at_s = w->now_at_s;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, w->now_at_s, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
}

/* Whatever was asked for is done at once. */
static void obey(struct world *w)
{
    for (size_t i = 0; i < w->decision.n_actions; i++) {
        const struct hs_action *action = &w->decision.actions[i];
        const struct hs_job *job = hs_cycle_get_job(w->cycle, action->job_id);
        struct hs_machine machine = {.job_id = action->job_id, .memory_mib = 1024};

        w->n_touched_foreign += job == NULL;
        if (job == NULL) {
            continue;
        }
        machine.vcpus = job->vcpus;
        snprintf(machine.name, sizeof(machine.name), "hs-%d", (int)action->job_id);
        machine.state = action->kind == HS_ACTION_SUSPEND ? HS_MACHINE_PAUSED : HS_MACHINE_RUNNING;
        push(w, (struct hs_event){.kind = HS_EVENT_ACTION_DONE, .op_id = action->op_id});
        push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_CHANGED,
                                  .host_idx = action->host_idx,
                                  .machine = machine});
    }
}

static void step_at(struct world *w, int64_t at_s, double tank_c)
{
    w->now_at_s = at_s;
    for (size_t l = 0; l < SMALL_SITES; l++) {
        push_reading(w, HS_POINT_DEMAND_HEAT_W, l, w->demand_w);
        push_reading(w, HS_POINT_TANK_C, l, l == 0 ? tank_c : COOL_C);
    }
    hs_cycle_step(w->cycle, at_s, w->events.items, w->events.n, &w->decision);
    w->events.n = 0;
    obey(w);
}

static size_t count(const struct world *w, enum hs_action_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < w->decision.n_actions; i++) {
        n += w->decision.actions[i].kind == kind;
    }
    return n;
}

static void assert_loop(const struct world *w, const char *state, bool wants_rejection)
{
    json_auto_t *loop = hs_cycle_format_loop(w->cycle, 0, w->now_at_s);

    assert_string_equal(json_string_value(json_object_get(loop, "state")), state);
    assert_int_equal(json_is_true(json_object_get(loop, "rejection_wanted")), wants_rejection);
}

static void assert_reason(const struct world *w, uint64_t job_id, const char *code)
{
    json_auto_t *explanation = hs_cycle_format_explain(w->cycle, job_id, w->now_at_s);
    const json_t *first = json_array_get(json_object_get(explanation, "reasons"), 0);

    assert_string_equal(json_string_value(json_object_get(first, "code")), code);
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->estate = *small_estate();
    memcpy(w->loops, w->estate.loops, sizeof(w->loops));
    w->estate.loops = w->loops;
    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->demand_w = 1000.0;
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){
        .estate = &w->estate, .policy = w->policy, .n_slots = 48, .now_at_s = w->now_at_s});
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hs_cycle_free(w->cycle);
    hs_policy_free(w->policy);
    HS_VEC_FINI(&w->events);
    free(w);
    return 0;
}

/* 100 W idle, 50 W a vCPU: three jobs and a foreign machine draw 500 W, of which 400 W are heat. */
static void run_three_beside_a_foreign_one(struct world *w)
{
    push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_CHANGED,
                              .host_idx = 0,
                              .machine = {.name = "db", .vcpus = 2, .state = HS_MACHINE_RUNNING}});
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 2, true);
    }
    step_at(w, START, COOL_C);
    assert_int_equal(count(w, HS_ACTION_START), 3);
    step_at(w, START + 1, COOL_C);
    assert_loop(w, "normal", false);
}

static void hot__rejection_is_asked_and_just_enough_is_shed_in_the_same_step(void **state)
{
    struct world *w = *state;

    run_three_beside_a_foreign_one(w);
    w->demand_w = 240.0; /* 160 W of heat too much, 200 W of power: two jobs of three */
    step_at(w, START + 10, HOT_C);
    assert_loop(w, "over-temperature", true);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 2);
    assert_int_equal(w->decision.n_actions, 2);
    assert_true(w->decision.actions[0].is_safety); /* also while the store is away */
    step_at(w, START + 20, HOT_C);
    assert_int_equal(w->decision.n_actions, 0);
    assert_int_equal(w->n_touched_foreign, 0);
}

static void hot__more_is_shed_while_it_does_not_cool_and_nothing_else_is_touched(void **state)
{
    struct world *w = *state;

    run_three_beside_a_foreign_one(w);
    step_at(w, START + 10, HOT_C); /* the sinks want more than comes: it may cool by itself */
    assert_loop(w, "over-temperature", true);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 129, HOT_C);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 130, HOT_C);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 2); /* half of 300 W */
    step_at(w, START + 250, HOT_C);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 1);
    for (int i = 1; i < 6; i++) {
        step_at(w, START + 250 + 130 * i, HOT_C);
        assert_int_equal(w->decision.n_actions, 0);
    }
    assert_int_equal(w->n_touched_foreign, 0);
}

static void hot__what_may_not_be_suspended_goes_last(void **state)
{
    struct world *w = *state;

    push_job(w, 1, 4, false);
    push_job(w, 2, 2, true);
    step_at(w, START, COOL_C);
    assert_int_equal(count(w, HS_ACTION_START), 2);
    step_at(w, START + 1, COOL_C);
    w->demand_w = 260.0; /* of 320 W of heat: 75 W of 400 W are too much */
    step_at(w, START + 10, HOT_C);
    assert_int_equal(w->decision.n_actions, 1);
    assert_int_equal(w->decision.actions[0].job_id, 2);
    w->demand_w = 0.0;
    step_at(w, START + 20, HOT_C); /* as was decided ten seconds ago */
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 130, HOT_C);
    assert_int_equal(w->decision.n_actions, 1);
    assert_int_equal(w->decision.actions[0].job_id, 1);
    assert_int_equal(w->decision.actions[0].kind, HS_ACTION_SUSPEND);
}

static void hot__nothing_that_may_wait_starts_until_it_is_cool_and_then_all_goes_on(void **state)
{
    struct world *w = *state;
    size_t n_resumed = 0;
    size_t n_started = 0;

    run_three_beside_a_foreign_one(w);
    w->demand_w = 0.0;
    step_at(w, START + 10, HOT_C);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 3);
    push_job(w, 4, 2, false);
    for (int64_t at_s = START + 20; at_s < START + 2 * SLOT; at_s += 100) {
        step_at(w, at_s, HOT_C);
        assert_int_equal(w->decision.n_actions, 0);
    }
    assert_reason(w, 1, "loop-hot");
    assert_reason(w, 4, "loop-hot");
    w->demand_w = 1000.0;
    for (int64_t at_s = START + 2 * SLOT; at_s < START + 3 * SLOT; at_s += 100) {
        step_at(w, at_s, COOL_C);
        if (at_s < START + 2 * SLOT + 300) {
            assert_loop(w, "over-temperature", true);
            assert_int_equal(w->decision.n_actions, 0);
        }
        n_resumed += count(w, HS_ACTION_RESUME);
        n_started += count(w, HS_ACTION_START);
    }
    assert_loop(w, "normal", false);
    assert_true(n_resumed >= 2); /* four jobs of two vCPUs and a foreign one are more than 8 */
    assert_int_equal(n_resumed + n_started, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            hot__rejection_is_asked_and_just_enough_is_shed_in_the_same_step, setup, teardown),
        cmocka_unit_test_setup_teardown(
            hot__more_is_shed_while_it_does_not_cool_and_nothing_else_is_touched, setup, teardown),
        cmocka_unit_test_setup_teardown(hot__what_may_not_be_suspended_goes_last, setup, teardown),
        cmocka_unit_test_setup_teardown(
            hot__nothing_that_may_wait_starts_until_it_is_cool_and_then_all_goes_on, setup,
            teardown),
    };
    return cmocka_run_group_tests_name("cycle_hot", tests, NULL, NULL);
}
