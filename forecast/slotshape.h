/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * slotshape - how heat is spread within the hours of the day, for meters and plans finer than an
 * hour, and what the first slots of an open hour say of the next ones. Plain value.
 */

#include <stddef.h>
#include <stdint.h>

#define HS_SLOTSHAPE_MAX      288 /* slots of a day: down to five minutes */
#define HS_SLOTSHAPE_PER_HOUR 12

struct hs_slotshape {
    double share[HS_SLOTSHAPE_MAX];       /* of a slot in its hour's mean, about 1 */
    double open_w[HS_SLOTSHAPE_PER_HOUR]; /* slots of the open hour; NAN: not metered */
    double n_open;                        /* how many of them are known */
};

void hs_slotshape_init(struct hs_slotshape *shape);

/** A slot of the open hour was metered. @param heat_w  NAN: unknown */
void hs_slotshape_observe(struct hs_slotshape *shape, int64_t slot_s, int64_t slot_at_s,
                          double heat_w);

/** The hour that begins at @at_s is over, with mean @heat_w (NAN: unknown). */
void hs_slotshape_close(struct hs_slotshape *shape, int64_t slot_s, int64_t at_s, double heat_w);

/** Share of the slot at @slot_at_s in the mean of its hour; 1 where slots are not finer. */
double hs_slotshape_get(const struct hs_slotshape *shape, int64_t slot_s, int64_t slot_at_s);

/**
 * How far the known slots of the open hour lie over what was expected of them.
 *
 * @param open_at_s   start of the open hour
 * @param expected_w  mean that was expected of it
 * @return W; 0 with no slot known
 */
double hs_slotshape_get_over_w(const struct hs_slotshape *shape, int64_t slot_s, int64_t open_at_s,
                               double expected_w);
