/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "scheduler/base/jsonx.h"
#include "tests/support/near.h"

#define SLOT_S   900
#define PER_HOUR 4
#define PER_DAY  96
#define DAY_NO   20000 /* any day */

static struct hs_forecast *new_forecast(const char *name)
{
    struct hs_forecast_setup setup = {.slot_s = SLOT_S};

    return hs_forecast_new(name, &setup);
}

static int64_t at_s(int slot)
{
    return (int64_t)DAY_NO * 86400 + (int64_t)slot * SLOT_S;
}

/* A different value for every hour of the first two weeks. */
static double heat_w(int slot)
{
    int hour = slot / PER_HOUR;

    return 1000.0 + hour;
}

static void feed(struct hs_forecast *forecast, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct hs_weather weather = {5.0 + (i / PER_HOUR) % 24, 100.0, 3.0};

        hs_forecast_observe_weather(forecast, at_s(i), &weather);
        hs_forecast_observe(forecast, at_s(i), heat_w(i));
    }
}

static void yesterday__is_the_same_hour_of_the_latest_known_day(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_forecast_slot made[2 * PER_DAY];

    (void)state;
    feed(forecast, 0, 2 * PER_DAY);
    hs_forecast_predict(forecast, at_s(2 * PER_DAY), 2 * PER_DAY, made);
    for (int i = 0; i < 2 * PER_DAY; i++) {
        assert_near(made[i].p50_w, heat_w(PER_DAY + i % PER_DAY), 1e-9);
    }
}

static void yesterday__falls_back_to_an_earlier_day_then_to_the_last_value(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_forecast_slot made[PER_DAY];

    (void)state;
    feed(forecast, 0, PER_DAY);
    for (int i = PER_DAY; i < 2 * PER_DAY; i++) {
        hs_forecast_observe(forecast, at_s(i), i < PER_DAY + 8 ? -5.0 : (double)NAN);
    }
    hs_forecast_predict(forecast, at_s(2 * PER_DAY), PER_DAY, made);
    assert_near(made[0].p50_w, heat_w(0), 1e-9);
    assert_near(made[40].p50_w, heat_w(40), 1e-9);

    HS_AUTO(hs_forecast) young = new_forecast("yesterday");

    feed(young, 0, 2 * PER_HOUR);
    hs_forecast_predict(young, at_s(2 * PER_HOUR), 1, made);
    assert_near(made[0].p50_w, heat_w(PER_HOUR), 1e-9);
}

static void predict__without_any_reading_is_zero(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_forecast_slot made[PER_DAY];
    struct hs_forecast_how how;

    (void)state;
    hs_forecast_predict(forecast, at_s(0), PER_DAY, made);
    assert_near(made[PER_DAY - 1].p50_w, 0.0, 1e-12);
    hs_forecast_get_how(forecast, &how);
    assert_string_equal(how.fallback, "nothing-known");
    assert_int_equal(how.weather, HS_FORECAST_WEATHER_NONE);
}

static void predict__is_the_same_to_the_bit_when_the_future_is_destroyed(void **state)
{
    (void)state;
    for (size_t m = 0; hs_forecast_get_model(m) != NULL; m++) {
        HS_AUTO(hs_forecast) whole = new_forecast(hs_forecast_get_model(m)->name);
        HS_AUTO(hs_forecast) cut = new_forecast(hs_forecast_get_model(m)->name);
        struct hs_forecast_slot before[PER_DAY];
        struct hs_forecast_slot after[PER_DAY];

        feed(whole, 0, 12 * PER_DAY + 6);
        feed(cut, 0, 12 * PER_DAY + 6);
        hs_forecast_predict(cut, at_s(12 * PER_DAY + 6), PER_DAY, before);
        hs_forecast_predict(whole, at_s(12 * PER_DAY + 6), PER_DAY, after);
        for (int i = 12 * PER_DAY + 6; i < 13 * PER_DAY; i++) {
            hs_forecast_observe(whole, at_s(i), heat_w(i));
        }
        assert_memory_equal(before, after, sizeof(before));
    }
}

static void restore__gives_the_same_predictions_to_the_bit(void **state)
{
    (void)state;
    for (size_t m = 0; hs_forecast_get_model(m) != NULL; m++) {
        const char *name = hs_forecast_get_model(m)->name;
        HS_AUTO(hs_forecast) first = new_forecast(name);
        HS_AUTO(hs_forecast) second = new_forecast(name);
        struct hs_forecast_slot before[2 * PER_DAY];
        struct hs_forecast_slot after[2 * PER_DAY];
        json_auto_t *saved = NULL;

        feed(first, 0, 11 * PER_DAY + 2);
        saved = hs_forecast_save(first);
        assert_int_equal(hs_forecast_restore(second, saved, NULL), 0);
        for (int day = 0; day < 2; day++) {
            int now = (11 + day) * PER_DAY + 2;

            hs_forecast_predict(first, at_s(now), 2 * PER_DAY, before);
            hs_forecast_predict(second, at_s(now), 2 * PER_DAY, after);
            assert_memory_equal(before, after, sizeof(before));
            feed(first, now, now + PER_DAY);
            feed(second, now, now + PER_DAY);
        }
    }
}

static void restore__refuses_a_damaged_state_and_keeps_its_own(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_forecast_slot before[PER_DAY];
    struct hs_forecast_slot after[PER_DAY];
    json_auto_t *saved = NULL;
    struct hs_err err = {0};

    (void)state;
    feed(forecast, 0, 2 * PER_DAY);
    hs_forecast_predict(forecast, at_s(2 * PER_DAY), PER_DAY, before);
    saved = hs_forecast_save(forecast);
    hs_jsonx_set_text(saved, "frame", "00ff");
    assert_int_equal(hs_forecast_restore(forecast, saved, &err), -HS_E_INVALID);
    hs_jsonx_set_int(saved, "slot_s", 3600);
    assert_int_equal(hs_forecast_restore(forecast, saved, &err), -HS_E_INVALID);
    hs_forecast_predict(forecast, at_s(2 * PER_DAY), PER_DAY, after);
    assert_memory_equal(before, after, sizeof(before));
}

static void model__is_null_for_an_unknown_name(void **state)
{
    (void)state;
    assert_null(hs_forecast_find_model("crystal-ball"));
    assert_string_equal(hs_forecast_find_model("yesterday")->name, "yesterday");
}

static void accuracy__of_the_model_yesterday_is_that_of_yesterday(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_forecast_accuracy blocks[HS_FORECAST_N_BLOCKS];

    (void)state;
    feed(forecast, 0, 18 * PER_DAY);
    hs_forecast_get_accuracy(forecast, blocks);
    for (size_t b = 0; b < HS_FORECAST_N_BLOCKS; b++) {
        assert_true(blocks[b].nmae > 0);
        assert_near(blocks[b].yesterday_nmae, blocks[b].nmae, 1e-9);
    }
    /* the day after a gap has no yesterday: the other days are judged all the same */
    for (int i = 18 * PER_DAY; i < 19 * PER_DAY; i++) {
        hs_forecast_observe(forecast, at_s(i), (double)NAN);
    }
    feed(forecast, 19 * PER_DAY, 20 * PER_DAY);
    hs_forecast_get_accuracy(forecast, blocks);
    assert_true(blocks[0].yesterday_nmae > 0);
}

/* A service that is two kelvin too warm, from before the first hour closes. */
static void look_out(struct hs_forecast *forecast, int hour)
{
    struct hs_outlook outlook = {
        .issued_at_s = at_s(hour * PER_HOUR), .from_at_s = at_s(hour * PER_HOUR), .n_hours = 48};

    for (int i = 0; i < 48; i++) {
        outlook.hours[i] = HS_WEATHER_UNKNOWN;
        outlook.hours[i].t_out_c = 5.0 + (hour + i) % 24 + 2;
    }
    hs_forecast_set_outlook(forecast, &outlook);
}

static void outlook__is_placed_before_the_first_hour_closes(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_outlook used;

    (void)state;
    hs_forecast_advance(forecast, at_s(1));
    look_out(forecast, 0);
    hs_forecast_get_outlook(forecast, &used);
    assert_near(hs_outlook_get(&used, at_s(0)).t_out_c, 7, 0);
}

static void outlook__is_corrected_by_the_sites_own_sensor(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_forecast("yesterday");
    struct hs_outlook used;

    (void)state;
    for (int hour = 0; hour < 14 * 24; hour++) {
        look_out(forecast, hour);
        feed(forecast, hour * PER_HOUR, (hour + 1) * PER_HOUR);
    }
    look_out(forecast, 14 * 24);
    hs_forecast_get_outlook(forecast, &used);
    for (int i = 0; i < 48; i++) {
        assert_near(used.hours[i].t_out_c, 5.0 + i % 24, 0.4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy__of_the_model_yesterday_is_that_of_yesterday),
        cmocka_unit_test(yesterday__is_the_same_hour_of_the_latest_known_day),
        cmocka_unit_test(yesterday__falls_back_to_an_earlier_day_then_to_the_last_value),
        cmocka_unit_test(predict__without_any_reading_is_zero),
        cmocka_unit_test(predict__is_the_same_to_the_bit_when_the_future_is_destroyed),
        cmocka_unit_test(restore__gives_the_same_predictions_to_the_bit),
        cmocka_unit_test(restore__refuses_a_damaged_state_and_keeps_its_own),
        cmocka_unit_test(model__is_null_for_an_unknown_name),
        cmocka_unit_test(outlook__is_placed_before_the_first_hour_closes),
        cmocka_unit_test(outlook__is_corrected_by_the_sites_own_sensor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
