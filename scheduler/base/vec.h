/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * vec - a growable array as three plain fields: HS_VEC(struct hs_job) jobs = {0}.
 *
 * Items are contiguous in .items, .n of them; pointers into it die at the next push.
 */

#include <stddef.h>

#include "scheduler/base/mem.h"

#define HS_VEC(type)  \
    struct {          \
        type *items;  \
        size_t n;     \
        size_t n_max; \
    }

/** Append @item (copied) and hand back its address. */
#define HS_VEC_PUSH(vec, item)                                                             \
    ({                                                                                     \
        if ((vec)->n == (vec)->n_max) {                                                    \
            (vec)->n_max = (vec)->n_max > 0 ? (vec)->n_max * 2 : 8;                        \
            (vec)->items = hs_xrealloc((vec)->items, (vec)->n_max, sizeof(*(vec)->items)); \
        }                                                                                  \
        (vec)->items[(vec)->n++] = (item);                                                 \
        &(vec)->items[(vec)->n - 1];                                                       \
    })

/** Remove item @i by moving the last one into its place. */
#define HS_VEC_SWAP_REMOVE(vec, i) ((vec)->items[(i)] = (vec)->items[--(vec)->n])

/** Release the items (not what they own) and leave an empty vec. */
#define HS_VEC_FINI(vec)     \
    do {                     \
        free((vec)->items);  \
        (vec)->items = NULL; \
        (vec)->n = 0;        \
        (vec)->n_max = 0;    \
    } while (0)
