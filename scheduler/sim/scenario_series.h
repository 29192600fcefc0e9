/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** scenario_series - heat, weather, price and carbon of a scenario, read and checked. */

#include <jansson.h>

#include "scheduler/base/conf.h"
#include "scheduler/sim/scenario.h"

/**
 * Read what `heat`, `weather`, `price` and `carbon` name.
 *
 * @param scenario  its estate and span are there; gets the series, and notes of what was odd
 * @param dir       folder that relative paths start from
 * @param report    gets the errors, at the entry that names the file
 */
void hs_scenario_series_read(struct hs_scenario *scenario, const json_t *root, const char *dir,
                             struct hs_conf_report *report);
