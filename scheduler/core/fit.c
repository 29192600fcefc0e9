/* SPDX-License-Identifier: Apache-2.0 */
/* fit - grids of what is free; see fit.h. */
#include "scheduler/core/fit.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"

/* "No limit": room to add and subtract without overflow, mW. */
#define FREE_MW_MAX (INT64_MAX / 4)

struct hs_fit {
    const struct hs_estate *estate;
    size_t n_slots;
    int32_t *vcpus;      /* [n_hosts][n_slots] */
    int64_t *memory_mib; /* [n_hosts][n_slots] */
    int64_t *rack_mw;    /* [n_racks][n_slots] */
    int64_t *site_mw;    /* [n_sites][n_slots] */
    int64_t *loop_mw;    /* [n_loops][n_slots] */
    uint64_t *closed;    /* [n_hosts][HS_PLAN_MASK_WORDS] slots that are */
    bool has_loop_caps;  /* else loop_mw is never looked at */
};

struct hs_fit *hs_fit_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_fit *fit = hs_xcalloc(1, sizeof(*fit));

    fit->estate = estate;
    fit->n_slots = n_slots;
    fit->vcpus = hs_xcalloc(estate->n_hosts * n_slots, sizeof(*fit->vcpus));
    fit->memory_mib = hs_xcalloc(estate->n_hosts * n_slots, sizeof(*fit->memory_mib));
    fit->rack_mw = hs_xcalloc(estate->n_racks * n_slots, sizeof(*fit->rack_mw));
    fit->site_mw = hs_xcalloc(estate->n_sites * n_slots, sizeof(*fit->site_mw));
    fit->loop_mw = hs_xcalloc(estate->n_loops * n_slots, sizeof(*fit->loop_mw));
    fit->closed = hs_xcalloc(estate->n_hosts * HS_PLAN_MASK_WORDS, sizeof(*fit->closed));
    hs_fit_clear(fit);
    return fit;
}

void hs_fit_free(struct hs_fit *fit)
{
    if (fit == NULL) {
        return;
    }
    free(fit->closed);
    free(fit->loop_mw);
    free(fit->site_mw);
    free(fit->rack_mw);
    free(fit->memory_mib);
    free(fit->vcpus);
    free(fit);
}

static int64_t mw_from_w(double limit_w)
{
    return limit_w * 1e3 < (double)FREE_MW_MAX ? llround(limit_w * 1e3) : FREE_MW_MAX;
}

static void fill_mw(int64_t *row, size_t n, int64_t value)
{
    for (size_t t = 0; t < n; t++) {
        row[t] = value;
    }
}

void hs_fit_clear(struct hs_fit *fit)
{
    const struct hs_estate *estate = fit->estate;
    size_t n = fit->n_slots;

    for (size_t r = 0; r < estate->n_racks; r++) {
        fill_mw(&fit->rack_mw[r * n], n, mw_from_w(estate->racks[r].limit_w));
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        fill_mw(&fit->site_mw[s * n], n, mw_from_w(estate->sites[s].limit_w));
    }
    fit->has_loop_caps = false;
    fill_mw(fit->loop_mw, estate->n_loops * n, FREE_MW_MAX);
    memset(fit->closed, 0, estate->n_hosts * HS_PLAN_MASK_WORDS * sizeof(*fit->closed));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        int64_t base_mw = mw_from_w(hs_host_elec_w(host, host->pinned_vcpus));

        for (size_t t = 0; t < n; t++) {
            fit->vcpus[h * n + t] = (int32_t)(host->vcpus - host->pinned_vcpus);
            fit->memory_mib[h * n + t] = (int64_t)host->memory_mib;
            fit->rack_mw[host->rack_idx * n + t] -= base_mw;
            fit->site_mw[host->site_idx * n + t] -= base_mw;
            fit->loop_mw[host->loop_idx * n + t] -= base_mw;
        }
    }
}

void hs_fit_cap(struct hs_fit *fit, enum hs_fit_scope scope, size_t idx, double elec_w,
                size_t first, size_t last)
{
    const struct hs_estate *estate = fit->estate;
    double before_w = scope == HS_FIT_SITE   ? estate->sites[idx].limit_w
                      : scope == HS_FIT_RACK ? estate->racks[idx].limit_w
                                             : INFINITY;
    int64_t *rows = scope == HS_FIT_SITE   ? fit->site_mw
                    : scope == HS_FIT_RACK ? fit->rack_mw
                                           : fit->loop_mw;
    int64_t less_mw = mw_from_w(before_w) - mw_from_w(elec_w);

    fit->has_loop_caps |= scope == HS_FIT_LOOP;
    for (size_t t = first; less_mw > 0 && t <= last && t < fit->n_slots; t++) {
        rows[idx * fit->n_slots + t] -= less_mw;
    }
}

void hs_fit_close(struct hs_fit *fit, size_t host_idx, size_t first, size_t last)
{
    for (size_t t = first; t <= last && t < fit->n_slots; t++) {
        uint64_t *word = &fit->closed[host_idx * HS_PLAN_MASK_WORDS + t / 64];

        if (!((*word >> (t % 64)) & 1U)) {
            *word |= UINT64_C(1) << (t % 64);
            fit->vcpus[host_idx * fit->n_slots + t] -= (int32_t)fit->estate->hosts[host_idx].vcpus;
        }
    }
}

bool hs_fit_is_closed(const struct hs_fit *fit, size_t host_idx, size_t slot)
{
    return (fit->closed[host_idx * HS_PLAN_MASK_WORDS + slot / 64] >> (slot % 64)) & 1U;
}

/* Has the loop of @host_idx room for @elec_mw in @slot? */
static bool fits_loop(const struct hs_fit *fit, const struct hs_host *host, size_t slot,
                      int64_t elec_mw)
{
    return !fit->has_loop_caps || fit->loop_mw[host->loop_idx * fit->n_slots + slot] >= elec_mw;
}

int64_t hs_fit_elec_mw(const struct hs_fit *fit, size_t host_idx, int32_t vcpus)
{
    return mw_from_w(hs_host_elec_w_per_vcpu(&fit->estate->hosts[host_idx]) * vcpus);
}

void hs_fit_fill(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                 size_t first, bool with_memory, bool *ret_fits)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];
    size_t n = fit->n_slots;
    const int32_t *vcpus = &fit->vcpus[host_idx * n];
    const int64_t *memory_mib = &fit->memory_mib[host_idx * n];
    const int64_t *rack_mw = &fit->rack_mw[host->rack_idx * n];
    const int64_t *site_mw = &fit->site_mw[host->site_idx * n];
    int64_t elec_mw = hs_fit_elec_mw(fit, host_idx, size->vcpus);
    int64_t need_mib = with_memory ? size->memory_mib : INT64_MIN;

    for (size_t t = first; t < n; t++) {
        ret_fits[t] = vcpus[t] >= size->vcpus && rack_mw[t] >= elec_mw && site_mw[t] >= elec_mw
                      && memory_mib[t] >= need_mib && fits_loop(fit, host, t, elec_mw);
    }
}

bool hs_fit_check_run(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                      size_t slot)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];
    size_t n = fit->n_slots;

    if (fit->vcpus[host_idx * n + slot] < size->vcpus) {
        return false;
    }
    int64_t elec_mw = hs_fit_elec_mw(fit, host_idx, size->vcpus);

    return fit->rack_mw[host->rack_idx * n + slot] >= elec_mw
           && fit->site_mw[host->site_idx * n + slot] >= elec_mw
           && fits_loop(fit, host, slot, elec_mw);
}

bool hs_fit_check_memory(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                         size_t first, size_t last)
{
    for (size_t t = first; t <= last && t < fit->n_slots; t++) {
        if (fit->memory_mib[host_idx * fit->n_slots + t] < size->memory_mib) {
            return false;
        }
    }
    return true;
}

bool hs_fit_check_span(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                       size_t first, size_t last)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];
    size_t n = fit->n_slots;
    const int32_t *vcpus = &fit->vcpus[host_idx * n];
    const int64_t *rack_mw = &fit->rack_mw[host->rack_idx * n];
    const int64_t *site_mw = &fit->site_mw[host->site_idx * n];
    int64_t elec_mw;

    for (size_t t = first; t <= last && t < n; t++) {
        if (vcpus[t] < size->vcpus) {
            return false;
        }
    }
    elec_mw = hs_fit_elec_mw(fit, host_idx, size->vcpus);
    for (size_t t = first; t <= last && t < n; t++) {
        if (rack_mw[t] < elec_mw || site_mw[t] < elec_mw || !fits_loop(fit, host, t, elec_mw)) {
            return false;
        }
    }
    return hs_fit_check_memory(fit, host_idx, size, first, last);
}

const int32_t *hs_fit_get_row(const struct hs_fit *fit, size_t host_idx)
{
    return &fit->vcpus[host_idx * fit->n_slots];
}

bool hs_fit_check_ever(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];

    return size->vcpus <= (int32_t)(host->vcpus - host->pinned_vcpus)
           && size->memory_mib <= (int64_t)host->memory_mib;
}

static void change(struct hs_fit *fit, const struct hs_placement *placement,
                   const struct hs_fit_size *size, int sign)
{
    size_t h = placement->host_idx;
    const struct hs_host *host = &fit->estate->hosts[h];
    size_t n = fit->n_slots;
    int64_t elec_mw = hs_fit_elec_mw(fit, h, size->vcpus) * sign;

    for (size_t t = placement->held_slot; t <= placement->last_slot && t < n; t++) {
        fit->memory_mib[h * n + t] -= size->memory_mib * sign;
        if (hs_plan_runs(placement, t)) {
            fit->vcpus[h * n + t] -= size->vcpus * sign;
            fit->rack_mw[host->rack_idx * n + t] -= elec_mw;
            fit->site_mw[host->site_idx * n + t] -= elec_mw;
            fit->loop_mw[host->loop_idx * n + t] -= elec_mw;
        }
    }
}

void hs_fit_take(struct hs_fit *fit, const struct hs_placement *placement,
                 const struct hs_fit_size *size)
{
    change(fit, placement, size, 1);
}

void hs_fit_give(struct hs_fit *fit, const struct hs_placement *placement,
                 const struct hs_fit_size *size)
{
    change(fit, placement, size, -1);
}

int32_t hs_fit_get_vcpus(const struct hs_fit *fit, size_t host_idx, size_t slot)
{
    return fit->vcpus[host_idx * fit->n_slots + slot];
}

int64_t hs_fit_get_rack_mw(const struct hs_fit *fit, size_t rack_idx, size_t slot)
{
    return fit->rack_mw[rack_idx * fit->n_slots + slot];
}

int64_t hs_fit_get_site_mw(const struct hs_fit *fit, size_t site_idx, size_t slot)
{
    return fit->site_mw[site_idx * fit->n_slots + slot];
}

int64_t hs_fit_get_memory_mib(const struct hs_fit *fit, size_t host_idx, size_t slot)
{
    return fit->memory_mib[host_idx * fit->n_slots + slot];
}
