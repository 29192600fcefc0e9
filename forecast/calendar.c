/* SPDX-License-Identifier: Apache-2.0 */
/* calendar - local hour and weekday by the zone's offset, holidays by one bit a day. */
#include "forecast/calendar.h"

#include <stddef.h>

#include "scheduler/base/civil.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/model/holidays.h"
#include "scheduler/model/site.h"

#define FIRST_YEAR 1970
#define LAST_YEAR  2099
#define N_DAYS     47482 /* of these years */

struct hs_calendar {
    const struct hs_timezone *timezone;
    uint8_t holidays[N_DAYS / 8 + 1];
};

static void set_days(struct hs_calendar *calendar, int64_t first_day_no, int64_t last_day_no)
{
    for (int64_t day_no = first_day_no; day_no <= last_day_no; day_no++) {
        if (day_no >= 0 && day_no < N_DAYS) {
            calendar->holidays[day_no / 8] |= (uint8_t)(1 << (day_no % 8));
        }
    }
}

static void set_year(struct hs_calendar *calendar, const char *country, int64_t year)
{
    int64_t day_nos[HS_HOLIDAYS_MAX];
    size_t n = hs_holidays_list(country, year, day_nos);

    for (size_t i = 0; i < n; i++) {
        set_days(calendar, day_nos[i], day_nos[i]);
    }
}

struct hs_calendar *hs_calendar_new(const struct hs_timezone *timezone, const struct hs_site *site)
{
    struct hs_calendar *calendar = hs_xcalloc(1, sizeof(*calendar));

    calendar->timezone = timezone;
    if (site != NULL) {
        /* one year more: what is moved to its eve lies in the year before */
        for (int64_t year = FIRST_YEAR; year <= LAST_YEAR + 1; year++) {
            set_year(calendar, hs_holidays_resolve(site->holidays, site->timezone), year);
        }
        for (size_t i = 0; i < site->n_closed; i++) {
            set_days(calendar, site->closed[i].first_day_no, site->closed[i].last_day_no);
        }
    }
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
