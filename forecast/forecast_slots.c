/* SPDX-License-Identifier: Apache-2.0 */
/* forecast_slots - hours become slots: quantiles, the shape of an hour, what the open hour says. */
#include <math.h>

#include "forecast/forecast_priv.h"

#define OPEN_SHARE  0.6 /* of what an open hour is over, the rest of it is likely to be */
#define OPEN_FADE_S 3600.0
#define NEAR_LEAD   (-2) /* hours that are near enough to the open one to be like it */

/** How much wider the intervals are for weather that was issued long ago. */
static double widening(const struct hs_forecast_state *state)
{
    double age_s = hs_forecast_has_outlook(state) ? hs_forecast_get_weather_age_s(state) : 0;

    return age_s <= HS_FORECAST_STALE_S ? 1.0 : sqrt(age_s / HS_FORECAST_STALE_S);
}

/** Quantiles of the hour @no, which is measured if it has closed. */
static struct hs_forecast_slot quantify(const struct hs_forecast *forecast, int64_t no,
                                        const double *made_w, size_t n_made)
{
    const struct hs_forecast_state *state = &forecast->state;
    int64_t lead = no - state->history.newest_no;
    double known_w = hs_heathistory_get_heat_w(&state->history, no);
    struct hs_forecast_slot slot = {0};

    if (lead < 1 && !isnan(known_w)) {
        return (struct hs_forecast_slot){known_w, known_w, known_w};
    }
    while (lead < NEAR_LEAD) { /* closed without being measured: that hour of the next day */
        lead += 24;
    }
    lead = lead < 1 ? 1 : lead;
    while (lead > (int64_t)n_made) {
        lead -= 24;
    }
    slot.p50_w = made_w[lead - 1];
    hs_forecast_judge_quantify(&state->judge, no, (size_t)lead, slot.p50_w, widening(state),
                               &slot.p10_w, &slot.p90_w);
    return slot;
}

/** Adds @share of what is said of @hour. */
static void add_share(struct hs_forecast_slot *sum, const struct hs_forecast_slot *hour,
                      double share)
{
    sum->p10_w += share * hour->p10_w;
    sum->p50_w += share * hour->p50_w;
    sum->p90_w += share * hour->p90_w;
}

/** A slot from the hours that it touches. */
static struct hs_forecast_slot make_slot(const struct hs_forecast *forecast, int64_t slot_at_s,
                                         const double *made_w, size_t n_made)
{
    int64_t slot_s = forecast->setup.slot_s;
    int64_t end_at_s = slot_at_s + slot_s;
    double shape = hs_slotshape_get(&forecast->state.shape, slot_s, slot_at_s);
    struct hs_forecast_slot sum = {0};

    for (int64_t at_s = slot_at_s; at_s < end_at_s;) {
        int64_t next_at_s = (at_s / HS_FORECAST_S_PER_HOUR + 1) * HS_FORECAST_S_PER_HOUR;
        int64_t until_at_s = next_at_s < end_at_s ? next_at_s : end_at_s;
        struct hs_forecast_slot hour =
            quantify(forecast, at_s / HS_FORECAST_S_PER_HOUR, made_w, n_made);

        add_share(&sum, &hour, shape * (double)(until_at_s - at_s) / (double)slot_s);
        at_s = until_at_s;
    }
    return sum;
}

/** What the slots of the open hour say already fades over the next hours. */
static void follow_open_hour(const struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                             struct hs_forecast_slot *slots)
{
    const struct hs_forecast_state *state = &forecast->state;
    int64_t open_at_s = (state->history.newest_no + 1) * HS_FORECAST_S_PER_HOUR;
    double over_w = OPEN_SHARE
                    * hs_slotshape_get_over_w(&state->shape, forecast->setup.slot_s, open_at_s,
                                              forecast->made_w[0]);

    for (size_t i = 0; over_w != 0.0 && i < n_slots; i++) {
        double ahead_s = (double)(from_at_s + (int64_t)i * forecast->setup.slot_s - open_at_s);
        double add_w = over_w * exp(-ahead_s / OPEN_FADE_S);

        if (ahead_s < 0) { /* of an hour that has closed: as it was measured */
            continue;
        }
        slots[i].p10_w = fmax(0.0, slots[i].p10_w + add_w);
        slots[i].p50_w = fmax(0.0, slots[i].p50_w + add_w);
        slots[i].p90_w = fmax(0.0, slots[i].p90_w + add_w);
    }
}

void hs_forecast_predict(struct hs_forecast *forecast, int64_t from_at_s, size_t n_slots,
                         struct hs_forecast_slot *ret_slots)
{
    int64_t slot_s = forecast->setup.slot_s;
    int64_t end_no = (from_at_s + (int64_t)n_slots * slot_s - 1) / HS_FORECAST_S_PER_HOUR;
    double far_w[HS_OUTLOOK_HOURS];
    const double *made_w = forecast->made_w;
    size_t n_made = HS_FORECAST_REACH_HOURS;

    hs_forecast_advance(forecast, from_at_s);
    hs_forecast_ensure_made(forecast);
    if (end_no - forecast->state.history.newest_no > HS_FORECAST_REACH_HOURS) {
        hs_forecast_make_far(forecast, far_w);
        made_w = far_w;
        n_made = HS_OUTLOOK_HOURS;
    }
    for (size_t i = 0; i < n_slots; i++) {
        ret_slots[i] = make_slot(forecast, from_at_s + (int64_t)i * slot_s, made_w, n_made);
    }
    follow_open_hour(forecast, from_at_s, n_slots, ret_slots);
}
