/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_miss - targets that the plan in force misses: by name, with cause and by how much. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"

#define DETAILED_MAX 1000 /* misses whose hosts are looked at one by one */

void hs_cycle_add_miss(json_t *misses, const struct hs_cycle_miss *miss)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "kind", miss->kind);
    hs_jsonx_set_text(item, "name", miss->name);
    hs_jsonx_set_text(item, "cause", miss->cause);
    hs_jsonx_set_text(item, "text", miss->text);
    hs_jsonx_set_text(item, "change", miss->change);
    hs_jsonx_set_real(item, "by", miss->by);
    hs_jsonx_set_text(item, "unit", miss->unit);
    hs_jsonx_set_real(item, "cost_cur", miss->cost_cur);
    hs_jsonx_set_at(item, "from", miss->from_at_s);
    hs_jsonx_set_at(item, "until", miss->until_at_s);
    hs_jsonx_add(misses, item);
}

/* --- jobs --- */

/* Does a host that the job may use not answer? */
static const struct hs_host *find_down(const struct hs_cycle *cycle,
                                       const struct hs_cycle_entry *entry)
{
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        if (!cycle->hosts[h].is_up && entry->site_allowed[cycle->estate->hosts[h].site_idx]) {
            return &cycle->estate->hosts[h];
        }
    }
    return NULL;
}

/* Of the hosts that it may use, what the one that lacks least lacks in its last chance. */
static bool find_shortage(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                          struct hs_place_shortage *ret_shortage)
{
    struct hs_fit_size size = {(int32_t)entry->job->vcpus, (int64_t)entry->job->memory_mib};
    const struct hs_fit *fit = hs_place_ask_get_fit(cycle->place);
    int64_t latest_at_s = entry->due_at_s - (int64_t)hs_cycle_get_safe_left_s(cycle, entry);
    size_t first = hs_cycle_get_slot(cycle, latest_at_s);
    size_t last = hs_cycle_get_slot(cycle, entry->due_at_s);
    bool is_found = false;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        struct hs_place_shortage shortage;

        if (!cycle->hosts[h].is_up || !entry->site_allowed[cycle->estate->hosts[h].site_idx]
            || !hs_fit_check_ever(fit, h, &size)) {
            continue;
        }
        hs_place_ask_find_shortage(cycle->place, h, &size, first, last, &shortage);
        if (!is_found || shortage.vcpus < ret_shortage->vcpus) {
            *ret_shortage = shortage;
            is_found = true;
        }
    }
    return is_found;
}

/* What the hosts are full of: code and words. */
static const char *describe_full(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                 char *ret_text, size_t size)
{
    struct hs_place_shortage it;

    if (!find_shortage(cycle, entry, &it)) {
        snprintf(ret_text, size, "no host that it may use is large enough and answers");
        return "no-room";
    }
    const struct hs_host *host = &cycle->estate->hosts[it.host_idx];

    if (it.vcpus > 0) {
        snprintf(ret_text, size, "the hosts that it may use are full; '%s' lacks least, %d vCPUs",
                 host->path, it.vcpus);
        return "vcpus";
    }
    if (it.memory_mib > 0) {
        snprintf(ret_text, size, "'%s' lacks %.1f GiB of memory for it", host->path,
                 (double)it.memory_mib / 1024.0);
        return "memory";
    }
    if (it.rack_mw > 0) {
        snprintf(ret_text, size, "rack '%s' lacks %.2f kW for it under its limit",
                 cycle->estate->racks[host->rack_idx].path, (double)it.rack_mw * 1e-6);
        return "rack-power";
    }
    if (it.site_mw > 0) {
        snprintf(ret_text, size, "site '%s' lacks %.2f kW for it under its limit",
                 cycle->estate->sites[host->site_idx].name, (double)it.site_mw * 1e-6);
        return "site-power";
    }
    snprintf(ret_text, size, "other jobs were there first");
    return "no-room";
}

/* @text holds how late it is; the cause is added. */
static void add_cause(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                      size_t n_before, struct hs_cycle_miss *io_miss, char *text, size_t size)
{
    const struct hs_host *down = find_down(cycle, entry);
    size_t n = strlen(text);
    char full[384];

    if (entry->placement.is_hopeless) {
        io_miss->cause = "too-long";
        io_miss->change = "a later due time, or a shorter duration if it runs shorter than stated";
        snprintf(text + n, size - n, ": its run is longer than the time that was left");
        return;
    }
    if (down != NULL) {
        io_miss->cause = "host-down";
        io_miss->change = "the host's libvirt daemon answering again";
        snprintf(text + n, size - n, ": host '%s' does not answer, and the others are full",
                 down->path);
        return;
    }
    io_miss->cause =
        n_before < DETAILED_MAX ? describe_full(cycle, entry, full, sizeof(full)) : "no-room";
    if (n_before >= DETAILED_MAX) {
        snprintf(full, sizeof(full), "the hosts that it may use are full");
    }
    io_miss->change = "a later due time, more hosts or sites, or fewer vCPUs";
    snprintf(text + n, size - n, ": %s", full);
}

static void add_late(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                     json_t *misses)
{
    char name[32];
    char cannot_meet[192];
    char text[640];
    int64_t start_at_s;
    int64_t end_at_s;
    struct hs_cycle_miss miss = {.kind = "job", .name = name, .text = text, .unit = "s"};

    hs_cycle_format_cannot_meet(cycle, entry, cannot_meet, sizeof(cannot_meet));
    if (cannot_meet[0] == '\0') {
        return;
    }
    hs_cycle_get_window(cycle, entry, cycle->now_at_s, &start_at_s, &end_at_s);
    miss.by = end_at_s > 0 ? fmax(0.0, (double)(end_at_s - entry->due_at_s)) : (double)NAN;
    miss.cost_cur = miss.by / HS_S_PER_H * cycle->options.policy->prices.late_cur_per_h;
    miss.from_at_s = entry->due_at_s;
    miss.until_at_s = end_at_s > entry->due_at_s ? end_at_s : 0;
    snprintf(name, sizeof(name), "%llu", (unsigned long long)entry->job->id);
    snprintf(text, sizeof(text), "%s", cannot_meet);
    add_cause(cycle, entry, json_array_size(misses), &miss, text, sizeof(text));
    hs_cycle_add_miss(misses, &miss);
}

/* --- limits --- */

/* A row of what is free, by slot, that has fallen below zero somewhere. */
struct overtaken {
    const char *name;
    size_t scope; /* among sites, loops and racks */
    const char *cause;
    const char *what; /* "the rack's limit" */
    double limit_w;
};

/* A policy's limit holds in slot @t: told by cycle_breach.c. */
static bool is_capped(const struct hs_cycle *cycle, size_t scope, size_t t)
{
    int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;

    return hs_cycle_soft_find_caps(cycle, t > 0 ? at_s : cycle->now_at_s,
                                   at_s + cycle->estate->slot_s)
           && cycle->soft->cap_of[scope] != NULL;
}

static void add_overtaken(const struct hs_cycle *cycle, const struct overtaken *row, size_t idx,
                          int64_t (*get_free_mw)(const struct hs_fit *, size_t, size_t),
                          json_t *misses)
{
    const struct hs_fit *fit = hs_place_ask_get_fit(cycle->place);
    int64_t most_mw = 0;
    size_t first = SIZE_MAX;
    size_t last = 0;
    char text[256];

    for (size_t t = 0; t < cycle->n_slots; t++) {
        int64_t free_mw = get_free_mw(fit, idx, t);

        if (free_mw < 0 && !is_capped(cycle, row->scope, t)) {
            first = first == SIZE_MAX ? t : first;
            last = t;
            most_mw = -free_mw > most_mw ? -free_mw : most_mw;
        }
    }
    if (first == SIZE_MAX) {
        return;
    }
    snprintf(text, sizeof(text),
             "up to %.2f kW over %s of %.2f kW: what runs there already, or is not ours, takes it",
             (double)most_mw * 1e-6, row->what, row->limit_w * 1e-3);
    hs_cycle_add_miss(
        misses,
        &(struct hs_cycle_miss){
            .kind = "limit",
            .name = row->name,
            .cause = row->cause,
            .text = text,
            .change = "stopping machines there, or a higher limit in estate.json",
            .by = (double)most_mw * 1e-3,
            .unit = "W",
            .from_at_s = cycle->plan_from_at_s + (int64_t)first * cycle->estate->slot_s,
            .until_at_s = cycle->plan_from_at_s + (int64_t)(last + 1) * cycle->estate->slot_s,
        });
}

static void add_limits(const struct hs_cycle *cycle, json_t *misses)
{
    size_t first_rack = cycle->estate->n_sites + cycle->estate->n_loops;

    for (size_t s = 0; s < cycle->estate->n_sites; s++) {
        const struct hs_site *site = &cycle->estate->sites[s];
        struct overtaken row = {site->name, s, "site-power", "the site's limit", site->limit_w};

        add_overtaken(cycle, &row, s, hs_fit_get_site_mw, misses);
    }
    for (size_t r = 0; r < cycle->estate->n_racks; r++) {
        const struct hs_rack *rack = &cycle->estate->racks[r];
        struct overtaken row = {rack->path, first_rack + r, "rack-power", "the rack's limit",
                                rack->limit_w};

        add_overtaken(cycle, &row, r, hs_fit_get_rack_mw, misses);
    }
}

json_t *hs_cycle_format_misses(const struct hs_cycle *cycle)
{
    json_t *misses = hs_jsonx_array();

    if (!cycle->has_plan) {
        return misses;
    }
    for (size_t i = 0; i < cycle->live.n; i++) {
        add_late(cycle, hs_cycle_get_live(cycle, i), misses);
    }
    add_limits(cycle, misses);
    hs_cycle_add_breaches(cycle, misses);
    return misses;
}
