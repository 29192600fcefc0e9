/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_breach - what the plan in force cannot keep, why, and at which price; see cycle_soft.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/cycle_soft.h"

#define LEAST_WH  1.0 /* less is rounding */
#define LEAST_W   1.0
#define S_PER_MIN 60

/** Breaches under way: slots in a row of one kind and subject become one. */
struct breach_walk {
    const struct hs_cycle *cycle;
    const struct hs_plan *plan;
    double *scope_w; /* [n_scopes][n_slots] planned IT power */
    double *heat_w;  /* [n_racks][n_slots] planned captured heat */
};

static int64_t slot_at(const struct breach_walk *walk, size_t t)
{
    return walk->plan->from_at_s + (int64_t)t * walk->plan->slot_s;
}

static struct hs_breach *push(const struct breach_walk *walk, enum hs_breach_kind kind,
                              const char *subject)
{
    struct hs_cycle_soft *soft = walk->cycle->soft;
    struct hs_breach breach = {.kind = kind};

    snprintf(breach.subject, sizeof(breach.subject), "%s", subject);
    (void)HS_VEC_PUSH(&soft->breaches, breach);
    return &soft->breaches.items[soft->breaches.n - 1];
}

/* Slot @t of a breach that goes on from the slot before, or begins here. */
static struct hs_breach *extend(const struct breach_walk *walk, enum hs_breach_kind kind,
                                const char *subject, size_t t, double amount, double cost_cur)
{
    struct hs_cycle_soft *soft = walk->cycle->soft;
    struct hs_breach *last =
        soft->breaches.n > 0 ? &soft->breaches.items[soft->breaches.n - 1] : NULL;

    if (last == NULL || last->kind != kind || strcmp(last->subject, subject) != 0
        || last->until_at_s != slot_at(walk, t)) {
        last = push(walk, kind, subject);
        last->from_at_s = slot_at(walk, t);
    }
    last->until_at_s = slot_at(walk, t + 1);
    last->amount = fmax(last->amount, amount);
    last->cost_cur += cost_cur;
    return last;
}

/* --- each kind --- */

static void add_late(const struct breach_walk *walk)
{
    const struct hs_cycle *cycle = walk->cycle;
    double price = cycle->options.policy->prices.late_cur_per_h;

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        int64_t horizon_at_s = slot_at(walk, walk->plan->n_slots);
        int64_t start_at_s = 0;
        int64_t end_at_s = 0;
        char subject[32];

        if (!entry->is_placed || !entry->placement.is_late || hs_job_is_over(entry->job)) {
            continue;
        }
        hs_cycle_get_window(cycle, entry, cycle->now_at_s, &start_at_s, &end_at_s);
        end_at_s = entry->placement.host_idx != SIZE_MAX ? end_at_s : horizon_at_s;
        snprintf(subject, sizeof(subject), "job %llu", (unsigned long long)entry->job->id);
        struct hs_breach *breach = push(walk, HS_BREACH_LATE, subject);

        breach->job_id = entry->job->id;
        breach->from_at_s = entry->due_at_s;
        breach->until_at_s = end_at_s > entry->due_at_s ? end_at_s : entry->due_at_s;
        breach->amount = (double)(breach->until_at_s - breach->from_at_s);
        breach->cost_cur = breach->amount / HS_S_PER_H * price;
        breach->code = entry->placement.is_hopeless ? "too-long" : "no-room";
        breach->change = "a later due time, more hosts or sites, or fewer vCPUs";
        snprintf(breach->cause, sizeof(breach->cause), "%s",
                 entry->placement.is_hopeless ? "its estimate is longer than the time that was left"
                 : entry->placement.host_idx == SIZE_MAX
                     ? "no host that it may use has room for it within the horizon"
                     : "no host that it may use has room for it in time");
    }
}

/* Maintenance of some of the loop's hosts in slot @t; NULL if none. */
static const struct hs_cycle_closure *find_closure(const struct breach_walk *walk, size_t loop_idx,
                                                   size_t t)
{
    const struct hs_cycle *cycle = walk->cycle;

    for (size_t i = 0; i < cycle->closures.n; i++) {
        const struct hs_cycle_closure *closure = &cycle->closures.items[i];

        if (cycle->estate->hosts[closure->host_idx].loop_idx == loop_idx
            && closure->from_at_s < slot_at(walk, t + 1)
            && closure->until_at_s > slot_at(walk, t)) {
            return closure;
        }
    }
    return NULL;
}

static void add_comfort(const struct breach_walk *walk, size_t loop_idx)
{
    const struct hs_cycle *cycle = walk->cycle;
    const struct hs_thermal_input *input = &cycle->frame_inputs[loop_idx];
    const char *path = cycle->estate->loops[loop_idx].path;
    size_t n = walk->plan->n_slots;

    for (size_t t = 0; input->floor_wh != NULL && t < n; t++) {
        double short_wh = input->floor_wh[t] - walk->plan->tank_wh[loop_idx * n + t];

        if (short_wh > LEAST_WH) {
            struct hs_breach *breach = extend(walk, HS_BREACH_COMFORT, path, t, short_wh,
                                              short_wh * input->floor_cur_per_wh);

            bool is_closed = find_closure(walk, loop_idx, t) != NULL;

            breach->code = is_closed || breach->code == NULL
                               ? (is_closed ? "maintenance" : "heat-short")
                               : breach->code;
            breach->change = "more work there, a lower comfort_c or ride_through of the tank, or a "
                             "higher comfort price in a policy";
            if (is_closed) {
                snprintf(breach->cause, sizeof(breach->cause),
                         "hosts that would heat the tank are in maintenance");
            } else if (breach->cause[0] == '\0') {
                snprintf(breach->cause, sizeof(breach->cause),
                         "the work there is gives less heat than sinks take");
            }
        }
    }
}

static void add_hygiene(const struct breach_walk *walk, size_t loop_idx)
{
    const struct hs_cycle *cycle = walk->cycle;
    const struct hs_tank *tank = &cycle->estate->loops[loop_idx].tank;
    int64_t due_at_s = hs_cycle_hygiene_get_due(cycle, loop_idx);

    if (due_at_s >= cycle->now_at_s) {
        return;
    }
    struct hs_breach *breach = push(walk, HS_BREACH_HYGIENE, cycle->estate->loops[loop_idx].path);

    breach->from_at_s = due_at_s;
    breach->until_at_s = cycle->now_at_s;
    breach->amount = (double)(cycle->now_at_s - due_at_s);
    breach->cost_cur =
        breach->amount / HS_S_PER_H * cycle->options.policy->prices.hygiene_cur_per_h;
    breach->code = "not-hot";
    breach->change = "heating all of the tank by its backup, or a thermometer at its coldest place";
    snprintf(breach->cause, sizeof(breach->cause),
             "no thermometer has shown all of the tank at %.0f C for %lld min", tank->hygiene_c,
             (long long)tank->hygiene_hold_s / S_PER_MIN);
}

static const char *get_scope_name(const struct hs_estate *estate, size_t scope)
{
    if (scope < estate->n_sites) {
        return estate->sites[scope].name;
    }
    scope -= estate->n_sites;
    return scope < estate->n_loops ? estate->loops[scope].path
                                   : estate->racks[scope - estate->n_loops].path;
}

/* Slot by slot which limit of each scope is the lowest; NULL: none. Owned by the caller. */
static const struct hs_limit **find_limits(const struct breach_walk *walk)
{
    const struct hs_cycle *cycle = walk->cycle;
    size_t n_scopes = hs_cycle_soft_n_scopes(cycle->estate);
    size_t n = walk->plan->n_slots;
    const struct hs_limit **limits = hs_xcalloc(n_scopes * n, sizeof(*limits));

    for (size_t t = 0; t < n; t++) {
        int64_t from_at_s = t > 0 ? slot_at(walk, t) : cycle->now_at_s;

        (void)hs_cycle_soft_find_caps(cycle, from_at_s, slot_at(walk, t + 1));
        for (size_t i = 0; i < n_scopes; i++) {
            limits[i * n + t] = cycle->soft->cap_of[i];
        }
    }
    return limits;
}

static void add_limits(const struct breach_walk *walk)
{
    const struct hs_policy *policy = walk->cycle->options.policy;
    size_t n = walk->plan->n_slots;
    HS_AUTO_MEM const struct hs_limit **limits = policy->n_limits > 0 ? find_limits(walk) : NULL;

    for (size_t i = 0; limits != NULL && i < hs_cycle_soft_n_scopes(walk->cycle->estate); i++) {
        for (size_t t = 0; t < n; t++) {
            const struct hs_limit *limit = limits[i * n + t];
            double over_w = limit != NULL ? walk->scope_w[i * n + t] - limit->elec_w : 0.0;

            if (over_w > LEAST_W) {
                double over_kwh = hs_wh_from_w(over_w, (double)walk->plan->slot_s) * 1e-3;
                struct hs_breach *breach =
                    extend(walk, HS_BREACH_LIMIT, get_scope_name(walk->cycle->estate, i), t, over_w,
                           over_kwh * policy->prices.limit_cur_per_kwh);

                breach->code = "policy-limit";
                breach->change = "stopping machines there, or a higher limit in the policy";
                snprintf(breach->cause, sizeof(breach->cause),
                         "what may not be stopped draws more than %.0f W%s%s", limit->elec_w,
                         limit->why[0] != '\0' ? ", the limit for: " : "", limit->why);
            }
        }
    }
}

static void add_ramps(const struct breach_walk *walk, size_t rack_idx)
{
    const struct hs_rack *rack = &walk->cycle->estate->racks[rack_idx];
    size_t n = walk->plan->n_slots;
    double room_w = rack->ramp_w_per_min * (double)walk->plan->slot_s / S_PER_MIN;
    double price = walk->cycle->options.policy->prices.ramp_cur_per_kw;

    for (size_t t = 1; hs_rack_has_ramp(rack) && t < n; t++) {
        double over_w =
            walk->heat_w[rack_idx * n + t] - walk->heat_w[rack_idx * n + t - 1] - room_w;

        if (over_w > LEAST_W) {
            struct hs_breach *breach =
                extend(walk, HS_BREACH_RAMP, rack->path, t, over_w, over_w * 1e-3 * price);

            breach->code = "cooling-ramp";
            breach->change = "starts spread over more time";
            snprintf(breach->cause, sizeof(breach->cause),
                     "more work starts at once than its cooling follows, %.0f W in a slot", room_w);
        }
    }
}

/* --- all --- */

static void fill_power(struct breach_walk *walk)
{
    const struct hs_cycle *cycle = walk->cycle;
    const struct hs_estate *estate = cycle->estate;
    size_t n = walk->plan->n_slots;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        size_t rack_scope = estate->n_sites + estate->n_loops + host->rack_idx;

        for (size_t t = 0; t < n; t++) {
            double elec_w = hs_place_get_elec_w(cycle->place, h, t);

            walk->scope_w[host->site_idx * n + t] += elec_w;
            walk->scope_w[(estate->n_sites + host->loop_idx) * n + t] += elec_w;
            walk->scope_w[rack_scope * n + t] += elec_w;
            walk->heat_w[host->rack_idx * n + t] +=
                elec_w * estate->racks[host->rack_idx].capture_ratio;
        }
    }
}

static int compare_cost(const void *left, const void *right)
{
    const struct hs_breach *a = left;
    const struct hs_breach *b = right;

    if (a->cost_cur > b->cost_cur || a->cost_cur < b->cost_cur) {
        return a->cost_cur > b->cost_cur ? -1 : 1;
    }
    if (a->from_at_s != b->from_at_s) {
        return a->from_at_s < b->from_at_s ? -1 : 1;
    }
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->subject, b->subject);
}

static void find_all(const struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    size_t n = cycle->n_slots;
    HS_AUTO_MEM double *scope_w = hs_xcalloc(hs_cycle_soft_n_scopes(estate) * n, sizeof(double));
    HS_AUTO_MEM double *heat_w = hs_xcalloc(estate->n_racks * n, sizeof(double));
    struct breach_walk walk = {cycle, hs_place_get_plan(cycle->place), scope_w, heat_w};

    fill_power(&walk);
    add_late(&walk);
    add_limits(&walk);
    for (size_t l = 0; l < estate->n_loops; l++) {
        add_comfort(&walk, l);
        add_hygiene(&walk, l);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        add_ramps(&walk, r);
    }
    if (cycle->soft->breaches.n > 1) {
        qsort(cycle->soft->breaches.items, cycle->soft->breaches.n, sizeof(struct hs_breach),
              compare_cost);
    }
}

const struct hs_breach *hs_cycle_get_breaches(const struct hs_cycle *cycle, size_t *ret_n)
{
    struct hs_cycle_soft *soft = cycle->soft;

    if (cycle->has_plan && soft->are_breaches_stale) {
        soft->breaches.n = 0;
        find_all(cycle);
        soft->are_breaches_stale = false;
    }
    *ret_n = soft->breaches.n;
    return soft->breaches.items;
}

void hs_cycle_add_breaches(const struct hs_cycle *cycle, json_t *misses)
{
    size_t n;
    const struct hs_breach *breaches = hs_cycle_get_breaches(cycle, &n);

    for (size_t i = 0; i < n; i++) {
        const struct hs_breach *breach = &breaches[i];

        if (breach->job_id == 0) { /* those of jobs are told in words of their own */
            hs_cycle_add_miss(misses, &(struct hs_cycle_miss){
                                          .kind = hs_breach_word(breach->kind),
                                          .name = breach->subject,
                                          .cause = breach->code,
                                          .text = breach->cause,
                                          .change = breach->change,
                                          .by = breach->amount,
                                          .unit = hs_breach_unit(breach->kind),
                                          .from_at_s = breach->from_at_s,
                                          .until_at_s = breach->until_at_s,
                                          .cost_cur = breach->cost_cur,
                                      });
        }
    }
}
