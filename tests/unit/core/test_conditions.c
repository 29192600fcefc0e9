/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What buildings go through, each in the closed loop: the states that come of it, what becomes of
 * the work, and that it ends by itself.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/units.h"
#include "tests/unit/core/plantworld.h"

#define HOUR_S 3600
#define DAY_S  HS_S_PER_DAY
#define N_JOBS 30

/** What was seen of a stretch of time, of one loop. */
struct seen {
    char states[256]; /* " normal full", in the order in which they first came */
    size_t n_changes; /* of its state */
    bool was_asked;   /* rejection */
    double most_elec_w;
    char notes[2048]; /* that say "compute" or "interlock" */
};

static void look(struct plantworld *w, size_t loop_idx, struct seen *seen, char *io_state,
                 size_t size)
{
    struct hs_cycle_loop_status status;

    hs_cycle_get_loop_status(w->cycle, loop_idx, &status);
    seen->was_asked |= status.wants_rejection;
    seen->most_elec_w = fmax(seen->most_elec_w, plantworld_elec_w(w, loop_idx));
    seen->n_changes += io_state[0] != '\0' && strcmp(io_state, status.state) != 0;
    snprintf(io_state, size, "%s", status.state);
    if (strstr(seen->states, status.state) == NULL) {
        size_t used = strlen(seen->states);

        snprintf(seen->states + used, sizeof(seen->states) - used, " %s", status.state);
    }
    for (size_t i = 0; i < w->decision.n_notes; i++) {
        const struct hs_note *note = &w->decision.notes[i];
        size_t used = strlen(seen->notes);

        if (strstr(note->text, "compute") != NULL || strcmp(note->kind, "interlock") == 0) {
            snprintf(seen->notes + used, sizeof(seen->notes) - used, "%s: %s\n", note->subject,
                     note->text);
        }
    }
}

static struct seen run_at(struct plantworld *w, size_t loop_idx, int64_t span_s)
{
    struct seen seen = {.states = ""};
    char state[32] = "";
    int64_t end_at_s = w->now_at_s + span_s;

    for (int64_t t = w->now_at_s + 120; t <= end_at_s; t += 120) {
        plantworld_step(w, t);
        look(w, loop_idx, &seen, state, sizeof(state));
    }
    return seen;
}

static struct seen run(struct plantworld *w, int64_t span_s)
{
    return run_at(w, 0, span_s);
}

static const char *state_now(const struct plantworld *w)
{
    struct hs_cycle_loop_status status;

    hs_cycle_get_loop_status(w->cycle, 0, &status);
    return status.state;
}

static void open_world(struct plantworld *w, bool has_planner)
{
    plantworld_open(w, 4, N_JOBS, has_planner);
    w->wait_s = 6 * HOUR_S;
    (void)run(w, 2 * HOUR_S);
    assert_string_equal(state_now(w), "normal");
}

/* Nothing was killed, nothing pinned was touched, and what may wait was in time. */
static void close_world(struct plantworld *w)
{
    assert_int_equal(w->n_destroyed, 0);
    assert_int_equal(w->n_pinned_touched, 0);
    assert_int_equal(w->n_late, 0);
    assert_true(w->n_done > 10);
    plantworld_close(w);
}

/* A plant whose rejection takes all that can come, as it should where heat is not always wanted. */
static void size_rejection(struct plantworld *w)
{
    for (size_t l = 0; l < PLANTWORLD_LOOPS; l++) {
        w->estate->loops[l].rejection_limit_w = 4000;
    }
}

static void condition__a_weekend_with_hardly_anybody_there_rejects_and_ends(void **state)
{
    struct plantworld w;

    open_world(&w, true);
    size_rejection(&w);
    w.demand_mean_w = 500;
    w.demand_swing_w = 100;
    struct seen weekend = run(&w, 2 * DAY_S);

    assert_non_null(strstr(weekend.states, "full"));
    assert_true(weekend.was_asked);
    w.demand_mean_w = 6500;
    struct seen monday = run(&w, 6 * HOUR_S);

    assert_string_equal(state_now(&w), "normal");
    assert_non_null(strstr(monday.states, "normal"));
    close_world(&w);
}

static void condition__summer_runs_no_filler_and_all_work_in_time(void **state)
{
    struct plantworld w;

    plantworld_open(&w, 4, N_JOBS, true);
    size_rejection(&w);
    w.wait_s = 6 * HOUR_S;
    w.demand_mean_w = 0;
    w.demand_swing_w = 0;
    struct seen summer = run(&w, 3 * DAY_S);

    assert_non_null(strstr(summer.states, "full"));
    assert_true(summer.was_asked);
    close_world(&w);
    plantworld_open(&w, 4, N_JOBS, true);
    w.is_filler = true;
    w.demand_mean_w = 0;
    w.demand_swing_w = 0;
    (void)run(&w, 2 * HOUR_S);
    assert_int_equal(w.n_fillers, 0);
    plantworld_close(&w);
}

static void condition__the_change_of_season_is_no_flutter(void **state)
{
    struct plantworld w;
    size_t n_changes = 0;

    open_world(&w, true);
    size_rejection(&w);
    for (int day = 0; day < 8; day++) { /* towards summer, and back */
        double share = day < 4 ? 1.0 - day / 3.0 : (day - 4) / 3.0;

        w.demand_mean_w = 6500.0 * share;
        w.demand_swing_w = 800.0 * share;
        n_changes += run_at(&w, 2, DAY_S).n_changes; /* with its tank */
    }
    assert_string_equal(state_now(&w), "normal");
    assert_true(n_changes >= 2);
    assert_true(n_changes <= 8 * 12); /* no more often than every other hour */
    close_world(&w);
}

static void condition__downstream_offline_is_known_at_once_and_ends(void **state)
{
    struct plantworld w;

    open_world(&w, true);
    w.loops[0].is_sink_off = true;
    struct seen offline = run(&w, 6 * HOUR_S);

    assert_string_equal(offline.states, " sink-unavailable");
    assert_true(offline.was_asked);
    w.loops[0].is_sink_off = false;
    (void)run(&w, 600);
    assert_string_equal(state_now(&w), "normal");
    (void)run(&w, DAY_S);
    assert_true(w.loops[0].hottest_c < PLANTWORLD_HOST_C);
    assert_int_equal(w.n_destroyed + w.n_pinned_touched, 0);
    plantworld_close(&w);
}

static void condition__a_heating_fault_is_bypassed_and_load_reduced(void **state)
{
    struct plantworld w;

    open_world(&w, true);
    w.loops[0].is_pump_off = true;
    plantworld_step(&w, w.now_at_s + 10);
    struct seen fault = run(&w, 3 * HOUR_S);

    assert_true(fault.was_asked);
    assert_true(0.9 * fault.most_elec_w <= w.estate->loops[0].rejection_limit_w + 1.0);
    w.loops[0].is_pump_off = false;
    fault = run(&w, 2 * HOUR_S);
    assert_string_equal(state_now(&w), "normal");
    assert_true(0.9 * fault.most_elec_w > w.estate->loops[0].rejection_limit_w);
    plantworld_close(&w);
}

static void condition__the_emergency_switch_sheds_what_may_wait_until_it_is_back(void **state)
{
    struct plantworld w;
    double least_w = 2 * 300.0 + 2 * 2 * 106.25; /* idling, and what is pinned */

    open_world(&w, true);
    w.loops[0].is_emergency = true;
    plantworld_step(&w, w.now_at_s + 10);
    struct seen fault = run(&w, HOUR_S);

    assert_true(fault.was_asked);
    /* what its rejection takes for sure, and no more */
    assert_true(0.9 * fault.most_elec_w <= 1501.0 && fault.most_elec_w >= least_w);
    w.loops[0].is_emergency = false;
    struct seen after = run(&w, 2 * HOUR_S);

    assert_non_null(strstr(after.notes, "emergency is over"));
    assert_string_equal(state_now(&w), "normal");
    plantworld_close(&w);
}

static void push_hosts(struct plantworld *w, enum hs_event_kind kind)
{
    for (size_t h = 0; h < PLANTWORLD_HOSTS; h++) {
        struct hs_event event = {.kind = kind, .host_idx = h, .at_s = w->now_at_s};

        if (w->estate->hosts[h].loop_idx == 0) {
            (void)HS_VEC_PUSH(&w->events, event);
        }
    }
}

static void condition__compute_shut_down_is_told_to_the_building(void **state)
{
    struct hs_cycle_loop_status status;
    struct plantworld w;
    double offer_w[3];

    open_world(&w, true);
    hs_cycle_get_offer(w.cycle, 0, w.now_at_s, 3, offer_w);
    assert_true(offer_w[0] > 500 && offer_w[0] <= 0.9 * 4000);
    push_hosts(&w, HS_EVENT_HOST_LOST);
    struct seen down = run(&w, 600);

    assert_non_null(strstr(down.notes, "no compute runs"));
    hs_cycle_get_loop_status(w.cycle, 0, &status);
    assert_true(status.is_dark);
    hs_cycle_get_offer(w.cycle, 0, w.now_at_s, 3, offer_w);
    assert_true(offer_w[0] <= 0 && offer_w[2] <= 0);
    push_hosts(&w, HS_EVENT_HOST_LISTED);
    struct seen up = run(&w, 600);

    assert_non_null(strstr(up.notes, "compute runs again"));
    hs_cycle_get_offer(w.cycle, 0, w.now_at_s, 3, offer_w);
    assert_true(offer_w[0] > 500);
    plantworld_close(&w);
}

static bool forget_demand(void *arg, struct hs_reading *reading)
{
    const bool *is_failing = arg;

    if (*is_failing && reading->point.kind == HS_POINT_DEMAND_HEAT_W) {
        reading->value = NAN;
    }
    reading->quality = hs_reading_check(reading->point.kind, reading->value);
    return true;
}

static void condition__a_sensor_that_fails_costs_heat_and_no_work(void **state)
{
    struct plantworld w;
    bool is_failing = true;

    open_world(&w, true);
    w.bend = forget_demand;
    w.bend_arg = &is_failing;
    struct seen failed = run(&w, DAY_S);

    assert_non_null(strstr(failed.states, "sensor-fault"));
    is_failing = false;
    (void)run(&w, 600);
    assert_string_equal(state_now(&w), "normal");
    close_world(&w);
}

static void condition__maintenance_of_the_loop_is_a_state_of_its_own_and_ends(void **state)
{
    struct plantworld w;
    struct hs_maintenance it = {.id = 1, .kind = "loop", .name = "a/main", .is_off = true};

    open_world(&w, true);
    it.from_at_s = w.now_at_s + HOUR_S;
    it.until_at_s = w.now_at_s + 3 * HOUR_S;
    hs_cycle_set_maintenance(w.cycle, &it, 1);
    struct seen seen = run(&w, 4 * HOUR_S);

    assert_non_null(strstr(seen.states, "maintenance"));
    assert_non_null(strstr(seen.notes, "no compute runs"));
    assert_non_null(strstr(seen.notes, "compute runs again"));
    assert_string_equal(state_now(&w), "normal");
    assert_int_equal(w.n_destroyed + w.n_pinned_touched, 0);
    plantworld_close(&w);
}

/* How warm a tank is when its boiler goes out, or would. */
static double warm_before_boiler_c(bool is_known)
{
    struct plantworld w;
    struct hs_maintenance it = {.id = 1, .kind = "boiler", .name = "b/main/house"};
    double water_c;

    plantworld_open(&w, 4, 2 * N_JOBS, true);
    w.only_loop_idx = 1;
    w.is_filler = true;
    w.demand_mean_w = 2000;
    w.demand_swing_w = 0;
    (void)run(&w, HOUR_S);
    it.from_at_s = w.now_at_s + 5 * HOUR_S;
    it.until_at_s = w.now_at_s + 8 * HOUR_S;
    hs_cycle_set_maintenance(w.cycle, &it, is_known ? 1 : 0);
    (void)run(&w, 5 * HOUR_S - 120);
    water_c = w.loops[1].water_c;
    assert_int_equal(w.n_destroyed + w.n_pinned_touched, 0);
    plantworld_close(&w);
    return water_c;
}

static void condition__before_the_boilers_maintenance_the_tank_is_warmed(void **state)
{
    double unknown_c = warm_before_boiler_c(false);
    double known_c = warm_before_boiler_c(true);

    print_message("tank at its beginning: %.1f °C, not told of it %.1f °C\n", known_c, unknown_c);
    assert_true(known_c > unknown_c + 1.0);
}

/* --- nobody plans --- */

/* Whatever people ask, there is an answer without a plan, too. */
static void look_at_all(const struct plantworld *w)
{
    for (size_t i = 0; i < hs_cycle_get_n_jobs(w->cycle); i++) {
        const struct hs_job *job = hs_cycle_get_job_at(w->cycle, i);
        json_auto_t *shown = hs_cycle_format_job(w->cycle, job->id, w->now_at_s);
        json_auto_t *explained = hs_cycle_format_explain(w->cycle, job->id, w->now_at_s);
        json_auto_t *brief = hs_cycle_format_explain_brief(w->cycle, job->id, w->now_at_s);

        assert_true(json_is_object(shown) && json_is_object(explained) && json_is_object(brief));
    }
    json_auto_t *loop = hs_cycle_format_loop(w->cycle, 0, w->now_at_s);
    json_auto_t *forecast = hs_cycle_format_forecast(w->cycle, 0, w->now_at_s);
    json_auto_t *plan = hs_cycle_format_plan(w->cycle);
    json_auto_t *report = hs_cycle_format_report(w->cycle, w->now_at_s);
    json_auto_t *site = hs_cycle_format_site(w->cycle, 0);
    json_auto_t *host = hs_cycle_format_host(w->cycle, 0);

    assert_true(json_is_object(loop) && json_is_object(forecast) && json_is_object(plan));
    assert_true(json_is_object(report) && json_is_object(site) && json_is_object(host));
}

static void thermostat__runs_the_loops_without_any_plan(void **state)
{
    struct plantworld w;

    open_world(&w, false);
    (void)run(&w, 2 * DAY_S);
    assert_null(hs_cycle_get_plan(w.cycle));
    look_at_all(&w);
    w.loops[0].is_pump_off = true;
    plantworld_step(&w, w.now_at_s + 10);
    struct seen fault = run(&w, HOUR_S);

    assert_true(fault.was_asked);
    assert_true(0.9 * fault.most_elec_w <= w.estate->loops[0].rejection_limit_w + 1.0);
    w.loops[0].is_pump_off = false;
    (void)run(&w, DAY_S);
    assert_string_equal(state_now(&w), "normal");
    assert_int_equal(w.n_destroyed + w.n_pinned_touched, 0);
    assert_true(w.n_done > 50);
    plantworld_close(&w);
}

static void thermostat__runs_filler_while_heat_is_wanted_and_stops_it_where_it_is_not(void **state)
{
    struct plantworld w;

    plantworld_open(&w, 4, 2 * N_JOBS, false);
    w.is_filler = true;
    w.demand_mean_w = 2500;
    w.demand_swing_w = 0;
    (void)run(&w, 2 * HOUR_S);
    assert_true(w.n_fillers > 0);
    /* up to the demand, and one job more at most */
    assert_true(0.9 * plantworld_elec_w(&w, 0) >= 2300);
    assert_true(0.9 * plantworld_elec_w(&w, 0) <= 2500 + 0.9 * 213);
    w.demand_mean_w = 0;
    (void)run(&w, HOUR_S);
    assert_true(plantworld_elec_w(&w, 0) <= 2 * 300.0 + 2 * 2 * 106.25);
    plantworld_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(condition__a_weekend_with_hardly_anybody_there_rejects_and_ends),
        cmocka_unit_test(condition__summer_runs_no_filler_and_all_work_in_time),
        cmocka_unit_test(condition__the_change_of_season_is_no_flutter),
        cmocka_unit_test(condition__downstream_offline_is_known_at_once_and_ends),
        cmocka_unit_test(condition__a_heating_fault_is_bypassed_and_load_reduced),
        cmocka_unit_test(condition__the_emergency_switch_sheds_what_may_wait_until_it_is_back),
        cmocka_unit_test(condition__compute_shut_down_is_told_to_the_building),
        cmocka_unit_test(condition__a_sensor_that_fails_costs_heat_and_no_work),
        cmocka_unit_test(condition__maintenance_of_the_loop_is_a_state_of_its_own_and_ends),
        cmocka_unit_test(condition__before_the_boilers_maintenance_the_tank_is_warmed),
        cmocka_unit_test(thermostat__runs_the_loops_without_any_plan),
        cmocka_unit_test(thermostat__runs_filler_while_heat_is_wanted_and_stops_it_where_it_is_not),
    };
    return cmocka_run_group_tests_name("conditions", tests, NULL, NULL);
}
