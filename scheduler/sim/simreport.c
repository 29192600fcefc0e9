/* SPDX-License-Identifier: Apache-2.0 */
/* simreport - names and order of the figures, a contract with who reads them. */
#include "scheduler/sim/simreport.h"

#include <math.h>
#include <string.h>

#include "scheduler/sim/simratio.h"

#define SIMREPORT_DAY_S 86400.0

static double divide(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

static const struct hs_simrun_result *find(const struct hs_simreport_entry *entries,
                                           size_t n_entries, const char *name)
{
    for (size_t i = 0; i < n_entries; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return &entries[i].result;
        }
    }
    return NULL;
}

static json_t *format_sites(const struct hs_scenario *scenario, const struct hs_simrun_result *r)
{
    json_t *sites = hs_jsonx_array();

    for (size_t s = 0; s < r->n_sites; s++) {
        const struct hs_account *a = &r->sites[s];
        json_t *site = hs_jsonx_object();

        hs_jsonx_set_text(site, "name", scenario->estate->sites[s].name);
        hs_jsonx_set_real(site, "demand_heat_wh", a->demand_heat_wh);
        hs_jsonx_set_real(site, "useful_heat_wh", a->useful_heat_wh);
        hs_jsonx_set_real(site, "recovery_ratio", divide(a->useful_heat_wh, a->it_wh));
        hs_jsonx_set_real(site, "coverage_ratio", divide(a->useful_heat_wh, a->demand_heat_wh));
        hs_jsonx_set_real(site, "backup_heat_wh", a->backup_heat_wh);
        hs_jsonx_add(sites, site);
    }
    return sites;
}

static void set_heat(json_t *entry, const struct hs_account *a)
{
    hs_jsonx_set_real(entry, "it_wh", a->it_wh);
    hs_jsonx_set_real(entry, "captured_heat_wh", a->captured_heat_wh);
    hs_jsonx_set_real(entry, "useful_heat_wh", a->useful_heat_wh);
    hs_jsonx_set_real(entry, "rejected_heat_wh", a->rejected_heat_wh);
    hs_jsonx_set_real(entry, "lost_heat_wh", a->lost_heat_wh);
    hs_jsonx_set_real(entry, "stored_heat_wh", a->stored_heat_wh);
    hs_jsonx_set_real(entry, "balance_residual_ratio", hs_account_get_balance_residual_ratio(a));
    hs_jsonx_set_real(entry, "demand_heat_wh", a->demand_heat_wh);
    hs_jsonx_set_real(entry, "recovery_ratio", divide(a->useful_heat_wh, a->it_wh));
    hs_jsonx_set_real(entry, "used_ratio", divide(a->useful_heat_wh, a->captured_heat_wh));
    hs_jsonx_set_real(entry, "coverage_ratio", divide(a->useful_heat_wh, a->demand_heat_wh));
    hs_jsonx_set_real(entry, "erf", divide(a->useful_heat_wh, a->it_wh + a->aux_wh));
    hs_jsonx_set_real(entry, "backup_heat_wh", a->backup_heat_wh);
}

/** A count, or null where a bound has none. */
static void set_count(json_t *entry, const char *key, const struct hs_simrun_result *r,
                      size_t count)
{
    if (r->is_bound) {
        hs_jsonx_set_real(entry, key, (double)NAN);
    } else {
        hs_jsonx_set_int(entry, key, (int64_t)count);
    }
}

static void set_jobs(json_t *entry, const struct hs_simrun_result *r)
{
    hs_jsonx_set_int(entry, "jobs_total", (int64_t)r->jobs_total);
    set_count(entry, "jobs_done", r, r->jobs_done);
    set_count(entry, "jobs_late", r, r->jobs_late);
    hs_jsonx_set_real(entry, "late_s_max", r->is_bound ? (double)NAN : r->late_s_max);
    hs_jsonx_set_real(entry, "late_s_sum", r->is_bound ? (double)NAN : r->late_s_sum);
    hs_jsonx_set_real(entry, "wait_s_mean", r->wait_s_mean);
    set_count(entry, "moves", r, r->moves);
    set_count(entry, "suspends", r, r->suspends);
    set_count(entry, "restarts", r, r->restarts);
    hs_jsonx_set_real(entry, "overhead_wh", r->is_bound ? (double)NAN : r->overhead_wh);
    hs_jsonx_set_real(entry, "lost_work_wh", r->is_bound ? (double)NAN : r->lost_work_wh);
    set_count(entry, "rejection_over_limit_slots", r, r->n_slots_over_rejection);
}

/** Null where there is nothing to compare. */
static void set_later(json_t *entry, const struct hs_simrun_result *asap,
                      const struct hs_simrun_result *r)
{
    if (asap == NULL || r->is_bound) {
        hs_jsonx_set_real(entry, "is_later_than_asap", (double)NAN);
    } else {
        hs_jsonx_set_bool(entry, "is_later_than_asap", hs_simratio_is_later(asap, r));
    }
}

static json_t *format_entry(const struct hs_scenario *scenario, const struct hs_simreport_entry *e,
                            const struct hs_simratio_marks *marks, bool has_timings)
{
    const struct hs_simrun_result *r = &e->result;
    json_t *entry = hs_jsonx_object();
    double heat_cur = (double)NAN, electricity_cur = (double)NAN;

    if (marks->asap != NULL) {
        heat_cur = marks->asap->backup_cur - r->backup_cur;
        electricity_cur = marks->asap->electricity_cur - r->electricity_cur;
    }
    hs_jsonx_set_text(entry, "name", e->name);
    if (r->note != NULL) {
        hs_jsonx_set_text(entry, "note", r->note);
    }
    set_heat(entry, &r->total);
    hs_jsonx_set_real(entry, "cost_cur", r->total.cost_cur);
    hs_jsonx_set_real(entry, "saving_heat_cur", heat_cur);
    hs_jsonx_set_real(entry, "saving_electricity_cur", electricity_cur);
    hs_jsonx_set_real(entry, "value_captured_ratio", hs_simratio_get_value(marks, r));
    hs_jsonx_set_real(entry, "recovery_points_captured_ratio", hs_simratio_get_recovery(marks, r));
    hs_jsonx_set_real(entry, "gco2", r->total.gco2);
    set_jobs(entry, r);
    set_later(entry, marks->asap, r);
    hs_jsonx_set_real(entry, "lift_elec_wh", r->total.lift_elec_wh);
    hs_jsonx_set_real(entry, "missed_heat_wh", r->total.missed_heat_wh);
    hs_jsonx_set_real(entry, "plan_ms_p50", has_timings ? e->stats.plan_ms_p50 : (double)NAN);
    hs_jsonx_set_real(entry, "plan_ms_p99", has_timings ? e->stats.plan_ms_p99 : (double)NAN);
    hs_jsonx_set_real(entry, "plan_gap_ratio_p50", e->stats.plan_gap_ratio_p50);
    hs_jsonx_set(entry, "sites", format_sites(scenario, r));
    return entry;
}

json_t *hs_simreport_format(const char *name, const struct hs_scenario *scenario,
                            const struct hs_simreport_entry *entries, size_t n_entries,
                            bool has_timings)
{
    struct hs_simratio_marks marks = {
        .asap = find(entries, n_entries, "asap"),
        .bound = find(entries, n_entries, "bound"),
        .bound_useful = find(entries, n_entries, "bound_useful"),
    };
    json_t *report = hs_jsonx_object();
    json_t *array = hs_jsonx_array();

    hs_jsonx_set_text(report, "api", "hsched.sim/v1");
    hs_jsonx_set_text(report, "scenario", name);
    hs_jsonx_set_at(report, "start", scenario->start_at_s);
    hs_jsonx_set_real(report, "days",
                      (double)scenario->n_slots * (double)scenario->slot_s / SIMREPORT_DAY_S);
    hs_jsonx_set_int(report, "seed", (int64_t)scenario->seed);
    hs_jsonx_set_text(report, "currency", scenario->estate->currency);
    for (size_t i = 0; i < n_entries; i++) {
        hs_jsonx_add(array, format_entry(scenario, &entries[i], &marks, has_timings));
    }
    hs_jsonx_set(report, "policies", array);
    return report;
}
