/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_thermostat - what runs where nobody plans: the rule of docs/simulator.md, thermostat.
 *
 * Earliest latest start first; work starts while its loop's tank is below half or more is wanted
 * than captured, on the neediest loop, and at its latest start wherever there is room. While a tank
 * is nearly full and more is captured than wanted, what has most time is suspended. It fills in
 * placements of this moment alone; dispatch and guard treat them as they do a plan's.
 */
#include <math.h>
#include <stdlib.h>

#include "scheduler/core/cycle_priv.h"

#define COLD_RATIO 0.50
#define FULL_RATIO 0.95

/** A loop at this moment, with what this step adds and takes away. */
struct need {
    double tank_ratio; /* NAN: no tank, or nobody knows */
    double captured_w;
    double demand_w; /* 0 while unknown: no heat is made that nobody asked for */
};

struct room {
    double vcpus; /* free, and not given away in this step; below 0: closed */
};

struct thermostat {
    struct hs_cycle *cycle;
    struct need *needs; /* [n_loops] */
    struct room *rooms; /* [n_hosts] */
};

static double latest_start_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    return (double)entry->due_at_s - hs_cycle_get_remaining_s(cycle, entry)
           - (double)cycle->estate->slot_s;
}

static bool is_closed(const struct hs_cycle *cycle, size_t host_idx)
{
    bool is_closed = false;

    for (size_t i = 0; i < cycle->closures.n && !is_closed; i++) {
        const struct hs_cycle_closure *closure = &cycle->closures.items[i];

        is_closed = closure->host_idx == host_idx && closure->from_at_s <= cycle->now_at_s
                    && closure->until_at_s > cycle->now_at_s;
    }
    return is_closed;
}

static void fill_needs(struct thermostat *th)
{
    const struct hs_cycle *cycle = th->cycle;

    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        double max_wh = hs_tank_max_wh(&cycle->estate->loops[l].tank);
        double demand_w = hs_estimator_get_demand_w(cycle->estimator, l);
        bool is_off = hs_cycle_find_off_sink(cycle, l, NULL) || !cycle->loops[l].has_credit;

        th->needs[l] = (struct need){
            .tank_ratio = max_wh > 0 && !isnan(cycle->estimator->loops[l].tank_c.value)
                              ? hs_cycle_get_tank_wh(cycle, l) / max_wh
                              : (double)NAN,
            .captured_w = hs_cycle_get_modelled_w(cycle, l),
            .demand_w = isnan(demand_w) || is_off ? 0.0 : demand_w,
        };
    }
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        bool is_open = cycle->hosts[h].is_up && !is_closed(cycle, h);

        th->rooms[h].vcpus = is_open ? (double)cycle->estate->hosts[h].vcpus
                                           - (double)hs_cycle_get_busy_vcpus(cycle, h)
                                     : -1.0;
    }
}

static bool wants_heat(const struct need *need)
{
    return need->tank_ratio < COLD_RATIO || need->demand_w > need->captured_w;
}

static bool has_too_much(const struct need *need)
{
    return !(need->tank_ratio <= FULL_RATIO) && need->captured_w > need->demand_w;
}

static double job_heat_w(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         size_t host_idx)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];

    return entry->job->vcpus * hs_host_elec_w_per_vcpu(host)
           * cycle->estate->racks[host->rack_idx].capture_ratio;
}

/* The host on the neediest loop with room; with @is_forced also where no heat is wanted. */
static size_t find_host(const struct thermostat *th, const struct hs_cycle_entry *entry,
                        bool is_forced)
{
    const struct hs_estate *estate = th->cycle->estate;
    double best_w = -INFINITY;
    size_t best = SIZE_MAX;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct need *need = &th->needs[estate->hosts[h].loop_idx];
        double short_w = need->demand_w - need->captured_w;
        bool is_allowed = entry->host_idx != SIZE_MAX
                              ? entry->host_idx == h
                              : entry->site_allowed[estate->hosts[h].site_idx];

        if (is_allowed && th->rooms[h].vcpus >= entry->job->vcpus && (is_forced || wants_heat(need))
            && short_w > best_w) {
            best_w = short_w;
            best = h;
        }
    }
    return best;
}

/* It runs on @host_idx in this slot, or @runs false: it waits there. */
static void place(struct hs_cycle_entry *entry, size_t host_idx, bool runs, bool is_forced)
{
    entry->is_placed = true;
    entry->placement = (struct hs_placement){.job_id = entry->job->id,
                                             .host_idx = host_idx,
                                             .slots = {runs ? 3U : 2U},
                                             .first_slot = runs ? 0 : 1,
                                             .held_slot = runs ? 0 : 1,
                                             .last_slot = 1,
                                             .is_forced = is_forced};
}

static bool is_running(const struct hs_cycle_entry *entry)
{
    return entry->host_idx != SIZE_MAX
           && (entry->job->state == HS_JOB_RUNNING || entry->job->state == HS_JOB_STARTING);
}

static void start_one(struct thermostat *th, struct hs_cycle_entry *entry)
{
    struct hs_cycle *cycle = th->cycle;
    const struct hs_job *other = NULL;
    bool waits = entry->job->state == HS_JOB_WAITING || entry->job->state == HS_JOB_SUSPENDED;
    bool is_forced = entry->job->now || !hs_cycle_may_wait(cycle, entry)
                     || (entry->job->base_class != HS_CLASS_FILLER
                         && (double)cycle->now_at_s >= latest_start_s(cycle, entry));
    size_t host_idx;

    if (!waits || entry->job->cancel_wanted || entry->job->earliest_at_s > cycle->now_at_s
        || hs_cycle_check_after(cycle, entry->job, &other) != HS_CYCLE_AFTER_MET) {
        return;
    }
    if (entry->job->base_class == HS_CLASS_FILLER) {
        is_forced = false;
    }
    host_idx = find_host(th, entry, is_forced);
    if (host_idx == SIZE_MAX) {
        return;
    }
    place(entry, host_idx, true, is_forced);
    th->rooms[host_idx].vcpus -= entry->job->vcpus;
    th->needs[cycle->estate->hosts[host_idx].loop_idx].captured_w +=
        job_heat_w(cycle, entry, host_idx);
}

static void stop_one(struct thermostat *th, struct hs_cycle_entry *entry)
{
    struct hs_cycle *cycle = th->cycle;
    struct need *need = &th->needs[cycle->estate->hosts[entry->host_idx].loop_idx];
    bool is_filler = entry->job->base_class == HS_CLASS_FILLER;
    bool must_go_on =
        !is_filler
        && ((double)cycle->now_at_s >= latest_start_s(cycle, entry) || !entry->job->interruptible
            || entry->job->now || cycle->now_at_s - entry->job->since_at_s < entry->job->min_run_s);

    if (must_go_on || !has_too_much(need)) {
        place(entry, entry->host_idx, true, must_go_on);
        return;
    }
    need->captured_w -= job_heat_w(cycle, entry, entry->host_idx);
    place(entry, is_filler ? SIZE_MAX : entry->host_idx, false, false);
}

/** A live job and its latest start. */
struct turn {
    size_t live_idx;
    double start_s;
};

static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left;
    const struct turn *b = right;

    if (a->start_s != b->start_s) {
        return a->start_s < b->start_s ? -1 : 1;
    }
    return (a->live_idx > b->live_idx) - (a->live_idx < b->live_idx);
}

void hs_cycle_run_thermostat(struct hs_cycle *cycle)
{
    HS_AUTO_MEM struct need *needs = hs_xcalloc(cycle->estate->n_loops, sizeof(*needs));
    HS_AUTO_MEM struct room *rooms = hs_xcalloc(cycle->estate->n_hosts, sizeof(*rooms));
    HS_AUTO_MEM struct turn *turns = hs_xcalloc(cycle->live.n + 1, sizeof(*turns));
    struct thermostat th = {cycle, needs, rooms};

    fill_needs(&th);
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        entry->is_placed = false;
        turns[i] = (struct turn){i, latest_start_s(cycle, entry)};
    }
    qsort(turns, cycle->live.n, sizeof(*turns), compare_turns);
    for (size_t i = cycle->live.n; i-- > 0;) { /* most time left first */
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, turns[i].live_idx);

        if (is_running(entry)) {
            stop_one(&th, entry);
        }
    }
    for (size_t i = 0; i < cycle->live.n; i++) {
        start_one(&th, hs_cycle_get_live(cycle, turns[i].live_idx));
    }
    cycle->planned_at_s = cycle->now_at_s;
    cycle->has_news = false;
    cycle->is_insert_wanted = false;
    cycle->is_plan_wanted = false;
}

void hs_cycle_end_thermostat(struct hs_cycle *cycle)
{
    for (size_t i = 0; i < cycle->live.n; i++) {
        hs_cycle_get_live(cycle, i)->is_placed = false;
    }
}
