/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of what can be asked: any slot, any size of sink, the first hour, the past, mad weather. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "tests/support/near.h"

#define HOUR_S  3600
#define DAY_S   86400
#define FROM_S  INT64_C(1735689600)
#define SLOTS_N 192

static double swing(int64_t at_s)
{
    return 1.0 + 0.4 * sin((double)at_s / DAY_S * 6.283185307) + 0.1 * (double)(at_s / HOUR_S % 7);
}

static struct hs_weather air(int64_t at_s)
{
    return (struct hs_weather){5.0 + 6.0 * cos((double)at_s / DAY_S * 6.283185307), 100.0, 3.0};
}

static void feed(struct hs_forecast *forecast, int64_t slot_s, int64_t from_at_s, int64_t to_at_s,
                 double scale_w)
{
    for (int64_t at_s = from_at_s; at_s < to_at_s; at_s += slot_s) {
        struct hs_weather weather = air(at_s);

        hs_forecast_observe_weather(forecast, at_s, &weather);
        hs_forecast_observe(forecast, at_s, scale_w * swing(at_s));
    }
}

static void assert_sound(const struct hs_forecast_slot *slots, const char *what, double with)
{
    for (size_t i = 0; i < SLOTS_N; i++) {
        if (!(slots[i].p10_w >= 0 && slots[i].p10_w <= slots[i].p50_w
              && slots[i].p50_w <= slots[i].p90_w && isfinite(slots[i].p90_w))) {
            fail_msg("%s %g, slot %zu: %g %g %g", what, with, i, slots[i].p10_w, slots[i].p50_w,
                     slots[i].p90_w);
        }
    }
}

static void limits__any_slot_any_sink_and_the_first_hour_of_all(void **state)
{
    static const int64_t lengths_s[] = {60, 300, 900, 2700, 3600, 7200, 86400};
    static const double scales_w[] = {0, 1e-9, 5e3, 1e12};
    static const int64_t starts_s[] = {0, FROM_S};
    struct hs_forecast_slot slots[SLOTS_N];

    (void)state;
    for (size_t i = 0; i < sizeof(lengths_s) / sizeof(lengths_s[0]); i++) {
        for (size_t k = 0; k < sizeof(scales_w) / sizeof(scales_w[0]); k++) {
            struct hs_forecast_setup setup = {.slot_s = lengths_s[i]};
            HS_AUTO(hs_forecast) forecast = hs_forecast_new("mixer", &setup);
            int64_t from_at_s = starts_s[(i + k) % 2];

            for (int64_t day = 0; day < 12; day++) {
                int64_t at_s = from_at_s + day * DAY_S;

                hs_forecast_predict(forecast, at_s, SLOTS_N, slots);
                assert_sound(slots, "slots of", (double)lengths_s[i]);
                feed(forecast, lengths_s[i], at_s, at_s + DAY_S, scales_w[k]);
            }
        }
    }
}

static void predict__from_the_past_is_what_was_measured(void **state)
{
    static const int64_t back_s[] = {2 * HOUR_S, DAY_S, 30 * DAY_S};
    struct hs_forecast_setup setup = {.slot_s = 900};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("yesterday", &setup);
    int64_t now_at_s = FROM_S + 31 * DAY_S;
    struct hs_forecast_slot slots[SLOTS_N];

    (void)state;
    for (int64_t at_s = FROM_S; at_s < now_at_s; at_s += 900) {
        hs_forecast_observe(forecast, at_s, 1000.0);
    }
    hs_forecast_observe(forecast, now_at_s, 5000.0); /* the open hour is far over */
    for (size_t i = 0; i < sizeof(back_s) / sizeof(back_s[0]); i++) {
        hs_forecast_predict(forecast, now_at_s - back_s[i], SLOTS_N, slots);
        assert_sound(slots, "back", (double)back_s[i]);
        assert_near(slots[0].p50_w, 1000.0, 1e-6);
    }
}

/* Weather of a slot of six hours is that of each of them. */
static void weather__of_a_long_slot_reaches_all_its_hours(void **state)
{
    struct hs_forecast_setup setup = {.slot_s = 6 * HOUR_S};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("yesterday", &setup);
    struct hs_outlook outlook;

    (void)state;
    for (int64_t i = 0; i < 40; i++) {
        struct hs_weather weather = {(double)(i % 4), 0.0, 1.0};

        hs_forecast_observe_weather(forecast, FROM_S + i * 6 * HOUR_S, &weather);
        hs_forecast_observe(forecast, FROM_S + i * 6 * HOUR_S, 1000.0);
    }
    hs_forecast_get_outlook(forecast, &outlook); /* the usual day again */
    for (int64_t i = 0; i < 24; i++) {
        assert_near(outlook.hours[i].t_out_c, (double)(i / 6), 1e-6);
    }
}

static void outlook__that_is_not_issued_yet_is_not_used(void **state)
{
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("mixer", &setup);
    int64_t now_at_s = FROM_S + 12 * DAY_S;
    struct hs_outlook outlook = {
        .issued_at_s = now_at_s + DAY_S, .from_at_s = now_at_s, .n_hours = 48};
    struct hs_forecast_slot before[SLOTS_N], after[SLOTS_N];
    struct hs_forecast_how how;

    (void)state;
    for (size_t i = 0; i < outlook.n_hours; i++) {
        outlook.hours[i] = (struct hs_weather){-30.0, 0.0, 20.0};
    }
    feed(forecast, HOUR_S, FROM_S, now_at_s, 5000.0);
    hs_forecast_predict(forecast, now_at_s, SLOTS_N, before);
    hs_forecast_set_outlook(forecast, &outlook);
    hs_forecast_predict(forecast, now_at_s, SLOTS_N, after);
    assert_memory_equal(before, after, sizeof(before));
    hs_forecast_get_how(forecast, &how);
    assert_int_equal(how.weather, HS_FORECAST_WEATHER_PERSISTED);
    assert_true(isnan(how.weather_age_s));
}

static void outlook__of_no_weather_on_earth_is_unknown(void **state)
{
    static const struct hs_weather mad[] = {
        {1000.0, 2000.0, 100.0}, {-273.0, -1.0, -5.0}, {INFINITY, INFINITY, INFINITY}};
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("mixer", &setup);
    int64_t now_at_s = FROM_S + 12 * DAY_S;
    struct hs_outlook outlook = {.issued_at_s = now_at_s, .from_at_s = now_at_s, .n_hours = 48};
    struct hs_outlook own, used;
    struct hs_forecast_how how;

    (void)state;
    feed(forecast, HOUR_S, FROM_S, now_at_s, 5000.0);
    hs_forecast_get_outlook(forecast, &own);
    for (size_t k = 0; k < sizeof(mad) / sizeof(mad[0]); k++) {
        for (size_t i = 0; i < outlook.n_hours; i++) {
            outlook.hours[i] = mad[k];
        }
        hs_forecast_set_outlook(forecast, &outlook);
        hs_forecast_get_outlook(forecast, &used);
        hs_forecast_get_how(forecast, &how);
        assert_int_equal(how.weather, HS_FORECAST_WEATHER_PERSISTED); /* it says nothing */
        for (size_t i = 0; i < outlook.n_hours; i++) {
            assert_near(used.hours[i].t_out_c, own.hours[i].t_out_c, 1e-9);
            assert_near(used.hours[i].ghi_w_per_m2, own.hours[i].ghi_w_per_m2, 1e-9);
            assert_near(used.hours[i].wind_m_per_s, own.hours[i].wind_m_per_s, 1e-9);
        }
    }
}

/* One reading without end would stay in every sum for ever. */
static void heat__without_end_is_unknown(void **state)
{
    static const double endless_w[] = {INFINITY, -INFINITY, 1e300};
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};

    (void)state;
    for (size_t i = 0; i < sizeof(endless_w) / sizeof(endless_w[0]); i++) {
        HS_AUTO(hs_forecast) spoilt = hs_forecast_new("mixer", &setup);
        HS_AUTO(hs_forecast) gap = hs_forecast_new("mixer", &setup);
        struct hs_forecast_slot a[SLOTS_N], b[SLOTS_N];
        int64_t now_at_s = FROM_S + 12 * DAY_S;

        feed(spoilt, HOUR_S, FROM_S, now_at_s, 5000.0);
        feed(gap, HOUR_S, FROM_S, now_at_s, 5000.0);
        hs_forecast_observe(spoilt, now_at_s, endless_w[i]);
        hs_forecast_observe(gap, now_at_s, (double)NAN);
        hs_forecast_predict(spoilt, now_at_s + HOUR_S, SLOTS_N, a);
        hs_forecast_predict(gap, now_at_s + HOUR_S, SLOTS_N, b);
        assert_memory_equal(a, b, sizeof(a));
    }
}

static void silence__of_200_days_leaves_nothing_of_the_old_hour(void **state)
{
    struct hs_forecast_setup setup = {.slot_s = 900};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new("mixer", &setup);
    int64_t end_at_s = FROM_S + 12 * DAY_S + 2700;
    int64_t late_at_s = end_at_s + 200 * DAY_S;
    struct hs_forecast_slot slots[SLOTS_N];
    struct hs_forecast_how how;

    (void)state;
    feed(forecast, 900, FROM_S, end_at_s, 5000.0);
    hs_forecast_predict(forecast, late_at_s, SLOTS_N, slots);
    assert_sound(slots, "days", 200);
    hs_forecast_get_how(forecast, &how);
    assert_string_equal(how.fallback, "nothing-known");
    assert_near(how.history_h, 0.0, 1e-12);
}

/* Sum of |error| a day ahead over two weeks, the third after the first heat of a sink. */
static double miss_of_first_heat(const char *model)
{
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};
    HS_AUTO(hs_forecast) forecast = hs_forecast_new(model, &setup);
    struct hs_forecast_slot slots[24];
    uint64_t seed = 3;
    double miss_w = 0.0;

    for (int64_t day = 0; day < 90; day++) {
        int64_t at_s = FROM_S + day * DAY_S;

        hs_forecast_predict(forecast, at_s, 24, slots);
        for (int64_t h = 0; h < 24; h++) {
            double cold_k = 5.0 + 4.0 * sin((double)day / 3.0);
            double heat_w;

            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            heat_w = day < 55 ? 0.0
                              : 300.0 * cold_k * swing(at_s + h * HOUR_S)
                                    * (0.9 + 0.2 * (double)(seed >> 40) / (1 << 24));
            miss_w += day >= 76 ? fabs(slots[h].p50_w - heat_w) : 0.0;
            hs_forecast_observe_weather(
                forecast, at_s + h * HOUR_S,
                &(struct hs_weather){day < 55 ? 22.0 : 15.0 - cold_k, 100.0, 3.0});
            hs_forecast_observe(forecast, at_s + h * HOUR_S, heat_w);
        }
    }
    return miss_w;
}

/* Installed in summer: errors of 0 for weeks must not make all that comes look wild. */
static void season__that_begins_after_weeks_of_zero_is_learned(void **state)
{
    double yesterday_w = miss_of_first_heat("yesterday");

    (void)state;
    assert_true(miss_of_first_heat("mixer") < yesterday_w);
    assert_true(miss_of_first_heat("lagged") < yesterday_w);
    assert_true(miss_of_first_heat("holtwinters") < 1.5 * yesterday_w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits__any_slot_any_sink_and_the_first_hour_of_all),
        cmocka_unit_test(predict__from_the_past_is_what_was_measured),
        cmocka_unit_test(weather__of_a_long_slot_reaches_all_its_hours),
        cmocka_unit_test(outlook__that_is_not_issued_yet_is_not_used),
        cmocka_unit_test(outlook__of_no_weather_on_earth_is_unknown),
        cmocka_unit_test(season__that_begins_after_weeks_of_zero_is_learned),
        cmocka_unit_test(heat__without_end_is_unknown),
        cmocka_unit_test(silence__of_200_days_leaves_nothing_of_the_old_hour),
    };

    return cmocka_run_group_tests_name("forecast_limits", tests, NULL, NULL);
}
