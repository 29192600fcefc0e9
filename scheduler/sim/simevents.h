/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simevents - what is scripted to break or to be serviced in a run, when, and where.
 *
 * Reads and checks a scenario's `events`. What an event does to the truth is simfaults.h, what a
 * daemon would notice of it is heatfaults.h. Effects of each kind: docs/simulator.md, Events.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "scheduler/base/conf.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/reading.h"

enum hs_simevent_kind {
    HS_SIMEVENT_SINK_OFF,
    HS_SIMEVENT_PUMP_FAULT,
    HS_SIMEVENT_REJECTION_FAULT,
    HS_SIMEVENT_SENSOR_STUCK,
    HS_SIMEVENT_SENSOR_NAN,
    HS_SIMEVENT_SENSOR_STALE,
    HS_SIMEVENT_SENSOR_JUMP,
    HS_SIMEVENT_HOST_LOST,
    HS_SIMEVENT_FEED_LOST,
    HS_SIMEVENT_MAINTENANCE,
    HS_SIMEVENT_KIND_COUNT_,
};

/** What kind of thing an event names; bits of a set. */
enum hs_simevent_scope {
    HS_SIMEVENT_SITE = 1,
    HS_SIMEVENT_LOOP = 2,
    HS_SIMEVENT_RACK = 4,
    HS_SIMEVENT_HOST = 8,
    HS_SIMEVENT_SINK = 16,
    HS_SIMEVENT_POINT = 32,
};

struct hs_simevent {
    enum hs_simevent_kind kind;
    double at_s;    /* cut to the run */
    double until_s; /* cut to the run; > at_s */
    enum hs_simevent_scope scope;
    size_t thing_idx;      /* by scope */
    struct hs_point point; /* HS_SIMEVENT_POINT only */
    double value;          /* jump: in the point's unit; rejection: W that are left */
    bool has_price;        /* feed lost: this one */
    bool has_carbon;
    bool is_hard; /* maintenance: the hosts are switched off */
};

struct hs_simevents {
    struct hs_simevent *items; /* owned; in file order */
    size_t n;
    double *edges_at_s; /* [n_edges] owned; instants at which something begins or ends, once each */
    size_t n_edges;
};

/** Fields of one event, for the documentation. */
extern const struct hs_conf_table hs_simevents_table;

/**
 * Read a scenario's `events`.
 *
 * @param array       the list, nullable; errors go to @report under /events
 * @param start_at_s  of the run: an event outside it is an error
 * @param ret_events  {0}; its arrays are the caller's (hs_simevents_fini)
 */
void hs_simevents_read(const json_t *array, const struct hs_estate *estate, int64_t start_at_s,
                       int64_t end_at_s, struct hs_conf_report *report,
                       struct hs_simevents *ret_events);

/** "sink-off". */
const char *hs_simevents_word(enum hs_simevent_kind kind);

/** One clause: what it does. */
const char *hs_simevents_summary(enum hs_simevent_kind kind);

/** Is the event on at @at_s? Its end is not part of it. */
static inline bool hs_simevents_is_on(const struct hs_simevent *event, double at_s)
{
    return event->at_s <= at_s && at_s < event->until_s;
}

/** Does the event, by its scope, touch this host? */
bool hs_simevents_has_host(const struct hs_simevent *event, const struct hs_estate *estate,
                           size_t host_idx);

/** Does the event, by its scope, touch this sink? */
bool hs_simevents_has_sink(const struct hs_simevent *event, const struct hs_estate *estate,
                           size_t sink_idx);

/** Release the arrays. */
void hs_simevents_fini(struct hs_simevents *events);
