/* SPDX-License-Identifier: Apache-2.0 */
/* jobstate - the table of a job's life; see jobstate.h. */
#include "scheduler/core/jobstate.h"

#include <math.h>

#define BIT(state) (1U << (state))
#define ENDS       (BIT(HS_JOB_DONE) | BIT(HS_JOB_FAILED) | BIT(HS_JOB_CANCELLED))

/*
 * Back to waiting: a start that failed, or a host that is down for sure and took the machine along.
 * A machine can end, or come back to light after a restart, in any state but a final one.
 */
static const unsigned may_follow[HS_JOB_STATE_COUNT_] = {
    [HS_JOB_HELD] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_CANCELLED),
    [HS_JOB_WAITING] = BIT(HS_JOB_HELD) | BIT(HS_JOB_STARTING) | BIT(HS_JOB_RUNNING)
                       | BIT(HS_JOB_SUSPENDED) | ENDS,
    [HS_JOB_STARTING] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_RUNNING) | BIT(HS_JOB_SUSPENDED)
                        | BIT(HS_JOB_STOPPING) | ENDS,
    [HS_JOB_RUNNING] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_SUSPENDED) | BIT(HS_JOB_SAVED)
                       | BIT(HS_JOB_MIGRATING) | BIT(HS_JOB_STOPPING) | ENDS,
    [HS_JOB_SUSPENDED] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_RUNNING) | BIT(HS_JOB_SAVED)
                         | BIT(HS_JOB_MIGRATING) | BIT(HS_JOB_STOPPING) | ENDS,
    [HS_JOB_SAVED] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_RUNNING) | BIT(HS_JOB_STOPPING) | ENDS,
    [HS_JOB_MIGRATING] = BIT(HS_JOB_WAITING) | BIT(HS_JOB_RUNNING) | BIT(HS_JOB_SUSPENDED)
                         | BIT(HS_JOB_STOPPING) | ENDS,
    [HS_JOB_STOPPING] = ENDS,
};

bool hs_jobstate_check(enum hs_job_state from, enum hs_job_state to)
{
    return (may_follow[from] & BIT(to)) != 0;
}

double hs_jobstate_get_ran_s(const struct hs_job *job, int64_t now_at_s)
{
    if (job->state != HS_JOB_RUNNING) {
        return job->ran_s;
    }
    int64_t from_at_s = job->since_at_s > job->share_at_s ? job->since_at_s : job->share_at_s;

    return job->ran_s + job->share * fmax(0.0, (double)(now_at_s - from_at_s));
}

void hs_jobstate_set_share(struct hs_job *job, double share, int64_t at_s)
{
    job->ran_s = hs_jobstate_get_ran_s(job, at_s);
    job->share = share;
    job->share_at_s = at_s;
}

int hs_jobstate_apply(struct hs_job *job, enum hs_job_state to, int64_t at_s, struct hs_err *err)
{
    if (job->state == to) {
        return 0;
    }
    if (!hs_jobstate_check(job->state, to)) {
        return hs_err_set(err, HS_E_CONFLICT, NULL, "job %llu is %s and cannot become %s",
                          (unsigned long long)job->id, hs_job_state_word(job->state),
                          hs_job_state_word(to));
    }
    job->ran_s = hs_jobstate_get_ran_s(job, at_s);
    if (to == HS_JOB_RUNNING && job->started_at_s == 0) {
        job->started_at_s = at_s;
    }
    if (to == HS_JOB_SUSPENDED && job->state != HS_JOB_MIGRATING) {
        job->suspends++;
    }
    job->state = to;
    job->since_at_s = at_s;
    if (hs_job_is_over(job)) {
        job->ended_at_s = at_s;
    }
    return 0;
}
