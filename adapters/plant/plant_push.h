/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_push - readings that somebody hands us: POST /v1/readings (docs/api.md).
 *
 * A reading is {"point", "value", "at"}; a value of null means that nothing is known. A point that
 * the estate's map reads from a device is refused: one point has one source.
 */

#include <jansson.h>

#include "adapters/plant/plant.h"

/** Owned by the caller. */
struct hs_plant *hs_plant_push_new(const struct hs_plant_options *options);

/**
 * Take in one reading, which is delivered before this returns.
 *
 * @param json   borrowed
 * @param plant  made by hs_plant_push_new(), started
 * @return 0; -HS_E_INVALID or -HS_E_NOTFOUND (no such point) saying what would be right;
 *         -HS_E_CONFLICT (it has another source)
 */
int hs_plant_push_take(struct hs_plant *plant, const json_t *json, struct hs_err *err);
