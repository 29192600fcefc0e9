/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_balance - loss, direct service, charge, reject, draw, backup, in this order.
 * Source: docs/simulator.md, Plant.
 */
#include "adapters/plant/plant_balance.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define BALANCE_SINKS_STACK 16

/** What a sink has had in the span, Wh. */
struct served {
    double heat_wh; /* of the loop */
    double elec_wh; /* of its heat pump */
};

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

/** Loop heat that sink @k can still take from water behind @lift, Wh. */
static double get_open_wh(const struct hs_sink *sink, const struct hs_sink_lift *lift,
                          double demand_w, double span_s, const struct served *had)
{
    double demand_wh = hs_wh_from_w(demand_w * lift->demand_ratio, span_s);
    double wanted_wh = (demand_wh - (had->heat_wh + had->elec_wh)) * lift->heat_ratio;
    double exchanger_wh = hs_wh_from_w(sink->heat_limit_w, span_s) - had->heat_wh;

    return fmax(0, fmin(wanted_wh, exchanger_wh));
}

/** Hand out up to @supply_wh of @loop_c in @order; @io_served grows. @return what was handed out */
static double serve(const struct hs_sink *sinks, const struct hs_plant_balance_input *input,
                    const size_t *order, size_t n_sinks, double loop_c, double supply_wh,
                    struct served *io_served)
{
    double left_wh = supply_wh;

    for (size_t i = 0; i < n_sinks && left_wh > 0; i++) {
        size_t k = order[i];
        struct hs_sink_lift lift = hs_sink_get_lift(&sinks[k], loop_c);
        double given_wh = fmin(left_wh, get_open_wh(&sinks[k], &lift, input->sink_demand_w[k],
                                                    input->span_s, &io_served[k]));

        io_served[k].heat_wh += given_wh;
        if (lift.elec_ratio > 0 && lift.heat_ratio > 0) {
            io_served[k].elec_wh += given_wh * lift.elec_ratio / lift.heat_ratio;
        }
        left_wh -= given_wh;
    }
    return supply_wh - left_wh;
}

/** Sum over the sinks what they had and what is left to their backup. */
static void sum_sinks(const struct hs_plant_balance_input *input, const struct served *served,
                      size_t n_sinks, double *ret_useful_wh, double *ret_lift_wh,
                      struct hs_plant_balance *io_balance)
{
    for (size_t k = 0; k < n_sinks; k++) {
        io_balance->demand_wh += hs_wh_from_w(input->sink_demand_w[k], input->span_s);
        io_balance->useful_wh += served[k].heat_wh;
        io_balance->lift_wh += served[k].elec_wh;
        if (ret_useful_wh != NULL) {
            ret_useful_wh[k] = served[k].heat_wh;
        }
        if (ret_lift_wh != NULL) {
            ret_lift_wh[k] = served[k].elec_wh;
        }
    }
    io_balance->backup_wh =
        fmax(0, io_balance->demand_wh - io_balance->useful_wh - io_balance->lift_wh);
}

void hs_plant_balance_apply(const struct hs_heatloop *loop, const struct hs_sink *sinks,
                            const struct hs_plant_balance_input *input,
                            struct hs_plant_tank *io_tank, double *ret_useful_wh,
                            double *ret_lift_wh, struct hs_plant_balance *ret_balance)
{
    const struct hs_tank *spec = &loop->tank;
    size_t order_stack[BALANCE_SINKS_STACK];
    struct served served_stack[BALANCE_SINKS_STACK] = {0};
    bool is_large = loop->n_sinks > BALANCE_SINKS_STACK;
    HS_AUTO_MEM size_t *order_heap =
        is_large ? hs_xcalloc(loop->n_sinks, sizeof(*order_heap)) : NULL;
    HS_AUTO_MEM struct served *served_heap =
        is_large ? hs_xcalloc(loop->n_sinks, sizeof(*served_heap)) : NULL;
    size_t *order = is_large ? order_heap : order_stack;
    struct served *served = is_large ? served_heap : served_stack;
    double stored_before_wh = io_tank->stored_wh;
    struct hs_plant_balance b = {.captured_wh = hs_wh_from_w(input->captured_w, input->span_s)};
    double over_wh, charge_wh, draw_wh;

    sort_by_worth(input->sink_worth, loop->n_sinks, order);
    b.lost_wh = hs_plant_tank_rest(spec, io_tank, input->span_s);

    over_wh = b.captured_wh
              - serve(sinks, input, order, loop->n_sinks, loop->supply_c, b.captured_wh, served);
    charge_wh = fmin(over_wh, fmax(0, hs_tank_max_wh(spec) - io_tank->stored_wh));
    if (spec->present) {
        charge_wh = fmin(charge_wh, hs_wh_from_w(spec->charge_limit_w, input->span_s));
    }
    hs_plant_tank_charge(spec, io_tank, loop->supply_c, charge_wh);
    b.rejected_wh = over_wh - charge_wh;

    if (spec->present) {
        draw_wh = fmin(io_tank->stored_wh, hs_wh_from_w(spec->draw_limit_w, input->span_s));
        draw_wh = serve(sinks, input, order, loop->n_sinks, hs_plant_tank_get_c(spec, io_tank, 1),
                        draw_wh, served);
        hs_plant_tank_draw(spec, io_tank, draw_wh);
    }
    b.stored_wh = io_tank->stored_wh - stored_before_wh;
    sum_sinks(input, served, loop->n_sinks, ret_useful_wh, ret_lift_wh, &b);
    *ret_balance = b;
}

int hs_plant_balance_check(const struct hs_heatloop *loop, const struct hs_plant_balance *b,
                           struct hs_err *err)
{
    double residual_wh = b->captured_wh - b->useful_wh - b->stored_wh - b->rejected_wh - b->lost_wh;
    double short_wh = b->demand_wh - b->useful_wh - b->lift_wh - b->backup_wh;

    /* written so that NAN fails */
    if (!(fabs(residual_wh) <= HS_PLANT_BALANCE_TOLERANCE * fmax(1, b->captured_wh))) {
        return hs_err_set(err, HS_E_INTERNAL, loop->path,
                          "heat does not close: %g Wh of %g Wh captured are missing", residual_wh,
                          b->captured_wh);
    }
    if (!(fabs(short_wh) <= HS_PLANT_BALANCE_TOLERANCE * fmax(1, b->demand_wh))) {
        return hs_err_set(err, HS_E_INTERNAL, loop->path,
                          "demand does not close: %g Wh of %g Wh are missing", short_wh,
                          b->demand_wh);
    }
    return 0;
}
