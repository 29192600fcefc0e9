/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_life - what a cycle is made of; see cycle.h. */
#include <assert.h>

#include "scheduler/core/certificate.h"
#include "scheduler/core/cycle_priv.h"

static void set_forecasts(struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    size_t n = cycle->n_slots + HS_CYCLE_FORECAST_SLOTS;

    cycle->forecasts = hs_xcalloc(estate->n_sinks, sizeof(struct hs_forecast *));
    for (size_t k = 0; k < estate->n_sinks; k++) {
        size_t s = estate->loops[estate->sinks[k].loop_idx].site_idx;
        struct hs_forecast_setup setup = {.slot_s = estate->slot_s,
                                          .calendar = cycle->calendars[s]};

        cycle->forecasts[k] = hs_forecast_new(HS_CYCLE_FORECAST_MODEL, &setup);
    }
    cycle->forecast_w = hs_xcalloc(estate->n_sinks * n, sizeof(double));
    cycle->forecast_p10_w = hs_xcalloc(estate->n_sinks * n, sizeof(double));
    cycle->forecast_p90_w = hs_xcalloc(estate->n_sinks * n, sizeof(double));
    cycle->forecast_from_at_s = hs_xcalloc(estate->n_sinks, sizeof(int64_t));
    cycle->forecast_made_at_s = hs_xcalloc(estate->n_sinks, sizeof(int64_t));
    for (size_t k = 0; k < estate->n_sinks; k++) {
        cycle->forecast_from_at_s[k] = INT64_MIN;
        cycle->forecast_made_at_s[k] = INT64_MIN;
    }
    cycle->known_demand_w = hs_xcalloc(estate->n_sinks, sizeof(const struct hs_series *));
    cycle->learned_to_at_s = hs_xcalloc(estate->n_sinks, sizeof(int64_t));
    cycle->has_history = hs_xcalloc(estate->n_sinks, sizeof(bool));
}

struct hs_cycle *hs_cycle_new(const struct hs_cycle_options *options)
{
    struct hs_cycle *cycle = hs_xcalloc(1, sizeof(*cycle));
    const struct hs_estate *estate = options->estate;
    size_t n = options->n_slots > 0 ? options->n_slots : HS_PLAN_SLOTS_MAX;

    assert(n <= HS_PLAN_SLOTS_MAX);
    cycle->options = *options;
    cycle->estate = estate;
    cycle->n_slots = n;
    cycle->now_at_s = options->now_at_s;
    cycle->next_op_id = options->first_op_id > 0 ? options->first_op_id : 1;
    cycle->hosts = hs_xcalloc(estate->n_hosts, sizeof(*cycle->hosts));
    cycle->loops = hs_xcalloc(estate->n_loops, sizeof(*cycle->loops));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        cycle->hosts[h].silent_since_at_s = options->now_at_s;
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        hs_loopstate_init(&cycle->loops[l].state, options->now_at_s);
        hs_loopstate_init(&cycle->loops[l].zone.heat, options->now_at_s);
        hs_interlock_init(&cycle->loops[l].interlock);
        hs_balance_init(&cycle->loops[l].balance);
    }
    cycle->racks = hs_xcalloc(estate->n_racks, sizeof(*cycle->racks));
    for (size_t r = 0; r < estate->n_racks; r++) {
        hs_loopstate_init(&cycle->racks[r].heat, options->now_at_s);
    }
    cycle->signals = hs_xcalloc(estate->n_sites * HS_CYCLE_SIGNALS, sizeof(*cycle->signals));
    cycle->estimator = hs_estimator_new(estate, options->now_at_s);
    cycle->calendars = hs_xcalloc(estate->n_sites, sizeof(struct hs_calendar *));
    for (size_t s = 0; s < estate->n_sites; s++) {
        cycle->calendars[s] = hs_calendar_new(
            options->timezones != NULL ? options->timezones[s] : NULL, &estate->sites[s]);
    }
    set_forecasts(cycle);
    cycle->ledger = hs_ledger_new(estate, options->now_at_s);
    hs_arrivals_init(&cycle->arrivals, options->now_at_s);
    cycle->expected = hs_expected_new(estate, n);
    cycle->feasible = hs_feasible_new(2 * estate->slot_s, HS_CYCLE_FEASIBLE_S);
    cycle->runtimes = hs_runtimes_new();
    cycle->baseloads = hs_xcalloc(estate->n_hosts, sizeof(*cycle->baseloads));
    for (size_t h = 0; h < estate->n_hosts; h++) {
        hs_baseload_init(&cycle->baseloads[h]);
    }
    cycle->place = hs_place_new(estate, n);
    hs_place_set_threads(cycle->place, options->n_threads);
    cycle->soft = hs_cycle_soft_new(cycle);
    cycle->frame_elec = hs_xcalloc(estate->n_sites * n, sizeof(double));
    cycle->frame_demand_wh = hs_xcalloc(estate->n_sinks * n, sizeof(double));
    cycle->frame_captured_wh = hs_xcalloc(estate->n_loops * n, sizeof(double));
    cycle->frame_reject = hs_xcalloc(estate->n_loops * n, sizeof(double));
    cycle->frame_worth = hs_xcalloc(estate->n_sinks, sizeof(double));
    cycle->frame_inputs = hs_xcalloc(estate->n_loops, sizeof(*cycle->frame_inputs));
    cycle->is_plan_wanted = true;
    return cycle;
}

void hs_cycle_free(struct hs_cycle *cycle)
{
    if (cycle == NULL) {
        return;
    }
    HS_VEC_FINI(&cycle->notes);
    HS_VEC_FINI(&cycle->changed_ids);
    HS_VEC_FINI(&cycle->actions);
    free(cycle->frame_inputs);
    free(cycle->frame_worth);
    free(cycle->frame_reject);
    free(cycle->frame_captured_wh);
    free(cycle->frame_demand_wh);
    free(cycle->frame_elec);
    hs_cycle_soft_free(cycle->soft);
    hs_certificate_free(cycle->certificate);
    hs_place_free(cycle->place);
    free(cycle->baseloads);
    hs_runtimes_free(cycle->runtimes);
    hs_expected_free(cycle->expected);
    hs_feasible_free(cycle->feasible);
    hs_ledger_free(cycle->ledger);
    for (size_t k = 0; k < cycle->estate->n_sinks; k++) {
        hs_forecast_free(cycle->forecasts[k]);
    }
    free(cycle->has_history);
    free(cycle->learned_to_at_s);
    free(cycle->known_demand_w);
    free(cycle->forecast_made_at_s);
    free(cycle->forecast_from_at_s);
    free(cycle->forecast_p90_w);
    free(cycle->forecast_p10_w);
    free(cycle->forecast_w);
    free(cycle->forecasts);
    for (size_t s = 0; s < cycle->estate->n_sites; s++) {
        hs_calendar_free(cycle->calendars[s]);
    }
    free(cycle->calendars);
    hs_estimator_free(cycle->estimator);
    free(cycle->signals);
    HS_VEC_FINI(&cycle->closures);
    HS_VEC_FINI(&cycle->boilers);
    free(cycle->racks);
    free(cycle->loops);
    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        HS_VEC_FINI(&cycle->hosts[h].machines);
    }
    free(cycle->hosts);
    for (size_t i = 0; i < cycle->entries.n; i++) {
        hs_job_free(cycle->entries.items[i].job);
        free(cycle->entries.items[i].site_allowed);
    }
    HS_VEC_FINI(&cycle->live);
    HS_VEC_FINI(&cycle->entries);
    free(cycle);
}
