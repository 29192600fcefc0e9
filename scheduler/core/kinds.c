/* SPDX-License-Identifier: Apache-2.0 */
/* kinds - see kinds.h. */
#include "scheduler/core/kinds.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

static struct hs_kind *find_like(struct hs_kinds *kinds, const struct hs_kind *like)
{
    for (size_t k = 0; k < kinds->n; k++) {
        struct hs_kind *other = &kinds->items[k];

        if (other->loop_idx == like->loop_idx && other->site_idx == like->site_idx
            && fabs(other->elec_w_per_vcpu - like->elec_w_per_vcpu) < 1e-9
            && fabs(other->capture_ratio - like->capture_ratio) < 1e-9) {
            return other;
        }
    }
    return NULL;
}

static void add_rack(struct hs_kind *kind, const struct hs_estate *estate, size_t host_idx)
{
    if (kind->racks == NULL) {
        kind->racks = hs_xcalloc(estate->n_racks, sizeof(*kind->racks));
    }
    for (size_t r = 0; r < kind->n_racks; r++) {
        if (estate->hosts[kind->racks[r]].rack_idx == estate->hosts[host_idx].rack_idx) {
            return;
        }
    }
    kind->racks[kind->n_racks++] = host_idx;
}

static void add_host(struct hs_kinds *kinds, size_t host_idx)
{
    const struct hs_host *host = &kinds->estate->hosts[host_idx];
    struct hs_kind like = {
        .site_idx = host->site_idx,
        .loop_idx = host->loop_idx,
        .elec_w_per_vcpu = hs_host_elec_w_per_vcpu(host),
        .capture_ratio = kinds->estate->racks[host->rack_idx].capture_ratio,
    };
    struct hs_kind *kind = find_like(kinds, &like);

    if (kind == NULL) {
        kind = &kinds->items[kinds->n++];
        *kind = like;
        kind->hosts = hs_xcalloc(kinds->estate->n_hosts, sizeof(*kind->hosts));
        kind->net_cur_per_w = hs_xcalloc(kinds->n_slots + 1, sizeof(double));
        kind->elec_cur_per_w = hs_xcalloc(kinds->n_slots + 1, sizeof(double));
        kind->room_vcpus = hs_xcalloc(kinds->n_slots, sizeof(*kind->room_vcpus));
    }
    kind->hosts[kind->n_hosts++] = host_idx;
    add_rack(kind, kinds->estate, host_idx);
    kinds->of_host[host_idx] = (size_t)(kind - kinds->items);
}

struct hs_kinds *hs_kinds_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_kinds *kinds = hs_xcalloc(1, sizeof(*kinds));

    kinds->estate = estate;
    kinds->n_slots = n_slots;
    kinds->items = hs_xcalloc(estate->n_hosts, sizeof(*kinds->items));
    kinds->of_host = hs_xcalloc(estate->n_hosts, sizeof(*kinds->of_host));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        add_host(kinds, h);
    }
    kinds->by_loop = hs_xcalloc(kinds->n, sizeof(*kinds->by_loop));
    kinds->loop_first = hs_xcalloc(estate->n_loops + 1, sizeof(*kinds->loop_first));
    for (size_t l = 0; l < estate->n_loops; l++) {
        size_t n = kinds->loop_first[l];

        for (size_t k = 0; k < kinds->n; k++) {
            if (kinds->items[k].loop_idx == l) {
                kinds->by_loop[n++] = k;
            }
        }
        kinds->loop_first[l + 1] = n;
    }
    return kinds;
}

void hs_kinds_free(struct hs_kinds *kinds)
{
    if (kinds == NULL) {
        return;
    }
    for (size_t k = 0; k < kinds->n; k++) {
        free(kinds->items[k].room_vcpus);
        free(kinds->items[k].elec_cur_per_w);
        free(kinds->items[k].net_cur_per_w);
        free(kinds->items[k].racks);
        free(kinds->items[k].hosts);
    }
    free(kinds->loop_first);
    free(kinds->by_loop);
    free(kinds->of_host);
    free(kinds->items);
    free(kinds);
}

void hs_kinds_set_elec(struct hs_kinds *kinds, const double *slot_h, const double *elec_cur_per_mwh)
{
    for (size_t k = 0; k < kinds->n; k++) {
        struct hs_kind *kind = &kinds->items[k];

        for (size_t t = 0; t < kinds->n_slots; t++) {
            double elec_cur =
                hs_cur_from_wh(1.0, elec_cur_per_mwh[kind->site_idx * kinds->n_slots + t]);

            kind->elec_cur_per_w[t + 1] = kind->elec_cur_per_w[t] + elec_cur * slot_h[t];
        }
    }
}

void hs_kinds_set_prices(struct hs_kinds *kinds, size_t loop_idx, const double *slot_h,
                         const struct hs_thermal *thermal, size_t first)
{
    const double *prices = hs_thermal_get_prices(thermal);

    for (size_t i = kinds->loop_first[loop_idx]; i < kinds->loop_first[loop_idx + 1]; i++) {
        struct hs_kind *kind = &kinds->items[kinds->by_loop[i]];
        const double *elec = kind->elec_cur_per_w;
        double sum = kind->net_cur_per_w[first];

        for (size_t t = first; t < kinds->n_slots; t++) {
            sum += elec[t + 1] - elec[t] - kind->capture_ratio * prices[t] * slot_h[t];
            kind->net_cur_per_w[t + 1] = sum;
        }
    }
}

void hs_kinds_guide(struct hs_kinds *kinds, const double *slot_h, const double *heat_cur_per_wh,
                    const double *room_cur)
{
    double whole_h = slot_h[kinds->n_slots - 1];

    for (size_t k = 0; k < kinds->n; k++) {
        struct hs_kind *kind = &kinds->items[k];
        const double *heat = &heat_cur_per_wh[kind->loop_idx * kinds->n_slots];
        const double *room = &room_cur[kind->loop_idx * kinds->n_slots];
        const double *elec = kind->elec_cur_per_w;
        /* where a vCPU draws nothing, no price of a watt tells what its room is worth */
        double per_w_h = kind->elec_w_per_vcpu > 0 ? 1.0 / (kind->elec_w_per_vcpu * whole_h) : 0.0;

        for (size_t t = 0; t < kinds->n_slots; t++) {
            kind->net_cur_per_w[t + 1] =
                kind->net_cur_per_w[t] + elec[t + 1] - elec[t]
                + (room[t] * per_w_h - kind->capture_ratio * heat[t]) * slot_h[t];
        }
    }
}

/* No more than the racks, the loop and the site have power for. */
static void cut_by_power(struct hs_kind *kind, const struct hs_fit *fit, size_t first, size_t last)
{
    int32_t fed[HS_PLAN_SLOTS_MAX];
    int32_t most[HS_PLAN_SLOTS_MAX]; /* of all racks */

    for (size_t t = first; t <= last; t++) {
        most[t] = 0;
    }
    for (size_t r = 0; r < kind->n_racks; r++) {
        hs_fit_fill_fed(fit, kind->racks[r], first, last, fed);
        for (size_t t = first; t <= last; t++) {
            most[t] = fed[t] > most[t] ? fed[t] : most[t];
        }
    }
    for (size_t t = first; t <= last; t++) {
        kind->room_vcpus[t] = most[t] < kind->room_vcpus[t] ? most[t] : kind->room_vcpus[t];
    }
}

/* Look at all hosts' room in slots @first..@last; rows of slots make vectors, columns do not. */
static void find_room(struct hs_kind *kind, const struct hs_fit *fit, const bool *barred,
                      size_t first, size_t last)
{
    int32_t *restrict room = kind->room_vcpus;

    for (size_t t = first; t <= last; t++) {
        room[t] = -1;
    }
    for (size_t i = 0; i < kind->n_hosts; i++) {
        const int32_t *restrict row = hs_fit_get_row(fit, kind->hosts[i]);

        for (size_t t = first; !barred[kind->hosts[i]] && t <= last; t++) {
            room[t] = row[t] > room[t] ? row[t] : room[t];
        }
    }
    cut_by_power(kind, fit, first, last);
}

void hs_kinds_set_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred)
{
    for (size_t k = 0; k < kinds->n; k++) {
        find_room(&kinds->items[k], fit, barred, 0, kinds->n_slots - 1);
    }
}

void hs_kinds_take_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred,
                        const struct hs_placement *placement)
{
    find_room(&kinds->items[kinds->of_host[placement->host_idx]], fit, barred,
              placement->first_slot, placement->last_slot);
}

void hs_kinds_give_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred,
                        const struct hs_placement *placement)
{
    const struct hs_estate *estate = kinds->estate;
    size_t site_idx = estate->hosts[placement->host_idx].site_idx;

    for (size_t l = 0; l < estate->n_loops; l++) {
        for (size_t i = kinds->loop_first[l];
             estate->loops[l].site_idx == site_idx && i < kinds->loop_first[l + 1]; i++) {
            find_room(&kinds->items[kinds->by_loop[i]], fit, barred, placement->first_slot,
                      placement->last_slot);
        }
    }
}
