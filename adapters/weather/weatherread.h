/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weatherread - one read of a source, on a worker: what it needs, what it found. Touches nothing
 * of the source, which may be gone by then.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/weather/issuedcsv.h"
#include "adapters/weather/weathercache.h"
#include "adapters/weather/weathersource.h"
#include "scheduler/base/err.h"
#include "scheduler/model/outlook.h"

/** How a file looked; any change means that it is read again. */
struct hs_weatherread_mark {
    int64_t changed_ns;
    int64_t n_bytes;
    uint64_t inode;
};

struct hs_weatherread {
    /* needs */
    const struct hs_weathersource_kind *kind;
    char *path;    /* owned; NULL: cache.url is asked */
    char *contact; /* owned */
    double timeout_s;
    int64_t wall_at_s;
    bool is_recall; /* look into the cache before the service is asked for the first time */

    /* kept from one read to the next */
    struct hs_weatherread_mark mark;
    struct hs_weathercache cache;
    unsigned n_failures; /* in a row */
    bool is_deprecated;  /* status 203, of the newest answer: the service is to end */
    uint64_t chance;

    /* found */
    int rc;
    struct hs_err err;
    bool has_outlook; /* a newer one */
    struct hs_outlook outlook;
    struct hs_issuedcsv *issued; /* owned; a file of many issues, newer */
    double wait_s;               /* real, until the service is asked again */
    double fresh_s;              /* of a service's good answer */
    double retry_after_s;        /* of a bad one; 0: not said */
    bool is_refusal;             /* the service will not take the request as it is */
    int cache_rc;                /* a good answer that could not be kept; err says why */
};
