/* SPDX-License-Identifier: Apache-2.0 */
/* place_ask - one job out of the plan, questions, and back; see place_ask.h. */
#include "scheduler/core/place_ask.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/place_priv.h"
#include "scheduler/core/search_priv.h"

/* --- out and back --- */

/* Heat, room and memory of the standing place, taken or given back; prices follow. */
static void occupy(struct hs_place_ask *ask, bool is_taken)
{
    struct hs_place *place = ask->place;
    const struct hs_placement *standing = &ask->standing;
    double heat_wh[HS_PLAN_SLOTS_MAX];

    place->is_room_stale = true;
    if (standing->host_idx == SIZE_MAX) {
        hs_place_hold_memory(place, &ask->job, is_taken);
        return;
    }
    size_t loop_idx = place->estate->hosts[standing->host_idx].loop_idx;
    size_t first = standing->first_slot;
    size_t n = standing->last_slot - first + 1;

    if (is_taken) {
        hs_place_take_room(place, &ask->job, standing);
    } else {
        hs_place_give_room(place, &ask->job, standing);
    }
    (void)hs_search_heat(&place->search, &ask->job, standing, heat_wh);
    for (size_t t = first; !is_taken && t < first + n; t++) {
        heat_wh[t] = -heat_wh[t];
    }
    hs_thermal_lay(place->thermals[loop_idx], first, &heat_wh[first], n);
}

/* Adding what was subtracted may miss the last bit, and a tie between two places hang on it. */
static void restore_heat(struct hs_place_ask *ask)
{
    struct hs_thermal *thermal =
        ask->place->thermals[ask->place->estate->hosts[ask->standing.host_idx].loop_idx];

    for (size_t t = ask->standing.first_slot; t <= ask->standing.last_slot; t++) {
        for (int i = 0; i < 4; i++) {
            double missed_wh = ask->captured_wh[t] - hs_thermal_get_captured_wh(thermal, t);

            if (missed_wh == 0) {
                break;
            }
            hs_thermal_lay(thermal, t, &missed_wh, 1);
        }
    }
}

void hs_place_ask_begin(struct hs_place_ask *ask, struct hs_place *place,
                        const struct hs_place_job *job, const struct hs_placement *standing,
                        bool is_in_plan)
{
    size_t n_hosts = place->estate->n_hosts;

    assert(job->freedom != HS_PLACE_FIXED);
    (void)hs_place_get_plan(place); /* made as it stands, not without the job */
    *ask = (struct hs_place_ask){
        .place = place,
        .job = *job,
        .standing = *standing,
        .standing_cur = (double)NAN,
        .captured_wh = hs_xcalloc(place->n_slots, sizeof(double)),
        .barred = hs_xcalloc(n_hosts, sizeof(bool)),
        .is_in_plan = is_in_plan,
        .was_plan_stale = place->is_plan_stale,
    };
    memcpy(ask->barred, place->barred, n_hosts * sizeof(bool));
    if (ask->standing.host_idx != SIZE_MAX) {
        const struct hs_thermal *thermal =
            place->thermals[place->estate->hosts[ask->standing.host_idx].loop_idx];

        for (size_t t = 0; t < place->n_slots; t++) {
            ask->captured_wh[t] = hs_thermal_get_captured_wh(thermal, t);
        }
    }
    if (is_in_plan) {
        occupy(ask, false);
    }
    hs_place_settle(place);
    if (ask->standing.host_idx != SIZE_MAX) {
        ask->standing_cur = hs_search_price(&place->search, job, &ask->standing);
    }
}

void hs_place_ask_end(struct hs_place_ask *ask)
{
    struct hs_place *place = ask->place;

    hs_place_ask_unbar(ask);
    if (ask->is_in_plan) {
        occupy(ask, true);
    }
    if (ask->is_in_plan && ask->standing.host_idx != SIZE_MAX) {
        restore_heat(ask);
    }
    hs_place_settle(place);
    place->is_plan_stale = ask->was_plan_stale;
    free(ask->barred);
    free(ask->captured_wh);
    ask->barred = NULL;
    ask->captured_wh = NULL;
}

/* --- questions --- */

double hs_place_ask_get_start_at_s(const struct hs_place_ask *ask, size_t t)
{
    return hs_search_start_at_s(&ask->place->search, t);
}

double hs_place_ask_get_slot_s(const struct hs_place_ask *ask, size_t t)
{
    return hs_search_slot_s(&ask->place->search, t);
}

double hs_place_ask_get_end_at_s(const struct hs_place_ask *ask,
                                 const struct hs_placement *placement)
{
    return hs_place_get_end_at_s(ask->place, &ask->job, placement);
}

double hs_place_ask_price(const struct hs_place_ask *ask, const struct hs_placement *placement)
{
    return hs_search_price(&ask->place->search, &ask->job, placement);
}

bool hs_place_ask_find(struct hs_place_ask *ask, const struct hs_place_job *job,
                       struct hs_placement *ret_placement)
{
    hs_place_find(ask->place, job, HS_PLACE_MODE_CHEAPEST, ret_placement);
    return ret_placement->host_idx != SIZE_MAX && !ret_placement->is_late;
}

bool hs_place_ask_find_now(struct hs_place_ask *ask, struct hs_placement *ret_placement)
{
    struct hs_search_offer offer;

    hs_place_settle(ask->place);
    hs_search_contiguous(&ask->place->search, &ask->job, 0, 0, &offer);
    *ret_placement = offer.placement;
    return offer.placement.host_idx != SIZE_MAX;
}

void hs_place_ask_bar_host(struct hs_place_ask *ask, size_t host_idx)
{
    ask->place->barred[host_idx] = true;
    ask->place->is_room_stale = true;
}

void hs_place_ask_bar_loop(struct hs_place_ask *ask, size_t loop_idx)
{
    for (size_t h = 0; h < ask->place->estate->n_hosts; h++) {
        if (ask->place->estate->hosts[h].loop_idx == loop_idx) {
            hs_place_ask_bar_host(ask, h);
        }
    }
}

void hs_place_ask_unbar(struct hs_place_ask *ask)
{
    memcpy(ask->place->barred, ask->barred, ask->place->estate->n_hosts * sizeof(bool));
    ask->place->is_room_stale = true;
}

/* --- room --- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void hs_place_ask_find_shortage(const struct hs_place *place, size_t host_idx,
                                const struct hs_fit_size *size, size_t first, size_t last,
                                struct hs_place_shortage *ret_shortage)
{
    const struct hs_host *host = &place->estate->hosts[host_idx];
    int64_t elec_mw = hs_fit_elec_mw(place->fit, host_idx, size->vcpus);
    struct hs_place_shortage most = {.host_idx = host_idx, .first_slot = SIZE_MAX};

    for (size_t t = first; t <= last && t < place->n_slots; t++) {
        int64_t vcpus = size->vcpus - hs_fit_get_vcpus(place->fit, host_idx, t);
        int64_t memory_mib = size->memory_mib - hs_fit_get_memory_mib(place->fit, host_idx, t);
        int64_t rack_mw = elec_mw - hs_fit_get_rack_mw(place->fit, host->rack_idx, t);
        int64_t site_mw = elec_mw - hs_fit_get_site_mw(place->fit, host->site_idx, t);

        if (vcpus > 0 || memory_mib > 0 || rack_mw > 0 || site_mw > 0) {
            most.first_slot = most.first_slot == SIZE_MAX ? t : most.first_slot;
            most.last_slot = t;
            most.vcpus = (int32_t)larger(most.vcpus, vcpus);
            most.memory_mib = larger(most.memory_mib, memory_mib);
            most.rack_mw = larger(most.rack_mw, rack_mw);
            most.site_mw = larger(most.site_mw, site_mw);
        }
    }
    *ret_shortage = most;
}

/* A host of @kind that the job may use, were it empty; of those the one that lacks least. */
static size_t find_roomiest(const struct hs_place_ask *ask, const struct hs_kind *kind,
                            size_t start, struct hs_placement *ret_placement,
                            struct hs_place_shortage *ret_shortage)
{
    const struct hs_place_job *job = &ask->job;
    struct hs_place_shortage shortage;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < kind->n_hosts; i++) {
        size_t h = kind->hosts[i];

        if (ask->place->barred[h] || !hs_fit_check_ever(ask->place->fit, h, &job->size)
            || (job->host_idx != SIZE_MAX && job->host_idx != h)) {
            continue;
        }
        if (best == SIZE_MAX) {
            hs_place_fill_run(ask->place, job, h, start, ret_placement);
        }
        hs_place_ask_find_shortage(ask->place, h, &job->size, start, ret_placement->last_slot,
                                   &shortage);
        if (best == SIZE_MAX || shortage.vcpus < ret_shortage->vcpus
            || (shortage.vcpus == ret_shortage->vcpus
                && shortage.memory_mib + shortage.rack_mw + shortage.site_mw
                       < ret_shortage->memory_mib + ret_shortage->rack_mw
                             + ret_shortage->site_mw)) {
            best = h;
            *ret_shortage = shortage;
        }
    }
    if (best != SIZE_MAX) {
        ret_placement->host_idx = best;
    }
    return best;
}

/* The start with the least sum of the kind's slot prices. */
static size_t find_cheapest(const struct hs_place *place, const struct hs_kind *kind,
                            const struct hs_place_job *job, size_t first, size_t last)
{
    size_t best = first;
    double best_cur = INFINITY;

    for (size_t s = first; s <= last; s++) {
        double slots = ceil(job->remaining_s / (double)place->search.slot_s - 1e-9);
        size_t end = s + (size_t)fmin(slots, (double)(place->n_slots - s));
        double cur = (kind->net_cur_per_w[end] - kind->net_cur_per_w[s])
                     / fmax((double)(end - s), 1.0) * slots;

        if (cur < best_cur) {
            best = s;
            best_cur = cur;
        }
    }
    return best;
}

bool hs_place_ask_find_roomless(struct hs_place_ask *ask, struct hs_placement *ret_placement,
                                struct hs_place_shortage *ret_shortage)
{
    const struct hs_place *place = ask->place;
    double best_cur = INFINITY;
    size_t first;
    size_t last;

    double end_at_s =
        (double)ask->job.due_at_s - fmax(ask->job.margin_s, (double)place->search.slot_s);

    hs_place_settle(ask->place);
    if (!hs_place_get_starts(place, &ask->job, end_at_s, &first, &last)) {
        return false;
    }
    for (size_t k = 0; k < place->kinds->n; k++) {
        const struct hs_kind *kind = &place->kinds->items[k];
        struct hs_place_shortage shortage;
        struct hs_placement placement;

        if (ask->job.site_allowed != NULL && !ask->job.site_allowed[kind->site_idx]) {
            continue;
        }
        size_t start = find_cheapest(place, kind, &ask->job, first, last);

        if (find_roomiest(ask, kind, start, &placement, &shortage) == SIZE_MAX) {
            continue;
        }
        double cost_cur = hs_search_price(&place->search, &ask->job, &placement);

        if (cost_cur < best_cur) {
            best_cur = cost_cur;
            *ret_placement = placement;
            ret_placement->cost_cur = cost_cur;
            *ret_shortage = shortage;
        }
    }
    return best_cur < INFINITY;
}

bool hs_place_ask_check_now(struct hs_place *place, const struct hs_place_job *job,
                            const struct hs_placement *standing)
{
    const struct hs_estate *estate = place->estate;
    struct hs_placement run;
    bool is_found = false;

    hs_place_fill_run(place, job, 0, 0, &run);
    hs_place_give_room(place, job, standing);
    /* elsewhere nothing has been given back */
    for (size_t h = 0; h < estate->n_hosts && !is_found; h++) {
        is_found = estate->hosts[h].site_idx == estate->hosts[standing->host_idx].site_idx
                   && hs_search_may_use_host(&place->search, h, job)
                   && hs_fit_check_span(place->fit, h, &job->size, 0, run.last_slot);
    }
    hs_place_take_room(place, job, standing);
    return is_found;
}

const struct hs_fit *hs_place_ask_get_fit(const struct hs_place *place)
{
    return place->fit;
}

const struct hs_thermal *hs_place_ask_get_thermal(const struct hs_place *place, size_t loop_idx)
{
    return place->thermals[loop_idx];
}
