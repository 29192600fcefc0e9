/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/plant_balance.h"
#include "adapters/plant/plant_capture.h"
#include "tests/support/near.h"

#define SLOT_S 900.0

static struct hs_heatloop make_loop(size_t n_sinks)
{
    return (struct hs_heatloop){
        .tank = {.present = true,
                 .volume_l = 1000,
                 .nodes = 1,
                 .min_c = 40,
                 .max_c = 60,
                 .loss_w_per_k = 10,
                 .ambient_c = 20,
                 .charge_limit_w = (double)INFINITY,
                 .draw_limit_w = (double)INFINITY},
        .rejection_limit_w = (double)INFINITY,
        .n_sinks = n_sinks,
    };
}

/** One span; @io_tank_wh is what the tank holds. */
static void run(const struct hs_heatloop *loop, const struct hs_sink *sinks, double span_s,
                double captured_w, const double *demand_w, const double *worth, double *io_tank_wh,
                double *ret_useful_wh, struct hs_plant_balance *ret_b)
{
    struct hs_plant_balance_input input = {span_s, captured_w, demand_w, worth};
    struct hs_plant_tank tank;

    hs_plant_tank_init(&loop->tank, *io_tank_wh, &tank);
    hs_plant_balance_apply(loop, sinks, &input, &tank, ret_useful_wh, NULL, ret_b);
    assert_int_equal(hs_plant_balance_check(loop, ret_b, NULL), 0);
    *io_tank_wh = tank.stored_wh;
}

static void balance__serves_the_dearest_sink_first_then_charges_then_rejects(void **state)
{
    struct hs_heatloop loop = make_loop(2);
    struct hs_sink sinks[2] = {{.heat_limit_w = 8000}, {.heat_limit_w = (double)INFINITY}};
    double demand_w[2] = {10000, 6000}, worth[2] = {50, 90}, useful_wh[2];
    double tank_wh = hs_tank_max_wh(&loop.tank) - 100;
    struct hs_plant_balance b;

    /* 16 kW come: sink 1 takes 6, sink 0 no more than its limit of 8, 2 are over */
    run(&loop, sinks, SLOT_S, 16000, demand_w, worth, &tank_wh, useful_wh, &b);
    assert_near(useful_wh[1], 1500, 1e-9);
    assert_near(useful_wh[0], 2000, 1e-9);
    /* a tank near 60 degrees C over 20 loses about 10 W/K x 40 K for a quarter of an hour */
    assert_near(b.lost_wh, 10 * (60 - 100 / 1163.0 - 20) * 0.25, 1e-6);
    assert_near(b.rejected_wh, 500 - 100 - b.lost_wh, 1e-6);
    assert_near(tank_wh, hs_tank_max_wh(&loop.tank), 1e-6);
    assert_near(b.backup_wh, 500, 1e-9);
}

static void balance__draws_the_tank_before_the_backup(void **state)
{
    struct hs_heatloop loop = make_loop(1);
    struct hs_sink sink = {.heat_limit_w = (double)INFINITY};
    double demand_w = 10000, worth = 80, useful_wh, tank_wh = 700;
    struct hs_plant_balance b;

    run(&loop, &sink, SLOT_S, 4000, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(tank_wh, 0, 1e-9);
    assert_near(useful_wh, 1000 + 700 - b.lost_wh, 1e-9);
    assert_near(b.backup_wh, 2500 - useful_wh, 1e-9);
    assert_near(b.rejected_wh, 0, 0);
    /* an empty tank has nothing to lose */
    run(&loop, &sink, SLOT_S, 0, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(b.lost_wh, 0, 0);
    assert_near(b.backup_wh, 2500, 1e-9);
}

static void balance__keeps_charge_and_draw_limits(void **state)
{
    struct hs_heatloop loop = make_loop(1);
    struct hs_sink sink = {.heat_limit_w = (double)INFINITY};
    double demand_w = 0, worth = 80, tank_wh = 5000;
    struct hs_plant_balance b;

    loop.tank.loss_w_per_k = 0;
    loop.tank.charge_limit_w = 1000;
    loop.tank.draw_limit_w = 2000;
    run(&loop, &sink, SLOT_S, 4000, &demand_w, &worth, &tank_wh, NULL, &b);
    assert_near(tank_wh, 5250, 1e-9);
    assert_near(b.rejected_wh, 750, 1e-9);
    demand_w = 8000;
    run(&loop, &sink, SLOT_S, 0, &demand_w, &worth, &tank_wh, NULL, &b);
    assert_near(tank_wh, 4750, 1e-9);
    assert_near(b.useful_wh, 500, 1e-9);
}

static void balance__works_without_a_tank(void **state)
{
    struct hs_heatloop loop = {.n_sinks = 1};
    struct hs_sink sink = {.heat_limit_w = (double)INFINITY};
    double demand_w = 1000, worth = 80, tank_wh = 0;
    struct hs_plant_balance b;

    run(&loop, &sink, SLOT_S, 3000, &demand_w, &worth, &tank_wh, NULL, &b);
    assert_near(b.useful_wh, 250, 1e-9);
    assert_near(b.rejected_wh, 500, 1e-9);
    assert_near(tank_wh, 0, 0);
}

static void balance__preheat_warms_its_share_and_backup_does_the_rest(void **state)
{
    struct hs_heatloop loop = make_loop(1);
    struct hs_sink sink = {
        .kind = "dhw", .lift = "preheat", .supply_min_c = 55, .heat_limit_w = (double)INFINITY};
    double demand_w = 9000, worth = 80, tank_wh = 0, useful_wh;
    struct hs_plant_balance b;

    loop.supply_c = 40; /* from mains at 10 to 40 of 55: two thirds */
    loop.tank.present = false;
    run(&loop, &sink, SLOT_S, 40000, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(useful_wh, 1500, 1e-9);
    assert_near(b.backup_wh, 750, 1e-9);
    assert_near(b.lift_wh, 0, 0);
    /* a tank hotter than the loop does it all */
    loop.tank.present = true;
    tank_wh = hs_tank_max_wh(&loop.tank);
    run(&loop, &sink, SLOT_S, 0, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(useful_wh, 2250, 1e-9);
    loop.supply_c = 8; /* colder than the mains */
    tank_wh = 0;
    loop.tank.present = false;
    run(&loop, &sink, SLOT_S, 40000, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(useful_wh, 0, 0);
    assert_near(b.backup_wh, 2250, 1e-9);
}

static void balance__heat_pump_adds_its_electricity_to_the_sinks_heat(void **state)
{
    struct hs_heatloop loop = make_loop(1);
    struct hs_sink sink = {
        .kind = "dhw", .lift = "heat-pump", .supply_min_c = 65, .heat_limit_w = (double)INFINITY};
    double demand_w = 8000, worth = 80, tank_wh = 0, useful_wh;
    double cop = 0.45 * (65 + 273.15) / (65 - 35);
    struct hs_plant_balance b;

    loop.supply_c = 35;
    loop.tank.present = false;
    run(&loop, &sink, SLOT_S, 40000, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(b.lift_wh, 2000 / cop, 1e-9);
    assert_near(useful_wh, 2000 - 2000 / cop, 1e-9);
    assert_near(b.backup_wh, 0, 1e-9);
    /* half the heat it wants: half the electricity, and backup for the other half */
    run(&loop, &sink, SLOT_S, 4 * useful_wh / 2, &demand_w, &worth, &tank_wh, &useful_wh, &b);
    assert_near(b.lift_wh, 1000 / cop, 1e-9);
    assert_near(b.backup_wh, 1000, 1e-9);
}

static void balance__layers_serve_a_hot_sink_from_the_top(void **state)
{
    struct hs_heatloop loop = make_loop(1);
    struct hs_sink sink = {.kind = "space-heating-radiator",
                           .lift = "heat-pump",
                           .supply_min_c = 55,
                           .heat_limit_w = (double)INFINITY};
    double demand_w = 4000, worth = 80, tank_wh, useful_wh;
    struct hs_plant_balance mixed, layered;

    loop.supply_c = 45;
    tank_wh = hs_tank_max_wh(&loop.tank) / 2; /* mixed: 50 degrees C */
    run(&loop, &sink, SLOT_S, 0, &demand_w, &worth, &tank_wh, &useful_wh, &mixed);
    loop.tank.nodes = 4; /* its top half is at 60 */
    tank_wh = hs_tank_max_wh(&loop.tank) / 2;
    run(&loop, &sink, SLOT_S, 0, &demand_w, &worth, &tank_wh, &useful_wh, &layered);
    assert_true(mixed.lift_wh > 10);
    assert_near(layered.lift_wh, 0, 0);
    assert_near(layered.useful_wh, 1000, 1e-9);
}

static void balance__says_which_loop_does_not_close(void **state)
{
    struct hs_heatloop loop = {.path = "pool/main"};
    struct hs_plant_balance b = {.captured_wh = 1000, .useful_wh = 999.998};
    struct hs_err err;

    assert_int_equal(hs_plant_balance_check(&loop, &b, &err), -HS_E_INTERNAL);
    assert_string_equal(err.where, "pool/main");
    b.useful_wh = 999.9995;
    b.demand_wh = b.useful_wh;
    assert_int_equal(hs_plant_balance_check(&loop, &b, &err), 0);
    b.lost_wh = (double)NAN;
    assert_int_equal(hs_plant_balance_check(&loop, &b, &err), -HS_E_INTERNAL);
    b.lost_wh = 0;
    b.demand_wh = 1001;
    assert_int_equal(hs_plant_balance_check(&loop, &b, &err), -HS_E_INTERNAL);
}

static void capture__follows_falling_heat_at_once_and_rising_heat_by_its_ramp(void **state)
{
    struct hs_rack rack = {.ramp_w_per_min = 100};
    double captured_w = 1000;

    /* from 1 to 2 kW takes ten of the slot's fifteen minutes: half of 1 kW x 10 min is missed */
    assert_near(hs_plant_capture_apply(&rack, 500, SLOT_S, &captured_w), 500 - 1000.0 / 12, 1e-9);
    assert_near(captured_w, 2000, 1e-9);
    /* to 5 kW it gets no further than 3.5 kW in a slot; mean 2.75 */
    assert_near(hs_plant_capture_apply(&rack, 1250, SLOT_S, &captured_w), 2750 * 0.25, 1e-9);
    assert_near(captured_w, 3500, 1e-9);
    assert_near(hs_plant_capture_apply(&rack, 100, SLOT_S, &captured_w), 100, 0);
    assert_near(captured_w, 400, 1e-9);
    rack.ramp_w_per_min = (double)INFINITY;
    assert_near(hs_plant_capture_apply(&rack, 25000, SLOT_S, &captured_w), 25000, 0);
}

static double draw(unsigned *seed, double max)
{
    *seed = *seed * 1103515245U + 12345U;
    return max * (double)(*seed >> 8) / (double)(1U << 24);
}

static void balance__closes_in_every_random_case(void **state)
{
    unsigned seed = 42;

    for (int i = 0; i < 20000; i++) {
        struct hs_heatloop loop = make_loop((size_t)draw(&seed, 20));
        struct hs_sink sinks[20];
        double demand_w[20], worth[20], useful_wh[20];
        double tank_wh, span_s = 1 + draw(&seed, 7200), captured_w = draw(&seed, 50000), sum_wh = 0;
        struct hs_plant_balance b;

        loop.tank.present = draw(&seed, 1) < 0.9;
        loop.tank.nodes = draw(&seed, 1) < 0.5 ? 1 : 2 + (int)draw(&seed, 20);
        loop.supply_c = 20 + draw(&seed, 50);
        loop.tank.loss_w_per_k = draw(&seed, 200);
        loop.tank.draw_limit_w = draw(&seed, 1) < 0.5 ? (double)INFINITY : draw(&seed, 9000);
        tank_wh = draw(&seed, hs_tank_max_wh(&loop.tank));
        for (size_t k = 0; k < loop.n_sinks; k++) {
            sinks[k].heat_limit_w = draw(&seed, 1) < 0.5 ? (double)INFINITY : draw(&seed, 20000);
            demand_w[k] = draw(&seed, 20000);
            sinks[k].supply_min_c = 30 + draw(&seed, 50);
            strcpy(sinks[k].kind, draw(&seed, 1) < 0.5 ? "dhw" : "pool");
            strcpy(sinks[k].lift,
                   (const char *[]){"none", "preheat", "heat-pump"}[(int)draw(&seed, 2.99)]);
            worth[k] = draw(&seed, 200);
        }
        run(&loop, sinks, span_s, captured_w, demand_w, worth, &tank_wh, useful_wh, &b);
        assert_near(b.captured_wh - b.useful_wh - b.stored_wh - b.rejected_wh - b.lost_wh, 0,
                    1e-6 * (1 + b.captured_wh));
        assert_near(b.demand_wh - b.useful_wh - b.lift_wh - b.backup_wh, 0,
                    1e-6 * (1 + b.demand_wh));
        assert_true(tank_wh >= 0 && tank_wh <= hs_tank_max_wh(&loop.tank) + 1e-6);
        assert_true(b.rejected_wh >= 0 && b.lost_wh >= 0 && b.backup_wh >= 0);
        for (size_t k = 0; k < loop.n_sinks; k++) {
            double most_w = fmin(demand_w[k], sinks[k].heat_limit_w);

            assert_true(useful_wh[k] <= most_w * span_s / 3600 + 1e-6);
            sum_wh += useful_wh[k];
        }
        assert_near(sum_wh, b.useful_wh, 1e-6 * (1 + sum_wh));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balance__serves_the_dearest_sink_first_then_charges_then_rejects),
        cmocka_unit_test(balance__draws_the_tank_before_the_backup),
        cmocka_unit_test(balance__keeps_charge_and_draw_limits),
        cmocka_unit_test(balance__works_without_a_tank),
        cmocka_unit_test(balance__preheat_warms_its_share_and_backup_does_the_rest),
        cmocka_unit_test(balance__heat_pump_adds_its_electricity_to_the_sinks_heat),
        cmocka_unit_test(balance__layers_serve_a_hot_sink_from_the_top),
        cmocka_unit_test(balance__says_which_loop_does_not_close),
        cmocka_unit_test(capture__follows_falling_heat_at_once_and_rising_heat_by_its_ramp),
        cmocka_unit_test(balance__closes_in_every_random_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
