/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simplant - the plant's part of a slot of a run: capture, balance, backup, the account of it.
 *
 * Works on a run (simrun.h) with adapters/plant's physics; decides nothing.
 */

#include "scheduler/sim/simrun.h"

/** Tanks half full, cooling settled at the racks' present power. */
void hs_simplant_open(struct hs_simrun *run);

/** Close the open slot of a loop. @return electricity of rejection and heat pumps, Wh */
double hs_simplant_close_loop(struct hs_simrun *run, size_t loop_idx);
