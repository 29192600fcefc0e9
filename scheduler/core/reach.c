/* SPDX-License-Identifier: Apache-2.0 */
/* reach - see reach.h. */
#include "scheduler/core/reach.h"

#include <math.h>

#include "scheduler/base/units.h"

#define LEAST_WH 1e-6 /* less than this is rounding */

/* [W/K] x [K] -> [W] */
static double get_loss_w(const struct hs_tank *tank, double tank_wh)
{
    double mean_c = tank->min_c + tank_wh / (tank->volume_l * HS_WATER_WH_PER_L_K);

    return fmax(0.0, tank->loss_w_per_k * (mean_c - tank->ambient_c));
}

double hs_reach_get_ride_s(const struct hs_tank *tank, double tank_wh, double first_s,
                           double slot_s, const double *demand_heat_w, size_t n)
{
    double left_wh = tank->present ? tank_wh : 0.0;
    double ride_s = 0.0;

    for (size_t t = 0; t < n; t++) {
        double span_s = t == 0 ? first_s : slot_s;
        double demand_w = demand_heat_w[t];
        double gone_w = demand_w + (tank->present ? get_loss_w(tank, left_wh) : 0.0);
        double gone_wh = hs_wh_from_w(gone_w, span_s);

        if (demand_w > 0 && tank->present && demand_w > tank->draw_limit_w) {
            return ride_s;
        }
        if (demand_w > 0 && gone_wh > left_wh) {
            return ride_s + span_s * left_wh / gone_wh;
        }
        left_wh = fmax(0.0, left_wh - gone_wh);
        ride_s += span_s;
    }
    return INFINITY;
}

/* Heat that may be added by the end of slot @end, from @first on, and never be dumped. */
static double get_room_wh(const struct hs_reach_course *course, size_t first, size_t end)
{
    double served_wh = 0.0;
    double room_wh = INFINITY;

    for (size_t t = first; t < course->n_slots; t++) {
        double free_wh = course->rejected_wh[t] > LEAST_WH
                             ? 0.0
                             : fmax(0.0, course->tank_max_wh - course->tank_wh[t]);

        served_wh += course->unserved_wh[t];
        room_wh = t >= end ? fmin(room_wh, served_wh + free_wh) : room_wh;
    }
    return room_wh;
}

double hs_reach_get_headroom_w(const struct hs_reach_course *course, size_t first, size_t n)
{
    double least_w = INFINITY;
    double span_s = 0.0;

    for (size_t i = 0; i < n && first + i < course->n_slots; i++) {
        double slot_s = first + i == 0 ? course->first_s : course->slot_s;

        span_s += slot_s;
        double room_w = hs_w_from_wh(get_room_wh(course, first, first + i), span_s);
        double direct_w = hs_w_from_wh(course->unserved_wh[first + i], slot_s);

        least_w = fmin(least_w, fmin(room_w, direct_w + course->charge_limit_w));
    }
    return isinf(least_w) ? 0.0 : least_w;
}
