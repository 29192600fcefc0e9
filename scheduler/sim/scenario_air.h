/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * scenario_air - the weather of a site in a run: as measured, and as a service had foreseen it.
 *
 * From the site's `weather` entry; without one, from the file of the first of its sinks that has
 * a column t_out_c. Irradiance and wind are the columns ghi_w_m2 and wind_m_s of the same file,
 * where it has them.
 */

#include <stdint.h>

#include "adapters/signal/signal.h"
#include "adapters/weather/issuedcsv.h"
#include "scheduler/base/err.h"
#include "scheduler/model/series.h"

/** Each owned, and NULL where there is none. */
struct hs_scenario_air {
    struct hs_series *t_out_c;
    struct hs_series *ghi_w_per_m2;
    struct hs_series *wind_m_per_s;
    struct hs_issuedcsv *issued;
    int64_t issued_shift_s; /* added to all stamps of @issued */
};

/**
 * Take what the file of @spec has beside its column: irradiance and wind.
 *
 * @param options  as of hs_signal_load_with(); quantity is not used
 * @return 0, or what hs_signal_load_with() says of a column that is there
 */
int hs_scenario_air_read(struct hs_scenario_air *air, const struct hs_signal_spec *spec,
                         const struct hs_signal_options *options, struct hs_err *err);

/** The same, and the temperature in its column t_out_c; nothing is taken if it has none. */
int hs_scenario_air_read_beside_heat(struct hs_scenario_air *air, const struct hs_signal_spec *spec,
                                     const struct hs_signal_options *options, struct hs_err *err);

/** The newest forecast at @now_at_s, its stamps shifted. @return false if there is none */
bool hs_scenario_air_find_outlook(const struct hs_scenario_air *air, int64_t now_at_s,
                                  struct hs_outlook *ret_outlook);

/** Release what it holds. */
void hs_scenario_air_fini(struct hs_scenario_air *air);
