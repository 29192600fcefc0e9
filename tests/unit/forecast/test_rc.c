/* SPDX-License-Identifier: Apache-2.0 */
/* The grey-box building: synthetic buildings of known physics. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "scheduler/base/mem.h"
#include "tests/support/near.h"

#define HOUR_S     3600
#define FIRST_AT_S (473400LL * HOUR_S) /* 2024-01-03 00:00 UTC, a Wednesday */

enum { N_BUILDINGS = 50, DAYS = 120 };

/** A made-up building and its truth. */
struct building {
    double ua_w_per_k;
    double fast_ratio; /* share of UA without delay */
    double tau_h;      /* of the rest */
    double change_point_c;
    double base_w;
    double aperture_m2;
    double swing_w; /* of the day's curve */
    double noise_w;
    double noise_phi;
    /* as it goes */
    double slow_c;
    double noise_now_w;
    double front_c;
    double clear_w_per_m2; /* of the day */
};

static double uniform(unsigned *seed, double from, double to)
{
    *seed = *seed * 1664525U + 1013904223U;
    return from + (to - from) * (double)(*seed >> 8) / (double)(1U << 24);
}

static double normal(unsigned *seed)
{
    double sum = -6;

    for (int i = 0; i < 12; i++) {
        sum += uniform(seed, 0, 1);
    }
    return sum;
}

static struct building build(unsigned *seed)
{
    struct building b = {.ua_w_per_k = exp(uniform(seed, log(100), log(50000)))};

    b.fast_ratio = uniform(seed, 0.2, 0.7);
    b.tau_h = uniform(seed, 8, 60);
    b.change_point_c = uniform(seed, 13.5, 17);
    b.base_w = b.ua_w_per_k * uniform(seed, 1, 4);
    b.aperture_m2 = b.ua_w_per_k * uniform(seed, 0.005, 0.02);
    b.swing_w = b.ua_w_per_k * uniform(seed, 0, 2);
    b.noise_w = b.ua_w_per_k * uniform(seed, 0.2, 1);
    b.noise_phi = uniform(seed, 0.3, 0.9);
    b.slow_c = 12;
    return b;
}

/** An hour of weather from autumn to winter: season, fronts of days, the day. */
static struct hs_weather blow(struct building *b, size_t i, unsigned *seed)
{
    double day = (double)i / 24;
    double height = sin(2 * M_PI * (day - 0.25));
    struct hs_weather weather = {.wind_m_per_s = (double)NAN};

    if (i % 24 == 0) {
        b->clear_w_per_m2 = uniform(seed, 20, 500);
    }
    b->front_c += -b->front_c / 72 + 0.6 * normal(seed);
    weather.t_out_c =
        15 - 15 * sin(M_PI * day / DAYS) + b->front_c + 3 * sin(2 * M_PI * (day - 0.4));
    weather.ghi_w_per_m2 = height > 0 ? height * b->clear_w_per_m2 : 0;
    return weather;
}

static double heat(struct building *b, const struct hs_weather *weather, size_t i, unsigned *seed)
{
    double need;

    b->slow_c += (weather->t_out_c - b->slow_c) / b->tau_h;
    b->noise_now_w = b->noise_phi * b->noise_now_w
                     + b->noise_w * sqrt(1 - b->noise_phi * b->noise_phi) * normal(seed);
    need = b->ua_w_per_k
               * (b->change_point_c - b->fast_ratio * weather->t_out_c
                  - (1 - b->fast_ratio) * b->slow_c)
           - b->aperture_m2 * weather->ghi_w_per_m2;
    return fmax(fmax(need, 0) + b->base_w + b->swing_w * sin(2 * M_PI * (double)i / 24)
                    + b->noise_now_w,
                0);
}

struct tally {
    const char *name;
    int told;
    int held; /* truth within two standard errors */
};

static void count(struct tally *tally, struct hs_physics_figure figure, double truth)
{
    if (!isnan(figure.value)) {
        tally->told++;
        tally->held += fabs(figure.value - truth) <= 2 * figure.sd ? 1 : 0;
    }
}

/** Let the model itself live through @n_hours: no frame, no predictions. */
static void live(void *model, struct hs_heathistory *history, struct building *b, size_t n_hours,
                 unsigned *seed)
{
    struct hs_heatmodel_view view = {.history = history};

    hs_heathistory_init(history);
    hs_heatmodel_rc.init(model);
    for (size_t i = 0; i < n_hours; i++) {
        struct hs_weather weather = blow(b, i, seed);

        hs_heathistory_push(history, FIRST_AT_S / HOUR_S + (int64_t)i, heat(b, &weather, i, seed),
                            &weather);
        hs_heatmodel_rc.learn(model, &view);
    }
}

static void rc__truth_lies_within_two_standard_errors(void **state)
{
    struct tally tallies[] = {{"UA", 0, 0},           {"capacity", 0, 0}, {"base", 0, 0},
                              {"change point", 0, 0}, {"aperture", 0, 0}, {"time constant", 0, 0}};
    HS_AUTO_MEM void *model = hs_xcalloc(1, hs_heatmodel_rc.state_bytes);
    HS_AUTO_MEM struct hs_heathistory *history = hs_xcalloc(1, sizeof(*history));
    const struct hs_physics_figure none = {(double)NAN, (double)NAN};
    unsigned seed = 4711;

    (void)state;
    for (int k = 0; k < N_BUILDINGS; k++) {
        struct building b = build(&seed);
        double tau_h = (1 - b.fast_ratio) * b.tau_h;
        struct hs_physics physics = {none, none, none, none, none, none};

        live(model, history, &b, DAYS * 24, &seed);
        hs_heatmodel_rc.get_physics(model, &physics);
        count(&tallies[0], physics.ua_w_per_k, b.ua_w_per_k);
        count(&tallies[1], physics.capacity_wh_per_k, b.ua_w_per_k * tau_h);
        count(&tallies[2], physics.base_w, b.base_w);
        count(&tallies[3], physics.change_point_c, b.change_point_c);
        count(&tallies[4], physics.solar_aperture_m2, b.aperture_m2);
        count(&tallies[5], physics.time_constant_h, tau_h);
    }
    assert_true(tallies[0].told >= N_BUILDINGS * 9 / 10);
    for (size_t i = 0; i < sizeof(tallies) / sizeof(tallies[0]); i++) {
        print_message("%s: told of %d, held by %d of %d\n", tallies[i].name, N_BUILDINGS,
                      tallies[i].held, tallies[i].told);
        assert_true(tallies[i].held >= tallies[i].told * 9 / 10);
    }
}

static struct hs_forecast *make(void)
{
    struct hs_forecast_setup setup = {.slot_s = HOUR_S};

    return hs_forecast_new("rc", &setup);
}

/** Need of a plain building, W, at @t_c. */
static double plain_w(double t_c)
{
    return 1000 + 200 * fmax(17 - t_c, 0);
}

static double air_c(size_t hour)
{
    double days = (double)hour / 24;

    return 4 + 5 * sin(2 * M_PI * (days - 0.4)) + 8 * sin(2 * M_PI * days / 9);
}

/** What the plain building needs in hour @i, as its meter says: meter_fn. */
typedef double meter_fn(size_t i, double need_w);

static void feed(struct hs_forecast *forecast, size_t from, size_t until, meter_fn *meter)
{
    for (size_t i = from; i < until; i++) {
        int64_t at_s = FIRST_AT_S + (int64_t)i * HOUR_S;
        struct hs_weather weather = {air_c(i), (double)NAN, (double)NAN};

        hs_forecast_observe_weather(forecast, at_s, &weather);
        hs_forecast_observe(forecast, at_s, meter(i, plain_w(air_c(i))));
    }
}

/** Mean of the next two days under steady @t_c. */
static double foresee(struct hs_forecast *forecast, size_t from, double t_c)
{
    HS_AUTO_MEM struct hs_outlook *outlook = hs_xcalloc(1, sizeof(*outlook));
    struct hs_forecast_slot slots[48];

    outlook->from_at_s = outlook->issued_at_s = FIRST_AT_S + (int64_t)from * HOUR_S;
    outlook->n_hours = 48;
    for (size_t i = 0; i < 48; i++) {
        outlook->hours[i] = (struct hs_weather){t_c, (double)NAN, (double)NAN};
    }
    hs_forecast_set_outlook(forecast, outlook);
    hs_forecast_predict(forecast, outlook->from_at_s, 48, slots);
    return slots[47].p50_w;
}

static double honest(size_t i, double need_w)
{
    (void)i;
    return need_w;
}

static double spiky(size_t i, double need_w)
{
    return i % 37 == 0 ? 48 * need_w : need_w;
}

static double dead_for_500_h(size_t i, double need_w)
{
    return i >= 20 * 24 && i < 20 * 24 + 500 ? 0 : need_w;
}

static double tripled_after_four_weeks(size_t i, double need_w)
{
    return i >= 28 * 24 ? 3 * need_w : need_w;
}

static double with_gaps(size_t i, double need_w)
{
    return i % 5 == 0 || (i > 200 && i < 300) ? (double)NAN : need_w;
}

static void rc__is_silent_without_any_outdoor_temperature(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();
    struct hs_forecast_how how;

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        hs_forecast_observe(forecast, FIRST_AT_S + (int64_t)i * HOUR_S, 1000);
    }
    hs_forecast_get_how(forecast, &how);
    assert_string_not_equal(how.fallback, "rc");
}

static void rc__foresees_a_front_that_yesterday_does_not_show(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();

    (void)state;
    feed(forecast, 0, 21 * 24, honest);
    assert_near(foresee(forecast, 21 * 24, -6), plain_w(-6), 400);
}

static void rc__gaps_and_spikes_do_not_bend_it(void **state)
{
    HS_AUTO(hs_forecast) gappy = make();
    HS_AUTO(hs_forecast) spiked = make();

    (void)state;
    feed(gappy, 0, 28 * 24, with_gaps);
    feed(spiked, 0, 28 * 24, spiky);
    assert_near(foresee(gappy, 28 * 24, 0), plain_w(0), 400);
    assert_near(foresee(spiked, 28 * 24, 0), plain_w(0), 600);
}

static void rc__a_dead_meter_teaches_nothing(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();
    size_t dead_until = 20 * 24 + 500;

    (void)state;
    feed(forecast, 0, dead_until, dead_for_500_h);
    /* an outage is taken to last as long again */
    assert_near(foresee(forecast, dead_until, 0), 0, 0);
    feed(forecast, dead_until, dead_until + 24, dead_for_500_h);
    assert_near(foresee(forecast, dead_until + 24, 0), plain_w(0), 400);
}

static void rc__follows_a_loop_that_triples(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();

    (void)state;
    feed(forecast, 0, 31 * 24, tripled_after_four_weeks);
    assert_near(foresee(forecast, 31 * 24, 0), 3 * plain_w(0), 1500);
}

static void rc__says_nothing_of_a_building_before_a_week(void **state)
{
    HS_AUTO(hs_forecast) forecast = make();
    struct hs_physics physics;

    (void)state;
    feed(forecast, 0, 6 * 24, honest);
    hs_forecast_get_physics(forecast, &physics);
    assert_true(isnan(physics.ua_w_per_k.value));
    feed(forecast, 6 * 24, 28 * 24, honest);
    hs_forecast_get_physics(forecast, &physics);
    assert_near(physics.ua_w_per_k.value, 200, 2 * physics.ua_w_per_k.sd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rc__truth_lies_within_two_standard_errors),
        cmocka_unit_test(rc__is_silent_without_any_outdoor_temperature),
        cmocka_unit_test(rc__foresees_a_front_that_yesterday_does_not_show),
        cmocka_unit_test(rc__gaps_and_spikes_do_not_bend_it),
        cmocka_unit_test(rc__a_dead_meter_teaches_nothing),
        cmocka_unit_test(rc__follows_a_loop_that_triples),
        cmocka_unit_test(rc__says_nothing_of_a_building_before_a_week),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
