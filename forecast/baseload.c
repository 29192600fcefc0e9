/* SPDX-License-Identifier: Apache-2.0 */
/* baseload - see baseload.h. */
#include "forecast/baseload.h"

#include <math.h>

#define S_PER_HOUR    3600
#define SUNDAY        6
#define KNOWN_S       1800.0 /* an hour is known if half of it was seen */
#define MEAN_HOURS    168.0  /* that the mean remembers */
#define DAY_TIMES     5.0    /* that an hour of the day remembers */
#define WEEK_TIMES    6.0    /* that an hour of the week remembers */
#define WEEK_LEAN     1.0    /* the hour of the day weighs as much as so many weeks */
#define RESIDUAL_KEEP 0.5    /* of the old residual, an hour later */
#define FADE_HOURS    6.0    /* in which a residual is forgotten, ahead */
#define QUANTILE_STEP 0.1    /* of the mean error */

void hs_baseload_init(struct hs_baseload *baseload)
{
    *baseload = (struct hs_baseload){.hour_no = -1};
}

/** Cells of an hour. */
struct place {
    size_t day;
    size_t week;
};

static struct place place_of(const struct hs_calendar *calendar, int64_t hour_no)
{
    struct hs_calendar_hour hour = hs_calendar_get_hour(calendar, hour_no * S_PER_HOUR);
    int weekday = hour.is_holiday ? SUNDAY : hour.weekday;

    return (struct place){(size_t)hour.hour, (size_t)(weekday * 24 + hour.hour)};
}

static double get_profile(const struct hs_baseload *baseload, struct place place)
{
    const struct hs_baseload_cell *day = &baseload->days[place.day];
    const struct hs_baseload_cell *week = &baseload->weeks[place.week];

    return (WEEK_LEAN * day->deviation + week->n * week->deviation) / (WEEK_LEAN + week->n);
}

static double get_expected(const struct hs_baseload *baseload, const struct hs_calendar *calendar,
                           int64_t hour_no)
{
    struct place place = place_of(calendar, hour_no);
    double ahead_h = fmax((double)(hour_no - baseload->hour_no), 0.0);

    if (baseload->days[place.day].n < 1.0) {
        return baseload->newest; /* an hour of the day that was never seen: as now */
    }
    return baseload->mean + get_profile(baseload, place)
           + baseload->residual * exp(-ahead_h / FADE_HOURS);
}

static void learn_cell(struct hs_baseload_cell *cell, double deviation, double times)
{
    cell->n = fmin(cell->n + 1.0, times);
    cell->deviation += (deviation - cell->deviation) / cell->n;
}

static void judge(struct hs_baseload *baseload, double error)
{
    double step;

    baseload->spread += (fabs(error) - baseload->spread) / fmin(baseload->n_hours, MEAN_HOURS);
    step = QUANTILE_STEP * baseload->spread;
    baseload->q10 += step * (error < baseload->q10 ? -0.9 : 0.1);
    baseload->q90 += step * (error > baseload->q90 ? 0.9 : -0.1);
}

static void close_hour(struct hs_baseload *baseload, const struct hs_calendar *calendar)
{
    double load = baseload->open_sum / baseload->open_s;
    int64_t no = baseload->hour_no;
    struct place place = place_of(calendar, no);

    if (baseload->open_s < KNOWN_S) {
        return;
    }
    if (baseload->n_hours >= 1.0) {
        judge(baseload, load - get_expected(baseload, calendar, no));
    }
    baseload->newest = load;
    baseload->n_hours += 1.0;
    baseload->mean += (load - baseload->mean) / fmin(baseload->n_hours, MEAN_HOURS);
    learn_cell(&baseload->days[place.day], load - baseload->mean, DAY_TIMES);
    learn_cell(&baseload->weeks[place.week], load - baseload->mean, WEEK_TIMES);
    baseload->residual =
        RESIDUAL_KEEP * baseload->residual
        + (1.0 - RESIDUAL_KEEP) * (load - baseload->mean - get_profile(baseload, place));
}

void hs_baseload_observe(struct hs_baseload *baseload, const struct hs_calendar *calendar,
                         int64_t at_s, double span_s, double load)
{
    int64_t hour_no = at_s / S_PER_HOUR;

    if (hour_no > baseload->hour_no) {
        if (baseload->hour_no >= 0) {
            close_hour(baseload, calendar);
        }
        baseload->hour_no = hour_no;
        baseload->open_sum = 0.0;
        baseload->open_s = 0.0;
    }
    if (hour_no == baseload->hour_no && load >= 0) {
        baseload->open_sum += load * span_s;
        baseload->open_s += span_s;
    }
}

void hs_baseload_predict(const struct hs_baseload *baseload, const struct hs_calendar *calendar,
                         int64_t at_s, struct hs_baseload_range *ret_range)
{
    double expected = get_expected(baseload, calendar, at_s / S_PER_HOUR);

    if (baseload->n_hours < 1.0) {
        double seen = baseload->open_s > 0 ? baseload->open_sum / baseload->open_s : (double)NAN;

        *ret_range = (struct hs_baseload_range){seen, seen, seen};
        return;
    }
    ret_range->p50 = fmax(expected, 0.0);
    ret_range->p10 = fmax(expected + fmin(baseload->q10, 0.0), 0.0);
    ret_range->p90 = fmax(expected + fmax(baseload->q90, 0.0), 0.0);
}
