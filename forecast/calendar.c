/* SPDX-License-Identifier: Apache-2.0 */
/* calendar - local hour and weekday by the zone's offset, holidays by one bit a day. */
#include "forecast/calendar.h"

#include <stddef.h>

#include "scheduler/base/civil.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/model/site.h"

#define N_DAYS 47482 /* from 1970-01-01 to 2099-12-31 */

struct hs_calendar {
    const struct hs_timezone *timezone;
    uint8_t holidays[N_DAYS / 8 + 1];
};

struct hs_calendar *hs_calendar_new(const struct hs_timezone *timezone, const struct hs_site *site)
{
    struct hs_calendar *calendar = hs_xcalloc(1, sizeof(*calendar));

    (void)site;
    calendar->timezone = timezone;
    return calendar;
}

static bool is_holiday(const struct hs_calendar *calendar, int64_t day_no)
{
    return day_no >= 0 && day_no < N_DAYS
           && (calendar->holidays[day_no / 8] >> (day_no % 8) & 1) != 0;
}

struct hs_calendar_hour hs_calendar_get_hour(const struct hs_calendar *calendar, int64_t at_s)
{
    int64_t local_s =
        calendar != NULL ? at_s + hs_timezone_get_offset_s(calendar->timezone, at_s) : at_s;
    int64_t day_no = local_s / HS_S_PER_DAY - (local_s % HS_S_PER_DAY < 0 ? 1 : 0);

    return (struct hs_calendar_hour){
        .hour = (int)(local_s - day_no * HS_S_PER_DAY) / 3600,
        .weekday = hs_civil_get_weekday(day_no),
        .day_no = day_no,
        .is_holiday = calendar != NULL && is_holiday(calendar, day_no),
    };
}

void hs_calendar_free(struct hs_calendar *calendar)
{
    free(calendar);
}
