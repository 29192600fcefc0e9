/* SPDX-License-Identifier: Apache-2.0 */
/* place - life, the frame, and the plan as others read it; see place.h and place_priv.h. */
#include "scheduler/core/place_priv.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

/* --- life --- */

struct hs_place *hs_place_new(const struct hs_estate *estate, size_t n_slots)
{
    struct hs_place *place = hs_xcalloc(1, sizeof(*place));

    assert(n_slots > 0 && n_slots <= HS_PLAN_SLOTS_MAX);
    place->estate = estate;
    place->n_slots = n_slots;
    place->kinds = hs_kinds_new(estate, n_slots);
    place->bids = hs_xcalloc(place->kinds->n, sizeof(*place->bids));
    place->fit = hs_fit_new(estate, n_slots);
    place->barred = hs_xcalloc(estate->n_hosts, sizeof(*place->barred));
    place->unused_w = hs_xcalloc(estate->n_hosts * n_slots, sizeof(double));
    place->thermals = hs_xcalloc(estate->n_loops, sizeof(struct hs_thermal *));
    for (size_t l = 0; l < estate->n_loops; l++) {
        place->thermals[l] = hs_thermal_new(&estate->loops[l], estate->loops[l].n_sinks, n_slots);
    }
    place->inputs = hs_xcalloc(estate->n_loops, sizeof(*place->inputs));
    place->captured_wh = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    place->reject_cur_per_wh = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    place->sink_demand_wh = hs_xcalloc(estate->n_sinks * n_slots, sizeof(double));
    place->sink_cur_per_mwh = hs_xcalloc(estate->n_sinks, sizeof(double));
    place->floor_wh = hs_xcalloc(estate->n_loops * n_slots, sizeof(double));
    place->elec_cur_per_mwh = hs_xcalloc(estate->n_sites * n_slots, sizeof(double));
    return place;
}

void hs_place_free(struct hs_place *place)
{
    if (place == NULL) {
        return;
    }
    for (size_t p = 0; p < HS_PLACE_PARTS_MAX; p++) {
        hs_place_free(place->parts[p]);
    }
    hs_plan_free(place->plan);
    HS_VEC_FINI(&place->placements);
    HS_VEC_FINI(&place->placed);
    HS_VEC_FINI(&place->bounds);
    HS_VEC_FINI(&place->reserved);
    free(place->floor_wh);
    free(place->elec_cur_per_mwh);
    free(place->sink_cur_per_mwh);
    free(place->sink_demand_wh);
    free(place->reject_cur_per_wh);
    free(place->captured_wh);
    free(place->inputs);
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        hs_thermal_free(place->thermals[l]);
    }
    free(place->thermals);
    free(place->unused_w);
    free(place->barred);
    hs_fit_free(place->fit);
    free(place->bids);
    hs_kinds_free(place->kinds);
    free(place);
}

void hs_place_set_threads(struct hs_place *place, size_t n_threads)
{
    place->n_threads = n_threads;
}

size_t hs_place_count_parts(const struct hs_place *place)
{
    return place->n_parts > 0 ? place->n_parts : 1;
}

/* --- the frame --- */

static void copy_input(struct hs_place *place, size_t loop_idx, const struct hs_thermal_input *from)
{
    const struct hs_heatloop *loop = &place->estate->loops[loop_idx];
    size_t n = place->n_slots;
    struct hs_thermal_input *to = &place->inputs[loop_idx];
    double *captured_wh = &place->captured_wh[loop_idx * n];
    double *reject = &place->reject_cur_per_wh[loop_idx * n];
    double *demand_wh = &place->sink_demand_wh[loop->first_sink_idx * n];
    double *worth = &place->sink_cur_per_mwh[loop->first_sink_idx];

    memcpy(captured_wh, from->captured_wh, n * sizeof(double));
    memcpy(reject, from->reject_cur_per_wh, n * sizeof(double));
    memcpy(demand_wh, from->sink_demand_wh, loop->n_sinks * n * sizeof(double));
    memcpy(worth, from->sink_cur_per_mwh, loop->n_sinks * sizeof(double));
    *to = *from;
    to->captured_wh = captured_wh;
    to->reject_cur_per_wh = reject;
    to->sink_demand_wh = demand_wh;
    to->sink_cur_per_mwh = worth;
    if (from->floor_wh != NULL) {
        to->floor_wh = memcpy(&place->floor_wh[loop_idx * n], from->floor_wh, n * sizeof(double));
    }
}

void hs_place_reset(struct hs_place *place)
{
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        place->inputs[l].probe_wh = place->probe_wh;
        hs_thermal_set(place->thermals[l], &place->inputs[l]);
    }
    memset(place->unused_w, 0, place->estate->n_hosts * place->n_slots * sizeof(double));
    hs_fit_clear(place->fit);
    for (size_t i = 0; i < place->reserved.n; i++) {
        const struct hs_place_reserved *reserved = &place->reserved.items[i];
        struct hs_placement span = {.host_idx = reserved->host_idx,
                                    .first_slot = reserved->first_slot,
                                    .held_slot = reserved->first_slot,
                                    .last_slot = reserved->last_slot};

        memset(span.slots, 0xff, sizeof(span.slots));
        hs_fit_take(place->fit, &span, &reserved->size);
    }
    for (size_t i = 0; i < place->bounds.n; i++) {
        const struct hs_place_bound *bound = &place->bounds.items[i];

        if (bound->is_cap) {
            hs_fit_cap(place->fit, bound->scope, bound->idx, bound->elec_w, bound->first_slot,
                       bound->last_slot);
        } else {
            hs_fit_close(place->fit, bound->idx, bound->first_slot, bound->last_slot);
        }
    }
    place->is_room_stale = true;
    place->placements.n = 0;
    place->placed.n = 0;
    place->n_late = 0;
    place->n_avoidable = 0;
    place->is_plan_stale = true;
}

void hs_place_settle(struct hs_place *place)
{
    for (size_t l = 0; l < place->estate->n_loops && !place->search.is_guided; l++) {
        if (hs_thermal_settle(place->thermals[l])) {
            hs_kinds_set_prices(place->kinds, l, place->slot_h, place->thermals[l],
                                hs_thermal_get_changed(place->thermals[l]));
        }
    }
    if (place->is_room_stale) {
        hs_kinds_set_room(place->kinds, place->fit, place->barred);
        place->is_room_stale = false;
    }
}

/* What was taken in since the last reset may have been nothing but a frame. */
static void reset_if_wanted(struct hs_place *place)
{
    if (place->is_reset_wanted) {
        place->is_reset_wanted = false;
        hs_place_reset(place);
    }
}

void hs_place_set(struct hs_place *place, const struct hs_place_frame *frame)
{
    const struct hs_estate *estate = place->estate;

    assert(frame->now_at_s >= frame->from_at_s
           && frame->now_at_s < frame->from_at_s + estate->slot_s);
    for (size_t l = 0; l < estate->n_loops; l++) {
        copy_input(place, l, &frame->thermal[l]);
    }
    memcpy(place->elec_cur_per_mwh, frame->elec_cur_per_mwh,
           estate->n_sites * place->n_slots * sizeof(double));
    memset(place->barred, 0, estate->n_hosts * sizeof(*place->barred));
    place->reserved.n = 0;
    place->bounds.n = 0;
    place->ramp_cur_per_kw = frame->ramp_cur_per_kw;
    hs_fit_set_frees_memory(place->fit, frame->frees_memory);
    place->search = (struct hs_search){
        .estate = estate,
        .kinds = place->kinds,
        .fit = place->fit,
        .thermals = place->thermals,
        .elec_cur_per_mwh = place->elec_cur_per_mwh,
        .barred = place->barred,
        .bids = place->bids,
        .n_slots = place->n_slots,
        .from_at_s = frame->from_at_s,
        .now_at_s = frame->now_at_s,
        .slot_s = estate->slot_s,
        .waiting_weight = frame->waiting_weight,
        .suspend_s = frame->suspend_s,
    };
    for (size_t t = 0; t < place->n_slots; t++) {
        place->slot_h[t] = hs_search_slot_s(&place->search, t) / HS_S_PER_H;
    }
    hs_kinds_set_elec(place->kinds, place->slot_h, place->elec_cur_per_mwh);
    place->guide_heat = NULL;
    place->is_reset_wanted = true;
}

void hs_place_guide(struct hs_place *place, const double *heat_cur_per_wh, const double *room_cur)
{
    place->guide_heat = heat_cur_per_wh;
    place->guide_room = room_cur;
}

void hs_place_reserve(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size)
{
    hs_place_reserve_slots(place, host_idx, size, 0, place->n_slots - 1);
}

void hs_place_reserve_slots(struct hs_place *place, size_t host_idx, const struct hs_fit_size *size,
                            size_t first, size_t last)
{
    (void)HS_VEC_PUSH(&place->reserved, ((struct hs_place_reserved){host_idx, *size, first, last}));
    place->is_reset_wanted = true;
}

void hs_place_close_slots(struct hs_place *place, size_t host_idx, size_t first, size_t last)
{
    struct hs_place_bound bound = {.idx = host_idx, .first_slot = first, .last_slot = last};

    (void)HS_VEC_PUSH(&place->bounds, bound);
    place->is_reset_wanted = true;
}

void hs_place_cap_slots(struct hs_place *place, enum hs_fit_scope scope, size_t idx, double elec_w,
                        size_t first, size_t last)
{
    struct hs_place_bound bound = {true, scope, idx, elec_w, first, last};

    (void)HS_VEC_PUSH(&place->bounds, bound);
    place->is_reset_wanted = true;
}

void hs_place_bar(struct hs_place *place, size_t host_idx)
{
    place->barred[host_idx] = true;
    place->is_reset_wanted = true;
}

const struct hs_placement *hs_place_insert(struct hs_place *place, const struct hs_place_job *job)
{
    reset_if_wanted(place);
    hs_place_put(place, job, HS_PLACE_MODE_CHEAPEST);
    return &place->placements.items[place->placements.n - 1];
}

void hs_place_try(struct hs_place *place, const struct hs_place_job *job,
                  struct hs_placement *ret_placement)
{
    assert(job->freedom != HS_PLACE_FIXED);
    reset_if_wanted(place);
    hs_place_find(place, job, HS_PLACE_MODE_CHEAPEST, ret_placement);
}

double hs_place_price_now(struct hs_place *place, const struct hs_place_job *job)
{
    struct hs_search_offer offer;

    reset_if_wanted(place);
    hs_place_settle(place);
    hs_search_contiguous(&place->search, job, 0, 0, &offer);
    return offer.placement.host_idx == SIZE_MAX ? NAN : offer.cost_cur;
}

/* --- the plan --- */

static void fill_loop(struct hs_place *place, size_t loop_idx)
{
    const struct hs_heatloop *loop = &place->estate->loops[loop_idx];
    const struct hs_thermal *thermal = place->thermals[loop_idx];
    size_t n = place->n_slots;

    for (size_t t = 0; t < n; t++) {
        double slot_s = hs_search_slot_s(&place->search, t);
        double demand_wh = 0.0;

        for (size_t k = 0; k < loop->n_sinks; k++) {
            demand_wh += place->sink_demand_wh[(loop->first_sink_idx + k) * n + t];
        }
        place->plan->heat_cur_per_mwh[loop_idx * n + t] = hs_thermal_get_price(thermal, t);
        place->plan->elec_cur_per_mwh[loop_idx * n + t] =
            place->elec_cur_per_mwh[loop->site_idx * n + t];
        place->plan->demand_heat_w[loop_idx * n + t] = hs_w_from_wh(demand_wh, slot_s);
        place->plan->tank_wh[loop_idx * n + t] = hs_thermal_get_tank_wh(thermal, t);
    }
}

double hs_place_get_elec_w(const struct hs_place *place, size_t host_idx, size_t slot)
{
    const struct hs_host *host = &place->estate->hosts[host_idx];
    int32_t busy_vcpus = (int32_t)host->vcpus - hs_fit_get_vcpus(place->fit, host_idx, slot);

    busy_vcpus -= hs_fit_is_closed(place->fit, host_idx, slot) ? (int32_t)host->vcpus : 0;
    return hs_host_elec_w(host, busy_vcpus) - place->unused_w[host_idx * place->n_slots + slot];
}

static void fill_it_power(struct hs_place *place)
{
    const struct hs_estate *estate = place->estate;
    size_t n = place->n_slots;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        for (size_t t = 0; t < n; t++) {
            double elec_w = hs_place_get_elec_w(place, h, t);

            place->plan->it_w[host->loop_idx * n + t] += elec_w;
            place->plan->cost_cur +=
                hs_cur_from_wh(hs_wh_from_w(elec_w, hs_search_slot_s(&place->search, t)),
                               place->elec_cur_per_mwh[host->site_idx * n + t]);
        }
    }
}

const struct hs_placement *hs_place_get_placements(const struct hs_place *place, size_t *ret_n)
{
    *ret_n = place->placements.n;
    return place->placements.items;
}

const struct hs_plan *hs_place_get_plan(struct hs_place *place)
{
    if (!place->is_plan_stale) {
        return place->plan;
    }
    reset_if_wanted(place);
    hs_plan_free(place->plan);
    place->plan = hs_plan_new(place->search.from_at_s, place->search.slot_s, place->n_slots,
                              place->estate->n_loops);
    hs_place_settle(place);
    for (size_t l = 0; l < place->estate->n_loops; l++) {
        fill_loop(place, l);
        place->plan->cost_cur += hs_thermal_get_cost(place->thermals[l]);
    }
    fill_it_power(place);
    place->plan->placements = hs_xcalloc(place->placements.n, sizeof(struct hs_placement));
    if (place->placements.n > 0) {
        memcpy(place->plan->placements, place->placements.items,
               place->placements.n * sizeof(struct hs_placement));
    }
    place->plan->n_placements = place->placements.n;
    place->plan->n_late = place->n_late;
    place->is_plan_stale = false;
    return place->plan;
}
