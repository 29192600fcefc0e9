/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * zonefile - time zones by name from the system's data (Debian's package tzdata).
 *
 * Looks in the folder that TZDIR names, else in /usr/share/zoneinfo. "UTC" needs no file.
 * Blocking; asked once at start.
 */

#include <stddef.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/err.h"
#include "scheduler/base/timezone.h"
#include "scheduler/model/estate.h"

/**
 * @param name          such as "Europe/Berlin"; never leaves the folder
 * @param ret_timezone  owned by the caller; NULL for "UTC"
 * @return 0, -HS_E_INVALID (no such zone, with the nearest known; damaged data), -HS_E_NOTFOUND
 *         (no time zone data at all) or -HS_E_SYSTEM
 */
int hs_zonefile_load(const char *name, struct hs_timezone **ret_timezone, struct hs_err *err);

/**
 * The zones of all sites; what fails is added to @report and is NULL.
 *
 * @param pointer  JSON pointer of the estate, "" if it is the file; borrowed
 * @return [n_sites], owned by the caller: hs_zonefile_free_all()
 */
struct hs_timezone **hs_zonefile_load_all(const struct hs_estate *estate, const char *pointer,
                                          struct hs_conf_report *report);

/** Accepts NULL. */
void hs_zonefile_free_all(struct hs_timezone **timezones, size_t n_sites);
