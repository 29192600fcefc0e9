/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** simbars - the controllers of a report side by side as bars, as SVG. */

#include "scheduler/base/jsonx.h"

/**
 * Saving against asap in its heat and electricity parts, useful heat per demand and per IT
 * energy, late jobs; a row a controller. Absent is "-".
 *
 * @param report  of hsim (simtable.h)
 * @return owned by the caller (free)
 */
char *hs_simbars_format(const json_t *report);
