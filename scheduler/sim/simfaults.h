/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simfaults - what scripted events make of the world: which hosts, pumps and sinks are out now.
 *
 * Moves from one edge of the script to the next, and keeps for how much of the open slot a plant
 * part was out, because the plant is balanced slot by slot. For simrun only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/estate.h"
#include "scheduler/sim/simevents.h"

struct hs_simfaults {
    const struct hs_simevents *events;
    const struct hs_estate *estate;
    size_t next_edge;
    bool *is_host_down;   /* [n_hosts] off */
    bool *is_host_closed; /* [n_hosts] nothing may start: off or in maintenance */
    bool *is_pump_off;    /* [n_loops] */
    bool *is_sink_off;    /* [n_sinks] by an event of its own; its loop's pump apart */
    bool has_plant_fault; /* some pump or sink is out now */
    double *limit_w;      /* [n_loops] least rejection limit in the open slot */
    /* of the open slot */
    double *off_s;       /* [n_sinks] for how long a sink could take no heat */
    double *stranded_wh; /* [n_loops] captured while the pump stood */
};

/** Everything in order. Both kept. Owned by the caller. */
struct hs_simfaults *hs_simfaults_new(const struct hs_simevents *events,
                                      const struct hs_estate *estate);

/** When the script next changes something, Unix UTC; INFINITY if never again. */
double hs_simfaults_next_at_s(const struct hs_simfaults *faults);

/** Take in every edge up to @at_s. @return whether there was one */
bool hs_simfaults_apply(struct hs_simfaults *faults, double at_s);

/** Time passes as things are. @param rack_elec_w [n_racks] */
void hs_simfaults_run(struct hs_simfaults *faults, double span_s, const double *rack_elec_w);

/** Share of the slot in which a sink could take heat. */
double hs_simfaults_get_served_ratio(const struct hs_simfaults *faults, size_t sink_idx,
                                     double slot_s);

/** The open slot is closed: begin the next. */
void hs_simfaults_open_slot(struct hs_simfaults *faults);

/** Accepts NULL. */
void hs_simfaults_free(struct hs_simfaults *faults);
HS_DEFINE_AUTO(hs_simfaults);
