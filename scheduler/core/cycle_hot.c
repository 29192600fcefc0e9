/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_hot - see cycle_hot.h. */
#include "scheduler/core/cycle_hot.h"

#include <math.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/shed.h"

#define MORE_RATIO 0.5

static bool is_hot(const struct hs_cycle *cycle, size_t loop_idx)
{
    return cycle->loops[loop_idx].state.holds[HS_LOOPSTATE_OVER_TEMPERATURE];
}

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

/* Runs on the loop, or is about to. */
static bool runs_there(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                       size_t loop_idx)
{
    return entry->host_idx != SIZE_MAX && cycle->estate->hosts[entry->host_idx].loop_idx == loop_idx
           && (entry->job->state == HS_JOB_RUNNING || entry->job->state == HS_JOB_STARTING);
}

static bool is_stopping(const struct hs_cycle_entry *entry)
{
    return entry->op_id != 0
           && (entry->op_kind == HS_ACTION_SUSPEND || entry->op_kind == HS_ACTION_DESTROY);
}

/* Electric power of the loop's hosts once what is stopping has stopped, and its heat. */
static double loop_elec_w(const struct hs_cycle *cycle, size_t loop_idx, double *ret_heat_w)
{
    double elec_w = 0.0;
    double heat_w = 0.0;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (host->loop_idx == loop_idx) {
            double host_w = hs_cycle_get_host_elec_w(cycle, h);

            elec_w += host_w;
            heat_w += host_w * cycle->estate->racks[host->rack_idx].capture_ratio;
        }
    }
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live((struct hs_cycle *)cycle, i);

        if (is_stopping(entry) && runs_there(cycle, entry, loop_idx)) {
            double gone_w = job_elec_w(cycle, entry);

            elec_w -= gone_w;
            heat_w -= gone_w
                      * cycle->estate->racks[cycle->estate->hosts[entry->host_idx].rack_idx]
                            .capture_ratio;
        }
    }
    *ret_heat_w = heat_w;
    return elec_w;
}

/* Heat that somebody takes for sure. A rejection of which no limit is stated is none to count on.
 */
static double sure_takers_w(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    double sum_w = isfinite(loop->rejection_limit_w) ? loop->rejection_limit_w : 0.0;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        double demand_w = cycle->estimator->sinks[k].demand_w.value;
        bool is_off = hs_estimator_get_off_s(cycle->estimator, k, cycle->now_at_s) >= 0;

        sum_w += is_off || isnan(demand_w) ? 0.0 : demand_w;
    }
    return sum_w;
}

/* What could be stopped there, in W. */
static double sheddable_w(const struct hs_cycle *cycle, size_t loop_idx)
{
    double sum_w = 0.0;

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live((struct hs_cycle *)cycle, i);

        if (runs_there(cycle, entry, loop_idx) && is_sheddable(entry->job) && !is_stopping(entry)) {
            sum_w += job_elec_w(cycle, entry);
        }
    }
    return sum_w;
}

void hs_cycle_hot_watch(struct hs_cycle *cycle, size_t loop_idx)
{
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    double heat_w;
    double elec_w;

    if (!is_hot(cycle, loop_idx)) {
        loop->is_hot = false; /* at every step of every loop: no sums for those */
        return;
    }
    elec_w = loop_elec_w(cycle, loop_idx, &heat_w);
    double excess_w = elec_w * (1.0 - sure_takers_w(cycle, loop_idx) / fmax(heat_w, 1.0));

    if (!loop->is_hot) {
        loop->is_hot = true;
        loop->hot_at_s = cycle->now_at_s;
        loop->hot_cap_w = elec_w - fmax(0.0, excess_w);
    } else if (cycle->now_at_s - loop->hot_at_s >= HS_CYCLE_HOT_MORE_S
               && hs_estimator_get_hottest_c(cycle->estimator, loop_idx, cycle->now_at_s)
                      >= hs_heatloop_get_over_c(&cycle->estate->loops[loop_idx])) {
        loop->hot_at_s = cycle->now_at_s;
        loop->hot_cap_w = fmin(loop->hot_cap_w, elec_w - MORE_RATIO * sheddable_w(cycle, loop_idx));
    }
}

void hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx, hs_cycle_hot_entries *io_entries)
{
    HS_AUTO_MEM struct hs_shed_item *items = NULL;
    double heat_w;
    double over_w;
    size_t n = 0;

    if (!cycle->loops[loop_idx].is_hot) {
        return;
    }
    over_w = loop_elec_w(cycle, loop_idx, &heat_w) - cycle->loops[loop_idx].hot_cap_w;
    if (over_w < 0.5) {
        return;
    }
    items = hs_xcalloc(cycle->live.n, sizeof(*items));
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        if (runs_there(cycle, entry, loop_idx) && entry->job->state == HS_JOB_RUNNING
            && is_sheddable(entry->job) && entry->op_id == 0 && !entry->is_op_unknown) {
            items[n++] = (struct hs_shed_item){job_elec_w(cycle, entry), rank_of(entry->job), i};
        }
    }
    n = hs_shed_pick(items, n, over_w);
    for (size_t i = 0; i < n; i++) {
        (void)HS_VEC_PUSH(io_entries, hs_cycle_get_live(cycle, items[i].of));
    }
}

bool hs_cycle_hot_bars(const struct hs_cycle *cycle, const struct hs_job *job, size_t loop_idx)
{
    return is_sheddable(job) && cycle->loops[loop_idx].is_hot;
}

bool hs_cycle_hot_cap(const struct hs_cycle *cycle, double *io_cap_w)
{
    bool has_any = false;

    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        double heat_w;

        if (cycle->loops[l].is_hot) {
            /* above what it draws now: nothing more is stopped for the plan's sake */
            io_cap_w[l] = fmin(io_cap_w[l], 1.0 + loop_elec_w(cycle, l, &heat_w));
            has_any = true;
        }
    }
    return has_any;
}
