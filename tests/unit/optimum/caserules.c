/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/optimum/caserules.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/optimum/caseprice.h"

#define FREE_MW (INT64_MAX / 4)

static int64_t vcpu_mw(const struct hs_host *host, int64_t vcpus)
{
    return llround((host->max_w - host->idle_w) / (double)host->vcpus * (double)vcpus * 1e3);
}

static int64_t limit_mw(double limit_w)
{
    return isfinite(limit_w) ? llround(limit_w * 1e3) : FREE_MW;
}

static void take(const struct smallcase *c, size_t h, const struct hs_fit_size *size, size_t t,
                 bool runs, struct caserules_room *room)
{
    const struct hs_host *host = &c->hosts[h];

    room->memory_mib[h][t] -= runs || !c->frame.frees_memory ? size->memory_mib : 0;
    if (runs) {
        room->vcpus[h][t] -= size->vcpus;
        room->rack_mw[host->rack_idx][t] -= vcpu_mw(host, size->vcpus);
        room->loop_mw[host->loop_idx][t] -= vcpu_mw(host, size->vcpus);
        room->site_mw[host->site_idx][t] -= vcpu_mw(host, size->vcpus);
    }
}

/* The limit of site, loop or rack @idx in slot @t. */
static int64_t limit_at_mw(const struct smallcase *c, enum hs_fit_scope scope, size_t idx, size_t t)
{
    double limit_w = scope == HS_FIT_SITE   ? c->sites[idx].limit_w
                     : scope == HS_FIT_RACK ? c->racks[idx].limit_w
                                            : (double)INFINITY;

    for (size_t i = 0; i < c->n_caps; i++) {
        const struct smallcase_cap *cap = &c->caps[i];

        if (cap->scope == scope && cap->idx == idx && t >= cap->first && t <= cap->last) {
            limit_w = fmin(limit_w, cap->elec_w);
        }
    }
    return limit_mw(limit_w);
}

void caserules_open(const struct smallcase *c, struct caserules_room *ret_room)
{
    for (size_t t = 0; t < c->n_slots; t++) {
        for (size_t l = 0; l < c->estate.n_loops; l++) {
            ret_room->rack_mw[l][t] = limit_at_mw(c, HS_FIT_RACK, l, t);
            ret_room->loop_mw[l][t] = limit_at_mw(c, HS_FIT_LOOP, l, t);
            ret_room->site_mw[l][t] = limit_at_mw(c, HS_FIT_SITE, l, t);
        }
        for (size_t h = 0; h < c->estate.n_hosts; h++) {
            const struct hs_host *host = &c->hosts[h];
            double base_w =
                host->idle_w
                + (host->max_w - host->idle_w) * (double)host->pinned_vcpus / (double)host->vcpus;

            ret_room->vcpus[h][t] = (int64_t)host->vcpus - (int64_t)host->pinned_vcpus;
            ret_room->memory_mib[h][t] = (int64_t)host->memory_mib;
            ret_room->rack_mw[host->rack_idx][t] -= llround(base_w * 1e3);
            ret_room->loop_mw[host->loop_idx][t] -= llround(base_w * 1e3);
            ret_room->site_mw[host->site_idx][t] -= llround(base_w * 1e3);
        }
        for (size_t i = 0; i < c->n_reserved; i++) {
            if (t >= c->reserved[i].first && t <= c->reserved[i].last) {
                take(c, c->reserved[i].host_idx, &c->reserved[i].size, t, true, ret_room);
            }
        }
    }
}

/* It goes on on another host than it is on: there its machine waits until then. */
static bool leaves_host(const struct hs_place_job *job, const struct hs_placement *placement)
{
    return job->host_idx != SIZE_MAX && job->host_idx != placement->host_idx;
}

void caserules_take(const struct smallcase *c, const struct hs_place_job *job,
                    const struct hs_placement *placement, struct caserules_room *io_room)
{
    for (size_t t = placement->held_slot; t <= placement->last_slot; t++) {
        take(c, placement->host_idx, &job->size, t, hs_plan_runs(placement, t), io_room);
    }
    for (size_t t = 0; leaves_host(job, placement) && t < placement->first_slot; t++) {
        take(c, job->host_idx, &job->size, t, false, io_room);
    }
}

/* --- one placement by itself --- */

bool caserules_runs_on(const struct smallcase *c, const struct hs_place_job *job,
                       const struct hs_placement *placement)
{
    double left_s = job->remaining_s;

    for (size_t t = placement->first_slot; t < placement->last_slot; t++) {
        left_s -= hs_plan_runs(placement, t) ? smallcase_work_s(c, job, placement, t) : 0.0;
    }
    return left_s <= 1e-6;
}

static const char *check_place(const struct smallcase *c, const struct hs_place_job *job,
                               const struct hs_placement *placement)
{
    size_t h = placement->host_idx;

    if (h >= c->estate.n_hosts) {
        return "no such host";
    }
    if (c->barred[h] && (job->freedom != HS_PLACE_FIXED || leaves_host(job, placement))) {
        return "on a barred host";
    }
    if (leaves_host(job, placement) && !job->is_movable) {
        return "moved from the host that holds it";
    }
    if (job->site_allowed != NULL && !job->site_allowed[c->hosts[h].site_idx]) {
        return "on a site that is not allowed";
    }
    return NULL;
}

static size_t first_free(const struct smallcase *c, const struct hs_place_job *job)
{
    double wait_s = (double)(job->earliest_at_s - c->frame.from_at_s);

    return job->earliest_at_s <= c->frame.now_at_s
               ? 0
               : (size_t)ceil(wait_s / (double)c->estate.slot_s - 1e-9);
}

static size_t min_run_slots(const struct smallcase *c, const struct hs_place_job *job)
{
    size_t n = (size_t)((job->min_run_s + c->estate.slot_s - 1) / c->estate.slot_s);

    return n > 0 ? n : 1;
}

static const char *check_work(const struct smallcase *c, const struct hs_place_job *job,
                              const struct hs_placement *placement)
{
    size_t min_run = min_run_slots(c, job);
    double left_s = job->remaining_s;
    size_t run = 0;
    size_t n = 0;

    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (!hs_plan_runs(placement, t)) {
            if (job->freedom != HS_PLACE_INTERRUPTIBLE && job->freedom != HS_PLACE_FILLER) {
                return "stopped that must run through";
            }
            if (run > 0 && run < min_run) {
                return "a stretch shorter than its minimum run";
            }
            run = 0;
            continue;
        }
        left_s -= smallcase_work_s(c, job, placement, t);
        run++;
        n++;
    }
    if (n != hs_plan_count_runs(placement)) {
        return "slots outside first_slot..last_slot";
    }
    return left_s > 1.0 && placement->last_slot + 1 < c->n_slots ? "work left undone" : NULL;
}

/* Every cut is one that the job bears, in a slot that it runs in. */
static const char *check_shares(const struct smallcase *c, const struct hs_place_job *job,
                                const struct hs_placement *placement)
{
    unsigned most = job->share_min > 0 ? job->share_max - job->share_min : 0;

    for (size_t t = 0; t < HS_PLAN_SLOTS_MAX; t++) {
        unsigned cut = hs_plan_get_cut(placement, t);

        if (cut > 0 && (t >= c->n_slots || !hs_plan_runs(placement, t))) {
            return "throttled in a slot that it does not run in";
        }
        if (cut > most) {
            return "throttled below the share that it bears";
        }
    }
    return NULL;
}

/* Only what cannot stop goes on in closed slots, where it is. */
static const char *check_closed(const struct smallcase *c, const struct hs_place_job *job,
                                const struct hs_placement *placement)
{
    if (job->freedom == HS_PLACE_FIXED && !leaves_host(job, placement)) {
        return NULL;
    }
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        if (hs_plan_runs(placement, t) && smallcase_is_closed(c, placement->host_idx, t)) {
            return "runs in a slot that is closed";
        }
    }
    return NULL;
}

/* Can host @h give the room that it gives now for @n slots, were it only for limits? */
static bool may_go_on(const struct smallcase *c, size_t h, size_t n)
{
    bool is_closed = false;
    bool is_capped = isfinite(c->racks[c->hosts[h].rack_idx].limit_w)
                     || isfinite(c->sites[c->hosts[h].site_idx].limit_w);

    for (size_t i = 0; i < c->n_caps; i++) { /* site, loop and rack are of one index */
        is_capped |= c->caps[i].idx == c->hosts[h].loop_idx && c->caps[i].first < n;
    }
    for (size_t t = 0; t < n; t++) {
        is_closed |= smallcase_is_closed(c, h, t);
    }
    return !is_capped && !is_closed;
}

static const char *check_first(const struct smallcase *c, const struct hs_place_job *job,
                               const struct hs_placement *placement)
{
    if (placement->last_slot >= c->n_slots || placement->first_slot > placement->last_slot
        || placement->held_slot > placement->first_slot
        || !hs_plan_runs(placement, placement->first_slot)
        || !hs_plan_runs(placement, placement->last_slot)) {
        return "first, last or held slot is wrong";
    }
    if (placement->first_slot < first_free(c, job)) {
        return "before its earliest start";
    }
    if (job->freedom == HS_PLACE_FIXED && placement->first_slot > 0) {
        return "what runs and is fixed was stopped";
    }
    if (job->must_run_now && job->freedom != HS_PLACE_FILLER && placement->first_slot > 0
        && may_go_on(c, job->host_idx, min_run_slots(c, job))) {
        return "what has to go on for now was stopped";
    }
    if (job->host_idx == placement->host_idx && placement->held_slot > 0) {
        return "a machine that is there holds its memory from now on";
    }
    return NULL;
}

static const char *check_one(const struct smallcase *c, const struct hs_place_job *job,
                             const struct hs_placement *placement)
{
    const char *why = check_place(c, job, placement);

    if (why != NULL) {
        return why;
    }
    why = check_first(c, job, placement);
    why = why == NULL ? check_shares(c, job, placement) : why;
    why = why == NULL ? check_closed(c, job, placement) : why;
    return why == NULL ? check_work(c, job, placement) : why;
}

/* --- room --- */

/* Fixed work and others' reserves may overtake a host; nobody else may add to it. */
static const char *check_room(const struct smallcase *c, const struct hs_placement *placements,
                              size_t n, const struct caserules_room *room, size_t *ret_i)
{
    for (size_t i = 0; i < n; i++) {
        const struct hs_placement *placement = &placements[i];
        const struct hs_place_job *job = caseprice_find_job(c, placement->job_id);
        size_t h = placement->host_idx;

        *ret_i = i;
        if (h == SIZE_MAX || job->freedom == HS_PLACE_FIXED) {
            continue;
        }
        for (size_t t = 0; leaves_host(job, placement) && t < placement->first_slot; t++) {
            if (!c->frame.frees_memory && room->memory_mib[job->host_idx][t] < 0) {
                return "more memory than the host has that it leaves";
            }
        }
        for (size_t t = placement->held_slot; t <= placement->last_slot; t++) {
            bool holds = hs_plan_runs(placement, t) || !c->frame.frees_memory;

            if (holds && room->memory_mib[h][t] < 0) {
                return "more memory than the host has";
            }
            if (!hs_plan_runs(placement, t)) {
                continue;
            }
            if (room->vcpus[h][t] < 0) {
                return "more vCPUs than the host has";
            }
            if (room->rack_mw[c->hosts[h].rack_idx][t] < 0) {
                return "more power than the rack has";
            }
            if (room->loop_mw[c->hosts[h].loop_idx][t] < 0) {
                return "more power than the loop may take";
            }
            if (room->site_mw[c->hosts[h].site_idx][t] < 0) {
                return "more power than the site has";
            }
        }
    }
    return NULL;
}

bool caserules_check(const struct smallcase *c, const struct hs_placement *placements, size_t n,
                     char *ret_why, size_t size)
{
    static struct caserules_room room;
    const char *why = NULL;
    size_t i;

    if (n != c->n_jobs) {
        (void)snprintf(ret_why, size, "%zu placements of %zu jobs", n, c->n_jobs);
        return false;
    }
    caserules_open(c, &room);
    for (i = 0; i < n; i++) {
        const struct hs_place_job *job = caseprice_find_job(c, placements[i].job_id);

        if (placements[i].host_idx == SIZE_MAX) {
            struct hs_placement held = {.host_idx = job->host_idx, .last_slot = c->n_slots - 1};

            if (job->host_idx != SIZE_MAX) {
                caserules_take(c, job, &held, &room);
            }
            continue;
        }
        why = check_one(c, job, &placements[i]);
        if (why != NULL) {
            break;
        }
        caserules_take(c, job, &placements[i], &room);
    }
    if (why == NULL) {
        why = check_room(c, placements, n, &room, &i);
    }
    if (why != NULL) {
        (void)snprintf(ret_why, size, "job %llu: %s", (unsigned long long)placements[i].job_id,
                       why);
    }
    return why == NULL;
}

/* --- as soon as possible --- */

bool caserules_is_hopeless(const struct smallcase *c, const struct hs_place_job *job)
{
    size_t first = first_free(c, job);

    return job->is_hopeless
           || smallcase_start_at_s(c, first) + job->remaining_s > (double)job->due_at_s;
}

static bool fits(const struct smallcase *c, const struct hs_place_job *job, size_t h, size_t t,
                 const struct caserules_room *room)
{
    int64_t elec_mw = vcpu_mw(&c->hosts[h], job->size.vcpus);

    return !smallcase_is_closed(c, h, t) && room->vcpus[h][t] >= job->size.vcpus
           && room->memory_mib[h][t] >= job->size.memory_mib
           && room->rack_mw[c->hosts[h].rack_idx][t] >= elec_mw
           && room->loop_mw[c->hosts[h].loop_idx][t] >= elec_mw
           && room->site_mw[c->hosts[h].site_idx][t] >= elec_mw;
}

/* Run through from @start on @h, as far as the horizon. @return false if it does not fit */
static bool run_from(const struct smallcase *c, const struct hs_place_job *job, size_t h,
                     size_t start, const struct caserules_room *room,
                     struct hs_placement *ret_placement)
{
    double left_s = job->remaining_s;

    *ret_placement = (struct hs_placement){.job_id = job->job_id,
                                           .host_idx = h,
                                           .held_slot = job->host_idx != SIZE_MAX ? 0 : start,
                                           .first_slot = start};
    for (size_t t = start; t < c->n_slots && left_s > 1e-9; t++) {
        if (job->freedom != HS_PLACE_FIXED && !fits(c, job, h, t, room)) {
            return false;
        }
        ret_placement->slots[t / 64] |= UINT64_C(1) << (t % 64);
        ret_placement->last_slot = t;
        left_s -= smallcase_slot_s(c, t);
    }
    return true;
}

/* Memory of its host is its own while it stands still. */
static bool holds_memory(const struct smallcase *c, const struct hs_place_job *job)
{
    return job->host_idx != SIZE_MAX && job->freedom != HS_PLACE_FIXED && !c->frame.frees_memory;
}

/*
 * It goes nowhere else than where it is.
 *
 * @param io_breaks_off  set if it has to go on for now, and does not
 * @return false if it ends late
 */
static bool place_asap(const struct smallcase *c, const struct hs_place_job *job,
                       struct caserules_room *io_room, bool *io_breaks_off)
{
    struct hs_placement placement;
    struct hs_placement whole = {.host_idx = job->host_idx, .last_slot = c->n_slots - 1};

    if (holds_memory(c, job)) { /* its own, held till now */
        for (size_t t = 0; t <= whole.last_slot; t++) {
            io_room->memory_mib[job->host_idx][t] += job->size.memory_mib;
        }
    }
    for (size_t start = first_free(c, job); start < c->n_slots; start++) {
        for (size_t h = 0; h < c->estate.n_hosts; h++) {
            placement.host_idx = h;
            if (!leaves_host(job, &placement) && check_place(c, job, &placement) == NULL
                && run_from(c, job, h, start, io_room, &placement)) {
                caserules_take(c, job, &placement, io_room);
                *io_breaks_off |= job->must_run_now && start > 0;
                return smallcase_start_at_s(c, start) + job->remaining_s
                       <= (double)job->due_at_s + 0.5;
            }
        }
    }
    if (job->host_idx != SIZE_MAX) {
        caserules_take(c, job, &whole, io_room);
    }
    *io_breaks_off |= job->must_run_now;
    /* nowhere in the horizon, but perhaps after it */
    return smallcase_start_at_s(c, c->n_slots) + job->remaining_s <= (double)job->due_at_s + 0.5;
}

/* What cannot stop, or not yet, is where it is before anybody else comes. */
static int class_of(const struct hs_place_job *job)
{
    return job->freedom == HS_PLACE_FIXED ? 0 : job->must_run_now ? 1 : 2;
}

static int compare_due(const void *left, const void *right)
{
    const struct hs_place_job *a = *(const struct hs_place_job *const *)left;
    const struct hs_place_job *b = *(const struct hs_place_job *const *)right;

    if (class_of(a) != class_of(b)) {
        return class_of(a) - class_of(b);
    }
    if (a->due_at_s != b->due_at_s) {
        return a->due_at_s < b->due_at_s ? -1 : 1;
    }
    if (fabs(a->remaining_s - b->remaining_s) > 0.5) { /* the planner's own way with equals */
        return a->remaining_s > b->remaining_s ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return a->job_id < b->job_id ? -1 : 1;
}

size_t caserules_count_late_asap(const struct smallcase *c)
{
    static struct caserules_room room;
    const struct hs_place_job *order[SMALLCASE_JOBS_MAX];
    size_t n = 0;
    size_t n_late = 0;
    bool breaks_off = false;

    caserules_open(c, &room);
    for (size_t j = 0; j < c->n_jobs; j++) {
        const struct hs_place_job *job = &c->jobs[j];

        for (size_t t = 0; holds_memory(c, job) && t < c->n_slots; t++) {
            room.memory_mib[job->host_idx][t] -= job->size.memory_mib;
        }
        if (job->freedom != HS_PLACE_FILLER) { /* that is never late, and waits where it is */
            order[n++] = job;
        }
    }
    qsort(order, n, sizeof(order[0]), compare_due);
    for (size_t i = 0; i < n; i++) {
        bool in_time = place_asap(c, order[i], &room, &breaks_off);

        n_late += !in_time && !caserules_is_hopeless(c, order[i]);
    }
    return breaks_off ? SIZE_MAX : n_late;
}
