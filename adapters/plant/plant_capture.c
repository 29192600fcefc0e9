/* SPDX-License-Identifier: Apache-2.0 */
/* plant_capture - a ramp up to the heat that comes, then all of it. */
#include "adapters/plant/plant_capture.h"

#include <math.h>

#include "scheduler/base/units.h"

#define CAPTURE_S_PER_MIN 60.0

double hs_plant_capture_apply(const struct hs_rack *rack, double heat_wh, double span_s,
                              double *io_captured_w)
{
    double heat_w = hs_w_from_wh(heat_wh, span_s);
    double rise_w = heat_w - *io_captured_w;
    double w_per_s = rack->ramp_w_per_min / CAPTURE_S_PER_MIN;
    double rise_s;

    if (!hs_rack_has_ramp(rack) || !(rise_w > 0)) {
        *io_captured_w = heat_w;
        return heat_wh;
    }
    rise_s = fmin(rise_w / w_per_s, span_s);
    *io_captured_w = rise_s < span_s ? heat_w : *io_captured_w + w_per_s * span_s;
    /* missed: the triangle, or trapezium, above the ramp */
    return heat_wh - hs_wh_from_w(rise_w * rise_s - w_per_s * rise_s * rise_s / 2, 1);
}
