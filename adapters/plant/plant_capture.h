/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_capture - how much of a rack's heat its cooling hands to the loop.
 *
 * Cooling follows falling heat at once and rising heat no faster than its ramp; what it misses goes
 * to the room's own cooling and never reaches the loop. Pure.
 */

#include "scheduler/model/rack.h"

/**
 * Let @span_s pass in which the rack's capturable heat is @heat_wh, evenly.
 *
 * @param io_captured_w  what the cooling hands over at the start, and then at the end
 * @return heat handed to the loop, Wh; @heat_wh where the rack has no ramp
 */
double hs_plant_capture_apply(const struct hs_rack *rack, double heat_wh, double span_s,
                              double *io_captured_w);
