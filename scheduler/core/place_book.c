/* SPDX-License-Identifier: Apache-2.0 */
/* place_book - what placements take of room, heat and memory, and who is late; see place_priv.h. */
#include "scheduler/core/place_priv.h"

static void count_late(struct hs_place *place, const struct hs_placement *placement, int sign)
{
    place->n_late += (size_t)(sign * (int)placement->is_late);
    place->n_avoidable += (size_t)(sign * (int)(placement->is_late && !placement->is_hopeless));
}

/* Room is taken whole, power only at the job's share. */
static void count_unused(struct hs_place *place, const struct hs_place_job *job,
                         const struct hs_placement *placement, double sign)
{
    double *unused_w = &place->unused_w[placement->host_idx * place->n_slots];
    double elec_w =
        hs_host_elec_w_per_vcpu(&place->estate->hosts[placement->host_idx]) * job->size.vcpus;

    for (size_t t = placement->first_slot; job->share_max > 0 && t <= placement->last_slot; t++) {
        double share = hs_place_get_full_share(job) * hs_place_get_speed(job, placement, t);

        unused_w[t] += hs_plan_runs(placement, t) ? sign * elec_w * (1.0 - share) : 0.0;
    }
}

/* Where the machine waits that is to go on on another host; 0 slots if it is none. */
static size_t find_wait(const struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *placement, struct hs_placement *ret_wait)
{
    bool leaves = job->host_idx != SIZE_MAX && job->host_idx != placement->host_idx;

    if (!leaves || placement->first_slot == 0 || hs_fit_get_frees_memory(place->fit)) {
        return 0;
    }
    *ret_wait =
        (struct hs_placement){.host_idx = job->host_idx, .last_slot = placement->first_slot - 1};
    return placement->first_slot;
}

bool hs_place_can_wait_there(const struct hs_place *place, const struct hs_place_job *job,
                             const struct hs_placement *placement)
{
    struct hs_placement wait;

    return find_wait(place, job, placement, &wait) == 0
           || hs_fit_check_memory(place->fit, wait.host_idx, &job->size, 0, wait.last_slot);
}

void hs_place_take_room(struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *placement)
{
    struct hs_placement wait;

    hs_fit_take(place->fit, placement, &job->size);
    if (find_wait(place, job, placement, &wait) > 0) {
        hs_fit_take(place->fit, &wait, &job->size);
    }
}

void hs_place_give_room(struct hs_place *place, const struct hs_place_job *job,
                        const struct hs_placement *placement)
{
    struct hs_placement wait;

    hs_fit_give(place->fit, placement, &job->size);
    if (find_wait(place, job, placement, &wait) > 0) {
        hs_fit_give(place->fit, &wait, &job->size);
    }
}

/* Take @placement's room and put its heat into its loop, or give both back. */
static void occupy(struct hs_place *place, const struct hs_place_job *job,
                   const struct hs_placement *placement, bool is_taken)
{
    double heat_wh[HS_PLAN_SLOTS_MAX];
    size_t first = placement->first_slot;
    size_t n = placement->last_slot - first + 1;
    size_t loop_idx = place->estate->hosts[placement->host_idx].loop_idx;

    (void)hs_search_heat(&place->search, job, placement, heat_wh);
    if (is_taken) {
        hs_place_take_room(place, job, placement);
    } else {
        hs_place_give_room(place, job, placement);
    }
    for (size_t t = first; !is_taken && t < first + n; t++) {
        heat_wh[t] = -heat_wh[t];
    }
    if (!place->is_room_stale && is_taken) {
        hs_kinds_take_room(place->kinds, place->fit, place->barred, placement);
    } else if (!place->is_room_stale) {
        hs_kinds_give_room(place->kinds, place->fit, place->barred, placement);
    }
    hs_thermal_lay(place->thermals[loop_idx], first, &heat_wh[first], n);
    count_unused(place, job, placement, is_taken ? 1.0 : -1.0);
    place->is_plan_stale = true;
}

static void push(struct hs_place *place, const struct hs_place_job *job,
                 const struct hs_placement *placement)
{
    (void)HS_VEC_PUSH(&place->placements, *placement);
    (void)HS_VEC_PUSH(&place->placed, job);
    count_late(place, placement, 1);
    place->is_plan_stale = true;
}

void hs_place_commit(struct hs_place *place, const struct hs_place_job *job,
                     const struct hs_placement *placement)
{
    occupy(place, job, placement, true);
    push(place, job, placement);
}

void hs_place_hold_memory(struct hs_place *place, const struct hs_place_job *job, bool is_held)
{
    struct hs_placement whole = {.host_idx = job->host_idx, .last_slot = place->n_slots - 1};

    if (job->host_idx == SIZE_MAX || job->freedom == HS_PLACE_FIXED
        || hs_fit_get_frees_memory(place->fit)) {
        return;
    }
    if (is_held) {
        hs_fit_take(place->fit, &whole, &job->size);
    } else {
        hs_fit_give(place->fit, &whole, &job->size);
    }
}

void hs_place_adopt(struct hs_place *place, const struct hs_place_job *job,
                    const struct hs_placement *placement)
{
    if (placement->host_idx != SIZE_MAX) {
        hs_place_commit(place, job, placement);
        return;
    }
    hs_place_hold_memory(place, job, true);
    push(place, job, placement);
}

void hs_place_take_out(struct hs_place *place, size_t i)
{
    const struct hs_place_job *job = place->placed.items[i];
    const struct hs_placement *placement = &place->placements.items[i];

    count_late(place, placement, -1);
    if (placement->host_idx != SIZE_MAX) {
        occupy(place, job, placement, false);
    } else {
        hs_place_hold_memory(place, job, false);
    }
}

void hs_place_undo_take_out(struct hs_place *place, size_t i)
{
    const struct hs_place_job *job = place->placed.items[i];
    const struct hs_placement *placement = &place->placements.items[i];
    size_t loop_idx;

    if (placement->host_idx == SIZE_MAX || place->is_room_stale) {
        hs_place_put_back(place, i, placement);
        return;
    }
    loop_idx = place->estate->hosts[placement->host_idx].loop_idx;
    if (!hs_thermal_undo(place->thermals[loop_idx])) {
        hs_place_put_back(place, i, placement);
        return;
    }
    hs_kinds_set_prices(place->kinds, loop_idx, place->slot_h, place->thermals[loop_idx],
                        hs_thermal_get_changed(place->thermals[loop_idx]));
    hs_place_take_room(place, job, placement);
    hs_kinds_take_room(place->kinds, place->fit, place->barred, placement);
    count_unused(place, job, placement, 1.0);
    count_late(place, placement, 1);
}

void hs_place_put_back(struct hs_place *place, size_t i, const struct hs_placement *placement)
{
    const struct hs_place_job *job = place->placed.items[i];

    place->placements.items[i] = *placement;
    count_late(place, placement, 1);
    if (placement->host_idx != SIZE_MAX) {
        occupy(place, job, placement, true);
    } else {
        hs_place_hold_memory(place, job, true);
    }
}
