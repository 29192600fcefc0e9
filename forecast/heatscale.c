/* SPDX-License-Identifier: Apache-2.0 */
/* heatscale - a mean that settles in three days, and a look at frozen values. */
#include "forecast/heatscale.h"

#define LEAST_HOURS  24
#define MOST_HOURS   72
#define FROZEN_HOURS 72   /* longer than a weekend */
#define LEAST_W      1e-6 /* a meter that has said nothing but zero */

bool hs_heatscale_is_known(const struct hs_heatscale *scale)
{
    return scale->n_hours >= LEAST_HOURS;
}

double hs_heatscale_take(struct hs_heatscale *scale, const struct hs_heathistory *history)
{
    double heat_w = hs_heathistory_get_heat_w(history, history->newest_no);

    if (isnan(heat_w)) {
        return heat_w;
    }
    scale->n_frozen = heat_w == scale->newest_w ? scale->n_frozen + 1.0 : 0.0;
    scale->newest_w = heat_w;
    if (scale->n_hours < MOST_HOURS) {
        scale->n_hours += 1.0;
        scale->mean_w += (heat_w - scale->mean_w) / scale->n_hours;
        scale->mean_w = fmax(scale->mean_w, LEAST_W);
    }
    return heat_w / scale->mean_w;
}

bool hs_heatscale_is_frozen(const struct hs_heatscale *scale)
{
    return scale->n_frozen >= FROZEN_HOURS;
}
