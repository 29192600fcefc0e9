/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * fit - what is still free on every host, rack and site in every slot of the horizon.
 *
 * Counts vCPUs (never shared), memory (held from a job's held_slot to its last, suspended or
 * not, unless hs_fit_set_frees_memory() says otherwise), power of racks, sites and capped loops in
 * integer mW, so that sums do not drift. Pure; knows nothing of heat or money.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/plan.h"

struct hs_fit;

/** What a job takes from a host. */
struct hs_fit_size {
    int32_t vcpus;
    int64_t memory_mib;
};

/** Everything free but the hosts' pinned_vcpus and idle power. Owned by the caller. */
struct hs_fit *hs_fit_new(const struct hs_estate *estate, size_t n_slots);

/** Back to the state after new. */
void hs_fit_clear(struct hs_fit *fit);

/** Suspended work, saved to disk, frees its memory, or holds it (at first). Outlives a clear. */
void hs_fit_set_frees_memory(struct hs_fit *fit, bool frees_memory);

/** What hs_fit_set_frees_memory() said. */
bool hs_fit_get_frees_memory(const struct hs_fit *fit);

/** What a cap on electricity holds for. */
enum hs_fit_scope { HS_FIT_SITE, HS_FIT_LOOP, HS_FIT_RACK };

/**
 * Lower the limit on IT electricity of site, loop or rack @idx in slots @first..@last. Holds until
 * the next clear; give each slot once, its lowest cap.
 */
void hs_fit_cap(struct hs_fit *fit, enum hs_fit_scope scope, size_t idx, double elec_w,
                size_t first, size_t last);

/** Nothing is to run on @host_idx in @first..@last; unlike what is taken, it draws nothing. */
void hs_fit_close(struct hs_fit *fit, size_t host_idx, size_t first, size_t last);

/** Is @host_idx closed in @slot? */
bool hs_fit_is_closed(const struct hs_fit *fit, size_t host_idx, size_t slot);

/** Power that @vcpus busy vCPUs add to @host_idx, mW. */
int64_t hs_fit_elec_mw(const struct hs_fit *fit, size_t host_idx, int32_t vcpus);

/**
 * In which slots may a job of @size run on @host_idx?
 *
 * @param with_memory  false leaves memory out: a suspended job holds it anyhow
 * @param ret_fits     [n_slots] set from @first on
 */
void hs_fit_fill(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                 size_t first, bool with_memory, bool *ret_fits);

/** Is there memory for it on @host_idx in all of @first..@last? */
bool hs_fit_check_memory(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                         size_t first, size_t last);

/** May a job of @size run on @host_idx in all of @first..@last, memory included? */
bool hs_fit_check_span(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                       size_t first, size_t last);

/**
 * May a job of @size run on @host_idx in each of @slots, and is there memory from @held to the
 * last?
 *
 * @param slots  [n_slots] ascending, at least one
 */
bool hs_fit_check_slots(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size,
                        size_t held, const uint8_t *slots, size_t n_slots);

/**
 * How many vCPUs more the rack, loop and site of @host_idx have power for.
 *
 * @param ret_vcpus  [n_slots] set from @first to @last; INT32_MAX where nothing is scarce
 */
void hs_fit_fill_fed(const struct hs_fit *fit, size_t host_idx, size_t first, size_t last,
                     int32_t *ret_vcpus);

/** Free vCPUs of @host_idx by slot. Borrowed. */
const int32_t *hs_fit_get_row(const struct hs_fit *fit, size_t host_idx);

/** Could a job of @size ever run on an otherwise idle @host_idx? */
bool hs_fit_check_ever(const struct hs_fit *fit, size_t host_idx, const struct hs_fit_size *size);

/** Take @size in every slot of @placement (memory from first to last). May go below zero. */
void hs_fit_take(struct hs_fit *fit, const struct hs_placement *placement,
                 const struct hs_fit_size *size);

/** Give back what hs_fit_take() took. */
void hs_fit_give(struct hs_fit *fit, const struct hs_placement *placement,
                 const struct hs_fit_size *size);

/** Free vCPUs of @host_idx in @slot; negative if overtaken. */
int32_t hs_fit_get_vcpus(const struct hs_fit *fit, size_t host_idx, size_t slot);

/** Power left under the rack's limit in @slot, mW; negative if it is overtaken. */
int64_t hs_fit_get_rack_mw(const struct hs_fit *fit, size_t rack_idx, size_t slot);

/** The same of the site's limit. */
int64_t hs_fit_get_site_mw(const struct hs_fit *fit, size_t site_idx, size_t slot);

/** Free memory of @host_idx in @slot, MiB; negative if overtaken. */
int64_t hs_fit_get_memory_mib(const struct hs_fit *fit, size_t host_idx, size_t slot);

/** Accepts NULL. */
void hs_fit_free(struct hs_fit *fit);
HS_DEFINE_AUTO(hs_fit);
