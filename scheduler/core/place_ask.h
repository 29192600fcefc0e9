/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * place_ask - what if: where one job would go, and for how much, were something else than it is.
 *
 * Between begin and end the job's own room and heat are taken out of the plan, so that every
 * answer is as if the job were placed last. end() puts everything back bit by bit: asking changes
 * no later decision. One question at a time; nothing may be placed meanwhile. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/core/place.h"

/** One job that is asked about; for who asks to read. */
struct hs_place_ask {
    struct hs_place *place;       /* borrowed */
    struct hs_place_job job;      /* as it is; questions may ask about a changed copy */
    struct hs_placement standing; /* host_idx SIZE_MAX: it has no place */
    double standing_cur;          /* what it costs as things stand now; NAN without a place */
    double *captured_wh;          /* owned, [n_slots] of the standing place's loop */
    bool *barred;                 /* owned, [n_hosts] as it was */
    bool is_in_plan;
    bool was_plan_stale;
};

/** What a host lacks for a job over some slots; all 0: nothing. */
struct hs_place_shortage {
    size_t host_idx;
    int32_t vcpus;
    int64_t memory_mib;
    int64_t rack_mw;
    int64_t site_mw;
    size_t first_slot; /* of those that lack something */
    size_t last_slot;
};

/**
 * Take @job, which is not fixed, out of the plan.
 *
 * @param standing    where it is placed, or would be
 * @param is_in_plan  false: nothing has been taken for it, it is only tried
 */
void hs_place_ask_begin(struct hs_place_ask *ask, struct hs_place *place,
                        const struct hs_place_job *job, const struct hs_placement *standing,
                        bool is_in_plan);

/** Put it back as it was. */
void hs_place_ask_end(struct hs_place_ask *ask);

/** Cost of @placement for the job as it is, by all that stands but itself, cur. */
double hs_place_ask_price(const struct hs_place_ask *ask, const struct hs_placement *placement);

/**
 * The cheapest place of @job, the same job with something changed.
 *
 * @return false if it has none that ends in time
 */
bool hs_place_ask_find(struct hs_place_ask *ask, const struct hs_place_job *job,
                       struct hs_placement *ret_placement);

/** The cheapest host to run through on from slot 0. @return false if none has room */
bool hs_place_ask_find_now(struct hs_place_ask *ask, struct hs_placement *ret_placement);

/**
 * The cheapest run-through in time if no other job took any room, on the host that lacks least
 * for it, and what that host lacks.
 *
 * @return false if no host could ever take it in time
 */
bool hs_place_ask_find_roomless(struct hs_place_ask *ask, struct hs_placement *ret_placement,
                                struct hs_place_shortage *ret_shortage);

/** From here on no answer names @host_idx. */
void hs_place_ask_bar_host(struct hs_place_ask *ask, size_t host_idx);

/** From here on no answer names a host of @loop_idx. */
void hs_place_ask_bar_loop(struct hs_place_ask *ask, size_t loop_idx);

/** All hosts that answer count again. */
void hs_place_ask_unbar(struct hs_place_ask *ask);

/** When the job as it is would end in @placement. */
double hs_place_ask_get_end_at_s(const struct hs_place_ask *ask,
                                 const struct hs_placement *placement);

/** Start of slot @t as the plan reckons: now for slot 0. */
double hs_place_ask_get_start_at_s(const struct hs_place_ask *ask, size_t t);

/** Its length: what of slot 0 lies ahead. */
double hs_place_ask_get_slot_s(const struct hs_place_ask *ask, size_t t);

/** What @host_idx lacks for @size in slots @first..@last as things stand. */
void hs_place_ask_find_shortage(const struct hs_place *place, size_t host_idx,
                                const struct hs_fit_size *size, size_t first, size_t last,
                                struct hs_place_shortage *ret_shortage);

/**
 * Would @job run through from slot 0 on some host if its own place were given back? Cheap: for
 * where hs_place_price_now(), which counts that place as taken, finds no host.
 */
bool hs_place_ask_check_now(struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *standing);

/** Room on hosts, racks and sites as planned. Borrowed. */
const struct hs_fit *hs_place_ask_get_fit(const struct hs_place *place);

/** A loop's course as planned. Borrowed. */
const struct hs_thermal *hs_place_ask_get_thermal(const struct hs_place *place, size_t loop_idx);
