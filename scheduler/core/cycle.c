/* SPDX-License-Identifier: Apache-2.0 */
/* cycle - what it is told, time and the step; see cycle.h. */
#include "scheduler/core/cycle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

/* --- what it is told --- */

void hs_cycle_set_signal(struct hs_cycle *cycle, size_t site_idx, enum hs_signal_kind kind,
                         const struct hs_series *series)
{
    cycle->signals[site_idx * HS_CYCLE_SIGNALS + kind] = series;
    cycle->elec_from_at_s = 0;
    cycle->is_plan_wanted = true;
}

const struct hs_series *hs_cycle_get_signal(const struct hs_cycle *cycle, size_t site_idx,
                                            enum hs_signal_kind kind)
{
    return cycle->signals[site_idx * HS_CYCLE_SIGNALS + kind];
}

void hs_cycle_close_host(struct hs_cycle *cycle, size_t host_idx, int64_t from_at_s,
                         int64_t until_at_s)
{
    struct hs_cycle_closure closure = {
        .host_idx = host_idx, .from_at_s = from_at_s, .until_at_s = until_at_s};

    (void)HS_VEC_PUSH(&cycle->closures, closure);
    cycle->is_plan_wanted = true;
}

void hs_cycle_set_maintenance(struct hs_cycle *cycle, const struct hs_maintenance *items, size_t n)
{
    size_t n_kept = 0;

    for (size_t i = 0; i < cycle->closures.n; i++) {
        if (cycle->closures.items[i].of_id == 0) {
            cycle->closures.items[n_kept++] = cycle->closures.items[i];
        }
    }
    cycle->closures.n = n_kept;
    cycle->boilers.n = 0;
    for (size_t i = 0; i < n; i++) {
        struct hs_cycle_boiler boiler = {hs_maintenance_find_sink(&items[i], cycle->estate),
                                         items[i].from_at_s, items[i].until_at_s, false};

        if (boiler.sink_idx != SIZE_MAX) {
            (void)HS_VEC_PUSH(&cycle->boilers, boiler);
        }
        for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
            struct hs_cycle_closure closure = {h, items[i].from_at_s, items[i].until_at_s,
                                               items[i].is_off, items[i].id};

            if (hs_maintenance_covers(&items[i], cycle->estate, h)) {
                (void)HS_VEC_PUSH(&cycle->closures, closure);
            }
        }
    }
    cycle->is_plan_wanted = true;
}

void hs_cycle_set_demand(struct hs_cycle *cycle, size_t sink_idx,
                         const struct hs_series *demand_heat_w)
{
    cycle->known_demand_w[sink_idx] = demand_heat_w;
    cycle->is_plan_wanted = true;
}

void hs_cycle_replan(struct hs_cycle *cycle)
{
    cycle->is_plan_wanted = true;
}

/* --- small helpers of the whole cycle --- */

void hs_cycle_add_live(struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    size_t entry_idx = (size_t)(entry - cycle->entries.items);
    size_t at = cycle->live.n;

    while (at > 0 && cycle->live.items[at - 1] > entry_idx) {
        at--;
    }
    if (at > 0 && cycle->live.items[at - 1] == entry_idx) {
        return;
    }
    (void)HS_VEC_PUSH(&cycle->live, entry_idx);
    for (size_t i = cycle->live.n - 1; i > at; i--) {
        cycle->live.items[i] = cycle->live.items[i - 1];
    }
    cycle->live.items[at] = entry_idx;
}

struct hs_cycle_entry *hs_cycle_find_entry(const struct hs_cycle *cycle, uint64_t job_id)
{
    size_t low = 0;
    size_t high = cycle->entries.n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (cycle->entries.items[mid].job->id < job_id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == cycle->entries.n || cycle->entries.items[low].job->id != job_id) {
        return NULL;
    }
    return &cycle->entries.items[low];
}

void hs_cycle_note(struct hs_cycle *cycle, const char *kind, const char *subject, const char *fmt,
                   ...)
{
    struct hs_note note = {.at_s = cycle->now_at_s};
    va_list ap;

    snprintf(note.kind, sizeof(note.kind), "%s", kind);
    snprintf(note.subject, sizeof(note.subject), "%s", subject);
    va_start(ap, fmt);
    vsnprintf(note.text, sizeof(note.text), fmt, ap);
    va_end(ap);
    (void)HS_VEC_PUSH(&cycle->notes, note);
}

void hs_cycle_set_state(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                        enum hs_job_state state, int64_t at_s)
{
    struct hs_job *job = entry->job;
    enum hs_job_state before = job->state;
    struct hs_err err;
    char subject[32];

    snprintf(subject, sizeof(subject), "%llu", (unsigned long long)job->id);
    if (hs_jobstate_apply(job, state, at_s, &err) != 0) {
        hs_cycle_note(cycle, "job", subject, "%s", err.text);
        return;
    }
    if (before != job->state) {
        entry->is_changed = true;
        if (hs_job_is_over(job)) {
            hs_cycle_count_over(cycle, job);
        }
        hs_cycle_foresee_change(cycle, entry, before);
        hs_cycle_note(cycle, "job", subject, "%s -> %s%s%s", hs_job_state_word(before),
                      hs_job_state_word(job->state), job->why[0] != '\0' ? ": " : "", job->why);
    }
}

uint32_t hs_cycle_get_base_vcpus(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_cycle_host *host = &cycle->hosts[host_idx];
    uint32_t foreign = 0;

    for (size_t i = 0; i < host->machines.n; i++) {
        const struct hs_machine *machine = &host->machines.items[i];

        if (machine->job_id == 0 && machine->state != HS_MACHINE_SHUT_OFF) {
            foreign += machine->vcpus;
        }
    }
    uint32_t pinned = cycle->estate->hosts[host_idx].pinned_vcpus;

    return foreign > pinned ? foreign : pinned;
}

uint32_t hs_cycle_get_busy_vcpus(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_cycle_host *host = &cycle->hosts[host_idx];
    uint32_t busy = hs_cycle_get_base_vcpus(cycle, host_idx);

    for (size_t i = 0; i < host->machines.n; i++) {
        if (host->machines.items[i].job_id != 0
            && host->machines.items[i].state == HS_MACHINE_RUNNING) {
            busy += host->machines.items[i].vcpus;
        }
    }
    return busy;
}

double hs_cycle_get_host_elec_w(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];

    return hs_host_elec_w(host, hs_cycle_get_busy_vcpus(cycle, host_idx))
           - hs_cycle_get_unused_vcpus(cycle, host_idx) * hs_host_elec_w_per_vcpu(host);
}

void hs_cycle_get_prices(const struct hs_cycle *cycle, size_t site_idx, int64_t at_s,
                         struct hs_ledger_prices *ret_prices)
{
    const struct hs_site *site = &cycle->estate->sites[site_idx];
    const struct hs_series *price = hs_cycle_get_signal(cycle, site_idx, HS_SIGNAL_PRICE);
    const struct hs_series *carbon = hs_cycle_get_signal(cycle, site_idx, HS_SIGNAL_CARBON);
    double price_now = price != NULL ? hs_series_get_expected(price, at_s) : NAN;
    double carbon_now = carbon != NULL ? hs_series_get_expected(carbon, at_s) : NAN;

    ret_prices->price_cur_per_mwh = isnan(price_now) ? site->price_cur_per_mwh : price_now;
    ret_prices->gco2_per_kwh = isnan(carbon_now) ? site->gco2_per_kwh : carbon_now;
}

/* --- time --- */

/* Everything has gone on as it was until @at_s: book it. */
static void run_until(struct hs_cycle *cycle, int64_t at_s)
{
    const struct hs_estate *estate = cycle->estate;
    HS_AUTO_MEM double *host_elec_w = hs_xcalloc(estate->n_hosts, sizeof(double));
    HS_AUTO_MEM struct hs_ledger_prices *prices = hs_xcalloc(estate->n_sites, sizeof(*prices));

    if (at_s > cycle->now_at_s) {
        for (size_t h = 0; h < estate->n_hosts; h++) {
            host_elec_w[h] = hs_cycle_get_host_elec_w(cycle, h);
            hs_cycle_learn_base(cycle, h, at_s);
        }
        for (size_t s = 0; s < estate->n_sites; s++) {
            hs_cycle_get_prices(cycle, s, cycle->now_at_s, &prices[s]);
        }
        hs_ledger_run(cycle->ledger, at_s, host_elec_w, prices);
        cycle->now_at_s = at_s;
        hs_arrivals_advance(&cycle->arrivals, at_s);
    }
    hs_estimator_close(cycle->estimator, cycle->now_at_s, hs_cycle_close_slot, cycle);
}

/* --- the step --- */

static bool is_plan_due(const struct hs_cycle *cycle)
{
    int64_t slot_at_s = cycle->now_at_s - cycle->now_at_s % cycle->estate->slot_s;

    return !cycle->has_plan || cycle->is_plan_wanted || slot_at_s != cycle->plan_from_at_s
           || (cycle->has_news && cycle->now_at_s - cycle->planned_at_s >= HS_CYCLE_REPLAN_S);
}

static void fill_decision(struct hs_cycle *cycle, bool planned, struct hs_decision *ret_decision)
{
    int64_t slot_end_at_s =
        cycle->now_at_s - cycle->now_at_s % cycle->estate->slot_s + cycle->estate->slot_s;
    int64_t replan_at_s = cycle->has_news ? cycle->planned_at_s + HS_CYCLE_REPLAN_S : slot_end_at_s;
    size_t n_live = 0;

    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        if (entry->is_changed) {
            entry->is_changed = false;
            (void)HS_VEC_PUSH(&cycle->changed_ids, entry->job->id);
        }
        if (!hs_job_is_over(entry->job) || entry->op_id != 0 || entry->is_op_unknown) {
            cycle->live.items[n_live++] = cycle->live.items[i];
        }
        if (!hs_job_is_over(entry->job) && entry->retry_at_s > cycle->now_at_s
            && entry->retry_at_s < replan_at_s) {
            replan_at_s = entry->retry_at_s;
        }
    }
    cycle->live.n = n_live;
    *ret_decision = (struct hs_decision){
        .actions = cycle->actions.items,
        .n_actions = cycle->actions.n,
        .changed_job_ids = cycle->changed_ids.items,
        .n_changed_job_ids = cycle->changed_ids.n,
        .notes = cycle->notes.items,
        .n_notes = cycle->notes.n,
        .wake_at_s = slot_end_at_s < replan_at_s ? slot_end_at_s : replan_at_s,
        .planned = planned,
    };
}

/* What a plan did not count with. New jobs are inserted at once, and need no other plan. */
static bool is_news(const struct hs_event *event)
{
    switch (event->kind) {
    case HS_EVENT_JOB:
    case HS_EVENT_MACHINE_CHANGED:
    case HS_EVENT_MACHINE_ENDED: /* news if it ended before its time: see cycle_observe.c */
        return false;
    case HS_EVENT_ACTION_DONE:
        return event->rc != 0;
    default:
        return true;
    }
}

void hs_cycle_step(struct hs_cycle *cycle, int64_t now_at_s, const struct hs_event *events,
                   size_t n_events, struct hs_decision *ret_decision)
{
    bool planned = false;

    cycle->actions.n = 0;
    cycle->changed_ids.n = 0;
    cycle->notes.n = 0;
    for (size_t i = 0; i < n_events; i++) {
        run_until(cycle, events[i].at_s < now_at_s ? events[i].at_s : now_at_s);
        hs_cycle_observe(cycle, &events[i]);
        cycle->has_news |= is_news(&events[i]);
    }
    run_until(cycle, now_at_s);
    hs_cycle_watch_loops(cycle);
    hs_cycle_follow(cycle);
    if (cycle->options.has_no_planner) {
        hs_cycle_run_thermostat(cycle);
    } else if (cycle->is_insert_wanted && !is_plan_due(cycle)) {
        hs_cycle_insert_new(cycle);
    }
    if (!cycle->options.has_no_planner && is_plan_due(cycle)) {
        hs_cycle_make_plan(cycle);
        planned = true;
    }
    cycle->soft->are_breaches_stale = true;
    hs_cycle_dispatch(cycle);
    if (cycle->options.has_no_planner) {
        hs_cycle_end_thermostat(cycle);
    }
    fill_decision(cycle, planned, ret_decision);
}

/* --- looking --- */

const struct hs_job *hs_cycle_get_job(const struct hs_cycle *cycle, uint64_t job_id)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, job_id);

    return entry != NULL ? entry->job : NULL;
}

size_t hs_cycle_get_n_jobs(const struct hs_cycle *cycle)
{
    return cycle->entries.n;
}

const struct hs_job *hs_cycle_get_job_at(const struct hs_cycle *cycle, size_t i)
{
    return cycle->entries.items[i].job;
}

const struct hs_plan *hs_cycle_get_plan(const struct hs_cycle *cycle)
{
    return cycle->has_plan ? hs_place_get_plan(cycle->place) : NULL;
}

void hs_cycle_get_rack_elec_w(const struct hs_cycle *cycle, double *ret_rack_elec_w)
{
    memset(ret_rack_elec_w, 0, cycle->estate->n_racks * sizeof(double));
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        ret_rack_elec_w[cycle->estate->hosts[h].rack_idx] += hs_cycle_get_host_elec_w(cycle, h);
    }
}

void hs_cycle_get_account(const struct hs_cycle *cycle, size_t site_idx,
                          struct hs_account *ret_account)
{
    hs_ledger_get_site(cycle->ledger, cycle->estimator, site_idx, ret_account);
}

const struct hs_machine *hs_cycle_get_machines(const struct hs_cycle *cycle, size_t host_idx,
                                               size_t *ret_n)
{
    *ret_n = cycle->hosts[host_idx].machines.n;
    return cycle->hosts[host_idx].machines.items;
}
