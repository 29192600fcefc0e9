/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * settle - how actions ended that nobody saw the end of: those of an earlier life, and those whose
 * call gave no answer.
 *
 * Each open intent is finished or undone by what its hosts show (docs/operate.md, "After a
 * crash"); of a move both sides are looked at first (movetable.h). Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/core/cycle.h"
#include "scheduler/daemon/enact.h"
#include "scheduler/daemon/fleet.h"
#include "scheduler/daemon/inbox.h"
#include "scheduler/daemon/sighting.h"

/** All borrowed for the call. */
struct hs_settle {
    const struct hs_cycle *cycle;
    const struct hs_estate *estate;
    const struct hs_sighting *sighting;
    struct hs_enact *enact;
    struct hs_fleet *fleet;
    struct hs_inbox *inbox;
};

/**
 * May a listing of the host be believed when it does not show what @intent was to bring? A call
 * that a dead connection left behind can still land for a while.
 *
 * @param ret_wait_s  how long it may take, if it may not
 */
bool hs_settle_is_sure(const struct hs_settle *settle, size_t host_idx, double since_mono_s,
                       double *ret_wait_s);

/** A host was listed, and the ends of machines that are gone were collected. */
void hs_settle_apply(const struct hs_settle *settle, size_t host_idx);

/** Somebody says that the host is off, which the fleet knows: what was to be done there has failed.
 */
void hs_settle_apply_down(const struct hs_settle *settle, const char *path);
