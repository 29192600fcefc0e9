/* SPDX-License-Identifier: Apache-2.0 */
/* Soft rules in the closed loop: limits by the clock, ramps, hygiene, comfort, maintenance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START INT64_C(1700000000) /* 22:13:20 on a Tuesday; a multiple of the 1000 s slot */
#define SLOT  1000

struct world {
    struct hs_estate estate;
    struct hs_heatloop loops[SMALL_SITES];
    struct hs_rack racks[SMALL_SITES];
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    int64_t now_at_s;
    double demand_w;
    struct hs_series *price;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
};

static void push(struct world *w, struct hs_event event)
{
    event.at_s = w->now_at_s;
    (void)HS_VEC_PUSH(&w->events, event);
}

static void push_plant(struct world *w, double demand_w, double tank_c)
{
    const enum hs_point_kind kinds[] = {HS_POINT_DEMAND_HEAT_W, HS_POINT_TANK_C};

    for (size_t i = 0; i < 2 * SMALL_SITES; i++) {
        enum hs_point_kind kind = kinds[i % 2];

        push(w, (struct hs_event){.kind = HS_EVENT_READING,
                                  .reading = {.point = {.kind = kind, .thing_idx = i / 2},
                                              .value = i % 2 == 0 ? demand_w : tank_c,
                                              .taken_at_s = w->now_at_s,
                                              .received_at_s = w->now_at_s}});
    }
}

static void push_job(struct world *w, uint64_t id, int64_t duration_s, int64_t due_at_s,
                     bool interruptible)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->name, sizeof(job->name), "job-%d", (int)id);
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = 2;
    job->memory_mib = 1024;
    job->duration_s = duration_s;
    job->due_at_s = due_at_s;
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
        struct hs_machine machine = {.job_id = action->job_id, .vcpus = 2, .memory_mib = 1024};

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
    push_plant(w, w->demand_w, tank_c);
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

static const struct hs_breach *find_breach(const struct world *w, enum hs_breach_kind kind)
{
    size_t n;
    const struct hs_breach *breaches = hs_cycle_get_breaches(w->cycle, &n);

    for (size_t i = 0; i < n; i++) {
        if (breaches[i].kind == kind) {
            return &breaches[i];
        }
    }
    return NULL;
}

static struct hs_breach need_breach(const struct world *w, enum hs_breach_kind kind)
{
    const struct hs_breach *breach = find_breach(w, kind);

    if (breach == NULL) {
        fail_msg("no breach of kind %s", hs_breach_word(kind));
    }
    return breach != NULL ? *breach : (struct hs_breach){.kind = kind};
}

static void add_limit(struct world *w, const char *text)
{
    struct hs_conf_report report = {0};

    assert_int_equal(hs_policy_parse(w->policy, NULL, text, &report), 0);
    hs_conf_report_fini(&report);
}

static void open_cycle(struct world *w)
{
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){
        .estate = &w->estate, .policy = w->policy, .n_slots = 48, .now_at_s = w->now_at_s});
    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->estate = *small_estate();
    memcpy(w->loops, w->estate.loops, sizeof(w->loops));
    memcpy(w->racks, w->estate.racks, sizeof(w->racks));
    w->estate.loops = w->loops;
    w->estate.racks = w->racks;
    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->demand_w = 1000.0;
    w->price = hs_series_new();
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

/* --- limits --- */

static void soft__a_limit_suspends_what_may_be_and_starts_nothing(void **state)
{
    struct world *w = *state;

    open_cycle(w);
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 6 * SLOT, START + 7 * SLOT, true);
    }
    step_at(w, START, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 3);
    /* 100 W idle and 100 W a job: one fits under 250 W, from the second slot on */
    add_limit(w, "{\"limits\":[{\"site\":\"pool\",\"elec_w\":250,\"from\":\"22:30\","
                 "\"to\":\"23:30\",\"why\":\"quiet hours\"}]}");
    step_at(w, START + 10, 36.0);
    step_at(w, START + SLOT, 36.0);
    assert_int_equal(count(w, HS_ACTION_SUSPEND), 2);
    push_job(w, 4, 2 * SLOT, START + 40 * SLOT, false);
    for (int i = 2; i < 4; i++) {
        step_at(w, START + i * SLOT, 36.0);
        assert_int_equal(count(w, HS_ACTION_START), 0);
        assert_int_equal(count(w, HS_ACTION_RESUME), count(w, HS_ACTION_SUSPEND));
    }
    assert_null(find_breach(w, HS_BREACH_LIMIT));
    assert_true(need_breach(w, HS_BREACH_LATE).cost_cur > 0); /* the limit is hard, due is not */
    step_at(w, START + 5 * SLOT, 36.0);                       /* 23:36:40 */
    assert_true(count(w, HS_ACTION_RESUME) >= 2);
}

static void soft__a_limit_that_pinned_work_breaks_is_told_with_its_price(void **state)
{
    struct world *w = *state;
    struct hs_breach breach;
    json_auto_t *plan = NULL;

    add_limit(w, "{\"limits\":[{\"site\":\"pool\",\"loop\":\"main\",\"elec_w\":150,"
                 "\"from\":\"22:30\",\"to\":\"23:30\",\"why\":\"quiet hours\"}],"
                 "\"breach_prices\":{\"limit_cur_per_kwh\":2}}");
    open_cycle(w);
    push(w, (struct hs_event){.kind = HS_EVENT_MACHINE_CHANGED,
                              .host_idx = 0,
                              .machine = {.name = "db", .vcpus = 4, .state = HS_MACHINE_RUNNING}});
    push_job(w, 1, 2 * SLOT, START + 40 * SLOT, false);
    step_at(w, START, 36.0);
    for (int i = 1; i < 4; i++) {
        step_at(w, START + i * SLOT, 36.0);
        assert_int_equal(count(w, HS_ACTION_START), 0);
        assert_int_equal(count(w, HS_ACTION_SUSPEND) + count(w, HS_ACTION_DESTROY), 0);
    }
    breach = need_breach(w, HS_BREACH_LIMIT);
    assert_string_equal(breach.subject, "pool/main");
    assert_non_null(strstr(breach.cause, "quiet hours"));
    assert_near(breach.amount, 150.0, 1e-6); /* 100 + 4 x 50 - 150 */
    assert_near(breach.cost_cur, 0.15 * 2 * SLOT / 3600.0 * 2, 1e-6);
    plan = hs_cycle_format_plan(w->cycle);
    assert_int_equal(json_array_size(json_object_get(plan, "misses")), 1);
}

static void soft__a_fixed_job_runs_on_under_a_limit(void **state)
{
    struct world *w = *state;

    open_cycle(w);
    push_job(w, 1, 6 * SLOT, START + 7 * SLOT, false);
    step_at(w, START, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 1);
    add_limit(w, "{\"limits\":[{\"site\":\"pool\",\"rack\":\"r1\",\"elec_w\":150}]}");
    hs_cycle_replan(w->cycle);
    step_at(w, START + SLOT, 36.0);
    assert_int_equal(w->decision.n_actions, 0);
    assert_non_null(find_breach(w, HS_BREACH_LIMIT));
}

/* --- ramps --- */

static void soft__starts_are_spread_over_the_cooling_s_ramp(void **state)
{
    struct world *w = *state;
    size_t n = 0;

    w->racks[0].ramp_w_per_min = 6.0; /* 100 W a slot; a job's heat is 80 W */
    /* All would rather run at once: it is cheap now, and a full tank loses nothing. */
    w->loops[0].tank.loss_w_per_k = 0.0;
    hs_series_add(w->price, START, 50.0);
    hs_series_add(w->price, START + 7 * SLOT, 200.0);
    open_cycle(w);
    hs_cycle_set_signal(w->cycle, 0, HS_SIGNAL_PRICE, w->price);
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 4 * SLOT, START + 30 * SLOT, false);
    }
    step_at(w, START, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 1);
    for (int i = 1; i <= 30 && n < 2; i++) {
        step_at(w, START + i * 100, 36.0);
        assert_true(count(w, HS_ACTION_START) <= 1);
        n += count(w, HS_ACTION_START);
    }
    assert_int_equal(n, 2);
}

/* Three jobs that would rather start together when electricity gets cheap; the ramp takes one. */
static void plan_three(struct world *w, double ramp_cur_per_kw)
{
    w->racks[0].ramp_w_per_min = 6.0;
    w->policy->prices.ramp_cur_per_kw = ramp_cur_per_kw;
    w->loops[0].tank.loss_w_per_k = 0.0;
    hs_series_add(w->price, START, 200.0);
    hs_series_add(w->price, START + 6 * SLOT, 50.0);
    hs_series_add(w->price, START + 12 * SLOT, 200.0);
    open_cycle(w);
    hs_cycle_set_signal(w->cycle, 0, HS_SIGNAL_PRICE, w->price);
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 4 * SLOT, START + 30 * SLOT, false);
    }
    step_at(w, START, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 0);
}

static void soft__starts_are_planned_apart_where_that_costs_less_than_the_breach(void **state)
{
    struct world *w = *state;

    plan_three(w, 10.0);
    assert_null(find_breach(w, HS_BREACH_RAMP));
}

static void soft__a_ramp_that_costs_next_to_nothing_is_listed_and_broken(void **state)
{
    struct world *w = *state;

    plan_three(w, 1e-9);
    assert_string_equal(need_breach(w, HS_BREACH_RAMP).code, "cooling-ramp");
}

static void soft__a_forced_start_does_not_wait_for_a_ramp(void **state)
{
    struct world *w = *state;

    w->racks[0].ramp_w_per_min = 6.0;
    open_cycle(w);
    for (uint64_t id = 1; id <= 3; id++) {
        push_job(w, id, 4 * SLOT, START + 4 * SLOT, false);
    }
    step_at(w, START, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 3);
    assert_non_null(hs_cycle_get_plan(w->cycle));
}

/* --- comfort --- */

static double planned_tank_wh(const struct world *w, size_t t)
{
    return hs_cycle_get_plan(w->cycle)->tank_wh[t];
}

static void soft__heat_below_the_comfort_floor_is_worth_more(void **state)
{
    struct world *w = *state;
    double plain_cur_per_mwh;

    open_cycle(w);
    step_at(w, START, 40.0);
    plain_cur_per_mwh = hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[0];
    assert_null(find_breach(w, HS_BREACH_COMFORT));
    hs_cycle_free(w->cycle);
    w->loops[0].tank.comfort_c = 45.0;
    w->events.n = 0;
    open_cycle(w);
    step_at(w, START, 40.0);
    assert_true(hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[0] > plain_cur_per_mwh + 50.0);
    assert_non_null(find_breach(w, HS_BREACH_COMFORT));
    assert_string_equal(need_breach(w, HS_BREACH_COMFORT).subject, "pool/main");
    assert_true(need_breach(w, HS_BREACH_COMFORT).cost_cur > 0);
}

static void soft__the_ride_through_asked_for_follows_the_demand(void **state)
{
    struct world *w = *state;

    w->loops[0].tank.ride_through_s = 2 * SLOT;
    open_cycle(w);
    step_at(w, START, 60.0);
    /* 2 slots of 1 kW are 556 Wh of the tank's 29 kWh: nothing is short at first */
    assert_true(planned_tank_wh(w, 0) > 20000.0);
    const struct hs_breach *breach = find_breach(w, HS_BREACH_COMFORT);

    assert_true(breach == NULL || breach->from_at_s > START + 20 * SLOT);
}

/* --- hygiene --- */

static void set_hygiene(struct world *w, double max_c)
{
    struct hs_tank *tank = &w->loops[0].tank;

    tank->max_c = max_c;
    tank->hygiene_c = 60.0;
    tank->hygiene_interval_s = 20 * SLOT;
    tank->hygiene_hold_s = 2 * SLOT;
}

static json_t *get_hygiene(const struct world *w)
{
    json_auto_t *loop = hs_cycle_format_loop(w->cycle, 0, w->now_at_s);

    return json_incref(json_object_get(loop, "hygiene"));
}

static void soft__hygiene_is_planned_before_it_is_due_and_makes_heat_worth_more(void **state)
{
    struct world *w = *state;
    double plain_cur_per_mwh;
    json_auto_t *hygiene = NULL;
    int64_t planned_at_s = 0;

    open_cycle(w);
    step_at(w, START, 52.0);
    plain_cur_per_mwh = hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[0];
    hs_cycle_free(w->cycle);
    w->events.n = 0;
    set_hygiene(w, 60.0);
    open_cycle(w);
    step_at(w, START, 52.0);
    hygiene = get_hygiene(w);
    assert_string_equal(json_string_value(json_object_get(hygiene, "source")), "compute");
    assert_int_equal(hs_timetext_parse(json_string_value(json_object_get(hygiene, "planned_at")), 0,
                                       &planned_at_s, NULL),
                     0);
    assert_true(planned_at_s + 3 * SLOT <= START + 20 * SLOT);
    assert_true(hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[0] >= plain_cur_per_mwh);
    assert_true(hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[0] > 80.0);
}

static void soft__hygiene_is_proved_by_thermometers_and_a_miss_is_told(void **state)
{
    struct world *w = *state;
    json_auto_t *missed = NULL;
    json_auto_t *proved = NULL;
    json_auto_t *saved = NULL;
    json_auto_t *restored = NULL;

    set_hygiene(w, 65.0);
    open_cycle(w);
    for (int i = 0; i <= 21; i++) {
        step_at(w, START + i * SLOT, 50.0);
    }
    missed = get_hygiene(w);
    assert_true(json_is_true(json_object_get(missed, "is_overdue")));
    assert_non_null(find_breach(w, HS_BREACH_HYGIENE));
    assert_near(need_breach(w, HS_BREACH_HYGIENE).amount, SLOT, 1.0);
    assert_near(need_breach(w, HS_BREACH_HYGIENE).cost_cur, 5.0 * SLOT / 3600.0, 1e-6);
    for (int i = 22; i <= 24; i++) {
        step_at(w, START + i * SLOT, 60.0);
    }
    assert_null(find_breach(w, HS_BREACH_HYGIENE));
    proved = get_hygiene(w);
    assert_false(json_is_true(json_object_get(proved, "is_overdue")));
    assert_near(json_number_value(json_object_get(proved, "since_h")), 0.0, 1e-9);
    saved = hs_cycle_save_plant(w->cycle);
    hs_cycle_free(w->cycle);
    w->events.n = 0;
    w->now_at_s += 2 * SLOT;
    open_cycle(w);
    assert_int_equal(hs_cycle_restore_plant(w->cycle, saved, NULL), 0);
    step_at(w, w->now_at_s, 50.0);
    restored = get_hygiene(w);
    assert_near(json_number_value(json_object_get(restored, "since_h")), 2 * SLOT / 3600.0, 1e-9);
}

/* --- maintenance --- */

static void soft__the_tank_is_fuller_where_maintenance_is_ahead(void **state)
{
    struct world *w = *state;
    double tank_wh[2];
    double heat_cur_per_mwh[2];

    /* Idle hosts give 80 W: enough, but for the hours in which they are off. */
    w->demand_w = 70.0;
    w->loops[0].tank.loss_w_per_k = 0.0;
    hs_series_add(w->price, START, 110.0);
    hs_series_add(w->price, START + 10 * SLOT, 100.0);

    for (int has = 0; has < 2; has++) {
        struct hs_maintenance it = {.id = 1,
                                    .kind = "rack",
                                    .name = "pool/r1",
                                    .from_at_s = START + 10 * SLOT,
                                    .until_at_s = START + 30 * SLOT,
                                    .is_off = true};

        w->events.n = 0;
        w->now_at_s = START;
        open_cycle(w);
        hs_cycle_set_signal(w->cycle, 0, HS_SIGNAL_PRICE, w->price);
        hs_cycle_set_maintenance(w->cycle, &it, (size_t)has);
        for (uint64_t id = 1; id <= 3; id++) {
            push_job(w, id, 8 * SLOT, START + 45 * SLOT, true);
        }
        step_at(w, START, 35.0);
        tank_wh[has] = planned_tank_wh(w, 9);
        heat_cur_per_mwh[has] = hs_cycle_get_plan(w->cycle)->heat_cur_per_mwh[5];
        for (size_t t = 10; has == 1 && t < 30; t++) {
            /* nothing runs there, not even idling, and the plan says so */
            for (size_t i = 0; i < hs_cycle_get_plan(w->cycle)->n_placements; i++) {
                assert_false(hs_plan_runs(&hs_cycle_get_plan(w->cycle)->placements[i], t));
            }
        }
        hs_cycle_free(w->cycle);
        w->cycle = NULL;
    }
    print_message("tank at the window's start: %.0f Wh with, %.0f Wh without\n", tank_wh[1],
                  tank_wh[0]);
    assert_true(tank_wh[1] > tank_wh[0] + 100.0);
    assert_true(heat_cur_per_mwh[1] >= heat_cur_per_mwh[0] - 1e-9);
}

static void soft__maintenance_that_is_ended_holds_nothing_back(void **state)
{
    struct world *w = *state;
    struct hs_maintenance it = {.id = 1,
                                .kind = "site",
                                .name = "pool",
                                .from_at_s = START - SLOT,
                                .until_at_s = START + 30 * SLOT};

    w->policy->waiting_weight = 1.0; /* so that it starts as soon as it may */
    open_cycle(w);
    hs_cycle_set_maintenance(w->cycle, &it, 1);
    push_job(w, 1, 4 * SLOT, START + 45 * SLOT, false);
    step_at(w, START, 36.0);
    assert_int_equal(w->decision.n_actions, 0);
    hs_cycle_set_maintenance(w->cycle, NULL, 0);
    step_at(w, START + 100, 36.0);
    assert_int_equal(count(w, HS_ACTION_START), 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(soft__a_limit_suspends_what_may_be_and_starts_nothing),
        CASE(soft__a_limit_that_pinned_work_breaks_is_told_with_its_price),
        CASE(soft__a_fixed_job_runs_on_under_a_limit),
        CASE(soft__starts_are_spread_over_the_cooling_s_ramp),
        CASE(soft__starts_are_planned_apart_where_that_costs_less_than_the_breach),
        CASE(soft__a_ramp_that_costs_next_to_nothing_is_listed_and_broken),
        CASE(soft__a_forced_start_does_not_wait_for_a_ramp),
        CASE(soft__heat_below_the_comfort_floor_is_worth_more),
        CASE(soft__the_ride_through_asked_for_follows_the_demand),
        CASE(soft__hygiene_is_planned_before_it_is_due_and_makes_heat_worth_more),
        CASE(soft__hygiene_is_proved_by_thermometers_and_a_miss_is_told),
        CASE(soft__the_tank_is_fuller_where_maintenance_is_ahead),
        CASE(soft__maintenance_that_is_ended_holds_nothing_back),
    };
    return cmocka_run_group_tests_name("cycle_soft", tests, NULL, NULL);
}
