/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_after - jobs that follow others; see cycle_priv.h. */
#include <stdio.h>
#include <string.h>

#include "scheduler/core/cycle_priv.h"

/* A job before this one with its name and team, that is not over. */
static const struct hs_job *find_twin(const struct hs_cycle *cycle, const struct hs_job *job)
{
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_job *other = hs_cycle_get_live(cycle, i)->job;

        if (other->id < job->id && !hs_job_is_over(other) && strcmp(other->name, job->name) == 0
            && strcmp(other->team, job->team) == 0) {
            return other;
        }
    }
    return NULL;
}

static enum hs_cycle_after check_end(const struct hs_job_after *after, const struct hs_job *other)
{
    bool is_ok = other->state == HS_JOB_DONE;

    if (!hs_job_is_over(other)) {
        return HS_CYCLE_AFTER_OPEN;
    }
    if (after->kind == HS_JOB_AFTER_ANY || is_ok == (after->kind == HS_JOB_AFTER_OK)) {
        return HS_CYCLE_AFTER_MET;
    }
    return HS_CYCLE_AFTER_NEVER;
}

enum hs_cycle_after hs_cycle_check_after(const struct hs_cycle *cycle, const struct hs_job *job,
                                         const struct hs_job **ret_other)
{
    enum hs_cycle_after worst = HS_CYCLE_AFTER_MET;

    for (size_t i = 0; i < job->n_after; i++) {
        struct hs_job_after after;
        const struct hs_job *other;
        enum hs_cycle_after is = HS_CYCLE_AFTER_MET;

        if (hs_job_parse_after(job->after[i], &after, NULL) != 0) {
            continue; /* it was checked when it came */
        }
        if (after.kind == HS_JOB_AFTER_SINGLETON) {
            other = find_twin(cycle, job);
            is = other != NULL ? HS_CYCLE_AFTER_OPEN : HS_CYCLE_AFTER_MET;
        } else {
            other = hs_cycle_get_job(cycle, after.job_id);
            is = other != NULL ? check_end(&after, other) : HS_CYCLE_AFTER_MET;
        }
        if (is > worst) {
            worst = is;
            *ret_other = other;
        }
    }
    return worst;
}

int hs_cycle_check_after_known(const struct hs_cycle *cycle, const struct hs_job *job,
                               struct hs_err *err)
{
    for (size_t i = 0; i < job->n_after; i++) {
        struct hs_job_after after;
        int rc = hs_job_parse_after(job->after[i], &after, err);

        if (rc == 0 && after.kind != HS_JOB_AFTER_SINGLETON
            && hs_cycle_get_job(cycle, after.job_id) == NULL) {
            rc = hs_err_set(err, HS_E_INVALID, "/after",
                            "there is no job %llu to follow; `hsched jobs` lists them",
                            (unsigned long long)after.job_id);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

void hs_cycle_follow(struct hs_cycle *cycle)
{
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        const struct hs_job *other = NULL;

        if (entry->job->n_after == 0 || entry->job->state != HS_JOB_WAITING
            || hs_cycle_check_after(cycle, entry->job, &other) != HS_CYCLE_AFTER_NEVER) {
            continue;
        }
        snprintf(entry->job->why, sizeof(entry->job->why),
                 "job %llu, which it was to follow, is %s", (unsigned long long)other->id,
                 hs_job_state_word(other->state));
        hs_cycle_set_state(cycle, entry, HS_JOB_CANCELLED, cycle->now_at_s);
        i = SIZE_MAX; /* others may follow this one: look from the first again */
    }
}
