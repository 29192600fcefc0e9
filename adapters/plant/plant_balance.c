/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_balance - one mixed tank (nodes: 1) over one span: loss, direct service, charge, reject,
 * draw, backup, in this order. Source: interfaces.md, "The plant in hsim".
 */
#include "adapters/plant/plant_balance.h"

#include <assert.h>
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define BALANCE_SINKS_STACK 16
#define BALANCE_TOLERANCE   1e-6 /* of the captured heat; the sums close to this */

/** Sinks in order of worth, dearest first; equal ones stay in file order. */
static void sort_by_worth(const double *worth, size_t n, size_t *ret_order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;

        while (at > 0 && worth[ret_order[at - 1]] < worth[i]) {
            ret_order[at] = ret_order[at - 1];
            at--;
        }
        ret_order[at] = i;
    }
}

/** Heat that leaves through the tank's walls in the span, Wh; never more than it holds. */
static double get_loss_wh(const struct hs_tank *tank, double tank_wh, double span_s)
{
    double loss_w;

    if (!tank->present) {
        return 0;
    }
    loss_w = tank->loss_w_per_k * (hs_tank_c_from_wh(tank, tank_wh) - tank->ambient_c);
    return fmax(0, fmin(tank_wh, hs_wh_from_w(loss_w, span_s)));
}

/** Hand out up to @supply_wh in @order; @io_served_wh grows. @return what was handed out */
static double serve(const struct hs_sink *sinks, const double *demand_w, const size_t *order,
                    size_t n_sinks, double span_s, double supply_wh, double *io_served_wh)
{
    double left_wh = supply_wh;

    for (size_t i = 0; i < n_sinks && left_wh > 0; i++) {
        size_t k = order[i];
        double open_wh =
            hs_wh_from_w(fmin(demand_w[k], sinks[k].heat_limit_w), span_s) - io_served_wh[k];
        double given_wh = fmin(left_wh, fmax(0, open_wh));

        io_served_wh[k] += given_wh;
        left_wh -= given_wh;
    }
    return supply_wh - left_wh;
}

static void check_closed(const struct hs_plant_balance *b)
{
    double residual_wh = b->captured_wh - b->useful_wh - b->stored_wh - b->rejected_wh - b->lost_wh;
    double scale_wh = fmax(1.0, b->captured_wh + fabs(b->stored_wh));

    assert(fabs(residual_wh) <= BALANCE_TOLERANCE * scale_wh);
    assert(fabs(b->demand_wh - b->useful_wh - b->backup_wh)
           <= BALANCE_TOLERANCE * fmax(1.0, b->demand_wh));
    (void)residual_wh;
    (void)scale_wh;
}

void hs_plant_balance_apply(const struct hs_heatloop *loop, const struct hs_sink *sinks,
                            double span_s, double captured_w, const double *sink_demand_w,
                            const double *sink_worth, double *io_tank_wh, double *ret_useful_wh,
                            struct hs_plant_balance *ret_balance)
{
    const struct hs_tank *tank = &loop->tank;
    size_t order_stack[BALANCE_SINKS_STACK];
    double served_stack[BALANCE_SINKS_STACK] = {0};
    bool is_large = loop->n_sinks > BALANCE_SINKS_STACK;
    HS_AUTO_MEM size_t *order_heap =
        is_large ? hs_xcalloc(loop->n_sinks, sizeof(*order_heap)) : NULL;
    HS_AUTO_MEM double *served_heap =
        is_large ? hs_xcalloc(loop->n_sinks, sizeof(*served_heap)) : NULL;
    size_t *order = is_large ? order_heap : order_stack;
    double *served_wh = is_large ? served_heap : served_stack;
    double max_wh = hs_tank_max_wh(tank);
    double tank_wh = *io_tank_wh;
    struct hs_plant_balance b = {.captured_wh = hs_wh_from_w(captured_w, span_s)};
    double over_wh, charge_wh, draw_wh;

    sort_by_worth(sink_worth, loop->n_sinks, order);
    b.lost_wh = get_loss_wh(tank, tank_wh, span_s);
    tank_wh -= b.lost_wh;

    over_wh = b.captured_wh
              - serve(sinks, sink_demand_w, order, loop->n_sinks, span_s, b.captured_wh, served_wh);
    charge_wh = fmin(over_wh, fmax(0, max_wh - tank_wh));
    if (tank->present) {
        charge_wh = fmin(charge_wh, hs_wh_from_w(tank->charge_limit_w, span_s));
    }
    tank_wh += charge_wh;
    b.rejected_wh = over_wh - charge_wh;

    draw_wh = tank->present ? fmin(tank_wh, hs_wh_from_w(tank->draw_limit_w, span_s)) : 0;
    tank_wh -= serve(sinks, sink_demand_w, order, loop->n_sinks, span_s, draw_wh, served_wh);
    tank_wh = fmax(tank_wh, 0);

    for (size_t k = 0; k < loop->n_sinks; k++) {
        b.demand_wh += hs_wh_from_w(sink_demand_w[k], span_s);
        b.useful_wh += served_wh[k];
        if (ret_useful_wh != NULL) {
            ret_useful_wh[k] = served_wh[k];
        }
    }
    b.backup_wh = fmax(0, b.demand_wh - b.useful_wh);
    b.stored_wh = tank_wh - *io_tank_wh;
    check_closed(&b);
    *io_tank_wh = tank_wh;
    *ret_balance = b;
}
