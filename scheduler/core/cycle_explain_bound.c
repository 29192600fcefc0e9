/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_explain_bound - which bounds bind, and at what prices a job would start now. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/core/cycle_explain_priv.h"

#define LATER_S     (6 * 3600) /* how much later its due time is asked to be */
#define WORTH_RATIO 0.01       /* what saves less than this part of its cost does not bind */

struct bound {
    const char *code;
    const char *object;
    char text[256];
    char change[256];
};

/* @placement is where it would go without @bound; said if that is worth saying. */
static void add_bound(struct hs_cycle_asking *asking, const struct bound *bound,
                      const struct hs_placement *placement)
{
    const struct hs_cycle *cycle = asking->cycle;
    double cost_cur = hs_place_ask_price(&asking->ask, placement);
    double saving_cur = asking->ask.standing_cur - cost_cur; /* NAN: it has no place now */
    char at[HS_TIMETEXT_MAX];
    char money[HS_CYCLE_EXPLAIN_MONEY_MAX];
    char change[640];
    json_t *item;

    if (!isnan(saving_cur) && !asking->ask.standing.is_late
        && !(saving_cur > WORTH_RATIO * fabs(asking->ask.standing_cur) + 1e-9)) {
        return;
    }
    hs_timetext_format(hs_cycle_explain_start(asking, placement), at);
    if (saving_cur > 0) {
        hs_cycle_explain_format_money(cycle, saving_cur, money, sizeof(money));
        snprintf(change, sizeof(change), "%s: it would start at %s on '%s' and cost %s less",
                 bound->change, at, hs_cycle_explain_host_path(cycle, placement->host_idx), money);
    } else {
        snprintf(change, sizeof(change), "%s: it would start at %s on '%s'", bound->change, at,
                 hs_cycle_explain_host_path(cycle, placement->host_idx));
    }
    item = hs_jsonx_object();
    hs_jsonx_set_text(item, "code", bound->code);
    hs_jsonx_set_text(item, "text", bound->text);
    hs_jsonx_set_text(item, "object", bound->object);
    hs_jsonx_set_text(item, "change", change);
    hs_jsonx_set_real(item, "saving_cur", saving_cur);
    hs_jsonx_set_at(item, "would_start", hs_cycle_explain_start(asking, placement));
    hs_jsonx_set_text(item, "would_host", hs_cycle_explain_host_path(cycle, placement->host_idx));
    hs_jsonx_add(asking->constraints, item);
}

static void ask_bound(struct hs_cycle_asking *asking, const struct bound *bound,
                      const struct hs_place_job *changed)
{
    struct hs_placement placement;

    if (hs_place_ask_find(&asking->ask, changed, &placement)) {
        add_bound(asking, bound, &placement);
    }
}

static void ask_due(struct hs_cycle_asking *asking)
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

static void ask_margin(struct hs_cycle_asking *asking)
{
    struct hs_place_job changed = asking->as_told;
    struct bound bound = {.code = "margin", .object = "hosts"};
    char margin[HS_TIMETEXT_MAX];

    if (!(changed.margin_s > (double)asking->cycle->estate->slot_s)
        || changed.due_at_s == asking->ask.job.due_at_s) {
        return; /* there is none, or it is given up already */
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

static void ask_earliest(struct hs_cycle_asking *asking)
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

static void ask_sites(struct hs_cycle_asking *asking)
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
static void ask_shape(struct hs_cycle_asking *asking)
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
static void describe_shortage(const struct hs_cycle_asking *asking,
                              const struct hs_place_shortage *it, struct bound *bound)
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

static void ask_room(struct hs_cycle_asking *asking)
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
static double sum_run(const struct hs_cycle_asking *asking, const struct hs_placement *placement,
                      double *ret_heat_cur_per_mwh, double *ret_elec_cur_per_mwh)
{
    const struct hs_cycle *cycle = asking->cycle;
    const struct hs_plan *plan = hs_place_get_plan(cycle->place);
    const struct hs_host *host = &cycle->estate->hosts[placement->host_idx];
    const struct hs_place_job *job = &asking->ask.job;
    double elec_w = hs_host_elec_w_per_vcpu(host) * job->size.vcpus * hs_place_get_full_share(job);
    double left_s = job->remaining_s;
    double sum_s = 0.0;

    *ret_heat_cur_per_mwh = 0.0;
    *ret_elec_cur_per_mwh = 0.0;
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        double run_s = hs_plan_runs(placement, t)
                           ? fmin(left_s, hs_place_ask_get_slot_s(&asking->ask, t)
                                              * hs_place_get_speed(job, placement, t))
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

static void add_change(struct hs_cycle_asking *asking, const char *code, const char *object,
                       double at_cur_per_mwh, double now_cur_per_mwh, const char *text)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "code", code);
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_text(item, "object", object);
    hs_jsonx_set_real(item, "now_cur_per_mwh", now_cur_per_mwh);
    hs_jsonx_set_real(item, "at_cur_per_mwh", at_cur_per_mwh);
    hs_jsonx_add(asking->changes, item);
}

/* Prices at which starting now would cost as much as the planned place does. */
void hs_cycle_explain_break_even(struct hs_cycle_asking *asking, const struct hs_placement *now)
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
    hs_timetext_format(hs_cycle_explain_end(asking, now), until);
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

/* --- all of them --- */

void hs_cycle_explain_after(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                            json_t *constraints)
{
    const struct hs_job *other = NULL;
    struct hs_place_job job;
    struct hs_placement placement = {.host_idx = SIZE_MAX};
    int64_t start_at_s = 0;
    char object[40];
    char text[160];
    char change[640] = "without --after";
    json_t *item;

    if (hs_job_is_over(entry->job) || entry->job->state != HS_JOB_WAITING
        || hs_cycle_check_after(cycle, entry->job, &other) != HS_CYCLE_AFTER_OPEN) {
        return;
    }
    snprintf(object, sizeof(object), "job %llu", (unsigned long long)other->id);
    snprintf(text, sizeof(text), "it waits for %s, which is %s", object,
             hs_job_state_word(other->state));
    if (hs_cycle_fill_place_job_alone(cycle, entry, &job)) {
        hs_place_try(cycle->place, &job, &placement);
    }
    if (placement.host_idx != SIZE_MAX) {
        char at[HS_TIMETEXT_MAX];

        start_at_s =
            placement.first_slot == 0
                ? cycle->now_at_s
                : cycle->plan_from_at_s + (int64_t)placement.first_slot * cycle->estate->slot_s;
        hs_timetext_format(start_at_s, at);
        snprintf(change, sizeof(change), "without --after: it would start at %s on '%s'", at,
                 hs_cycle_explain_host_path(cycle, placement.host_idx));
    }
    item = hs_jsonx_object();
    hs_jsonx_set_text(item, "code", "after");
    hs_jsonx_set_text(item, "text", text);
    hs_jsonx_set_text(item, "object", object);
    hs_jsonx_set_text(item, "change", change);
    hs_jsonx_set_real(item, "saving_cur", NAN);
    hs_jsonx_set_at(item, "would_start", start_at_s);
    hs_jsonx_set_text(item, "would_host",
                      placement.host_idx != SIZE_MAX
                          ? hs_cycle_explain_host_path(cycle, placement.host_idx)
                          : NULL);
    hs_jsonx_add(constraints, item);
}

void hs_cycle_explain_bounds(struct hs_cycle_asking *asking)
{
    ask_room(asking);
    ask_due(asking);
    ask_margin(asking);
    ask_earliest(asking);
    ask_sites(asking);
    ask_shape(asking);
}
