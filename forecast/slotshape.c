/* SPDX-License-Identifier: Apache-2.0 */
/* slotshape - shares by slot of the day, smoothed over about three weeks. */
#include "forecast/slotshape.h"

#include <math.h>

#include "scheduler/base/units.h"

#define S_PER_HOUR 3600
#define SHARE_STEP 0.05
#define SHARE_MOST 4.0

/** True if hours have slots whose shape can be learned. */
static int is_fine(int64_t slot_s)
{
    return slot_s < S_PER_HOUR && S_PER_HOUR % slot_s == 0
           && HS_S_PER_DAY / slot_s <= HS_SLOTSHAPE_MAX;
}

static size_t index_of(int64_t slot_s, int64_t slot_at_s)
{
    return (size_t)(slot_at_s % HS_S_PER_DAY / slot_s);
}

static void clear(struct hs_slotshape *shape)
{
    shape->n_open = 0.0;
    for (size_t i = 0; i < HS_SLOTSHAPE_PER_HOUR; i++) {
        shape->open_w[i] = (double)NAN;
    }
}

void hs_slotshape_init(struct hs_slotshape *shape)
{
    for (size_t i = 0; i < HS_SLOTSHAPE_MAX; i++) {
        shape->share[i] = 1.0;
    }
    clear(shape);
}

void hs_slotshape_observe(struct hs_slotshape *shape, int64_t slot_s, int64_t slot_at_s,
                          double heat_w)
{
    size_t i;

    if (!is_fine(slot_s) || isnan(heat_w)) {
        return;
    }
    i = (size_t)(slot_at_s % S_PER_HOUR / slot_s);
    shape->n_open += isnan(shape->open_w[i]) ? 1.0 : 0.0;
    shape->open_w[i] = heat_w;
}

void hs_slotshape_close(struct hs_slotshape *shape, int64_t slot_s, int64_t at_s, double heat_w)
{
    if (!is_fine(slot_s)) {
        return;
    }
    /* an hour with a gap has no shape, one without heat neither */
    if ((int64_t)shape->n_open == S_PER_HOUR / slot_s && heat_w > 0) {
        double *share = &shape->share[index_of(slot_s, at_s)];

        for (size_t i = 0; i < (size_t)(S_PER_HOUR / slot_s); i++) {
            double seen = fmin(shape->open_w[i] / heat_w, SHARE_MOST);

            share[i] += SHARE_STEP * (seen - share[i]);
        }
    }
    clear(shape);
}

double hs_slotshape_get(const struct hs_slotshape *shape, int64_t slot_s, int64_t slot_at_s)
{
    const double *share;
    double sum = 0.0;
    int64_t n = S_PER_HOUR / slot_s;

    if (!is_fine(slot_s)) {
        return 1.0;
    }
    share = &shape->share[index_of(slot_s, slot_at_s - slot_at_s % S_PER_HOUR)];
    for (int64_t i = 0; i < n; i++) {
        sum += share[i];
    }
    return sum > 0 ? (double)n * share[slot_at_s % S_PER_HOUR / slot_s] / sum : 1.0;
}

double hs_slotshape_get_over_w(const struct hs_slotshape *shape, int64_t slot_s, int64_t open_at_s,
                               double expected_w)
{
    double over_w = 0.0;

    if (!is_fine(slot_s) || shape->n_open == 0.0) {
        return 0.0;
    }
    for (int64_t i = 0; i < S_PER_HOUR / slot_s; i++) {
        if (!isnan(shape->open_w[i])) {
            over_w += shape->open_w[i]
                      - expected_w * hs_slotshape_get(shape, slot_s, open_at_s + i * slot_s);
        }
    }
    return over_w / shape->n_open;
}
