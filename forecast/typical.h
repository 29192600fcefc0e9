/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * typical - the size that an error usually has, so that wild ones can be told. Plain value; all
 * zero is nothing known.
 */

#include <math.h>

#define HS_TYPICAL_SHARE 0.01 /* of a new error, once a hundred are known */
#define HS_TYPICAL_CLIP  5.0  /* a wild error counts as so many typical ones */
#define HS_TYPICAL_FIRST 24.0 /* errors before which none is called wild */

struct hs_typical {
    double size;
    double n;
};

/**
 * An error of exactly 0 is a sink that is off: it says nothing of how large errors are when it is
 * on, and after a summer of them all would be wild.
 *
 * @param error  not NAN
 */
static inline void hs_typical_add(struct hs_typical *typical, double error)
{
    double size = fabs(error);

    if (size == 0.0) {
        return;
    }
    typical->n += 1.0;
    if (typical->n > HS_TYPICAL_FIRST) {
        size = fmin(size, HS_TYPICAL_CLIP * typical->size);
    }
    typical->size += fmax(HS_TYPICAL_SHARE, 1.0 / typical->n) * (size - typical->size);
}

/** Weight in (0, 1] of an observation with @error: less beyond @bend typical ones (Huber 1964). */
static inline double hs_typical_weigh(const struct hs_typical *typical, double bend, double error)
{
    if (typical->n <= HS_TYPICAL_FIRST) {
        return 1.0;
    }
    return fmin(1.0, bend * typical->size / fmax(fabs(error), 1e-9));
}

/** @value within @bend typical sizes of @centre. */
static inline double hs_typical_cut(const struct hs_typical *typical, double bend, double centre,
                                    double value)
{
    double most = typical->n <= HS_TYPICAL_FIRST ? INFINITY : bend * typical->size;

    return fmax(centre - most, fmin(centre + most, value));
}
