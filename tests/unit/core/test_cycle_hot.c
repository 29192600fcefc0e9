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
    struct hs_rack racks[SMALL_SITES];
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
    memcpy(w->racks, w->estate.racks, sizeof(w->racks));
    w->estate.racks = w->racks;
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

/* --- interlocks: what stops the water --- */

static void push_pinned(struct world *w, uint64_t id)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->name, sizeof(job->name), "service");
    snprintf(job->class_name, sizeof(job->class_name), "pinned");
    job->vcpus = 1;
    job->memory_mib = 1024;
    job->duration_s = 40 * SLOT;
    job->n_sites = 1;
    job->sites = hs_xcalloc(1, sizeof(char *));
    job->sites[0] = hs_xstrdup("pool");
    job->submitted_at_s = w->now_at_s;
    job->since_at_s = w->now_at_s;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, w->now_at_s, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
}

static const char *find_note(const struct world *w, const char *kind, const char *text)
{
    for (size_t i = 0; i < w->decision.n_notes; i++) {
        if (strcmp(w->decision.notes[i].kind, kind) == 0
            && strstr(w->decision.notes[i].text, text) != NULL) {
            return w->decision.notes[i].text;
        }
    }
    return NULL;
}

static const struct stop {
    const char *name;
    enum hs_point_kind kind;
    double fault;
    double order;
    double rejection_limit_w; /* 0: not stated */
    size_t n_shed;            /* of three of 100 W each, at 450 W of which 360 W are heat */
    const char *cause;
    double tank_c; /* 60 is full */
} stops[] = {
    {"pump", HS_POINT_PUMP_OK, 0, 1, 250, 2, "pump out of order", COOL_C},
    {"pump, all is rejected", HS_POINT_PUMP_OK, 0, 1, 0, 0, "pump out of order", COOL_C},
    {"no flow", HS_POINT_FLOW_L_PER_MIN, 0.2, 9, 300, 1, "flow 0.2 l/min, least 5.0 l/min", COOL_C},
    {"no flow, rejection unknown", HS_POINT_FLOW_L_PER_MIN, 0, 9, 0, 3, "least 5.0 l/min", COOL_C},
    {"leak", HS_POINT_LEAK, 1, 0, 300, 1, "leak", COOL_C},
    {"leak, rejection unknown", HS_POINT_LEAK, 1, 0, 0, 3, "leak", COOL_C},
    {"emergency", HS_POINT_EMERGENCY, 1, 0, 0, 3, "emergency switch", COOL_C},
    {"sink", HS_POINT_SINK_OK, 0, 1, 250, 2, "sink 'pool/main/basin' takes no heat", 61},
    {"sink, the tank has room", HS_POINT_SINK_OK, 0, 1, 250, 0, "takes no heat", 59},
    {"all sinks", HS_POINT_SINKS_OK, 0, 1, 250, 2, "takes no heat", 61},
};

static void run_stop(struct world *w, const struct stop *stop)
{
    size_t n_resumed = 0;

    w->loops[0].rejection_limit_w = stop->rejection_limit_w;
    w->loops[0].flow_min_l_per_min = 5.0;
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 2, true);
    }
    push_pinned(w, 9);
    step_at(w, START, stop->tank_c);
    assert_int_equal(count(w, HS_ACTION_START), 4);
    push_reading(w, stop->kind, 0, stop->order);
    step_at(w, START + 1, stop->tank_c);
    assert_loop(w, "normal", false);
    push_reading(w, stop->kind, 0, stop->fault);
    step_at(w, START + 10, stop->tank_c);
    assert_loop(w, "sink-unavailable", true);
    assert_non_null(find_note(w, "loop", stop->cause));
    assert_int_equal(count(w, HS_ACTION_SUSPEND), stop->n_shed);
    for (size_t i = 0; i < w->decision.n_actions; i++) {
        assert_true(w->decision.actions[i].job_id != 9);
        assert_true(w->decision.actions[i].is_safety);
    }
    for (int64_t at_s = START + 20; at_s < START + 600; at_s += 20) {
        step_at(w, at_s, stop->tank_c);
        assert_int_equal(count(w, HS_ACTION_SUSPEND) + count(w, HS_ACTION_RESUME), 0);
    }
    push_reading(w, stop->kind, 0, stop->order);
    for (int64_t at_s = START + 600; at_s < START + 3 * SLOT; at_s += 20) {
        step_at(w, at_s, stop->tank_c);
        n_resumed += count(w, HS_ACTION_RESUME);
        assert_loop(w, at_s < START + 660 ? "sink-unavailable" : "normal", at_s < START + 660);
    }
    assert_int_equal(n_resumed, stop->n_shed);
    assert_int_equal(hs_cycle_get_job(w->cycle, 9)->state, HS_JOB_RUNNING);
}

static void hot__what_stops_the_water_asks_for_rejection_sheds_enough_and_ends(void **state)
{
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        void *w = NULL;

        print_message("  %s\n", stops[i].name);
        assert_int_equal(setup(&w), 0);
        run_stop(w, &stops[i]);
        assert_int_equal(teardown(&w), 0);
    }
}

static void hot__as_much_runs_beside_a_standing_pump_as_its_rejection_takes(void **state)
{
    struct world *w = *state;

    w->loops[0].rejection_limit_w = 250;
    run_three_beside_a_foreign_one(w);
    push_reading(w, HS_POINT_PUMP_OK, 0, 0);
    step_at(w, START + 10, COOL_C); /* 500 W, of which 187.5 W are too much */
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 2);
    push_job(w, 4, 1, true); /* 50 W would be too much */
    step_at(w, START + 20, COOL_C);
    assert_int_equal(w->decision.n_actions, 0);
    assert_reason(w, 4, "loop-blocked");
    push(w,
         (struct hs_event){
             .kind = HS_EVENT_MACHINE_ENDED, .host_idx = 0, .job_id = 3, .has_exit_status = true});
    for (int64_t at_s = START + 30; at_s < START + 400; at_s += 10) {
        double elec_w[SMALL_SITES];

        step_at(w, at_s, COOL_C);
        hs_cycle_get_rack_elec_w(w->cycle, elec_w);
        assert_true(elec_w[0] <= 312.5);
    }
    assert_int_equal(w->n_touched_foreign, 0);
}

static void hot__a_hot_inlet_sheds_half_in_its_rack_and_more_while_it_stays_so(void **state)
{
    struct world *w = *state;

    w->racks[0].inlet_max_c = 32.0;
    run_three_beside_a_foreign_one(w);
    push_reading(w, HS_POINT_RACK_INLET_C, 0, 31.9);
    push_reading(w, HS_POINT_RACK_INLET_C, 1, 60.0); /* no limit stated there, and no air */
    step_at(w, START + 10, COOL_C);
    assert_loop(w, "normal", false);
    assert_int_equal(w->decision.n_actions, 0);
    push_reading(w, HS_POINT_RACK_INLET_C, 0, 32.0);
    step_at(w, START + 20, COOL_C);
    assert_loop(w, "over-temperature", true);
    assert_non_null(find_note(w, "loop", "inlet of rack 'pool/r1' 32.0 °C, limit 32.0 °C"));
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 2);
    push_job(w, 4, 1, false);
    step_at(w, START + 30, COOL_C);
    assert_int_equal(w->decision.n_actions, 0);
    step_at(w, START + 140, COOL_C);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 1);
    push_reading(w, HS_POINT_RACK_INLET_C, 0, 26.9);
    for (int64_t at_s = START + 150; at_s < START + 450; at_s += 10) {
        step_at(w, at_s, COOL_C);
        assert_loop(w, "over-temperature", true);
        assert_int_equal(w->decision.n_actions, 0);
    }
    step_at(w, START + 450, COOL_C);
    assert_loop(w, "normal", false);
    assert_int_equal(w->n_touched_foreign, 0);
}

/* A thermometer or a contact that fails in a fault does not bring load back. */
static void hot__a_sensor_that_fails_in_a_fault_brings_no_load_back(void **state)
{
    struct world *w = *state;

    w->racks[0].inlet_max_c = 32.0;
    run_three_beside_a_foreign_one(w);
    push_reading(w, HS_POINT_RACK_INLET_C, 0, 40.0);
    push_reading(w, HS_POINT_LEAK, 0, 1);
    step_at(w, START + 10, COOL_C);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 3);
    for (int64_t at_s = START + 20; at_s < START + 20 * SLOT; at_s += 200) {
        push(w, (struct hs_event){.kind = HS_EVENT_READING,
                                  .reading = {.point = {.kind = HS_POINT_RACK_INLET_C},
                                              .value = NAN,
                                              .taken_at_s = at_s,
                                              .received_at_s = at_s,
                                              .quality = HS_QUALITY_NOT_A_NUMBER}});
        step_at(w, at_s, COOL_C);
        assert_int_equal(w->decision.n_actions, 0);
        assert_loop(w, "over-temperature", true);
    }
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
        cmocka_unit_test(hot__what_stops_the_water_asks_for_rejection_sheds_enough_and_ends),
        cmocka_unit_test_setup_teardown(
            hot__as_much_runs_beside_a_standing_pump_as_its_rejection_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(
            hot__a_hot_inlet_sheds_half_in_its_rack_and_more_while_it_stays_so, setup, teardown),
        cmocka_unit_test_setup_teardown(hot__a_sensor_that_fails_in_a_fault_brings_no_load_back,
                                        setup, teardown),
    };
    return cmocka_run_group_tests_name("cycle_hot", tests, NULL, NULL);
}
