/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * advice - what is allowed in an estate and yet unlikely to work in the building.
 *
 * Looks at a whole estate after it was read; never refuses anything. Pure.
 */

#include "scheduler/model/estate.h"

/**
 * Everything to tell the owner, one line each with @prefix before it: a cooling that cannot reach
 * its loop's supply_c, a sink warmer than its loop without a lift or with one that does nothing,
 * old radiators without a heat pump, rejection below what the racks can hand over.
 *
 * @return "" if there is nothing; owned by the caller (free)
 */
char *hs_advice_format(const struct hs_estate *estate, const char *prefix);
