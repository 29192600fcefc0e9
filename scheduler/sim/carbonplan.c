/* SPDX-License-Identifier: Apache-2.0 */
/* carbonplan - tables of what is free, and sums of carbon from the run's start. */
#include "scheduler/sim/carbonplan.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/sim/simroom.h"

#define BEYOND_END_S   172800.0 /* reckoned with beyond the run's end */
#define SLOT_ROUNDING  1e-9     /* of a slot: sums of decimals in traces */
#define TIE_GCO2       1e-9     /* g/kWh x slots: rounding of sums of carbon */
#define DUE_ROUNDING_S 1e-6

struct hs_carbonplan {
    const struct hs_simrun *run;
    size_t n_slots;      /* of the run and beyond */
    int32_t *free_vcpus; /* [n_hosts][n_slots] */
    double *rack_w;      /* [n_racks][n_slots] left; INFINITY without a limit */
    double *site_w;      /* [n_sites][n_slots] */
    double *gco2;        /* [n_sites][n_slots + 1] g/kWh x slots since the start */
    bool *is_limited;    /* [n_hosts] */
};

/** The slots that a stretch touches. */
struct reach {
    size_t first;
    size_t end;
    double from_slots; /* the stretch itself, in slots since the start */
    double to_slots;
};

static void fill_power(struct hs_carbonplan *plan)
{
    const struct hs_estate *estate = plan->run->scenario->estate;
    size_t n = plan->n_slots;

    for (size_t s = 0; s < estate->n_sites; s++) {
        const struct hs_site *site = &estate->sites[s];
        double site_w = site->limit_w;

        for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
            const struct hs_rack *rack = &estate->racks[r];
            double base_w = 0;

            for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
                base_w += hs_host_elec_w(&estate->hosts[h], estate->hosts[h].pinned_vcpus);
            }
            site_w -= base_w;
            for (size_t t = 0; t < n; t++) {
                plan->rack_w[r * n + t] = rack->limit_w - base_w;
            }
        }
        for (size_t t = 0; t < n; t++) {
            plan->site_w[s * n + t] = site_w;
        }
    }
}

static void fill_carbon(struct hs_carbonplan *plan)
{
    const struct hs_scenario *scenario = plan->run->scenario;

    for (size_t s = 0; s < scenario->estate->n_sites; s++) {
        const double *gco2_per_kwh = &plan->run->trace->gco2_per_kwh[s * scenario->n_slots];
        double *sum = &plan->gco2[s * (plan->n_slots + 1)];

        for (size_t t = 0; t < plan->n_slots; t++) {
            sum[t + 1] = sum[t] + gco2_per_kwh[t < scenario->n_slots ? t : scenario->n_slots - 1];
        }
    }
}

struct hs_carbonplan *hs_carbonplan_new(const struct hs_simrun *run)
{
    const struct hs_estate *estate = run->scenario->estate;
    struct hs_carbonplan *plan = hs_xcalloc(1, sizeof(*plan));
    size_t n;

    plan->run = run;
    n = run->scenario->n_slots + (size_t)ceil(BEYOND_END_S / (double)run->scenario->slot_s);
    plan->n_slots = n;
    plan->free_vcpus = hs_xcalloc(estate->n_hosts * n, sizeof(*plan->free_vcpus));
    plan->rack_w = hs_xcalloc(estate->n_racks * n, sizeof(double));
    plan->site_w = hs_xcalloc(estate->n_sites * n, sizeof(double));
    plan->gco2 = hs_xcalloc(estate->n_sites * (n + 1), sizeof(double));
    plan->is_limited = hs_xcalloc(estate->n_hosts, sizeof(bool));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        plan->is_limited[h] = hs_simroom_is_limited(estate, h);
        for (size_t t = 0; t < n; t++) {
            plan->free_vcpus[h * n + t] =
                (int32_t)estate->hosts[h].vcpus - (int32_t)estate->hosts[h].pinned_vcpus;
        }
    }
    fill_power(plan);
    fill_carbon(plan);
    return plan;
}

static struct reach get_reach(const struct hs_carbonplan *plan, double at_s, double end_at_s)
{
    double start_at_s = (double)plan->run->scenario->start_at_s;
    double slot_s = (double)plan->run->scenario->slot_s;
    struct reach reach = {.from_slots = (at_s - start_at_s) / slot_s,
                          .to_slots = (end_at_s - start_at_s) / slot_s};

    reach.first = (size_t)floor(reach.from_slots + SLOT_ROUNDING);
    reach.end = (size_t)ceil(reach.to_slots - SLOT_ROUNDING);
    reach.end = reach.end > reach.first ? reach.end : reach.first + 1;
    return reach;
}

/** Carbon of a site over a stretch, g/kWh x slots. */
static double get_gco2(const struct hs_carbonplan *plan, size_t site_idx, const struct reach *reach)
{
    const double *sum = &plan->gco2[site_idx * (plan->n_slots + 1)];
    double before = reach->from_slots - (double)reach->first;
    double after = (double)reach->end - reach->to_slots;

    return sum[reach->end] - sum[reach->first]
           - fmax(0, before) * (sum[reach->first + 1] - sum[reach->first])
           - fmax(0, after) * (sum[reach->end] - sum[reach->end - 1]);
}

static bool has_room(const struct hs_carbonplan *plan, size_t host_idx, uint32_t vcpus,
                     const struct reach *reach)
{
    const struct hs_host *host = &plan->run->scenario->estate->hosts[host_idx];
    const int32_t *free_vcpus = &plan->free_vcpus[host_idx * plan->n_slots];
    const double *rack_w = &plan->rack_w[host->rack_idx * plan->n_slots];
    const double *site_w = &plan->site_w[host->site_idx * plan->n_slots];
    double need_w = hs_host_elec_w_per_vcpu(host) * (double)vcpus - HS_SIMROOM_SLACK_W;

    for (size_t t = reach->first; t < reach->end; t++) {
        if (free_vcpus[t] < (int32_t)vcpus) {
            return false;
        }
    }
    for (size_t t = reach->first; plan->is_limited[host_idx] && t < reach->end; t++) {
        if (rack_w[t] < need_w || site_w[t] < need_w) {
            return false;
        }
    }
    return true;
}

/** Of a rack's hosts the one with most free vCPUs in the first slot, if more than @ret_free. */
static size_t find_in_rack(const struct hs_carbonplan *plan, const struct hs_rack *rack,
                           uint32_t vcpus, const struct reach *reach, int32_t *ret_free)
{
    size_t best = SIZE_MAX;

    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        int32_t free_vcpus = plan->free_vcpus[h * plan->n_slots + reach->first];

        if (free_vcpus >= (int32_t)vcpus && free_vcpus > *ret_free
            && !plan->run->faults->is_host_closed[h] && has_room(plan, h, vcpus, reach)) {
            best = h;
            *ret_free = free_vcpus;
        }
    }
    return best;
}

/** Among hosts that cost less than @gco2: the cheapest, then the one with most free vCPUs. */
static size_t find_host(const struct hs_carbonplan *plan, uint32_t vcpus, const struct reach *reach,
                        double *gco2)
{
    const struct hs_estate *estate = plan->run->scenario->estate;
    size_t best = SIZE_MAX;
    int32_t best_free = 0;

    for (size_t s = 0; s < estate->n_sites; s++) {
        const struct hs_site *site = &estate->sites[s];
        double site_gco2 = get_gco2(plan, s, reach);
        bool is_cheaper = site_gco2 < *gco2 - TIE_GCO2;
        int32_t free_vcpus = is_cheaper ? 0 : best_free;
        size_t host_idx = SIZE_MAX;

        if (!is_cheaper && (best == SIZE_MAX || site_gco2 > *gco2 + TIE_GCO2)) {
            continue;
        }
        for (size_t r = site->first_rack_idx; r < site->first_rack_idx + site->n_racks; r++) {
            size_t found = find_in_rack(plan, &estate->racks[r], vcpus, reach, &free_vcpus);

            host_idx = found != SIZE_MAX ? found : host_idx;
        }
        if (host_idx != SIZE_MAX) {
            best = host_idx;
            best_free = free_vcpus;
            *gco2 = site_gco2;
        }
    }
    return best;
}

/** Windows in order of time, up to @by_at_s; the first one only, or the cheapest. */
static struct hs_carbonplan_window find_window(const struct hs_carbonplan *plan, uint32_t vcpus,
                                               double span_s, double from_at_s, double by_at_s,
                                               bool is_first_enough)
{
    const struct hs_scenario *scenario = plan->run->scenario;
    struct hs_carbonplan_window best = {.host_idx = SIZE_MAX};
    size_t slot = get_reach(plan, from_at_s, from_at_s).first;
    double best_gco2 = (double)INFINITY, at_s = from_at_s;

    for (; at_s + span_s <= by_at_s + DUE_ROUNDING_S; slot++) {
        struct reach reach = get_reach(plan, at_s, at_s + span_s);
        size_t host_idx;

        if (reach.end > plan->n_slots || (is_first_enough && best.host_idx != SIZE_MAX)) {
            break;
        }
        host_idx = find_host(plan, vcpus, &reach, &best_gco2);
        if (host_idx != SIZE_MAX) {
            best = (struct hs_carbonplan_window){host_idx, at_s, at_s + span_s};
        }
        at_s = (double)(scenario->start_at_s + (int64_t)(slot + 1) * scenario->slot_s);
    }
    return best;
}

struct hs_carbonplan_window hs_carbonplan_find_cheapest(const struct hs_carbonplan *plan,
                                                        uint32_t vcpus, double span_s,
                                                        double from_at_s, double by_at_s)
{
    return find_window(plan, vcpus, span_s, from_at_s, by_at_s, false);
}

struct hs_carbonplan_window hs_carbonplan_find_first(const struct hs_carbonplan *plan,
                                                     uint32_t vcpus, double span_s,
                                                     double from_at_s)
{
    return find_window(plan, vcpus, span_s, from_at_s, (double)INFINITY, true);
}

static void book(struct hs_carbonplan *plan, const struct hs_carbonplan_window *window,
                 int32_t vcpus)
{
    const struct hs_host *host = &plan->run->scenario->estate->hosts[window->host_idx];
    struct reach reach = get_reach(plan, window->at_s, window->end_at_s);
    double more_w = hs_host_elec_w_per_vcpu(host) * (double)vcpus;

    for (size_t t = reach.first; t < reach.end; t++) {
        plan->free_vcpus[window->host_idx * plan->n_slots + t] -= vcpus;
        plan->rack_w[host->rack_idx * plan->n_slots + t] -= more_w;
        plan->site_w[host->site_idx * plan->n_slots + t] -= more_w;
    }
}

void hs_carbonplan_reserve(struct hs_carbonplan *plan, const struct hs_carbonplan_window *window,
                           uint32_t vcpus)
{
    book(plan, window, (int32_t)vcpus);
}

void hs_carbonplan_release(struct hs_carbonplan *plan, const struct hs_carbonplan_window *window,
                           uint32_t vcpus)
{
    book(plan, window, -(int32_t)vcpus);
}

void hs_carbonplan_free(struct hs_carbonplan *plan)
{
    if (plan == NULL) {
        return;
    }
    free(plan->is_limited);
    free(plan->gco2);
    free(plan->site_w);
    free(plan->rack_w);
    free(plan->free_vcpus);
    free(plan);
}
