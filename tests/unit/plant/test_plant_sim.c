/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/plant.h"
#include "scheduler/sim/virtual_executor.h"
#include "tests/support/near.h"

#define START_AT_S INT64_C(1767600000)
#define PERIOD_S   700 /* divides neither a slot nor an hour */

/* One loop, one sink, one rack; the last snapshot and what its readings sum to. */
struct fixture {
    struct hs_estate estate;
    struct hs_site site;
    struct hs_heatloop loop;
    struct hs_sink sink;
    struct hs_rack rack;
    struct hs_series *demand;
    const struct hs_series *series[1];
    struct hs_clock *clock;
    struct hs_virtual_executor *executor;
    struct hs_plant *plant;
    double demand_heat_w;
    double useful_heat_wh;
    double tank_c;
    double height_ratio;
    double captured_heat_wh;
    double rejected_wh; /* mean x time since the reading before, summed */
    int64_t rejected_at_s;
    int64_t taken_at_s;
    int n_stamps; /* different stamps of the last five readings */
    int n_readings;
};

static void take(void *arg, const struct hs_reading *reading)
{
    struct fixture *f = arg;

    assert_int_equal(reading->quality, HS_QUALITY_GOOD);
    f->n_stamps += reading->taken_at_s != f->taken_at_s;
    f->taken_at_s = reading->taken_at_s;
    f->n_readings++;
    switch (reading->point.kind) {
    case HS_POINT_DEMAND_HEAT_W:
        f->demand_heat_w = reading->value;
        break;
    case HS_POINT_USEFUL_HEAT_WH:
        f->useful_heat_wh = reading->value;
        break;
    case HS_POINT_TANK_C:
        f->tank_c = reading->value;
        f->height_ratio = reading->point.height_ratio;
        break;
    case HS_POINT_CAPTURED_HEAT_WH:
        f->captured_heat_wh = reading->value;
        break;
    case HS_POINT_REJECTED_HEAT_W:
        f->rejected_wh +=
            reading->value * (double)(reading->taken_at_s - f->rejected_at_s) / 3600.0;
        f->rejected_at_s = reading->taken_at_s;
        break;
    default:
        fail();
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->loop = (struct hs_heatloop){
        .tank = {.present = true,
                 .volume_l = 500,
                 .nodes = 1,
                 .min_c = 40,
                 .max_c = 60,
                 .loss_w_per_k = 0, /* so that the sums close without it */
                 .ambient_c = 20,
                 .charge_limit_w = (double)INFINITY,
                 .draw_limit_w = (double)INFINITY},
        .rejection_limit_w = (double)INFINITY,
        .n_sinks = 1,
    };
    f->sink = (struct hs_sink){.heat_limit_w = (double)INFINITY,
                               .backup_efficiency_ratio = 0.9,
                               .backup_price_cur_per_mwh = 80};
    f->rack = (struct hs_rack){.capture_ratio = 0.8, .limit_w = (double)INFINITY};
    f->estate = (struct hs_estate){.slot_s = 900,
                                   .sites = &f->site,
                                   .n_sites = 1,
                                   .loops = &f->loop,
                                   .n_loops = 1,
                                   .sinks = &f->sink,
                                   .n_sinks = 1,
                                   .racks = &f->rack,
                                   .n_racks = 1};
    f->demand = hs_series_new();
    for (int h = 0; h < 48; h++) {
        hs_series_add(f->demand, START_AT_S + h * 3600, h % 2 == 0 ? 3000.0 : 12000.0);
    }
    f->demand->step_s = 3600;
    f->series[0] = f->demand;
    f->clock = hs_clock_new_virtual(START_AT_S);
    f->executor = hs_virtual_executor_new(f->clock);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    hs_plant_free(f->plant);
    hs_virtual_executor_free(f->executor);
    hs_clock_free(f->clock);
    hs_series_free(f->demand);
    free(f);
    return 0;
}

static struct hs_plant_options options_of(struct fixture *f)
{
    return (struct hs_plant_options){.executor = hs_virtual_executor_get(f->executor),
                                     .clock = f->clock,
                                     .estate = &f->estate,
                                     .listener = {.reading = take, .arg = f},
                                     .period_plan_s = PERIOD_S};
}

static void plant_sim__snapshots_close_with_the_heat_that_was_fed(void **state)
{
    struct fixture *f = *state;
    struct hs_plant_options options = options_of(f);
    double start_wh = hs_tank_max_wh(&f->loop.tank) / 2, fed_wh = 0, elec_w = 0;
    double at_s = (double)START_AT_S;

    f->rejected_at_s = START_AT_S;
    f->plant = hs_plant_sim_new(&options, f->series);
    hs_plant_start(f->plant);
    for (int i = 0; i < 60; i++) {
        double span_s = 60 + 7 * i;

        elec_w = i % 3 == 0 ? 40000 : 4000;
        assert_int_equal(hs_plant_feed(f->plant, &elec_w, 1, NULL), 0);
        at_s += span_s;
        fed_wh += elec_w * span_s / 3600.0;
        hs_virtual_executor_advance(f->executor, at_s);
    }
    /* to the next snapshot, whole */
    at_s += PERIOD_S - (double)((int64_t)(at_s - (double)START_AT_S) % PERIOD_S);
    fed_wh += elec_w * (at_s - hs_clock_at_exact_s(f->clock)) / 3600.0;
    f->n_stamps = 0;
    hs_virtual_executor_advance(f->executor, at_s);

    assert_int_equal(f->n_stamps, 1);
    assert_int_equal(f->taken_at_s, (int64_t)at_s);
    assert_near(f->height_ratio, 0.5, 0);
    assert_near(f->captured_heat_wh, 0.8 * fed_wh, 1e-6);
    assert_true(f->rejected_wh > 0);
    assert_near(f->captured_heat_wh,
                f->useful_heat_wh + f->rejected_wh + hs_tank_wh_from_c(&f->loop.tank, f->tank_c)
                    - start_wh,
                1e-6);
}

static void plant_sim__a_layered_tank_has_thermometers_at_three_heights(void **state)
{
    struct fixture *f = *state;
    struct hs_plant_options options = options_of(f);

    f->loop.tank.nodes = 3;
    f->plant = hs_plant_sim_new(&options, f->series);
    hs_plant_start(f->plant);
    hs_virtual_executor_advance(f->executor, (double)START_AT_S);
    /* demand, useful, three of the tank, captured, rejected; the lowest of the tank came last */
    assert_int_equal(f->n_readings, 7);
    assert_near(f->height_ratio, 0.17, 0);
    assert_near(f->tank_c, 40, 0.25);
}

static void plant_csv__replays_what_was_measured_and_is_silent_in_gaps(void **state)
{
    struct fixture *f = *state;
    struct hs_plant_options options = options_of(f);
    double elec_w = 1;
    struct hs_err err;

    options.period_plan_s = 3600;
    f->plant = hs_plant_csv_new(&options, f->series);
    hs_plant_start(f->plant);
    hs_virtual_executor_advance(f->executor, (double)START_AT_S);
    assert_near(f->demand_heat_w, 3000, 0);
    hs_virtual_executor_advance(f->executor, (double)START_AT_S + 3600);
    assert_near(f->demand_heat_w, 12000, 0);
    assert_int_equal(f->n_readings, 2);
    hs_virtual_executor_advance(f->executor, (double)START_AT_S + 60 * 3600);
    assert_int_equal(f->n_readings, 48);
    assert_int_equal(hs_plant_feed(f->plant, &elec_w, 1, &err), -HS_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plant_sim__snapshots_close_with_the_heat_that_was_fed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(plant_sim__a_layered_tank_has_thermometers_at_three_heights,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(plant_csv__replays_what_was_measured_and_is_silent_in_gaps,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
