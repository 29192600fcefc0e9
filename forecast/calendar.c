/* SPDX-License-Identifier: Apache-2.0 */
/* calendar - local hour and weekday of an instant. */
#include "forecast/calendar.h"

#include "scheduler/base/units.h"

/** Quotient rounded down: days before 1970 are days as well. */
static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

struct hs_calendar_hour hs_calendar_get_hour(const struct hs_calendar *calendar, int64_t at_s)
{
    struct hs_calendar_hour hour = {0};

    (void)calendar;
    hour.day_no = divide_down(at_s, HS_S_PER_DAY);
    hour.hour = (int)((at_s - hour.day_no * HS_S_PER_DAY) / 3600);
    hour.weekday = (int)(((hour.day_no + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    return hour;
}
