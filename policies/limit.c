/* SPDX-License-Identifier: Apache-2.0 */
/* limit - see limit.h. */
#include "policies/limit.h"

#include "scheduler/base/civil.h"
#include "scheduler/base/units.h"

#define MIN_PER_DAY 1440
#define S_PER_MIN   60

static bool is_day(const struct hs_limit *limit, int64_t day_no)
{
    struct hs_civil date = hs_civil_get_date(day_no);

    return ((limit->months >> (date.month - 1)) & 1U)
           && ((limit->days >> hs_civil_get_weekday(day_no)) & 1U);
}

bool hs_limit_holds(const struct hs_limit *limit, const struct hs_timezone *timezone, int64_t at_s)
{
    int64_t local_s = at_s + hs_timezone_get_offset_s(timezone, at_s);
    int64_t s_of_day = local_s % HS_S_PER_DAY;
    int64_t day_no;
    int min;

    s_of_day += s_of_day < 0 ? HS_S_PER_DAY : 0;
    day_no = (local_s - s_of_day) / HS_S_PER_DAY;
    min = (int)(s_of_day / S_PER_MIN);
    if (limit->from_min == limit->to_min) {
        return is_day(limit, day_no);
    }
    if (limit->from_min < limit->to_min) {
        return min >= limit->from_min && min < limit->to_min && is_day(limit, day_no);
    }
    return (min >= limit->from_min && is_day(limit, day_no))
           || (min < limit->to_min && is_day(limit, day_no - 1));
}

bool hs_limit_touches(const struct hs_limit *limit, const struct hs_timezone *timezone,
                      int64_t from_at_s, int64_t until_at_s)
{
    int window_min = (limit->to_min - limit->from_min + MIN_PER_DAY) % MIN_PER_DAY;
    int64_t step_s = window_min > 0 ? (int64_t)window_min * S_PER_MIN : HS_S_PER_DAY;

    /* No window lies between two looks: they are as far apart as it is long. */
    for (int64_t at_s = from_at_s; at_s < until_at_s; at_s += step_s) {
        if (hs_limit_holds(limit, timezone, at_s)) {
            return true;
        }
    }
    return until_at_s > from_at_s && hs_limit_holds(limit, timezone, until_at_s - 1);
}
