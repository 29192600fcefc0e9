/* SPDX-License-Identifier: Apache-2.0 */
/* plan_asap - first fit in the order of arrival. */
#include "tests/bench/plan_asap.h"

#include <math.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"

struct room {
    const struct plan_cases *cases;
    int32_t *vcpus;      /* [n_hosts][n_slots] free */
    int64_t *memory_mib; /* [n_hosts][n_slots] free */
    double *rack_w;      /* [n_racks][n_slots] free */
};

static int compare_arrivals(const void *a, const void *b)
{
    const struct hs_place_job *left = *(const struct hs_place_job *const *)a;
    const struct hs_place_job *right = *(const struct hs_place_job *const *)b;

    if (left->is_running != right->is_running) {
        return left->is_running ? -1 : 1; /* came before all that still wait */
    }
    if (left->earliest_at_s != right->earliest_at_s) {
        return left->earliest_at_s < right->earliest_at_s ? -1 : 1;
    }
    if (left->due_at_s != right->due_at_s) {
        return left->due_at_s < right->due_at_s ? -1 : 1;
    }
    return (left->job_id > right->job_id) - (left->job_id < right->job_id);
}

static bool has_room(const struct room *room, const struct hs_place_job *job, size_t host_idx,
                     double elec_w, size_t slot)
{
    size_t n = room->cases->setup.n_slots;
    size_t rack_idx = room->cases->estate->hosts[host_idx].rack_idx;

    return room->vcpus[host_idx * n + slot] >= job->size.vcpus
           && room->memory_mib[host_idx * n + slot] >= job->size.memory_mib
           && room->rack_w[rack_idx * n + slot] >= elec_w;
}

/** First slot from @first, before @below, where @job fits for @n_run slots; @below if none. */
static size_t find_start(const struct room *room, const struct hs_place_job *job, size_t host_idx,
                         size_t first, size_t n_run, size_t below)
{
    double elec_w =
        job->size.vcpus * hs_host_elec_w_per_vcpu(&room->cases->estate->hosts[host_idx]);
    size_t start = first;

    for (size_t t = first; start < below && start + n_run <= room->cases->setup.n_slots; t++) {
        if (!has_room(room, job, host_idx, elec_w, t)) {
            start = t + 1;
        } else if (t + 1 - start == n_run) {
            return start;
        }
    }
    return below;
}

static void take(struct room *room, const struct hs_place_job *job, size_t n_run,
                 struct hs_placement *placement)
{
    size_t n = room->cases->setup.n_slots;
    const struct hs_host *host = &room->cases->estate->hosts[placement->host_idx];

    placement->held_slot = placement->first_slot;
    placement->last_slot = placement->first_slot + n_run - 1;
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        placement->slots[t / 64] |= UINT64_C(1) << t % 64;
        room->vcpus[placement->host_idx * n + t] -= job->size.vcpus;
        room->memory_mib[placement->host_idx * n + t] -= job->size.memory_mib;
        room->rack_w[host->rack_idx * n + t] -= job->size.vcpus * hs_host_elec_w_per_vcpu(host);
    }
}

static void place(struct room *room, const struct hs_place_job *job, struct hs_placement *placement)
{
    const struct plan_cases *cases = room->cases;
    int64_t wait_s = job->earliest_at_s - cases->frame.from_at_s;
    size_t first = wait_s > 0 ? (size_t)(wait_s / PLAN_CASES_SLOT_S) : 0;
    size_t n_run = (size_t)(job->remaining_s / (double)PLAN_CASES_SLOT_S);
    size_t best = SIZE_MAX;

    *placement = (struct hs_placement){
        .job_id = job->job_id, .host_idx = SIZE_MAX, .first_slot = SIZE_MAX, .is_late = true};
    for (size_t h = 0; h < cases->estate->n_hosts && best > first; h++) {
        bool is_bound_elsewhere = job->host_idx != SIZE_MAX && job->host_idx != h;

        if (job->site_allowed[cases->estate->hosts[h].site_idx] && !is_bound_elsewhere) {
            size_t start = find_start(room, job, h, first, n_run, best);

            if (start < best) {
                best = start;
                placement->host_idx = h;
            }
        }
    }
    if (placement->host_idx != SIZE_MAX) {
        int64_t ends_at_s = cases->frame.from_at_s + (int64_t)(best + n_run) * PLAN_CASES_SLOT_S;

        placement->first_slot = best;
        placement->is_late = ends_at_s > job->due_at_s;
        take(room, job, n_run, placement);
    }
}

static void clear(struct room *room)
{
    const struct hs_estate *estate = room->cases->estate;
    size_t n = room->cases->setup.n_slots;

    for (size_t i = 0; i < estate->n_hosts * n; i++) {
        room->vcpus[i] = (int32_t)estate->hosts[i / n].vcpus;
        room->memory_mib[i] = (int64_t)estate->hosts[i / n].memory_mib;
    }
    for (size_t i = 0; i < estate->n_racks * n; i++) {
        const struct hs_rack *rack = &estate->racks[i / n];
        double idle_w = 0;

        for (size_t h = 0; h < rack->n_hosts; h++) {
            idle_w += estate->hosts[rack->first_host_idx + h].idle_w;
        }
        room->rack_w[i] = rack->limit_w - idle_w;
    }
}

size_t plan_asap_make(const struct plan_cases *cases, struct hs_placement *ret_placements)
{
    size_t n_host_slots = cases->estate->n_hosts * cases->setup.n_slots;
    HS_AUTO_MEM int32_t *vcpus = hs_xcalloc(n_host_slots, sizeof(*vcpus));
    HS_AUTO_MEM int64_t *memory_mib = hs_xcalloc(n_host_slots, sizeof(*memory_mib));
    HS_AUTO_MEM double *rack_w =
        hs_xcalloc(cases->estate->n_racks * cases->setup.n_slots, sizeof(*rack_w));
    HS_AUTO_MEM const struct hs_place_job **order = hs_xcalloc(cases->n_jobs, sizeof(*order));
    struct room room = {.cases = cases, .vcpus = vcpus, .memory_mib = memory_mib, .rack_w = rack_w};
    size_t n_late = 0;

    clear(&room);
    for (size_t j = 0; j < cases->n_jobs; j++) {
        order[j] = &cases->jobs[j];
    }
    qsort(order, cases->n_jobs, sizeof(struct hs_place_job *), compare_arrivals);
    for (size_t i = 0; i < cases->n_jobs; i++) {
        place(&room, order[i], &ret_placements[order[i] - cases->jobs]);
        n_late += ret_placements[order[i] - cases->jobs].is_late;
    }
    return n_late;
}
