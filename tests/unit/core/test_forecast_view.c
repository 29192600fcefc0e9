/* SPDX-License-Identifier: Apache-2.0 */
/* What the API shows of a forecast: what it was planned with, and looking at it changes nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/cycle.h"
#include "tests/support/near.h"
#include "tests/unit/core/small_estate.h"

#define START  INT64_C(1700000000) /* a multiple of the 1000 s slot */
#define SLOT_S 1000
#define DAYS   INT64_C(16)

/* A day that repeats, warmer and colder: 3 to 5 kW. */
static double usual_w(int64_t at_s)
{
    return 4000.0 + 1000.0 * sin((double)(at_s % 86400) / 86400 * 6.283185307179586);
}

static struct hs_cycle *new_cycle(struct hs_policy *policy)
{
    struct hs_cycle_options options = {
        .estate = small_estate(), .policy = policy, .now_at_s = START};

    return hs_cycle_new(&options);
}

static void train(struct hs_cycle *cycle, size_t sink_idx)
{
    HS_AUTO(hs_series) series = hs_series_new();

    for (int64_t at_s = START - DAYS * 86400; at_s < START; at_s += SLOT_S) {
        hs_series_add(series, at_s - at_s % SLOT_S, usual_w(at_s - at_s % SLOT_S));
    }
    series->step_s = SLOT_S;
    hs_cycle_train(cycle, sink_idx, series, NULL);
}

static void step(struct hs_cycle *cycle, int64_t now_at_s)
{
    struct hs_decision decision;
    struct hs_event event = {.kind = HS_EVENT_READING,
                             .at_s = now_at_s,
                             .reading = {.point = {.kind = HS_POINT_DEMAND_HEAT_W},
                                         .value = usual_w(now_at_s),
                                         .taken_at_s = now_at_s,
                                         .received_at_s = now_at_s,
                                         .quality = HS_QUALITY_GOOD}};

    hs_cycle_step(cycle, now_at_s, &event, 1, &decision);
}

static double find_w(const json_t *points, size_t i, const char *key)
{
    const json_t *value = json_object_get(json_array_get(points, i), key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void forecast_view__shows_quantiles_and_how_right_they_were(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO(hs_cycle) cycle = new_cycle(policy);
    json_auto_t *shown = NULL;
    const json_t *points = NULL;
    const json_t *sink = NULL;

    (void)state;
    train(cycle, 0);
    step(cycle, START);
    shown = hs_cycle_format_forecast(cycle, 0, START);
    points = json_object_get(shown, "points");
    sink = json_array_get(json_object_get(shown, "sinks"), 0);
    assert_int_equal(json_array_size(points), 192);
    assert_int_equal(json_array_size(json_object_get(sink, "slots")), 192);
    assert_string_equal(json_string_value(json_object_get(shown, "timezone")), "UTC");
    assert_string_equal(json_string_value(json_object_get(sink, "name")), "pool/main/basin");
    for (size_t i = 0; i < 192; i++) {
        int64_t at_s = START + (int64_t)i * SLOT_S;

        assert_near(find_w(points, i, "p50_w"), usual_w(at_s), 400);
        assert_true(find_w(points, i, "p10_w") <= find_w(points, i, "p50_w"));
        assert_true(find_w(points, i, "p50_w") <= find_w(points, i, "p90_w"));
        assert_near(find_w(points, i, "p50_w"), find_w(json_object_get(sink, "slots"), i, "p50_w"),
                    1e-9);
    }
    for (size_t b = 0; b < 3; b++) {
        const json_t *block = json_array_get(json_object_get(sink, "accuracy"), b);

        assert_true(json_integer_value(json_object_get(block, "n")) > 1000);
        assert_true(json_number_value(json_object_get(block, "nmae")) < 0.05);
    }
}

static void forecast_view__is_null_where_nothing_is_known(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO(hs_cycle) cycle = new_cycle(policy);
    struct hs_decision decision;
    json_auto_t *before = hs_cycle_format_forecast(cycle, 0, START);
    json_auto_t *shown = NULL;
    const json_t *sink = NULL;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(before, "points")), 0);
    hs_cycle_step(cycle, START, NULL, 0, &decision);
    shown = hs_cycle_format_forecast(cycle, 0, START);
    sink = json_array_get(json_object_get(shown, "sinks"), 0);
    assert_int_equal(json_array_size(json_object_get(shown, "points")), 192);
    assert_true(isnan(find_w(json_object_get(shown, "points"), 0, "p50_w")));
    assert_true(isnan(find_w(json_object_get(sink, "slots"), 0, "p90_w")));
    assert_true(json_is_null(json_object_get(json_object_get(sink, "physics"), "ua_w_per_k")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(sink, "how"), "model")),
                        "nothing-known");
}

static void forecast_view__changes_nothing(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO(hs_cycle) seen = new_cycle(policy);
    HS_AUTO(hs_cycle) unseen = new_cycle(policy);

    (void)state;
    train(seen, 0);
    train(unseen, 0);
    for (int64_t at_s = START; at_s < START + 30000; at_s += 250) {
        step(seen, at_s);
        step(unseen, at_s);
        /* between two steps an hour may end: looking must not close it */
        json_decref(hs_cycle_format_forecast(seen, 0, at_s + 249));
    }
    HS_AUTO_MEM char *a = NULL;
    HS_AUTO_MEM char *b = NULL;
    json_auto_t *seen_json = hs_cycle_format_forecast(seen, 0, START + 30000);
    json_auto_t *unseen_json = hs_cycle_format_forecast(unseen, 0, START + 30000);

    a = hs_jsonx_format(seen_json);
    b = hs_jsonx_format(unseen_json);
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecast_view__shows_quantiles_and_how_right_they_were),
        cmocka_unit_test(forecast_view__is_null_where_nothing_is_known),
        cmocka_unit_test(forecast_view__changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
