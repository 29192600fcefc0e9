/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weathercache - a service's last answer on disk, so that a restart neither forgets it nor asks
 * for it again.
 *
 * Two files: the answer as it came (NAME.json, which can be read as a source's `path`, too) and
 * what goes with it (NAME.meta.json). Each is replaced whole or not at all; a sum in the latter
 * says whether they belong together. Blocking.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/err.h"

#define HS_WEATHERCACHE_TEXT_MAX 128

struct hs_weathercache {
    char dir[512];       /* "": nothing is kept */
    char name[160];      /* of the files: no '/' */
    char url[1024];      /* an answer to another question is none */
    int64_t issued_at_s; /* of the answer */
    int64_t received_at_s;
    int64_t not_before_at_s; /* wall time at which the service may be asked again */
    char last_modified[HS_WEATHERCACHE_TEXT_MAX]; /* as the service wrote them, "" if it did not */
    char etag[HS_WEATHERCACHE_TEXT_MAX];
    uint32_t sum; /* of the answer; 0: there is none */
};

/**
 * Find what was kept for dir, name and url of @cache, which are given; the rest is set.
 *
 * @param ret_text  the answer, owned by the caller (free); NULL if there is none that fits
 * @return whether anything was found
 */
bool hs_weathercache_read(struct hs_weathercache *cache, char **ret_text);

/** Replace the answer; hs_weathercache_write() has to follow. Sets sum. @return 0, -HS_E_SYSTEM */
int hs_weathercache_write_text(struct hs_weathercache *cache, const char *text, size_t n_bytes,
                               struct hs_err *err);

/** Replace what goes with the answer. @return 0 or -HS_E_SYSTEM */
int hs_weathercache_write(const struct hs_weathercache *cache, struct hs_err *err);
