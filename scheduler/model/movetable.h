/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * movetable - what to make of a move that was cut short: both sides are looked at, never assumed.
 *
 * A peer-to-peer move completes even if its controller dies. The machine arrives paused, so that
 * it never runs twice: who runs is decided here, with both sides seen. Pure.
 */

#include "scheduler/model/machine.h"

/** What is known of one side. */
enum hs_move_side {
    HS_MOVE_SILENT, /* its host does not answer, or was not listed since */
    HS_MOVE_NONE,   /* no machine of the job, or one that is off */
    HS_MOVE_PAUSED,
    HS_MOVE_RUNNING,
    HS_MOVE_UNCLEAR, /* its host cannot tell: as a rule the move is still on its way */
};

enum hs_move_verdict {
    HS_MOVE_WAIT,    /* UNKNOWN: nothing is done until more is seen */
    HS_MOVE_STAYS,   /* failed; it is where it was */
    HS_MOVE_ARRIVED, /* done */
    HS_MOVE_RESUME,  /* at the destination, then look again */
    HS_MOVE_CLEAR,   /* destroy the destination's copy, then look again; only if the source was
                      * looked at after the destination: the move may have ended in between */
    HS_MOVE_ALARM,   /* it runs on both: keep the source's, people must look */
    HS_MOVE_LOST,    /* on neither */
};

/** @param is_to_run  it ran before the move */
enum hs_move_verdict hs_movetable_find(enum hs_move_side source, enum hs_move_side destination,
                                       bool is_to_run);

/** A side as its host's listing shows it. @param machine  NULL: none there */
enum hs_move_side hs_movetable_get_side(const struct hs_machine *machine);
