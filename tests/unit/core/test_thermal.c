/* SPDX-License-Identifier: Apache-2.0 */
/* thermal against the plant's own balance: another program's idea of the same loop. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/plant/plant_balance.h"
#include "scheduler/base/units.h"
#include "scheduler/core/thermal.h"
#include "tests/support/near.h"

#define N_SLOTS 48
#define N_SINKS 2
#define SLOT_S  900.0

struct fixture {
    struct hs_heatloop loop;
    struct hs_sink sinks[N_SINKS];
    double captured_wh[N_SLOTS];
    double demand_wh[N_SINKS * N_SLOTS];
    double worth[N_SINKS];
    double reject[N_SLOTS];
    struct hs_thermal_input input;
    uint64_t random;
};

static double draw(struct fixture *f)
{
    f->random = f->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(f->random >> 11) / 9007199254740992.0;
}

static void fill(struct fixture *f, uint64_t seed, size_t n_sinks)
{
    *f = (struct fixture){.random = seed * 2 + 1};
    f->loop.n_sinks = n_sinks;
    f->loop.tank = (struct hs_tank){
        .present = true,
        .volume_l = 200.0 + 8000.0 * draw(f),
        .nodes = 1,
        .min_c = 35.0,
        .max_c = 60.0,
        .loss_w_per_k = 15.0 * draw(f),
        .ambient_c = draw(f) < 0.2 ? 40.0 : 18.0, /* a warm cellar: no loss near empty */
        .charge_limit_w = draw(f) < 0.3 ? 6000.0 : INFINITY,
        .draw_limit_w = draw(f) < 0.3 ? 5000.0 : INFINITY,
    };
    for (size_t k = 0; k < n_sinks; k++) {
        f->sinks[k].heat_limit_w = INFINITY;
        f->worth[k] = 60.0 + 100.0 * draw(f);
        for (size_t t = 0; t < N_SLOTS; t++) {
            f->demand_wh[k * N_SLOTS + t] = draw(f) < 0.1 ? 0.0 : 4000.0 * draw(f);
        }
    }
    for (size_t t = 0; t < N_SLOTS; t++) {
        f->captured_wh[t] = 4000.0 * draw(f) * draw(f);
        f->reject[t] = 0.03 * 150e-6 * draw(f);
    }
    f->input = (struct hs_thermal_input){
        .slot_s = SLOT_S,
        .tank_wh = hs_tank_max_wh(&f->loop.tank) * draw(f),
        .captured_wh = f->captured_wh,
        .sink_demand_wh = f->demand_wh,
        .sink_cur_per_mwh = f->worth,
        .reject_cur_per_wh = f->reject,
        .end_cur_per_wh = 80e-6,
    };
}

/* The same horizon by the plant's balance: backup at each sink's worth, rejection, heat left. */
static double cost_by_plant(const struct fixture *f)
{
    struct hs_plant_tank tank;
    double cost_cur = 0.0;
    size_t n_sinks = f->loop.n_sinks;

    hs_plant_tank_init(&f->loop.tank, f->input.tank_wh, &tank);
    for (size_t t = 0; t < N_SLOTS; t++) {
        double demand_w[N_SINKS];
        double useful_wh[N_SINKS];
        struct hs_plant_balance balance;

        for (size_t k = 0; k < n_sinks; k++) {
            demand_w[k] = hs_w_from_wh(f->demand_wh[k * N_SLOTS + t], SLOT_S);
        }
        struct hs_plant_balance_input input = {
            .span_s = SLOT_S,
            .captured_w = hs_w_from_wh(f->captured_wh[t], SLOT_S),
            .sink_demand_w = demand_w,
            .sink_worth = f->worth,
        };

        hs_plant_balance_apply(&f->loop, f->sinks, &input, &tank, useful_wh, NULL, &balance);
        for (size_t k = 0; k < n_sinks; k++) {
            cost_cur += hs_cur_from_wh(f->demand_wh[k * N_SLOTS + t] - useful_wh[k], f->worth[k]);
        }
        cost_cur += balance.rejected_wh * f->reject[t];
    }
    return cost_cur - tank.stored_wh * f->input.end_cur_per_wh;
}

static void thermal_cost__equals_the_plants_balance_on_random_loops(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct fixture f;

        fill(&f, seed, 1 + seed % N_SINKS);
        HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, f.loop.n_sinks, N_SLOTS);

        hs_thermal_set(thermal, &f.input);
        (void)hs_thermal_settle(thermal);
        assert_near(hs_thermal_get_cost(thermal), cost_by_plant(&f), 1e-9);
    }
}

static void thermal_run_worth__is_the_plants_cost_without_less_with(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct fixture f;
        double extra_wh[8];
        size_t n = 1 + seed % 8;
        size_t first = seed % (N_SLOTS - 8);

        fill(&f, seed, 1 + seed % N_SINKS);
        HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, f.loop.n_sinks, N_SLOTS);

        hs_thermal_set(thermal, &f.input);
        (void)hs_thermal_settle(thermal);
        double without_cur = cost_by_plant(&f);

        for (size_t i = 0; i < n; i++) {
            extra_wh[i] = 3000.0 * draw(&f);
            f.captured_wh[first + i] += extra_wh[i];
        }
        double worth_cur = hs_thermal_get_run_worth(thermal, first, extra_wh, n);

        assert_near(worth_cur, without_cur - cost_by_plant(&f), 1e-9);
        hs_thermal_lay(thermal, first, extra_wh, n);
        (void)hs_thermal_settle(thermal);
        assert_near(hs_thermal_get_cost(thermal), cost_by_plant(&f), 1e-9);
    }
}

static void thermal_add__taken_away_again_leaves_the_same_prices(void **state)
{
    struct fixture f;
    double extra_wh[3] = {900.0, 1200.0, 10.0};
    double back_wh[3] = {-900.0, -1200.0, -10.0};

    fill(&f, 7, 2);
    HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, 2, N_SLOTS);

    hs_thermal_set(thermal, &f.input);
    (void)hs_thermal_settle(thermal);
    double before = hs_thermal_get_price(thermal, 5);

    hs_thermal_lay(thermal, 4, extra_wh, 3);
    (void)hs_thermal_settle(thermal);
    hs_thermal_lay(thermal, 4, back_wh, 3);
    (void)hs_thermal_settle(thermal);
    assert_near(hs_thermal_get_price(thermal, 5), before, 1e-6);
}

static void set_flat(struct fixture *f, double demand_wh, double captured_wh, double tank_share)
{
    fill(f, 3, 1);
    f->loop.tank.loss_w_per_k = 0.0;
    f->loop.tank.volume_l = 1000.0;
    f->loop.tank.charge_limit_w = INFINITY;
    f->loop.tank.draw_limit_w = INFINITY;
    f->worth[0] = 90.0;
    f->input.end_cur_per_wh = 0.0;
    f->input.tank_wh = hs_tank_max_wh(&f->loop.tank) * tank_share;
    for (size_t t = 0; t < N_SLOTS; t++) {
        f->demand_wh[t] = demand_wh;
        f->captured_wh[t] = captured_wh;
        f->reject[t] = 5e-6;
    }
}

static void thermal_price__is_the_backups_where_demand_goes_unserved(void **state)
{
    struct fixture f;

    set_flat(&f, 3000.0, 0.0, 0.0);
    HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, 1, N_SLOTS);

    hs_thermal_set(thermal, &f.input);
    (void)hs_thermal_settle(thermal);
    assert_near(hs_thermal_get_price(thermal, 0), 90.0, 1e-6);
    assert_near(hs_thermal_get_price(thermal, N_SLOTS - 1), 90.0, 1e-6);
}

static void thermal_price__is_minus_the_cost_of_dumping_when_full_and_unwanted(void **state)
{
    struct fixture f;

    set_flat(&f, 0.0, 500.0, 1.0);
    HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, 1, N_SLOTS);

    hs_thermal_set(thermal, &f.input);
    (void)hs_thermal_settle(thermal);
    assert_near(hs_thermal_get_price(thermal, 0), -5.0, 1e-6);
    assert_near(hs_thermal_get_rejected_wh(thermal, 0), 500.0, 1e-9);
}

static void thermal_price__of_a_loop_without_tank_knows_only_its_own_slot(void **state)
{
    struct fixture f;

    set_flat(&f, 1000.0, 0.0, 0.0);
    f.loop.tank.present = false;
    f.input.tank_wh = 0.0;
    f.demand_wh[3] = 0.0;
    HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, 1, N_SLOTS);

    hs_thermal_set(thermal, &f.input);
    (void)hs_thermal_settle(thermal);
    assert_near(hs_thermal_get_price(thermal, 2), 90.0, 1e-6);
    assert_near(hs_thermal_get_price(thermal, 3), -5.0, 1e-6);
}

static void thermal_worth__of_a_block_falls_where_the_tank_runs_full(void **state)
{
    struct fixture f;

    set_flat(&f, 0.0, 0.0, 0.9);
    f.demand_wh[N_SLOTS - 1] = 1e6; /* wanted in the end */
    HS_AUTO(hs_thermal) thermal = hs_thermal_new(&f.loop, 1, N_SLOTS);

    hs_thermal_set(thermal, &f.input);
    (void)hs_thermal_settle(thermal);
    double room_wh = 0.1 * hs_tank_max_wh(&f.loop.tank);
    double fits_cur = hs_thermal_get_worth(thermal, 0, room_wh);

    assert_near(fits_cur, hs_cur_from_wh(room_wh, 90.0), 1e-9);
    assert_near(hs_thermal_get_worth(thermal, 0, room_wh + 1000.0), fits_cur - 1000.0 * 5e-6, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thermal_cost__equals_the_plants_balance_on_random_loops),
        cmocka_unit_test(thermal_run_worth__is_the_plants_cost_without_less_with),
        cmocka_unit_test(thermal_add__taken_away_again_leaves_the_same_prices),
        cmocka_unit_test(thermal_price__is_the_backups_where_demand_goes_unserved),
        cmocka_unit_test(thermal_price__is_minus_the_cost_of_dumping_when_full_and_unwanted),
        cmocka_unit_test(thermal_price__of_a_loop_without_tank_knows_only_its_own_slot),
        cmocka_unit_test(thermal_worth__of_a_block_falls_where_the_tank_runs_full),
    };
    return cmocka_run_group_tests_name("thermal", tests, NULL, NULL);
}
