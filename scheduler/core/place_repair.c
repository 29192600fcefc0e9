/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_repair - room for jobs that would be late, taken from jobs that can go elsewhere.
 *
 * A late job takes a run on the host that lacks least for it; those who are in its way, most slack
 * first, look for another place. If one of them finds none in time, everything goes back to where
 * it was. See place_priv.h.
 */
#include "scheduler/core/place_priv.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/search_priv.h"

#define TRIES_MAX    24 /* runs tried for one job */
#define FAILURES_MAX 24 /* in a row: there is no room to be made */
#define VICTIMS_MAX  16 /* for one job */

/* Placements by host: chains of indices. */
struct chains {
    size_t *first; /* [n_hosts] SIZE_MAX: none */
    size_t *next;  /* [n placements] */
};

/* A run on a host, and how much is in its way. */
struct run {
    size_t host_idx;
    size_t first;
    size_t n;
    double lacking; /* vCPUs x slots */
};

struct repair {
    struct hs_place *place;
    struct chains chains;
    size_t victims[VICTIMS_MAX];
    struct hs_placement before[VICTIMS_MAX];
    size_t n_victims;
};

/* --- chains --- */

static void link_host(struct repair *repair, size_t i)
{
    size_t h = repair->place->placements.items[i].host_idx;

    if (h != SIZE_MAX) {
        repair->chains.next[i] = repair->chains.first[h];
        repair->chains.first[h] = i;
    }
}

static void unlink_host(struct repair *repair, size_t i)
{
    size_t h = repair->place->placements.items[i].host_idx;

    for (size_t *at = h != SIZE_MAX ? &repair->chains.first[h] : NULL; at != NULL;
         at = &repair->chains.next[*at]) {
        if (*at == i) {
            *at = repair->chains.next[i];
            return;
        }
    }
}

static void take_out(struct repair *repair, size_t i)
{
    unlink_host(repair, i);
    hs_place_take_out(repair->place, i);
}

static void put_back(struct repair *repair, size_t i, const struct hs_placement *placement)
{
    hs_place_put_back(repair->place, i, placement);
    link_host(repair, i);
}

/* --- where --- */

/* vCPUs that @host_idx could still take, by slot. */
static void fill_free(const struct hs_place *place, size_t host_idx, int32_t *ret_vcpus)
{
    const int32_t *row = hs_fit_get_row(place->fit, host_idx);

    hs_fit_fill_fed(place->fit, host_idx, 0, place->n_slots - 1, ret_vcpus);
    for (size_t t = 0; t < place->n_slots; t++) {
        ret_vcpus[t] = row[t] < ret_vcpus[t] ? row[t] : ret_vcpus[t];
    }
}

/* Keep @run among the @n_runs that lack least, best first. */
static size_t keep_run(struct run *runs, size_t n_runs, const struct run *run)
{
    size_t at = n_runs < TRIES_MAX ? n_runs++ : TRIES_MAX;

    while (at > 0 && runs[at - 1].lacking > run->lacking) {
        if (at < TRIES_MAX) {
            runs[at] = runs[at - 1];
        }
        at--;
    }
    if (at < TRIES_MAX) {
        runs[at] = *run;
    }
    return n_runs;
}

/* The run of one host that lacks least for the job among starts @first..@last. */
static struct run find_run(const struct hs_place *place, const struct hs_place_job *job,
                           size_t host_idx, size_t first, size_t last)
{
    int32_t free_vcpus[HS_PLAN_SLOTS_MAX];
    struct run best = {.host_idx = host_idx, .lacking = INFINITY};

    fill_free(place, host_idx, free_vcpus);
    for (size_t s = first; s <= last; s++) {
        size_t n = hs_place_count_slots(place, job, s);
        double lacking = 0.0;

        for (size_t t = s; t < s + n && lacking < best.lacking; t++) {
            lacking += free_vcpus[t] < job->size.vcpus ? job->size.vcpus - free_vcpus[t] : 0;
        }
        if (lacking < best.lacking) {
            best = (struct run){host_idx, s, n, lacking};
        }
    }
    return best;
}

static size_t find_runs(const struct hs_place *place, const struct hs_place_job *job,
                        struct run *ret_runs)
{
    size_t first, last;
    size_t n_runs = 0;

    if (!hs_place_get_starts(place, job, (double)job->due_at_s, &first, &last)) {
        return 0;
    }
    for (size_t h = 0; h < place->estate->n_hosts; h++) {
        const struct hs_host *host = &place->estate->hosts[h];
        bool may_use = hs_search_may_use_host(&place->search, h, job)
                       && (job->site_allowed == NULL || job->site_allowed[host->site_idx]);

        if (may_use) {
            struct run run = find_run(place, job, h, first, last);

            n_runs = isfinite(run.lacking) ? keep_run(ret_runs, n_runs, &run) : n_runs;
        }
    }
    return n_runs;
}

/* --- who goes --- */

static bool may_go(const struct hs_place_job *job)
{
    return !job->must_run_now
           && (job->freedom == HS_PLACE_CONTIGUOUS || job->freedom == HS_PLACE_INTERRUPTIBLE
               || job->freedom == HS_PLACE_FILLER);
}

/* The job on the run's host that runs in @slot and can wait longest; SIZE_MAX if none may go. */
static size_t find_victim(const struct repair *repair, const struct run *run, size_t slot)
{
    const struct hs_place *place = repair->place;
    size_t best = SIZE_MAX;
    double best_slack_s = -INFINITY;

    for (size_t i = repair->chains.first[run->host_idx]; i != SIZE_MAX;
         i = repair->chains.next[i]) {
        const struct hs_place_job *job = place->placed.items[i];
        double slack_s = job->freedom == HS_PLACE_FILLER ? (double)INFINITY
                                                         : (double)job->due_at_s - job->remaining_s;

        bool is_more =
            slack_s > best_slack_s
            || (slack_s == best_slack_s && job->job_id > place->placed.items[best]->job_id);

        if (hs_plan_runs(&place->placements.items[i], slot) && may_go(job) && is_more) {
            best = i;
            best_slack_s = slack_s;
        }
    }
    return best;
}

/* Take out whoever is in the way of @run. */
static bool clear_run(struct repair *repair, const struct run *run, int32_t vcpus)
{
    for (size_t t = run->first; t < run->first + run->n; t++) {
        int32_t free_vcpus[HS_PLAN_SLOTS_MAX];

        for (fill_free(repair->place, run->host_idx, free_vcpus); free_vcpus[t] < vcpus;
             fill_free(repair->place, run->host_idx, free_vcpus)) {
            size_t victim = find_victim(repair, run, t);

            if (victim == SIZE_MAX || repair->n_victims == VICTIMS_MAX) {
                return false;
            }
            repair->before[repair->n_victims] = repair->place->placements.items[victim];
            repair->victims[repair->n_victims++] = victim;
            take_out(repair, victim);
        }
    }
    return true;
}

/*
 * Place job @i, taken out, where it costs least. @return false if it would be late and @may_be_late
 * is not set, or nowhere while it holds memory that is promised to somebody
 */
static bool place_in_time(struct repair *repair, size_t i, bool may_be_late)
{
    const struct hs_place_job *job = repair->place->placed.items[i];
    struct hs_placement placement;

    hs_place_find(repair->place, job, HS_PLACE_MODE_CHEAPEST, &placement);
    put_back(repair, i, &placement);
    return (!placement.is_late || may_be_late)
           && (placement.host_idx != SIZE_MAX || job->host_idx == SIZE_MAX);
}

/* Everything as it was: @n_placed victims have another place by now. */
static void undo(struct repair *repair, size_t n_placed)
{
    for (size_t v = 0; v < n_placed; v++) {
        take_out(repair, repair->victims[v]);
    }
    for (size_t v = 0; v < repair->n_victims; v++) {
        put_back(repair, repair->victims[v], &repair->before[v]);
    }
}

/* Job @i, which has been taken out, gets @run; @return false with nothing changed */
static bool try_run(struct repair *repair, size_t i, const struct run *run)
{
    int32_t vcpus = repair->place->placed.items[i]->size.vcpus;
    size_t n_placed = 0;
    bool is_done;

    repair->n_victims = 0;
    if (!clear_run(repair, run, vcpus)) {
        undo(repair, 0);
        return false;
    }
    is_done = place_in_time(repair, i, false);
    while (is_done && n_placed < repair->n_victims) {
        size_t v = n_placed++;

        is_done = place_in_time(repair, repair->victims[v], repair->before[v].is_late);
    }
    if (!is_done) {
        take_out(repair, i);
        undo(repair, n_placed);
    }
    return is_done;
}

static bool repair_one(struct repair *repair, size_t i)
{
    struct hs_placement before = repair->place->placements.items[i];
    struct run runs[TRIES_MAX];

    take_out(repair, i);
    size_t n_runs = find_runs(repair->place, repair->place->placed.items[i], runs);

    for (size_t r = 0; r < n_runs; r++) {
        if (try_run(repair, i, &runs[r])) {
            return true;
        }
    }
    put_back(repair, i, &before);
    return false;
}

void hs_place_repair(struct hs_place *place)
{
    size_t n = place->placements.n;
    HS_AUTO_MEM size_t *first = hs_xcalloc(place->estate->n_hosts, sizeof(*first));
    HS_AUTO_MEM size_t *next = hs_xcalloc(n, sizeof(*next));
    struct repair repair = {.place = place, .chains = {first, next}};

    if (place->n_avoidable == 0) {
        return;
    }
    memset(first, 0xff, place->estate->n_hosts * sizeof(*first));
    memset(next, 0xff, n * sizeof(*next));
    for (size_t i = 0; i < n; i++) {
        link_host(&repair, i);
    }
    for (size_t i = 0, n_failed = 0; i < n && n_failed < FAILURES_MAX; i++) {
        const struct hs_placement *placement = &place->placements.items[i];

        if (placement->is_late && !placement->is_hopeless && may_go(place->placed.items[i])) {
            n_failed = repair_one(&repair, i) ? 0 : n_failed + 1;
        }
    }
}
