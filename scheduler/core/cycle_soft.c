/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_soft - limits, comfort and ramps; see cycle_soft.h. */
#include "scheduler/core/cycle_soft.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

#define S_PER_MIN 60

size_t hs_cycle_soft_n_scopes(const struct hs_estate *estate)
{
    return estate->n_sites + estate->n_loops + estate->n_racks;
}

struct hs_cycle_soft *hs_cycle_soft_new(const struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    struct hs_cycle_soft *soft = hs_xcalloc(1, sizeof(*soft));

    soft->cap_w = hs_xcalloc(hs_cycle_soft_n_scopes(estate), sizeof(double));
    soft->cap_of = hs_xcalloc(hs_cycle_soft_n_scopes(estate), sizeof(const struct hs_limit *));
    soft->guard_caps = hs_xcalloc(hs_cycle_soft_n_scopes(estate), sizeof(*soft->guard_caps));
    soft->floor_wh = hs_xcalloc(estate->n_loops * cycle->n_slots, sizeof(double));
    soft->ramp_used_w = hs_xcalloc(estate->n_racks, sizeof(double));
    soft->ramp_at_s = hs_xcalloc(estate->n_racks, sizeof(int64_t));
    soft->hygiene = hs_xcalloc(estate->n_loops, sizeof(*soft->hygiene));
    for (size_t l = 0; l < estate->n_loops; l++) {
        soft->hygiene[l].from_at_s = cycle->now_at_s;
    }
    soft->are_breaches_stale = true;
    return soft;
}

void hs_cycle_soft_free(struct hs_cycle_soft *soft)
{
    if (soft == NULL) {
        return;
    }
    HS_VEC_FINI(&soft->breaches);
    free(soft->hygiene);
    free(soft->ramp_at_s);
    free(soft->ramp_used_w);
    free(soft->floor_wh);
    free(soft->guard_caps);
    free(soft->cap_of);
    free(soft->cap_w);
    free(soft);
}

/* --- limits --- */

static const struct hs_timezone *get_timezone(const struct hs_cycle *cycle, size_t site_idx)
{
    return cycle->options.timezones != NULL ? cycle->options.timezones[site_idx] : NULL;
}

/* Where the limit's scope is among sites, loops and racks; SIZE_MAX if the estate has it not. */
static size_t find_scope(const struct hs_estate *estate, const struct hs_limit *limit)
{
    char path[2 * HS_NAME_MAX];
    size_t idx;

    if (limit->loop[0] != '\0') {
        snprintf(path, sizeof(path), "%s/%s", limit->site, limit->loop);
        idx = hs_estate_find_loop(estate, path);
        return idx == SIZE_MAX ? SIZE_MAX : estate->n_sites + idx;
    }
    if (limit->rack[0] != '\0') {
        snprintf(path, sizeof(path), "%s/%s", limit->site, limit->rack);
        idx = hs_estate_find_rack(estate, path);
        return idx == SIZE_MAX ? SIZE_MAX : estate->n_sites + estate->n_loops + idx;
    }
    return hs_estate_find_site(estate, limit->site);
}

bool hs_cycle_soft_find_caps(const struct hs_cycle *cycle, int64_t from_at_s, int64_t until_at_s)
{
    const struct hs_policy *policy = cycle->options.policy;
    struct hs_cycle_soft *soft = cycle->soft;
    bool has_any = false;

    for (size_t i = 0; i < hs_cycle_soft_n_scopes(cycle->estate); i++) {
        soft->cap_w[i] = INFINITY;
        soft->cap_of[i] = NULL;
    }
    for (size_t i = 0; i < policy->n_limits; i++) {
        const struct hs_limit *limit = &policy->limits[i];
        size_t scope = find_scope(cycle->estate, limit);

        if (scope != SIZE_MAX && limit->elec_w < soft->cap_w[scope]
            && hs_limit_touches(
                limit, get_timezone(cycle, hs_estate_find_site(cycle->estate, limit->site)),
                from_at_s, until_at_s)) {
            soft->cap_w[scope] = limit->elec_w;
            soft->cap_of[scope] = limit;
            has_any = true;
        }
    }
    return has_any;
}

static void cap_slot(struct hs_cycle *cycle, size_t t)
{
    const struct hs_estate *estate = cycle->estate;
    const double *cap_w = cycle->soft->cap_w;

    for (size_t s = 0; s < estate->n_sites; s++) {
        if (isfinite(cap_w[s])) {
            hs_place_cap_slots(cycle->place, HS_FIT_SITE, s, cap_w[s], t, t);
        }
    }
    cap_w += estate->n_sites;
    for (size_t l = 0; l < estate->n_loops; l++) {
        if (isfinite(cap_w[l])) {
            hs_place_cap_slots(cycle->place, HS_FIT_LOOP, l, cap_w[l], t, t);
        }
    }
    cap_w += estate->n_loops;
    for (size_t r = 0; r < estate->n_racks; r++) {
        if (isfinite(cap_w[r])) {
            hs_place_cap_slots(cycle->place, HS_FIT_RACK, r, cap_w[r], t, t);
        }
    }
}

void hs_cycle_soft_cap_frame(struct hs_cycle *cycle)
{
    int64_t slot_s = cycle->estate->slot_s;

    for (size_t t = 0; (t == 0 || cycle->options.policy->n_limits > 0) && t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;
        bool has_any =
            hs_cycle_soft_find_caps(cycle, t > 0 ? at_s : cycle->now_at_s, at_s + slot_s);

        if (t == 0) {
            has_any |= hs_cycle_hot_cap(cycle, cycle->soft->cap_w + cycle->estate->n_sites);
        }
        if (has_any) {
            cap_slot(cycle, t);
        }
    }
}

const struct hs_guard_cap *hs_cycle_soft_get_guard_caps(struct hs_cycle *cycle)
{
    struct hs_cycle_soft *soft = cycle->soft;

    if (cycle->options.policy->n_limits == 0) {
        return NULL;
    }
    (void)hs_cycle_soft_find_caps(cycle, cycle->now_at_s, cycle->now_at_s + 1);
    for (size_t i = 0; i < hs_cycle_soft_n_scopes(cycle->estate); i++) {
        soft->guard_caps[i] = (struct hs_guard_cap){
            soft->cap_w[i], soft->cap_of[i] != NULL ? soft->cap_of[i]->why : ""};
    }
    return soft->guard_caps;
}

static bool covers(const struct hs_estate *estate, size_t scope, const struct hs_host *host)
{
    return scope == host->site_idx || scope == estate->n_sites + host->loop_idx
           || scope == estate->n_sites + estate->n_loops + host->rack_idx;
}

bool hs_cycle_soft_is_limited(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_policy *policy = cycle->options.policy;
    const struct hs_host *host = &cycle->estate->hosts[host_idx];
    int64_t end_at_s = cycle->plan_from_at_s + cycle->estate->slot_s;

    for (size_t i = 0; i < policy->n_limits; i++) {
        if (covers(cycle->estate, find_scope(cycle->estate, &policy->limits[i]), host)
            && hs_limit_touches(&policy->limits[i], get_timezone(cycle, host->site_idx),
                                cycle->now_at_s, end_at_s)) {
            return true;
        }
    }
    return false;
}

/* --- comfort --- */

/* While the sink's own heating is out, and as it begins, the tank is to hold what is wanted yet. */
static bool raise_floor(const struct hs_cycle *cycle, const struct hs_cycle_boiler *boiler,
                        double max_wh, double *io_floor_wh)
{
    int64_t slot_s = cycle->estate->slot_s;
    const double *demand_wh = &cycle->frame_demand_wh[boiler->sink_idx * cycle->n_slots];
    double need_wh = 0.0;
    bool has_any = false;

    for (size_t t = cycle->n_slots; t-- > 0;) {
        int64_t end_at_s = cycle->plan_from_at_s + (int64_t)(t + 1) * slot_s;

        if (end_at_s >= boiler->from_at_s && end_at_s < boiler->until_at_s) {
            io_floor_wh[t] = fmin(max_wh, fmax(io_floor_wh[t], need_wh));
            has_any = true;
        }
        if (end_at_s > boiler->from_at_s && end_at_s - slot_s < boiler->until_at_s) {
            need_wh += demand_wh[t];
        }
    }
    return has_any;
}

void hs_cycle_soft_fill_floor(struct hs_cycle *cycle, size_t loop_idx,
                              struct hs_thermal_input *input)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_tank *tank = &loop->tank;
    double *floor_wh = &cycle->soft->floor_wh[loop_idx * cycle->n_slots];
    double least_wh = tank->comfort_c > 0 ? hs_tank_wh_from_c(tank, tank->comfort_c) : 0.0;
    size_t n = cycle->n_slots;
    size_t span =
        (size_t)((tank->ride_through_s + cycle->estate->slot_s - 1) / cycle->estate->slot_s);
    double ahead_wh = 0.0;

    bool has_any = least_wh > 0 || span > 0;

    if (!tank->present) {
        return;
    }
    for (size_t t = n; t-- > 0;) { /* floor of t: what is asked for in the slots after it */
        floor_wh[t] = fmin(fmax(least_wh, ahead_wh), hs_tank_max_wh(tank));
        for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
            ahead_wh += span > 0 ? cycle->frame_demand_wh[k * n + t] : 0.0;
            ahead_wh -= span > 0 && t + span < n ? cycle->frame_demand_wh[k * n + t + span] : 0.0;
        }
    }
    for (size_t i = 0; i < cycle->boilers.n; i++) {
        if (cycle->estate->sinks[cycle->boilers.items[i].sink_idx].loop_idx == loop_idx) {
            has_any |= raise_floor(cycle, &cycle->boilers.items[i], hs_tank_max_wh(tank), floor_wh);
        }
    }
    if (!has_any) {
        return;
    }
    input->floor_wh = floor_wh;
    input->floor_cur_per_wh = cycle->options.policy->prices.comfort_cur_per_mwh_h * 1e-6
                              * (double)cycle->estate->slot_s / HS_S_PER_H;
}

/* --- ramps --- */

bool hs_cycle_soft_take_ramp(struct hs_cycle *cycle, size_t host_idx, uint32_t vcpus,
                             bool is_urgent, int64_t *ret_wait_s)
{
    const struct hs_host *host = &cycle->estate->hosts[host_idx];
    const struct hs_rack *rack = &cycle->estate->racks[host->rack_idx];
    double *used_w = &cycle->soft->ramp_used_w[host->rack_idx];
    int64_t *at_s = &cycle->soft->ramp_at_s[host->rack_idx];
    double heat_w = hs_host_elec_w_per_vcpu(host) * vcpus * rack->capture_ratio;
    double w_per_s = rack->ramp_w_per_min / S_PER_MIN;
    double room_w = w_per_s * (double)cycle->estate->slot_s;

    if (!hs_rack_has_ramp(rack)) {
        return true;
    }
    *used_w = fmax(0.0, *used_w - w_per_s * (double)(cycle->now_at_s - *at_s));
    *at_s = cycle->now_at_s;
    /* One that is larger than all the room there is may start where nothing else has. */
    if (!is_urgent && *used_w > 0 && *used_w + heat_w > room_w) {
        *ret_wait_s = (int64_t)ceil(fmin(*used_w, *used_w + heat_w - room_w) / w_per_s);
        return false;
    }
    *used_w += heat_w;
    return true;
}
