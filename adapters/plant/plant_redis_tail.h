/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** plant_redis_tail - the newest entries of a readings stream, to be looked at. */

#include <jansson.h>

#include "adapters/redis/redis_access.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct hs_plant_redis_tail;

/**
 * The end of it, exactly once.
 *
 * @param entries  oldest first: [{"id", and each field of the entry as text}]; NULL where @err is
 * set
 */
typedef void hs_plant_redis_tail_fn(void *arg, const json_t *entries, const struct hs_err *err);

/**
 * Read the last @count entries of `hs:{cell}:readings`.
 *
 * @param ret_tail  owned by the caller; may be freed in @fn
 * @return 0 or -HS_E_INVALID for a malformed url
 */
int hs_plant_redis_tail_new(struct hs_executor *executor, const struct hs_redis_access *access,
                            const char *cell, int count, hs_plant_redis_tail_fn *fn, void *arg,
                            struct hs_plant_redis_tail **ret_tail, struct hs_err *err);

/** Accepts NULL. */
void hs_plant_redis_tail_free(struct hs_plant_redis_tail *tail);
HS_DEFINE_AUTO(hs_plant_redis_tail);
