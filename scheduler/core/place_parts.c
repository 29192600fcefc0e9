/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_parts - an estate in parts that share no job, each planned by itself; see place_priv.h.
 *
 * Sites belong together where a job may use both. Where there are many jobs and more than one such
 * group, groups are put into a few parts of about as many jobs each, and every part has a planner
 * of its own over the whole estate: none of them sees the others' jobs, nor would they matter. So
 * parts run on as many threads as there are, and the plan is the same on any number of them.
 */
#include "scheduler/core/place_priv.h"

#include <string.h>

#include "scheduler/base/fanout.h"
#include "scheduler/base/mem.h"

#define NO_PART SIZE_MAX

/* Which sites belong together: each points to another of its group, or to itself. */
static size_t find_root(size_t *parents, size_t site_idx)
{
    while (parents[site_idx] != site_idx) {
        site_idx = parents[site_idx] = parents[parents[site_idx]];
    }
    return site_idx;
}

static bool may_use_site(const struct hs_place *place, const struct hs_place_job *job,
                         size_t site_idx)
{
    bool is_there =
        job->host_idx != SIZE_MAX && place->estate->hosts[job->host_idx].site_idx == site_idx;

    if (job->host_idx != SIZE_MAX && !job->is_movable) {
        return is_there;
    }
    return is_there || job->site_allowed == NULL || job->site_allowed[site_idx];
}

/* One site of the job's group; NO_PART if it may go nowhere. The group may grow by it. */
static size_t join(const struct hs_place *place, const struct hs_place_job *job, size_t *parents)
{
    size_t root = NO_PART;

    for (size_t s = 0; s < place->estate->n_sites; s++) {
        if (!may_use_site(place, job, s)) {
            continue;
        }
        size_t other = find_root(parents, s);

        root = root == NO_PART ? other : root;
        parents[other] = root;
    }
    return root;
}

/*
 * Groups into parts: the largest first, each into the part that has fewest jobs so far.
 *
 * @param counts        [n_sites] jobs of the group with that root
 * @param ret_part_of   [n_sites] by root
 * @return parts with any job
 */
static size_t deal(size_t n_sites, size_t *counts, size_t *ret_part_of)
{
    size_t sizes[HS_PLACE_PARTS_MAX] = {0};
    size_t n_parts = 0;

    for (;;) {
        size_t largest = 0;
        size_t least = 0;

        for (size_t s = 1; s < n_sites; s++) {
            largest = counts[s] > counts[largest] ? s : largest;
        }
        if (counts[largest] == 0) {
            return n_parts;
        }
        for (size_t p = 1; p < HS_PLACE_PARTS_MAX; p++) {
            least = sizes[p] < sizes[least] ? p : least;
        }
        n_parts += sizes[least] == 0;
        sizes[least] += counts[largest];
        ret_part_of[largest] = least;
        counts[largest] = 0;
    }
}

/* The part of each job. @return how many parts there are */
static size_t split(const struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs,
                    size_t *ret_part_of)
{
    size_t n_sites = place->estate->n_sites;
    HS_AUTO_MEM size_t *parents = hs_xcalloc(n_sites, sizeof(*parents));
    HS_AUTO_MEM size_t *counts = hs_xcalloc(n_sites, sizeof(*counts));
    HS_AUTO_MEM size_t *part_of = hs_xcalloc(n_sites, sizeof(*part_of));

    for (size_t s = 0; s < n_sites; s++) {
        parents[s] = s;
    }
    for (size_t i = 0; i < n_jobs; i++) {
        size_t site_idx = join(place, &jobs[i], parents);

        ret_part_of[i] = site_idx == NO_PART ? 0 : site_idx; /* what goes nowhere is no trouble */
    }
    for (size_t i = 0; i < n_jobs; i++) {
        ret_part_of[i] = find_root(parents, ret_part_of[i]);
        counts[ret_part_of[i]]++;
    }
    size_t n_parts = deal(n_sites, counts, part_of);

    for (size_t i = 0; i < n_jobs; i++) {
        ret_part_of[i] = part_of[ret_part_of[i]];
    }
    return n_parts;
}

/* The same horizon for a part. */
static void copy_frame(const struct hs_place *place, struct hs_place *part)
{
    struct hs_place_frame frame = {
        .now_at_s = place->search.now_at_s,
        .from_at_s = place->search.from_at_s,
        .elec_cur_per_mwh = place->elec_cur_per_mwh,
        .thermal = place->inputs,
        .waiting_weight = place->search.waiting_weight,
        .frees_memory = hs_fit_get_frees_memory(place->fit),
        .suspend_s = place->search.suspend_s,
        .ramp_cur_per_kw = place->ramp_cur_per_kw,
    };

    hs_place_set(part, &frame);
    memcpy(part->barred, place->barred, place->estate->n_hosts * sizeof(*part->barred));
    for (size_t i = 0; i < place->reserved.n; i++) {
        (void)HS_VEC_PUSH(&part->reserved, place->reserved.items[i]);
    }
    for (size_t i = 0; i < place->bounds.n; i++) {
        (void)HS_VEC_PUSH(&part->bounds, place->bounds.items[i]);
    }
    part->guide_heat = place->guide_heat;
    part->guide_room = place->guide_room;
}

/* What the threads work on. */
struct parts {
    struct hs_place *place;
    const struct hs_place_job *jobs;
    size_t n_jobs;
    const size_t *part_of; /* [n_jobs] */
    enum hs_place_mode first;
};

static void plan_part(void *arg, size_t item)
{
    const struct parts *parts = arg;
    struct hs_place *part = parts->place->parts[item];
    HS_AUTO_MEM const struct hs_place_job **order =
        hs_xcalloc(parts->n_jobs, sizeof(const struct hs_place_job *));
    size_t n = 0;

    for (size_t i = 0; i < parts->n_jobs; i++) {
        if (parts->part_of[i] == item) {
            order[n++] = &parts->jobs[i];
        }
    }
    hs_place_plan_from(part, order, n, parts->first);
}

/* What the parts decided, as one plan. */
static void merge(const struct parts *parts, size_t n_parts)
{
    struct hs_place *place = parts->place;

    place->is_reset_wanted = false;
    hs_place_reset(place);
    for (size_t p = 0; p < n_parts; p++) {
        const struct hs_place *part = place->parts[p];

        for (size_t i = 0; i < part->placements.n; i++) {
            hs_place_adopt(place, part->placed.items[i], &part->placements.items[i]);
        }
    }
}

bool hs_place_plan_parts(struct hs_place *place, const struct hs_place_job *jobs, size_t n_jobs,
                         enum hs_place_mode first)
{
    struct parts parts = {.place = place, .jobs = jobs, .n_jobs = n_jobs, .first = first};

    place->n_parts = 0;
    if (n_jobs < HS_PLACE_PARTS_JOBS_MIN || place->estate->n_sites < 2) {
        return false;
    }
    HS_AUTO_MEM size_t *part_of = hs_xcalloc(n_jobs, sizeof(*part_of));
    size_t n_parts = split(place, jobs, n_jobs, part_of);

    if (n_parts < 2) {
        return false;
    }
    for (size_t p = 0; p < n_parts; p++) {
        if (place->parts[p] == NULL) {
            place->parts[p] = hs_place_new(place->estate, place->n_slots);
        }
        copy_frame(place, place->parts[p]);
    }
    place->n_parts = n_parts;
    parts.part_of = part_of;
    hs_fanout_run(place->n_threads, n_parts, plan_part, &parts);
    merge(&parts, n_parts);
    return true;
}
