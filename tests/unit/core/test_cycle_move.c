/* SPDX-License-Identifier: Apache-2.0 */
/* What may go on on another host, when that pays, and what is never touched. */
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
#include "scheduler/core/cycle_priv.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START   INT64_C(1700000000) /* a multiple of the 1000 s slot */
#define POOL    0
#define OFFICE  1
#define COLD_W  1500.0 /* more than both hosts give */
#define LONG_S  20000  /* much of the horizon of 48 slots */
#define LATE_AT (START + 40000)

struct world {
    struct hs_policy *policy;
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

static void push_reading(struct world *w, enum hs_point_kind kind, size_t thing_idx, double value)
{
    push(w, (struct hs_event){.kind = HS_EVENT_READING,
                              .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                          .value = value,
                                          .taken_at_s = w->now_at_s,
                                          .received_at_s = w->now_at_s,
                                          .quality = hs_reading_check(kind, value)}});
}

/* One site is cold and its tank empty, the other wants nothing and its tank is full. */
static void push_cold(struct world *w, size_t cold)
{
    push_reading(w, HS_POINT_DEMAND_HEAT_W, cold, COLD_W);
    push_reading(w, HS_POINT_TANK_C, cold, 35.0);
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 1 - cold, 0.0);
    push_reading(w, HS_POINT_TANK_C, 1 - cold, 60.0);
}

struct request {
    const char *class_name;
    bool interruptible;
    bool movable;
};

static void push_job_of(struct world *w, struct request request, uint64_t id, uint32_t vcpus,
                        int64_t due_at_s)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->name, sizeof(job->name), "job");
    snprintf(job->class_name, sizeof(job->class_name), "%s", request.class_name);
    job->vcpus = vcpus;
    job->memory_mib = 1024;
    job->duration_s = LONG_S;
    job->due_at_s = due_at_s;
    job->interruptible = request.interruptible;
    job->movable = request.movable;
    job->submitted_at_s = w->now_at_s;
    job->since_at_s = w->now_at_s;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, w->now_at_s, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
}

static void push_job(struct world *w, struct request request)
{
    push_job_of(w, request, 1, 2, LATE_AT);
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

    snprintf(event.text, sizeof(event.text), "%s", rc != 0 ? "no" : "");
    push(w, event);
    step_at(w, w->now_at_s + 5);
}

static const struct hs_job *job_of(struct world *w)
{
    return hs_cycle_get_job(w->cycle, 1);
}

/* It runs at the pool, which was cold; now the office is. */
static void run_at_the_wrong_place(struct world *w, struct request request)
{
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
    push_cold(w, POOL);
    push_job(w, request);
    step_at(w, START);
    assert_int_equal(only_action(w, HS_ACTION_START)->host_idx, POOL);
    answer(w, 0);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    w->now_at_s = START + 2000;
    push_cold(w, OFFICE);
    step_at(w, START + 2000);
}

static struct world *new_world(bool can_move, double move_s)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){.estate = small_estate(),
                                                       .policy = w->policy,
                                                       .n_slots = 48,
                                                       .now_at_s = START,
                                                       .move_s = move_s,
                                                       .can_move = can_move});
    return w;
}

static void free_world(struct world *w)
{
    hs_cycle_free(w->cycle);
    hs_policy_free(w->policy);
    HS_VEC_FINI(&w->events);
    free(w);
}

static const struct request batch = {"deferrable", true, true};
static const struct request service = {"movable", false, false};

static void cycle_move__suspends_moves_and_resumes_where_heat_is_worth_more(void **state)
{
    struct world *w = new_world(true, 30.0);

    run_at_the_wrong_place(w, batch);
    (void)only_action(w, HS_ACTION_SUSPEND);
    answer(w, 0);
    const struct hs_action *move = only_action(w, HS_ACTION_MOVE);

    assert_int_equal(move->host_idx, POOL);
    assert_int_equal(move->to_host_idx, OFFICE);
    assert_int_equal(job_of(w)->state, HS_JOB_MIGRATING);
    answer(w, 0);
    assert_int_equal(only_action(w, HS_ACTION_RESUME)->host_idx, OFFICE);
    answer(w, 0);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_string_equal(job_of(w)->host, "office/h1");
    assert_int_equal(job_of(w)->moves, 1);
    assert_int_equal(job_of(w)->suspends, 1);
    free_world(w);
}

static void cycle_move__leaves_a_job_that_did_not_say_so(void **state)
{
    struct world *w = new_world(true, 30.0);

    run_at_the_wrong_place(w, (struct request){"deferrable", true, false});
    for (size_t i = 0; i < w->decision.n_actions; i++) {
        assert_int_not_equal(w->decision.actions[i].kind, HS_ACTION_MOVE);
    }
    assert_string_equal(job_of(w)->host, "pool/h1");
    free_world(w);
}

static void cycle_move__plans_none_where_the_backend_cannot(void **state)
{
    struct world *w = new_world(false, 30.0);

    run_at_the_wrong_place(w, service);
    assert_int_equal(w->decision.n_actions, 0);
    free_world(w);
}

static void cycle_move__makes_no_move_that_costs_more_than_it_saves(void **state)
{
    struct world *w = new_world(true, 200000.0);

    run_at_the_wrong_place(w, service);
    assert_int_equal(w->decision.n_actions, 0);
    free_world(w);
}

static void cycle_move__a_job_stays_where_it_was_if_the_move_fails(void **state)
{
    struct world *w = new_world(true, 30.0);

    run_at_the_wrong_place(w, service);
    (void)only_action(w, HS_ACTION_MOVE);
    answer(w, -HS_E_SYSTEM);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_string_equal(job_of(w)->host, "pool/h1");
    assert_int_equal(job_of(w)->moves, 0);
    assert_int_equal(w->decision.n_actions, 0); /* and is not tried again at once */
    free_world(w);
}

static void cycle_move__a_move_without_an_answer_waits_until_it_is_settled(void **state)
{
    struct world *w = new_world(true, 30.0);
    const struct hs_machine machine = {.name = "hs-1",
                                       .state = HS_MACHINE_RUNNING,
                                       .vcpus = 2,
                                       .memory_mib = 1024,
                                       .cpu_s = NAN,
                                       .job_id = 1};

    run_at_the_wrong_place(w, service);
    (void)only_action(w, HS_ACTION_MOVE);
    answer(w, -HS_E_TIMEOUT);
    assert_int_equal(job_of(w)->state, HS_JOB_MIGRATING);
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = POOL});
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                              .host_idx = OFFICE,
                              .machines = &machine,
                              .n_machines = 1});
    step_at(w, w->now_at_s + 5);
    /* one side alone tells nothing: who saw both says so */
    assert_int_equal(job_of(w)->state, HS_JOB_MIGRATING);
    push(w, (struct hs_event){.kind = HS_EVENT_MOVE_SETTLED, .job_id = 1, .host_idx = OFFICE});
    step_at(w, w->now_at_s + 5);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_string_equal(job_of(w)->host, "office/h1");
    assert_int_equal(job_of(w)->moves, 1);
    free_world(w);
}

static void cycle_move__moves_a_service_live_and_within_its_budget(void **state)
{
    struct world *w = new_world(true, 30.0);

    run_at_the_wrong_place(w, service);
    assert_int_equal(only_action(w, HS_ACTION_MOVE)->to_host_idx, OFFICE);
    answer(w, 0);
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_string_equal(job_of(w)->host, "office/h1");
    assert_int_equal(job_of(w)->suspends, 0);
    w->now_at_s = START + 4000;
    push_cold(w, POOL); /* back again? Four a day are one in six hours */
    step_at(w, START + 4000);
    assert_int_equal(w->decision.n_actions, 0);
    free_world(w);
}

static void cycle_move__reckons_with_what_moves_really_took(void **state)
{
    struct world *w = new_world(true, 30.0);
    struct world *next = new_world(true, 30.0);
    json_auto_t *saved = NULL;

    run_at_the_wrong_place(w, service);
    assert_near(hs_cycle_get_move_s(w->cycle, 1024), 30,
                0); /* what is known, before any was made */
    assert_int_equal(only_action(w, HS_ACTION_MOVE)->to_host_idx, OFFICE);
    w->now_at_s += 400;
    answer(w, 0);
    assert_near(hs_cycle_get_move_s(w->cycle, 1024), 400, 1e-6);
    assert_near(hs_cycle_get_move_s(w->cycle, 32), 30, 0); /* 12.5, and never less than known */
    saved = hs_cycle_save_moves(w->cycle);
    assert_int_equal(hs_cycle_restore_moves(next->cycle, saved, NULL), 0);
    assert_near(hs_cycle_get_move_s(next->cycle, 1024), 400, 1e-6);
    free_world(next);
    free_world(w);
}

static void cycle_filler__stops_when_its_heat_no_longer_pays(void **state)
{
    struct world *w = new_world(false, 0.0);

    w->policy->classes[HS_CLASS_FILLER].ceiling_cur_per_mwh = 60.0; /* electricity costs 100 */
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
    push_cold(w, POOL);
    push_job(w, (struct request){"filler", false, false});
    step_at(w, START);
    assert_int_equal(only_action(w, HS_ACTION_START)->host_idx, POOL);
    answer(w, 0);
    w->now_at_s = START + 2000;
    push_cold(w, OFFICE); /* the heat is wanted where it is not */
    step_at(w, START + 2000);
    (void)only_action(w, HS_ACTION_SUSPEND);
    answer(w, 0);
    assert_int_equal(job_of(w)->state, HS_JOB_SUSPENDED);
    assert_int_equal(w->decision.n_actions, 0);
    w->now_at_s = LATE_AT + 2000; /* it is past its due time, and late for nothing */
    push_cold(w, POOL);
    step_at(w, LATE_AT + 2000);
    (void)only_action(w, HS_ACTION_RESUME);
    free_world(w);
}

/* Every action of the last decision succeeds, 5 s later. */
static void answer_all(struct world *w)
{
    size_t n = w->decision.n_actions;

    w->now_at_s += 5;
    for (size_t i = 0; i < n; i++) {
        push(w, (struct hs_event){.kind = HS_EVENT_ACTION_DONE,
                                  .op_id = w->decision.actions[i].op_id});
    }
    step_at(w, w->now_at_s);
}

/* A plan in which each of the two goes on where the other one runs. */
static void swap_places(struct world *w)
{
    for (uint64_t id = 1; id <= 2; id++) {
        struct hs_cycle_entry *entry = hs_cycle_find_entry(w->cycle, id);

        entry->is_placed = true;
        entry->placement = (struct hs_placement){.job_id = id, .host_idx = 1 - entry->host_idx};
        entry->placement.slots[0] = 1;
    }
}

/* Each fills its host, and has no time to wait. */
static void run_two(struct world *w)
{
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
    for (uint64_t id = 1; id <= 2; id++) {
        push_job_of(w, batch, id, SMALL_HOST_VCPUS, START + LONG_S + 3000);
    }
    step_at(w, START);
    for (size_t i = 0; i < 5; i++) {
        answer_all(w);
    }
    assert_int_equal(job_of(w)->state, HS_JOB_RUNNING);
    assert_int_equal(hs_cycle_get_job(w->cycle, 2)->state, HS_JOB_RUNNING);
}

static void cycle_move__two_jobs_change_places_though_neither_has_room_to_go_to(void **state)
{
    struct world *w = new_world(true, 1.0);

    run_two(w);
    swap_places(w);
    hs_cycle_dispatch(w->cycle);
    for (uint64_t id = 1; id <= 2; id++) {
        const struct hs_cycle_entry *entry = hs_cycle_find_entry(w->cycle, id);

        assert_int_not_equal(entry->op_id, 0);
        assert_int_equal(entry->op_kind, HS_ACTION_SUSPEND);
    }
    free_world(w);
}

/* As many attempts as the host refuses would be one after the other, without a pause. */
static void cycle_move__a_host_that_refuses_to_make_room_is_not_asked_again_at_once(void **state)
{
    struct world *w = new_world(true, 1.0);

    run_two(w);
    swap_places(w);
    hs_cycle_dispatch(w->cycle);
    for (uint64_t id = 1; id <= 2; id++) {
        struct hs_event event = {.kind = HS_EVENT_ACTION_DONE,
                                 .op_id = hs_cycle_find_entry(w->cycle, id)->op_id,
                                 .rc = -HS_E_SYSTEM};

        snprintf(event.text, sizeof(event.text), "no");
        push(w, event);
    }
    step_at(w, w->now_at_s + 5);
    swap_places(w);
    hs_cycle_find_entry(w->cycle, 2)->retry_at_s = 0; /* it asks for the room of the other */
    hs_cycle_dispatch(w->cycle);
    assert_int_equal(hs_cycle_find_entry(w->cycle, 1)->op_id, 0);
    free_world(w);
}

static void cycle_move__never_touches_pinned_work(void **state)
{
    struct world *w = new_world(true, 0.0);

    run_at_the_wrong_place(w, (struct request){"pinned", true, true});
    assert_int_equal(w->decision.n_actions, 0);
    for (int64_t at_s = START + 3000; at_s < START + 12000; at_s += 1000) {
        w->now_at_s = at_s;
        push_cold(w, (size_t)(at_s / 1000) % 2);
        step_at(w, at_s);
        assert_int_equal(w->decision.n_actions, 0);
    }
    free_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycle_move__suspends_moves_and_resumes_where_heat_is_worth_more),
        cmocka_unit_test(cycle_move__leaves_a_job_that_did_not_say_so),
        cmocka_unit_test(cycle_move__plans_none_where_the_backend_cannot),
        cmocka_unit_test(cycle_move__makes_no_move_that_costs_more_than_it_saves),
        cmocka_unit_test(cycle_move__a_job_stays_where_it_was_if_the_move_fails),
        cmocka_unit_test(cycle_move__a_move_without_an_answer_waits_until_it_is_settled),
        cmocka_unit_test(cycle_move__reckons_with_what_moves_really_took),
        cmocka_unit_test(cycle_move__moves_a_service_live_and_within_its_budget),
        cmocka_unit_test(cycle_filler__stops_when_its_heat_no_longer_pays),
        cmocka_unit_test(cycle_move__two_jobs_change_places_though_neither_has_room_to_go_to),
        cmocka_unit_test(cycle_move__a_host_that_refuses_to_make_room_is_not_asked_again_at_once),
        cmocka_unit_test(cycle_move__never_touches_pinned_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
