/* SPDX-License-Identifier: Apache-2.0 */
/* Tank loss, learned from simulated tanks (adapters/plant) whose loss is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/plant/plant_tank.h"
#include "forecast/tankloss.h"
#include "tests/support/near.h"

#define FROM_AT_S 1768176000LL /* 2026-01-12 */
#define STEP_S    900

/** A site's tank and how well it is read. */
struct rig {
    struct hs_tank spec;
    struct hs_plant_tank tank;
    double in_wh;
    double out_wh;
    double meter_ratio; /* what the meter of heat taken out counts of it */
    double noise_k;
    double stuck_c; /* the thermometer says always this; NAN: it works */
    unsigned seed;
};

static struct rig make(int nodes, double loss_w_per_k)
{
    struct rig rig = {.spec = {.present = true,
                               .volume_l = 5000,
                               .nodes = nodes,
                               .min_c = 30,
                               .max_c = 80,
                               .loss_w_per_k = loss_w_per_k,
                               .ambient_c = 18,
                               .charge_limit_w = INFINITY,
                               .draw_limit_w = INFINITY},
                      .meter_ratio = 1,
                      .noise_k = 0.2,
                      .stuck_c = (double)NAN,
                      .seed = 42};

    hs_plant_tank_init(&rig.spec, 0.6 * hs_tank_max_wh(&rig.spec), &rig.tank);
    return rig;
}

static double noise(struct rig *rig)
{
    rig->seed = rig->seed * 1664525U + 1013904223U;
    return rig->noise_k * 3.46 * ((double)(rig->seed >> 8) / (double)(1U << 24) - 0.5);
}

static double read_c(struct rig *rig)
{
    double mean_c = hs_tank_c_from_wh(&rig->spec, rig->tank.stored_wh);

    return (isnan(rig->stuck_c) ? mean_c : rig->stuck_c) + noise(rig);
}

/** Days of a tank that is charged by day and drawn from in the morning, quiet at night. */
static void live(struct rig *rig, struct hs_tankloss *loss, int n_days)
{
    for (int i = 0; i < n_days * 96; i++) {
        int hour = i / 4 % 24;
        double room_wh = hs_tank_max_wh(&rig->spec) - rig->tank.stored_wh;
        double in_wh = hour >= 11 && hour < 19 ? fmin(4000, 0.1 * room_wh) : 0;
        double out_wh = hour >= 5 && hour < 10 ? fmin(6000, 0.05 * rig->tank.stored_wh) : 0;
        struct hs_tankloss_sample sample = {.at_s = FROM_AT_S + (int64_t)i * STEP_S};

        sample.tank_c = read_c(rig);
        sample.in_wh = rig->in_wh;
        sample.out_wh = rig->out_wh;
        hs_tankloss_add(loss, &rig->spec, &sample);
        hs_plant_tank_charge(&rig->spec, &rig->tank, 70, in_wh);
        hs_plant_tank_draw(&rig->spec, &rig->tank, out_wh);
        (void)hs_plant_tank_rest(&rig->spec, &rig->tank, STEP_S);
        rig->in_wh += in_wh;
        rig->out_wh += rig->meter_ratio * out_wh;
    }
}

static void tankloss__truth_lies_within_two_standard_errors(void **state)
{
    const int nodes[] = {1, 3, 10};
    int held = 0;
    int n = 0;

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        for (double w_per_k = 4; w_per_k < 70; w_per_k *= 2) {
            struct rig rig = make(nodes[k], w_per_k);
            struct hs_tankloss loss;
            struct hs_physics_figure figure;

            hs_tankloss_init(&loss);
            live(&rig, &loss, 21);
            figure = hs_tankloss_get(&loss);
            assert_false(isnan(figure.value));
            assert_true(figure.sd < 3);
            held += fabs(figure.value - w_per_k) <= 2 * figure.sd ? 1 : 0;
            n++;
        }
    }
    print_message("held by %d of %d\n", held, n);
    assert_true(held >= n * 9 / 10);
}

static void tankloss__a_meter_within_its_class_stays_within_the_error(void **state)
{
    struct rig rig = make(3, 15);
    struct hs_tankloss loss;
    struct hs_physics_figure figure;

    (void)state;
    rig.meter_ratio = 0.98;
    hs_tankloss_init(&loss);
    live(&rig, &loss, 60);
    figure = hs_tankloss_get(&loss);
    assert_near(figure.value, 15, 2 * figure.sd);
}

static void tankloss__says_nothing_before_two_days(void **state)
{
    struct rig rig = make(1, 15);
    struct hs_tankloss loss;

    (void)state;
    hs_tankloss_init(&loss);
    live(&rig, &loss, 1);
    assert_true(isnan(hs_tankloss_get(&loss).value));
}

static void tankloss__says_nothing_where_heat_is_not_metered(void **state)
{
    struct rig rig = make(1, 15);
    struct hs_tankloss loss;

    (void)state;
    rig.out_wh = (double)NAN;
    hs_tankloss_init(&loss);
    live(&rig, &loss, 21);
    assert_true(isnan(hs_tankloss_get(&loss).value));
    assert_int_equal(hs_tankloss_get_doubt(&loss), HS_TANKLOSS_FINE);
}

static void tankloss__a_stuck_thermometer_is_doubted(void **state)
{
    struct rig rig = make(1, 15);
    struct hs_tankloss loss;

    (void)state;
    rig.stuck_c = 55;
    hs_tankloss_init(&loss);
    live(&rig, &loss, 21);
    assert_int_equal(hs_tankloss_get_doubt(&loss), HS_TANKLOSS_INCONSISTENT);
    assert_true(isnan(hs_tankloss_get(&loss).value));
    rig.stuck_c = (double)NAN;
    loss.newest.at_s = 0; /* the made-up days begin again */
    loss.open.at_s = 0;
    live(&rig, &loss, 60);
    assert_int_equal(hs_tankloss_get_doubt(&loss), HS_TANKLOSS_FINE);
}

static void tankloss__a_meter_that_counts_too_much_is_doubted(void **state)
{
    struct rig rig = make(1, 4);
    struct hs_tankloss loss;

    (void)state;
    rig.meter_ratio = 1.6;
    hs_tankloss_init(&loss);
    live(&rig, &loss, 30);
    assert_int_not_equal(hs_tankloss_get_doubt(&loss), HS_TANKLOSS_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tankloss__truth_lies_within_two_standard_errors),
        cmocka_unit_test(tankloss__a_meter_within_its_class_stays_within_the_error),
        cmocka_unit_test(tankloss__says_nothing_before_two_days),
        cmocka_unit_test(tankloss__says_nothing_where_heat_is_not_metered),
        cmocka_unit_test(tankloss__a_stuck_thermometer_is_doubted),
        cmocka_unit_test(tankloss__a_meter_that_counts_too_much_is_doubted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
