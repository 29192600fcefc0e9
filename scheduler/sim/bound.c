/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bound - rows and columns, slot by slot, as simulator.md writes them.
 *
 * Columns of a slot: x per class (busy vCPUs), then E, R, L per loop (energy at the slot's end,
 * rejected, lost), then B per sink (backup heat), then W (vCPU-hours done so far), then, with
 * HS_BOUND_LATE, S (vCPU-hours overdue). Energies count kWh: solvers like numbers near 1.
 */
#include "scheduler/sim/bound.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/bound_priv.h"
#include "scheduler/sim/simroom.h"

#define BOUND_SLACK     1e-6 /* vCPU(-hours): rounding of sums must not make work late */
#define BOUND_TIE_RATIO 1e-5 /* heat serves rather than waits for the end, all else equal */

/** Limits of what a tank can lose in a slot, as lines over its energy at the slot's start. */
struct loss_lines {
    double lower_slope; /* of the line through 0 */
    double lower_wh;    /* a second lower line, lower_wh + slope·E, where it is not -INFINITY */
    double upper_wh;
    double slope;
    double upper_slope;
    double max_wh; /* in any slot */
};

static double scaled(double wh)
{
    return wh / HS_BOUND_WH_PER_UNIT;
}

size_t hs_bound_get_busy_column(const struct hs_bound *bound, size_t slot, size_t class_idx)
{
    return slot * bound->n_columns_per_slot + class_idx;
}

static void pour_jobs(struct hs_bound *b)
{
    double start_at_s = (double)b->scenario->start_at_s;

    b->work = hs_jobfluid_new(b->scenario->n_slots, (double)b->scenario->slot_s);
    for (size_t j = 0; j < b->jobs->n; j++) {
        const struct hs_simjob *job = &b->jobs->items[j];

        hs_jobfluid_add(b->work, (double)job->vcpus, job->submit_at_s - start_at_s,
                        job->due_at_s - start_at_s, job->run_s);
    }
    hs_jobfluid_apply(b->work);
}

/**
 * Loss in a slot from energy E at its start is f = max(0, min(E, a + βE)), a = loss_w_per_k ×
 * (min_c - ambient_c) × h, β = loss_w_per_k × h ÷ (volume_l × 1.163). Lines below and above f
 * over 0..E_max; with a >= 0 they are simulator.md's. Layers of a stratified tank lose
 * one by one and their sum depends on how the heat lies: only its most is known.
 */
static struct loss_lines get_loss_lines(const struct hs_bound *b, const struct hs_tank *tank)
{
    struct loss_lines lines = {.lower_wh = -INFINITY};
    double max_wh = hs_tank_max_wh(tank), a_wh, full_wh;

    if (!(max_wh > 0) || !(tank->loss_w_per_k > 0)) {
        return lines;
    }
    a_wh = tank->loss_w_per_k * (tank->min_c - tank->ambient_c) * b->slot_h;
    lines.slope = tank->loss_w_per_k * b->slot_h / hs_wh_from_l_k(tank->volume_l, 1);
    full_wh = fmax(0, fmin(max_wh, a_wh + lines.slope * max_wh));
    lines.max_wh = fmax(0, a_wh + lines.slope * max_wh);
    lines.upper_wh = a_wh;
    lines.upper_slope = lines.slope;
    lines.lower_slope = full_wh / max_wh;
    if (a_wh < 0) { /* warmer outside than an empty tank: f bends the other way */
        lines.upper_wh = 0;
        lines.upper_slope = lines.slope <= 1 ? lines.lower_slope : 1;
        lines.lower_slope = 0;
        lines.lower_wh = lines.slope <= 1 ? a_wh : -INFINITY;
    }
    if (tank->nodes > 1) {
        lines.upper_wh = lines.max_wh;
        lines.upper_slope = 0;
        lines.lower_slope = 0;
        lines.lower_wh = -INFINITY;
    }
    return lines;
}

static void add_loop_columns(struct hs_bound *b, size_t slot, size_t loop_idx)
{
    const struct hs_heatloop *loop = &b->scenario->estate->loops[loop_idx];
    bool is_cost = (b->flags & HS_BOUND_USEFUL) == 0;
    bool is_last = slot + 1 == b->scenario->n_slots;
    double left_cur =
        hs_cur_from_wh(HS_BOUND_WH_PER_UNIT, b->left_worth[loop_idx]) * (1 - BOUND_TIE_RATIO);
    double reject_cur =
        loop->rejection_elec_ratio * hs_bound_get_elec_cur_per_mwh(b, loop->site_idx, slot);

    hs_sparselp_add_column(b->lp, 0, scaled(hs_tank_max_wh(&loop->tank)),
                           is_cost && is_last ? -left_cur : 0);
    hs_sparselp_add_column(b->lp, 0, INFINITY,
                           is_cost ? hs_cur_from_wh(HS_BOUND_WH_PER_UNIT, reject_cur) : 0);
    hs_sparselp_add_column(b->lp, 0, scaled(get_loss_lines(b, &loop->tank).max_wh), 0);
}

/** All columns of a slot, in the order that get_*_column() know. */
static void add_columns(struct hs_bound *b, size_t slot)
{
    const struct hs_estate *estate = b->scenario->estate;
    bool is_cost = (b->flags & HS_BOUND_USEFUL) == 0;
    double late_price =
        is_cost ? hs_cur_from_wh(HS_BOUND_WH_PER_UNIT, b->late_cur_per_mwh) : HS_BOUND_LATE_PRICE;

    for (size_t k = 0; k < b->n_classes; k++) {
        const struct hs_bound_class *class = &b->classes[k];
        double all_wh = class->elec_w_per_vcpu * b->slot_h
                        * (1 + estate->sites[class->site_idx].aux_elec_ratio);

        hs_sparselp_add_column(b->lp, 0, class->free_vcpus,
                               is_cost ? hs_cur_from_wh(
                                   all_wh, hs_bound_get_elec_cur_per_mwh(b, class->site_idx, slot))
                                       : 0);
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        add_loop_columns(b, slot, l);
    }
    for (size_t s = 0; s < estate->n_sinks; s++) {
        double demand_wh = hs_bound_get_demand_wh(b, s, slot);
        double least_wh = fmax(0, demand_wh - estate->sinks[s].heat_limit_w * b->slot_h);

        hs_sparselp_add_column(b->lp, scaled(least_wh), scaled(demand_wh),
                               is_cost ? hs_cur_from_wh(HS_BOUND_WH_PER_UNIT, b->worth[s]) : 1);
    }
    hs_sparselp_add_column(b->lp, 0, b->work->may_vcpu_h[slot] + BOUND_SLACK, 0);
    if ((b->flags & HS_BOUND_LATE) != 0) {
        hs_sparselp_add_column(b->lp, 0, INFINITY,
                               late_price * scaled(fmax(1, b->mean_w_per_vcpu)));
    }
}

/** E(slot) = E(slot - 1) - L + captured - (demand - B) - R. */
static void add_balance_row(struct hs_bound *b, size_t slot, size_t loop_idx)
{
    const struct hs_estate *estate = b->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    double known_wh = slot == 0 ? hs_tank_max_wh(&loop->tank) / 2 : 0;
    size_t row;

    for (size_t r = 0; r < estate->n_racks; r++) {
        if (estate->racks[r].loop_idx == loop_idx) {
            known_wh +=
                hs_bound_get_base_w(b, r, slot) * estate->racks[r].capture_ratio * b->slot_h;
        }
    }
    for (size_t s = loop->first_sink_idx; s < loop->first_sink_idx + loop->n_sinks; s++) {
        known_wh -= hs_bound_get_demand_wh(b, s, slot);
    }
    row = hs_sparselp_add_row(b->lp, scaled(known_wh), scaled(known_wh));
    hs_sparselp_set(b->lp, row, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_ENERGY), 1);
    hs_sparselp_set(b->lp, row, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_LOST), 1);
    hs_sparselp_set(b->lp, row, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_REJECTED), 1);
    if (slot > 0) {
        hs_sparselp_set(b->lp, row,
                        hs_bound_get_loop_column(b, slot - 1, loop_idx, HS_BOUND_ENERGY), -1);
    }
    for (size_t k = 0; k < b->n_classes; k++) {
        if (b->classes[k].loop_idx == loop_idx) {
            hs_sparselp_set(
                b->lp, row, hs_bound_get_busy_column(b, slot, k),
                -scaled(b->classes[k].elec_w_per_vcpu * b->classes[k].capture_ratio * b->slot_h));
        }
    }
    for (size_t s = loop->first_sink_idx; s < loop->first_sink_idx + loop->n_sinks; s++) {
        hs_sparselp_set(b->lp, row, hs_bound_get_sink_column(b, slot, s), -1);
    }
}

/** lower_wh <= L(slot) - slope·E(slot - 1) <= upper_wh. */
static void add_loss_row(struct hs_bound *b, size_t slot, size_t loop_idx, double slope,
                         double lower_wh, double upper_wh)
{
    double start_wh = hs_tank_max_wh(&b->scenario->estate->loops[loop_idx].tank) / 2;
    double known_wh = slot == 0 ? slope * start_wh : 0;
    size_t row =
        hs_sparselp_add_row(b->lp, scaled(lower_wh + known_wh), scaled(upper_wh + known_wh));

    hs_sparselp_set(b->lp, row, hs_bound_get_loop_column(b, slot, loop_idx, HS_BOUND_LOST), 1);
    if (slot > 0) {
        hs_sparselp_set(b->lp, row,
                        hs_bound_get_loop_column(b, slot - 1, loop_idx, HS_BOUND_ENERGY), -slope);
    }
}

static void add_loss_rows(struct hs_bound *b, size_t slot, size_t loop_idx)
{
    struct loss_lines lines = get_loss_lines(b, &b->scenario->estate->loops[loop_idx].tank);

    if (!(lines.max_wh > 0)) {
        return; /* the column is fixed at 0 */
    }
    if (lines.lower_slope > 0) {
        add_loss_row(b, slot, loop_idx, lines.lower_slope, 0, INFINITY);
    }
    if (lines.lower_wh > -INFINITY) {
        add_loss_row(b, slot, loop_idx, lines.slope, lines.lower_wh, INFINITY);
    }
    if (lines.upper_slope > 0) {
        add_loss_row(b, slot, loop_idx, lines.upper_slope, -INFINITY, lines.upper_wh);
    }
}

/** Work so far; what of it is due; no more at once than jobs are open. */
static void add_work_rows(struct hs_bound *b, size_t slot)
{
    bool has_late = (b->flags & HS_BOUND_LATE) != 0;
    double must = fmax(0, b->work->must_vcpu_h[slot] - BOUND_SLACK);
    size_t done = hs_sparselp_add_row(b->lp, 0, 0);
    size_t open = hs_sparselp_add_row(b->lp, -INFINITY, b->work->open_vcpus[slot] + BOUND_SLACK);

    hs_sparselp_set(b->lp, done, hs_bound_get_work_column(b, slot), 1);
    if (slot > 0) {
        hs_sparselp_set(b->lp, done, hs_bound_get_work_column(b, slot - 1), -1);
    }
    for (size_t k = 0; k < b->n_classes; k++) {
        hs_sparselp_set(b->lp, done, hs_bound_get_busy_column(b, slot, k), -b->slot_h);
        hs_sparselp_set(b->lp, open, hs_bound_get_busy_column(b, slot, k), 1);
    }
    if (!has_late) {
        b->lp->columns.items[hs_bound_get_work_column(b, slot)].lower = must;
        return;
    }
    size_t due = hs_sparselp_add_row(b->lp, must, INFINITY);

    hs_sparselp_set(b->lp, due, hs_bound_get_work_column(b, slot), 1);
    hs_sparselp_set(b->lp, due, hs_bound_get_late_column(b, slot), 1);
    if (slot > 0) { /* what is overdue may run although its jobs are past their due times */
        hs_sparselp_set(b->lp, open, hs_bound_get_late_column(b, slot - 1), -1 / b->slot_h);
    }
}

/**
 * One limit: the W of busy vCPUs of a rack, or of a site (the other is SIZE_MAX), up to what the
 * power that is drawn whatever runs leaves.
 */
static void add_limit_row(struct hs_bound *b, size_t slot, size_t rack_idx, size_t site_idx,
                          double room_w)
{
    double most_w = fmax(0, room_w) + HS_SIMROOM_SLACK_W;
    size_t row = hs_sparselp_add_row(b->lp, -INFINITY, scaled(most_w));

    for (size_t k = 0; k < b->n_classes; k++) {
        const struct hs_bound_class *class = &b->classes[k];

        if (rack_idx != SIZE_MAX ? class->rack_idx == rack_idx : class->site_idx == site_idx) {
            hs_sparselp_set(b->lp, row, hs_bound_get_busy_column(b, slot, k),
                            scaled(class->elec_w_per_vcpu));
        }
    }
}

/** Racks and grid connections whose hosts together can draw more than the limit. */
static void add_limit_rows(struct hs_bound *b, size_t slot)
{
    const struct hs_estate *estate = b->scenario->estate;

    for (size_t r = 0; r < estate->n_racks; r++) {
        if (hs_bound_can_bind(estate, r, 1, estate->racks[r].limit_w)) {
            add_limit_row(b, slot, r, SIZE_MAX,
                          estate->racks[r].limit_w - hs_bound_get_base_w(b, r, slot));
        }
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        const struct hs_site *site = &estate->sites[s];
        double room_w = site->limit_w;

        for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
            room_w -= hs_bound_get_base_w(b, r, slot);
        }
        if (hs_bound_can_bind(estate, site->first_rack_idx, site->n_racks, site->limit_w)) {
            add_limit_row(b, slot, SIZE_MAX, s, room_w);
        }
    }
}

static int check_estate(const struct hs_estate *estate, struct hs_err *err)
{
    for (size_t s = 0; s < estate->n_sinks; s++) {
        if (strcmp(estate->sinks[s].lift, "heat-pump") == 0) {
            return hs_err_set(err, HS_E_UNSUPPORTED, estate->sinks[s].path,
                              "no bound is known with lift 'heat-pump', which adds heat of its "
                              "own; leave the bounds out of the policies");
        }
    }
    return 0;
}

int hs_bound_new(const struct hs_scenario *scenario, const struct hs_trace *trace,
                 const struct hs_simjobs *jobs, unsigned flags, struct hs_bound **ret_bound,
                 struct hs_err *err)
{
    HS_AUTO(hs_bound) b = hs_xcalloc(1, sizeof(*b));
    int rc = check_estate(scenario->estate, err);

    if (rc != 0) {
        return rc;
    }
    b->scenario = scenario;
    b->trace = trace;
    b->jobs = jobs;
    b->flags = flags;
    b->slot_h = (double)scenario->slot_s / HS_S_PER_H;
    b->lp = hs_sparselp_new();
    hs_bound_set_estate(b);
    pour_jobs(b);
    b->n_columns_per_slot = 0;
    b->n_columns_per_slot = hs_bound_get_late_column(b, 0) + ((flags & HS_BOUND_LATE) != 0 ? 1 : 0);
    for (size_t t = 0; t < scenario->n_slots; t++) {
        add_columns(b, t);
    }
    for (size_t t = 0; t < scenario->n_slots; t++) {
        for (size_t l = 0; l < scenario->estate->n_loops; l++) {
            add_balance_row(b, t, l);
            add_loss_rows(b, t, l);
        }
        add_work_rows(b, t);
        add_limit_rows(b, t);
    }
    if ((flags & HS_BOUND_JOBS) != 0) {
        hs_bound_add_groups(b);
    }
    *ret_bound = HS_STEAL(b);
    return 0;
}

void hs_bound_free(struct hs_bound *bound)
{
    if (bound == NULL) {
        return;
    }
    hs_sparselp_free(bound->lp);
    hs_jobfluid_free(bound->work);
    free(bound->left_gco2_per_kwh);
    free(bound->left_worth);
    free(bound->worth);
    free(bound->rack_base_w);
    free(bound->classes);
    free(bound);
}
