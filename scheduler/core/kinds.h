/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * kinds - hosts that are alike in money and heat, and what a slot of work costs on them.
 *
 * Hosts that draw the same per vCPU and give their heat to the same loop at the same capture
 * ratio are one kind: costs are worked out once a kind, fit once a host. Each kind keeps, by slot,
 * the net price of a little work there (electricity less the worth of its heat), its running sum,
 * so that any run is priced by one subtraction, and the most vCPUs that one of its hosts has free
 * and its rack and site have power for.
 * Pure; used by place and search.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/fit.h"
#include "scheduler/core/thermal.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

/** Hosts that are alike. */
struct hs_kind {
    size_t site_idx;
    size_t loop_idx;
    double elec_w_per_vcpu;
    double capture_ratio;
    size_t *hosts; /* [n_hosts] indices into the estate, ascending */
    size_t n_hosts;
    size_t *racks; /* [n_racks] a host in each of its racks */
    size_t n_racks;
    double *net_cur_per_w;  /* [n_slots + 1] electricity less heat, sum over the slots before */
    double *elec_cur_per_w; /* [n_slots + 1] electricity alone */
    int32_t *room_vcpus;    /* [n_slots] most vCPUs that one host that is not barred can take */
};

/** All kinds of an estate. */
struct hs_kinds {
    const struct hs_estate *estate;
    size_t n_slots;
    struct hs_kind *items; /* [n] */
    size_t n;
    size_t *of_host;    /* [n_hosts] kind of each host */
    size_t *by_loop;    /* [n] kinds of loop 0, of loop 1 ... */
    size_t *loop_first; /* [n_loops + 1] where a loop's kinds begin in by_loop */
};

/** Kinds of @estate (kept); prices and room are not set yet. Owned by the caller. */
struct hs_kinds *hs_kinds_new(const struct hs_estate *estate, size_t n_slots);

/**
 * Take over what electricity costs.
 *
 * @param slot_h            [n_slots] hours of each slot that lie ahead
 * @param elec_cur_per_mwh  [n_sites][n_slots]
 */
void hs_kinds_set_elec(struct hs_kinds *kinds, const double *slot_h,
                       const double *elec_cur_per_mwh);

/** Take over what heat is worth in one loop from slot @first on. @param slot_h as above */
void hs_kinds_set_prices(struct hs_kinds *kinds, size_t loop_idx, const double *slot_h,
                         const struct hs_thermal *thermal, size_t first);

/**
 * Take over prices that somebody else found, for heat and for room, in all loops.
 *
 * @param slot_h           [n_slots] as above
 * @param heat_cur_per_wh  [n_loops][n_slots]
 * @param room_cur         [n_loops][n_slots] of a vCPU for a whole slot
 */
void hs_kinds_guide(struct hs_kinds *kinds, const double *slot_h, const double *heat_cur_per_wh,
                    const double *room_cur);

/** Look at every host's room again. @param barred [n_hosts] */
void hs_kinds_set_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred);

/** @placement has been taken from its host. */
void hs_kinds_take_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred,
                        const struct hs_placement *placement);

/** @placement has been given back; other kinds of its site may have more power now, too. */
void hs_kinds_give_room(struct hs_kinds *kinds, const struct hs_fit *fit, const bool *barred,
                        const struct hs_placement *placement);

/** Accepts NULL. */
void hs_kinds_free(struct hs_kinds *kinds);
HS_DEFINE_AUTO(hs_kinds);
