/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_tank - layers of water.
 *
 * Displacement is exact: the profile is shifted by the volume that flows, whatever the span, and
 * averaged over the layers again. Conduction and loss are one backward Euler step, a tridiagonal
 * system whose matrix is an M-matrix, so temperatures stay between their neighbours and the air.
 * Mixing pools adjacent layers until none is colder than the one below (pool adjacent violators).
 */
#include "adapters/plant/plant_tank.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/units.h"

#define TANK_PASSES_MAX   64   /* a pass warms the bottom by the spread; 12 do from 0 to 100 */
#define TANK_TOLERANCE_K  1e-9 /* layers this close are of one temperature */
#define TANK_LITRE_PER_M3 1000.0

/** Energy of one layer for each kelvin, Wh/K. */
static double get_node_wh_per_k(const struct hs_tank *spec, const struct hs_plant_tank *tank)
{
    return hs_wh_from_l_k(spec->volume_l / (double)tank->n_nodes, 1);
}

static void sum_up(struct hs_plant_tank *tank)
{
    tank->stored_wh = 0;
    for (size_t i = 0; i < tank->n_nodes; i++) {
        tank->stored_wh += tank->node_wh[i];
    }
}

void hs_plant_tank_init(const struct hs_tank *spec, double stored_wh,
                        struct hs_plant_tank *ret_tank)
{
    size_t n = spec->nodes > 1 ? (size_t)spec->nodes : 1;
    double full_wh, left_wh = stored_wh;

    memset(ret_tank, 0, sizeof(*ret_tank));
    if (!spec->present) {
        return;
    }
    assert(n <= HS_PLANT_TANK_NODES_MAX);
    ret_tank->n_nodes = n;
    ret_tank->stored_wh = stored_wh;
    full_wh = hs_tank_max_wh(spec) / (double)n;
    for (size_t i = 0; n > 1 && i < n; i++) {
        ret_tank->node_wh[i] = fmin(left_wh, full_wh);
        left_wh -= ret_tank->node_wh[i];
    }
}

double hs_plant_tank_get_height_m(const struct hs_tank *spec)
{
    double volume_m3 = spec->volume_l / TANK_LITRE_PER_M3;

    /* volume = pi / 4 (height / ratio)^2 height */
    return cbrt(4 * volume_m3 * HS_PLANT_TANK_SLENDER_RATIO * HS_PLANT_TANK_SLENDER_RATIO / M_PI);
}

double hs_plant_tank_get_c(const struct hs_tank *spec, const struct hs_plant_tank *tank,
                           double height_ratio)
{
    double at, share, wh;
    size_t i;

    if (tank->n_nodes <= 1) {
        return hs_tank_c_from_wh(spec, tank->stored_wh);
    }
    at = (1 - height_ratio) * (double)tank->n_nodes - 0.5; /* in layers from the topmost's middle */
    at = fmin(fmax(at, 0), (double)tank->n_nodes - 1);
    i = (size_t)at;
    share = at - (double)i;
    wh = tank->node_wh[i];
    if (share > 0) {
        wh += share * (tank->node_wh[i + 1] - wh);
    }
    return spec->min_c + wh / get_node_wh_per_k(spec, tank);
}

size_t hs_plant_tank_get_sensors(const struct hs_plant_tank *tank, const double **ret_height_ratio)
{
    static const double mixed[1] = {0.5};
    static const double thirds[HS_PLANT_TANK_SENSORS] = {0.83, 0.5, 0.17};

    *ret_height_ratio = tank->n_nodes > 1 ? thirds : mixed;
    return tank->n_nodes > 1 ? HS_PLANT_TANK_SENSORS : tank->n_nodes;
}

/** Warm water rises: pool layers until none is colder than the one below. */
static void mix(struct hs_plant_tank *tank)
{
    double pool_wh[HS_PLANT_TANK_NODES_MAX];
    size_t pool_n[HS_PLANT_TANK_NODES_MAX], n = 0, at = 0;

    for (size_t i = 0; i < tank->n_nodes; i++) {
        pool_wh[n] = tank->node_wh[i];
        pool_n[n] = 1;
        n++;
        while (n > 1
               && pool_wh[n - 2] * (double)pool_n[n - 1] < pool_wh[n - 1] * (double)pool_n[n - 2]) {
            pool_wh[n - 2] += pool_wh[n - 1];
            pool_n[n - 2] += pool_n[n - 1];
            n--;
        }
    }
    for (size_t p = 0; p < n; p++) {
        for (size_t i = 0; pool_n[p] > 1 && i < pool_n[p]; i++) {
            tank->node_wh[at + i] = pool_wh[p] / (double)pool_n[p];
        }
        at += pool_n[p];
    }
}

/* --- rest --- */

/** Share of the walls' area that belongs to layer @i; lids to the outer ones. */
static double get_wall_ratio(const struct hs_plant_tank *tank, size_t i)
{
    /* side pi d h and two lids pi d^2 / 4, over pi d h: 1 + 1 / (2 ratio) */
    double lid = 0.25 / HS_PLANT_TANK_SLENDER_RATIO;
    double side = 1 / (double)tank->n_nodes;
    double own = side + (i == 0 ? lid : 0) + (i == tank->n_nodes - 1 ? lid : 0);

    return own / (1 + 2 * lid);
}

/** Conductance between the middles of two layers, W/K. */
static double get_conductance_w_per_k(const struct hs_tank *spec, const struct hs_plant_tank *tank)
{
    double height_m = hs_plant_tank_get_height_m(spec);
    double section_m2 = spec->volume_l / TANK_LITRE_PER_M3 / height_m;

    return HS_PLANT_TANK_CONDUCTION_W_PER_M_K * section_m2 * (double)tank->n_nodes / height_m;
}

/** Solve the symmetric tridiagonal system with @beside off its diagonal; the answer in @io_b. */
static void solve_tridiagonal(size_t n, const double *diagonal, double beside, double *io_b)
{
    double ratio[HS_PLANT_TANK_NODES_MAX];
    double pivot = diagonal[0];

    io_b[0] /= pivot;
    for (size_t i = 1; i < n; i++) {
        ratio[i] = beside / pivot;
        pivot = diagonal[i] - beside * ratio[i];
        io_b[i] = (io_b[i] - beside * io_b[i - 1]) / pivot;
    }
    for (size_t i = n - 1; i-- > 0;) {
        io_b[i] -= ratio[i + 1] * io_b[i + 1];
    }
}

/**
 * One backward Euler step.
 *
 * @param wall_wh_per_k  [n_nodes] to the air, 0 where none is counted
 * @param over_k         an empty layer's temperature over the air
 * @param ret_above_k    [n_nodes] temperatures over min_c at the end
 */
static void step_layers(const struct hs_tank *spec, const struct hs_plant_tank *tank, double span_s,
                        const double *wall_wh_per_k, double over_k, double *ret_above_k)
{
    size_t n = tank->n_nodes;
    double wh_per_k = get_node_wh_per_k(spec, tank);
    double beside = hs_wh_from_w(get_conductance_w_per_k(spec, tank), span_s);
    double diagonal[HS_PLANT_TANK_NODES_MAX] = {0};

    for (size_t i = 0; i < n; i++) {
        ret_above_k[i] = tank->node_wh[i] - wall_wh_per_k[i] * over_k;
        diagonal[i] = wh_per_k + wall_wh_per_k[i] + beside * ((i > 0) + (i < n - 1));
    }
    solve_tridiagonal(n, diagonal, -beside, ret_above_k);
}

/** No heat is taken from the air: walls of layers that end colder than it are left out. */
static bool leave_out_gains(size_t n, const double *above_k, double over_k,
                            double *io_wall_wh_per_k)
{
    bool has_changed = false;

    for (size_t i = 0; i < n; i++) {
        if (io_wall_wh_per_k[i] > 0 && above_k[i] + over_k < 0) {
            io_wall_wh_per_k[i] = 0;
            has_changed = true;
        }
    }
    return has_changed;
}

static double rest_layers(const struct hs_tank *spec, struct hs_plant_tank *tank, double span_s)
{
    size_t n = tank->n_nodes;
    double wh_per_k = get_node_wh_per_k(spec, tank), over_k = spec->min_c - spec->ambient_c;
    double above_k[HS_PLANT_TANK_NODES_MAX] = {0}, wall_wh_per_k[HS_PLANT_TANK_NODES_MAX] = {0};
    double lost_wh = 0;

    for (size_t i = 0; i < n; i++) {
        wall_wh_per_k[i] = hs_wh_from_w(spec->loss_w_per_k * get_wall_ratio(tank, i), span_s);
    }
    do {
        step_layers(spec, tank, span_s, wall_wh_per_k, over_k, above_k);
    } while (leave_out_gains(n, above_k, over_k, wall_wh_per_k));
    for (size_t i = 0; i < n; i++) {
        lost_wh += wall_wh_per_k[i] * (above_k[i] + over_k);
        tank->node_wh[i] = wh_per_k * above_k[i];
        if (tank->node_wh[i] < 0) {
            lost_wh += tank->node_wh[i]; /* not lost after all: it had no more to lose */
            tank->node_wh[i] = 0;
        }
    }
    mix(tank);
    sum_up(tank);
    return fmax(0, lost_wh);
}

double hs_plant_tank_rest(const struct hs_tank *spec, struct hs_plant_tank *tank, double span_s)
{
    double loss_w, lost_wh;

    if (tank->n_nodes == 0) {
        return 0;
    }
    if (tank->n_nodes > 1) {
        return rest_layers(spec, tank, span_s);
    }
    loss_w = spec->loss_w_per_k * (hs_tank_c_from_wh(spec, tank->stored_wh) - spec->ambient_c);
    lost_wh = fmax(0, fmin(tank->stored_wh, hs_wh_from_w(loss_w, span_s)));
    tank->stored_wh -= lost_wh;
    return lost_wh;
}

/* --- flow --- */

/** @n_down layers' volume of @enter_wh a layer comes in at the top, as much leaves below. */
static void push_down(struct hs_plant_tank *tank, double n_down, double enter_wh)
{
    size_t whole = (size_t)n_down;
    double part = n_down - (double)whole;

    for (size_t i = tank->n_nodes; i-- > 0;) {
        double near_wh = i >= whole ? tank->node_wh[i - whole] : enter_wh;
        double far_wh = i >= whole + 1 ? tank->node_wh[i - whole - 1] : enter_wh;

        tank->node_wh[i] = (1 - part) * near_wh + part * far_wh;
    }
}

/** @n_up layers' volume leaves at the top; the bottom fills with water of min_c. */
static void push_up(struct hs_plant_tank *tank, double n_up)
{
    size_t n = tank->n_nodes, whole = (size_t)n_up;
    double part = n_up - (double)whole;

    for (size_t i = 0; i < n; i++) {
        double near_wh = i + whole < n ? tank->node_wh[i + whole] : 0;
        double far_wh = i + whole + 1 < n ? tank->node_wh[i + whole + 1] : 0;

        tank->node_wh[i] = (1 - part) * near_wh + part * far_wh;
    }
}

/** One pass with water of @enter_wh a layer. @return what of @charge_wh did not go in */
static double charge_pass(struct hs_plant_tank *tank, double enter_wh, double tolerance_wh,
                          double charge_wh)
{
    double n_down = 0;

    for (size_t i = tank->n_nodes; i-- > 0 && charge_wh > 0;) {
        double gain_wh = enter_wh - tank->node_wh[i];

        if (gain_wh <= tolerance_wh) {
            break;
        }
        n_down += fmin(1, charge_wh / gain_wh);
        charge_wh = charge_wh > gain_wh ? charge_wh - gain_wh : 0;
    }
    if (n_down > 0) {
        push_down(tank, n_down, enter_wh);
        mix(tank);
    }
    return charge_wh;
}

static void charge_layers(const struct hs_tank *spec, struct hs_plant_tank *tank, double supply_c,
                          double charge_wh)
{
    double wh_per_k = get_node_wh_per_k(spec, tank);
    double tolerance_wh = TANK_TOLERANCE_K * wh_per_k;
    double full_wh = wh_per_k * (spec->max_c - spec->min_c);
    double supply_wh = wh_per_k * (supply_c - spec->min_c);
    double left_wh = charge_wh;

    for (int i = 0; i < TANK_PASSES_MAX && left_wh > 0; i++) {
        double bottom_wh = tank->node_wh[tank->n_nodes - 1];
        double enter_wh = bottom_wh + tolerance_wh < supply_wh
                              ? supply_wh
                              : bottom_wh + HS_PLANT_TANK_SPREAD_K * wh_per_k;

        left_wh = charge_pass(tank, fmin(enter_wh, full_wh), tolerance_wh, left_wh);
    }
    /* rounding of a tank just filled, or one with less than the tolerance to go */
    assert(left_wh <= 1e-6 * (hs_tank_max_wh(spec) + charge_wh));
    for (size_t i = 0; left_wh > 0 && i < tank->n_nodes; i++) {
        tank->node_wh[i] += left_wh / (double)tank->n_nodes;
    }
}

void hs_plant_tank_charge(const struct hs_tank *spec, struct hs_plant_tank *tank, double supply_c,
                          double charge_wh)
{
    if (tank->n_nodes > 1 && charge_wh > 0) {
        charge_layers(spec, tank, supply_c, charge_wh);
        sum_up(tank);
    } else {
        tank->stored_wh += charge_wh;
    }
}

void hs_plant_tank_draw(const struct hs_tank *spec, struct hs_plant_tank *tank, double draw_wh)
{
    double n_up = 0, left_wh = draw_wh;

    if (tank->n_nodes <= 1) {
        tank->stored_wh = fmax(tank->stored_wh - draw_wh, 0);
        return;
    }
    for (size_t i = 0; i < tank->n_nodes && left_wh > 0 && tank->node_wh[i] > 0; i++) {
        n_up += fmin(1, left_wh / tank->node_wh[i]);
        left_wh = left_wh > tank->node_wh[i] ? left_wh - tank->node_wh[i] : 0;
    }
    push_up(tank, n_up);
    sum_up(tank);
}
