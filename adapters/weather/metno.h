/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * metno - a forecast of MET Norway (api.met.no/weatherapi/locationforecast/2.0, compact or
 * complete, JSON) as an outlook.
 *
 * Reads air_temperature and wind_speed of each step's instant: steps are hourly for about two
 * days, six-hourly after. There is no radiation. It came out at properties.meta.updated_at. Pure.
 * Source: developer.yr.no/doc/ForecastJSON.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/model/outlook.h"

/**
 * @param file           name for messages; borrowed
 * @param text           NUL-terminated; borrowed
 * @param received_at_s  it cannot have come out later than this, whatever its clock says
 * @return 0 or -HS_E_INVALID with where = file:line: no JSON, a unit that is not known, steps out
 *         of order, no temperature
 */
int hs_metno_parse(const char *file, const char *text, size_t n_bytes, int64_t received_at_s,
                   struct hs_outlook *ret_outlook, struct hs_err *err);
