/* SPDX-License-Identifier: Apache-2.0 */
/* easy - head, shadow, backfill. */
#include "scheduler/sim/easy.h"

#include <math.h>

#include "scheduler/sim/simroom.h"

struct shadow {
    size_t host_idx; /* SIZE_MAX: no host will have room */
    double at_s;
    uint32_t spare_vcpus; /* free on the host at the shadow beyond the head's */
};

static const struct shadow no_shadow = {.host_idx = SIZE_MAX, .at_s = (double)INFINITY};

void hs_easy_add(struct hs_easy *easy, size_t job_idx)
{
    size_t i = easy->waiting.n;

    HS_VEC_PUSH(&easy->waiting, job_idx);
    for (; i > 0 && easy->waiting.items[i - 1] > job_idx; i--) {
        easy->waiting.items[i] = easy->waiting.items[i - 1];
    }
    easy->waiting.items[i] = job_idx;
}

static bool is_better(const struct hs_easy *easy, size_t a, size_t b)
{
    const struct hs_simrun *run = easy->queue->run;

    return easy->is_better != NULL
               ? easy->is_better(easy->arg, a, b)
               : hs_simrun_get_free_vcpus(run, a) > hs_simrun_get_free_vcpus(run, b);
}

/** Best host that has room for the job and does not delay the head; SIZE_MAX if none. */
static size_t find_host(const struct hs_easy *easy, size_t job_idx, const struct shadow *shadow)
{
    const struct hs_simrun *run = easy->queue->run;
    const struct hs_simjob *job = &run->jobs->items[job_idx];
    bool is_short = run->at_s + job->estimate_s <= shadow->at_s;
    size_t best = SIZE_MAX;

    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        bool is_allowed = h != shadow->host_idx || is_short || job->vcpus <= shadow->spare_vcpus;

        if (is_allowed && hs_simrun_get_free_vcpus(run, h) >= job->vcpus
            && (best == SIZE_MAX || is_better(easy, h, best))
            && hs_simroom_check(run, h, job->vcpus)) {
            best = h;
        }
    }
    return best;
}

/** vCPUs of a host's jobs that are past their estimate; they come first in its order. */
static uint32_t count_overrun(const struct hs_simrun *run, const struct hs_simqueue_host *host,
                              size_t *ret_n)
{
    uint32_t vcpus = 0;
    size_t n = 0;

    while (n < host->running.n && host->running.items[n].expected_at_s <= run->at_s) {
        vcpus += run->jobs->items[host->running.items[n++].job_idx].vcpus;
    }
    *ret_n = n;
    return vcpus;
}

/** When one host has room for @vcpus by the estimates, INFINITY if never; and what is left then. */
static double find_room_at_s(const struct hs_simqueue *queue, size_t host_idx, uint32_t vcpus,
                             uint32_t *ret_spare)
{
    const struct hs_simrun *run = queue->run;
    const struct hs_simqueue_host *host = &queue->hosts[host_idx];
    double overrun_at_s = run->at_s + (double)run->scenario->slot_s;
    uint32_t room = hs_simrun_get_free_vcpus(run, host_idx);
    double room_at_s = (double)INFINITY;
    size_t i = 0;
    uint32_t overrun_vcpus = count_overrun(run, host, &i);

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
            room += run->jobs->items[host->running.items[i++].job_idx].vcpus;
        }
        if (room >= vcpus) {
            room_at_s = at_s;
        }
    }
    *ret_spare = room >= vcpus ? room - vcpus : 0;
    return room_at_s;
}

static struct shadow find_shadow(const struct hs_simqueue *queue, uint32_t vcpus)
{
    struct shadow shadow = no_shadow;

    for (size_t h = 0; h < queue->run->scenario->estate->n_hosts; h++) {
        uint32_t spare = 0;
        double at_s = find_room_at_s(queue, h, vcpus, &spare);

        if (at_s < shadow.at_s) {
            shadow = (struct shadow){h, at_s, spare};
        }
    }
    return shadow;
}

static void start(struct hs_easy *easy, size_t job_idx, size_t host_idx, struct shadow *shadow)
{
    const struct hs_simjob *job = &easy->queue->run->jobs->items[job_idx];

    if (host_idx == shadow->host_idx && easy->queue->run->at_s + job->estimate_s > shadow->at_s) {
        shadow->spare_vcpus -= job->vcpus;
    }
    hs_simqueue_start(easy->queue, job_idx, host_idx);
}

static uint32_t get_most_free(const struct hs_simrun *run)
{
    uint32_t most = 0;

    for (size_t h = 0; h < run->scenario->estate->n_hosts; h++) {
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(run, h);

        most = free_vcpus > most ? free_vcpus : most;
    }
    return most;
}

/** The head waits: start others that do not delay it. @return how many of the queue stay */
static size_t backfill(struct hs_easy *easy, size_t head)
{
    const struct hs_simrun *run = easy->queue->run;
    size_t *waiting = easy->waiting.items;
    size_t n = easy->waiting.n, n_kept = 0;
    uint32_t most_free = get_most_free(run);
    struct shadow shadow = no_shadow;

    if (most_free > 0 && n - head > 1) {
        shadow = find_shadow(easy->queue, run->jobs->items[waiting[head]].vcpus);
    }
    waiting[n_kept++] = waiting[head];
    for (size_t i = head + 1; i < n; i++) {
        bool may_fit = run->jobs->items[waiting[i]].vcpus <= most_free;
        size_t host_idx = may_fit ? find_host(easy, waiting[i], &shadow) : SIZE_MAX;

        if (host_idx == SIZE_MAX) {
            waiting[n_kept++] = waiting[i];
        } else {
            start(easy, waiting[i], host_idx, &shadow);
            most_free = get_most_free(run);
        }
    }
    return n_kept;
}

void hs_easy_apply(struct hs_easy *easy)
{
    size_t head = 0;

    for (; head < easy->waiting.n; head++) {
        struct shadow shadow = no_shadow;
        size_t host_idx = find_host(easy, easy->waiting.items[head], &shadow);

        if (host_idx == SIZE_MAX) {
            break;
        }
        start(easy, easy->waiting.items[head], host_idx, &shadow);
    }
    easy->waiting.n = head < easy->waiting.n ? backfill(easy, head) : 0;
}

void hs_easy_fini(struct hs_easy *easy)
{
    HS_VEC_FINI(&easy->waiting);
}
