/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weathersource_http - a forecast from a service: asked by libcurl, kept on disk, asked for
 * again only for what has changed.
 *
 * Only https, and http of this very machine; 2 MiB at most, unpacked; an answer that cannot be
 * read is not kept.
 */

#include "adapters/weather/weatherread.h"

/** Before any other thread asks. */
void hs_weathersource_http_init(void);

/** Blocking. */
void hs_weathersource_http_read(struct hs_weatherread *read);

/** Blocking. What the cache has, if anything; its not_before_at_s holds in any case. */
void hs_weathersource_http_recall(struct hs_weatherread *read);
