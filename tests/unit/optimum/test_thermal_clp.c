/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thermal against CLP: the same linear loop as a linear program, which may use the tank as it
 * likes.
 *
 * The plant is passive: it serves whoever asks and draws the tank at once. That is the program's
 * optimum too where nothing is gained by holding heat back: all sinks of one worth, heat left in
 * the tank worth no more than that, dumping as dear in every slot, and a loss that is linear down
 * to an empty tank (ambient_c = min_c). There both must agree to 1e-6 of the loop's scale, in cost
 * and, one-sided, in price. Elsewhere the program can only be better, and by how much is printed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/sink.h"
#include "scheduler/sim/sparselp_clp.h"

#define N_CASES       4000 /* of each class; the few slots and sinks make thousands cheap */
#define N_CASES_SHORT 100
#define SLOTS_MAX     16
#define SINKS_MAX     3
#define TOL           1e-6
#define STEP_WH       300.0
#define SPREAD_K      25.0

struct loop_case {
    uint64_t seed;
    uint64_t random;
    size_t n_slots;
    struct hs_heatloop loop;
    double captured_wh[SLOTS_MAX];
    double demand_wh[SINKS_MAX * SLOTS_MAX];
    double worth[SINKS_MAX];
    double reject[SLOTS_MAX];
    struct hs_thermal_input input;
};

static uint64_t only_seed;

static double draw(struct loop_case *c, double low, double high)
{
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return low + (high - low) * (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void fill_tank(struct loop_case *c, bool is_twin)
{
    double full_wh = draw(c, 500.0, 20000.0);
    struct hs_tank *tank = &c->loop.tank;

    *tank = (struct hs_tank){.charge_limit_w = INFINITY, .draw_limit_w = INFINITY};
    if (draw(c, 0, 1) < 0.15) {
        return;
    }
    tank->present = true;
    tank->nodes = 1;
    tank->min_c = 35.0;
    tank->max_c = tank->min_c + SPREAD_K;
    tank->volume_l = full_wh / (HS_WATER_WH_PER_L_K * SPREAD_K);
    tank->loss_w_per_k = draw(c, 0.0, 0.02) * full_wh / SPREAD_K;
    tank->ambient_c = is_twin ? tank->min_c : 18.0;
    if (draw(c, 0, 1) < 0.4) {
        tank->charge_limit_w = draw(c, 200.0, 6000.0);
    }
    if (draw(c, 0, 1) < 0.4) {
        tank->draw_limit_w = draw(c, 200.0, 6000.0);
    }
}

/* Worth behind a heat pump is backup's less its electricity: just less worth. */
static void fill_sinks(struct loop_case *c, bool is_twin)
{
    double worth = draw(c, 60.0, 200.0);

    c->loop.n_sinks = 1 + (size_t)draw(c, 0, SINKS_MAX - 1e-9);
    for (size_t k = 0; k < c->loop.n_sinks; k++) {
        struct hs_sink_lift lift = {.demand_ratio = 1, .heat_ratio = draw(c, 0.6, 1.0)};

        lift.elec_ratio = 1 - lift.heat_ratio;
        c->worth[k] = is_twin ? worth
                              : hs_sink_get_lifted_worth(&lift, worth * draw(c, 0.7, 1.3),
                                                         draw(c, 20.0, 60.0));
        for (size_t t = 0; t < c->n_slots; t++) {
            c->demand_wh[k * c->n_slots + t] =
                draw(c, 0, 1) < 0.15 ? 0.0 : draw(c, 0.0, 3000.0) / (double)c->loop.n_sinks;
        }
    }
}

static void fill(struct loop_case *c, uint64_t seed, bool is_twin)
{
    double least = INFINITY;
    double reject;

    *c = (struct loop_case){.seed = seed, .random = seed * 2 + is_twin};
    c->n_slots = 2 + (size_t)draw(c, 0, SLOTS_MAX - 1 - 1e-9);
    fill_tank(c, is_twin);
    fill_sinks(c, is_twin);
    reject = draw(c, 0, 1) < 0.3 ? 0.0 : draw(c, 0.0, 10e-6);
    for (size_t t = 0; t < c->n_slots; t++) {
        c->captured_wh[t] = draw(c, 0, 1) < 0.2 ? 0.0 : draw(c, 0.0, 3500.0);
        c->reject[t] = is_twin ? reject : reject * draw(c, 0.0, 2.0);
    }
    for (size_t k = 0; k < c->loop.n_sinks; k++) {
        least = fmin(least, c->worth[k]);
    }
    c->input = (struct hs_thermal_input){
        .slot_s = draw(c, 0, 1) < 0.5 ? 900.0 : 3600.0,
        .tank_wh = hs_tank_max_wh(&c->loop.tank) * draw(c, 0.0, 1.0),
        .captured_wh = c->captured_wh,
        .sink_demand_wh = c->demand_wh,
        .sink_cur_per_mwh = c->worth,
        .reject_cur_per_wh = c->reject,
        .end_cur_per_wh = draw(c, 0, 1) < 0.3 ? 0.0 : least * 1e-6 * draw(c, 0.0, 0.95),
    };
}

/* --- the linear program, in kWh and cur --- */

/* One slot's rows; @return the column of the tank at its end. */
static size_t add_slot(const struct loop_case *c, struct hs_sparselp *lp, size_t t, size_t stored,
                       double extra_wh)
{
    const struct hs_tank *tank = &c->loop.tank;
    double hours = c->input.slot_s / HS_S_PER_H;
    double over_kwh = -(c->captured_wh[t] + extra_wh) * 1e-3;
    double full_kwh = hs_tank_max_wh(tank) * 1e-3;
    double lost_kwh = tank->loss_w_per_k * (tank->min_c - tank->ambient_c) * hours * 1e-3;
    double share =
        tank->present ? tank->loss_w_per_k * hours / (HS_WATER_WH_PER_L_K * tank->volume_l) : 0.0;
    double end_cur = t + 1 == c->n_slots ? -c->input.end_cur_per_wh * 1e3 : 0.0;
    size_t heat;

    for (size_t k = 0; k < c->loop.n_sinks; k++) {
        over_kwh += c->demand_wh[k * c->n_slots + t] * 1e-3;
    }
    heat = hs_sparselp_add_row(lp, over_kwh, over_kwh);
    for (size_t k = 0; k < c->loop.n_sinks; k++) {
        hs_sparselp_set(lp, heat,
                        hs_sparselp_add_column(lp, 0.0, c->demand_wh[k * c->n_slots + t] * 1e-3,
                                               c->worth[k] * 1e-3),
                        1.0);
    }
    hs_sparselp_set(lp, heat, hs_sparselp_add_column(lp, 0.0, INFINITY, c->reject[t] * 1e3), -1.0);
    if (!tank->present) {
        return stored;
    }
    size_t end = hs_sparselp_add_column(lp, 0.0, full_kwh, end_cur);
    size_t charge = hs_sparselp_add_column(lp, 0.0, tank->charge_limit_w * hours * 1e-3, 0.0);
    size_t draws = hs_sparselp_add_column(lp, 0.0, tank->draw_limit_w * hours * 1e-3, 0.0);
    size_t row = hs_sparselp_add_row(lp, lost_kwh, lost_kwh);

    hs_sparselp_set(lp, heat, charge, -1.0);
    hs_sparselp_set(lp, heat, draws, 1.0);
    hs_sparselp_set(lp, row, stored, 1.0 - share);
    hs_sparselp_set(lp, row, charge, 1.0);
    hs_sparselp_set(lp, row, draws, -1.0);
    hs_sparselp_set(lp, row, end, -1.0);
    if (lost_kwh > 0) { /* an empty tank loses nothing: what it cannot lose is forgiven */
        hs_sparselp_set(lp, row, hs_sparselp_add_column(lp, 0.0, lost_kwh, 0.0), 1.0);
    }
    return end;
}

/* The least the horizon can cost with @extra_wh more heat in @slot, cur. */
static double cost_by_clp(const struct loop_case *c, size_t slot, double extra_wh)
{
    HS_AUTO(hs_sparselp) lp = hs_sparselp_new();
    HS_AUTO_MEM double *values = NULL;
    struct hs_err err = {0};
    double cost_cur = 0.0;
    size_t stored = 0;

    if (c->loop.tank.present) {
        stored = hs_sparselp_add_column(lp, c->input.tank_wh * 1e-3, c->input.tank_wh * 1e-3, 0.0);
    }
    for (size_t t = 0; t < c->n_slots; t++) {
        stored = add_slot(c, lp, t, stored, t == slot ? extra_wh : 0.0);
    }
    values = hs_xcalloc(lp->columns.n, sizeof(*values));
    if (hs_sparselp_clp_solve(lp, HS_SPARSELP_CLP_PRIMAL, values, &err) != 0) {
        return NAN;
    }
    for (size_t i = 0; i < lp->columns.n; i++) {
        cost_cur += lp->columns.items[i].cost * values[i];
    }
    return cost_cur;
}

/* --- the two side by side --- */

/* What all demand would cost: the measure of a difference. */
static double scale_of(const struct loop_case *c)
{
    double scale_cur = hs_tank_max_wh(&c->loop.tank) * c->worth[0] * 1e-6;

    for (size_t k = 0; k < c->loop.n_sinks; k++) {
        for (size_t t = 0; t < c->n_slots; t++) {
            scale_cur += c->demand_wh[k * c->n_slots + t] * c->worth[k] * 1e-6;
        }
    }
    return scale_cur;
}

static size_t n_wanted(void)
{
    return getenv("HSCHED_TEST_SHORT") != NULL ? N_CASES_SHORT : N_CASES;
}

/* Is @step_wh more (or, negative, less) heat in @slot worth what CLP says? */
static bool is_worth_right(const struct loop_case *c, const struct hs_thermal *thermal, size_t slot,
                           double step_wh, double clp_cur)
{
    double got_cur = hs_thermal_get_worth(thermal, slot, step_wh);
    double want_cur = clp_cur - cost_by_clp(c, slot, step_wh);

    if (fabs(got_cur - want_cur) <= TOL * scale_of(c)) {
        return true;
    }
    printf("case %llu: slot %zu: %g Wh more are worth %.12g, CLP says %.12g (test_thermal_clp "
           "--case %llu)\n",
           (unsigned long long)c->seed, slot, step_wh, got_cur, want_cur,
           (unsigned long long)c->seed);
    return false;
}

/* The worth of one Wh as a price, and of so much that CLP's rounding does not matter, both ways. */
static bool is_price_right(const struct loop_case *c, const struct hs_thermal *thermal, size_t slot,
                           double clp_cur)
{
    double price_cur = hs_thermal_get_price(thermal, slot) * 1e-6;
    double least_cur = hs_thermal_get_worth(thermal, slot, 1e-3) * 1e3; /* before any bend */

    if (!is_worth_right(c, thermal, slot, STEP_WH, clp_cur)
        || !is_worth_right(c, thermal, slot, -fmin(STEP_WH, c->captured_wh[slot]), clp_cur)
        || !is_worth_right(c, thermal, slot, 1.0, clp_cur)) {
        return false;
    }
    if (fabs(price_cur - least_cur) <= 1e-9
        || fabs(price_cur - hs_thermal_get_worth(thermal, slot, 1.0)) <= 1e-9) {
        return true;
    }
    printf("case %llu: slot %zu: price %.12g, the first of a Wh is worth %.12g (test_thermal_clp "
           "--case %llu)\n",
           (unsigned long long)c->seed, slot, price_cur, least_cur, (unsigned long long)c->seed);
    return false;
}

static void linear_loops__cost_what_clp_says(void **state)
{
    size_t n = n_wanted();
    size_t n_wrong = 0;
    double worst = 0.0;

    (void)state;
    for (uint64_t seed = only_seed > 0 ? only_seed : 1; seed <= n || seed == only_seed; seed++) {
        struct loop_case c;

        fill(&c, seed, true);

        HS_AUTO(hs_thermal) thermal = hs_thermal_new(&c.loop, c.loop.n_sinks, c.n_slots);

        hs_thermal_set(thermal, &c.input);
        (void)hs_thermal_settle(thermal);

        double clp_cur = cost_by_clp(&c, 0, 0.0);
        double off = fabs(hs_thermal_get_cost(thermal) - clp_cur) / fmax(scale_of(&c), 1e-9);

        worst = fmax(worst, off);
        if (!(off <= TOL)) {
            printf("case %llu: cost %.12g, CLP says %.12g (test_thermal_clp --case %llu)\n",
                   (unsigned long long)seed, hs_thermal_get_cost(thermal), clp_cur,
                   (unsigned long long)seed);
            n_wrong++;
        } else {
            n_wrong += !is_price_right(&c, thermal, seed % c.n_slots, clp_cur);
        }
        if (only_seed > 0) {
            break;
        }
    }
    printf("sinks of one worth, even cost of dumping, linear loss: worst difference %.2g of the "
           "scale in %zu loops\n",
           worst, n);
    (void)fflush(stdout);
    assert_int_equal(n_wrong, 0);
}

static void other_loops__cost_no_less_than_clp_says(void **state)
{
    size_t n = n_wanted();
    size_t n_apart = 0;
    size_t n_below = 0;
    double sum = 0.0;
    double worst = 0.0;

    (void)state;
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct loop_case c;

        fill(&c, seed, false);

        HS_AUTO(hs_thermal) thermal = hs_thermal_new(&c.loop, c.loop.n_sinks, c.n_slots);

        hs_thermal_set(thermal, &c.input);
        (void)hs_thermal_settle(thermal);

        double off =
            (hs_thermal_get_cost(thermal) - cost_by_clp(&c, 0, 0.0)) / fmax(scale_of(&c), 1e-9);

        n_below += !(off >= -TOL);
        n_apart += off > TOL;
        worst = fmax(worst, off);
        sum += off;
    }
    printf("sinks of several worths, uneven cost of dumping, a loss that ends at an empty tank: a "
           "plant that may choose is "
           "cheaper in %zu of %zu loops, by %.3f %% of the scale on average, %.2f %% at most\n",
           n_apart, n, 100 * sum / (double)n, 100 * worst);
    (void)fflush(stdout);
    assert_int_equal(n_below, 0);
    assert_true(n_apart > 0); /* or the two classes would be one */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_loops__cost_what_clp_says),
        cmocka_unit_test(other_loops__cost_no_less_than_clp_says),
    };

    if (argc == 3 && strcmp(argv[1], "--case") == 0) {
        only_seed = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
