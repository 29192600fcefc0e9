/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * openmeteo - a forecast of Open-Meteo (api.open-meteo.com/v1/forecast, JSON) as an outlook.
 *
 * Reads hourly temperature_2m and, where given, shortwave_radiation and wind_speed_10m (or
 * windspeed_10m), units as hourly_units states them. Time is iso8601 of utc_offset_seconds, or
 * unixtime, which is UTC. The service does not say when it issued. Pure.
 * Source: open-meteo.com/en/docs.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/model/outlook.h"

/**
 * @param file         name for messages; borrowed
 * @param text         NUL-terminated; borrowed
 * @param issued_at_s  when it came out, as the transfer or the file says; INT64_MAX: at its first
 *                     hour
 * @return 0 or -HS_E_INVALID with where = file:line: no JSON, a unit that is not known, arrays of
 *         unlike lengths, no temperature, or what the service says is wrong
 */
int hs_openmeteo_parse(const char *file, const char *text, size_t n_bytes, int64_t issued_at_s,
                       struct hs_outlook *ret_outlook, struct hs_err *err);
