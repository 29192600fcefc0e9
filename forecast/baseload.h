/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * baseload - load of a host that is not ours to move, in the hours to come, with quantiles.
 *
 * A level that follows the newest hours, plus a profile of hours of the week that is learned as
 * weeks go by: a cell without history leans on the same hour of other days. Hours are those of the
 * site's clocks, a holiday is a Sunday. The quantiles are calibrated online on predictions one hour
 * ahead. An hour of the day that was never seen is as the newest one. A plain value, stored
 * and restored as it is; in whatever unit it is fed (W, vCPUs, percent). Pure.
 */

#include <stdint.h>

#include "forecast/calendar.h"

#define HS_BASELOAD_HOURS 168 /* of a week, from Monday 00:00, local */

/** Deviation from the mean in an hour of the day or week. */
struct hs_baseload_cell {
    double deviation;
    double n; /* times seen, up to what is remembered */
};

struct hs_baseload {
    int64_t hour_no; /* open hour, since 1970; -1: none yet */
    double open_sum; /* load x s of the open hour */
    double open_s;
    double n_hours;  /* hours known so far */
    double mean;     /* slow */
    double newest;   /* hour that is known */
    double residual; /* what the newest hours lay above mean and profile */
    double q10;      /* of the error of predictions */
    double q90;
    double spread; /* mean |error| */
    struct hs_baseload_cell days[24];
    struct hs_baseload_cell weeks[HS_BASELOAD_HOURS];
};

/** p10 <= p50 <= p90, each >= 0. */
struct hs_baseload_range {
    double p10;
    double p50;
    double p90;
};

/** Nothing known. */
void hs_baseload_init(struct hs_baseload *baseload);

/**
 * The load was @load for @span_s from @at_s on, within one hour of UTC. Spans come in time order.
 *
 * @param calendar  of the site; NULL: UTC without holidays
 * @param load      >= 0; NAN or negative: unknown
 */
void hs_baseload_observe(struct hs_baseload *baseload, const struct hs_calendar *calendar,
                         int64_t at_s, double span_s, double load);

/** Load in the hour that holds @at_s, from what is known. NAN while nothing is. */
void hs_baseload_predict(const struct hs_baseload *baseload, const struct hs_calendar *calendar,
                         int64_t at_s, struct hs_baseload_range *ret_range);
