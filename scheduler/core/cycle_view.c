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

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

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
    hs_cycle_format_silence(cycle, host_idx, object);
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

/* --- report --- */

/* How the jobs of the span have fared, in the words of hsim's report. */
static void set_jobs(const struct hs_cycle *cycle, int64_t now_at_s, json_t *object)
{
    struct hs_cycle_tally tally;

    hs_cycle_get_tally(cycle, now_at_s, &tally);
    hs_jsonx_set_int(object, "jobs_total", tally.n_total);
    hs_jsonx_set_int(object, "jobs_done", tally.n_done);
    hs_jsonx_set_int(object, "jobs_late", tally.n_late);
    hs_jsonx_set_real(object, "late_s_max", tally.late_s_max);
    hs_jsonx_set_real(object, "wait_s_mean",
                      tally.n_started > 0 ? tally.wait_s / (double)tally.n_started : NAN);
    hs_jsonx_set_int(object, "moves", tally.moves);
    hs_jsonx_set_int(object, "suspends", tally.suspends);
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
