/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_asap - first come first served with EASY backfill: the yardstick.
 *
 * The head of the queue starts on the host with most free vCPUs. If it fits nowhere, its shadow
 * is the earliest time at which any one host has room for it by the estimates; the others in the
 * queue may start on any other host, or on the shadow host if they end by the shadow or leave
 * the head's vCPUs free at it. A job past its estimate counts as ending in one slot.
 */
#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/controller.h"

/** A running job on its host, kept in order of expected end. */
struct asap_running {
    size_t job_idx;
    double expected_at_s;
};

struct asap_host {
    HS_VEC(struct asap_running) running;
};

struct asap_end {
    double at_s;
    size_t job_idx;
};

struct asap {
    struct hs_simrun *run;
    struct asap_host *hosts;      /* [n_hosts] */
    HS_VEC(size_t) queue;         /* waiting jobs in order of submit */
    HS_VEC(struct asap_end) ends; /* binary heap by (time, job) */
    size_t next_submit;
};

struct asap_shadow {
    size_t host_idx;
    double at_s;
    uint32_t spare_vcpus; /* free on the host at the shadow beyond the head's */
};

static bool ends_before(const struct asap_end *a, const struct asap_end *b)
{
    return a->at_s < b->at_s || (a->at_s == b->at_s && a->job_idx < b->job_idx);
}

static void swap_ends(struct asap_end *a, struct asap_end *b)
{
    struct asap_end kept = *a;

    *a = *b;
    *b = kept;
}

static void push_end(struct asap *asap, struct asap_end end)
{
    size_t i = asap->ends.n;

    HS_VEC_PUSH(&asap->ends, end);
    while (i > 0 && ends_before(&asap->ends.items[i], &asap->ends.items[(i - 1) / 2])) {
        swap_ends(&asap->ends.items[i], &asap->ends.items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static struct asap_end pop_end(struct asap *asap)
{
    struct asap_end *heap = asap->ends.items;
    struct asap_end first = heap[0];
    size_t n = --asap->ends.n, i = 0;

    heap[0] = heap[n];
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++) {
            least = ends_before(&heap[child], &heap[least]) ? child : least;
        }
        if (least == i) {
            return first;
        }
        swap_ends(&heap[i], &heap[least]);
        i = least;
    }
}

static void start_job(struct asap *asap, size_t job_idx, size_t host_idx)
{
    const struct hs_simjob *job = &asap->run->jobs->items[job_idx];
    struct asap_host *host = &asap->hosts[host_idx];
    struct asap_running running = {job_idx, asap->run->at_s + job->estimate_s};
    size_t i = host->running.n;

    hs_simrun_start_job(asap->run, job_idx, host_idx);
    push_end(asap, (struct asap_end){asap->run->at_s + job->run_s, job_idx});
    HS_VEC_PUSH(&host->running, running);
    for (; i > 0 && host->running.items[i - 1].expected_at_s > running.expected_at_s; i--) {
        host->running.items[i] = host->running.items[i - 1];
    }
    host->running.items[i] = running;
}

static void end_job(struct asap *asap, size_t job_idx)
{
    struct asap_host *host = &asap->hosts[asap->run->states[job_idx].host_idx];
    size_t n = 0;

    hs_simrun_end_job(asap->run, job_idx);
    for (size_t i = 0; i < host->running.n; i++) {
        if (host->running.items[i].job_idx != job_idx) {
            host->running.items[n++] = host->running.items[i];
        }
    }
    host->running.n = n;
}

/** Host with most free vCPUs that has room for @vcpus, or SIZE_MAX. */
static size_t find_host(const struct asap *asap, uint32_t vcpus)
{
    size_t best = SIZE_MAX;
    uint32_t best_free = 0;

    for (size_t h = 0; h < asap->run->scenario->estate->n_hosts; h++) {
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(asap->run, h);

        if (free_vcpus >= vcpus && (best == SIZE_MAX || free_vcpus > best_free)) {
            best = h;
            best_free = free_vcpus;
        }
    }
    return best;
}

/** vCPUs of a host's jobs that are past their estimate; they come first in its order. */
static uint32_t count_overrun(const struct asap *asap, const struct asap_host *host, size_t *ret_n)
{
    uint32_t vcpus = 0;
    size_t n = 0;

    while (n < host->running.n && host->running.items[n].expected_at_s <= asap->run->at_s) {
        vcpus += asap->run->jobs->items[host->running.items[n++].job_idx].vcpus;
    }
    *ret_n = n;
    return vcpus;
}

/** When one host has room for @vcpus by the estimates, INFINITY if never; and what is left then. */
static double find_room_at_s(const struct asap *asap, size_t host_idx, uint32_t vcpus,
                             uint32_t *ret_spare)
{
    const struct asap_host *host = &asap->hosts[host_idx];
    double overrun_at_s = asap->run->at_s + (double)asap->run->scenario->slot_s;
    uint32_t room = hs_simrun_get_free_vcpus(asap->run, host_idx);
    double room_at_s = (double)INFINITY;
    size_t i = 0;
    uint32_t overrun_vcpus = count_overrun(asap, host, &i);

    /* the ends in order of time, the overrunning jobs among them as one; all that end at the
     * very time of the shadow count */
    for (;;) {
        bool has_next = i < host->running.n;
        double at_s = has_next ? host->running.items[i].expected_at_s : (double)INFINITY;
        bool is_overrun = overrun_vcpus > 0 && overrun_at_s <= at_s;

        at_s = is_overrun ? overrun_at_s : at_s;
        if ((!has_next && !is_overrun) || at_s > room_at_s) {
            break;
        }
        if (is_overrun) {
            room += overrun_vcpus;
            overrun_vcpus = 0;
        } else {
            room += asap->run->jobs->items[host->running.items[i++].job_idx].vcpus;
        }
        if (room >= vcpus) {
            room_at_s = at_s;
        }
    }
    *ret_spare = room >= vcpus ? room - vcpus : 0;
    return room_at_s;
}

static struct asap_shadow find_shadow(const struct asap *asap, uint32_t vcpus)
{
    struct asap_shadow shadow = {.host_idx = SIZE_MAX, .at_s = (double)INFINITY};

    for (size_t h = 0; h < asap->run->scenario->estate->n_hosts; h++) {
        uint32_t spare = 0;
        double at_s = find_room_at_s(asap, h, vcpus, &spare);

        if (at_s < shadow.at_s) {
            shadow = (struct asap_shadow){h, at_s, spare};
        }
    }
    return shadow;
}

/** Start @job_idx where it does not delay the head. @return whether it started */
static bool backfill(struct asap *asap, size_t job_idx, struct asap_shadow *shadow)
{
    const struct hs_simjob *job = &asap->run->jobs->items[job_idx];
    bool is_short = asap->run->at_s + job->estimate_s <= shadow->at_s;
    size_t best = SIZE_MAX;
    uint32_t best_free = 0;

    for (size_t h = 0; h < asap->run->scenario->estate->n_hosts; h++) {
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(asap->run, h);
        bool is_allowed = h != shadow->host_idx || is_short || job->vcpus <= shadow->spare_vcpus;

        if (is_allowed && free_vcpus >= job->vcpus
            && (best == SIZE_MAX || free_vcpus > best_free)) {
            best = h;
            best_free = free_vcpus;
        }
    }
    if (best == SIZE_MAX) {
        return false;
    }
    if (best == shadow->host_idx && !is_short) {
        shadow->spare_vcpus -= job->vcpus;
    }
    start_job(asap, job_idx, best);
    return true;
}

static uint32_t get_most_free(const struct asap *asap)
{
    uint32_t most = 0;

    for (size_t h = 0; h < asap->run->scenario->estate->n_hosts; h++) {
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(asap->run, h);

        most = free_vcpus > most ? free_vcpus : most;
    }
    return most;
}

static void schedule(struct asap *asap)
{
    size_t *queue = asap->queue.items;
    size_t n = asap->queue.n, head = 0, n_kept = 0;

    for (; head < n; head++) {
        size_t host_idx = find_host(asap, asap->run->jobs->items[queue[head]].vcpus);

        if (host_idx == SIZE_MAX) {
            break;
        }
        start_job(asap, queue[head], host_idx);
    }
    if (head < n) {
        struct asap_shadow shadow = {0};
        uint32_t most_free = get_most_free(asap);

        if (most_free > 0 && n - head > 1) {
            shadow = find_shadow(asap, asap->run->jobs->items[queue[head]].vcpus);
        }
        queue[n_kept++] = queue[head];
        for (size_t i = head + 1; i < n; i++) {
            bool may_fit = asap->run->jobs->items[queue[i]].vcpus <= most_free;

            if (may_fit && backfill(asap, queue[i], &shadow)) {
                most_free = get_most_free(asap);
            } else {
                queue[n_kept++] = queue[i];
            }
        }
    }
    asap->queue.n = n_kept;
}

/** Next instant at which something happens. */
static double get_next_at_s(const struct asap *asap)
{
    double at_s = hs_simrun_slot_end_at_s(asap->run);

    if (asap->ends.n > 0) {
        at_s = fmin(at_s, asap->ends.items[0].at_s);
    }
    if (asap->next_submit < asap->run->jobs->n) {
        at_s = fmin(at_s, asap->run->jobs->items[asap->next_submit].submit_at_s);
    }
    return at_s;
}

static void take_instant(struct asap *asap, double at_s)
{
    const struct hs_simjobs *jobs = asap->run->jobs;

    hs_simrun_advance(asap->run, at_s);
    while (asap->ends.n > 0 && asap->ends.items[0].at_s <= at_s) {
        end_job(asap, pop_end(asap).job_idx);
    }
    while (asap->next_submit < jobs->n && jobs->items[asap->next_submit].submit_at_s <= at_s) {
        HS_VEC_PUSH(&asap->queue, asap->next_submit);
        asap->next_submit++;
    }
    if (at_s < (double)hs_scenario_end_at_s(asap->run->scenario)) {
        schedule(asap);
    }
}

static int asap_drive(struct hs_simrun *run, const struct hs_controller_options *options,
                      struct hs_controller_stats *ret_stats, struct hs_err *err)
{
    size_t n_hosts = run->scenario->estate->n_hosts;
    double end_at_s = (double)hs_scenario_end_at_s(run->scenario);
    double span_s = end_at_s - (double)run->scenario->start_at_s;
    struct asap asap = {.run = run, .hosts = hs_xcalloc(n_hosts, sizeof(*asap.hosts))};
    size_t reported_slot = 0;

    take_instant(&asap, run->at_s);
    while (run->at_s < end_at_s) {
        take_instant(&asap, get_next_at_s(&asap));
        if (options->progress != NULL && run->slot >= reported_slot + 96) {
            reported_slot = run->slot;
            options->progress(1 - (end_at_s - run->at_s) / span_s, options->progress_arg);
        }
    }
    for (size_t h = 0; h < n_hosts; h++) {
        HS_VEC_FINI(&asap.hosts[h].running);
    }
    free(asap.hosts);
    HS_VEC_FINI(&asap.ends);
    HS_VEC_FINI(&asap.queue);
    *ret_stats = (struct hs_controller_stats){(double)NAN, (double)NAN};
    return 0;
}

const struct hs_controller_ops hs_controller_asap_ops = {
    .name = "asap",
    .summary = "as soon as possible: first come first served with EASY backfill",
    .drive = asap_drive,
};
