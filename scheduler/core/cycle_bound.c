/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_bound - how far the plan in force can be from the best one; see certificate.h. */
#include <math.h>

#include "scheduler/core/certificate.h"
#include "scheduler/core/cycle_priv.h"

/* Prices after so many steps are good enough to choose by: docs/planner.md has the figures. */
#define GUIDE_STEPS 80

/* Closures and caps are not told: without them the bound is lower, and a bound still. */
static void set_frame(struct hs_cycle *cycle)
{
    struct hs_place_frame frame = {
        .now_at_s = cycle->now_at_s,
        .from_at_s = cycle->plan_from_at_s,
        .elec_cur_per_mwh = cycle->frame_elec,
        .thermal = cycle->frame_inputs,
        .waiting_weight = cycle->options.policy->waiting_weight,
        .suspend_s = cycle->options.suspend_s,
    };

    hs_certificate_set(cycle->certificate, &frame);
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        struct hs_fit_size foreign = {.vcpus = (int32_t)(hs_cycle_get_base_vcpus(cycle, h)
                                                         - cycle->estate->hosts[h].pinned_vcpus)};

        if (foreign.vcpus > 0) {
            hs_certificate_reserve_slots(cycle->certificate, h, &foreign, 0, cycle->n_slots - 1);
        }
        if (!cycle->hosts[h].is_up) {
            hs_certificate_bar(cycle->certificate, h);
        }
    }
}

/* The horizon of the plan that is being made, and its jobs; once a plan. */
static void set_problem(struct hs_cycle *cycle, const struct hs_place_job *jobs, size_t n_jobs)
{
    if (cycle->certificate == NULL) {
        cycle->certificate = hs_certificate_new(cycle->estate, cycle->n_slots);
    }
    if (!cycle->is_bound_set) {
        set_frame(cycle);
        hs_certificate_set_jobs(cycle->certificate, jobs, n_jobs);
        cycle->is_bound_set = true;
    }
}

/* Few jobs are placed well without, and too coarse for prices. */
static bool has_guide(const struct hs_cycle *cycle, size_t n_jobs)
{
    return cycle->n_bound_steps >= GUIDE_STEPS && n_jobs > HS_PLACE_THOROUGH_JOBS_MAX;
}

bool hs_cycle_has_new_guide(const struct hs_cycle *cycle, size_t n_jobs)
{
    return !cycle->was_guided && has_guide(cycle, n_jobs);
}

void hs_cycle_guide(struct hs_cycle *cycle, const struct hs_place_job *jobs, size_t n_jobs)
{
    if (!has_guide(cycle, n_jobs)) {
        return;
    }
    set_problem(cycle, jobs, n_jobs);
    hs_place_guide(cycle->place, hs_certificate_get_heat_prices(cycle->certificate),
                   hs_certificate_get_room_prices(cycle->certificate));
    cycle->was_guided = true;
}

void hs_cycle_bound_plan(struct hs_cycle *cycle, const struct hs_place_job *jobs, size_t n_jobs)
{
    size_t every = cycle->options.bound_every > 0 ? cycle->options.bound_every : 1;
    size_t n_steps = cycle->options.bound_iterations;
    size_t n_placements;
    const struct hs_placement *placements = hs_place_get_placements(cycle->place, &n_placements);

    if (n_steps == 0 || cycle->n_plans++ % every != 0) {
        cycle->is_bound_set = false;
        return;
    }
    set_problem(cycle, jobs, n_jobs);
    double cost_cur = hs_certificate_get_cost(cycle->certificate, placements, n_placements);

    hs_certificate_set_prices(cycle->certificate,
                              hs_place_get_plan(cycle->place)->heat_cur_per_mwh);
    double bound_cur = hs_certificate_improve(cycle->certificate, cost_cur, n_steps);

    cycle->is_bound_set = false;
    cycle->n_bound_steps += n_steps;
    cycle->bound = (struct hs_cycle_bound){
        .at_s = cycle->now_at_s,
        .cost_cur = cost_cur,
        .bound_cur = bound_cur,
        .gap_ratio = hs_certificate_get_gap_ratio(cost_cur, bound_cur),
        .is_guided = cycle->was_guided,
    };
}

const struct hs_cycle_bound *hs_cycle_get_bound(const struct hs_cycle *cycle)
{
    return cycle->bound.at_s > 0 ? &cycle->bound : NULL;
}

json_t *hs_cycle_format_bound(const struct hs_cycle *cycle)
{
    json_t *object = hs_jsonx_object();

    if (cycle->bound.at_s == 0) {
        return object;
    }
    hs_jsonx_set_at(object, "at", cycle->bound.at_s);
    hs_jsonx_set_real(object, "cost_cur", cycle->bound.cost_cur);
    hs_jsonx_set_real(object, "bound_cur", cycle->bound.bound_cur);
    hs_jsonx_set_real(object, "gap_ratio", cycle->bound.gap_ratio);
    hs_jsonx_set_bool(object, "guided", cycle->bound.is_guided);
    return object;
}
