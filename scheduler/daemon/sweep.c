/* SPDX-License-Identifier: Apache-2.0 */
/* sweep - oldest first, and each only once a life: cleaning what is clean would cost a listing. */
#include "scheduler/daemon/sweep.h"

#include <inttypes.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define CLEANED_MAX 32 /* at one listing: a host has other things to do */

/** When a job ended; its id orders those of the same second. */
struct over {
    int64_t ended_at_s;
    uint64_t job_id;
};

struct hs_sweep {
    const struct hs_cycle *cycle;
    const struct hs_estate *estate;
    struct hs_fleet *fleet;
    size_t n_kept;
    struct over *swept; /* [n_hosts] up to and with this one they are cleaned */
};

static int compare(const void *a, const void *b)
{
    const struct over *one = a;
    const struct over *other = b;

    if (one->ended_at_s != other->ended_at_s) {
        return one->ended_at_s < other->ended_at_s ? -1 : 1;
    }
    return one->job_id < other->job_id ? -1 : one->job_id > other->job_id;
}

static void on_cleaned(int rc, const struct hs_err *err, void *arg)
{
    if (rc != 0) {
        HS_LOG_DEBUG("sweep", "%s", err != NULL ? err->text : hs_err_word(rc));
    }
}

void hs_sweep_apply(struct hs_sweep *sweep, size_t host_idx)
{
    const char *path = sweep->estate->hosts[host_idx].path;
    size_t n_jobs = hs_cycle_get_n_jobs(sweep->cycle);
    HS_AUTO_MEM struct over *overs = hs_xcalloc(n_jobs, sizeof(*overs));
    size_t n = 0;
    size_t n_cleaned = 0;

    for (size_t i = 0; i < n_jobs; i++) {
        const struct hs_job *job = hs_cycle_get_job_at(sweep->cycle, i);

        if (hs_job_is_over(job) && strcmp(job->host, path) == 0) {
            overs[n++] = (struct over){job->ended_at_s, job->id};
        }
    }
    if (n <= sweep->n_kept) {
        return;
    }
    qsort(overs, n, sizeof(*overs), compare);
    for (size_t i = 0; i < n - sweep->n_kept && n_cleaned < CLEANED_MAX; i++) {
        if (compare(&overs[i], &sweep->swept[host_idx]) > 0) {
            sweep->swept[host_idx] = overs[i];
            n_cleaned++;
            hs_compute_clean(hs_fleet_get_compute(sweep->fleet, host_idx), overs[i].job_id,
                             on_cleaned, NULL);
        }
    }
}

struct hs_sweep *hs_sweep_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                              struct hs_fleet *fleet, size_t n_kept)
{
    struct hs_sweep *sweep = hs_xcalloc(1, sizeof(*sweep));

    sweep->cycle = cycle;
    sweep->estate = estate;
    sweep->fleet = fleet;
    sweep->n_kept = n_kept;
    sweep->swept = hs_xcalloc(estate->n_hosts, sizeof(*sweep->swept));
    return sweep;
}

void hs_sweep_free(struct hs_sweep *sweep)
{
    if (sweep != NULL) {
        free(sweep->swept);
        free(sweep);
    }
}
