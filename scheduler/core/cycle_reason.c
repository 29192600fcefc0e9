/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_reason - why a job waits: stable codes, what stands in the way, what would change it. */
#include <math.h>
#include <stdio.h>

#include "scheduler/base/timetext.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"

static void add_reason(json_t *reasons, const char *code, const char *object, const char *change,
                       const char *text)
{
    json_t *reason = hs_jsonx_object();

    hs_jsonx_set_text(reason, "code", code);
    hs_jsonx_set_text(reason, "text", text);
    hs_jsonx_set_text(reason, "object", object);
    hs_jsonx_set_text(reason, "change", change);
    hs_jsonx_add(reasons, reason);
}

static void add_power_reason(const struct hs_cycle *cycle, const struct hs_heatloop *loop,
                             double now_cur_per_mwh, double then_cur_per_mwh, json_t *reasons)
{
    char text[512];

    if (then_cur_per_mwh < now_cur_per_mwh - 0.01) {
        snprintf(text, sizeof(text),
                 "electricity, with carbon and auxiliaries, costs %.2f %s/MWh now and %.2f at its "
                 "planned start",
                 now_cur_per_mwh, cycle->estate->currency, then_cur_per_mwh);
        add_reason(reasons, "electricity-cheaper-later", cycle->estate->sites[loop->site_idx].name,
                   "a lower price now, a lower electricity weight, or --now", text);
    }
}

/* Why this slot and not now: what gains most by waiting comes first. */
static void add_plan_reason(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                            int64_t now_at_s, json_t *reasons)
{
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    size_t loop_idx = cycle->estate->hosts[entry->placement.host_idx].loop_idx;
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    size_t then = entry->placement.first_slot;
    size_t now = hs_cycle_get_slot(cycle, now_at_s);
    double heat_now = plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + now];
    double heat_then = plan->heat_cur_per_mwh[loop_idx * cycle->n_slots + then];
    double elec_now = plan->elec_cur_per_mwh[loop_idx * cycle->n_slots + now];
    double elec_then = plan->elec_cur_per_mwh[loop_idx * cycle->n_slots + then];
    double capture_ratio =
        cycle->estate->racks[cycle->estate->hosts[entry->placement.host_idx].rack_idx]
            .capture_ratio;
    double heat_gain = capture_ratio * (heat_then - heat_now);
    double elec_gain = elec_now - elec_then;
    char text[512];

    if (cycle->loops[loop_idx].state.kind == HS_LOOPSTATE_FULL) {
        snprintf(text, sizeof(text), "loop '%s' is full: %s", loop->path,
                 cycle->loops[loop_idx].state.cause);
        add_reason(reasons, "loop-full", loop->path, "a fall of the tank below 90 %", text);
    }
    bool is_power_first = elec_gain > heat_gain;

    if (is_power_first) {
        add_power_reason(cycle, loop, elec_now, elec_then, reasons);
    }
    /* What is a twentieth of the other is not why. */
    if (heat_gain > 0.01 && heat_gain > 0.05 * elec_gain) {
        snprintf(text, sizeof(text),
                 "heat at '%s' is worth %.2f %s/MWh now and %.2f at its planned start", loop->path,
                 heat_now, cycle->estate->currency, heat_then);
        add_reason(reasons, "heat-worth-more-later", loop->path,
                   "more demand for heat now, a higher heat weight, or --now", text);
    }
    if (!is_power_first && elec_gain > 0.05 * heat_gain) {
        add_power_reason(cycle, loop, elec_now, elec_then, reasons);
    }
    if (json_array_size(reasons) == 0 && then > now) {
        snprintf(text, sizeof(text), "over its whole run the planned hours at '%s' cost less",
                 loop->path);
        add_reason(reasons, "cheaper-later", loop->path, "an earlier due time, or --now", text);
    }
}

/* No host could start it at this moment? Then capacity is the reason, whatever it would cost. */
static void add_capacity_reason(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                json_t *reasons)
{
    struct hs_place_job job;
    char text[512];

    if (!hs_cycle_fill_place_job(cycle, entry, &job) || entry->placement.first_slot == 0
        || job.freedom == HS_PLACE_FIXED || !isnan(hs_place_price_now(cycle->place, &job))
        || (job.job_id != 0 && hs_place_ask_check_now(cycle->place, &job, &entry->placement))) {
        return;
    }
    snprintf(text, sizeof(text), "no host it may use has %u vCPUs and %llu MiB free now",
             entry->job->vcpus, (unsigned long long)entry->job->memory_mib);
    add_reason(reasons, "capacity", "hosts", "a running job's end, more hosts, or fewer vCPUs",
               text);
}

/* Loops that it might run on and that are too hot for what may wait. @return whether any is */
static bool add_hot_reasons(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                            json_t *reasons)
{
    const struct hs_estate *estate = cycle->estate;
    bool has_any = false;
    char text[512];

    for (size_t l = 0; l < estate->n_loops; l++) {
        const struct hs_heatloop *loop = &estate->loops[l];
        bool is_there = entry->host_idx == SIZE_MAX ? entry->site_allowed[loop->site_idx]
                                                    : estate->hosts[entry->host_idx].loop_idx == l;

        if (is_there && hs_cycle_hot_bars(cycle, entry->job, l)) {
            bool is_hot = cycle->loops[l].zone.is_hot;

            snprintf(text, sizeof(text), "loop '%s' %s: %s", loop->path,
                     is_hot ? "is too hot" : "cannot give more heat away",
                     cycle->loops[l].state.cause);
            add_reason(reasons, is_hot ? "loop-hot" : "loop-blocked", loop->path,
                       is_hot ? "the loop being cool for five minutes"
                              : "its water and sinks being in order for a minute",
                       text);
            has_any = true;
        }
    }
    return has_any;
}

static void add_host_reasons(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                             json_t *reasons)
{
    char text[512];

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (!cycle->hosts[h].is_up && entry->site_allowed[host->site_idx]) {
            snprintf(text, sizeof(text), "host '%s' does not answer", host->path);
            add_reason(reasons, "host-down", host->path,
                       "the host's libvirt daemon answering again", text);
        }
    }
}

static void add_filler_reason(const struct hs_cycle *cycle, const struct hs_job *job,
                              json_t *reasons)
{
    const struct hs_policy_class *class =
        hs_policy_find_class(cycle->options.policy, job->class_name);
    double ceiling = class != NULL ? class->ceiling_cur_per_mwh : 0.0;
    char text[192];

    if (ceiling == 0) {
        snprintf(text, sizeof(text),
                 "nowhere in the horizon does its heat pay for its electricity");
    } else {
        snprintf(
            text, sizeof(text),
            "nowhere in the horizon does its electricity, less the worth of its heat, cost less "
            "than its class's ceiling of %.2f %s/MWh",
            ceiling, cycle->estate->currency);
    }
    add_reason(reasons, "filler", "loops", "heat worth more than its electricity", text);
}

static void add_earliest_reason(const struct hs_cycle *cycle, const struct hs_job *job,
                                json_t *reasons)
{
    char at[HS_TIMETEXT_MAX];
    char until[HS_TIMETEXT_MAX];
    char text[512];

    hs_timetext_format(job->earliest_at_s, at);
    snprintf(text, sizeof(text), "it may not start before %s", at);
    if (hs_cycle_starts_beyond(cycle, job)) {
        hs_timetext_format(hs_cycle_get_horizon_at_s(cycle), until);
        snprintf(text, sizeof(text), "it may not start before %s, and plans reach until %s", at,
                 until);
    }
    add_reason(reasons, "earliest", "job", "an earlier --earliest", text);
}

/* It follows @other, which is not over or went another way. */
static void add_dependency_reason(const struct hs_cycle *cycle, const struct hs_job *other,
                                  int64_t now_at_s, json_t *reasons)
{
    const struct hs_cycle_entry *first = hs_cycle_find_entry(cycle, other->id);
    int64_t start_at_s = 0;
    int64_t end_at_s = 0;
    char at[HS_TIMETEXT_MAX] = "";
    char object[40];
    char text[512];

    if (first != NULL) {
        hs_cycle_get_window(cycle, first, now_at_s, &start_at_s, &end_at_s);
    }
    if (end_at_s > 0) {
        hs_timetext_format(end_at_s, at);
    }
    snprintf(object, sizeof(object), "job %llu", (unsigned long long)other->id);
    snprintf(text, sizeof(text), "it follows %s, which is %s%s%s", object,
             hs_job_state_word(other->state), end_at_s > 0 ? " and planned to end at " : "", at);
    add_reason(reasons, "dependency", object, "the end of that job", text);
}

/* It has no place in the plan. */
static void add_room_reason(const struct hs_cycle *cycle, const struct hs_job *job, json_t *reasons)
{
    if (job->base_class == HS_CLASS_FILLER) {
        add_filler_reason(cycle, job, reasons);
        return;
    }
    add_reason(reasons, "no-room", "hosts", "more hosts, or fewer vCPUs",
               "no host it may use has room for it within the horizon");
}

/* Whether it still runs cannot be told: what that means for it, and what ends it. */
static bool add_unknown_reason(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                               json_t *reasons)
{
    bool is_gone = entry->host_idx == SIZE_MAX;
    const struct hs_cycle_host *seen = is_gone ? NULL : &cycle->hosts[entry->host_idx];
    char change[2 * HS_PATH_MAX];
    char text[512];
    char since[HS_TIMETEXT_MAX];

    if (entry->job->host[0] == '\0' || hs_job_is_over(entry->job) || (!is_gone && seen->is_up)) {
        return false;
    }
    snprintf(change, sizeof(change),
             "the host %s; if it is off for certain: hsched host confirm-down %s",
             is_gone ? "in estate.json again" : "answering", entry->job->host);
    if (is_gone) {
        snprintf(since, sizeof(since), "it left the estate");
    } else {
        hs_timetext_format(seen->silent_since_at_s, since);
    }
    snprintf(text, sizeof(text),
             "host '%s' has not answered since %s: it may run there still, so it is started "
             "nowhere else",
             entry->job->host, since);
    add_reason(reasons, "host-unknown", entry->job->host, change, text);
    return true;
}

json_t *hs_cycle_format_reasons(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                int64_t now_at_s)
{
    json_t *reasons = hs_jsonx_array();
    const struct hs_job *job = entry->job;
    const struct hs_job *other = NULL;

    if (job->state == HS_JOB_HELD) {
        add_reason(reasons, "held", "job", "cancelling it and submitting it anew", "it is held");
        return reasons;
    }
    if (add_unknown_reason(cycle, entry, reasons)
        || (job->state != HS_JOB_WAITING && job->state != HS_JOB_SUSPENDED)) {
        return reasons;
    }
    bool is_beyond = hs_cycle_starts_beyond(cycle, job);

    if (is_beyond || job->earliest_at_s > now_at_s) {
        add_earliest_reason(cycle, job, reasons);
    }
    if (is_beyond) {
        return reasons;
    }
    bool is_hot = add_hot_reasons(cycle, entry, reasons);

    if (entry->refused[0] != '\0' && !is_hot) {
        add_reason(reasons, "refused", "guard", "what the text names", entry->refused);
    }
    if (job->state == HS_JOB_WAITING
        && hs_cycle_check_after(cycle, job, &other) != HS_CYCLE_AFTER_MET) {
        add_dependency_reason(cycle, other, now_at_s, reasons);
        return reasons;
    }
    if (cycle->options.has_no_planner) {
        add_reason(reasons, "no-planner", "planner", "heat being wanted, or its latest start",
                   "nothing is planned: it starts where heat is wanted, or at its latest start");
        return reasons;
    }
    if (!entry->is_placed) {
        add_reason(reasons, "not-planned-yet", "planner", "the next plan, within 5 minutes",
                   "the planner has not seen it yet");
        return reasons;
    }
    if (entry->placement.host_idx == SIZE_MAX) {
        add_room_reason(cycle, job, reasons);
        add_host_reasons(cycle, entry, reasons);
        return reasons;
    }
    if (!is_hot) {
        add_capacity_reason(cycle, entry, reasons);
    }
    /* Where it comes late for want of room, prices are not why. */
    if (entry->placement.first_slot > 0 && !job->now && !entry->placement.is_late) {
        add_plan_reason(cycle, entry, now_at_s, reasons);
    }
    add_host_reasons(cycle, entry, reasons);
    return reasons;
}
