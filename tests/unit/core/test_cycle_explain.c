/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations are answers of the planner: alternatives, bounds, break-even prices, misses. */
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

#define START INT64_C(1700000000) /* a multiple of the 1000 s slot */

struct world {
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    struct hs_series *price;
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
};

static void push(struct world *w, struct hs_event event)
{
    event.at_s = START;
    (void)HS_VEC_PUSH(&w->events, event);
}

static void push_reading(struct world *w, enum hs_point_kind kind, size_t thing_idx, double value)
{
    push(w, (struct hs_event){.kind = HS_EVENT_READING,
                              .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                          .value = value,
                                          .taken_at_s = START,
                                          .received_at_s = START,
                                          .quality = hs_reading_check(kind, value)}});
}

/* Demand of 2 kW at both sites, half full tanks, hosts up; electricity is cheap from @cheap_at_s.
 */
static void push_world(struct world *w, int64_t cheap_at_s)
{
    hs_series_add(w->price, START, 200.0);
    hs_series_add(w->price, START + 5000, 150.0);
    hs_series_add(w->price, cheap_at_s, 20.0);
    for (size_t s = 0; s < SMALL_SITES; s++) {
        hs_cycle_set_signal(w->cycle, s, HS_SIGNAL_PRICE, w->price);
        push_reading(w, HS_POINT_DEMAND_HEAT_W, s, 2000.0);
        push_reading(w, HS_POINT_TANK_C, s, 47.5);
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = s});
    }
}

static struct hs_job *push_job(struct world *w, uint64_t id, uint32_t vcpus, int64_t duration_s,
                               int64_t due_at_s)
{
    struct hs_job *job = hs_job_new();
    char cannot_meet[192];

    job->id = id;
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = vcpus;
    job->memory_mib = 1024;
    job->duration_s = duration_s;
    job->due_at_s = due_at_s;
    job->submitted_at_s = START;
    job->since_at_s = START;
    job->state = HS_JOB_WAITING;
    assert_int_equal(hs_cycle_check_job(w->cycle, job, START, cannot_meet, NULL), 0);
    push(w, (struct hs_event){.kind = HS_EVENT_JOB, .job = job});
    return job;
}

static void step(struct world *w)
{
    hs_cycle_step(w->cycle, START, w->events.items, w->events.n, &w->decision);
    w->events.n = 0;
}

static json_t *find_code(const json_t *array, const char *key, const char *code)
{
    size_t i;
    json_t *item;

    json_array_foreach (array, i, item) {
        if (strcmp(json_string_value(json_object_get(item, key)), code) == 0) {
            return item;
        }
    }
    return NULL;
}

static double get_real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->policy = hs_policy_new();
    w->price = hs_series_new();
    w->cycle = hs_cycle_new(&(struct hs_cycle_options){.estate = small_estate(),
                                                       .policy = w->policy,
                                                       .n_slots = 48,
                                                       .now_at_s = START,
                                                       .is_told_ahead = true});
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

static void explain__names_the_next_best_place_and_its_extra_cost(void **state)
{
    struct world *w = *state;

    push_world(w, START + 9000);
    push_job(w, 1, 2, 2000, START + 40000);
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, START);
    json_t *alternatives = json_object_get(why, "alternatives");
    json_t *now = find_code(alternatives, "code", "now");
    double before_cur = -INFINITY;

    assert_non_null(now);
    assert_non_null(find_code(alternatives, "code", "later"));
    assert_non_null(find_code(alternatives, "code", "other-host"));
    assert_near(get_real(now, "extra_cur"),
                get_real(why, "cost_now_cur") - get_real(why, "cost_planned_cur"), 1e-12);
    for (size_t i = 0; i < json_array_size(alternatives); i++) {
        double extra_cur = get_real(json_array_get(alternatives, i), "extra_cur");

        assert_true(extra_cur >= before_cur);
        before_cur = extra_cur;
    }
    /* 2 vCPUs, 100 W, for 2000 s: 180 cur/MWh dearer now, but for heat that is worth the same */
    assert_near(get_real(now, "extra_cur"), 100.0 * 2000.0 / 3600.0 * 180e-6, 2e-3);
}

static void explain__slots_add_up_to_electricity_less_heat(void **state)
{
    struct world *w = *state;
    size_t i;
    json_t *slot;
    double net_cur = 0.0;
    double run_s = 0.0;

    push_world(w, START + 9000);
    push_job(w, 1, 2, 2500, START + 40000);
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, START);

    json_array_foreach (json_object_get(why, "slots"), i, slot) {
        net_cur += get_real(slot, "net_cur");
        run_s += get_real(slot, "run_s");
        assert_near(get_real(slot, "net_cur_per_mwh"),
                    get_real(slot, "electricity_cur_per_mwh")
                        - 0.8 * get_real(slot, "heat_price_cur_per_mwh"),
                    1e-9);
    }
    assert_near(run_s, 2500.0, 1e-9);
    assert_near(net_cur, get_real(why, "electricity_cur") - get_real(why, "heat_cur"), 1e-12);
}

/* At a price just under what it says, the job starts now; just over, it does not. */
static void explain__electricity_under_what_it_says_starts_it_now(void **state)
{
    for (int over = 0; over < 2; over++) {
        struct world *w;
        void *fresh = NULL;

        assert_int_equal(setup(&fresh), 0);
        w = fresh;
        push_world(w, START + 9000);
        push_job(w, 1, 2, 2000, START + 40000);
        step(w);
        json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, START);
        json_t *change = find_code(json_object_get(why, "changes"), "code", "electricity-under");

        assert_non_null(change);
        double at = get_real(change, "at_cur_per_mwh");

        assert_true(at < 200.0);
        hs_series_free(w->price);
        w->price = hs_series_new();
        hs_series_add(w->price, START, over ? at + 2.0 : at - 2.0);
        hs_series_add(w->price, START + 2000, 200.0);
        hs_series_add(w->price, START + 9000, 20.0);
        for (size_t s = 0; s < SMALL_SITES; s++) {
            hs_cycle_set_signal(w->cycle, s, HS_SIGNAL_PRICE, w->price);
        }
        step(w);
        assert_int_equal(hs_cycle_get_plan(w->cycle)->placements[0].first_slot == 0, !over);
        assert_int_equal(teardown(&fresh), 0);
    }
}

static void explain__says_that_the_due_time_binds_and_what_more_time_saves(void **state)
{
    struct world *w = *state;

    push_world(w, START + 20000);
    push_job(w, 1, 2, 2000, START + 15000);
    push_job(w, 2, 2, 2000, START + 40000);
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, START);
    json_auto_t *free_why = hs_cycle_format_explain(w->cycle, 2, START);
    json_t *due = find_code(json_object_get(why, "constraints"), "code", "due");

    assert_non_null(due);
    assert_true(get_real(due, "saving_cur") > 0);
    assert_non_null(strstr(json_string_value(json_object_get(due, "change")),
                           "with 6 hours more: it would start at "));
    /* not before it is cheap: RFC 3339 sorts as text */
    assert_true(
        strcmp(json_string_value(json_object_get(due, "would_start")), "2023-11-15T03:46:40Z")
        >= 0);
    assert_null(find_code(json_object_get(free_why, "constraints"), "code", "due"));
}

static void explain__names_the_host_and_the_vcpus_that_it_lacks(void **state)
{
    struct world *w = *state;

    push_world(w, START + 20000);
    push_job(w, 1, 8, 20000, START + 41500); /* both hosts are full of these while it is cheap */
    push_job(w, 2, 8, 20000, START + 41600);
    push_job(w, 3, 3, 2000, START + 42000);
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 3, START);
    json_t *room = find_code(json_object_get(why, "constraints"), "code", "vcpus");

    assert_non_null(room);
    assert_non_null(strstr(json_string_value(json_object_get(room, "change")),
                           "had 3 more free vCPUs then: it would start at"));
    assert_non_null(strstr(json_string_value(json_object_get(room, "object")), "/h1"));
    assert_true(get_real(room, "saving_cur") > 0);
}

static void explain__says_what_a_barred_site_costs(void **state)
{
    struct world *w = *state;
    struct hs_job *job;

    push_world(w, START + 20000);
    hs_cycle_set_signal(w->cycle, 0, HS_SIGNAL_PRICE, NULL); /* the pool: 100 all day */
    job = push_job(w, 1, 2, 2000, START + 40000);
    job->sites = hs_xcalloc(1, sizeof(char *));
    job->sites[0] = hs_xstrdup("pool");
    job->n_sites = 1;
    job->earliest_at_s = START + 3000;
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 1, START);
    json_t *sites = find_code(json_object_get(why, "constraints"), "code", "sites");

    assert_non_null(sites);
    assert_string_equal(json_string_value(json_object_get(sites, "would_host")), "office/h1");
}

static void explain__says_what_now_costs(void **state)
{
    struct world *w = *state;

    push_world(w, START + 9000);
    push_job(w, 1, 8, 3000, START + 40000)->now = true;
    push_job(w, 2, 8, 3000, START + 40000)->now = true;
    push_job(w, 3, 8, 3000, START + 40000)->now = true; /* no host is left for this one */
    step(w);
    json_auto_t *why = hs_cycle_format_explain(w->cycle, 3, START);
    json_t *urgency = find_code(json_object_get(why, "constraints"), "code", "urgency");

    assert_non_null(urgency);
    assert_true(get_real(urgency, "saving_cur") > 0);
}

/* A day's plan, a job more, a plan anew; with @asks all jobs are explained in between. */
static void live(struct world *w, bool asks)
{
    push_world(w, START + 20000);
    for (uint64_t id = 1; id <= 6; id++) {
        push_job(w, id, (uint32_t)id, 1700 + 700 * (int64_t)id, START + 30000)->interruptible =
            id % 2 == 0;
    }
    step(w);
    for (uint64_t id = 1; asks && id <= 6; id++) {
        json_decref(hs_cycle_format_explain(w->cycle, id, START));
    }
    push_job(w, 7, 3, 2000, START + 30000);
    step(w);
}

/* The whole plan, bit by bit, is as if nobody had asked. */
static void explain__changes_nothing(void **state)
{
    struct world *asked = *state;
    void *fresh = NULL;

    assert_int_equal(setup(&fresh), 0);
    live(asked, true);
    live(fresh, false);
    const struct hs_plan *plan = hs_cycle_get_plan(asked->cycle);
    const struct hs_plan *other = hs_cycle_get_plan(((struct world *)fresh)->cycle);
    size_t n_bytes = plan->n_loops * plan->n_slots * sizeof(double);

    assert_int_equal(plan->n_placements, 7);
    assert_memory_equal(plan->heat_cur_per_mwh, other->heat_cur_per_mwh, n_bytes);
    assert_memory_equal(plan->tank_wh, other->tank_wh, n_bytes);
    assert_memory_equal(plan->it_w, other->it_w, n_bytes);
    for (size_t i = 0; i < plan->n_placements; i++) {
        assert_int_equal(plan->placements[i].host_idx, other->placements[i].host_idx);
        assert_memory_equal(plan->placements[i].slots, other->placements[i].slots,
                            sizeof(plan->placements[i].slots));
        assert_memory_equal(&plan->placements[i].cost_cur, &other->placements[i].cost_cur,
                            sizeof(double));
    }
    assert_int_equal(teardown(&fresh), 0);
}

static void plan__names_late_jobs_with_cause_and_by_how_much(void **state)
{
    struct world *w = *state;

    push_world(w, START + 9000);
    push_job(w, 1, 8, 9000, START + 10500);
    push_job(w, 2, 8, 9000, START + 10500);
    push_job(w, 3, 8, 9000, START + 10500);  /* two hosts, three jobs */
    push_job(w, 4, 1, 50000, START + 20000); /* longer than the time it has */
    step(w);
    json_auto_t *plan = hs_cycle_format_plan(w->cycle);
    json_t *misses = json_object_get(plan, "misses");
    json_t *full = find_code(misses, "cause", "vcpus");
    json_t *long_ = find_code(misses, "cause", "too-long");

    assert_non_null(full);
    assert_non_null(long_);
    assert_string_equal(json_string_value(json_object_get(full, "kind")), "job");
    assert_string_equal(json_string_value(json_object_get(long_, "name")), "4");
    assert_true(get_real(full, "by") >= 7000.0);
    assert_int_equal(json_array_size(misses), json_integer_value(json_object_get(plan, "n_late")));
}

static void plan__names_a_limit_that_foreign_machines_break(void **state)
{
    struct world *w = *state;
    struct hs_machine foreign = {.state = HS_MACHINE_RUNNING, .vcpus = 14, .memory_mib = 1024};

    push_world(w, START + 9000);
    push(w,
         (struct hs_event){
             .kind = HS_EVENT_HOST_LISTED, .host_idx = 0, .machines = &foreign, .n_machines = 1});
    step(w);
    json_auto_t *plan = hs_cycle_format_plan(w->cycle);
    json_t *rack = find_code(json_object_get(plan, "misses"), "cause", "rack-power");

    /* 100 W idle + 14 x 50 W on a rack of 600 W */
    assert_non_null(rack);
    assert_string_equal(json_string_value(json_object_get(rack, "name")), "pool/r1");
    assert_near(get_real(rack, "by"), 200.0, 1e-6);
}

static void plan__names_nothing_where_nothing_is_missed(void **state)
{
    struct world *w = *state;

    push_world(w, START + 9000);
    push_job(w, 1, 8, 9000, START + 30500);
    step(w);
    json_auto_t *plan = hs_cycle_format_plan(w->cycle);

    assert_int_equal(json_array_size(json_object_get(plan, "misses")), 0);
}

static void loop__shows_ride_through_headroom_and_worth_by_the_hour(void **state)
{
    struct world *w = *state;
    double half_wh = hs_tank_max_wh(&small_estate()->loops[0].tank) / 2.0;

    push_world(w, START + 9000);
    step(w);
    json_auto_t *loop = hs_cycle_format_loop(w->cycle, 0, START);
    json_t *hours = json_object_get(loop, "hours");
    double ride_s = get_real(loop, "ride_through_s");

    /* 2 kW, and some 50 W that the tank loses */
    assert_true(ride_s < half_wh / 2000.0 * 3600.0);
    assert_true(ride_s > half_wh / 2100.0 * 3600.0);
    assert_int_equal(json_array_size(hours), 16); /* 48 slots of 1000 s, three an hour */
    assert_near(get_real(loop, "headroom_it_w"),
                get_real(json_array_get(hours, 0), "headroom_it_w"), 1e-9);
    assert_near(get_real(loop, "free_it_w"), 400.0, 1e-6); /* 8 vCPUs of 50 W */
    assert_true(get_real(json_array_get(hours, 15), "heat_price_cur_per_mwh") > 0);
    assert_true(json_is_null(json_object_get(loop, "full_in_s")));
    assert_true(get_real(loop, "empty_in_s") > ride_s); /* idle hosts give some heat */
}

static void loop__without_readings_claims_no_ride_through(void **state)
{
    struct world *w = *state;

    for (size_t h = 0; h < SMALL_SITES; h++) {
        push(w, (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
    }
    step(w);
    json_auto_t *loop = hs_cycle_format_loop(w->cycle, 0, START);

    assert_true(json_is_null(json_object_get(loop, "ride_through_s")));
    assert_true(json_is_null(json_object_get(loop, "headroom_it_w")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(explain__names_the_next_best_place_and_its_extra_cost),
        CASE(explain__slots_add_up_to_electricity_less_heat),
        CASE(explain__electricity_under_what_it_says_starts_it_now),
        CASE(explain__says_that_the_due_time_binds_and_what_more_time_saves),
        CASE(explain__names_the_host_and_the_vcpus_that_it_lacks),
        CASE(explain__says_what_a_barred_site_costs),
        CASE(explain__says_what_now_costs),
        CASE(explain__changes_nothing),
        CASE(plan__names_late_jobs_with_cause_and_by_how_much),
        CASE(plan__names_a_limit_that_foreign_machines_break),
        CASE(plan__names_nothing_where_nothing_is_missed),
        CASE(loop__shows_ride_through_headroom_and_worth_by_the_hour),
        CASE(loop__without_readings_claims_no_ride_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
