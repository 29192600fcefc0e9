/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thermal - backward over the value functions, forward over the tank; see thermal.h.
 *
 * V_t is non-increasing where heat is wanted and rises only by the cost of dumping. A breakpoint
 * of V_t is a tank energy from which the slot ends on a breakpoint of V_t+1, on the tank's floor
 * or ceiling, or with a sink just served: each is found by inverting the slot's monotone map
 * E -> E', so the new list comes out sorted and is merged where its slope does not change.
 */
#include "scheduler/core/thermal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/* Breakpoints a slot may keep. Each slot adds at most n_sinks + 4 and loses those that leave the
 * tank; past this the two nearest are merged, which the cost notices in its last digits. */
#define POINTS_MAX 512

#define SCALE_SLOTS 4.0  /* demand of so many slots counts as store beside the tank */
#define PROBE_RATIO 1e-3 /* of the scale: how much heat a slot's price is asked for */

struct curve {
    double *at_wh; /* [n] ascending, first 0, last the full tank */
    double *cur;   /* [n] cost to go */
    double *slope; /* [n - 1] cur per Wh from point i to point i + 1 */
    size_t n;
};

/* One slot's figures, apart from the tank. */
struct slot {
    double captured_wh;
    double demand_wh; /* all sinks, servable */
    double reject_cur_per_wh;
};

struct hs_thermal {
    size_t n_slots;
    size_t n_sinks;
    double tank_max_wh;
    double loss_a_w;        /* W lost at min_c */
    double loss_b_w_per_wh; /* W lost per stored Wh */
    double charge_limit_w;
    double draw_limit_w;

    double slot_s;
    double loss_a_wh;
    double loss_b_ratio;
    double charge_max_wh;
    double draw_max_wh;
    double end_cur_per_wh;
    size_t *by_worth;       /* [n_sinks] sink indices, least worthy first */
    double *cur_per_wh;     /* [n_sinks] in that order */
    double *sink_demand_wh; /* [n_slots][n_sinks] in that order */
    struct slot *slots;     /* [n_slots] */
    struct curve *curves;   /* [n_slots + 1] */
    double *tank_wh;        /* [n_slots + 1] on the present course */
    double *candidates_wh;  /* scratch, [POINTS_MAX + n_sinks + 8] */

    double slack_cur;    /* how far a slot's curve may stray from the exact one */
    size_t unfollowed;   /* no heat was laid before this slot since the course was followed */
    size_t n_unfollowed; /* and none from this one on; 0: the course is right */
    size_t n_unsettled;  /* curves 0..n_unsettled-1 know less than the slots do */
    double unsettled_wh; /* heat that they do not know of */
    double scale_wh;     /* a full tank and an hour or so of mean demand */
    double *prices;      /* [n_slots] cur/Wh, as of the last solve */
    bool is_price_stale;
};

struct hs_thermal *hs_thermal_new(const struct hs_heatloop *loop, size_t n_sinks, size_t n_slots)
{
    struct hs_thermal *th = hs_xcalloc(1, sizeof(*th));
    const struct hs_tank *tank = &loop->tank;

    th->n_slots = n_slots;
    th->n_sinks = n_sinks;
    th->tank_max_wh = tank->present ? hs_tank_max_wh(tank) : 0.0;
    if (th->tank_max_wh > 0) {
        th->loss_a_w = tank->loss_w_per_k * (tank->min_c - tank->ambient_c);
        th->loss_b_w_per_wh = tank->loss_w_per_k / (tank->volume_l * HS_WATER_WH_PER_L_K);
    }
    th->charge_limit_w = tank->present ? tank->charge_limit_w : INFINITY;
    th->draw_limit_w = tank->present ? tank->draw_limit_w : INFINITY;
    th->by_worth = hs_xcalloc(n_sinks, sizeof(*th->by_worth));
    th->cur_per_wh = hs_xcalloc(n_sinks, sizeof(*th->cur_per_wh));
    th->sink_demand_wh = hs_xcalloc(n_sinks * n_slots, sizeof(*th->sink_demand_wh));
    th->slots = hs_xcalloc(n_slots, sizeof(*th->slots));
    th->tank_wh = hs_xcalloc(n_slots + 1, sizeof(*th->tank_wh));
    th->candidates_wh = hs_xcalloc(POINTS_MAX + n_sinks + 8, sizeof(*th->candidates_wh));
    th->prices = hs_xcalloc(n_slots, sizeof(*th->prices));
    th->curves = hs_xcalloc(n_slots + 1, sizeof(*th->curves));
    for (size_t t = 0; t <= n_slots; t++) {
        th->curves[t].at_wh = hs_xcalloc(POINTS_MAX, sizeof(double));
        th->curves[t].cur = hs_xcalloc(POINTS_MAX, sizeof(double));
        th->curves[t].slope = hs_xcalloc(POINTS_MAX, sizeof(double));
    }
    return th;
}

void hs_thermal_free(struct hs_thermal *th)
{
    if (th == NULL) {
        return;
    }
    for (size_t t = 0; t <= th->n_slots; t++) {
        free(th->curves[t].slope);
        free(th->curves[t].cur);
        free(th->curves[t].at_wh);
    }
    free(th->curves);
    free(th->prices);
    free(th->candidates_wh);
    free(th->tank_wh);
    free(th->slots);
    free(th->sink_demand_wh);
    free(th->cur_per_wh);
    free(th->by_worth);
    free(th);
}

/* fmin() and fmax() mind NAN, which never comes here, and cost a call in the innermost loop. */
static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* --- one slot of the plant --- */

/* Energy left after the slot's loss; never below 0, never more than before. */
static double keep_after_loss(const struct hs_thermal *th, double stored_wh)
{
    double loss_wh = th->loss_a_wh + th->loss_b_ratio * stored_wh;

    return stored_wh - smaller(larger(loss_wh, 0.0), stored_wh);
}

/* The stored energy that keep_after_loss() turns into @kept_wh (> 0). */
static double stored_before_loss(const struct hs_thermal *th, double kept_wh)
{
    if (th->loss_a_wh + th->loss_b_ratio * kept_wh <= 0.0) {
        return kept_wh; /* colder than its surroundings: no loss is counted */
    }
    return (kept_wh + th->loss_a_wh) / (1.0 - th->loss_b_ratio);
}

/* Cost of leaving @unserved_wh to backup: the least worthy sinks go without first. */
static double price_unserved(const struct hs_thermal *th, size_t t, double unserved_wh)
{
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double cost_cur = 0.0;

    for (size_t k = 0; k < th->n_sinks && unserved_wh > 0; k++) {
        double part_wh = smaller(unserved_wh, demand_wh[k]);

        cost_cur += part_wh * th->cur_per_wh[k];
        unserved_wh -= part_wh;
    }
    return cost_cur;
}

/* Run slot @t from @stored_wh with @captured_wh; the tank at its end and the slot's cost. */
static double run_slot(const struct hs_thermal *th, size_t t, double stored_wh, double captured_wh,
                       double *ret_cost_cur, double *ret_rejected_wh)
{
    const struct slot *slot = &th->slots[t];
    double kept_wh = keep_after_loss(th, stored_wh);
    double over_wh = captured_wh - slot->demand_wh;

    if (over_wh >= 0) {
        double charge_wh = smaller(smaller(over_wh, th->charge_max_wh), th->tank_max_wh - kept_wh);

        charge_wh = larger(charge_wh, 0.0);
        *ret_rejected_wh = over_wh - charge_wh;
        *ret_cost_cur = *ret_rejected_wh * slot->reject_cur_per_wh;
        return kept_wh + charge_wh;
    }
    double draw_wh = smaller(smaller(-over_wh, th->draw_max_wh), kept_wh);

    *ret_rejected_wh = 0.0;
    *ret_cost_cur = price_unserved(th, t, -over_wh - draw_wh);
    return kept_wh - draw_wh;
}

/* --- curves --- */

/* Value between points @i and @i + 1, or at the ends beyond them. */
static double curve_between(const struct curve *curve, size_t i, double at_wh)
{
    at_wh = larger(smaller(at_wh, curve->at_wh[i + 1]), curve->at_wh[i]);
    return curve->cur[i] + curve->slope[i] * (at_wh - curve->at_wh[i]);
}

static double curve_read(const struct curve *curve, double at_wh)
{
    size_t low = 0;
    size_t high = curve->n - 1;

    if (curve->n == 1) {
        return curve->cur[0];
    }
    while (high - low > 1) {
        size_t mid = (low + high) / 2;

        if (curve->at_wh[mid] <= at_wh) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return curve_between(curve, low, at_wh);
}

/* The same for readings that come in ascending order: @io_low walks along. */
static double curve_read_next(const struct curve *curve, double at_wh, size_t *io_low)
{
    if (curve->n == 1) {
        return curve->cur[0];
    }
    while (*io_low + 2 < curve->n && curve->at_wh[*io_low + 1] <= at_wh) {
        ++*io_low;
    }
    return curve_between(curve, *io_low, at_wh);
}

/* Slopes from a curve's last kept point that pass every point since within the slack. */
struct cone {
    double low;
    double high;
};

/*
 * Append a point; drops the one before it where the line past it strays no further than the slack
 * from all that were dropped since the last kept one.
 */
static void curve_push(struct curve *curve, double at_wh, double cur, double slack_cur,
                       struct cone *cone)
{
    size_t n = curve->n;

    if (n == 0) {
        curve->at_wh[0] = at_wh;
        curve->cur[0] = cur;
        curve->n = 1;
        return;
    }
    double span_wh = at_wh - curve->at_wh[n - 1];

    if (span_wh < 1e-9) {
        return;
    }
    if (n >= 2) {
        double from_wh = at_wh - curve->at_wh[n - 2];
        double past = (cur - curve->cur[n - 2]) / from_wh;

        if ((past >= cone->low && past <= cone->high) || n == POINTS_MAX - 1) {
            n--;
            span_wh = from_wh;
        }
    }
    double slope = (cur - curve->cur[n - 1]) / span_wh;
    double give = larger(slack_cur, 1e-13 * (1.0 + fabs(cur))) / span_wh;

    if (n == curve->n) { /* the point before stays: a new cone from it */
        *cone = (struct cone){slope - give, slope + give};
    } else {
        cone->low = larger(cone->low, slope - give);
        cone->high = smaller(cone->high, slope + give);
    }
    curve->slope[n - 1] = slope;
    curve->at_wh[n] = at_wh;
    curve->cur[n] = cur;
    curve->n = n + 1;
}

/* Tank energies at which V_t may bend, ascending, 0 and full included. */
static size_t find_candidates(struct hs_thermal *th, size_t t)
{
    const struct slot *slot = &th->slots[t];
    const struct curve *next = &th->curves[t + 1];
    const double *demand_wh = &th->sink_demand_wh[t * th->n_sinks];
    double over_wh = slot->captured_wh - slot->demand_wh;
    double shift_wh = larger(smaller(over_wh, th->charge_max_wh), -th->draw_max_wh);
    double targets_wh[3] = {-shift_wh, th->tank_max_wh - shift_wh, 0.0};
    double *list = th->candidates_wh;
    size_t n = 0;

    /* Where the loss formula itself bends. */
    list[n++] = 0.0;
    if (th->loss_a_wh > 0) {
        list[n++] = th->loss_a_wh / (1.0 - th->loss_b_ratio);
    } else if (th->loss_b_ratio > 0) {
        list[n++] = -th->loss_a_wh / th->loss_b_ratio;
    }
    list[n++] = th->tank_max_wh;
    /* A sink just served: kept + captured = demand less what goes unserved. */
    double unserved_wh = 0.0;

    for (size_t k = 0; over_wh < 0 && k < th->n_sinks; k++) {
        unserved_wh += demand_wh[k];
        targets_wh[2] = -over_wh - unserved_wh;
        if (targets_wh[2] > 0) {
            list[n++] = stored_before_loss(th, targets_wh[2]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (targets_wh[i] > 0) {
            list[n++] = stored_before_loss(th, targets_wh[i]);
        }
    }
    size_t n_own = n;

    for (size_t i = 0; i < next->n; i++) {
        double kept_wh = next->at_wh[i] - shift_wh;

        if (kept_wh > 0) {
            list[n++] = stored_before_loss(th, kept_wh);
        }
    }
    /* The shifted breakpoints are sorted already; sink the few of our own into place. */
    for (size_t i = 1; i < n; i++) {
        double value = list[i];
        size_t j = i;

        if (i >= n_own && list[i - 1] <= value) {
            continue;
        }
        while (j > 0 && list[j - 1] > value) {
            list[j] = list[j - 1];
            j--;
        }
        list[j] = value;
    }
    return n;
}

static void solve_slot(struct hs_thermal *th, size_t t)
{
    struct curve *curve = &th->curves[t];
    size_t n = find_candidates(th, t);
    size_t low = 0;
    struct cone cone = {0};

    curve->n = 0;
    for (size_t i = 0; i < n; i++) {
        double at_wh = th->candidates_wh[i];
        double rejected_wh;
        double cost_cur;

        if (at_wh < 0 || at_wh > th->tank_max_wh) {
            continue;
        }
        double end_wh = run_slot(th, t, at_wh, th->slots[t].captured_wh, &cost_cur, &rejected_wh);

        curve_push(curve, at_wh, cost_cur + curve_read_next(&th->curves[t + 1], end_wh, &low),
                   th->slack_cur, &cone);
    }
}

/* Backward from the last slot that the curves do not know. */
static void solve(struct hs_thermal *th)
{
    for (size_t t = th->n_unsettled; t-- > 0;) {
        solve_slot(th, t);
    }
    th->n_unsettled = 0;
    th->unsettled_wh = 0.0;
    th->is_price_stale = true;
}

/* The tank's course from where heat was laid on; where it meets the old course again, it ends. */
static void follow(struct hs_thermal *th)
{
    for (size_t t = th->unfollowed; t < th->n_slots && th->n_unfollowed > 0; t++) {
        double rejected_wh;
        double cost_cur;
        double end_wh =
            run_slot(th, t, th->tank_wh[t], th->slots[t].captured_wh, &cost_cur, &rejected_wh);

        if (t + 1 >= th->n_unfollowed && end_wh == th->tank_wh[t + 1]) {
            break;
        }
        th->tank_wh[t + 1] = end_wh;
    }
    th->n_unfollowed = 0;
    th->unfollowed = th->n_slots;
}

static void sort_by_worth(struct hs_thermal *th, const double *sink_cur_per_mwh)
{
    for (size_t k = 0; k < th->n_sinks; k++) {
        size_t j = k;

        while (j > 0 && sink_cur_per_mwh[th->by_worth[j - 1]] > sink_cur_per_mwh[k]) {
            th->by_worth[j] = th->by_worth[j - 1];
            j--;
        }
        th->by_worth[j] = k;
    }
    for (size_t k = 0; k < th->n_sinks; k++) {
        th->cur_per_wh[k] = sink_cur_per_mwh[th->by_worth[k]] * 1e-6;
    }
}

void hs_thermal_set(struct hs_thermal *th, const struct hs_thermal_input *input)
{
    struct curve *end = &th->curves[th->n_slots];
    struct cone cone = {0};
    double sum_wh = 0.0;

    th->slot_s = input->slot_s;
    th->loss_a_wh = hs_wh_from_w(th->loss_a_w, input->slot_s);
    th->loss_b_ratio = smaller(hs_wh_from_w(th->loss_b_w_per_wh, input->slot_s), 0.99);
    th->charge_max_wh = hs_wh_from_w(th->charge_limit_w, input->slot_s);
    th->draw_max_wh = hs_wh_from_w(th->draw_limit_w, input->slot_s);
    th->end_cur_per_wh = input->end_cur_per_wh;
    sort_by_worth(th, input->sink_cur_per_mwh);
    for (size_t t = 0; t < th->n_slots; t++) {
        double demand_wh = 0.0;

        for (size_t k = 0; k < th->n_sinks; k++) {
            double sink_wh = input->sink_demand_wh[th->by_worth[k] * th->n_slots + t];

            th->sink_demand_wh[t * th->n_sinks + k] = sink_wh;
            demand_wh += sink_wh;
        }
        sum_wh += demand_wh;
        th->slots[t] = (struct slot){
            .captured_wh = input->captured_wh[t],
            .demand_wh = demand_wh,
            .reject_cur_per_wh = input->reject_cur_per_wh[t],
        };
    }
    end->n = 0;
    th->scale_wh = th->tank_max_wh + sum_wh / (double)th->n_slots * SCALE_SLOTS;
    th->slack_cur = 0.0;
    if (input->slack_ratio > 0 && th->n_sinks > 0) {
        /* What an empty tank loses is a step in the cost of every slot: no slope in it. */
        double slack_wh = input->slack_ratio * th->scale_wh + larger(th->loss_a_wh, 0.0);

        th->slack_cur = slack_wh * fabs(th->cur_per_wh[th->n_sinks - 1]);
    }
    curve_push(end, 0.0, 0.0, 0.0, &cone);
    if (th->tank_max_wh > 0) {
        curve_push(end, th->tank_max_wh, -th->end_cur_per_wh * th->tank_max_wh, 0.0, &cone);
    }
    th->tank_wh[0] = smaller(larger(input->tank_wh, 0.0), th->tank_max_wh);
    th->n_unsettled = th->n_slots;
    th->unsettled_wh = INFINITY;
    th->unfollowed = 0;
    th->n_unfollowed = th->n_slots + 1; /* to the end, wherever it meets what was there */
    if (!input->is_lazy) {
        hs_thermal_settle(th, 0.0);
    }
}

void hs_thermal_lay(struct hs_thermal *th, size_t first, const double *extra_wh, size_t n)
{
    if (n == 0) {
        return;
    }
    assert(first + n <= th->n_slots);
    for (size_t i = 0; i < n; i++) {
        th->slots[first + i].captured_wh += extra_wh[i];
        th->unsettled_wh += fabs(extra_wh[i]);
    }
    if (first + n > th->n_unsettled) {
        th->n_unsettled = first + n;
    }
    if (first + n > th->n_unfollowed) {
        th->n_unfollowed = first + n;
    }
    if (first < th->unfollowed) {
        th->unfollowed = first;
    }
}

void hs_thermal_settle(struct hs_thermal *th, double spare_ratio)
{
    follow(th);
    if (th->n_unsettled > 0 && th->unsettled_wh >= spare_ratio * th->scale_wh) {
        solve(th);
    }
}

void hs_thermal_add(struct hs_thermal *th, size_t first, const double *extra_wh, size_t n)
{
    hs_thermal_lay(th, first, extra_wh, n);
    hs_thermal_settle(th, 0.0);
}

double hs_thermal_get_share(const struct hs_thermal *th, double heat_wh)
{
    return th->scale_wh > 0 ? heat_wh / th->scale_wh : INFINITY;
}

double hs_thermal_get_cost(const struct hs_thermal *th)
{
    return curve_read(&th->curves[0], th->tank_wh[0]);
}

double hs_thermal_get_price(const struct hs_thermal *th, size_t slot)
{
    return hs_thermal_get_worth(th, slot, 1.0) * 1e6;
}

double hs_thermal_get_worth(const struct hs_thermal *th, size_t slot, double extra_wh)
{
    return hs_thermal_get_run_worth(th, slot, &extra_wh, 1);
}

const double *hs_thermal_get_prices(struct hs_thermal *th, bool *ret_changed)
{
    double probe_wh = PROBE_RATIO * th->scale_wh;

    *ret_changed = th->is_price_stale;
    if (th->is_price_stale) {
        for (size_t t = 0; t < th->n_slots; t++) {
            th->prices[t] = probe_wh > 0 ? hs_thermal_get_worth(th, t, probe_wh) / probe_wh
                                         : hs_thermal_get_worth(th, t, 1.0);
        }
        th->is_price_stale = false;
    }
    return th->prices;
}

double hs_thermal_get_run_worth(const struct hs_thermal *th, size_t first, const double *extra_wh,
                                size_t n)
{
    double with_wh = th->tank_wh[first];
    double saved_cur = 0.0;

    /* both courses end on the same curve, which may not know of all heat that was laid before it */
    for (size_t i = 0; i < n; i++) {
        double captured_wh = th->slots[first + i].captured_wh;
        double rejected_wh;
        double with_cur;
        double without_cur;

        (void)run_slot(th, first + i, th->tank_wh[first + i], captured_wh, &without_cur,
                       &rejected_wh);
        with_wh =
            run_slot(th, first + i, with_wh, captured_wh + extra_wh[i], &with_cur, &rejected_wh);
        saved_cur += without_cur - with_cur;
    }
    return saved_cur + curve_read(&th->curves[first + n], th->tank_wh[first + n])
           - curve_read(&th->curves[first + n], with_wh);
}

double hs_thermal_get_tank_wh(const struct hs_thermal *th, size_t slot)
{
    return th->tank_wh[slot + 1];
}

double hs_thermal_get_rejected_wh(const struct hs_thermal *th, size_t slot)
{
    double rejected_wh;
    double cost_cur;

    (void)run_slot(th, slot, th->tank_wh[slot], th->slots[slot].captured_wh, &cost_cur,
                   &rejected_wh);
    return rejected_wh;
}
