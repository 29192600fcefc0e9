/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_explain_ask - what a job's place costs slot by slot, where else it could go and for how
 * much more, which of its bounds bind, and what would change the decision. Every figure is an
 * answer of the planner to the changed question, not a guess.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"

#define LATER_S            (6 * 3600) /* how much later its due time is asked to be */
#define APART_S            3600       /* another start differs by so much */
#define WORTH_RATIO        0.01       /* what saves less than this part of its cost does not bind */
#define N_ALTERNATIVES_MAX 5

struct alternative {
    const char *code;
    struct hs_placement placement;
    double cost_cur;
};

struct asking {
    const struct hs_cycle *cycle;
    const struct hs_cycle_entry *entry;
    struct hs_place_ask ask;
    struct alternative alternatives[N_ALTERNATIVES_MAX]; /* [n_alternatives] */
    size_t n_alternatives;
    json_t *constraints;
    json_t *changes;
};

/* --- words --- */

static const char *host_path(const struct hs_cycle *cycle, size_t host_idx)
{
    return cycle->estate->hosts[host_idx].path;
}

static const struct hs_heatloop *loop_of(const struct hs_cycle *cycle, size_t host_idx)
{
    return &cycle->estate->loops[cycle->estate->hosts[host_idx].loop_idx];
}

static int64_t start_of(const struct asking *asking, const struct hs_placement *placement)
{
    return (int64_t)hs_place_ask_get_start_at_s(&asking->ask, placement->first_slot);
}

static int64_t end_of(const struct asking *asking, const struct hs_placement *placement)
{
    double left_s = asking->ask.job.remaining_s;
    double end_at_s = 0.0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (hs_plan_runs(placement, t)) {
            double run_s = fmin(left_s, hs_place_ask_get_slot_s(&asking->ask, t));

            end_at_s = hs_place_ask_get_start_at_s(&asking->ask, t) + run_s;
            left_s -= run_s;
        }
    }
    return (int64_t)ceil(end_at_s + left_s);
}

/* --- prices at its slots --- */

static json_t *format_slots(const struct asking *asking, double *ret_elec_cur, double *ret_heat_cur)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_placement *standing = &asking->entry->placement;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_host *host = &cycle->estate->hosts[standing->host_idx];
    double capture_ratio = cycle->estate->racks[host->rack_idx].capture_ratio;
    double elec_w = hs_host_elec_w_per_vcpu(host) * (double)asking->entry->job->vcpus;
    double left_s = asking->ask.job.remaining_s;
    json_t *slots = hs_jsonx_array();

    for (size_t t = standing->first_slot; t <= standing->last_slot; t++) {
        size_t i = host->loop_idx * cycle->n_slots + t;
        double run_s = fmin(left_s, (double)plan->slot_s * hs_cycle_get_slot_share(cycle, t));
        double it_wh = hs_wh_from_w(elec_w, run_s);
        double net = plan->elec_cur_per_mwh[i] - capture_ratio * plan->heat_cur_per_mwh[i];
        json_t *slot;

        if (!hs_plan_runs(standing, t) || run_s <= 0) {
            continue;
        }
        left_s -= run_s;
        *ret_elec_cur += hs_cur_from_wh(it_wh, plan->elec_cur_per_mwh[i]);
        *ret_heat_cur += hs_cur_from_wh(it_wh * capture_ratio, plan->heat_cur_per_mwh[i]);
        slot = hs_jsonx_object();
        hs_jsonx_set_at(slot, "at", plan->from_at_s + (int64_t)t * plan->slot_s);
        hs_jsonx_set_real(slot, "run_s", run_s);
        hs_jsonx_set_real(slot, "electricity_cur_per_mwh", plan->elec_cur_per_mwh[i]);
        hs_jsonx_set_real(slot, "heat_price_cur_per_mwh", plan->heat_cur_per_mwh[i]);
        hs_jsonx_set_real(slot, "net_cur_per_mwh", net);
        hs_jsonx_set_real(slot, "net_cur", hs_cur_from_wh(it_wh, net));
        hs_jsonx_add(slots, slot);
    }
    return slots;
}

static void set_slots(const struct asking *asking, json_t *object)
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

static void add_alternative(struct asking *asking, const char *code,
                            const struct hs_placement *placement)
{
    struct alternative new = {code, *placement, hs_place_ask_price(&asking->ask, placement)};
    size_t at = asking->n_alternatives++;

    while (at > 0 && asking->alternatives[at - 1].cost_cur > new.cost_cur) {
        asking->alternatives[at] = asking->alternatives[at - 1];
        at--;
    }
    asking->alternatives[at] = new;
}

/* The cheapest that starts an hour sooner, and an hour later. */
static void ask_other_starts(struct asking *asking)
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

static void ask_alternatives(struct asking *asking, const struct hs_placement *now)
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

static json_t *format_alternative(const struct asking *asking, const struct alternative *it)
{
    const struct hs_cycle *cycle = asking->cycle;
    json_t *item = hs_jsonx_object();
    double extra_cur = it->cost_cur - asking->ask.standing_cur;
    char at[HS_TIMETEXT_MAX];
    char text[320];

    hs_timetext_format(start_of(asking, &it->placement), at);
    snprintf(text, sizeof(text), "start at %s on '%s': %.4f %s %s", at,
             host_path(cycle, it->placement.host_idx), fabs(extra_cur), cycle->estate->currency,
             extra_cur < 0 ? "less" : "more");
    hs_jsonx_set_text(item, "code", it->code);
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_at(item, "start", start_of(asking, &it->placement));
    hs_jsonx_set_at(item, "end", end_of(asking, &it->placement));
    hs_jsonx_set_text(item, "host", host_path(cycle, it->placement.host_idx));
    hs_jsonx_set_text(item, "loop", loop_of(cycle, it->placement.host_idx)->path);
    hs_jsonx_set_real(item, "cost_cur", it->cost_cur);
    hs_jsonx_set_real(item, "extra_cur", extra_cur);
    return item;
}

/* --- what binds --- */

struct bound {
    const char *code;
    const char *object;
    char text[256];
    char change[256];
};

/* @placement is where it would go without @bound; said if that is worth saying. */
static void add_bound(struct asking *asking, const struct bound *bound,
                      const struct hs_placement *placement)
{
    const struct hs_cycle *cycle = asking->cycle;
    double cost_cur = hs_place_ask_price(&asking->ask, placement);
    double saving_cur = asking->ask.standing_cur - cost_cur; /* NAN: it has no place now */
    char at[HS_TIMETEXT_MAX];
    char change[640];
    json_t *item;

    if (!isnan(saving_cur) && !asking->ask.standing.is_late
        && !(saving_cur > WORTH_RATIO * fabs(asking->ask.standing_cur) + 1e-9)) {
        return;
    }
    hs_timetext_format(start_of(asking, placement), at);
    if (saving_cur > 0) {
        snprintf(change, sizeof(change), "%s: it would start at %s on '%s' and cost %.4f %s less",
                 bound->change, at, host_path(cycle, placement->host_idx), saving_cur,
                 cycle->estate->currency);
    } else {
        snprintf(change, sizeof(change), "%s: it would start at %s on '%s'", bound->change, at,
                 host_path(cycle, placement->host_idx));
    }
    item = hs_jsonx_object();
    hs_jsonx_set_text(item, "code", bound->code);
    hs_jsonx_set_text(item, "text", bound->text);
    hs_jsonx_set_text(item, "object", bound->object);
    hs_jsonx_set_text(item, "change", change);
    hs_jsonx_set_real(item, "saving_cur", saving_cur);
    hs_jsonx_set_at(item, "would_start", start_of(asking, placement));
    hs_jsonx_set_text(item, "would_host", host_path(cycle, placement->host_idx));
    hs_jsonx_add(asking->constraints, item);
}

static void ask_bound(struct asking *asking, const struct bound *bound,
                      const struct hs_place_job *changed)
{
    struct hs_placement placement;

    if (hs_place_ask_find(&asking->ask, changed, &placement)) {
        add_bound(asking, bound, &placement);
    }
}

static void ask_due(struct asking *asking)
{
    struct hs_place_job changed = asking->ask.job;
    struct bound bound = {.object = "job"};
    bool is_own = asking->entry->job->due_at_s > 0;
    char at[HS_TIMETEXT_MAX];

    changed.due_at_s += LATER_S;
    hs_timetext_format(asking->entry->due_at_s, at);
    bound.code = is_own ? "due" : "max-wait";
    snprintf(bound.text, sizeof(bound.text),
             is_own ? "it is due at %s" : "its class has it done by %s", at);
    snprintf(bound.change, sizeof(bound.change), "with 6 hours more");
    ask_bound(asking, &bound, &changed);
}

static void ask_margin(struct asking *asking)
{
    struct hs_place_job changed = asking->ask.job;
    struct bound bound = {.code = "margin", .object = "hosts"};
    char margin[HS_TIMETEXT_MAX];

    if (!(changed.margin_s > (double)asking->cycle->estate->slot_s)) {
        return;
    }
    hs_timetext_format_duration((int64_t)changed.margin_s, margin);
    changed.margin_s = 0;
    snprintf(bound.text, sizeof(bound.text),
             "it is to end %s before its due time, for jobs still to come may need the hosts: "
             "%.0f %% of their vCPUs are taken or expected to be over the next day",
             margin, 100.0 * asking->cycle->load_ratio);
    snprintf(bound.change, sizeof(bound.change), "with emptier hosts, so no margin");
    ask_bound(asking, &bound, &changed);
}

static void ask_earliest(struct asking *asking)
{
    struct hs_place_job changed = asking->ask.job;
    struct bound bound = {.code = "earliest", .object = "job"};
    char at[HS_TIMETEXT_MAX];

    if (changed.earliest_at_s <= asking->cycle->now_at_s) {
        return;
    }
    hs_timetext_format(changed.earliest_at_s, at);
    changed.earliest_at_s = 0;
    snprintf(bound.text, sizeof(bound.text), "it may not start before %s", at);
    snprintf(bound.change, sizeof(bound.change), "without --earliest");
    ask_bound(asking, &bound, &changed);
}

static void ask_sites(struct asking *asking)
{
    const struct hs_estate *estate = asking->cycle->estate;
    struct hs_place_job changed = asking->ask.job;
    struct bound bound = {.code = "sites", .object = "job"};
    size_t n_allowed = 0;

    for (size_t s = 0; s < estate->n_sites; s++) {
        n_allowed += changed.site_allowed[s];
    }
    if (n_allowed == estate->n_sites || changed.host_idx != SIZE_MAX) {
        return;
    }
    changed.site_allowed = NULL;
    snprintf(bound.text, sizeof(bound.text), "it may use %zu of %zu sites", n_allowed,
             estate->n_sites);
    snprintf(bound.change, sizeof(bound.change), "if it might use every site");
    ask_bound(asking, &bound, &changed);
}

/* How it may be cut up, and when it must begin. */
static void ask_shape(struct asking *asking)
{
    struct hs_place_job changed = asking->ask.job;
    struct bound bound = {.object = "job"};
    char min_run[HS_TIMETEXT_MAX];

    if (changed.freedom == HS_PLACE_CONTIGUOUS) {
        bound.code = "run-through";
        changed.freedom = HS_PLACE_INTERRUPTIBLE;
        snprintf(bound.text, sizeof(bound.text), "it may not be suspended");
        snprintf(bound.change, sizeof(bound.change), "with --interruptible");
        ask_bound(asking, &bound, &changed);
    } else if (changed.freedom == HS_PLACE_INTERRUPTIBLE
               && changed.min_run_s > asking->cycle->estate->slot_s) {
        bound.code = "min-run";
        hs_timetext_format_duration(changed.min_run_s, min_run);
        changed.min_run_s = 0;
        snprintf(bound.text, sizeof(bound.text), "it runs for %s at least between suspensions",
                 min_run);
        snprintf(bound.change, sizeof(bound.change), "with a shorter --min-run");
        ask_bound(asking, &bound, &changed);
    } else if (changed.freedom == HS_PLACE_AT_ONCE && asking->entry->job->now) {
        bound.code = "urgency";
        changed.freedom =
            asking->entry->job->interruptible ? HS_PLACE_INTERRUPTIBLE : HS_PLACE_CONTIGUOUS;
        snprintf(bound.text, sizeof(bound.text), "it starts as soon as it can: --now");
        snprintf(bound.change, sizeof(bound.change), "without --now");
        ask_bound(asking, &bound, &changed);
    }
}

/* What the host lacks, most telling first: "4 more free vCPUs". */
static void describe_shortage(const struct asking *asking, const struct hs_place_shortage *it,
                              struct bound *bound)
{
    const struct hs_estate *estate = asking->cycle->estate;
    const struct hs_host *host = &estate->hosts[it->host_idx];
    int64_t slot_s = estate->slot_s;
    char from[HS_TIMETEXT_MAX];
    char until[HS_TIMETEXT_MAX];
    char lacks[96];

    bound->object = host->path;
    if (it->vcpus > 0) {
        bound->code = "vcpus";
        snprintf(lacks, sizeof(lacks), "%d more free vCPU%s", it->vcpus, it->vcpus > 1 ? "s" : "");
    } else if (it->memory_mib > 0) {
        bound->code = "memory";
        snprintf(lacks, sizeof(lacks), "%.1f GiB more free memory",
                 (double)it->memory_mib / 1024.0);
    } else if (it->rack_mw > 0) {
        bound->code = "rack-power";
        bound->object = estate->racks[host->rack_idx].path;
        snprintf(lacks, sizeof(lacks), "%.2f kW more under its limit", (double)it->rack_mw * 1e-6);
    } else {
        bound->code = "site-power";
        bound->object = estate->sites[host->site_idx].name;
        snprintf(lacks, sizeof(lacks), "%.2f kW more under its limit", (double)it->site_mw * 1e-6);
    }
    hs_timetext_format((int64_t)hs_place_ask_get_start_at_s(&asking->ask, it->first_slot), from);
    hs_timetext_format(asking->cycle->plan_from_at_s + (int64_t)(it->last_slot + 1) * slot_s,
                       until);
    snprintf(bound->text, sizeof(bound->text), "'%s' is full for it between %s and %s",
             bound->object, from, until);
    snprintf(bound->change, sizeof(bound->change), "if '%s' had %s then", bound->object, lacks);
}

static void ask_room(struct asking *asking)
{
    struct hs_placement placement;
    struct hs_place_shortage shortage;
    struct bound bound;

    if (hs_place_ask_find_roomless(&asking->ask, &placement, &shortage)
        && shortage.first_slot != SIZE_MAX) {
        describe_shortage(asking, &shortage, &bound);
        add_bound(asking, &bound, &placement);
    }
}

/* --- what would have it start now --- */

/* Energy of @placement, and what its slots' heat and electricity are worth at the mean. */
static double sum_run(const struct asking *asking, const struct hs_placement *placement,
                      double *ret_heat_cur_per_mwh, double *ret_elec_cur_per_mwh)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_host *host = &cycle->estate->hosts[placement->host_idx];
    double elec_w = hs_host_elec_w_per_vcpu(host) * (double)asking->entry->job->vcpus;
    double left_s = asking->ask.job.remaining_s;
    double sum_s = 0.0;

    *ret_heat_cur_per_mwh = 0.0;
    *ret_elec_cur_per_mwh = 0.0;
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double run_s = hs_plan_runs(placement, t)
                           ? fmin(left_s, hs_place_ask_get_slot_s(&asking->ask, t))
                           : 0.0;
        size_t i = host->loop_idx * cycle->n_slots + t;

        left_s -= run_s;
        sum_s += run_s;
        *ret_heat_cur_per_mwh += run_s * plan->heat_cur_per_mwh[i];
        *ret_elec_cur_per_mwh += run_s * plan->elec_cur_per_mwh[i];
    }
    *ret_heat_cur_per_mwh /= sum_s;
    *ret_elec_cur_per_mwh /= sum_s;
    return hs_wh_from_w(elec_w, sum_s);
}

static void add_change(struct asking *asking, const char *code, const char *object, double value,
                       double is_now, const char *text)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "code", code);
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_text(item, "object", object);
    hs_jsonx_set_real(item, "now_cur_per_mwh", is_now);
    hs_jsonx_set_real(item, "at_cur_per_mwh", value);
    hs_jsonx_add(asking->changes, item);
}

/* Prices at which starting now would cost as much as the planned place does. */
static void find_break_even(struct asking *asking, const struct hs_placement *now)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_host *host = &cycle->estate->hosts[now->host_idx];
    const char *currency = cycle->estate->currency;
    double capture_ratio = cycle->estate->racks[host->rack_idx].capture_ratio;
    double extra_cur = hs_place_ask_price(&asking->ask, now) - asking->ask.standing_cur;
    double heat_cur_per_mwh;
    double elec_cur_per_mwh;
    double it_wh = sum_run(asking, now, &heat_cur_per_mwh, &elec_cur_per_mwh);
    double extra_cur_per_mwh = extra_cur / it_wh * 1e6;
    char until[HS_TIMETEXT_MAX];
    char text[400];

    if (!(extra_cur > 0) || !(it_wh > 0) || asking->ask.standing.first_slot == 0) {
        return;
    }
    hs_timetext_format(end_of(asking, now), until);
    if (capture_ratio > 0) {
        double at = heat_cur_per_mwh + extra_cur_per_mwh / capture_ratio;

        snprintf(
            text, sizeof(text),
            "it would start now if heat at '%s' were worth over %.1f %s/MWh until %s, not %.1f",
            cycle->estate->loops[host->loop_idx].path, at, currency, until, heat_cur_per_mwh);
        add_change(asking, "heat-worth-over", cycle->estate->loops[host->loop_idx].path, at,
                   heat_cur_per_mwh, text);
    }
    snprintf(text, sizeof(text),
             "it would start now if electricity at '%s' cost under %.1f %s/MWh until %s, not %.1f",
             cycle->estate->sites[host->site_idx].name, elec_cur_per_mwh - extra_cur_per_mwh,
             currency, until, elec_cur_per_mwh);
    add_change(asking, "electricity-under", cycle->estate->sites[host->site_idx].name,
               elec_cur_per_mwh - extra_cur_per_mwh, elec_cur_per_mwh, text);
}

/* --- all of it --- */

static void ask_all(struct asking *asking, json_t *object)
{
    struct hs_placement now;
    bool has_now = asking->ask.job.earliest_at_s <= asking->cycle->now_at_s
                   && hs_place_ask_find_now(&asking->ask, &now);
    double now_cur = has_now ? hs_place_ask_price(&asking->ask, &now) : (double)NAN;
    json_t *alternatives = hs_jsonx_array();

    if (asking->ask.standing.host_idx != SIZE_MAX) {
        ask_alternatives(asking, has_now ? &now : NULL);
        if (has_now) {
            find_break_even(asking, &now);
        }
        hs_jsonx_set_real(object, "cost_now_cur", now_cur);
        hs_jsonx_set_real(object, "cost_planned_cur", asking->ask.standing_cur);
        hs_jsonx_set_real(object, "saving_cur", now_cur - asking->ask.standing_cur);
    }
    for (size_t i = 0; i < asking->n_alternatives; i++) {
        hs_jsonx_add(alternatives, format_alternative(asking, &asking->alternatives[i]));
    }
    hs_jsonx_set(object, "alternatives", alternatives);
    ask_room(asking);
    ask_due(asking);
    ask_margin(asking);
    ask_earliest(asking);
    ask_sites(asking);
    ask_shape(asking);
}

void hs_cycle_set_choices(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                          json_t *object)
{
    struct asking asking = {.cycle = cycle, .entry = entry};
    bool is_told = cycle->has_plan && entry->is_placed && !hs_cycle_starts_beyond(cycle, entry->job)
                   && !hs_job_is_over(entry->job)
                   && hs_cycle_fill_place_job(cycle, entry, &asking.ask.job);

    if (!is_told) {
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
        ask_all(&asking, object);
        hs_place_ask_end(&asking.ask);
    }
    hs_jsonx_set(object, "constraints", asking.constraints);
    hs_jsonx_set(object, "changes", asking.changes);
}
