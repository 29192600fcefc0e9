/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_horizon - what the next slots look like, and the plan made for them. */
#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

/*
 * Heat left at the horizon's end is worth this share of the backup heat that it may replace. At
 * all of it, a loop that has heat enough keeps its tank full and dumps what comes: on the shared
 * scenarios a half saved most, and more than a share learned from the plans' own prices.
 */
#define HEAT_LEFT_RATIO 0.5

static int64_t slot_start(const struct hs_cycle *cycle, int64_t at_s)
{
    return at_s - at_s % cycle->estate->slot_s;
}

double hs_cycle_get_slot_share(const struct hs_cycle *cycle, size_t t)
{
    double slot_s = (double)cycle->estate->slot_s;

    return t > 0 ? 1.0 : 1.0 - (double)(cycle->now_at_s - cycle->plan_from_at_s) / slot_s;
}

/* --- the frame --- */

/* Move on what is known of the last horizon's prices. @return slots that need no second look */
static size_t keep_elec(struct hs_cycle *cycle)
{
    int64_t gone_s = cycle->plan_from_at_s - cycle->elec_from_at_s;
    size_t n = cycle->n_slots;
    size_t gone = (size_t)(gone_s / cycle->estate->slot_s);
    bool is_kept = cycle->elec_from_at_s > 0 && gone_s >= 0 && gone < n;

    cycle->elec_from_at_s = cycle->plan_from_at_s;
    for (size_t s = 0; is_kept && gone > 0 && s < cycle->estate->n_sites; s++) {
        memmove(&cycle->frame_elec[s * n], &cycle->frame_elec[s * n + gone],
                (n - gone) * sizeof(double));
    }
    return is_kept ? n - gone : 0;
}

static void fill_elec(struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    const struct hs_policy *policy = cycle->options.policy;
    size_t n_known = keep_elec(cycle);

    for (size_t s = 0; s < estate->n_sites; s++) {
        for (size_t t = n_known; t < cycle->n_slots; t++) {
            struct hs_ledger_prices prices;
            int64_t at_s = cycle->plan_from_at_s + (int64_t)t * estate->slot_s;

            hs_cycle_get_prices(cycle, s, at_s, &prices);
            cycle->frame_elec[s * cycle->n_slots + t] =
                (policy->electricity_weight * prices.price_cur_per_mwh
                 + policy->carbon_weight
                       * hs_cur_per_mwh_from_carbon(estate->carbon_price_cur_per_t,
                                                    prices.gco2_per_kwh))
                * (1.0 + estate->sites[s].aux_elec_ratio);
        }
    }
}

/* A sink that says that it takes no heat, or whose pump stands, is thought to be out for as long
 * again as it has been, for a slot at least: nobody knows, and a day's plan hangs on it. */
static void take_sink_out(const struct hs_cycle *cycle, size_t sink_idx, double *demand_wh)
{
    double off_s = hs_estimator_get_off_s(cycle->estimator, sink_idx, cycle->now_at_s);
    double until_s = (double)cycle->now_at_s + fmax(off_s, (double)cycle->estate->slot_s);

    for (size_t t = 0; off_s >= 0 && t < cycle->n_slots; t++) {
        if ((double)(cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s) < until_s) {
            demand_wh[t] = 0;
        }
    }
}

/* Worth of a Wh of loop heat to a sink: backup's, less the heat pump's electricity at its mean. */
static double get_worth(const struct hs_cycle *cycle, const struct hs_sink *sink,
                        const struct hs_sink_lift *lift)
{
    size_t site_idx = cycle->estate->loops[sink->loop_idx].site_idx;
    double worth = cycle->options.policy->heat_weight
                   * hs_sink_worth_cur_per_mwh(sink, cycle->estate->carbon_price_cur_per_t);
    double elec_cur_per_mwh = 0.0;

    if (lift->elec_ratio > 0) {
        for (size_t t = 0; t < cycle->n_slots; t++) {
            elec_cur_per_mwh += cycle->frame_elec[site_idx * cycle->n_slots + t];
        }
        elec_cur_per_mwh /= (double)cycle->n_slots;
        elec_cur_per_mwh /= 1.0 + cycle->estate->sites[site_idx].aux_elec_ratio;
    }
    return hs_sink_get_lifted_worth(lift, worth, elec_cur_per_mwh);
}

/* What loop heat a sink will want, limited to what its connection can take. */
static void fill_sink(struct hs_cycle *cycle, size_t sink_idx)
{
    const struct hs_sink *sink = &cycle->estate->sinks[sink_idx];
    const struct hs_series *known_w = cycle->known_demand_w[sink_idx];
    double *demand_wh = &cycle->frame_demand_wh[sink_idx * cycle->n_slots];
    struct hs_sink_lift lift =
        hs_sink_get_lift(sink, cycle->estate->loops[sink->loop_idx].supply_c);

    if (known_w == NULL) {
        hs_cycle_forecast_sink(cycle, sink_idx, demand_wh);
    }
    for (size_t t = 0; known_w != NULL && t < cycle->n_slots; t++) {
        demand_wh[t] =
            hs_series_get_held(known_w, cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s);
    }
    for (size_t t = 0; t < cycle->n_slots; t++) {
        double wanted_w = demand_wh[t] * lift.demand_ratio * lift.heat_ratio;

        demand_wh[t] =
            hs_wh_from_w(fmin(wanted_w, sink->heat_limit_w),
                         (double)cycle->estate->slot_s * hs_cycle_get_slot_share(cycle, t));
    }
    take_sink_out(cycle, sink_idx, demand_wh);
    cycle->frame_worth[sink_idx] = get_worth(cycle, sink, &lift);
}

/* A host that will be switched off gives no heat meanwhile. */
static void take_off(const struct hs_cycle *cycle, size_t host_idx, double *heat_wh)
{
    for (size_t i = 0; i < cycle->closures.n; i++) {
        const struct hs_cycle_closure *closure = &cycle->closures.items[i];

        for (size_t t = 0; closure->is_off && closure->host_idx == host_idx && t < cycle->n_slots;
             t++) {
            int64_t at_s = cycle->plan_from_at_s + (int64_t)t * cycle->estate->slot_s;

            if (closure->from_at_s < at_s + cycle->estate->slot_s && closure->until_at_s > at_s) {
                heat_wh[t] = 0.0;
            }
        }
    }
}

/* Heat of what runs whatever we decide: machines that are not ours, idle power. */
static void fill_base(struct hs_cycle *cycle, size_t loop_idx)
{
    double *captured_wh = &cycle->frame_captured_wh[loop_idx * cycle->n_slots];

    memset(captured_wh, 0, cycle->n_slots * sizeof(*captured_wh));
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        if (cycle->estate->hosts[h].loop_idx == loop_idx) {
            double heat_wh[HS_PLAN_SLOTS_MAX] = {0};

            hs_cycle_add_base(cycle, h, heat_wh);
            take_off(cycle, h, heat_wh);
            for (size_t t = 0; t < cycle->n_slots; t++) {
                captured_wh[t] += heat_wh[t];
            }
        }
    }
}

/* Nobody knows what heat is wanted: work runs as if heat had no price. */
static void take_credit_away(struct hs_cycle *cycle, size_t loop_idx,
                             struct hs_thermal_input *input)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    size_t n = cycle->n_slots;

    memset(&cycle->frame_demand_wh[loop->first_sink_idx * n], 0,
           loop->n_sinks * n * sizeof(double));
    memset(&cycle->frame_reject[loop_idx * n], 0, n * sizeof(double));
    input->end_cur_per_wh = 0.0;
    input->tank_wh = 0.0;
    input->floor_wh = NULL;
}

static void fill_loop(struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    struct hs_thermal_input *input = &cycle->frame_inputs[loop_idx];
    size_t n = cycle->n_slots;
    double demand_wh = 0.0;
    double worth_cur = 0.0;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        fill_sink(cycle, k);
        for (size_t t = 0; t < n; t++) {
            demand_wh += cycle->frame_demand_wh[k * n + t];
            worth_cur += hs_cur_from_wh(cycle->frame_demand_wh[k * n + t], cycle->frame_worth[k]);
        }
    }
    fill_base(cycle, loop_idx);
    hs_cycle_hygiene_fill_frame(cycle, loop_idx);
    for (size_t t = 0; t < n; t++) {
        double elec_cur_per_mwh = fmax(0.0, cycle->frame_elec[loop->site_idx * n + t]);

        cycle->frame_reject[loop_idx * n + t] =
            elec_cur_per_mwh * 1e-6 * loop->rejection_elec_ratio;
    }
    *input = (struct hs_thermal_input){
        .slot_s = (double)cycle->estate->slot_s,
        .tank_wh = hs_cycle_get_tank_wh(cycle, loop_idx),
        .captured_wh = &cycle->frame_captured_wh[loop_idx * n],
        .sink_demand_wh = &cycle->frame_demand_wh[loop->first_sink_idx * n],
        .sink_cur_per_mwh = &cycle->frame_worth[loop->first_sink_idx],
        .reject_cur_per_wh = &cycle->frame_reject[loop_idx * n],
        .end_cur_per_wh = demand_wh > 0 ? HEAT_LEFT_RATIO * worth_cur / demand_wh : 0.0,
    };
    hs_cycle_soft_fill_floor(cycle, loop_idx, input);
    if (!cycle->loops[loop_idx].has_credit) {
        take_credit_away(cycle, loop_idx, input);
    }
}

/* Hosts in planned maintenance have no room in its slots. */
static void reserve_closures(struct hs_cycle *cycle)
{
    int64_t slot_s = cycle->estate->slot_s;
    int64_t end_at_s = cycle->plan_from_at_s + (int64_t)cycle->n_slots * slot_s;

    for (size_t i = 0; i < cycle->closures.n; i++) {
        const struct hs_cycle_closure *closure = &cycle->closures.items[i];
        int64_t from_at_s =
            closure->from_at_s > cycle->plan_from_at_s ? closure->from_at_s : cycle->plan_from_at_s;
        int64_t until_at_s = closure->until_at_s < end_at_s ? closure->until_at_s : end_at_s;

        if (closure->until_at_s > cycle->now_at_s && from_at_s < until_at_s) {
            hs_place_close_slots(cycle->place, closure->host_idx,
                                 (size_t)((from_at_s - cycle->plan_from_at_s) / slot_s),
                                 (size_t)((until_at_s - 1 - cycle->plan_from_at_s) / slot_s));
        }
    }
}

static void set_frame(struct hs_cycle *cycle, int64_t last_from_at_s)
{
    struct hs_place_frame frame = {
        .now_at_s = cycle->now_at_s,
        .from_at_s = cycle->plan_from_at_s,
        .elec_cur_per_mwh = cycle->frame_elec,
        .thermal = cycle->frame_inputs,
        .waiting_weight = cycle->options.policy->waiting_weight,
        .suspend_s = cycle->options.suspend_s,
        .frees_memory = cycle->options.frees_memory,
        .ramp_cur_per_kw = cycle->options.policy->prices.ramp_cur_per_kw,
    };

    fill_elec(cycle);
    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        fill_loop(cycle, l);
    }
    hs_cycle_add_expected(cycle, last_from_at_s);
    hs_place_set(cycle->place, &frame);
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_cycle_host *host = &cycle->hosts[h];
        struct hs_fit_size foreign = {.vcpus = (int32_t)(hs_cycle_get_base_vcpus(cycle, h)
                                                         - cycle->estate->hosts[h].pinned_vcpus)};

        for (size_t i = 0; i < host->machines.n; i++) {
            if (host->machines.items[i].job_id == 0
                && host->machines.items[i].state != HS_MACHINE_SHUT_OFF) {
                foreign.memory_mib += (int64_t)host->machines.items[i].memory_mib;
            }
        }
        if (foreign.vcpus > 0 || foreign.memory_mib > 0) {
            hs_place_reserve(cycle->place, h, &foreign);
        }
        if (!host->is_up) {
            hs_place_bar(cycle->place, h);
        }
    }
    reserve_closures(cycle);
    hs_cycle_soft_cap_frame(cycle);
}

/* --- the plan --- */

static void take_placement(struct hs_cycle_entry *entry, const struct hs_placement *placement)
{
    entry->placement = *placement;
    entry->is_placed = true;
}

void hs_cycle_make_plan(struct hs_cycle *cycle)
{
    HS_AUTO_MEM struct hs_place_job *jobs = hs_xcalloc(cycle->live.n, sizeof(*jobs));
    size_t n_jobs = 0;
    bool is_anew = !cycle->has_plan || cycle->is_plan_wanted
                   || cycle->now_at_s - cycle->anew_at_s >= HS_CYCLE_ANEW_S
                   || hs_cycle_has_new_guide(cycle, cycle->live.n);
    int64_t last_from_at_s = cycle->plan_from_at_s;

    cycle->plan_from_at_s = slot_start(cycle, cycle->now_at_s);
    set_frame(cycle, last_from_at_s);
    for (size_t i = 0; i < cycle->live.n; i++) {
        hs_cycle_foresee(cycle, hs_cycle_get_live(cycle, i));
    }
    hs_cycle_lay_margins(cycle);
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        if (hs_cycle_fill_place_job(cycle, entry, &jobs[n_jobs])) {
            jobs[n_jobs].last = entry->is_placed ? &entry->placement : NULL;
            jobs[n_jobs].last_from_at_s = last_from_at_s;
            n_jobs++;
        }
        entry->is_placed = false;
    }
    if (is_anew) {
        hs_cycle_guide(cycle, jobs, n_jobs);
        hs_place_plan(cycle->place, jobs, n_jobs);
        cycle->anew_at_s = cycle->now_at_s;
    } else {
        hs_place_refresh(cycle->place, jobs, n_jobs);
    }
    size_t n_placements;
    const struct hs_placement *placements = hs_place_get_placements(cycle->place, &n_placements);

    for (size_t i = 0; i < n_placements; i++) {
        take_placement(hs_cycle_find_entry(cycle, placements[i].job_id), &placements[i]);
    }
    hs_cycle_bound_plan(cycle, jobs, n_jobs);
    cycle->has_plan = true;
    cycle->planned_at_s = cycle->now_at_s;
    cycle->is_plan_wanted = false;
    cycle->is_insert_wanted = false;
    cycle->has_news = false;
}

void hs_cycle_insert_new(struct hs_cycle *cycle)
{
    cycle->is_insert_wanted = false;
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        struct hs_place_job job;

        if (entry->is_placed && (!entry->placement.is_late || entry->placement.is_hopeless)) {
            continue;
        }
        hs_cycle_foresee(cycle, entry);
        if (entry->job->state != HS_JOB_WAITING || !hs_cycle_fill_place_job(cycle, entry, &job)) {
            continue;
        }
        hs_cycle_lay_margin(cycle, entry);
        job.margin_s = entry->margin_s;
        if (entry->is_placed) {
            cycle->is_plan_wanted = true; /* late so far: room may have come free */
            return;
        }
        const struct hs_placement *placement = hs_place_insert(cycle->place, &job);

        take_placement(entry, placement);
        if (placement->is_late && !placement->is_hopeless) {
            cycle->is_plan_wanted = true; /* the others may make room */
            return;
        }
    }
}

size_t hs_cycle_get_slot(const struct hs_cycle *cycle, int64_t now_at_s)
{
    int64_t slots = (now_at_s - cycle->plan_from_at_s) / cycle->estate->slot_s;

    return slots < 0 ? 0 : slots >= (int64_t)cycle->n_slots ? cycle->n_slots - 1 : (size_t)slots;
}
