/* SPDX-License-Identifier: Apache-2.0 */
/* bound_estate - what of the estate the bound's rows are made of: classes, base power, worths. */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/sim/bound_priv.h"

bool hs_bound_can_bind(const struct hs_estate *estate, size_t first_rack, size_t n_racks,
                       double limit_w)
{
    double max_w = 0;

    for (size_t r = first_rack; r < first_rack + n_racks; r++) {
        const struct hs_rack *rack = &estate->racks[r];

        for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
            const struct hs_host *host = &estate->hosts[h];

            max_w += hs_host_elec_w(host, fmax(host->vcpus, host->pinned_vcpus));
        }
    }
    return max_w > limit_w;
}

static double get_free_vcpus(const struct hs_host *host)
{
    return host->vcpus > host->pinned_vcpus ? (double)(host->vcpus - host->pinned_vcpus) : 0;
}

/** Seconds of [@from_at_s, @to_at_s) in which the host is scripted to be off. */
static double get_off_s(const struct hs_bound *b, size_t host_idx, double from_at_s, double to_at_s)
{
    const struct hs_simevents *events = &b->scenario->events;
    double off_s = 0, until_at_s = from_at_s;

    for (;;) { /* the union of what may overlap: from the end of one to the next that is on */
        double next_at_s = to_at_s, end_at_s = to_at_s;

        for (size_t i = 0; i < events->n; i++) {
            const struct hs_simevent *event = &events->items[i];
            double at_s = fmax(event->at_s, until_at_s);

            if ((event->kind == HS_SIMEVENT_HOST_LOST || event->is_hard) && at_s < event->until_s
                && at_s < next_at_s
                && hs_simevents_has_host(event, b->scenario->estate, host_idx)) {
                next_at_s = at_s;
                end_at_s = fmin(event->until_s, to_at_s);
            }
        }
        if (next_at_s >= to_at_s) {
            return off_s;
        }
        off_s += end_at_s - next_at_s;
        until_at_s = end_at_s;
    }
}

static void add_base(struct hs_bound *b, size_t host_idx)
{
    const struct hs_scenario *scenario = b->scenario;
    const struct hs_host *host = &scenario->estate->hosts[host_idx];
    double *base_w = b->rack_base_w + host->rack_idx * scenario->n_slots;
    double on_w = hs_host_elec_w(host, (double)host->pinned_vcpus);

    for (size_t t = 0; t < scenario->n_slots; t++) {
        double at_s = (double)(scenario->start_at_s + (int64_t)t * scenario->slot_s);
        double off_s = get_off_s(b, host_idx, at_s, at_s + (double)scenario->slot_s);

        base_w[t] += on_w * (1 - off_s / (double)scenario->slot_s);
    }
}

/** Sort hosts into classes; sum the power that is drawn whatever runs. */
static void set_classes(struct hs_bound *b)
{
    const struct hs_estate *estate = b->scenario->estate;

    b->classes = hs_xcalloc(estate->n_hosts, sizeof(*b->classes));
    b->rack_base_w = hs_xcalloc(estate->n_racks * b->scenario->n_slots, sizeof(double));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        const struct hs_rack *rack = &estate->racks[host->rack_idx];
        struct hs_bound_class class = {
            .loop_idx = rack->loop_idx,
            .site_idx = rack->site_idx,
            .rack_idx = hs_bound_can_bind(estate, host->rack_idx, 1, rack->limit_w) ? host->rack_idx
                                                                                    : SIZE_MAX,
            .elec_w_per_vcpu = hs_host_elec_w_per_vcpu(host),
            .capture_ratio = rack->capture_ratio,
        };
        size_t k = 0;

        add_base(b, h);
        while (k < b->n_classes
               && (b->classes[k].loop_idx != class.loop_idx
                   || b->classes[k].rack_idx != class.rack_idx
                   || b->classes[k].elec_w_per_vcpu != class.elec_w_per_vcpu
                   || b->classes[k].capture_ratio != class.capture_ratio)) {
            k++;
        }
        if (k == b->n_classes) {
            b->classes[b->n_classes++] = class;
        }
        b->classes[k].free_vcpus += get_free_vcpus(host);
    }
}

/** Worth of heat, and of the heat left: per loop, weighted with demand over sinks and slots. */
static void set_worths(struct hs_bound *b)
{
    const struct hs_estate *estate = b->scenario->estate;
    size_t n_slots = b->scenario->n_slots;

    b->worth = hs_xcalloc(estate->n_sinks, sizeof(double));
    b->left_worth = hs_xcalloc(estate->n_loops, sizeof(double));
    b->left_gco2_per_kwh = hs_xcalloc(estate->n_loops, sizeof(double));
    for (size_t l = 0; l < estate->n_loops; l++) {
        const struct hs_heatloop *loop = &estate->loops[l];
        double weight = 0, worth = 0, gco2 = 0;

        for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
            const struct hs_sink *sink = &estate->sinks[k];

            b->worth[k] = hs_sink_worth_cur_per_mwh(sink, estate->carbon_price_cur_per_t);
            for (size_t t = 0; t < n_slots; t++) {
                double demand_w = b->trace->demand_heat_w[k * n_slots + t];

                weight += demand_w;
                worth += demand_w * b->worth[k];
                gco2 += demand_w * sink->backup_gco2_per_kwh / sink->backup_efficiency_ratio;
            }
        }
        b->left_worth[l] = weight > 0 ? worth / weight : 0;
        b->left_gco2_per_kwh[l] = weight > 0 ? gco2 / weight : 0;
    }
}

static void set_late_price(struct hs_bound *b)
{
    size_t n = b->scenario->estate->n_sites * b->scenario->n_slots;
    double dearest = 0, sum_w = 0, sum_vcpus = 0;

    for (size_t i = 0; i < n; i++) {
        dearest = fmax(dearest, b->trace->elec_cur_per_mwh[i]);
    }
    for (size_t k = 0; k < b->n_classes; k++) {
        sum_w += b->classes[k].elec_w_per_vcpu * b->classes[k].free_vcpus;
        sum_vcpus += b->classes[k].free_vcpus;
    }
    b->mean_w_per_vcpu = sum_vcpus > 0 ? sum_w / sum_vcpus : 0;
    b->late_cur_per_mwh = HS_BOUND_LATE_PRICE * fmax(dearest, 1);
}

void hs_bound_set_estate(struct hs_bound *b)
{
    set_classes(b);
    set_worths(b);
    set_late_price(b);
}
