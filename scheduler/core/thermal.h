/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * thermal - what one more Wh of captured heat is worth in a loop, slot by slot.
 *
 * The plant is passive: sinks are served first, then the tank is charged, the rest rejected;
 * unserved demand draws the tank, what then remains is backup. So what heat costs follows from the
 * tank's course alone, and the cost to go is a convex piecewise-linear function of its energy E:
 *
 *     V_n(E) = -w_end E
 *     V_t(E) = reject(E) r_t + backup(E) priced from the least worthy sink up + V_t+1(E')
 *
 * with loss = clamp(a + b E, 0, E), a = loss_w_per_k (min_c - ambient_c) h, b = loss_w_per_k h /
 * (1.163 volume_l), and every Wh that a slot ends below its comfort floor priced. Only the slopes
 * of V_t along the course are ever asked for, so only they are kept, each with the room that it
 * holds for: one pass over the slots, and no pass at all over those whose course and slopes have
 * not changed. See docs/adr/0012. Source: docs/simulator.md, Plant (nodes: 1). Pure; no memory is
 * allocated after hs_thermal_new().
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/heatloop.h"

struct hs_thermal;

/** What a loop faces over the horizon. All borrowed for the call. */
struct hs_thermal_input {
    double slot_s;
    double tank_wh;                  /* usable energy at the start of slot 0 */
    const double *captured_wh;       /* [n_slots] from load that stands already */
    const double *sink_demand_wh;    /* [n_sinks][n_slots] row-major, limited to what is servable */
    const double *sink_cur_per_mwh;  /* [n_sinks] worth of useful heat */
    const double *reject_cur_per_wh; /* [n_slots] cost of dumping, >= 0 */
    double end_cur_per_wh;           /* credit for heat left at the end, >= 0 */
    /* comfort: the tank should hold so much at each slot's end [n_slots]; NULL: nothing is asked */
    const double *floor_wh;
    double floor_cur_per_wh; /* what each Wh below it costs, each slot, >= 0 */
    double probe_wh; /* prices tell the worth of so much more heat in a slot; 0: the least */
};

/** A solver for @loop. Owned by the caller. @param n_sinks  of the loop */
struct hs_thermal *hs_thermal_new(const struct hs_heatloop *loop, size_t n_sinks, size_t n_slots);

/** Take in @input (copied); nothing may be asked before the next settle. */
void hs_thermal_set(struct hs_thermal *thermal, const struct hs_thermal_input *input);

/**
 * Add (or, negative, take away) captured heat in slots @first..@first+n-1; nothing may be asked
 * before the next settle.
 *
 * @param extra_wh  [n]
 */
void hs_thermal_lay(struct hs_thermal *thermal, size_t first, const double *extra_wh, size_t n);

/** Follow the tank's course with what was laid and price it. @return whether anything was laid */
bool hs_thermal_settle(struct hs_thermal *thermal);

/**
 * Take back the last lay and the settle after it, bit by bit.
 *
 * @return false, with nothing done, if more than one lay came between the last two settles or one
 *     after them
 */
bool hs_thermal_undo(struct hs_thermal *thermal);

/** First slot whose price the last settle or undo may have changed. */
size_t hs_thermal_get_changed(const struct hs_thermal *thermal);

/** Worth of probe_wh more captured heat in each slot by itself, cur/Wh. Borrowed. */
const double *hs_thermal_get_prices(const struct hs_thermal *thermal);

/** Cost of the horizon as it stands: backup + rejection - credit, cur. */
double hs_thermal_get_cost(const struct hs_thermal *thermal);

/** Worth of one more captured Wh in @slot, cur/MWh; negative when it would be dumped. */
double hs_thermal_get_price(const struct hs_thermal *thermal, size_t slot);

/** Cost saved by @extra_wh more captured heat in @slot alone, cur. */
double hs_thermal_get_worth(const struct hs_thermal *thermal, size_t slot, double extra_wh);

/** Cost saved by @extra_wh [n] more captured heat in slots @first.. together, cur. Exact. */
double hs_thermal_get_run_worth(const struct hs_thermal *thermal, size_t first,
                                const double *extra_wh, size_t n);

/** Usable energy at the end of @slot on the present course, Wh. */
double hs_thermal_get_tank_wh(const struct hs_thermal *thermal, size_t slot);

/** Heat that @slot dumps on the present course, Wh. */
double hs_thermal_get_rejected_wh(const struct hs_thermal *thermal, size_t slot);

/** Demand of @slot that compute and tank leave to backup on the present course, Wh. */
double hs_thermal_get_unserved_wh(const struct hs_thermal *thermal, size_t slot);

/** Captured heat of @slot, all that was laid included, Wh. */
double hs_thermal_get_captured_wh(const struct hs_thermal *thermal, size_t slot);

/** Accepts NULL. */
void hs_thermal_free(struct hs_thermal *thermal);
HS_DEFINE_AUTO(hs_thermal);
