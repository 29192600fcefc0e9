/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stratified tank against analytic solutions and published measurements; every case prints its
 * error. The table in docs/simulator.md is what this prints.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/plant/plant_tank.h"
#include "scheduler/base/units.h"
#include "tests/support/near.h"

#define SLOT_S 900.0

static struct hs_tank make_tank(int nodes)
{
    return (struct hs_tank){.present = true,
                            .volume_l = 5000,
                            .nodes = nodes,
                            .min_c = 20,
                            .max_c = 60,
                            .ambient_c = 20,
                            .charge_limit_w = (double)INFINITY,
                            .draw_limit_w = (double)INFINITY};
}

static double draw(unsigned *seed, double max)
{
    *seed = *seed * 1103515245U + 12345U;
    return max * (double)(*seed >> 8) / (double)(1U << 24);
}

static double get_node_c(const struct hs_tank *spec, const struct hs_plant_tank *tank, size_t i)
{
    return hs_plant_tank_get_c(spec, tank, 1 - ((double)i + 0.5) / (double)tank->n_nodes);
}

/* --- against analytic solutions --- */

/** A uniform tank cools by exp(-t / tau), tau = C / UA. @return worst error over two days, K */
static double cool_down(int nodes, double slot_s)
{
    struct hs_tank spec = make_tank(nodes);
    struct hs_plant_tank tank;
    double worst_k = 0;

    spec.loss_w_per_k = 50;
    hs_plant_tank_init(&spec, hs_tank_max_wh(&spec), &tank);
    for (double at_s = slot_s; at_s <= 48 * 3600; at_s += slot_s) {
        double tau_h = hs_wh_from_l_k(spec.volume_l, 1) / spec.loss_w_per_k;
        double want_k = 40 * exp(-at_s / 3600 / tau_h);

        hs_plant_tank_rest(&spec, &tank, slot_s);
        worst_k = fmax(worst_k, fabs(tank.stored_wh / hs_wh_from_l_k(spec.volume_l, 1) - want_k));
    }
    return worst_k;
}

static void tank__cools_down_as_the_exponential_says(void **state)
{
    double mixed_k = cool_down(1, SLOT_S), two_k = cool_down(2, SLOT_S);
    double fine_k = cool_down(2, SLOT_S / 10), ten_k = cool_down(10, SLOT_S);

    /* two layers have a lid each and cool alike; of ten the outer ones cool faster, which is no
       error: the colder bottom loses less */
    print_message("standby, 40 K over the air, 48 h: worst error of the mean %.4f K (nodes 1), "
                  "%.4f K (nodes 2), %.4f K (nodes 2, slots of 90 s); nodes 10 differ by %.4f K\n",
                  mixed_k, two_k, fine_k, ten_k);
    assert_true(mixed_k < 0.02);
    assert_true(two_k < 0.02);
    assert_true(fine_k < 0.002);
    assert_true(ten_k < 0.15);
}

/** Fourier series of a step in an insulated column of height 1: 1 below the middle, 0 above. */
static double get_step_ratio(double at, double fourier)
{
    double sum = 0.5;

    for (int n = 1; n < 400; n += 2) {
        double sign = n % 4 == 1 ? 1 : -1;

        sum += 2 * sign / (n * M_PI) * exp(-n * n * M_PI * M_PI * fourier) * cos(n * M_PI * at);
    }
    return sum;
}

/** Half hot, half cold, insulated. @return root mean square error of the layers, K */
static double conduct(int nodes, double days, double slot_s)
{
    struct hs_tank spec = make_tank(nodes);
    struct hs_plant_tank tank;
    double height_m = hs_plant_tank_get_height_m(&spec);
    double wh_per_m3_k = hs_wh_from_l_k(1000, 1);
    double fourier =
        HS_PLANT_TANK_CONDUCTION_W_PER_M_K / wh_per_m3_k * days * 24 / (height_m * height_m);
    double sum_k2 = 0;

    hs_plant_tank_init(&spec, hs_tank_max_wh(&spec) / 2, &tank);
    for (double at_s = 0; at_s < days * HS_S_PER_DAY; at_s += slot_s) {
        assert_near(hs_plant_tank_rest(&spec, &tank, slot_s), 0, 0);
    }
    assert_near(tank.stored_wh, hs_tank_max_wh(&spec) / 2, 1e-9 * hs_tank_max_wh(&spec));
    for (size_t i = 0; i < tank.n_nodes; i++) {
        /* counted from the top, where it is hot */
        double at = ((double)i + 0.5) / nodes;
        double error_k = get_node_c(&spec, &tank, i) - (20 + 40 * get_step_ratio(at, fourier));

        sum_k2 += error_k * error_k;
    }
    return sqrt(sum_k2 / nodes);
}

static void tank__conducts_as_fouriers_series_says(void **state)
{
    double ten_k = conduct(10, 10, SLOT_S), fifty_k = conduct(50, 10, SLOT_S);
    double month_k = conduct(20, 30, SLOT_S), hours_k = conduct(20, 30, 6 * 3600);

    print_message("conduction, step of 40 K, insulated: rms error %.3f K (nodes 10, 10 days), "
                  "%.3f K (nodes 50, 10 days), %.3f K (nodes 20, 30 days), %.3f K (the same with "
                  "slots of 6 h)\n",
                  ten_k, fifty_k, month_k, hours_k);
    assert_true(ten_k < 0.6);
    assert_true(fifty_k < 0.1);
    assert_true(month_k < 0.2);
    assert_true(hours_k < 0.3);
}

/**
 * Charge an empty tank at 60 C with half its volume in @n_slots. @return rms error of the profile
 * against the sharp front, K; the energy must be exact
 */
static double push_front(int nodes, int n_slots, double *ret_front_error)
{
    struct hs_tank spec = make_tank(nodes);
    struct hs_plant_tank tank;
    double half_wh = hs_tank_max_wh(&spec) / 2, sum_k2 = 0, above = 0;

    hs_plant_tank_init(&spec, 0, &tank);
    for (int s = 0; s < n_slots; s++) {
        hs_plant_tank_charge(&spec, &tank, 60, half_wh / n_slots);
    }
    assert_near(tank.stored_wh, half_wh, 1e-9 * half_wh);
    for (size_t i = 0; i < tank.n_nodes; i++) {
        double top = (double)i / nodes, bottom = ((double)i + 1) / nodes;
        double hot = fmin(fmax(0.5 - top, 0), bottom - top) * nodes; /* share above the front */
        double error_k = tank.node_wh[i] / (hs_tank_max_wh(&spec) / nodes) * 40 - 40 * hot;

        sum_k2 += error_k * error_k;
        /* the front is where the profile crosses the middle temperature */
        if (get_node_c(&spec, &tank, i) > 40) {
            above = bottom;
        } else if (i > 0 && get_node_c(&spec, &tank, i - 1) > 40) {
            double up_c = get_node_c(&spec, &tank, i - 1), down_c = get_node_c(&spec, &tank, i);

            above = (double)i / nodes - 0.5 / nodes + (up_c - 40) / (up_c - down_c) / nodes;
        }
    }
    *ret_front_error = fabs(above - 0.5);
    return sqrt(sum_k2 / nodes);
}

static void tank__pushes_the_front_as_far_as_the_volume_that_came_in(void **state)
{
    static const int nodes[] = {3, 10, 20, 50};
    double front, last = 1, once_k, in_slots_k;

    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        once_k = push_front(nodes[i], 1, &front);
        in_slots_k = push_front(nodes[i], 24, &front);
        print_message("plug flow, half a tank, nodes %d: front %.3f of the height off, rms error "
                      "of the layers %.2f K in one slot, %.2f K in 24\n",
                      nodes[i], front, once_k, in_slots_k);
        assert_near(once_k, 0, 1e-9);
        assert_true(front < 0.07);
        assert_true(front <= last + 0.02);
        last = front;
    }
}

/* --- convergence in the number of layers --- */

/**
 * A day of charge, rest and draw at 45 C in a tank that may hold 60. @return heat above 40 C that
 * is left, of the heat above min_c
 */
static double live_a_day(int nodes, double *ret_lost_wh)
{
    struct hs_tank spec = make_tank(nodes);
    struct hs_plant_tank tank;
    double lost_wh = 0, hot_wh = 0;

    spec.loss_w_per_k = 20;
    hs_plant_tank_init(&spec, hs_tank_max_wh(&spec) / 4, &tank);
    for (int s = 0; s < 96; s++) {
        double charge_wh = s % 48 < 16 ? 4000 : 0, draw_wh = s % 48 >= 24 ? 2000 : 0;

        lost_wh += hs_plant_tank_rest(&spec, &tank, SLOT_S);
        hs_plant_tank_charge(&spec, &tank, 45,
                             fmin(charge_wh, hs_tank_max_wh(&spec) - tank.stored_wh));
        hs_plant_tank_draw(&spec, &tank, fmin(draw_wh, tank.stored_wh));
    }
    for (size_t i = 0; i < tank.n_nodes; i++) {
        double c = tank.n_nodes > 1 ? get_node_c(&spec, &tank, i)
                                    : hs_tank_c_from_wh(&spec, tank.stored_wh);

        hot_wh += fmax(0, c - 40) * hs_wh_from_l_k(spec.volume_l / nodes, 1);
    }
    *ret_lost_wh = lost_wh;
    return hot_wh;
}

static void tank__comes_to_rest_with_more_layers(void **state)
{
    static const int nodes[] = {1, 3, 10, 20, 50};
    double hot_wh[5], lost_wh[5];

    for (size_t i = 0; i < 5; i++) {
        hot_wh[i] = live_a_day(nodes[i], &lost_wh[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        print_message("a day, nodes %d: %.1f kWh above 40 C left (%+.1f kWh against 50), %.2f kWh "
                      "lost (%+.2f)\n",
                      nodes[i], hot_wh[i] / 1e3, (hot_wh[i] - hot_wh[4]) / 1e3, lost_wh[i] / 1e3,
                      (lost_wh[i] - lost_wh[4]) / 1e3);
    }
    for (size_t i = 1; i < 4; i++) {
        assert_true(fabs(hot_wh[i] - hot_wh[4]) < fabs(hot_wh[i - 1] - hot_wh[4]) + 1);
    }
    /* half the error from 3 to 10, half again from 10 to 20 */
    assert_true(fabs(hot_wh[2] - hot_wh[4]) < 0.7 * fabs(hot_wh[1] - hot_wh[4]));
    assert_true(fabs(hot_wh[3] - hot_wh[4]) < 0.7 * fabs(hot_wh[2] - hot_wh[4]));
    assert_true(fabs(lost_wh[1] - lost_wh[4]) < 0.04 * lost_wh[4]);
    assert_true(fabs(lost_wh[3] - lost_wh[4]) < 0.005 * lost_wh[4]);
}

/* --- against published measurements --- */

/*
 * Standby of a real store, without charge or draw. Storage level every quarter of an hour, %, of
 * the oemof-thermal project, "Validation: Stratified thermal storage", tables 1 and 2; measured at
 * a store of Naturstrom AG. Height 2.96 m, diameter 1.15 m, hot 82, cold 55, air 25 C (assumed
 * there), 100 mm of insulation of 0.039 W/(m K), 7 and 4 W/(m2 K) on its sides (assumed there).
 * https://oemof-thermal.readthedocs.io/en/latest/validation_stratified_thermal_storage.html
 */
static const double measured_level[] = {
    78.50, 78.21, 78.38, 78.00, 78.25, 77.79, 77.75, 77.04, 77.17, 77.63, 78.00, 77.71,
    77.79, 77.29, 77.00, 76.38, 77.33, 77.21, 77.00, 77.29, 77.08, 76.54, 76.33,
};
#define N_MEASURED (sizeof(measured_level) / sizeof(measured_level[0]))

static void tank__stands_by_as_a_measured_store_does(void **state)
{
    static const int nodes[] = {3, 10, 50};
    double section_m2 = M_PI / 4 * 1.15 * 1.15, walls_m2 = M_PI * 1.15 * 2.96 + 2 * section_m2;

    for (size_t n = 0; n < sizeof(nodes) / sizeof(nodes[0]); n++) {
        struct hs_tank spec = make_tank(nodes[n]);
        struct hs_plant_tank tank;
        double level, sum = 0, sum_still = 0;

        spec.volume_l = section_m2 * 2.96 * 1000;
        /* usable down to the air, so that the cold part cools on as well; the level counts from 55
         */
        spec.min_c = 25;
        spec.max_c = 82;
        spec.ambient_c = 25;
        spec.loss_w_per_k = walls_m2 / (1 / 7.0 + 0.1 / 0.039 + 1 / 4.0);
        hs_plant_tank_init(&spec, 0, &tank);
        for (size_t i = 0; i < tank.n_nodes; i++) {
            double hot = fmin(fmax(0.785 * nodes[n] - (double)i, 0), 1);

            tank.node_wh[i] =
                (30 + 27 * hot) * hs_wh_from_l_k(spec.volume_l, 1) / (double)tank.n_nodes;
        }
        for (size_t i = 0; i < N_MEASURED; i++) {
            level = 0;
            for (size_t j = 0; j < tank.n_nodes; j++) {
                level += (get_node_c(&spec, &tank, j) - 55) / 27 * 100 / (double)tank.n_nodes;
            }
            sum += (level - measured_level[i]) * (level - measured_level[i]);
            sum_still +=
                (measured_level[0] - measured_level[i]) * (measured_level[0] - measured_level[i]);
            hs_plant_tank_rest(&spec, &tank, SLOT_S);
        }
        print_message("measured store, standby 5.5 h, nodes %d: level %.2f %% at the end, measured "
                      "%.2f %%; rms error %.2f points, %.2f if nothing were lost\n",
                      nodes[n], level, measured_level[N_MEASURED - 1], sqrt(sum / N_MEASURED),
                      sqrt(sum_still / N_MEASURED));
        assert_true(sqrt(sum / N_MEASURED) < 0.6);
        assert_true(sum < sum_still / 3);
    }
}

/* --- what must hold whatever comes --- */

static void tank__keeps_energy_and_order_in_every_random_case(void **state)
{
    unsigned seed = 7;
    double worst = 0;

    for (int i = 0; i < 3000; i++) {
        struct hs_tank spec = make_tank(2 + (int)draw(&seed, 48.99));
        struct hs_plant_tank tank;
        double supply_c = draw(&seed, 90), full_wh;

        spec.volume_l = 10 + draw(&seed, i % 2 == 0 ? 500 : 100000);
        spec.min_c = draw(&seed, 50);
        spec.max_c = spec.min_c + 1 + draw(&seed, 49);
        spec.ambient_c = draw(&seed, 60) - 10;
        spec.loss_w_per_k = draw(&seed, 300);
        full_wh = hs_tank_max_wh(&spec);
        hs_plant_tank_init(&spec, draw(&seed, full_wh), &tank);
        for (int s = 0; s < 40; s++) {
            double before_wh = tank.stored_wh, span_s = s % 8 == 0 ? 86400 : 1 + draw(&seed, 7200);
            double lost_wh = hs_plant_tank_rest(&spec, &tank, span_s);
            double charge_wh = draw(&seed, 1) * fmax(0, full_wh - tank.stored_wh), draw_wh;

            if (s % 5 == 0) {
                charge_wh = fmax(0, full_wh - tank.stored_wh);
            }
            hs_plant_tank_charge(&spec, &tank, supply_c, charge_wh);
            draw_wh = s % 7 == 0 ? tank.stored_wh : draw(&seed, tank.stored_wh);
            hs_plant_tank_draw(&spec, &tank, draw_wh);
            worst = fmax(worst, fabs(before_wh - lost_wh + charge_wh - draw_wh - tank.stored_wh)
                                    / fmax(1, full_wh));
            assert_true(lost_wh >= 0);
            for (size_t n = 0; n < tank.n_nodes; n++) {
                double over_wh = full_wh / (double)tank.n_nodes * (1 + 1e-9) + 1e-6;

                assert_true(tank.node_wh[n] >= -1e-9 * full_wh && tank.node_wh[n] <= over_wh);
                assert_true(n == 0 || tank.node_wh[n] <= tank.node_wh[n - 1] + 1e-9 * full_wh);
            }
        }
    }
    print_message("random cases: worst residual %.1e of a full tank\n", worst);
    assert_true(worst < 1e-11);
}

static void tank__warm_water_below_cold_rises_and_mixes(void **state)
{
    struct hs_tank spec = make_tank(4);
    struct hs_plant_tank tank;

    hs_plant_tank_init(&spec, 0, &tank);
    tank.node_wh[0] = 100;
    tank.node_wh[1] = 500;
    tank.node_wh[2] = 300;
    tank.node_wh[3] = 0;
    hs_plant_tank_rest(&spec, &tank, 0);
    assert_near(tank.node_wh[0], 300, 1e-9);
    assert_near(tank.node_wh[1], 300, 1e-9);
    assert_near(tank.node_wh[2], 300, 1e-9);
    assert_near(tank.node_wh[3], 0, 1e-9);
}

static void tank__half_full_is_hot_above_and_empty_below(void **state)
{
    struct hs_tank spec = make_tank(3);
    struct hs_plant_tank tank;
    const double *height_ratio;

    hs_plant_tank_init(&spec, hs_tank_max_wh(&spec) / 2, &tank);
    assert_int_equal(hs_plant_tank_get_sensors(&tank, &height_ratio), 3);
    assert_near(hs_plant_tank_get_c(&spec, &tank, height_ratio[0]), 60, 0.25);
    assert_near(hs_plant_tank_get_c(&spec, &tank, height_ratio[1]), 40, 1e-9);
    assert_near(hs_plant_tank_get_c(&spec, &tank, height_ratio[2]), 20, 0.25);
}

static void tank__fills_past_the_supply_by_passes_of_its_return(void **state)
{
    struct hs_tank spec = make_tank(10);
    struct hs_plant_tank tank;
    double to_45_wh = hs_wh_from_l_k(spec.volume_l, 25);

    hs_plant_tank_init(&spec, 0, &tank);
    hs_plant_tank_charge(&spec, &tank, 45, to_45_wh);
    for (size_t i = 0; i < 10; i++) {
        assert_near(get_node_c(&spec, &tank, i), 45, 1e-9);
    }
    /* the next pass brings 10 K more; a fifth of a tank of it stays on top */
    hs_plant_tank_charge(&spec, &tank, 45, hs_wh_from_l_k(spec.volume_l / 5, 10));
    assert_near(get_node_c(&spec, &tank, 0), 55, 1e-9);
    assert_near(get_node_c(&spec, &tank, 1), 55, 1e-9);
    assert_near(get_node_c(&spec, &tank, 2), 45, 1e-9);
    /* and so up to max_c */
    hs_plant_tank_charge(&spec, &tank, 45, hs_tank_max_wh(&spec) - tank.stored_wh);
    assert_near(get_node_c(&spec, &tank, 9), 60, 1e-6);
}

static void tank__draw_leaves_the_top_and_returns_cold(void **state)
{
    struct hs_tank spec = make_tank(4);
    struct hs_plant_tank tank;
    double layer_wh = hs_tank_max_wh(&spec) / 4;

    hs_plant_tank_init(&spec, 2 * layer_wh, &tank);
    hs_plant_tank_draw(&spec, &tank, layer_wh / 2);
    assert_near(tank.node_wh[0], layer_wh, 1e-9);
    assert_near(tank.node_wh[1], layer_wh / 2, 1e-9);
    assert_near(tank.node_wh[2], 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tank__cools_down_as_the_exponential_says),
        cmocka_unit_test(tank__conducts_as_fouriers_series_says),
        cmocka_unit_test(tank__pushes_the_front_as_far_as_the_volume_that_came_in),
        cmocka_unit_test(tank__comes_to_rest_with_more_layers),
        cmocka_unit_test(tank__stands_by_as_a_measured_store_does),
        cmocka_unit_test(tank__keeps_energy_and_order_in_every_random_case),
        cmocka_unit_test(tank__warm_water_below_cold_rises_and_mixes),
        cmocka_unit_test(tank__half_full_is_hot_above_and_empty_below),
        cmocka_unit_test(tank__fills_past_the_supply_by_passes_of_its_return),
        cmocka_unit_test(tank__draw_leaves_the_top_and_returns_cold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
