/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_base - electricity of hosts that is not ours to move: other people's machines and idling.
 *
 * Modelled from what the host reports; where the rack has a meter, what it reads less the modelled
 * power of our own jobs, shared out among its hosts as their models are. See forecast/baseload.h.
 */
#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

#define S_PER_HOUR  3600
#define KNOWN_HOURS 24.0 /* before, what is not ours is taken as now */

static const struct hs_calendar *get_calendar(const struct hs_cycle *cycle, size_t host_idx)
{
    return cycle->calendars[cycle->estate->hosts[host_idx].site_idx];
}

static double get_model_w(const struct hs_cycle *cycle, size_t host_idx)
{
    return hs_host_elec_w(&cycle->estate->hosts[host_idx],
                          hs_cycle_get_base_vcpus(cycle, host_idx));
}

double hs_cycle_get_base_elec_w(const struct hs_cycle *cycle, size_t host_idx)
{
    size_t rack_idx = cycle->estate->hosts[host_idx].rack_idx;
    const struct hs_rack *rack = &cycle->estate->racks[rack_idx];
    double metered_w = hs_estimator_get_rack_elec_w(cycle->estimator, rack_idx, cycle->now_at_s);
    double model_w = get_model_w(cycle, host_idx);
    double ours_w = 0.0;
    double rack_model_w = 0.0;

    if (isnan(metered_w)) {
        return model_w;
    }
    for (size_t h = rack->first_host_idx; h < rack->first_host_idx + rack->n_hosts; h++) {
        double base_w = get_model_w(cycle, h);

        rack_model_w += base_w;
        ours_w += hs_cycle_get_host_elec_w(cycle, h) - base_w;
    }
    double share_ratio = rack_model_w > 0 ? model_w / rack_model_w : 1.0 / (double)rack->n_hosts;

    return fmax(metered_w - ours_w, 0.0) * share_ratio;
}

/* A meter that has fallen silent leaves the hour unknown: the model may be far from it. */
static bool is_silent(const struct hs_cycle *cycle, size_t host_idx)
{
    size_t rack_idx = cycle->estate->hosts[host_idx].rack_idx;

    return !isnan(cycle->estimator->rack_elec_w[rack_idx].value)
           && isnan(hs_estimator_get_rack_elec_w(cycle->estimator, rack_idx, cycle->now_at_s));
}

/* What is not ours has gone on as it was: an hour of it teaches what comes in that hour. */
void hs_cycle_learn_base(struct hs_cycle *cycle, size_t host_idx, int64_t to_at_s)
{
    double base_w =
        is_silent(cycle, host_idx) ? (double)NAN : hs_cycle_get_base_elec_w(cycle, host_idx);

    for (int64_t at_s = cycle->now_at_s; at_s < to_at_s && cycle->hosts[host_idx].is_up;) {
        int64_t hour_end_at_s = at_s - at_s % S_PER_HOUR + S_PER_HOUR;
        int64_t end_at_s = hour_end_at_s < to_at_s ? hour_end_at_s : to_at_s;

        hs_baseload_observe(&cycle->baseloads[host_idx], get_calendar(cycle, host_idx), at_s,
                            (double)(end_at_s - at_s), base_w);
        at_s = end_at_s;
    }
}

/* Constant to the last digit, or hardly seen: it is as now. */
static bool is_as_now(const struct hs_baseload *baseload, double base_w)
{
    return baseload->n_hours < KNOWN_HOURS || baseload->spread < 1e-6 * base_w;
}

void hs_cycle_predict_base(const struct hs_cycle *cycle, size_t host_idx, int64_t at_s,
                           struct hs_baseload_range *ret_range)
{
    double base_w = hs_cycle_get_base_elec_w(cycle, host_idx);

    if (is_as_now(&cycle->baseloads[host_idx], base_w)) {
        *ret_range = (struct hs_baseload_range){base_w, base_w, base_w};
        return;
    }
    hs_baseload_predict(&cycle->baseloads[host_idx], get_calendar(cycle, host_idx), at_s,
                        ret_range);
}

void hs_cycle_add_base(const struct hs_cycle *cycle, size_t host_idx, double *captured_wh)
{
    const struct hs_estate *estate = cycle->estate;
    double capture_ratio = estate->racks[estate->hosts[host_idx].rack_idx].capture_ratio;
    double base_w = hs_cycle_get_base_elec_w(cycle, host_idx);
    bool is_constant = is_as_now(&cycle->baseloads[host_idx], base_w);
    int64_t known_no = -1;

    for (size_t t = 0; t < cycle->n_slots; t++) {
        int64_t at_s = cycle->plan_from_at_s + (int64_t)t * estate->slot_s;

        /* the slot that runs is as it is */
        if (!is_constant && t > 0 && at_s / S_PER_HOUR != known_no) {
            struct hs_baseload_range range;

            hs_baseload_predict(&cycle->baseloads[host_idx], get_calendar(cycle, host_idx), at_s,
                                &range);
            base_w = range.p50;
            known_no = at_s / S_PER_HOUR;
        }
        captured_wh[t] += hs_wh_from_w(base_w * capture_ratio,
                                       (double)estate->slot_s * hs_cycle_get_slot_share(cycle, t));
    }
}

/* --- showing --- */

void hs_cycle_format_base(const struct hs_cycle *cycle, size_t host_idx, json_t *object)
{
    struct hs_baseload_range range;

    hs_cycle_predict_base(cycle, host_idx, cycle->now_at_s + S_PER_HOUR, &range);
    hs_jsonx_set_real(object, "base_elec_w", hs_cycle_get_base_elec_w(cycle, host_idx));
    hs_jsonx_set_real(object, "base_next_p10_w", range.p10);
    hs_jsonx_set_real(object, "base_next_p50_w", range.p50);
    hs_jsonx_set_real(object, "base_next_p90_w", range.p90);
}
