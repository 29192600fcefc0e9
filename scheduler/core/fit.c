/* SPDX-License-Identifier: Apache-2.0 */
/* fit - grids of what is free; see fit.h. */
#include "scheduler/core/fit.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"

/* "No limit": room to add and subtract without overflow, mW. */
#define FREE_MW_MAX (INT64_MAX / 4)

#define N_SCOPES (HS_FIT_RACK + 1)

/* Electricity that sites, loops or racks have left. */
struct power {
    int64_t *free_mw; /* [n][n_slots] */
    int64_t *low_mw;  /* [n] free in every slot, or less: most questions end here */
    size_t n;
};

struct hs_fit {
    const struct hs_estate *estate;
    size_t n_slots;
    int32_t *vcpus;      /* [n_hosts][n_slots] */
    int64_t *memory_mib; /* [n_hosts][n_slots] */
    struct power power[N_SCOPES];
    bool frees_memory; /* suspended work does */
    uint64_t *closed;  /* [n_hosts][HS_PLAN_MASK_WORDS] slots that are */
    /* [n_hosts] memory that is free in every slot, or less: most questions end here */
    int64_t *memory_low_mib;
};

struct hs_fit *hs_fit_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_fit *fit = hs_xcalloc(1, sizeof(*fit));

    fit->estate = estate;
    fit->n_slots = n_slots;
    fit->vcpus = hs_xcalloc(estate->n_hosts * n_slots, sizeof(*fit->vcpus));
    fit->memory_mib = hs_xcalloc(estate->n_hosts * n_slots, sizeof(*fit->memory_mib));
    fit->power[HS_FIT_SITE].n = estate->n_sites;
    fit->power[HS_FIT_LOOP].n = estate->n_loops;
    fit->power[HS_FIT_RACK].n = estate->n_racks;
    for (size_t i = 0; i < N_SCOPES; i++) {
        struct power *power = &fit->power[i];

        power->free_mw = hs_xcalloc(power->n * n_slots, sizeof(*power->free_mw));
        power->low_mw = hs_xcalloc(power->n, sizeof(*power->low_mw));
    }
    fit->closed = hs_xcalloc(estate->n_hosts * HS_PLAN_MASK_WORDS, sizeof(*fit->closed));
    fit->memory_low_mib = hs_xcalloc(estate->n_hosts, sizeof(*fit->memory_low_mib));
    hs_fit_clear(fit);
    return fit;
}

void hs_fit_free(struct hs_fit *fit)
{
    if (fit == NULL) {
        return;
    }
    free(fit->memory_low_mib);
    free(fit->closed);
    for (size_t i = 0; i < N_SCOPES; i++) {
        free(fit->power[i].low_mw);
        free(fit->power[i].free_mw);
    }
    free(fit->memory_mib);
    free(fit->vcpus);
    free(fit);
}

void hs_fit_set_frees_memory(struct hs_fit *fit, bool frees_memory)
{
    fit->frees_memory = frees_memory;
}

bool hs_fit_get_frees_memory(const struct hs_fit *fit)
{
    return fit->frees_memory;
}

static int64_t mw_from_w(double limit_w)
{
    return limit_w * 1e3 < (double)FREE_MW_MAX ? llround(limit_w * 1e3) : FREE_MW_MAX;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- power --- */

static size_t index_of(const struct hs_host *host, enum hs_fit_scope scope)
{
    return scope == HS_FIT_SITE   ? host->site_idx
           : scope == HS_FIT_RACK ? host->rack_idx
                                  : host->loop_idx;
}

/* Without caps by the clock. A loop has none of its own. */
static double limit_w(const struct hs_estate *estate, enum hs_fit_scope scope, size_t idx)
{
    return scope == HS_FIT_SITE   ? estate->sites[idx].limit_w
           : scope == HS_FIT_RACK ? estate->racks[idx].limit_w
                                  : INFINITY;
}

/* What is free for @host in its site, loop or rack, by slot. */
static int64_t *power_row(const struct hs_fit *fit, const struct hs_host *host,
                          enum hs_fit_scope scope)
{
    return &fit->power[scope].free_mw[index_of(host, scope) * fit->n_slots];
}

/* May its site, loop or rack have less than @elec_mw left somewhere? */
static bool may_lack(const struct hs_fit *fit, const struct hs_host *host, enum hs_fit_scope scope,
                     int64_t elec_mw)
{
    return fit->power[scope].low_mw[index_of(host, scope)] < elec_mw;
}

static void clear_power(struct hs_fit *fit, enum hs_fit_scope scope)
{
    struct power *power = &fit->power[scope];

    for (size_t i = 0; i < power->n; i++) {
        power->low_mw[i] = mw_from_w(limit_w(fit->estate, scope, i));
        for (size_t t = 0; t < fit->n_slots; t++) {
            power->free_mw[i * fit->n_slots + t] = power->low_mw[i];
        }
    }
}

/* Take @elec_mw, or with a minus give it back, in one slot. */
static void take_power(struct hs_fit *fit, const struct hs_host *host, size_t slot, int64_t elec_mw)
{
    for (size_t i = 0; i < N_SCOPES; i++) {
        struct power *power = &fit->power[i];
        size_t idx = index_of(host, (enum hs_fit_scope)i);
        int64_t *free_mw = &power->free_mw[idx * fit->n_slots + slot];

        *free_mw -= elec_mw;
        power->low_mw[idx] = lower(power->low_mw[idx], *free_mw);
    }
}

void hs_fit_clear(struct hs_fit *fit)
{
    const struct hs_estate *estate = fit->estate;
    size_t n = fit->n_slots;

    for (size_t i = 0; i < N_SCOPES; i++) {
        clear_power(fit, (enum hs_fit_scope)i);
    }
    memset(fit->closed, 0, estate->n_hosts * HS_PLAN_MASK_WORDS * sizeof(*fit->closed));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        int64_t base_mw = mw_from_w(hs_host_elec_w(host, host->pinned_vcpus));

        fit->memory_low_mib[h] = (int64_t)host->memory_mib;
        for (size_t t = 0; t < n; t++) {
            fit->vcpus[h * n + t] = (int32_t)(host->vcpus - host->pinned_vcpus);
            fit->memory_mib[h * n + t] = (int64_t)host->memory_mib;
            take_power(fit, host, t, base_mw);
        }
    }
}

void hs_fit_cap(struct hs_fit *fit, enum hs_fit_scope scope, size_t idx, double elec_w,
                size_t first, size_t last)
{
    struct power *power = &fit->power[scope];
    int64_t less_mw = mw_from_w(limit_w(fit->estate, scope, idx)) - mw_from_w(elec_w);

    for (size_t t = first; less_mw > 0 && t <= last && t < fit->n_slots; t++) {
        int64_t *free_mw = &power->free_mw[idx * fit->n_slots + t];

        *free_mw -= less_mw;
        power->low_mw[idx] = lower(power->low_mw[idx], *free_mw);
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
    int64_t elec_mw = hs_fit_elec_mw(fit, host_idx, size->vcpus);

    for (size_t t = first; t < n; t++) {
        ret_fits[t] = vcpus[t] >= size->vcpus;
    }
    for (size_t i = 0; i < N_SCOPES; i++) {
        const int64_t *free_mw = power_row(fit, host, (enum hs_fit_scope)i);
        bool is_scarce = may_lack(fit, host, (enum hs_fit_scope)i, elec_mw);

        for (size_t t = first; is_scarce && t < n; t++) {
            ret_fits[t] &= free_mw[t] >= elec_mw;
        }
    }
    with_memory |= fit->frees_memory;
    with_memory &= fit->memory_low_mib[host_idx] < size->memory_mib;
    for (size_t t = first; with_memory && t < n; t++) {
        ret_fits[t] &= memory_mib[t] >= size->memory_mib;
    }
}

bool hs_fit_check_memory(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                         size_t first, size_t last)
{
    const int64_t *memory_mib = &fit->memory_mib[host_idx * fit->n_slots];

    if (fit->frees_memory || fit->memory_low_mib[host_idx] >= size->memory_mib) {
        return true; /* where it frees it, memory counts in the slots that it runs in */
    }
    for (size_t t = first; t <= last && t < fit->n_slots; t++) {
        if (memory_mib[t] < size->memory_mib) {
            return false;
        }
    }
    return true;
}

bool hs_fit_check_slots(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                        size_t held, const uint8_t *slots, size_t n_slots)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];
    const int32_t *vcpus = &fit->vcpus[host_idx * fit->n_slots];
    const int64_t *memory_mib = &fit->memory_mib[host_idx * fit->n_slots];
    int64_t elec_mw = hs_fit_elec_mw(fit, host_idx, size->vcpus);

    for (size_t i = 0; i < n_slots; i++) {
        if (vcpus[slots[i]] < size->vcpus
            || (fit->frees_memory && memory_mib[slots[i]] < size->memory_mib)) {
            return false;
        }
    }
    for (size_t i = 0; i < N_SCOPES; i++) {
        const int64_t *free_mw = power_row(fit, host, (enum hs_fit_scope)i);
        bool is_scarce = may_lack(fit, host, (enum hs_fit_scope)i, elec_mw);

        for (size_t j = 0; is_scarce && j < n_slots; j++) {
            if (free_mw[slots[j]] < elec_mw) {
                return false;
            }
        }
    }
    return hs_fit_check_memory(fit, host_idx, size, held, slots[n_slots - 1]);
}

bool hs_fit_check_span(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                       size_t first, size_t last)
{
    uint8_t slots[HS_PLAN_SLOTS_MAX];
    size_t n = 0;

    for (size_t t = first; t <= last && t < fit->n_slots; t++) {
        slots[n++] = (uint8_t)t;
    }
    return n == 0 || hs_fit_check_slots(fit, host_idx, size, first, slots, n);
}

void hs_fit_fill_fed(const struct hs_fit *fit, size_t host_idx, size_t first, size_t last,
                     int32_t *ret_vcpus)
{
    const struct hs_host *host = &fit->estate->hosts[host_idx];
    double mw_per_vcpu = hs_host_elec_w_per_vcpu(host) * 1e3;
    int64_t most_mw = hs_fit_elec_mw(fit, host_idx, (int32_t)host->vcpus);

    for (size_t t = first; t <= last; t++) {
        ret_vcpus[t] = INT32_MAX;
    }
    for (size_t i = 0; i < N_SCOPES; i++) {
        const int64_t *free_mw = power_row(fit, host, (enum hs_fit_scope)i);
        bool is_scarce = may_lack(fit, host, (enum hs_fit_scope)i, most_mw);

        for (size_t t = first; is_scarce && t <= last; t++) {
            int64_t mw = free_mw[t] < most_mw ? free_mw[t] : most_mw;
            int32_t fed = mw > 0 ? (int32_t)((double)mw / mw_per_vcpu + 1e-6) : 0;

            ret_vcpus[t] = fed < ret_vcpus[t] ? fed : ret_vcpus[t];
        }
    }
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
        int64_t *memory_mib = &fit->memory_mib[h * n + t];
        bool runs = hs_plan_runs(placement, t);

        if (runs || !fit->frees_memory) {
            *memory_mib -= size->memory_mib * sign;
            fit->memory_low_mib[h] = lower(fit->memory_low_mib[h], *memory_mib);
        }
        if (runs) {
            fit->vcpus[h * n + t] -= size->vcpus * sign;
            take_power(fit, host, t, elec_mw);
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
    return fit->power[HS_FIT_RACK].free_mw[rack_idx * fit->n_slots + slot];
}

int64_t hs_fit_get_site_mw(const struct hs_fit *fit, size_t site_idx, size_t slot)
{
    return fit->power[HS_FIT_SITE].free_mw[site_idx * fit->n_slots + slot];
}

int64_t hs_fit_get_memory_mib(const struct hs_fit *fit, size_t host_idx, size_t slot)
{
    return fit->memory_mib[host_idx * fit->n_slots + slot];
}
