/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simroom - may a host take more work now: its free vCPUs, its rack's limit, its site's limit.
 *
 * The one place where rivals ask, so that no rack's limit_w and no feeder (electricity.limit_w)
 * is exceeded. Limits hold for the electricity of the hosts, as in the daemon's guard. (Heat
 * does not ask here: its plan and its guard have checks of their own.)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/sim/simrun.h"

/** Rounding of sums of watts. */
#define HS_SIMROOM_SLACK_W 1e-3

/** Electricity of a site's hosts now, W. */
double hs_simroom_get_site_w(const struct hs_simrun *run, size_t site_idx);

/** Whether @host_idx may take @vcpus more now. */
bool hs_simroom_check(const struct hs_simrun *run, size_t host_idx, uint32_t vcpus);

/** Most free vCPUs of any host now, power aside: what asks for more need not look. */
uint32_t hs_simroom_get_most_free(const struct hs_simrun *run);

/** Whether the limits of a host's rack and site can bind: all at full power would exceed one. */
bool hs_simroom_is_limited(const struct hs_estate *estate, size_t host_idx);
