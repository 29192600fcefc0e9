/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_hot - see cycle_hot.h. */
#include "scheduler/core/cycle_hot.h"

#include <math.h>
#include <stdio.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/shed.h"

#define MORE_RATIO 0.5

/** A loop, or one rack. */
struct scope {
    bool is_rack;
    size_t idx;
};

/* May it be stopped when heat is too much? Others are never touched, whatever the loop is like. */
static bool is_sheddable(const struct hs_job *job)
{
    return job->base_class == HS_CLASS_DEFERRABLE || job->base_class == HS_CLASS_ELASTIC
           || job->base_class == HS_CLASS_FILLER;
}

/* What says that it may be suspended goes before what does not. */
static int rank_of(const struct hs_job *job)
{
    return job->base_class == HS_CLASS_FILLER ? 0 : job->interruptible && !job->now ? 1 : 2;
}

static double job_elec_w(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    double share = entry->job->share > 0 ? entry->job->share : 1.0;

    return entry->job->vcpus * share
           * hs_host_elec_w_per_vcpu(&cycle->estate->hosts[entry->host_idx]);
}

static bool has_host(const struct hs_cycle *cycle, struct scope scope, size_t host_idx)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];

    return (scope.is_rack ? host->rack_idx : host->loop_idx) == scope.idx;
}

/* Runs there, or is about to. */
static bool runs_there(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                       struct scope scope)
{
    return entry->host_idx != SIZE_MAX && has_host(cycle, scope, entry->host_idx)
           && (entry->job->state == HS_JOB_RUNNING || entry->job->state == HS_JOB_STARTING);
}

static bool is_stopping(const struct hs_cycle_entry *entry)
{
    return entry->op_id != 0
           && (entry->op_kind == HS_ACTION_SUSPEND || entry->op_kind == HS_ACTION_DESTROY);
}

/* Electric power of its hosts once what is stopping has stopped, and its heat. */
static double scope_elec_w(const struct hs_cycle *cycle, struct scope scope, double *ret_heat_w)
{
    const struct hs_estate *estate = cycle->estate;
    double elec_w = 0.0;
    double heat_w = 0.0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        if (has_host(cycle, scope, h)) {
            double host_w = hs_cycle_get_host_elec_w(cycle, h);

            elec_w += host_w;
            heat_w += host_w * estate->racks[estate->hosts[h].rack_idx].capture_ratio;
        }
    }
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live((struct hs_cycle *)cycle, i);

        if (is_stopping(entry) && runs_there(cycle, entry, scope)) {
            double gone_w = job_elec_w(cycle, entry);

            elec_w -= gone_w;
            heat_w -= gone_w * estate->racks[estate->hosts[entry->host_idx].rack_idx].capture_ratio;
        }
    }
    *ret_heat_w = heat_w;
    return elec_w;
}

/* What could be stopped there, in W. */
static double sheddable_w(const struct hs_cycle *cycle, struct scope scope)
{
    double sum_w = 0.0;

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live((struct hs_cycle *)cycle, i);

        if (runs_there(cycle, entry, scope) && is_sheddable(entry->job) && !is_stopping(entry)) {
            sum_w += job_elec_w(cycle, entry);
        }
    }
    return sum_w;
}

/* --- how much is too much --- */

/* Heat that somebody takes for sure: the table of cycle_hot.h. INFINITY: all that comes. */
static double takers_w(const struct hs_cycle *cycle, size_t loop_idx, bool is_hot)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const bool *holds = cycle->loops[loop_idx].interlock.holds;
    bool is_standing =
        holds[HS_INTERLOCK_NO_FLOW] || holds[HS_INTERLOCK_LEAK] || holds[HS_INTERLOCK_EMERGENCY];
    bool has_limit = isfinite(loop->rejection_limit_w) && loop->rejection_limit_w > 0;
    double sum_w = has_limit ? loop->rejection_limit_w : 0.0;
    bool has_room = !isnan(hs_estimator_get_tank_wh(cycle->estimator, loop_idx))
                    && hs_cycle_get_tank_wh(cycle, loop_idx) < hs_tank_max_wh(&loop->tank);

    if (!has_limit && !is_hot && !is_standing) {
        return INFINITY;
    }
    if (is_standing || holds[HS_INTERLOCK_PUMP]) {
        return sum_w;
    }
    if (!is_hot && loop->tank.present && has_room) {
        return INFINITY;
    }
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        double demand_w = cycle->estimator->sinks[k].demand_w.value;
        bool is_off = hs_estimator_get_off_s(cycle->estimator, k, cycle->now_at_s) >= 0;

        sum_w += is_off || isnan(demand_w) ? 0.0 : demand_w;
    }
    return sum_w;
}

/* Whether @value_c is too hot, on and off as a loop's state is. */
static bool step_heat(struct hs_cycle_zone *zone, double value_c, double over_c, double mute_s,
                      int64_t now_at_s)
{
    const struct hs_loopstate_input input = {
        .tank_ratio = 0.0, .hottest_c = value_c, .over_c = over_c, .mute_s = mute_s};

    (void)hs_loopstate_step(&zone->heat, &input, now_at_s);
    return zone->heat.kind == HS_LOOPSTATE_OVER_TEMPERATURE;
}

static void set_cap(struct hs_cycle_zone *zone, double cap_w, int64_t now_at_s)
{
    zone->is_capped = true;
    zone->cap_w = cap_w;
    zone->capped_at_s = now_at_s;
}

/* It is hot: at first what the heat balance says, then half of what is left, while it stays so. */
static void cap_hot(struct hs_cycle *cycle, struct hs_cycle_zone *zone, struct scope scope,
                    double first_cap_w, bool is_over_still)
{
    double heat_w;
    double elec_w = scope_elec_w(cycle, scope, &heat_w);

    if (!zone->is_hot) {
        zone->is_hot = true;
        set_cap(zone, zone->is_capped ? fmin(zone->cap_w, first_cap_w) : first_cap_w,
                cycle->now_at_s);
    } else if (is_over_still && cycle->now_at_s - zone->capped_at_s >= HS_CYCLE_HOT_MORE_S) {
        set_cap(zone, fmin(zone->cap_w, elec_w - MORE_RATIO * sheddable_w(cycle, scope)),
                cycle->now_at_s);
    }
}

/* It may get hot: less at once, more only when that has been so for a while. */
static void cap_ahead(struct hs_cycle *cycle, struct hs_cycle_zone *zone, double cap_w)
{
    zone->is_hot = false;
    if (isinf(cap_w)) {
        zone->is_capped = false;
    } else if (!zone->is_capped || cap_w < zone->cap_w
               || cycle->now_at_s - zone->capped_at_s >= HS_CYCLE_HOT_MORE_S) {
        set_cap(zone, cap_w, cycle->now_at_s);
    }
}

void hs_cycle_hot_watch(struct hs_cycle *cycle, size_t loop_idx)
{
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    struct hs_cycle_zone *zone = &loop->zone;
    const struct scope scope = {false, loop_idx};
    double over_c = hs_heatloop_get_over_c(&cycle->estate->loops[loop_idx]);
    double hottest_c = hs_estimator_get_hottest_c(cycle->estimator, loop_idx, cycle->now_at_s);
    double mute_s = hs_estimator_get_mute_s(cycle->estimator, loop_idx, cycle->now_at_s);
    bool is_hot = step_heat(zone, hottest_c, over_c, mute_s, cycle->now_at_s);
    bool is_off = loop->state.holds[HS_LOOPSTATE_SINK_UNAVAILABLE];
    double heat_w;
    double ratio;

    if (!is_hot && !is_off) {
        zone->is_capped = false; /* at every step of every loop: no sums for those */
        zone->is_hot = false;
        return;
    }
    double elec_w = scope_elec_w(cycle, scope, &heat_w);

    ratio = takers_w(cycle, loop_idx, is_hot) / fmax(heat_w, 1.0);
    if (is_hot) {
        cap_hot(cycle, zone, scope, elec_w * fmin(1.0, ratio), hottest_c >= over_c);
    } else {
        cap_ahead(cycle, zone, elec_w * ratio);
    }
}

void hs_cycle_hot_watch_rack(struct hs_cycle *cycle, size_t rack_idx)
{
    struct hs_cycle_zone *zone = &cycle->racks[rack_idx];
    const struct scope scope = {true, rack_idx};
    double inlet_max_c = hs_rack_get_inlet_max_c(&cycle->estate->racks[rack_idx]);
    double inlet_c = hs_estimator_get_inlet_c(cycle->estimator, rack_idx, cycle->now_at_s);
    double mute_s = (double)(cycle->now_at_s - cycle->estimator->rack_inlet_c[rack_idx].at_s);
    double heat_w;

    if (!step_heat(zone, inlet_c, inlet_max_c, mute_s, cycle->now_at_s)) {
        zone->is_capped = false;
        zone->is_hot = false;
        return;
    }
    cap_hot(cycle, zone, scope,
            zone->is_hot
                ? 0.0
                : scope_elec_w(cycle, scope, &heat_w) - MORE_RATIO * sheddable_w(cycle, scope),
            inlet_c >= inlet_max_c);
}

/* --- what is stopped --- */

static void pick(struct hs_cycle *cycle, const struct hs_cycle_zone *zone, struct scope scope,
                 hs_cycle_hot_entries *io_entries)
{
    HS_AUTO_MEM struct hs_shed_item *items = NULL;
    double heat_w;
    double over_w;
    size_t n = 0;

    if (!zone->is_capped) {
        return;
    }
    over_w = scope_elec_w(cycle, scope, &heat_w) - zone->cap_w;
    if (over_w < 0.5) {
        return;
    }
    items = hs_xcalloc(cycle->live.n, sizeof(*items));
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        if (runs_there(cycle, entry, scope) && entry->job->state == HS_JOB_RUNNING
            && is_sheddable(entry->job) && entry->op_id == 0 && !entry->is_op_unknown) {
            items[n++] = (struct hs_shed_item){job_elec_w(cycle, entry), rank_of(entry->job), i};
        }
    }
    n = hs_shed_pick(items, n, over_w);
    for (size_t i = 0; i < n; i++) {
        (void)HS_VEC_PUSH(io_entries, hs_cycle_get_live(cycle, items[i].of));
    }
}

void hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx, hs_cycle_hot_entries *io_entries)
{
    pick(cycle, &cycle->loops[loop_idx].zone, (struct scope){false, loop_idx}, io_entries);
}

void hs_cycle_hot_pick_rack(struct hs_cycle *cycle, size_t rack_idx,
                            hs_cycle_hot_entries *io_entries)
{
    pick(cycle, &cycle->racks[rack_idx], (struct scope){true, rack_idx}, io_entries);
}

/* --- what may not start --- */

bool hs_cycle_hot_bars(const struct hs_cycle *cycle, const struct hs_job *job, size_t loop_idx)
{
    return is_sheddable(job) && cycle->loops[loop_idx].zone.is_capped;
}

bool hs_cycle_hot_check(const struct hs_cycle *cycle, const struct hs_job *job, size_t host_idx,
                        double loop_elec_w, char *ret_why, size_t size)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];
    const struct hs_cycle_zone *rack = &cycle->racks[host->rack_idx];
    const struct hs_cycle_loop *loop = &cycle->loops[host->loop_idx];
    const char *path = cycle->estate->loops[host->loop_idx].path;

    if (!is_sheddable(job)) {
        return true;
    }
    if (rack->is_capped) {
        snprintf(ret_why, size, "rack '%s' is too hot (%s)",
                 cycle->estate->racks[host->rack_idx].path, rack->heat.cause);
        return false;
    }
    if (loop->zone.is_hot) {
        snprintf(ret_why, size, "loop '%s' is too hot (%s)", path, loop->state.cause);
        return false;
    }
    if (loop->zone.is_capped
        && loop_elec_w + job->vcpus * hs_host_elec_w_per_vcpu(host) > loop->zone.cap_w) {
        snprintf(ret_why, size, "the heat of no more than %.0f W is taken from loop '%s' (%s)",
                 fmax(0.0, loop->zone.cap_w), path, loop->state.cause);
        return false;
    }
    return true;
}

static bool cap_zone(const struct hs_cycle *cycle, const struct hs_cycle_zone *zone,
                     struct scope scope, double *io_cap_w)
{
    double heat_w;
    double least_w;

    if (!zone->is_capped) {
        return false;
    }
    /* above what it draws now: nothing more is stopped for the plan's sake */
    least_w = 1.0 + scope_elec_w(cycle, scope, &heat_w);
    *io_cap_w = fmin(*io_cap_w, zone->is_hot ? least_w : fmax(least_w, zone->cap_w));
    return true;
}

bool hs_cycle_hot_cap(const struct hs_cycle *cycle, double *io_cap_w)
{
    const struct hs_estate *estate = cycle->estate;
    bool has_any = false;

    for (size_t l = 0; l < estate->n_loops; l++) {
        has_any |= cap_zone(cycle, &cycle->loops[l].zone, (struct scope){false, l}, &io_cap_w[l]);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        has_any |= cap_zone(cycle, &cycle->racks[r], (struct scope){true, r},
                            &io_cap_w[estate->n_loops + r]);
    }
    return has_any;
}
