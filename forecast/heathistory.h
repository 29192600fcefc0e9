/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heathistory - the last ten weeks of a sink by the hour: heat, weather, and what weather was
 * foreseen. A plain value, so that it can be stored and restored as it is. Unknown is NAN.
 *
 * Hours are numbered from 1970-01-01 00:00 UTC.
 */

#include <stddef.h>
#include <stdint.h>

#include "forecast/weather.h"

#define HS_HEATHISTORY_HOURS 1680 /* ten weeks */
#define HS_HEATHISTORY_LEADS 48   /* hours ahead for which outlooks are kept */

struct hs_heathistory {
    int64_t newest_no; /* newest closed hour; -1: none yet */
    int64_t first_no;  /* first hour ever closed; -1: none yet */
    double heat_w[HS_HEATHISTORY_HOURS];
    struct hs_weather weather[HS_HEATHISTORY_HOURS];
    /* [hour][lead - 1]: the weather used for that hour when it was lead hours ahead */
    struct hs_weather foreseen[HS_HEATHISTORY_LEADS][HS_HEATHISTORY_LEADS];
};

void hs_heathistory_init(struct hs_heathistory *history);

/** Close hour @no, the one after the newest (or the first). @param heat_w  NAN: unknown */
void hs_heathistory_push(struct hs_heathistory *history, int64_t no, double heat_w,
                         const struct hs_weather *weather);

/** What @outlook says of the next hours is what they are foreseen as from the newest hour on. */
void hs_heathistory_foresee(struct hs_heathistory *history, const struct hs_outlook *outlook);

/** Heat of hour @no; NAN where unknown, later than the newest, or forgotten. */
double hs_heathistory_get_heat_w(const struct hs_heathistory *history, int64_t no);

/** Weather as measured in hour @no. */
struct hs_weather hs_heathistory_get_weather(const struct hs_heathistory *history, int64_t no);

/**
 * Weather that was foreseen for the newest hour when it was @lead hours ahead; unknown if none
 * was. @param lead  1..HS_HEATHISTORY_LEADS
 */
struct hs_weather hs_heathistory_get_foreseen(const struct hs_heathistory *history, size_t lead);

/** Weather foreseen for the hour after the newest; unknown if none was. */
struct hs_weather hs_heathistory_get_foreseen_next(const struct hs_heathistory *history);
