/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** fieldview - the fields of estate.json and of a job request, from the tables that parse them. */

#include "ctl/command.h"

/**
 * Print every field, or those called @name: "volume_l", "tank/volume_l", or all of "tank".
 *
 * @param name  borrowed, nullable
 * @return HS_EXIT_NOTFOUND, with the nearest name said, if there is no such field
 */
enum hs_exit hs_fieldview_print(const char *name);
