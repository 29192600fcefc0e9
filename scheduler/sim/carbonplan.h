/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * carbonplan - room of hosts, racks and feeders slot by slot, and the cheapest window in it.
 *
 * A reservation takes every slot that it touches, whole. Cost is the true mean carbon of the
 * site's electricity over the very stretch, by shares of slots. Room beyond the run's end is
 * reckoned with for two days, at the last slot's carbon.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/sim/simrun.h"

struct hs_carbonplan;

/** A stretch on a host. */
struct hs_carbonplan_window {
    size_t host_idx; /* SIZE_MAX: none */
    double at_s;
    double end_at_s;
};

/** Everything free but pinned work. @param run kept. Owned by the caller */
struct hs_carbonplan *hs_carbonplan_new(const struct hs_simrun *run);

/**
 * Window of least carbon for @vcpus and @span_s that begins at @from_at_s or at the end of a
 * slot after it and ends by @by_at_s; the earliest on ties, then the host with most free vCPUs
 * in the first slot. Hosts on which nothing may start now are left out.
 */
struct hs_carbonplan_window hs_carbonplan_find_cheapest(const struct hs_carbonplan *plan,
                                                        uint32_t vcpus, double span_s,
                                                        double from_at_s, double by_at_s);

/** The same, but the first window there is, whatever its carbon, however late. */
struct hs_carbonplan_window hs_carbonplan_find_first(const struct hs_carbonplan *plan,
                                                     uint32_t vcpus, double span_s,
                                                     double from_at_s);

/** Take @vcpus and their power out of every slot that @window touches. */
void hs_carbonplan_reserve(struct hs_carbonplan *plan, const struct hs_carbonplan_window *window,
                           uint32_t vcpus);

/** Give a reservation back. */
void hs_carbonplan_release(struct hs_carbonplan *plan, const struct hs_carbonplan_window *window,
                           uint32_t vcpus);

/** Accepts NULL. */
void hs_carbonplan_free(struct hs_carbonplan *plan);
HS_DEFINE_AUTO(hs_carbonplan);
