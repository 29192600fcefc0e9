/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * forecastview - a Forecast of docs/api.md as somebody who runs a building reads it: drawings on
 * one scale, hours in kW, how right it was, and what was learned of the building.
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "ctl/table.h"

/** The columns of `hsched forecast`; rows have the fields of `points`. */
extern const struct hs_table hs_forecastview_table;

/** Say on stderr who forecasts, and on which weather. */
void hs_forecastview_say_how(const json_t *sinks);

/** Drawings of @points, at most 48 bars each: p90, p50, p10 on one scale, weather, heat price. */
void hs_forecastview_print_bars(const json_t *answer, const json_t *points);

/** A row an hour, or a row a slot. */
void hs_forecastview_print_rows(const json_t *answer, const json_t *points, bool is_wide,
                                bool has_slots);

/** For each of @sinks, how right its forecast was over the last 14 days, in words. */
void hs_forecastview_print_accuracy(const json_t *sinks);

/** "a weather forecast issued 2 h ago", from the `how` of @sink. Owned by the caller (free). */
char *hs_forecastview_format_weather(const json_t *sink);
