/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** catalogueview - what is assumed of coolings and buildings, with sources, from their tables. */

#include "ctl/command.h"

/**
 * Print the comparison of all cooling architectures, or everything about the one called @name.
 *
 * @param name  borrowed, nullable
 * @return HS_EXIT_NOTFOUND, with the nearest name said, if there is no such cooling
 */
enum hs_exit hs_catalogueview_print_cooling(const char *name);

/** The same for site templates. */
enum hs_exit hs_catalogueview_print_template(const char *name);
