/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant - port to the buildings: what heat they want, what their tanks hold.
 *
 * A backend delivers readings per point, with quality and both times, through its listener.
 * The wrapper checks what comes back once for all backends (NAN, range), and by the point's own
 * rule where the estate's map has one. Read-only to the plant unless a device's `write` is on.
 * Backends: plant_redis.c (the stream), plant_csv.c (replay), plant_sim.c (closes the loop),
 * plant_modbus.c. All calls and callbacks on the executor's thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/account.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/pointmap.h"
#include "scheduler/model/reading.h"
#include "scheduler/model/series.h"

struct hs_plant;
struct hs_plant_quality;
struct hs_redis_access;

struct hs_plant_listener {
    /* a reading, any quality; a bad one carries what was seen (NAN included) and why */
    void (*reading)(void *arg, const struct hs_reading *reading);
    /* something that was no reading: unknown point, malformed entry; @text is one clause */
    void (*refused)(void *arg, const char *text);
    /* nullable: a device or broker was found or lost; @text names it */
    void (*connection)(void *arg, bool is_up, const char *text);
    void *arg;
};

struct hs_plant_options {
    struct hs_executor *executor;   /* kept */
    const struct hs_clock *clock;   /* kept */
    const struct hs_estate *estate; /* kept */
    struct hs_plant_listener listener;
    double period_plan_s; /* how often csv and sim speak, plan s; real period at least 50 ms */
};

/** What a backend supplies. */
struct hs_plant_ops {
    const char *name;
    const char *summary;
    /** Begin to deliver. */
    void (*start)(struct hs_plant *plant);
    /** optional: tell a simulated plant what IT power each rack draws from now on. */
    void (*feed)(struct hs_plant *plant, const double *rack_elec_w, size_t n_racks);
    /** optional: what the plant is told at @point from now on; NAN: nothing any more. */
    int (*write)(struct hs_plant *plant, const struct hs_point *point, double value,
                 struct hs_err *err);
    void (*destroy)(struct hs_plant *plant);
};

/** Base of every backend's own struct, as its first member. */
struct hs_plant {
    const struct hs_plant_ops *ops;
    struct hs_plant_options options;
};

void hs_plant_start(struct hs_plant *plant);

/** @param rack_elec_w  [n_racks] IT power, W. @return 0 or -HS_E_UNSUPPORTED (a real plant) */
int hs_plant_feed(struct hs_plant *plant, const double *rack_elec_w, size_t n_racks,
                  struct hs_err *err);

/**
 * Tell the plant @value at @point, now and again after every reconnection, until it is told
 * something else.
 *
 * @param value  NAN: nothing any more
 * @return 0; -HS_E_NOTFOUND where this plant has no such point to write; -HS_E_DENIED if `write` is
 *         off; -HS_E_INVALID if the point's type cannot hold it; -HS_E_UNSUPPORTED
 */
int hs_plant_write(struct hs_plant *plant, const struct hs_point *point, double value,
                   struct hs_err *err);

/** For backends: check @reading's value, set its quality, hand it to the listener. */
void hs_plant_deliver(struct hs_plant *plant, struct hs_reading *reading);

/** For backends that read by the estate's map: the same by @row's rule, taken now. */
void hs_plant_deliver_by(struct hs_plant *plant, const struct hs_pointmap_row *row,
                         struct hs_plant_quality *quality, double value);

/** For the same: @row's value cannot be had; says so as @verdict, with NAN. */
void hs_plant_deliver_bad(struct hs_plant *plant, const struct hs_pointmap_row *row,
                          enum hs_quality verdict);

/**
 * For backends that anybody may feed: may @point come from there? One that is told to the plant, or
 * that the estate's map reads from a device, may not.
 *
 * @return 0, -HS_E_INVALID or -HS_E_CONFLICT
 */
int hs_plant_check_source(const struct hs_plant *plant, const char *path,
                          const struct hs_point *point, struct hs_err *err);

/** For backends: a device or broker was found or lost. */
__attribute__((format(printf, 3, 4))) void
hs_plant_tell_connection(struct hs_plant *plant, bool is_up, const char *fmt, ...);

/** Accepts NULL. */
void hs_plant_free(struct hs_plant *plant);
HS_DEFINE_AUTO(hs_plant);

/**
 * Readings that anyone may XADD to `hs:{cell}:readings` (docs/operate.md, Readings); plain XREAD
 * with our own cursor, from the newest entry on.
 */
int hs_plant_redis_new(const struct hs_plant_options *options, const struct hs_redis_access *access,
                       const char *cell, struct hs_plant **ret_plant, struct hs_err *err);

/**
 * Replay: each sink's demand_heat_w from its series, at the clock's pace.
 *
 * @param demand_heat_w  [n_sinks] kept; NULL for a sink without data
 */
struct hs_plant *hs_plant_csv_new(const struct hs_plant_options *options,
                                  const struct hs_series *const *demand_heat_w);

/**
 * The simulated plant: demand from series, tank and heat balance as in
 * docs/simulator.md (Plant), IT power as fed. Delivers demand_heat_w, useful_heat_wh, tank
 * temperature, captured_heat_wh, rejected_heat_w (mean since the last reading).
 *
 * @param demand_heat_w  [n_sinks] kept
 */
struct hs_plant *hs_plant_sim_new(const struct hs_plant_options *options,
                                  const struct hs_series *const *demand_heat_w);
