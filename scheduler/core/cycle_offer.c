/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_offer - heat that a loop's building can count on, and whether any compute runs for it. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/place_ask.h"

/* Neither silent nor switched off for maintenance. */
static bool is_on(const struct hs_cycle *cycle, size_t host_idx)
{
    bool is_off = !cycle->hosts[host_idx].is_up;

    for (size_t i = 0; i < cycle->closures.n && !is_off; i++) {
        const struct hs_cycle_closure *closure = &cycle->closures.items[i];

        is_off = closure->host_idx == host_idx && closure->is_off
                 && closure->from_at_s <= cycle->now_at_s && closure->until_at_s > cycle->now_at_s;
    }
    return !is_off;
}

/* Share of the loop's hosts, by their power, that is there to give heat; @needs_all: now. */
static double get_there_ratio(const struct hs_cycle *cycle, size_t loop_idx, bool is_now)
{
    double all_w = 0.0;
    double there_w = 0.0;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (host->loop_idx == loop_idx) {
            all_w += host->max_w;
            /* maintenance ends as planned, and the plan knows; silence may last */
            there_w += (is_now ? is_on(cycle, h) : cycle->hosts[h].is_up) ? host->max_w : 0.0;
        }
    }
    return all_w > 0 ? there_w / all_w : 0.0;
}

/* Planned heat from @from_at_s for an hour, mean W. */
static double get_planned_w(const struct hs_cycle *cycle, size_t loop_idx, int64_t from_at_s)
{
    const struct hs_thermal *thermal = hs_place_ask_get_thermal(cycle->place, loop_idx);
    int64_t slot_s = cycle->estate->slot_s;
    int64_t until_at_s = from_at_s + (int64_t)HS_S_PER_H;
    double sum_wh = 0.0;
    double sum_s = 0.0;

    for (size_t t = 0; t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * slot_s;
        double span_s = (double)slot_s * hs_cycle_get_slot_share(cycle, t);
        int64_t first_at_s = at_s > from_at_s ? at_s : from_at_s;
        int64_t last_at_s = at_s + slot_s < until_at_s ? at_s + slot_s : until_at_s;

        if (first_at_s < last_at_s && span_s > 0) {
            double part_s = (double)(last_at_s - first_at_s);

            sum_wh += hs_thermal_get_captured_wh(thermal, t) * part_s / span_s;
            sum_s += part_s;
        }
    }
    return sum_s > 0 ? hs_w_from_wh(sum_wh, sum_s) : (double)NAN;
}

void hs_cycle_get_offer(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                        size_t n_hours, double *ret_heat_w)
{
    double there_ratio = get_there_ratio(cycle, loop_idx, false);
    bool is_dark = cycle->loops[loop_idx].is_dark;

    for (size_t i = 0; i < n_hours; i++) {
        double heat_w = cycle->has_plan
                            ? get_planned_w(cycle, loop_idx, now_at_s + (int64_t)(i * HS_S_PER_H))
                            : hs_cycle_get_modelled_w(cycle, loop_idx);

        ret_heat_w[i] = is_dark && i == 0 ? 0.0 : fmax(0.0, heat_w) * there_ratio;
    }
}

void hs_cycle_watch_compute(struct hs_cycle *cycle, size_t loop_idx)
{
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    bool is_dark = get_there_ratio(cycle, loop_idx, true) <= 0.0;

    loop->was_lit |= !is_dark;
    if (!loop->was_lit || is_dark == loop->is_dark) {
        return;
    }
    loop->is_dark = is_dark;
    hs_cycle_note(cycle, "loop", cycle->estate->loops[loop_idx].path,
                  is_dark ? "no compute runs: no heat is to come, the building needs its backup"
                          : "compute runs again: heat is to come");
    cycle->is_plan_wanted = true;
}
