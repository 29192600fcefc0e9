/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/forecast.h"
#include "tests/support/near.h"
#include "tests/unit/forecast/heatrun.h"
#include "tests/unit/forecast/town.h"

#define DAYS  42
#define WEEK  168
#define AHEAD HEATRUN_AHEAD

/* A house in winter: fronts, day and week, and spells that no weather explains. */
static struct heatrun *new_house(void)
{
    struct heatrun *run = heatrun_new();
    uint64_t seed = 3;
    double front_k = 0.0, spell_w = 0.0;

    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        front_k = 0.98 * front_k + 1.4 * (town_draw(&seed) - 0.5);
        spell_w = 0.9 * spell_w + 200.0 * (town_draw(&seed) - 0.5);
        run->weather[i] = (struct hs_weather){2.0 + front_k, 0, 2.0};
        run->heat_w[i] = 1000.0 + 100.0 * (15.0 - run->weather[i].t_out_c) + spell_w;
        run->heat_w[i] *= (i % 24 < 6 ? 0.7 : 1.0) * (i / 24 % 7 >= 5 ? 0.8 : 1.0);
    }
    return run;
}

/** Weights of the mixer @m by name; they are told of a day ahead. */
static double find_weight(const struct heatrun *run, size_t m, const char *name)
{
    const char *names[HS_HEATMODEL_PARTS_MAX];
    double weights[HS_HEATMODEL_PARTS_MAX];
    size_t n = run->models[m]->get_weights(run->states[m], names, weights);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return weights[i];
        }
    }
    return (double)NAN;
}

/** True just after a beginning: no expert has been judged. */
static bool is_fresh(const struct heatrun *run, size_t m)
{
    return find_weight(run, m, "lastweek") == find_weight(run, m, "weather")
           && find_weight(run, m, "lastweek") == find_weight(run, m, "yesterday");
}

static void mixer__weights_add_to_one(void **state)
{
    HS_AUTO(heatrun) run = new_house();
    size_t m = heatrun_add(run, &hs_heatmodel_mixer);

    (void)state;
    for (size_t until = 1; until < 10 * 24; until += 7) {
        const char *names[HS_HEATMODEL_PARTS_MAX];
        double weights[HS_HEATMODEL_PARTS_MAX];
        double sum = 0.0;
        size_t n;

        heatrun_show(run, until, HEATRUN_HOURS);
        n = hs_heatmodel_mixer.get_weights(run->states[m], names, weights);
        assert_in_range(n, 2, HS_HEATMODEL_PARTS_MAX);
        for (size_t i = 0; i < n; i++) {
            assert_true(weights[i] >= 0);
            sum += weights[i];
        }
        assert_near(sum, 1.0, 1e-12);
    }
}

/* Each expert's state lies apart in the mixer, or is shared and taught once: beside the same models
 * alone, its word for a day ahead is theirs by its weights. */
static void mixer__says_what_its_experts_would_say_alone(void **state)
{
    HS_AUTO(heatrun) run = new_house();
    size_t m = heatrun_add(run, &hs_heatmodel_mixer);
    const char *names[HS_HEATMODEL_PARTS_MAX];
    double weights[HS_HEATMODEL_PARTS_MAX];
    size_t n = hs_heatmodel_mixer.get_weights(run->states[m], names, weights);
    double sum_w = 0.0;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        (void)heatrun_add(run, hs_forecast_find_model(names[i]));
    }
    heatrun_show(run, 20 * 24 + 5, HEATRUN_HOURS);
    (void)hs_heatmodel_mixer.get_weights(run->states[m], names, weights);
    for (size_t i = 0; i < n; i++) {
        assert_true(weights[i] > 0);
        sum_w += weights[i] * run->said_w[m + 1 + i][23];
    }
    assert_near(run->said_w[m][23], sum_w, 1e-6 * sum_w);
}

/* A works whose weeks are all alike, each hour of them by chance: only last week knows. */
static void mixer__drops_who_misses_more(void **state)
{
    HS_AUTO(heatrun) run = heatrun_new();
    size_t m = heatrun_add(run, &hs_heatmodel_mixer);
    uint64_t seed = 4;

    (void)state;
    for (size_t i = 0; i < HEATRUN_HOURS; i++) {
        run->heat_w[i] = i < WEEK ? 500.0 + 1000.0 * town_draw(&seed) : run->heat_w[i - WEEK];
    }
    heatrun_show(run, DAYS * 24, (DAYS - 7) * 24);
    assert_true(find_weight(run, m, "lastweek") > 0.95);
    assert_true(heatrun_get_error_w(run, m, 1, 48) < 5.0);
}

static void mixer__is_as_good_as_the_best_at_each_lead(void **state)
{
    static const size_t blocks[][2] = {{1, 1}, {2, 3}, {4, 6}, {7, 12}, {13, 24}, {25, 48}};
    HS_AUTO(heatrun) run = new_house();
    size_t m = heatrun_add(run, &hs_heatmodel_mixer);
    const char *names[HS_HEATMODEL_PARTS_MAX];
    double weights[HS_HEATMODEL_PARTS_MAX];
    size_t n = hs_heatmodel_mixer.get_weights(run->states[m], names, weights);
    size_t best[6] = {0};

    (void)state;
    for (size_t i = 0; i < n; i++) {
        (void)heatrun_add(run, hs_forecast_find_model(names[i]));
    }
    heatrun_show(run, 2 * DAYS * 24, DAYS * 24);
    for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
        double best_w = INFINITY;

        for (size_t i = 1; i <= n; i++) {
            double error_w = heatrun_get_error_w(run, i, blocks[b][0], blocks[b][1]);

            if (error_w < best_w) {
                best_w = error_w;
                best[b] = i;
            }
        }
        assert_true(heatrun_get_error_w(run, m, blocks[b][0], blocks[b][1]) < 1.05 * best_w);
    }
    assert_int_not_equal(best[0], best[5]); /* there is something to tell apart */
}

/* Three times the heat from now on: not yet after 71 hours, but within days. */
static void mixer__begins_anew_after_three_days_of_another_size(void **state)
{
    static const double factors[] = {3.0, 1.0 / 3.0};

    (void)state;
    for (size_t f = 0; f < 2; f++) {
        HS_AUTO(heatrun) run = new_house();
        size_t m = heatrun_add(run, &hs_heatmodel_mixer);
        size_t until = DAYS * 24 + 71;
        double after_w = 0.0, true_w = 0.0;

        for (size_t i = DAYS * 24; i < HEATRUN_HOURS; i++) {
            run->heat_w[i] *= factors[f];
        }
        heatrun_show(run, until, HEATRUN_HOURS);
        assert_false(is_fresh(run, m));
        while (!is_fresh(run, m) && until < (DAYS + 5) * 24) {
            heatrun_show(run, ++until, HEATRUN_HOURS);
        }
        assert_true(is_fresh(run, m));
        /* two days later it has been judged at all leads of a day */
        until += 60;
        heatrun_show(run, until, HEATRUN_HOURS);
        for (size_t i = 0; i < 24; i++) {
            after_w += run->said_w[m][i];
            true_w += run->heat_w[until + i];
        }
        assert_near(after_w, true_w, 0.25 * true_w);
    }
}

static void mixer__a_shut_valve_is_no_other_size(void **state)
{
    HS_AUTO(heatrun) run = new_house();
    size_t m = heatrun_add(run, &hs_heatmodel_mixer);

    (void)state;
    for (size_t i = DAYS * 24; i < (DAYS + 21) * 24; i++) {
        run->heat_w[i] = 0.0;
    }
    for (size_t until = DAYS * 24; until < (DAYS + 23) * 24; until += 4) {
        heatrun_show(run, until, HEATRUN_HOURS);
        assert_false(is_fresh(run, m));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixer__weights_add_to_one),
        cmocka_unit_test(mixer__says_what_its_experts_would_say_alone),
        cmocka_unit_test(mixer__drops_who_misses_more),
        cmocka_unit_test(mixer__is_as_good_as_the_best_at_each_lead),
        cmocka_unit_test(mixer__begins_anew_after_three_days_of_another_size),
        cmocka_unit_test(mixer__a_shut_valve_is_no_other_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
