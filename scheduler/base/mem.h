/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * mem - allocation that never returns NULL.
 *
 * Memory exhaustion aborts: the state is in the store and the service manager restarts us
 * (style.md, 4f). Everything returned is owned by the caller and released with free().
 */

#include <stdlib.h>
#include <string.h>

static inline void *hs_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL) {
        abort();
    }
    return p;
}

static inline void *hs_xrealloc(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL) {
        abort();
    }
    return p;
}

/** NULL stays NULL. */
static inline char *hs_xstrdup(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL) {
        abort();
    }
    return copy;
}
