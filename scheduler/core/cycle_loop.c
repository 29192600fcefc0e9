/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_loop - states and interlocks of the loops at each step, before any plan; see cycle_priv.h.
 */
#include <math.h>
#include <stdio.h>

#include "scheduler/core/cycle_priv.h"

double hs_cycle_get_modelled_w(const struct hs_cycle *cycle, size_t loop_idx)
{
    double sum_w = 0.0;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (host->loop_idx == loop_idx) {
            sum_w += hs_cycle_get_host_elec_w(cycle, h)
                     * cycle->estate->racks[host->rack_idx].capture_ratio;
        }
    }
    return sum_w;
}

static double captured_w(const struct hs_cycle *cycle, size_t loop_idx)
{
    double seen_w = cycle->estimator->loops[loop_idx].captured_w;

    return isnan(seen_w) ? hs_cycle_get_modelled_w(cycle, loop_idx) : seen_w;
}

/* All that heats it is in planned maintenance at this moment. */
static bool is_maintained(const struct hs_cycle *cycle, size_t loop_idx)
{
    size_t n_hosts = 0;
    size_t n_closed = 0;

    for (size_t h = 0; cycle->closures.n > 0 && h < cycle->estate->n_hosts; h++) {
        bool is_closed = false;

        if (cycle->estate->hosts[h].loop_idx != loop_idx) {
            continue;
        }
        for (size_t i = 0; i < cycle->closures.n && !is_closed; i++) {
            const struct hs_cycle_closure *closure = &cycle->closures.items[i];

            is_closed = closure->host_idx == h && closure->from_at_s <= cycle->now_at_s
                        && closure->until_at_s > cycle->now_at_s;
        }
        n_hosts++;
        n_closed += is_closed ? 1 : 0;
    }
    return n_hosts > 0 && n_closed == n_hosts;
}

static void note_rejection(struct hs_cycle *cycle, size_t loop_idx, bool was_wanted)
{
    bool is_wanted = hs_loopstate_wants_rejection(&cycle->loops[loop_idx].state);

    if (is_wanted != was_wanted) {
        hs_cycle_note(cycle, "loop", cycle->estate->loops[loop_idx].path,
                      is_wanted ? "heat that nobody takes is to be rejected"
                                : "heat need not be rejected any more");
    }
}

/* --- interlocks --- */

static void fill_said(const struct hs_estimator_value *value, int64_t now_at_s,
                      struct hs_interlock_said *ret_said)
{
    *ret_said = (struct hs_interlock_said){value->value, (double)(now_at_s - value->at_s)};
}

void hs_cycle_fill_interlock(const struct hs_cycle *cycle, size_t loop_idx,
                             struct hs_interlock_input *ret_input)
{
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];

    *ret_input = (struct hs_interlock_input){
        .flow_min_l_per_min = cycle->estate->loops[loop_idx].flow_min_l_per_min,
        .fresh_s = (double)(HS_ESTIMATOR_BLIND_SLOTS * cycle->estate->slot_s),
    };
    fill_said(&seen->pump.ok, cycle->now_at_s, &ret_input->said[HS_INTERLOCK_PUMP]);
    fill_said(&seen->flow_l_per_min, cycle->now_at_s, &ret_input->said[HS_INTERLOCK_NO_FLOW]);
    fill_said(&seen->leak, cycle->now_at_s, &ret_input->said[HS_INTERLOCK_LEAK]);
    fill_said(&seen->emergency, cycle->now_at_s, &ret_input->said[HS_INTERLOCK_EMERGENCY]);
}

static void step_interlock(struct hs_cycle *cycle, size_t loop_idx)
{
    struct hs_interlock *interlock = &cycle->loops[loop_idx].interlock;
    struct hs_interlock_input input;
    bool turned[HS_INTERLOCK_COUNT_];
    char text[96];

    hs_cycle_fill_interlock(cycle, loop_idx, &input);
    hs_interlock_step(interlock, &input, cycle->now_at_s, turned);
    for (int kind = 0; kind < HS_INTERLOCK_COUNT_; kind++) {
        if (!turned[kind]) {
            continue;
        }
        hs_interlock_format((enum hs_interlock_kind)kind, &input, text, sizeof(text));
        hs_cycle_note(cycle, "interlock", cycle->estate->loops[loop_idx].path, "%s %s%s%s",
                      hs_interlock_word((enum hs_interlock_kind)kind),
                      interlock->holds[kind] ? "begins" : "is over",
                      interlock->holds[kind] ? ": " : "", interlock->holds[kind] ? text : "");
        cycle->is_plan_wanted = true;
    }
}

bool hs_cycle_find_off_sink(const struct hs_cycle *cycle, size_t loop_idx, size_t *ret_sink_idx)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        if (hs_estimator_says_off(cycle->estimator, k, cycle->now_at_s)) {
            if (ret_sink_idx != NULL) {
                *ret_sink_idx = k;
            }
            return true;
        }
    }
    return false;
}

/* Why no heat or not all of it can be handed over: what holds, most weighty last in the table. */
static void describe_off(const struct hs_cycle *cycle, size_t loop_idx, char *ret_text, size_t size)
{
    const struct hs_interlock *interlock = &cycle->loops[loop_idx].interlock;
    struct hs_interlock_input input;
    size_t sink_idx;

    for (int kind = HS_INTERLOCK_COUNT_ - 1; kind >= 0; kind--) {
        if (interlock->holds[kind]) {
            hs_cycle_fill_interlock(cycle, loop_idx, &input);
            hs_interlock_format((enum hs_interlock_kind)kind, &input, ret_text, size);
            return;
        }
    }
    if (hs_cycle_find_off_sink(cycle, loop_idx, &sink_idx)) {
        snprintf(ret_text, size, "sink '%.100s' takes no heat",
                 cycle->estate->sinks[sink_idx].path);
    }
}

/* --- racks --- */

/* Each rack whether it is too hot, each loop the rack that is nearest to it. */
static void step_racks(struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    HS_AUTO_MEM double *least_k = hs_xcalloc(estate->n_loops, sizeof(double));

    for (size_t l = 0; l < estate->n_loops; l++) {
        cycle->loops[l].hot_rack_idx = SIZE_MAX;
        least_k[l] = INFINITY;
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        size_t l = estate->racks[r].loop_idx;
        double inlet_c = hs_estimator_get_inlet_c(cycle->estimator, r, cycle->now_at_s);
        double below_k = hs_rack_get_inlet_max_c(&estate->racks[r]) - inlet_c;

        hs_cycle_hot_watch_rack(cycle, r);
        if (isnan(below_k) && cycle->racks[r].heat.kind == HS_LOOPSTATE_OVER_TEMPERATURE) {
            below_k = -INFINITY; /* it was too hot and nobody has said that it is cool */
        }
        if (below_k < least_k[l]) {
            least_k[l] = below_k;
            cycle->loops[l].hot_rack_idx = r;
        }
    }
}

/* The water or a rack's inlet, whichever is nearer its limit. @param ret_of  [size] its name */
static void fill_heat(const struct hs_cycle *cycle, size_t loop_idx,
                      struct hs_loopstate_input *io_input, char *ret_of, size_t size)
{
    size_t r = cycle->loops[loop_idx].hot_rack_idx;
    double over_c = hs_heatloop_get_over_c(&cycle->estate->loops[loop_idx]);
    double inlet_c;
    double inlet_max_c;

    io_input->hottest_c = hs_estimator_get_hottest_c(cycle->estimator, loop_idx, cycle->now_at_s);
    io_input->over_c = over_c;
    io_input->mute_s = hs_estimator_get_mute_s(cycle->estimator, loop_idx, cycle->now_at_s);
    if (r == SIZE_MAX) {
        return;
    }
    if (isnan(io_input->hottest_c)
        && cycle->loops[loop_idx].zone.heat.kind == HS_LOOPSTATE_OVER_TEMPERATURE) {
        return; /* a cool rack does not cool water that nobody measures any more */
    }
    inlet_c = hs_estimator_get_inlet_c(cycle->estimator, r, cycle->now_at_s);
    inlet_max_c = hs_rack_get_inlet_max_c(&cycle->estate->racks[r]);
    if (!(over_c - io_input->hottest_c <= inlet_max_c - inlet_c)) {
        io_input->hottest_c = inlet_c;
        io_input->over_c = inlet_max_c;
        io_input->hot_of = ret_of;
        io_input->mute_s = (double)(cycle->now_at_s - cycle->estimator->rack_inlet_c[r].at_s);
        snprintf(ret_of, size, "inlet of rack '%.60s' ", cycle->estate->racks[r].path);
    }
}

/* --- the loop --- */

static void step_state(struct hs_cycle *cycle, size_t loop_idx,
                       const struct hs_loopstate_input *input)
{
    const struct hs_heatloop *heatloop = &cycle->estate->loops[loop_idx];
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    enum hs_loopstate_kind before = loop->state.kind;
    bool was_wanted = hs_loopstate_wants_rejection(&loop->state);

    if (hs_loopstate_step(&loop->state, input, cycle->now_at_s)) {
        hs_cycle_note(cycle, "loop", heatloop->path, "%s -> %s: %s", hs_loopstate_word(before),
                      hs_loopstate_word(loop->state.kind), loop->state.cause);
        cycle->is_plan_wanted = true;
    }
    note_rejection(cycle, loop_idx, was_wanted);
}

static void step_loop(struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *heatloop = &cycle->estate->loops[loop_idx];
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    double slot_s = (double)cycle->estate->slot_s;
    double tank_max_wh = hs_tank_max_wh(&heatloop->tank);
    double silent_s = hs_estimator_get_silent_s(cycle->estimator, loop_idx, cycle->now_at_s);
    char off_why[128];
    char hot_of[96];
    struct hs_loopstate_input input = {
        .tank_ratio = tank_max_wh > 0
                          ? hs_estimator_get_tank_wh(cycle->estimator, loop_idx) / tank_max_wh
                          : NAN,
        .captured_w = captured_w(cycle, loop_idx),
        .demand_w = hs_estimator_get_demand_w(cycle->estimator, loop_idx),
        .silent_s = silent_s,
        .allowed_s = HS_ESTIMATOR_FRESH_SLOTS * slot_s,
        .n_bad = hs_estimator_get_n_bad(cycle->estimator, loop_idx),
        .is_maintained = is_maintained(cycle, loop_idx),
    };
    bool has_credit = !isnan(input.demand_w) && silent_s <= HS_ESTIMATOR_BLIND_SLOTS * slot_s;

    hs_cycle_watch_compute(cycle, loop_idx);
    step_interlock(cycle, loop_idx);
    fill_heat(cycle, loop_idx, &input, hot_of, sizeof(hot_of));
    input.is_sink_off =
        hs_interlock_is_on(&loop->interlock) || hs_cycle_find_off_sink(cycle, loop_idx, NULL);
    if (input.is_sink_off) {
        describe_off(cycle, loop_idx, off_why, sizeof(off_why));
        input.off_why = off_why;
    }
    step_state(cycle, loop_idx, &input);
    hs_cycle_hot_watch(cycle, loop_idx);
    if (has_credit != loop->has_credit) {
        loop->has_credit = has_credit;
        hs_cycle_note(cycle, "loop", heatloop->path,
                      has_credit ? "readings are good: heat has its price"
                                 : "no reading to believe: heat gets no credit");
        cycle->is_plan_wanted = true;
    }
    hs_cycle_watch_tank(cycle, loop_idx);
    hs_cycle_hygiene_watch(cycle, loop_idx);
}

static void watch_boilers(struct hs_cycle *cycle)
{
    for (size_t i = 0; i < cycle->boilers.n; i++) {
        struct hs_cycle_boiler *boiler = &cycle->boilers.items[i];
        bool is_out = boiler->from_at_s <= cycle->now_at_s && boiler->until_at_s > cycle->now_at_s;

        if (is_out != boiler->is_told) {
            boiler->is_told = is_out;
            hs_cycle_note(cycle, "maintenance", cycle->estate->sinks[boiler->sink_idx].path,
                          is_out ? "its own heating is out: what compute and the tank give is all"
                                 : "its own heating is to be back");
        }
    }
}

void hs_cycle_watch_loops(struct hs_cycle *cycle)
{
    watch_boilers(cycle);
    hs_cycle_close_balances(cycle);
    step_racks(cycle);
    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        step_loop(cycle, l);
    }
}

void hs_cycle_get_loop_status(const struct hs_cycle *cycle, size_t loop_idx,
                              struct hs_cycle_loop_status *ret_status)
{
    const struct hs_cycle_loop *loop = &cycle->loops[loop_idx];

    *ret_status = (struct hs_cycle_loop_status){
        .state = hs_loopstate_word(loop->state.kind),
        .cause = loop->state.cause,
        .since_at_s = loop->state.since_at_s,
        .wants_rejection = hs_loopstate_wants_rejection(&loop->state),
        .is_dark = loop->is_dark,
        .cap_elec_w = loop->zone.is_capped ? fmax(0.0, loop->zone.cap_w) : (double)INFINITY,
    };
}
