/* SPDX-License-Identifier: Apache-2.0 */
/* simfaults - edges of the script into flags, flags into shares of a slot. */
#include "scheduler/sim/simfaults.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

struct hs_simfaults *hs_simfaults_new(const struct hs_simevents *events,
                                      const struct hs_estate *estate)
{
    struct hs_simfaults *faults = hs_xcalloc(1, sizeof(*faults));

    faults->events = events;
    faults->estate = estate;
    faults->is_host_down = hs_xcalloc(estate->n_hosts, sizeof(bool));
    faults->is_host_closed = hs_xcalloc(estate->n_hosts, sizeof(bool));
    faults->is_pump_off = hs_xcalloc(estate->n_loops, sizeof(bool));
    faults->is_sink_off = hs_xcalloc(estate->n_sinks, sizeof(bool));
    faults->limit_w = hs_xcalloc(estate->n_loops, sizeof(double));
    faults->off_s = hs_xcalloc(estate->n_sinks, sizeof(double));
    faults->stranded_wh = hs_xcalloc(estate->n_loops, sizeof(double));
    hs_simfaults_open_slot(faults);
    return faults;
}

double hs_simfaults_next_at_s(const struct hs_simfaults *faults)
{
    return faults->next_edge < faults->events->n_edges
               ? faults->events->edges_at_s[faults->next_edge]
               : (double)INFINITY;
}

static void set_hosts(struct hs_simfaults *faults, const struct hs_simevent *event)
{
    bool is_off = event->kind == HS_SIMEVENT_HOST_LOST || event->is_hard;

    for (size_t h = 0; h < faults->estate->n_hosts; h++) {
        if (hs_simevents_has_host(event, faults->estate, h)) {
            faults->is_host_down[h] |= is_off;
            faults->is_host_closed[h] = true;
        }
    }
}

static void set_one(struct hs_simfaults *faults, const struct hs_simevent *event)
{
    switch (event->kind) {
    case HS_SIMEVENT_HOST_LOST:
    case HS_SIMEVENT_MAINTENANCE:
        set_hosts(faults, event);
        return;
    case HS_SIMEVENT_PUMP_FAULT:
        faults->is_pump_off[event->thing_idx] = true;
        faults->has_plant_fault = true;
        return;
    case HS_SIMEVENT_SINK_OFF:
        for (size_t k = 0; k < faults->estate->n_sinks; k++) {
            faults->is_sink_off[k] |= hs_simevents_has_sink(event, faults->estate, k);
        }
        faults->has_plant_fault = true;
        return;
    case HS_SIMEVENT_REJECTION_FAULT:
        faults->limit_w[event->thing_idx] = fmin(faults->limit_w[event->thing_idx], event->value);
        return;
    default:
        return; /* sensors and feeds change what is seen, not what is */
    }
}

static void set_all(struct hs_simfaults *faults, double at_s)
{
    const struct hs_estate *estate = faults->estate;

    memset(faults->is_host_down, 0, estate->n_hosts * sizeof(bool));
    memset(faults->is_host_closed, 0, estate->n_hosts * sizeof(bool));
    memset(faults->is_pump_off, 0, estate->n_loops * sizeof(bool));
    memset(faults->is_sink_off, 0, estate->n_sinks * sizeof(bool));
    faults->has_plant_fault = false;
    for (size_t i = 0; i < faults->events->n; i++) {
        if (hs_simevents_is_on(&faults->events->items[i], at_s)) {
            set_one(faults, &faults->events->items[i]);
        }
    }
}

bool hs_simfaults_apply(struct hs_simfaults *faults, double at_s)
{
    bool is_changed = false;

    while (hs_simfaults_next_at_s(faults) <= at_s) {
        /* each edge in turn: a short one leaves its mark on what a slot remembers */
        set_all(faults, hs_simfaults_next_at_s(faults));
        faults->next_edge++;
        is_changed = true;
    }
    return is_changed;
}

void hs_simfaults_run(struct hs_simfaults *faults, double span_s, const double *rack_elec_w)
{
    const struct hs_estate *estate = faults->estate;

    if (!faults->has_plant_fault) {
        return;
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        bool is_off = faults->is_sink_off[k] || faults->is_pump_off[estate->sinks[k].loop_idx];

        faults->off_s[k] += is_off ? span_s : 0;
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        const struct hs_rack *rack = &estate->racks[r];

        if (faults->is_pump_off[rack->loop_idx]) {
            faults->stranded_wh[rack->loop_idx] +=
                hs_wh_from_w(rack_elec_w[r] * rack->capture_ratio, span_s);
        }
    }
}

double hs_simfaults_get_served_ratio(const struct hs_simfaults *faults, size_t sink_idx,
                                     double slot_s)
{
    return fmax(0, 1 - faults->off_s[sink_idx] / slot_s);
}

void hs_simfaults_open_slot(struct hs_simfaults *faults)
{
    const struct hs_estate *estate = faults->estate;
    double at_s = faults->next_edge > 0 ? faults->events->edges_at_s[faults->next_edge - 1]
                                        : -(double)INFINITY;

    memset(faults->off_s, 0, estate->n_sinks * sizeof(double));
    memset(faults->stranded_wh, 0, estate->n_loops * sizeof(double));
    for (size_t l = 0; l < estate->n_loops; l++) {
        faults->limit_w[l] = estate->loops[l].rejection_limit_w;
    }
    /* what is on since the last edge goes on */
    for (size_t i = 0; i < faults->events->n; i++) {
        const struct hs_simevent *event = &faults->events->items[i];

        if (event->kind == HS_SIMEVENT_REJECTION_FAULT && hs_simevents_is_on(event, at_s)) {
            set_one(faults, event);
        }
    }
}

void hs_simfaults_free(struct hs_simfaults *faults)
{
    if (faults == NULL) {
        return;
    }
    free(faults->stranded_wh);
    free(faults->off_s);
    free(faults->limit_w);
    free(faults->is_sink_off);
    free(faults->is_pump_off);
    free(faults->is_host_closed);
    free(faults->is_host_down);
    free(faults);
}
