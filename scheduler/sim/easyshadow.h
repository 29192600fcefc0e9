/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * easyshadow - when the head of an EASY queue will have room by the estimates, and what it leaves.
 *
 * A job past its estimate counts as ending in one slot. Where a rack or a feeder cannot carry all
 * its hosts at full power, room also means their power, which ends on the neighbours give back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/sim/simqueue.h"

/** Room that the head will have, and what is left beside it then. */
struct hs_easyshadow {
    size_t host_idx; /* SIZE_MAX: no host will have room */
    double at_s;
    uint32_t spare_vcpus; /* of the host */
    double spare_rack_w;  /* of its rack; INFINITY where the limits cannot bind */
    double spare_site_w;  /* of its site */
};

/** No head waits: everything may start. */
extern const struct hs_easyshadow hs_easyshadow_none;

/** The shadow of a head of @vcpus that fits nowhere now. */
struct hs_easyshadow hs_easyshadow_find(const struct hs_simqueue *queue, uint32_t vcpus);

/** Whether @vcpus on @host_idx until @end_at_s leave the head its room. */
bool hs_easyshadow_check(const struct hs_easyshadow *shadow, const struct hs_estate *estate,
                         size_t host_idx, uint32_t vcpus, double end_at_s);

/** They start there: what they take is no longer spare. */
void hs_easyshadow_take(struct hs_easyshadow *shadow, const struct hs_estate *estate,
                        size_t host_idx, uint32_t vcpus, double end_at_s);
