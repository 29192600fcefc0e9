/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * repeat - the first answer to a request with an Idempotency-Key, for those who ask again.
 *
 * The newest HS_REPEAT_MAX are kept. Of a request that took in jobs their ids are written down in
 * the commit of the jobs themselves (table HS_REPEAT_TABLE), so that nobody who asks again after a
 * crash submits them twice. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_REPEAT_TABLE   "repeats"
#define HS_REPEAT_MAX     1024
#define HS_REPEAT_KEY_MAX 129 /* NUL included */

struct hs_repeat;

/** A stored answer; texts borrowed until the next call. */
struct hs_repeat_answer {
    int status;
    const char *text;  /* NULL: of an earlier life, to be made again from the ids */
    uint64_t first_id; /* jobs that the request took in, 0 if none */
    size_t n_ids;
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

/**
 * What has to be written down so that a request that was begun is known in the next life.
 *
 * @param ret_key  row of HS_REPEAT_TABLE, [24]
 * @return its text, owned by the caller (free); NULL if the request was pushed out meanwhile
 */
char *hs_repeat_format(struct hs_repeat *repeat, uid_t uid, const char *key, uint64_t first_id,
                       size_t n_ids, char *ret_key);

/** Take in a row of HS_REPEAT_TABLE. @return 0 or -HS_E_PROTOCOL */
int hs_repeat_restore(struct hs_repeat *repeat, const char *text, struct hs_err *err);

/** Digest of @n_bytes, to be chained from @seed (0 to start). FNV-1a, 64 bit. */
uint64_t hs_repeat_digest(uint64_t seed, const void *bytes, size_t n_bytes);

/** Accepts NULL. */
void hs_repeat_free(struct hs_repeat *repeat);
HS_DEFINE_AUTO(hs_repeat);
