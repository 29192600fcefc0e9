/* SPDX-License-Identifier: Apache-2.0 */
/* outbound - see outbound.h. */
#include "scheduler/daemon/outbound.h"

#include <math.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

#define OFFER_STEP_W     10.0 /* an offer that differs by less, and by less than a hundredth, */
#define OFFER_STEP_RATIO 0.01 /* is the same one */

/** One point that may be told. */
struct told {
    struct hs_point point;
    double value; /* as told last; NAN: nothing yet */
    bool is_refused;
};

struct hs_outbound {
    const struct hs_cycle *cycle;
    const struct hs_estate *estate;
    struct hs_plantset *plants;
    struct told *items; /* [n] */
    size_t n;
};

struct hs_outbound *hs_outbound_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                                    struct hs_plantset *plants)
{
    static const enum hs_point_kind kinds[] = {HS_POINT_REJECTION_WANTED, HS_POINT_HEAT_OFFER_W};
    struct hs_outbound *outbound = hs_xcalloc(1, sizeof(*outbound));

    *outbound = (struct hs_outbound){.cycle = cycle, .estate = estate, .plants = plants};
    outbound->items = hs_xcalloc(2 * estate->n_loops, sizeof(*outbound->items));
    for (size_t l = 0; plants != NULL && estate->points != NULL && l < estate->n_loops; l++) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            const struct hs_point point = {.kind = kinds[i], .thing_idx = l};

            if (hs_pointmap_find(estate->points, &point, true) != NULL) {
                outbound->items[outbound->n++] = (struct told){.point = point, .value = NAN};
            }
        }
    }
    return outbound;
}

static double find_value(const struct hs_outbound *outbound, const struct hs_point *point,
                         int64_t now_at_s)
{
    struct hs_cycle_loop_status status;
    double offer_w;

    if (point->kind == HS_POINT_REJECTION_WANTED) {
        hs_cycle_get_loop_status(outbound->cycle, point->thing_idx, &status);
        return status.wants_rejection ? 1.0 : 0.0;
    }
    hs_cycle_get_offer(outbound->cycle, point->thing_idx, now_at_s, 1, &offer_w);
    return round(offer_w);
}

static bool is_new(const struct told *told, double value)
{
    double step = told->point.kind == HS_POINT_HEAT_OFFER_W
                      ? fmax(OFFER_STEP_W, OFFER_STEP_RATIO * fabs(told->value))
                      : 0.0;
    bool is_stop = value <= 0.0 && told->value > 0.0; /* nothing is never nearly something */

    return !isnan(value) && (isnan(told->value) || fabs(value - told->value) > step || is_stop);
}

void hs_outbound_tell(struct hs_outbound *outbound, int64_t now_at_s)
{
    for (size_t i = 0; i < outbound->n; i++) {
        struct told *told = &outbound->items[i];
        double value = find_value(outbound, &told->point, now_at_s);
        char path[HS_POINT_MAX];
        struct hs_err err;

        if (!is_new(told, value)) {
            continue;
        }
        if (hs_plantset_write(outbound->plants, &told->point, value, &err) == 0) {
            told->value = value;
            told->is_refused = false;
        } else if (!told->is_refused) {
            told->is_refused = true; /* said once; tried again all the same */
            hs_reading_format_point(outbound->estate, &told->point, path);
            HS_LOG_WARN("plant", "'%s' cannot be told %g: %s", path, value, err.text);
        }
    }
}

void hs_outbound_free(struct hs_outbound *outbound)
{
    if (outbound != NULL) {
        free(outbound->items);
        free(outbound);
    }
}
