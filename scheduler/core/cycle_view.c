/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_view - what people and programs see, in the shapes of docs/api.md. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

json_t *hs_cycle_format_job(const struct hs_cycle *cycle, uint64_t job_id, int64_t now_at_s)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, job_id);

    return entry != NULL ? hs_cycle_format_entry(cycle, entry, now_at_s) : NULL;
}

json_t *hs_cycle_format_entry(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                              int64_t now_at_s)
{
    json_t *object = hs_job_format(entry->job);
    bool has_place =
        entry->is_placed && entry->placement.host_idx != SIZE_MAX && !hs_job_is_over(entry->job);
    int64_t start_at_s;
    int64_t end_at_s;
    char cannot_meet[192];

    hs_cycle_get_window(cycle, entry, now_at_s, &start_at_s, &end_at_s);
    hs_cycle_format_cannot_meet(cycle, entry, cannot_meet, sizeof(cannot_meet));
    hs_jsonx_set_real(object, "ran_s", hs_jobstate_get_ran_s(entry->job, now_at_s));
    hs_jsonx_set_at(object, "planned_start", start_at_s);
    hs_jsonx_set_at(object, "planned_end", end_at_s);
    hs_jsonx_set_text(object, "planned_host",
                      has_place ? cycle->estate->hosts[entry->placement.host_idx].path : NULL);
    hs_jsonx_set_text(object, "cannot_meet", cannot_meet[0] != '\0' ? cannot_meet : NULL);
    hs_jsonx_set(object, "reasons", hs_cycle_format_reasons(cycle, entry, now_at_s));
    return object;
}

/* --- sites --- */

static double divide(double part, double whole)
{
    return whole != 0 ? part / whole : NAN;
}

static size_t count_running(const struct hs_cycle *cycle, size_t site_idx)
{
    size_t n = 0;

    for (size_t i = 0; i < cycle->entries.n; i++) {
        const struct hs_cycle_entry *entry = &cycle->entries.items[i];

        n += entry->job->state == HS_JOB_RUNNING && entry->host_idx != SIZE_MAX
             && cycle->estate->hosts[entry->host_idx].site_idx == site_idx;
    }
    return n;
}

json_t *hs_cycle_format_site(const struct hs_cycle *cycle, size_t site_idx)
{
    const struct hs_site *site = &cycle->estate->sites[site_idx];
    json_t *object = hs_jsonx_object();
    struct hs_ledger_prices prices;
    struct hs_account account;
    double it_w = 0.0;
    double demand_w = 0.0;
    int64_t n_hosts = 0;
    int64_t n_up = 0;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        if (cycle->estate->hosts[h].site_idx == site_idx) {
            it_w += hs_cycle_get_host_elec_w(cycle, h);
            n_hosts++;
            n_up += cycle->hosts[h].is_up;
        }
    }
    for (size_t l = site->first_loop_idx; l < site->first_loop_idx + site->n_loops; l++) {
        demand_w += hs_estimator_get_demand_w(cycle->estimator, l);
    }
    hs_cycle_get_prices(cycle, site_idx, cycle->now_at_s, &prices);
    hs_cycle_get_account(cycle, site_idx, &account);
    hs_jsonx_set_text(object, "name", site->name);
    hs_jsonx_set_real(object, "it_w", it_w);
    hs_jsonx_set_real(object, "demand_heat_w", demand_w);
    hs_jsonx_set_real(object, "demand_heat_wh", account.demand_heat_wh);
    hs_jsonx_set_real(object, "useful_heat_wh", account.useful_heat_wh);
    hs_jsonx_set_real(object, "recovery_ratio", divide(account.useful_heat_wh, account.it_wh));
    hs_jsonx_set_real(object, "coverage_ratio",
                      divide(account.useful_heat_wh, account.demand_heat_wh));
    hs_jsonx_set_real(object, "price_cur_per_mwh", prices.price_cur_per_mwh);
    hs_jsonx_set_real(object, "gco2_per_kwh", prices.gco2_per_kwh);
    hs_jsonx_set_real(object, "limit_w", site->limit_w);
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    hs_jsonx_set_int(object, "n_hosts", n_hosts);
    hs_jsonx_set_int(object, "n_hosts_up", n_up);
    hs_jsonx_set_int(object, "jobs_running", (int64_t)count_running(cycle, site_idx));
    hs_jsonx_set(object, "assumed", hs_assumed_format(&cycle->estate->assumed, site->name));
    return object;
}

/* --- loops --- */

static void add_seen(const struct hs_cycle *cycle, const struct hs_point *point,
                     const struct hs_estimator_value *value, json_t *readings)
{
    char path[HS_POINT_MAX];
    json_t *item = hs_jsonx_object();

    hs_reading_format_point(cycle->estate, point, path);
    hs_jsonx_set_text(item, "point", path);
    hs_jsonx_set_real(item, "value", value->value);
    hs_jsonx_set_at(item, "at", isnan(value->value) ? 0 : value->at_s);
    hs_jsonx_set_text(item, "quality", hs_reading_quality_word(value->quality));
    hs_jsonx_add(readings, item);
}

static json_t *format_readings(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    json_t *readings = hs_jsonx_array();

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        add_seen(cycle, &(struct hs_point){.kind = HS_POINT_DEMAND_HEAT_W, .thing_idx = k},
                 &cycle->estimator->sinks[k].demand_w, readings);
        add_seen(cycle, &(struct hs_point){.kind = HS_POINT_USEFUL_HEAT_WH, .thing_idx = k},
                 &cycle->estimator->sinks[k].useful_wh, readings);
    }
    if (loop->tank.present && seen->n_sensors == 0) {
        add_seen(
            cycle,
            &(struct hs_point){.kind = HS_POINT_TANK_C, .thing_idx = loop_idx, .height_ratio = 0.5},
            &seen->tank_c, readings);
    }
    for (size_t i = 0; i < seen->n_sensors; i++) {
        add_seen(cycle,
                 &(struct hs_point){.kind = HS_POINT_TANK_C,
                                    .thing_idx = loop_idx,
                                    .height_ratio = seen->sensors[i].height_ratio},
                 &seen->sensors[i].value, readings);
    }
    add_seen(cycle, &(struct hs_point){.kind = HS_POINT_CAPTURED_HEAT_WH, .thing_idx = loop_idx},
             &seen->captured_wh, readings);
    add_seen(cycle, &(struct hs_point){.kind = HS_POINT_REJECTED_HEAT_W, .thing_idx = loop_idx},
             &seen->rejected_w, readings);
    return readings;
}

static void set_loop_prices(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                            json_t *object)
{
    json_t *next = hs_jsonx_array();

    if (cycle->has_plan) {
        const struct hs_plan *plan = hs_place_get_plan(cycle->place);
        size_t first = hs_cycle_get_slot(cycle, now_at_s);
        size_t per_h = (size_t)fmax(1.0, HS_S_PER_H / (double)cycle->estate->slot_s);

        hs_jsonx_set_real(object, "heat_price_cur_per_mwh",
                          plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + first]);
        for (size_t t = first; t < cycle->n_slots && t < first + 24 * per_h; t += per_h) {
            json_t *item = hs_jsonx_object();

            hs_jsonx_set_at(item, "at", plan->from_at_s + (int64_t)t * plan->slot_s);
            hs_jsonx_set_real(item, "cur_per_mwh",
                              plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + t]);
            hs_jsonx_add(next, item);
        }
    }
    hs_jsonx_set(object, "price_next_h", next);
}

json_t *hs_cycle_format_loop(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_cycle_loop *state = &cycle->loops[loop_idx];
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    json_t *object = hs_jsonx_object();
    double tank_wh = hs_estimator_get_tank_wh(cycle->estimator, loop_idx);
    double tank_max_wh = hs_tank_max_wh(&loop->tank);

    hs_jsonx_set_text(object, "name", loop->path);
    hs_jsonx_set_text(object, "state", hs_loopstate_word(state->state.kind));
    hs_jsonx_set_at(object, "since", state->state.since_at_s);
    hs_jsonx_set_text(object, "cause", state->state.cause);
    hs_jsonx_set_real(object, "demand_heat_w",
                      hs_estimator_get_demand_w(cycle->estimator, loop_idx));
    hs_jsonx_set_real(object, "captured_heat_w", seen->captured_w);
    hs_jsonx_set_real(object, "tank_c", seen->tank_c.value);
    hs_jsonx_set_real(object, "tank_wh", tank_wh);
    hs_jsonx_set_real(object, "tank_max_wh", loop->tank.present ? tank_max_wh : NAN);
    hs_jsonx_set_real(object, "tank_ratio", tank_max_wh > 0 ? tank_wh / tank_max_wh : NAN);
    hs_jsonx_set_real(object, "rejected_heat_w", seen->rejected_w.value);
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    set_loop_prices(cycle, loop_idx, now_at_s, object);
    hs_jsonx_set(object, "readings", format_readings(cycle, loop_idx));
    return object;
}

/* --- hosts --- */

json_t *hs_cycle_format_host(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];
    const struct hs_cycle_host *seen = &cycle->hosts[host_idx];
    json_t *object = hs_jsonx_object();
    uint64_t used_mib = 0;

    for (size_t i = 0; i < seen->machines.n; i++) {
        used_mib += seen->machines.items[i].state == HS_MACHINE_SHUT_OFF
                        ? 0
                        : seen->machines.items[i].memory_mib;
    }
    hs_jsonx_set_text(object, "name", host->path);
    hs_jsonx_set_text(object, "uri", host->uri);
    hs_jsonx_set_text(object, "rack", cycle->estate->racks[host->rack_idx].path);
    hs_jsonx_set_text(object, "loop", cycle->estate->loops[host->loop_idx].path);
    hs_jsonx_set_text(object, "state", seen->is_up ? "up" : "down");
    hs_jsonx_set_int(object, "vcpus", host->vcpus);
    hs_jsonx_set_int(object, "vcpus_busy", hs_cycle_get_busy_vcpus(cycle, host_idx));
    hs_jsonx_set_int(object, "vcpus_pinned", hs_cycle_get_base_vcpus(cycle, host_idx));
    hs_jsonx_set_int(object, "memory_mib", (int64_t)host->memory_mib);
    hs_jsonx_set_int(object, "memory_used_mib", (int64_t)used_mib);
    hs_jsonx_set_real(object, "elec_w", hs_cycle_get_host_elec_w(cycle, host_idx));
    hs_cycle_format_base(cycle, host_idx, object);
    hs_jsonx_set_int(object, "n_vms", (int64_t)seen->machines.n);
    return object;
}

/* --- plan --- */

static json_t *format_row(const double *values, size_t n)
{
    json_t *row = hs_jsonx_array();

    for (size_t t = 0; t < n; t++) {
        hs_jsonx_add(row, hs_jsonx_real(values[t]));
    }
    return row;
}

static json_t *format_placement(const struct hs_cycle *cycle, const struct hs_placement *placement)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, placement->job_id);
    json_t *item = hs_jsonx_object();
    bool has_place = placement->host_idx != SIZE_MAX;
    int64_t start_at_s = 0;
    int64_t end_at_s = 0;
    int64_t n_slots = 0;

    if (entry != NULL) {
        hs_cycle_get_window(cycle, entry, cycle->now_at_s, &start_at_s, &end_at_s);
    }
    for (size_t t = 0; has_place && t < cycle->n_slots; t++) {
        n_slots += hs_plan_runs(placement, t);
    }
    hs_jsonx_set_int(item, "job", (int64_t)placement->job_id);
    hs_jsonx_set_text(item, "host",
                      has_place ? cycle->estate->hosts[placement->host_idx].path : NULL);
    hs_jsonx_set_at(item, "start", start_at_s);
    hs_jsonx_set_at(item, "end", end_at_s);
    hs_jsonx_set_int(item, "n_slots", n_slots);
    hs_jsonx_set_bool(item, "late", placement->is_late);
    hs_jsonx_set_bool(item, "forced", placement->is_forced);
    hs_jsonx_set_real(item, "cost_cur", has_place ? placement->cost_cur : NAN);
    return item;
}

json_t *hs_cycle_format_plan(const struct hs_cycle *cycle)
{
    json_t *object = hs_jsonx_object();
    json_t *loops = hs_jsonx_array();
    json_t *placements = hs_jsonx_array();

    if (cycle->has_plan) {
        const struct hs_plan *plan = hs_place_get_plan(cycle->place);

        hs_jsonx_set_at(object, "from", plan->from_at_s);
        hs_jsonx_set_int(object, "slot_s", plan->slot_s);
        hs_jsonx_set_int(object, "n_slots", (int64_t)plan->n_slots);
        hs_jsonx_set_real(object, "cost_cur", plan->cost_cur);
        hs_jsonx_set_int(object, "n_late", (int64_t)plan->n_late);
        for (size_t l = 0; l < cycle->estate->n_loops; l++) {
            json_t *loop = hs_jsonx_object();

            hs_jsonx_set_text(loop, "name", cycle->estate->loops[l].path);
            hs_jsonx_set(loop, "it_w", format_row(&plan->it_w[l * plan->n_slots], plan->n_slots));
            hs_jsonx_set(loop, "heat_price_cur_per_mwh",
                         format_row(&plan->heat_cur_per_mwh[l * plan->n_slots], plan->n_slots));
            hs_jsonx_add(loops, loop);
        }
        for (size_t i = 0; i < plan->n_placements; i++) {
            hs_jsonx_add(placements, format_placement(cycle, &plan->placements[i]));
        }
    }
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    hs_jsonx_set(object, "loops", loops);
    hs_jsonx_set(object, "placements", placements);
    return object;
}

/* --- report --- */

/* How the jobs of the span have fared, in the words of hsim's report. */
static void set_jobs(const struct hs_cycle *cycle, int64_t now_at_s, json_t *object)
{
    int64_t n_done = 0;
    int64_t n_late = 0;
    int64_t moves = 0;
    int64_t suspends = 0;
    int64_t n_started = 0;
    double late_s_max = 0.0;
    double wait_s = 0.0;

    for (size_t i = 0; i < cycle->entries.n; i++) {
        const struct hs_job *job = cycle->entries.items[i].job;
        int64_t end_at_s = job->ended_at_s > 0 ? job->ended_at_s : now_at_s;

        n_done += job->state == HS_JOB_DONE;
        moves += job->moves;
        suspends += job->suspends;
        if (job->started_at_s > 0) {
            n_started++;
            wait_s += (double)(job->started_at_s - job->submitted_at_s);
        }
        if (job->due_at_s > 0 && end_at_s > job->due_at_s && job->state != HS_JOB_CANCELLED) {
            n_late++;
            late_s_max = fmax(late_s_max, (double)(end_at_s - job->due_at_s));
        }
    }
    hs_jsonx_set_int(object, "jobs_total", (int64_t)cycle->entries.n);
    hs_jsonx_set_int(object, "jobs_done", n_done);
    hs_jsonx_set_int(object, "jobs_late", n_late);
    hs_jsonx_set_real(object, "late_s_max", late_s_max);
    hs_jsonx_set_real(object, "wait_s_mean", n_started > 0 ? wait_s / (double)n_started : NAN);
    hs_jsonx_set_int(object, "moves", moves);
    hs_jsonx_set_int(object, "suspends", suspends);
    /* What only a simulator measures is absent here. */
    hs_jsonx_set_real(object, "plan_ms_p50", NAN);
    hs_jsonx_set_real(object, "plan_ms_p99", NAN);
    hs_jsonx_set_real(object, "plan_gap_ratio_p50", NAN);
}

json_t *hs_cycle_format_report(const struct hs_cycle *cycle, int64_t now_at_s)
{
    json_t *report = hs_jsonx_object();
    json_t *policies = hs_jsonx_array();
    json_t *sites = hs_jsonx_array();
    struct hs_account total = {0};

    for (size_t s = 0; s < cycle->estate->n_sites; s++) {
        struct hs_account account;
        json_t *site = hs_jsonx_object();

        hs_cycle_get_account(cycle, s, &account);
        hs_account_add(&total, &account);
        hs_jsonx_set_text(site, "name", cycle->estate->sites[s].name);
        hs_jsonx_set_real(site, "demand_heat_wh", account.demand_heat_wh);
        hs_jsonx_set_real(site, "useful_heat_wh", account.useful_heat_wh);
        hs_jsonx_set_real(site, "recovery_ratio", divide(account.useful_heat_wh, account.it_wh));
        hs_jsonx_set_real(site, "coverage_ratio",
                          divide(account.useful_heat_wh, account.demand_heat_wh));
        hs_jsonx_set_real(site, "backup_heat_wh", account.backup_heat_wh);
        hs_jsonx_add(sites, site);
    }
    json_t *entry = hs_account_format(&total);

    hs_jsonx_set_text(entry, "name", "heat");
    set_jobs(cycle, now_at_s, entry);
    hs_jsonx_set(entry, "sites", sites);
    hs_jsonx_add(policies, entry);
    hs_jsonx_set_at(report, "at", now_at_s);
    hs_jsonx_set_text(report, "currency", cycle->estate->currency);
    hs_jsonx_set(report, "policies", policies);
    return report;
}
