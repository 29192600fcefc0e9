/* SPDX-License-Identifier: Apache-2.0 */
/* heathistory - rings by the hour. */
#include "forecast/heathistory.h"

#include <assert.h>

void hs_heathistory_init(struct hs_heathistory *history)
{
    history->newest_no = -1;
    history->first_no = -1;
    for (size_t i = 0; i < HS_HEATHISTORY_HOURS; i++) {
        history->heat_w[i] = (double)NAN;
        history->weather[i] = HS_WEATHER_UNKNOWN;
    }
    for (size_t i = 0; i < HS_HEATHISTORY_LEADS; i++) {
        for (size_t k = 0; k < HS_HEATHISTORY_LEADS; k++) {
            history->foreseen[i][k] = HS_WEATHER_UNKNOWN;
        }
    }
}

void hs_heathistory_push(struct hs_heathistory *history, int64_t no, double heat_w,
                         const struct hs_weather *weather)
{
    size_t i = (size_t)(no % HS_HEATHISTORY_HOURS);

    assert(no >= 0 && (history->newest_no < 0 || no == history->newest_no + 1));
    history->heat_w[i] = heat_w;
    history->weather[i] = *weather;
    history->newest_no = no;
    if (history->first_no < 0) {
        history->first_no = no;
    }
}

void hs_heathistory_foresee(struct hs_heathistory *history, const struct hs_outlook *outlook)
{
    for (size_t lead = 1; lead <= HS_HEATHISTORY_LEADS; lead++) {
        int64_t no = history->newest_no + (int64_t)lead;

        history->foreseen[no % HS_HEATHISTORY_LEADS][lead - 1] = hs_outlook_get(outlook, no * 3600);
    }
}

static int is_held(const struct hs_heathistory *history, int64_t no)
{
    return history->first_no >= 0 && no >= history->first_no && no <= history->newest_no
           && no > history->newest_no - HS_HEATHISTORY_HOURS;
}

double hs_heathistory_get_heat_w(const struct hs_heathistory *history, int64_t no)
{
    return is_held(history, no) ? history->heat_w[no % HS_HEATHISTORY_HOURS] : (double)NAN;
}

struct hs_weather hs_heathistory_get_weather(const struct hs_heathistory *history, int64_t no)
{
    return is_held(history, no) ? history->weather[no % HS_HEATHISTORY_HOURS] : HS_WEATHER_UNKNOWN;
}

struct hs_weather hs_heathistory_get_foreseen(const struct hs_heathistory *history, size_t lead)
{
    assert(lead >= 1 && lead <= HS_HEATHISTORY_LEADS);
    return history->foreseen[history->newest_no % HS_HEATHISTORY_LEADS][lead - 1];
}

struct hs_weather hs_heathistory_get_foreseen_next(const struct hs_heathistory *history)
{
    return history->foreseen[(history->newest_no + 1) % HS_HEATHISTORY_LEADS][0];
}
