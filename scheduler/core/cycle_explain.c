/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_explain - why a job waits, what heat is worth meanwhile, what would change it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

/* --- where and when --- */

int64_t hs_cycle_get_horizon_at_s(const struct hs_cycle *cycle)
{
    return cycle->plan_from_at_s + (int64_t)cycle->n_slots * cycle->estate->slot_s;
}

bool hs_cycle_starts_beyond(const struct hs_cycle *cycle, const struct hs_job *job)
{
    return cycle->has_plan && job->earliest_at_s >= hs_cycle_get_horizon_at_s(cycle);
}

/* End of the last stretch: its work in its slots, in order. */
static int64_t end_of(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    double left_s = hs_cycle_get_planned_left_s(cycle, entry);
    double full_share = hs_cycle_get_full_share(cycle, entry->job);
    int64_t slot_s = cycle->estate->slot_s;
    int64_t from_at_s = cycle->now_at_s; /* what is left is left from here on */
    int64_t end_at_s = from_at_s;

    for (size_t t = entry->placement.first_slot; t <= entry->placement.last_slot; t++) {
        if (hs_plan_runs(&entry->placement, t)) {
            int64_t start_at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;
            int64_t slot_end_at_s = start_at_s + slot_s;

            start_at_s = start_at_s > from_at_s ? start_at_s : from_at_s;
            double speed = hs_cycle_get_planned_share(cycle, entry, t) / full_share;
            double run_s = fmin(left_s / speed, fmax(0.0, (double)(slot_end_at_s - start_at_s)));

            end_at_s = start_at_s + (int64_t)ceil(run_s);
            left_s -= run_s * speed;
        }
    }
    return end_at_s + (int64_t)ceil(left_s);
}

void hs_cycle_get_window(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         int64_t now_at_s, int64_t *ret_start_at_s, int64_t *ret_end_at_s)
{
    *ret_start_at_s = 0;
    *ret_end_at_s = 0;
    if (!entry->is_placed || entry->placement.host_idx == SIZE_MAX || hs_job_is_over(entry->job)) {
        return;
    }
    int64_t start_at_s =
        cycle->plan_from_at_s + (int64_t)entry->placement.first_slot * cycle->estate->slot_s;

    *ret_start_at_s = start_at_s > now_at_s ? start_at_s : now_at_s;
    if (entry->job->started_at_s > 0) {
        *ret_start_at_s = entry->job->started_at_s;
    }
    *ret_end_at_s = end_of(cycle, entry);
}

void hs_cycle_format_cannot_meet(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                 char *ret_text, size_t size)
{
    char late[HS_TIMETEXT_MAX];

    ret_text[0] = '\0';
    if (!entry->is_placed || hs_job_is_over(entry->job) || !entry->placement.is_late
        || hs_cycle_starts_beyond(cycle, entry->job)) {
        return;
    }
    if (entry->placement.host_idx == SIZE_MAX) {
        snprintf(ret_text, size, "no host has room for it within the planning horizon");
        return;
    }
    int64_t late_s = end_of(cycle, entry) - entry->due_at_s;

    hs_timetext_format_duration(late_s > 0 ? late_s : 0, late);
    snprintf(ret_text, size, "it will end %s after its due time", late);
}

/* --- the explanation --- */

static void set_prices(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                       int64_t now_at_s, json_t *object)
{
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    size_t loop_idx = cycle->estate->hosts[entry->placement.host_idx].loop_idx;
    size_t now = loop_idx * cycle->n_slots + hs_cycle_get_slot(cycle, now_at_s);
    size_t then = loop_idx * cycle->n_slots + entry->placement.first_slot;

    hs_jsonx_set_text(object, "loop", cycle->estate->loops[loop_idx].path);
    hs_jsonx_set_real(object, "heat_price_now_cur_per_mwh", plan->heat_cur_per_mwh[now]);
    hs_jsonx_set_real(object, "heat_price_planned_cur_per_mwh", plan->heat_cur_per_mwh[then]);
    hs_jsonx_set_real(object, "electricity_now_cur_per_mwh", plan->elec_cur_per_mwh[now]);
    hs_jsonx_set_real(object, "electricity_planned_cur_per_mwh", plan->elec_cur_per_mwh[then]);
}

static void set_costs(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                      json_t *object)
{
    struct hs_place_job job;
    double now_cur = NAN;
    double planned_cur = entry->placement.cost_cur;

    if (entry->job->state == HS_JOB_WAITING && hs_cycle_fill_place_job(cycle, entry, &job)) {
        now_cur = hs_place_price_now(cycle->place, &job);
    }
    hs_jsonx_set_real(object, "cost_now_cur", now_cur);
    hs_jsonx_set_real(object, "cost_planned_cur", planned_cur);
    hs_jsonx_set_real(object, "saving_cur", now_cur - planned_cur);
}

static void add_lateness(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         char *text, size_t size)
{
    size_t n = strlen(text);
    char cannot_meet[192];

    hs_cycle_format_cannot_meet(cycle, entry, cannot_meet, sizeof(cannot_meet));
    if (cannot_meet[0] != '\0' && entry->placement.host_idx != SIZE_MAX) {
        snprintf(text + n, size - n, "; %s", cannot_meet);
    }
}

static void describe_suspended(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                               const char *name, char *ret_text, size_t size)
{
    char at[HS_TIMETEXT_MAX];

    if (!entry->is_placed || entry->placement.host_idx == SIZE_MAX) {
        snprintf(ret_text, size, "%s is suspended on '%s'", name, entry->job->host);
        return;
    }
    hs_timetext_format(
        cycle->plan_from_at_s + (int64_t)entry->placement.first_slot * cycle->estate->slot_s, at);
    snprintf(ret_text, size, "%s is suspended on '%s' and goes on at %s, when it is cheaper", name,
             entry->job->host, at);
}

static void describe(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                     int64_t now_at_s, char *ret_text, size_t size)
{
    const struct hs_job *job = entry->job;
    char at[HS_TIMETEXT_MAX];
    char name[32] = "the job"; /* one that is only tried has no id */
    int64_t start_at_s;
    int64_t end_at_s;

    if (job->id != 0) {
        snprintf(name, sizeof(name), "job %llu", (unsigned long long)job->id);
    }
    hs_cycle_get_window(cycle, entry, now_at_s, &start_at_s, &end_at_s);
    if (hs_job_is_over(job)) {
        snprintf(ret_text, size, "%s is %s%s%s", name, hs_job_state_word(job->state),
                 job->why[0] != '\0' ? ": " : "", job->why);
    } else if (job->state == HS_JOB_WAITING && start_at_s == 0) {
        snprintf(ret_text, size, "%s waits and has no planned start", name);
    } else if (job->state == HS_JOB_WAITING) {
        hs_timetext_format(start_at_s, at);
        snprintf(ret_text, size, "%s waits and is planned to start at %s on '%s'%s", name, at,
                 cycle->estate->hosts[entry->placement.host_idx].path,
                 job->now                     ? ", as soon as it can"
                 : entry->placement.is_forced ? ", its latest start"
                                              : "");
    } else if (job->state == HS_JOB_SUSPENDED) {
        describe_suspended(cycle, entry, name, ret_text, size);
    } else {
        snprintf(ret_text, size, "%s is %s on '%s'", name, hs_job_state_word(job->state),
                 job->host);
    }
    add_lateness(cycle, entry, ret_text, size);
}

json_t *hs_cycle_format_explain_brief(const struct hs_cycle *cycle, uint64_t job_id,
                                      int64_t now_at_s)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, job_id);

    return entry != NULL ? hs_cycle_explain_entry(cycle, entry, now_at_s) : NULL;
}

json_t *hs_cycle_format_explain(const struct hs_cycle *cycle, uint64_t job_id, int64_t now_at_s)
{
    const struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, job_id);
    json_t *object = hs_cycle_format_explain_brief(cycle, job_id, now_at_s);

    if (entry != NULL) {
        hs_cycle_set_choices(cycle, entry, object);
    }
    return object;
}

json_t *hs_cycle_explain_entry(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                               int64_t now_at_s)
{
    json_t *object = hs_jsonx_object();
    bool has_place = entry->is_placed && entry->placement.host_idx != SIZE_MAX;
    int64_t start_at_s;
    int64_t end_at_s;
    char text[400];

    describe(cycle, entry, now_at_s, text, sizeof(text));
    hs_cycle_get_window(cycle, entry, now_at_s, &start_at_s, &end_at_s);
    hs_jsonx_set(object, "job",
                 entry->job->id != 0 ? hs_jsonx_int((int64_t)entry->job->id) : json_null());
    hs_jsonx_set_text(object, "state", hs_job_state_word(entry->job->state));
    hs_jsonx_set_text(object, "text", text);
    hs_jsonx_set(object, "reasons", hs_cycle_format_reasons(cycle, entry, now_at_s));
    if (has_place && !hs_job_is_over(entry->job)) {
        set_prices(cycle, entry, now_at_s, object);
        set_costs(cycle, entry, object);
    }
    hs_jsonx_set_at(object, "planned_start", start_at_s);
    hs_jsonx_set_at(object, "planned_end", end_at_s);
    hs_jsonx_set_text(object, "planned_host",
                      has_place ? cycle->estate->hosts[entry->placement.host_idx].path : NULL);
    hs_jsonx_set_at(object, "due", entry->job->due_at_s);
    hs_jsonx_set_at(object, "latest_start",
                    entry->due_at_s - (int64_t)hs_cycle_get_safe_left_s(cycle, entry));
    hs_cycle_format_run(cycle, entry, object);
    hs_jsonx_set_text(object, "currency", cycle->estate->currency);
    return object;
}

json_t *hs_cycle_format_trial(const struct hs_cycle *cycle, const struct hs_job *job,
                              int64_t now_at_s)
{
    HS_AUTO(hs_job) copy = hs_job_dup(job);
    struct hs_cycle_entry entry;
    struct hs_place_job place_job;
    json_t *object;

    copy->id = 0;
    copy->submitted_at_s = now_at_s;
    copy->since_at_s = now_at_s;
    copy->state = HS_JOB_WAITING;
    hs_cycle_init_entry(cycle, copy, &entry);
    hs_cycle_foresee(cycle, &entry);
    if (cycle->has_plan && hs_cycle_fill_place_job(cycle, &entry, &place_job)) {
        hs_place_try(cycle->place, &place_job, &entry.placement);
        entry.is_placed = true;
    }
    object = hs_cycle_format_entry(cycle, &entry, now_at_s);
    json_t *explanation = hs_cycle_explain_entry(cycle, &entry, now_at_s);

    hs_cycle_set_choices(cycle, &entry, explanation);
    hs_jsonx_set(object, "explanation", explanation);
    free(entry.site_allowed);
    return object;
}
