/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * repeat - the first answer to a request with an Idempotency-Key, for those who ask again.
 *
 * Kept for the life of the process, the newest HS_REPEAT_MAX of them. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_REPEAT_MAX     1024
#define HS_REPEAT_KEY_MAX 129 /* NUL included */

struct hs_repeat;

/** A stored answer; texts borrowed until the next call. */
struct hs_repeat_answer {
    int status;
    const char *text;
};

/** Owned by the caller. */
struct hs_repeat *hs_repeat_new(void);

/**
 * Begin a request, or find what was answered before.
 *
 * @param digest      of everything that makes the request what it is
 * @param ret_answer  status 0: not seen before, answer it and call hs_repeat_set()
 * @return 0, or -HS_E_CONFLICT (the first one is under way, or was another request)
 */
int hs_repeat_begin(struct hs_repeat *repeat, uid_t uid, const char *key, uint64_t digest,
                    struct hs_repeat_answer *ret_answer, struct hs_err *err);

/** Keep the answer of a request that was begun; a status over 299 forgets the key instead. */
void hs_repeat_set(struct hs_repeat *repeat, uid_t uid, const char *key, int status,
                   const char *text);

/** Digest of @n_bytes, to be chained from @seed (0 to start). FNV-1a, 64 bit. */
uint64_t hs_repeat_digest(uint64_t seed, const void *bytes, size_t n_bytes);

/** Accepts NULL. */
void hs_repeat_free(struct hs_repeat *repeat);
HS_DEFINE_AUTO(hs_repeat);
