/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * modelview - what the forecast of a building has learned, in units that can be checked against
 * the building: heat loss, heat held, base load, each with its standard error.
 */

#include <jansson.h>

#include "ctl/table.h"

/** The columns of hs_modelview_list(). */
extern const struct hs_table hs_modelview_table;

/** What was learned: [{sink, figure, value, sd, unit}]. Owned by the caller. */
json_t *hs_modelview_list(const json_t *answer, const json_t *sinks);

/** For each of @sinks, who speaks with which weight, and what was learned of the building. */
void hs_modelview_print(const json_t *answer, const json_t *sinks);
