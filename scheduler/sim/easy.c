/* SPDX-License-Identifier: Apache-2.0 */
/* easy - head, backfill. */
#include "scheduler/sim/easy.h"

#include "scheduler/sim/easyshadow.h"
#include "scheduler/sim/simroom.h"

void hs_easy_add(struct hs_easy *easy, size_t job_idx)
{
    size_t i = easy->waiting.n;

    HS_VEC_PUSH(&easy->waiting, job_idx);
    for (; i > 0 && easy->waiting.items[i - 1] > job_idx; i--) {
        easy->waiting.items[i] = easy->waiting.items[i - 1];
    }
    easy->waiting.items[i] = job_idx;
}

static double get_end_at_s(const struct hs_easy *easy, size_t job_idx)
{
    return easy->queue->run->at_s + hs_simqueue_get_left_s(easy->queue, job_idx);
}

/** Best host that has room for the job and leaves the head its own; SIZE_MAX if none. */
static size_t find_host(const struct hs_easy *easy, size_t job_idx,
                        const struct hs_easyshadow *shadow)
{
    const struct hs_simrun *run = easy->queue->run;
    const struct hs_estate *estate = run->scenario->estate;
    const double *ranks = easy->rank != NULL ? easy->rank(easy->arg) : NULL;
    uint32_t vcpus = run->jobs->items[job_idx].vcpus;
    double end_at_s = get_end_at_s(easy, job_idx);
    size_t best = SIZE_MAX;
    double best_rank = 0;
    uint32_t best_free = 0;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        double rank = ranks != NULL ? ranks[estate->hosts[h].loop_idx] : 0;
        uint32_t free_vcpus = hs_simrun_get_free_vcpus(run, h);

        if (free_vcpus >= vcpus
            && (best == SIZE_MAX || rank > best_rank
                || (rank == best_rank && free_vcpus > best_free))
            && hs_easyshadow_check(shadow, estate, h, vcpus, end_at_s)
            && hs_simroom_check(run, h, vcpus)) {
            best = h;
            best_rank = rank;
            best_free = free_vcpus;
        }
    }
    return best;
}

static void start(struct hs_easy *easy, size_t job_idx, size_t host_idx,
                  struct hs_easyshadow *shadow)
{
    hs_easyshadow_take(shadow, easy->queue->run->scenario->estate, host_idx,
                       easy->queue->run->jobs->items[job_idx].vcpus, get_end_at_s(easy, job_idx));
    hs_simqueue_start(easy->queue, job_idx, host_idx);
}

/** The head waits: start others that do not delay it. @return how many of the queue stay */
static size_t backfill(struct hs_easy *easy, size_t head)
{
    const struct hs_simrun *run = easy->queue->run;
    size_t *waiting = easy->waiting.items;
    size_t n = easy->waiting.n, n_kept = 0;
    uint32_t most_free = hs_simroom_get_most_free(run);
    struct hs_easyshadow shadow = hs_easyshadow_none;

    if (most_free > 0 && n - head > 1) {
        shadow = hs_easyshadow_find(easy->queue, run->jobs->items[waiting[head]].vcpus);
    }
    waiting[n_kept++] = waiting[head];
    for (size_t i = head + 1; i < n; i++) {
        bool may_fit = run->jobs->items[waiting[i]].vcpus <= most_free;
        size_t host_idx = may_fit ? find_host(easy, waiting[i], &shadow) : SIZE_MAX;

        if (host_idx == SIZE_MAX) {
            waiting[n_kept++] = waiting[i];
        } else {
            start(easy, waiting[i], host_idx, &shadow);
            most_free = hs_simroom_get_most_free(run);
        }
    }
    return n_kept;
}

void hs_easy_apply(struct hs_easy *easy)
{
    struct hs_easyshadow shadow = hs_easyshadow_none;
    size_t head = 0;

    for (; head < easy->waiting.n; head++) {
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
