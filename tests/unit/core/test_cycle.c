/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle as daemon and simulator use it: events in, guarded actions out. */
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
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START INT64_C(1700000000) /* a multiple of the 1000 s slot */

struct world {
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    struct hs_series *price;
    int64_t now_at_s;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
};

static void push(struct world *w, struct hs_event event)
{
    event.at_s = w->now_at_s;
    (void)HS_VEC_PUSH(&w->events, event);
}

static void step(struct world *w)
{
    hs_cycle_step(w->cycle, w->now_at_s, w->events.items, w->events.n, &w->decision);
    w->events.n = 0;
}

static void step_at(struct world *w, int64_t at_s)
{
    w->now_at_s = at_s;
    step(w);
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

/* Both sites: so much demand, so warm a tank. */
static void push_plant(struct world *w, double demand_w, double tank_c)
{
    for (size_t i = 0; i < SMALL_SITES; i++) {
        push_reading(w, HS_POINT_DEMAND_HEAT_W, i, demand_w);
        push_reading(w, HS_POINT_TANK_C, i, tank_c);
    }
}

static void push_hosts_up(struct world *w)
{
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
}

static void push_job(struct world *w, uint64_t id, const char *class_name, int64_t duration_s,
                     int64_t due_at_s, bool interruptible)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->name, sizeof(job->name), "job-%d", (int)id);
    snprintf(job->class_name, sizeof(job->class_name), "%s", class_name);
    job->vcpus = 2;
    job->memory_mib = 1024;
    job->duration_s = duration_s;
    job->due_at_s = due_at_s;
    job->interruptible = interruptible;
    job->submitted_at_s = w->now_at_s;
    job->since_at_s = w->now_at_s;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, w->now_at_s, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
}

static void push_done(struct world *w, uint64_t op_id, int rc, const char *text)
{
    struct hs_event event = {.kind = HS_EVENT_ACTION_DONE, .op_id = op_id, .rc = rc};

    snprintf(event.text, sizeof(event.text), "%s", text);
    push(w, event);
}

/* The only action of the last step must be @kind; its operation id. */
static uint64_t only_action(struct world *w, enum hs_action_kind kind)
{
    assert_int_equal(w->decision.n_actions, 1);
    assert_int_equal(w->decision.actions[0].kind, kind);
    return w->decision.actions[0].op_id;
}

static enum hs_job_state state_of(struct world *w, uint64_t id)
{
    return hs_cycle_get_job(w->cycle, id)->state;
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->price = hs_series_new();
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){
        .estate = small_estate(), .policy = w->policy, .n_slots = 48, .now_at_s = START});
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hs_cycle_free(w->cycle);
    hs_policy_free(w->policy);
    hs_series_free(w->price);
    HS_VEC_FINI(&w->events);
    free(w);
    return 0;
}

/* Electricity at 300 until @cheap_at_s, then 20 for good, at both sites. */
static void set_prices(struct world *w, int64_t cheap_at_s)
{
    hs_series_add(w->price, START - 1000, 300.0);
    hs_series_add(w->price, cheap_at_s, 20.0);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        hs_cycle_set_signal(w->cycle, s, HS_SIGNAL_PRICE, w->price);
    }
}

static void cycle__starts_a_job_where_heat_pays_and_follows_it_to_its_end(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 0, 0.0);
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 1, 5000.0); /* the office is cold */
    push_reading(w, HS_POINT_TANK_C, 0, 59.9);
    push_reading(w, HS_POINT_TANK_C, 1, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 3500, false);
    step(w);
    uint64_t op_id = only_action(w, HS_ACTION_START);

    assert_int_equal(w->decision.actions[0].host_idx, 1);
    assert_int_equal(state_of(w, 1), HS_JOB_STARTING);
    assert_int_equal(w->decision.n_changed_job_ids, 1);
    push_done(w, op_id, 0, "");
    step_at(w, START + 10);
    assert_int_equal(state_of(w, 1), HS_JOB_RUNNING);
    w->now_at_s = START + 2010;
    push(w,
         (struct hs_event){
             .kind = HS_EVENT_MACHINE_ENDED, .host_idx = 1, .job_id = 1, .has_exit_status = true});
    step(w);
    assert_int_equal(state_of(w, 1), HS_JOB_DONE);
    assert_near(hs_cycle_get_job(w->cycle, 1)->ran_s, 2010.0, 0.0);
}

static void cycle__suspends_when_power_is_dear_and_resumes_when_it_is_cheap(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 2000.0, 35.0);
    push_job(w, 1, "deferrable", 4000, START + 40000, true);
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 10);
    set_prices(w, START + 6000);
    w->now_at_s = START + 2000;
    push_plant(w, 0.0, 60.0); /* and the tanks are full */
    step(w);
    push_done(w, only_action(w, HS_ACTION_SUSPEND), 0, "");
    step_at(w, START + 2010);
    assert_int_equal(state_of(w, 1), HS_JOB_SUSPENDED);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);

    assert_non_null(strstr(json_string_value(json_object_get(why, "text")),
                           "goes on at 2023-11-14T23:53:20Z, when it is cheaper"));
    assert_true(json_array_size(json_object_get(why, "reasons")) > 0);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(why, "reasons"), 0), "code")),
                        "electricity-cheaper-later");
    w->now_at_s = START + 6000;
    push_plant(w, 2000.0, 35.0);
    step(w);
    push_done(w, only_action(w, HS_ACTION_RESUME), 0, "");
    step_at(w, START + 6010);
    assert_int_equal(state_of(w, 1), HS_JOB_RUNNING);
    assert_int_equal(hs_cycle_get_job(w->cycle, 1)->suspends, 1);
}

static void cycle__starts_at_the_latest_start_whatever_heat_costs(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 0.0, 60.0);     /* nobody wants heat, the tanks are full */
    set_prices(w, START + 30000); /* and power will be cheap, too late */
    push_job(w, 1, "deferrable", 2000, START + 2900, false);
    step(w);
    (void)only_action(w, HS_ACTION_START);
    assert_non_null(strstr(w->decision.actions[0].why, "latest start"));
}

static void cycle__never_acts_on_machines_that_it_did_not_make(void **state)
{
    struct world *w = *state;
    struct hs_machine foreign[2] = {
        {.name = "mail", .state = HS_MACHINE_RUNNING, .vcpus = 8, .memory_mib = 4096},
        {.name = "hs-1", .state = HS_MACHINE_RUNNING, .vcpus = 1, .memory_mib = 512},
    };

    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .machines = foreign, .n_machines = 1});
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                              .host_idx = 1,
                              .machines = &foreign[1],
                              .n_machines = 1});
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    step(w);
    /* The full host takes nothing; the one with a namesake of ours still may. */
    for (size_t i = 0; i < w->decision.n_actions; i++) {
        assert_int_equal(w->decision.actions[i].kind, HS_ACTION_START);
        assert_int_equal(w->decision.actions[i].host_idx, 1);
    }
    for (int64_t at_s = START + 100; at_s < START + 20000; at_s += 500) {
        w->now_at_s = at_s;
        push_plant(w, 0.0, 60.0);
        step(w);
        for (size_t i = 0; i < w->decision.n_actions; i++) {
            assert_int_equal(w->decision.actions[i].kind, HS_ACTION_START);
        }
    }
    double rack_w[SMALL_SITES];

    hs_cycle_get_rack_elec_w(w->cycle, rack_w);
    assert_near(rack_w[0], 500.0, 1e-9); /* eight foreign vCPUs: counted as base load */
}

static void cycle__settles_a_start_that_timed_out_by_looking(void **state)
{
    struct world *w = *state;
    struct hs_machine ours = {
        .name = "hs-1", .state = HS_MACHINE_RUNNING, .vcpus = 2, .memory_mib = 1024, .job_id = 1};

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    step(w);
    size_t host_idx = w->decision.actions[0].host_idx;

    push_done(w, only_action(w, HS_ACTION_START), -HS_E_TIMEOUT, "no answer in 10 s");
    step_at(w, START + 10);
    step_at(w, START + 500);
    assert_int_equal(w->decision.n_actions, 0); /* never a second machine on a guess */
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED,
                              .host_idx = host_idx,
                              .machines = &ours,
                              .n_machines = 1});
    step_at(w, START + 520);
    assert_int_equal(state_of(w, 1), HS_JOB_RUNNING);
}

static void cycle__waits_for_a_machine_that_is_there_in_no_known_state(void **state)
{
    struct world *w = *state;
    struct hs_machine ours = {
        .name = "hs-1", .state = HS_MACHINE_UNKNOWN, .vcpus = 2, .memory_mib = 1024, .job_id = 1};

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    step(w);

    struct hs_event listed = {.kind = HS_EVENT_HOST_LISTED,
                              .host_idx = w->decision.actions[0].host_idx,
                              .machines = &ours,
                              .n_machines = 1};

    push_done(w, only_action(w, HS_ACTION_START), -HS_E_TIMEOUT, "no answer in 10 s");
    step_at(w, START + 10);
    push(w, listed);
    step_at(w, START + 20);
    step_at(w, START + 500);
    assert_int_equal(w->decision.n_actions, 0); /* started elsewhere it would run twice */
    assert_int_equal(state_of(w, 1), HS_JOB_STARTING);
    ours.state = HS_MACHINE_RUNNING;
    push(w, listed);
    step_at(w, START + 520);
    assert_int_equal(state_of(w, 1), HS_JOB_RUNNING);
}

static void cycle__tries_again_where_a_timed_out_start_left_no_machine(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 9000, false);
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), -HS_E_TIMEOUT, "no answer in 10 s");
    step_at(w, START + 10);
    w->now_at_s = START + 20;
    push_hosts_up(w);
    step(w);
    assert_int_equal(state_of(w, 1), HS_JOB_WAITING);
    w->now_at_s = START + 100;
    push_plant(w, 5000.0, 35.0);
    step(w);
    (void)only_action(w, HS_ACTION_START);
}

static void cycle__places_nothing_on_a_host_that_was_lost(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    step(w);
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LOST, .host_idx = 1, .text = "hung"});
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    step_at(w, START + 10);
    (void)only_action(w, HS_ACTION_START);
    assert_int_equal(w->decision.actions[0].host_idx, 0);
}

static void cycle__cancels_a_waiting_job_at_once_and_a_running_one_by_its_machine(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 0.0, 60.0);
    set_prices(w, START + 20000);
    push_job(w, 1, "deferrable", 2000, START + 40000, false);
    push_job(w, 2, "movable", 2000, 0, false);
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 5);
    push(w, (struct hs_event){.kind = HS_EVENT_CANCEL, .job_id = 1});
    push(w, (struct hs_event){.kind = HS_EVENT_CANCEL, .job_id = 2});
    step_at(w, START + 10);
    assert_int_equal(state_of(w, 1), HS_JOB_CANCELLED);
    push_done(w, only_action(w, HS_ACTION_DESTROY), 0, "");
    size_t host_idx = w->decision.actions[0].host_idx;

    push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED, .host_idx = host_idx, .job_id = 2});
    step_at(w, START + 11);
    assert_int_equal(state_of(w, 2), HS_JOB_CANCELLED);
}

/* True if the last step said that job @id is to be written down. */
static bool is_changed(const struct world *w, uint64_t id)
{
    for (size_t i = 0; i < w->decision.n_changed_job_ids; i++) {
        if (w->decision.changed_job_ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void cycle__keeps_a_cancel_with_the_job(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 0.0, 60.0);
    push_job(w, 2, "movable", 2000, 0, false);
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 5);
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LOST, .host_idx = 0, .text = "hung"});
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LOST, .host_idx = 1, .text = "hung"});
    push(w, (struct hs_event){.kind = HS_EVENT_CANCEL, .job_id = 2});
    step_at(w, START + 10);
    assert_int_equal(w->decision.n_actions, 0);
    assert_true(is_changed(w, 2));
    assert_true(hs_cycle_get_job(w->cycle, 2)->cancel_wanted);
}

static void cycle__cancels_after_a_restart_as_soon_as_the_host_answers(void **state)
{
    struct world *w = *state;
    struct hs_machine ours = {
        .name = "hs-4", .state = HS_MACHINE_RUNNING, .vcpus = 2, .memory_mib = 1024, .job_id = 4};

    push_job(w, 4, "movable", 3000, 0, false);
    w->events.items[0].job->state = HS_JOB_RUNNING;
    w->events.items[0].job->cancel_wanted = true;
    snprintf(w->events.items[0].job->host, HS_PATH_MAX, "office/h1");
    push_job(w, 5, "movable", 3000, 0, false);
    w->events.items[1].job->state = HS_JOB_RUNNING;
    w->events.items[1].job->cancel_wanted = true;
    snprintf(w->events.items[1].job->host, HS_PATH_MAX, "gone/h9"); /* no longer in the estate */
    step(w);
    assert_int_equal(w->decision.n_actions, 0);
    push(w, (struct hs_event){
                .kind = HS_EVENT_HOST_LISTED, .host_idx = 1, .machines = &ours, .n_machines = 1});
    step_at(w, START + 2);
    push_done(w, only_action(w, HS_ACTION_DESTROY), 0, "");
    push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED, .host_idx = 1, .job_id = 4});
    step_at(w, START + 3);
    assert_int_equal(state_of(w, 4), HS_JOB_CANCELLED);
}

static void cycle__ends_a_job_that_runs_over_its_limit(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "movable", 500, 0, false);
    w->events.items[w->events.n - 1].job->limit_s = 800;
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 1);
    step_at(w, START + 700);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 802);
    (void)only_action(w, HS_ACTION_DESTROY);
    assert_string_equal(hs_cycle_get_job(w->cycle, 1)->why, "ran longer than its limit of 13m20s");
}

static void cycle__fails_a_job_whose_script_failed_and_keeps_its_status(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "movable", 500, 0, false);
    step(w);
    size_t host_idx = w->decision.actions[0].host_idx;

    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED,
                              .host_idx = host_idx,
                              .job_id = 1,
                              .has_exit_status = true,
                              .exit_status = 3});
    step_at(w, START + 100);
    assert_int_equal(state_of(w, 1), HS_JOB_FAILED);
    assert_int_equal(hs_cycle_get_job(w->cycle, 1)->exit_status, 3);
    assert_non_null(strstr(hs_cycle_get_job(w->cycle, 1)->why, "exit status 3"));
}

static void cycle__bad_readings_take_credit_away_and_never_raise_load(void **state)
{
    struct world *w = *state;
    const struct hs_plan *plan;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    step(w);
    plan = hs_cycle_get_plan(w->cycle);
    assert_true(plan->heat_cur_per_mwh[0] > 50.0);
    for (int64_t at_s = START + 100; at_s <= START + 6000; at_s += 500) {
        w->now_at_s = at_s;
        push_plant(w, NAN, NAN);
        step(w);
    }
    json_t *loop = hs_cycle_format_loop(w->cycle, 0, w->now_at_s);

    assert_string_equal(json_string_value(json_object_get(loop, "state")), "sensor-fault");
    json_decref(loop);
    plan = hs_cycle_get_plan(w->cycle);
    assert_near(plan->heat_cur_per_mwh[0], 0.0, 1e-9);
    /* Work still runs: reuse must never be why compute is unavailable. */
    push_job(w, 1, "deferrable", 2000, w->now_at_s + 2100, false);
    step(w);
    (void)only_action(w, HS_ACTION_START);
}

/* A job that follows others; @after is one condition. */
static void push_after(struct world *w, uint64_t id, const char *after)
{
    struct hs_job *job;

    push_job(w, id, "deferrable", 2000, START + 40000, false);
    job = w->events.items[w->events.n - 1].job;
    job->after = hs_xcalloc(1, sizeof(*job->after));
    job->after[0] = hs_xstrdup(after);
    job->n_after = 1;
}

static void end_job_1(struct world *w, int exit_status)
{
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_ENDED,
                                  .host_idx = h,
                                  .job_id = 1,
                                  .has_exit_status = true,
                                  .exit_status = exit_status});
    }
    step_at(w, START + 1500);
}

/* Job 1 runs; 2 is to follow it. */
static void run_first(struct world *w, const char *after)
{
    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    push_after(w, 2, after);
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 1000);
    assert_int_equal(w->decision.n_actions, 0);
    assert_int_equal(state_of(w, 2), HS_JOB_WAITING);
}

static void cycle__a_job_starts_when_the_one_it_follows_is_done(void **state)
{
    struct world *w = *state;

    run_first(w, "afterok:1");
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 2, w->now_at_s);
    const json_t *reason = json_array_get(json_object_get(why, "reasons"), 0);

    assert_string_equal(json_string_value(json_object_get(reason, "code")), "dependency");
    assert_string_equal(json_string_value(json_object_get(reason, "object")), "job 1");

    const json_t *bound = json_array_get(json_object_get(why, "constraints"), 0);

    assert_string_equal(json_string_value(json_object_get(bound, "code")), "after");
    assert_string_equal(json_string_value(json_object_get(bound, "object")), "job 1");
    assert_non_null(json_string_value(json_object_get(bound, "would_host")));
    end_job_1(w, 0);
    (void)only_action(w, HS_ACTION_START);
    assert_int_equal(state_of(w, 2), HS_JOB_STARTING);
}

static void cycle__a_job_is_cancelled_when_the_one_it_follows_ended_otherwise(void **state)
{
    struct world *w = *state;

    run_first(w, "afterok:1");
    end_job_1(w, 3);
    assert_int_equal(state_of(w, 2), HS_JOB_CANCELLED);
    assert_string_equal(hs_cycle_get_job(w->cycle, 2)->why,
                        "job 1, which it was to follow, is failed");
}

static void cycle__a_job_after_a_failure_waits_for_the_failure(void **state)
{
    struct world *w = *state;

    run_first(w, "afternotok:1");
    end_job_1(w, 3);
    (void)only_action(w, HS_ACTION_START);
}

static void cycle__a_job_after_any_end_starts_after_a_failure_too(void **state)
{
    struct world *w = *state;

    run_first(w, "afterany:1");
    end_job_1(w, 3);
    (void)only_action(w, HS_ACTION_START);
}

static void cycle__a_singleton_waits_for_its_name(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, START + 2100, false);
    push_after(w, 2, "singleton");
    snprintf(w->events.items[w->events.n - 1].job->name, HS_NAME_MAX, "job-1");
    step(w);
    push_done(w, only_action(w, HS_ACTION_START), 0, "");
    step_at(w, START + 1000);
    assert_int_equal(w->decision.n_actions, 0);
    end_job_1(w, 3);
    (void)only_action(w, HS_ACTION_START);
}

static void cycle__refuses_to_follow_a_job_that_is_not_there(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_job) job = hs_job_new();
    char cannot_meet[192];
    struct hs_err err;

    job->after = hs_xcalloc(1, sizeof(*job->after));
    job->after[0] = hs_xstrdup("afterok:77");
    job->n_after = 1;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, START, cannot_meet, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.text, "there is no job 77 to follow"));
}

static bool has_note(const struct world *w, const char *subject, const char *text)
{
    for (size_t i = 0; i < w->decision.n_notes; i++) {
        if (strcmp(w->decision.notes[i].subject, subject) == 0
            && strstr(w->decision.notes[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

static void cycle__says_once_when_a_point_turns_bad_and_when_it_is_good_again(void **state)
{
    struct world *w = *state;
    char point[HS_POINT_MAX];

    hs_reading_format_point(small_estate(), &(struct hs_point){.kind = HS_POINT_DEMAND_HEAT_W},
                            point);
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 0, NAN);
    step(w);
    assert_true(has_note(w, point, "nan is not-a-number, left out: no good one has come yet"));
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 0, NAN);
    step(w);
    assert_false(has_note(w, point, ""));
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 0, 5000.0);
    step(w);
    assert_true(has_note(w, point, "good again: 5000"));
    push_reading(w, HS_POINT_DEMAND_HEAT_W, 0, -7.0);
    step(w);
    assert_true(has_note(w, point, "-7 is out-of-range, left out: the last good one, 5000, holds"));
}

static void cycle__explains_why_a_job_waits_with_prices_now_and_then(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 0.0, 60.0);
    set_prices(w, START + 9000);
    push_job(w, 1, "deferrable", 2000, START + 40000, false);
    step(w);
    json_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);
    json_t *reasons = json_object_get(why, "reasons");

    assert_true(json_array_size(reasons) > 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 0), "code")),
                        "electricity-cheaper-later");
    assert_true(json_is_number(json_object_get(why, "heat_price_now_cur_per_mwh")));
    assert_true(json_is_number(json_object_get(why, "heat_price_planned_cur_per_mwh")));
    assert_true(json_number_value(json_object_get(why, "saving_cur")) > 0);
    json_decref(why);
}

static void
cycle__puts_what_gains_most_first_and_leaves_out_what_gains_next_to_nothing(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 300.0, 36.0);
    set_prices(w, START + 9000);
    push_job(w, 1, "deferrable", 2000, START + 40000, false);
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);
    json_t *reasons = json_object_get(why, "reasons");

    assert_int_equal(json_array_size(reasons), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 0), "code")),
                        "electricity-cheaper-later");
    assert_string_equal(json_string_value(json_object_get(why, "due")), "2023-11-15T09:20:00Z");
}

static void cycle__says_that_a_start_beyond_the_horizon_is_not_planned_yet(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "deferrable", 2000, 0, false);
    w->events.items[w->events.n - 1].job->earliest_at_s = START + 100000;
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);
    json_auto_t *job = hs_cycle_format_job(w->cycle, 1, w->now_at_s);
    json_t *reasons = json_object_get(why, "reasons");

    assert_int_equal(json_array_size(reasons), 1);
    assert_non_null(strstr(json_string_value(json_object_get(json_array_get(reasons, 0), "text")),
                           "plans reach until"));
    assert_true(json_is_null(json_object_get(job, "cannot_meet")));
}

static void cycle__says_that_a_job_runs_late_and_how_long_it_has_run(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "movable", 3000, START + 1200, false);
    step_at(w, START + 100);
    uint64_t op_id = only_action(w, HS_ACTION_START);

    push_done(w, op_id, 0, "");
    step_at(w, START + 100);
    step_at(w, START + 400);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);
    json_auto_t *job = hs_cycle_format_job(w->cycle, 1, w->now_at_s);

    assert_non_null(strstr(json_string_value(json_object_get(why, "text")),
                           "; it will end 31m40s after its due time"));
    assert_near(json_number_value(json_object_get(job, "ran_s")), 300.0, 1e-9);
}

static void cycle__names_no_command_that_is_not_there_for_a_held_job(void **state)
{
    struct world *w = *state;

    push_job(w, 1, "deferrable", 2000, START + 40000, false);
    w->events.items[0].job->state = HS_JOB_HELD;
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, w->now_at_s);
    json_t *reason = json_array_get(json_object_get(why, "reasons"), 0);

    assert_string_equal(json_string_value(json_object_get(reason, "code")), "held");
    assert_null(strstr(json_string_value(json_object_get(reason, "change")), "release"));
}

static void cycle__tries_a_job_as_it_would_place_it_and_keeps_nothing(void **state)
{
    struct world *w = *state;

    set_prices(w, START + 20000);
    push_plant(w, 9000.0, 50.0);
    push_hosts_up(w);
    push_job(w, 1, "deferrable", 3000, START + 40000, false);
    step(w);
    HS_AUTO(hs_job) job = hs_job_dup(hs_cycle_get_job(w->cycle, 1));
    json_auto_t *first = hs_cycle_format_trial(w->cycle, job, START);
    json_auto_t *second = hs_cycle_format_trial(w->cycle, job, START);

    assert_true(json_equal(first, second));
    assert_true(json_is_null(json_object_get(first, "id")));
    assert_true(
        json_is_string(json_object_get(json_object_get(first, "explanation"), "planned_start")));
    assert_int_equal(hs_cycle_get_n_jobs(w->cycle), 1);
    push_job(w, 2, "deferrable", 3000, START + 40000, false);
    step(w);
    json_auto_t *placed = hs_cycle_format_job(w->cycle, 2, START);

    assert_string_equal(json_string_value(json_object_get(first, "planned_start")),
                        json_string_value(json_object_get(placed, "planned_start")));
    assert_string_equal(json_string_value(json_object_get(first, "planned_host")),
                        json_string_value(json_object_get(placed, "planned_host")));
}

static void cycle__refuses_a_job_that_no_host_could_ever_take(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_job) job = hs_job_new();
    char cannot_meet[192];
    struct hs_err err;

    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = 9;
    job->memory_mib = 1024;
    job->duration_s = 60;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, START, cannot_meet, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.text, "larger than any host"));
    job->vcpus = 1;
    job->n_not_sites = SMALL_SITES;
    job->not_sites = hs_xcalloc(SMALL_SITES, sizeof(*job->not_sites));
    for (size_t s = 0; s < SMALL_SITES; s++) {
        job->not_sites[s] = hs_xstrdup(small_estate()->sites[s].name);
    }
    assert_int_equal(hs_cycle_check_job(w->cycle, job, START, cannot_meet, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.text, "leave no site"));
    job->n_not_sites = 1;
    free(job->not_sites[1]);
    job->vcpus = 1;
    job->due_at_s = START + 30;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, START, cannot_meet, &err), 0);
    assert_non_null(strstr(cannot_meet, "needs 1m and would end 30s late"));
}

static void cycle__says_how_late_a_job_will_be_as_people_write_it(void **state)
{
    struct world *w = *state;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    push_job(w, 1, "movable", 3000, START + 1200, false);
    step(w);
    json_auto_t *job = hs_cycle_format_job(w->cycle, 1, START);

    assert_string_equal(json_string_value(json_object_get(job, "cannot_meet")),
                        "it will end 30m after its due time");
}

static void cycle__takes_up_again_what_ran_before_a_restart(void **state)
{
    struct world *w = *state;
    struct hs_machine ours = {
        .name = "hs-4", .state = HS_MACHINE_PAUSED, .vcpus = 2, .memory_mib = 1024, .job_id = 4};

    push_job(w, 4, "deferrable", 3000, START + 30000, true);
    w->events.items[0].job->state = HS_JOB_RUNNING;
    snprintf(w->events.items[0].job->host, HS_PATH_MAX, "office/h1");
    push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = 0});
    push(w, (struct hs_event){
                .kind = HS_EVENT_HOST_LISTED, .host_idx = 1, .machines = &ours, .n_machines = 1});
    push_plant(w, 5000.0, 35.0);
    step(w);
    assert_int_equal(state_of(w, 4), HS_JOB_SUSPENDED);
    assert_string_equal(hs_cycle_get_job(w->cycle, 4)->host, "office/h1");
    (void)only_action(w, HS_ACTION_RESUME); /* not a second start */
}

static void cycle__keeps_room_for_an_estimate_until_the_due_time_only(void **state)
{
    struct world *w = *state;
    uint64_t id = 1;

    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    for (; id <= 2 * SMALL_HOST_VCPUS / 2; id++) {
        push_job(w, id, "deferrable", 900000, START + 5000, false); /* asks for ten days */
    }
    push_job(w, id, "deferrable", 1000, START + 9000, false);
    step(w);
    assert_int_equal(w->decision.n_actions, id - 1); /* they start at once */
    json_t *job = hs_cycle_format_job(w->cycle, id, w->now_at_s);

    assert_true(json_is_string(json_object_get(job, "planned_start")));
    assert_true(json_is_null(json_object_get(job, "cannot_meet")));
    json_decref(job);
    job = hs_cycle_format_job(w->cycle, 1, w->now_at_s);
    assert_true(json_is_string(json_object_get(job, "cannot_meet"))); /* and are told so */
    json_decref(job);
}

static void cycle__gives_the_same_decisions_for_the_same_events(void **state)
{
    struct world *w = *state;
    struct hs_cycle *other = hs_cycle_new(&(struct hs_cycle_options){
        .estate = small_estate(), .policy = w->policy, .n_slots = 48, .now_at_s = START});

    w->policy->waiting_weight = 1.0; /* so that some start at once */
    push_hosts_up(w);
    push_plant(w, 3000.0, 40.0);
    for (uint64_t id = 1; id <= 9; id++) {
        push_job(w, id, "deferrable", 1000 + (int64_t)id * 300, START + 20000, id % 2 == 0);
    }
    HS_VEC(struct hs_event) copies = {0};
    struct hs_decision twin;

    for (size_t i = 0; i < w->events.n; i++) {
        struct hs_event copy = w->events.items[i];

        copy.job = copy.job != NULL ? hs_job_dup(copy.job) : NULL;
        (void)HS_VEC_PUSH(&copies, copy);
    }
    step(w);
    hs_cycle_step(other, w->now_at_s, copies.items, copies.n, &twin);
    assert_int_equal(twin.n_actions, w->decision.n_actions);
    assert_true(twin.n_actions > 0);
    for (size_t i = 0; i < twin.n_actions; i++) {
        assert_int_equal(twin.actions[i].job_id, w->decision.actions[i].job_id);
        assert_int_equal(twin.actions[i].host_idx, w->decision.actions[i].host_idx);
    }
    hs_cycle_free(other);
    HS_VEC_FINI(&copies);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void cycle__a_host_in_maintenance_takes_nothing_and_ends_by_itself(void **state)
{
    struct world *w = *state;

    for (size_t h = 0; h < SMALL_SITES; h++) {
        hs_cycle_close_host(w->cycle, h, START + 500, START + 3000);
    }
    push_hosts_up(w);
    push_plant(w, 5000.0, 35.0);
    /* It would run into the maintenance; a shorter one, in what is left of the slot, would not
     * either: slots are closed whole. */
    push_job(w, 1, "deferrable", 2000, START + 20000, false);
    for (int64_t at_s = START; at_s < START + 3000; at_s += 1000) {
        step_at(w, at_s);
        assert_int_equal(w->decision.n_actions, 0);
        push_plant(w, 5000.0, 35.0);
    }
    step_at(w, START + 3000);
    (void)only_action(w, HS_ACTION_START);
}

static void cycle__many_jobs_choose_by_the_bounds_prices_once_these_are_settled(void **state)
{
    struct world *w = *state;

    hs_cycle_free(w->cycle);
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){.estate = small_estate(),
                                                       .policy = w->policy,
                                                       .n_slots = 96,
                                                       .now_at_s = START,
                                                       .bound_iterations = 40});
    push_hosts_up(w);
    for (uint64_t id = 1; id <= 520; id++) {
        push_job(w, id, "deferrable", 900, START + 90 * 1000, false);
    }
    for (int i = 0; i < 3; i++) {
        push_plant(w, 1000.0, 40.0);
        step_at(w, START + i * 1000);
        assert_int_equal(hs_cycle_get_plan(w->cycle)->n_late, 0);
        assert_int_equal(hs_cycle_get_bound(w->cycle)->is_guided, i == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cycle__a_job_starts_when_the_one_it_follows_is_done),
        CASE(cycle__a_job_is_cancelled_when_the_one_it_follows_ended_otherwise),
        CASE(cycle__a_job_after_a_failure_waits_for_the_failure),
        CASE(cycle__a_job_after_any_end_starts_after_a_failure_too),
        CASE(cycle__a_singleton_waits_for_its_name),
        CASE(cycle__refuses_to_follow_a_job_that_is_not_there),
        CASE(cycle__starts_a_job_where_heat_pays_and_follows_it_to_its_end),
        CASE(cycle__suspends_when_power_is_dear_and_resumes_when_it_is_cheap),
        CASE(cycle__starts_at_the_latest_start_whatever_heat_costs),
        CASE(cycle__never_acts_on_machines_that_it_did_not_make),
        CASE(cycle__settles_a_start_that_timed_out_by_looking),
        CASE(cycle__waits_for_a_machine_that_is_there_in_no_known_state),
        CASE(cycle__tries_again_where_a_timed_out_start_left_no_machine),
        CASE(cycle__places_nothing_on_a_host_that_was_lost),
        CASE(cycle__cancels_a_waiting_job_at_once_and_a_running_one_by_its_machine),
        CASE(cycle__keeps_a_cancel_with_the_job),
        CASE(cycle__cancels_after_a_restart_as_soon_as_the_host_answers),
        CASE(cycle__ends_a_job_that_runs_over_its_limit),
        CASE(cycle__fails_a_job_whose_script_failed_and_keeps_its_status),
        CASE(cycle__bad_readings_take_credit_away_and_never_raise_load),
        CASE(cycle__says_once_when_a_point_turns_bad_and_when_it_is_good_again),
        CASE(cycle__explains_why_a_job_waits_with_prices_now_and_then),
        CASE(cycle__puts_what_gains_most_first_and_leaves_out_what_gains_next_to_nothing),
        CASE(cycle__says_that_a_start_beyond_the_horizon_is_not_planned_yet),
        CASE(cycle__says_that_a_job_runs_late_and_how_long_it_has_run),
        CASE(cycle__names_no_command_that_is_not_there_for_a_held_job),
        CASE(cycle__tries_a_job_as_it_would_place_it_and_keeps_nothing),
        CASE(cycle__refuses_a_job_that_no_host_could_ever_take),
        CASE(cycle__says_how_late_a_job_will_be_as_people_write_it),
        CASE(cycle__takes_up_again_what_ran_before_a_restart),
        CASE(cycle__keeps_room_for_an_estimate_until_the_due_time_only),
        CASE(cycle__gives_the_same_decisions_for_the_same_events),
        CASE(cycle__a_host_in_maintenance_takes_nothing_and_ends_by_itself),
        CASE(cycle__many_jobs_choose_by_the_bounds_prices_once_these_are_settled),
    };
    return cmocka_run_group_tests_name("cycle", tests, NULL, NULL);
}
