/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_explain_ask - what a job's place costs slot by slot, and where else it could go for how
 * much more; see cycle_explain_priv.h.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/core/cycle_explain_priv.h"

#define APART_S 3600 /* another start differs by so much */

const char *hs_cycle_explain_host_path(const struct hs_cycle *cycle, size_t host_idx)
{
    return cycle->estate->hosts[host_idx].path;
}

static const struct hs_heatloop *loop_of(const struct hs_cycle *cycle, size_t host_idx)
{
    return &cycle->estate->loops[cycle->estate->hosts[host_idx].loop_idx];
}

int64_t hs_cycle_explain_start(const struct hs_cycle_asking *asking,
                               const struct hs_placement *placement)
{
    return (int64_t)hs_place_ask_get_start_at_s(&asking->ask, placement->first_slot);
}

int64_t hs_cycle_explain_end(const struct hs_cycle_asking *asking,
                             const struct hs_placement *placement)
{
    return (int64_t)ceil(hs_place_ask_get_end_at_s(&asking->ask, placement));
}

void hs_cycle_explain_format_money(const struct hs_cycle *cycle, double cur, char *ret_text,
                                   size_t size)
{
    /* a cent is much for a job of an hour */
    snprintf(ret_text, size, cur < 0.1 ? "%.4f %s" : "%.2f %s", cur, cycle->estate->currency);
}

/* --- prices at its slots --- */

static json_t *format_slots(const struct hs_cycle_asking *asking, double *ret_elec_cur,
                            double *ret_heat_cur)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_placement *standing = &asking->entry->placement;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_host *host = &cycle->estate->hosts[standing->host_idx];
    double capture_ratio = cycle->estate->racks[host->rack_idx].capture_ratio;
    const struct hs_place_job *job = &asking->ask.job;
    double elec_w = hs_host_elec_w_per_vcpu(host) * job->size.vcpus * hs_place_get_full_share(job);
    double left_s = job->remaining_s;
    json_t *slots = hs_jsonx_array();

    for (size_t t = standing->first_slot; t <= standing->last_slot; t++) {
        size_t i = host->loop_idx * cycle->n_slots + t;
        double speed = hs_place_get_speed(job, standing, t);
        double run_s =
            fmin(left_s / speed, (double)plan->slot_s * hs_cycle_get_slot_share(cycle, t));
        double it_wh = hs_wh_from_w(elec_w * speed, run_s);
        double net = plan->elec_cur_per_mwh[i] - capture_ratio * plan->heat_cur_per_mwh[i];
        json_t *slot;

        if (!hs_plan_runs(standing, t) || run_s <= 0) {
            continue;
        }
        left_s -= run_s * speed;
        *ret_elec_cur += hs_cur_from_wh(it_wh, plan->elec_cur_per_mwh[i]);
        *ret_heat_cur += hs_cur_from_wh(it_wh * capture_ratio, plan->heat_cur_per_mwh[i]);
        slot = hs_jsonx_object();
        hs_jsonx_set_at(slot, "at", plan->from_at_s + (int64_t)t * plan->slot_s);
        hs_jsonx_set_real(slot, "run_s", run_s);
        hs_jsonx_set_real(slot, "share", hs_place_get_full_share(job) * speed);
        hs_jsonx_set_real(slot, "electricity_cur_per_mwh", plan->elec_cur_per_mwh[i]);
        hs_jsonx_set_real(slot, "heat_price_cur_per_mwh", plan->heat_cur_per_mwh[i]);
        hs_jsonx_set_real(slot, "net_cur_per_mwh", net);
        hs_jsonx_set_real(slot, "net_cur", hs_cur_from_wh(it_wh, net));
        hs_jsonx_add(slots, slot);
    }
    return slots;
}

static void set_slots(const struct hs_cycle_asking *asking, json_t *object)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_placement *standing = &asking->entry->placement;
    const struct hs_host *host = &cycle->estate->hosts[standing->host_idx];
    double capture_ratio = cycle->estate->racks[host->rack_idx].capture_ratio;
    size_t now = host->loop_idx * cycle->n_slots + hs_cycle_get_slot(cycle, cycle->now_at_s);
    size_t then = host->loop_idx * cycle->n_slots + standing->first_slot;
    double elec_cur = 0.0;
    double heat_cur = 0.0;
    json_t *slots = format_slots(asking, &elec_cur, &heat_cur);

    hs_jsonx_set_real(object, "capture_ratio", capture_ratio);
    hs_jsonx_set_real(object, "net_now_cur_per_mwh",
                      plan->elec_cur_per_mwh[now] - capture_ratio * plan->heat_cur_per_mwh[now]);
    hs_jsonx_set_real(object, "net_planned_cur_per_mwh",
                      plan->elec_cur_per_mwh[then] - capture_ratio * plan->heat_cur_per_mwh[then]);
    hs_jsonx_set_real(object, "electricity_cur", elec_cur);
    hs_jsonx_set_real(object, "heat_cur", heat_cur);
    hs_jsonx_set(object, "slots", slots);
}

/* --- alternatives --- */

static void add_alternative(struct hs_cycle_asking *asking, const char *code,
                            const struct hs_placement *placement)
{
    struct hs_cycle_alternative new = {code, *placement,
                                       hs_place_ask_price(&asking->ask, placement)};
    size_t at = asking->n_alternatives++;

    while (at > 0 && asking->alternatives[at - 1].cost_cur > new.cost_cur) {
        asking->alternatives[at] = asking->alternatives[at - 1];
        at--;
    }
    asking->alternatives[at] = new;
}

/* The cheapest that starts an hour sooner, and an hour later. */
static void ask_other_starts(struct hs_cycle_asking *asking)
{
    const struct hs_placement *standing = &asking->ask.standing;
    size_t apart = (size_t)fmax(1.0, APART_S / (double)asking->cycle->estate->slot_s);
    struct hs_place_job sooner = asking->ask.job;
    struct hs_place_job later = asking->ask.job;
    struct hs_placement placement;

    if (standing->first_slot > apart) {
        double start_at_s = hs_place_ask_get_start_at_s(&asking->ask, standing->first_slot - apart);

        sooner.due_at_s =
            (int64_t)(start_at_s + sooner.remaining_s) + asking->cycle->estate->slot_s;
        sooner.margin_s = 0;
        if (sooner.due_at_s < asking->ask.job.due_at_s
            && hs_place_ask_find(&asking->ask, &sooner, &placement)
            && placement.first_slot + apart <= standing->first_slot
            && placement.first_slot > 0) { /* starting now is an alternative of its own */
            add_alternative(asking, "sooner", &placement);
        }
    }
    if (standing->first_slot + apart < asking->cycle->n_slots) {
        later.earliest_at_s =
            asking->cycle->plan_from_at_s
            + (int64_t)(standing->first_slot + apart) * asking->cycle->estate->slot_s;
        if (hs_place_ask_find(&asking->ask, &later, &placement)) {
            add_alternative(asking, "later", &placement);
        }
    }
}

static void ask_alternatives(struct hs_cycle_asking *asking, const struct hs_placement *now)
{
    const struct hs_placement *standing = &asking->ask.standing;
    struct hs_placement placement;

    if (now != NULL && standing->first_slot > 0) {
        add_alternative(asking, "now", now);
    }
    if (asking->ask.job.freedom != HS_PLACE_AT_ONCE) {
        ask_other_starts(asking);
    }
    if (asking->ask.job.host_idx != SIZE_MAX) {
        return; /* its memory is on its host */
    }
    hs_place_ask_bar_host(&asking->ask, standing->host_idx);
    if (hs_place_ask_find(&asking->ask, &asking->ask.job, &placement)) {
        add_alternative(asking, "other-host", &placement);
    }
    hs_place_ask_bar_loop(&asking->ask, loop_of(asking->cycle, standing->host_idx)
                                            - asking->cycle->estate->loops);
    if (hs_place_ask_find(&asking->ask, &asking->ask.job, &placement)) {
        add_alternative(asking, "other-loop", &placement);
    }
    hs_place_ask_unbar(&asking->ask);
}

static json_t *format_alternative(const struct hs_cycle_asking *asking,
                                  const struct hs_cycle_alternative *it)
{
    const struct hs_cycle *cycle = asking->cycle;
    json_t *item = hs_jsonx_object();
    double extra_cur = it->cost_cur - asking->ask.standing_cur;
    char at[HS_TIMETEXT_MAX];
    char money[HS_CYCLE_EXPLAIN_MONEY_MAX];
    char text[320];

    hs_timetext_format(hs_cycle_explain_start(asking, &it->placement), at);
    hs_cycle_explain_format_money(cycle, fabs(extra_cur), money, sizeof(money));
    snprintf(text, sizeof(text), "start at %s on '%s': %s %s", at,
             hs_cycle_explain_host_path(cycle, it->placement.host_idx), money,
             extra_cur < 0 ? "less" : "more");
    hs_jsonx_set_text(item, "code", it->code);
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_at(item, "start", hs_cycle_explain_start(asking, &it->placement));
    hs_jsonx_set_at(item, "end", hs_cycle_explain_end(asking, &it->placement));
    hs_jsonx_set_text(item, "host", hs_cycle_explain_host_path(cycle, it->placement.host_idx));
    hs_jsonx_set_text(item, "loop", loop_of(cycle, it->placement.host_idx)->path);
    hs_jsonx_set_real(item, "cost_cur", it->cost_cur);
    hs_jsonx_set_real(item, "extra_cur", extra_cur);
    return item;
}

/* --- all of it --- */

/* What else it could do is to leave as much time before its due time as its standing place does. */
static void keep_margin(struct hs_cycle_asking *asking)
{
    struct hs_place_job *job = &asking->ask.job;
    int64_t kept_at_s = job->due_at_s - (int64_t)job->margin_s;
    bool has_place = asking->ask.standing.host_idx != SIZE_MAX;

    asking->as_told = *job;
    job->margin_s = 0;
    if (has_place && hs_cycle_explain_end(asking, &asking->ask.standing) <= kept_at_s) {
        job->due_at_s = kept_at_s;
    }
}

static void ask_all(struct hs_cycle_asking *asking, json_t *object)
{
    struct hs_placement now;
    bool has_now = asking->ask.job.earliest_at_s <= asking->cycle->now_at_s
                   && hs_place_ask_find_now(&asking->ask, &now);
    double now_cur = has_now ? hs_place_ask_price(&asking->ask, &now) : (double)NAN;
    json_t *alternatives = hs_jsonx_array();

    if (asking->ask.standing.host_idx != SIZE_MAX) {
        ask_alternatives(asking, has_now ? &now : NULL);
        if (has_now) {
            hs_cycle_explain_break_even(asking, &now);
        }
        hs_jsonx_set_real(object, "cost_now_cur", now_cur);
        hs_jsonx_set_real(object, "cost_planned_cur", asking->ask.standing_cur);
        hs_jsonx_set_real(object, "saving_cur", now_cur - asking->ask.standing_cur);
    }
    for (size_t i = 0; i < asking->n_alternatives; i++) {
        hs_jsonx_add(alternatives, format_alternative(asking, &asking->alternatives[i]));
    }
    hs_jsonx_set(object, "alternatives", alternatives);
    hs_cycle_explain_bounds(asking);
}

void hs_cycle_set_choices(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                          json_t *object)
{
    struct hs_cycle_asking asking = {.cycle = cycle, .entry = entry};
    bool is_told = cycle->has_plan && entry->is_placed && !hs_cycle_starts_beyond(cycle, entry->job)
                   && !hs_job_is_over(entry->job)
                   && hs_cycle_fill_place_job(cycle, entry, &asking.ask.job);

    if (!is_told) {
        json_t *constraints = hs_jsonx_array();

        if (cycle->has_plan) {
            hs_cycle_explain_after(cycle, entry, constraints);
        }
        if (json_array_size(constraints) > 0) {
            hs_jsonx_set(object, "constraints", constraints);
        } else {
            json_decref(constraints);
        }
        return;
    }
    asking.constraints = hs_jsonx_array();
    asking.changes = hs_jsonx_array();
    if (entry->placement.host_idx != SIZE_MAX) {
        set_slots(&asking, object);
    }
    if (asking.ask.job.freedom != HS_PLACE_FIXED) {
        struct hs_place_job job = asking.ask.job;

        hs_place_ask_begin(&asking.ask, cycle->place, &job, &entry->placement, entry->job->id != 0);
        keep_margin(&asking);
        ask_all(&asking, object);
        hs_place_ask_end(&asking.ask);
    }
    hs_jsonx_set(object, "constraints", asking.constraints);
    hs_jsonx_set(object, "changes", asking.changes);
}
