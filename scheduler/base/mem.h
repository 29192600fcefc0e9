/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * mem - allocation that never returns NULL.
 *
 * Memory exhaustion ends the process with a line in the log: the state is in the store and the
 * service manager restarts us (promises.md, 15). Everything returned is owned by the caller and
 * released with free().
 */

#include <stdlib.h>
#include <string.h>

/** Say that memory has run out, and end at once: status 1, no core. */
__attribute__((noreturn, cold)) void hs_mem_exhausted(void);

/** malloc() and realloc() that never return NULL, for libraries that take functions. */
void *hs_mem_alloc(size_t n_bytes);
void *hs_mem_grow(void *old, size_t n_bytes);

static inline void *hs_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL) {
        hs_mem_exhausted();
    }
    return p;
}

static inline void *hs_xrealloc(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL) {
        hs_mem_exhausted();
    }
    return p;
}

/** NULL stays NULL. */
static inline char *hs_xstrdup(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL) {
        hs_mem_exhausted();
    }
    return copy;
}
