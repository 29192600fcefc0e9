/* SPDX-License-Identifier: Apache-2.0 */
/* What the cycle shows to its forecasts, when it asks them, and what of them it keeps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "scheduler/core/cycle_priv.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define SLOT_S 1000
#define HOUR_S 3600
#define START  INT64_C(1699999200) /* an hour begins, and no slot */
#define POOL   0
#define OFFICE 1

struct world {
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    int64_t now_at_s;
    HS_VEC(struct hs_event) events;
};

static struct hs_cycle *new_cycle(const struct world *w, int64_t now_at_s)
{
    return hs_cycle_new(&(struct hs_cycle_options){
        .estate = small_estate(), .policy = w->policy, .n_slots = 48, .now_at_s = now_at_s});
}

static int setup(void **state)
{
    struct world *w = hs_xcalloc(1, sizeof(*w));

    w->policy = hs_policy_new();
    w->now_at_s = START;
    w->cycle = new_cycle(w, START);
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

static void push_reading(struct world *w, enum hs_point_kind kind, size_t thing_idx, double value)
{
    struct hs_event event = {.kind = HS_EVENT_READING,
                             .at_s = w->now_at_s,
                             .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                         .value = value,
                                         .taken_at_s = w->now_at_s,
                                         .received_at_s = w->now_at_s,
                                         .quality = hs_reading_check(kind, value)}};

    (void)HS_VEC_PUSH(&w->events, event);
}

static void step_at(struct world *w, int64_t at_s)
{
    struct hs_decision decision;

    w->now_at_s = at_s;
    hs_cycle_step(w->cycle, at_s, w->events.items, w->events.n, &decision);
    w->events.n = 0;
}

static double heat_w(int64_t at_s)
{
    return 3000.0 + 1000.0 * sin(6.283185307179586 * (double)(at_s % 86400) / 86400.0);
}

/* Both meters and the pool's weather speak every 500 s for @span_s. */
static void live(struct world *w, int64_t span_s)
{
    for (int64_t end_at_s = w->now_at_s + span_s; w->now_at_s < end_at_s;) {
        push_reading(w, HS_POINT_DEMAND_HEAT_W, POOL, heat_w(w->now_at_s));
        push_reading(w, HS_POINT_DEMAND_HEAT_W, OFFICE, 2.0 * heat_w(w->now_at_s));
        push_reading(w, HS_POINT_OUTDOOR_C, POOL, 4.0);
        push_reading(w, HS_POINT_OUTDOOR_GHI_W_PER_M2, POOL, 250.0);
        push_reading(w, HS_POINT_OUTDOOR_WIND_M_PER_S, POOL, 3.0);
        step_at(w, w->now_at_s + 500);
    }
}

/* Weather of the next hour as the forecast of a sink reckons with it. */
static struct hs_weather next_weather(const struct world *w, size_t sink_idx)
{
    struct hs_outlook outlook;

    hs_forecast_get_outlook(w->cycle->forecasts[sink_idx], &outlook);
    return outlook.hours[1];
}

static void cycle_forecast__weather_of_a_site_is_learned_by_its_sinks_only(void **state)
{
    struct world *w = *state;
    struct hs_weather weather;

    live(w, 26 * HOUR_S);
    weather = next_weather(w, POOL);
    assert_near(weather.t_out_c, 4.0, 1e-9);
    assert_near(weather.ghi_w_per_m2, 250.0, 1e-9);
    assert_near(weather.wind_m_per_s, 3.0, 1e-9);
    weather = next_weather(w, OFFICE);
    assert_true(isnan(weather.t_out_c) && isnan(weather.ghi_w_per_m2));
}

static void cycle_forecast__a_series_stands_in_for_a_silent_sensor(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_series) outdoor_c = hs_series_new();

    for (int64_t hour = 0; hour < 50; hour++) {
        hs_series_add(outdoor_c, START + hour * HOUR_S, hour < 27 ? -7.0 : 30.0);
    }
    outdoor_c->step_s = HOUR_S;
    hs_cycle_set_signal(w->cycle, OFFICE, HS_SIGNAL_OUTDOOR, outdoor_c);
    hs_cycle_set_signal(w->cycle, POOL, HS_SIGNAL_OUTDOOR, outdoor_c);
    live(w, 26 * HOUR_S);
    assert_near(next_weather(w, OFFICE).t_out_c, -7.0, 1e-9); /* what lies ahead is not seen */
    assert_near(next_weather(w, POOL).t_out_c, 4.0, 1e-9);    /* the site's own sensor first */
}

static void cycle_forecast__an_outlook_is_used_by_the_sinks_of_its_site_only(void **state)
{
    struct world *w = *state;
    struct hs_outlook outlook = {
        .issued_at_s = START, .from_at_s = START, .n_hours = HS_OUTLOOK_HOURS};
    struct hs_forecast_how how;

    for (size_t i = 0; i < HS_OUTLOOK_HOURS; i++) {
        outlook.hours[i] = (struct hs_weather){11.0, 100.0, 2.0};
    }
    live(w, 26 * HOUR_S);
    outlook.issued_at_s = w->now_at_s - w->now_at_s % HOUR_S;
    hs_cycle_set_outlook(w->cycle, OFFICE, &outlook);
    assert_near(next_weather(w, OFFICE).t_out_c, 11.0, 0.0);
    assert_near(next_weather(w, POOL).t_out_c, 4.0, 1e-9);
    hs_forecast_get_how(w->cycle->forecasts[OFFICE], &how);
    assert_int_equal(how.weather, HS_FORECAST_WEATHER_ISSUED);
    hs_cycle_set_outlook(w->cycle, OFFICE, NULL);
    assert_true(isnan(next_weather(w, OFFICE).t_out_c));
}

static void cycle_forecast__is_made_once_an_hour_and_for_new_weather(void **state)
{
    struct world *w = *state;
    struct hs_outlook outlook = {.issued_at_s = START, .from_at_s = START, .n_hours = 24};
    int64_t made_at_s;

    live(w, 26 * HOUR_S + 500);
    step_at(w, START + 27 * HOUR_S);
    step_at(w, START + 27 * HOUR_S + 1000);
    made_at_s = w->cycle->forecast_made_at_s[POOL];
    live(w, 1000);
    assert_true(w->cycle->plan_from_at_s > made_at_s);
    assert_int_equal(w->cycle->forecast_made_at_s[POOL], made_at_s);
    hs_cycle_set_outlook(w->cycle, POOL, &outlook);
    hs_cycle_replan(w->cycle);
    step_at(w, w->now_at_s + 10);
    assert_int_equal(w->cycle->forecast_made_at_s[POOL], w->cycle->plan_from_at_s);
    assert_int_equal(w->cycle->forecast_made_at_s[OFFICE], made_at_s);
    live(w, HOUR_S);
    assert_true(w->cycle->forecast_made_at_s[OFFICE] / HOUR_S > made_at_s / HOUR_S);
}

static void cycle_forecast__hours_of_a_silent_meter_close_as_unknown(void **state)
{
    struct world *w = *state;
    struct hs_forecast_how before, after;

    live(w, 6 * HOUR_S);
    step_at(w, w->now_at_s + 12 * HOUR_S);
    hs_forecast_get_how(w->cycle->forecasts[POOL], &before);
    assert_near(before.history_h, 6.0, 1.0);
    /* had the hours waited for the meter, its first word would fill them */
    live(w, 2 * HOUR_S);
    hs_forecast_get_how(w->cycle->forecasts[POOL], &after);
    assert_near(after.history_h - before.history_h, 2.0, 1.0);
}

static void assert_same_forecasts(const struct world *w, struct hs_cycle *other, int64_t at_s)
{
    struct hs_forecast_slot a[48], b[48];

    for (size_t k = 0; k < SMALL_SITES; k++) {
        hs_forecast_predict(w->cycle->forecasts[k], at_s, 48, a);
        hs_forecast_predict(other->forecasts[k], at_s, 48, b);
        assert_memory_equal(a, b, sizeof(a));
    }
}

static void cycle_forecast__goes_on_with_what_was_saved(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_cycle) next = NULL;
    HS_AUTO(hs_series) past = hs_series_new();

    live(w, 50 * HOUR_S);
    next = new_cycle(w, w->now_at_s);
    hs_series_add(past, START, 99999.0); /* learned long ago as something else */
    for (size_t k = 0; k < SMALL_SITES; k++) {
        json_auto_t *saved = hs_cycle_save_forecast(w->cycle, k);
        json_auto_t *again = NULL;

        assert_int_equal(hs_cycle_restore_forecast(next, k, saved, NULL), 0);
        hs_cycle_train(next, k, past, NULL);
        again = hs_cycle_save_forecast(next, k);
        assert_true(json_equal(saved, again));
    }
    assert_same_forecasts(w, next, w->now_at_s);
}

static void cycle_forecast__what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_cycle) next = NULL;
    HS_AUTO(hs_cycle) earlier = new_cycle(w, START);
    struct hs_err err;

    live(w, 5 * HOUR_S);
    next = new_cycle(w, w->now_at_s);

    json_auto_t *saved = hs_cycle_save_forecast(w->cycle, POOL);
    json_auto_t *arrivals = hs_cycle_save_arrivals(w->cycle);
    json_auto_t *fresh = hs_cycle_save_forecast(next, POOL);
    json_auto_t *after = NULL;

    assert_int_equal(hs_cycle_restore_forecast(earlier, POOL, saved, &err), -HS_E_CONFLICT);
    assert_int_equal(hs_cycle_restore_arrivals(earlier, arrivals, &err), -HS_E_CONFLICT);
    assert_int_equal(hs_cycle_restore_arrivals(next, arrivals, &err), 0);
    assert_int_equal(hs_cycle_restore_arrivals(next, saved, &err), -HS_E_INVALID);
    assert_int_equal(json_object_del(json_object_get(saved, "forecast"), "state"), 0);
    assert_int_equal(hs_cycle_restore_forecast(next, POOL, saved, &err), -HS_E_INVALID);
    assert_int_equal(hs_cycle_restore_forecast(next, POOL, NULL, &err), -HS_E_INVALID);
    after = hs_cycle_save_forecast(next, POOL);
    assert_true(json_equal(fresh, after));
}

/* Base load of hosts and loss of tanks took weeks to learn, too. */
static void cycle_forecast__hosts_and_tanks_outlive_a_restart(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_cycle) next = NULL;
    HS_AUTO(hs_cycle) earlier = new_cycle(w, START);
    json_auto_t *saved = NULL;
    json_auto_t *again = NULL;

    live(w, 5 * HOUR_S);
    w->cycle->baseloads[POOL] = (struct hs_baseload){
        .hour_no = w->now_at_s / HOUR_S, .n_hours = 99, .mean = 321, .newest = 300};
    w->cycle->estimator->loops[POOL].tank_loss.info[0][0] = 7;
    saved = hs_cycle_save_plant(w->cycle);
    next = new_cycle(w, w->now_at_s);
    assert_int_equal(hs_cycle_restore_plant(next, saved, NULL), 0);
    assert_memory_equal(&next->baseloads[POOL], &w->cycle->baseloads[POOL],
                        sizeof(struct hs_baseload));
    assert_true(next->estimator->loops[POOL].tank_loss.info[0][0] == 7);
    assert_int_equal(hs_cycle_restore_plant(earlier, saved, NULL), -HS_E_INVALID);
    w->cycle->baseloads[POOL].mean = (double)NAN;
    again = hs_cycle_save_plant(w->cycle);
    assert_int_equal(hs_cycle_restore_plant(next, again, NULL), -HS_E_INVALID);
    assert_true(next->baseloads[POOL].mean == 321);
}

/* A clock that is set back by some minutes over a restart costs nothing. */
static void cycle_forecast__of_a_clock_that_was_minutes_ahead_is_taken(void **state)
{
    struct world *w = *state;
    HS_AUTO(hs_cycle) next = NULL;
    json_auto_t *saved = NULL;
    json_auto_t *arrivals = NULL;

    live(w, 5 * HOUR_S);
    saved = hs_cycle_save_forecast(w->cycle, POOL);
    arrivals = hs_cycle_save_arrivals(w->cycle);
    next = new_cycle(w, w->now_at_s - 1800);
    assert_int_equal(hs_cycle_restore_forecast(next, POOL, saved, NULL), 0);
    assert_int_equal(hs_cycle_restore_arrivals(next, arrivals, NULL), 0);
}

/* Issued each hour: so many degrees as hours have gone. */
static bool find_outlook(const void *arg, int64_t at_s, struct hs_outlook *ret_outlook)
{
    const int64_t *first_at_s = arg;

    if (at_s < *first_at_s) {
        return false;
    }
    *ret_outlook = (struct hs_outlook){.issued_at_s = at_s, .from_at_s = at_s, .n_hours = 48};
    for (size_t i = 0; i < 48; i++) {
        ret_outlook->hours[i] = HS_WEATHER_UNKNOWN;
        ret_outlook->hours[i].t_out_c = (double)((at_s - START) / HOUR_S);
    }
    return true;
}

static void cycle_forecast__trains_on_weather_as_it_was_and_as_it_was_foreseen(void **state)
{
    struct world *w = *state;
    int64_t end_at_s = START + 50 * HOUR_S, first_at_s = START + 10 * HOUR_S;
    HS_AUTO(hs_cycle) cycle = new_cycle(w, end_at_s);
    HS_AUTO(hs_series) past = hs_series_new();
    HS_AUTO(hs_series) outdoor_c = hs_series_new();
    struct hs_cycle_air air = {
        .t_out_c = outdoor_c, .find_outlook = find_outlook, .arg = &first_at_s};
    struct hs_outlook outlook;

    for (int64_t at_s = START; at_s < end_at_s + 10 * HOUR_S; at_s += SLOT_S) {
        hs_series_add(past, at_s, heat_w(at_s));
        hs_series_add(outdoor_c, at_s, at_s < end_at_s ? 5.0 : 99.0);
    }
    past->step_s = outdoor_c->step_s = SLOT_S;
    hs_cycle_train(cycle, POOL, past, &air);
    hs_forecast_get_outlook(cycle->forecasts[POOL], &outlook);
    /* slots of 1000 s meet full hours every fifth hour only */
    assert_true(outlook.hours[0].t_out_c >= 40.0 && outlook.hours[0].t_out_c <= 50.0);
    assert_true(cycle->has_history[POOL]);
    assert_int_equal(cycle->learned_to_at_s[POOL], end_at_s - end_at_s % SLOT_S);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cycle_forecast__weather_of_a_site_is_learned_by_its_sinks_only),
        CASE(cycle_forecast__a_series_stands_in_for_a_silent_sensor),
        CASE(cycle_forecast__an_outlook_is_used_by_the_sinks_of_its_site_only),
        CASE(cycle_forecast__is_made_once_an_hour_and_for_new_weather),
        CASE(cycle_forecast__hours_of_a_silent_meter_close_as_unknown),
        CASE(cycle_forecast__goes_on_with_what_was_saved),
        CASE(cycle_forecast__hosts_and_tanks_outlive_a_restart),
        CASE(cycle_forecast__of_a_clock_that_was_minutes_ahead_is_taken),
        CASE(cycle_forecast__what_does_not_fit_is_refused_and_changes_nothing),
        CASE(cycle_forecast__trains_on_weather_as_it_was_and_as_it_was_foreseen),
    };
    return cmocka_run_group_tests_name("cycle_forecast", tests, NULL, NULL);
}
