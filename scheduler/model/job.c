/* SPDX-License-Identifier: Apache-2.0 */
/* job - life of a job record and its words. */
#include "scheduler/model/job.h"

#include <stdio.h>

#include "scheduler/base/mem.h"

struct hs_job *hs_job_new(void)
{
    struct hs_job *job = hs_xcalloc(1, sizeof(*job));

    job->base_class = HS_CLASS_DEFERRABLE;
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = 1;
    job->memory_mib = 2048;
    job->duration_s = 3600;
    job->state = HS_JOB_WAITING;
    return job;
}

static char **dup_texts(char *const *texts, size_t n)
{
    char **copy = n > 0 ? hs_xcalloc(n, sizeof(*copy)) : NULL;

    for (size_t i = 0; i < n; i++) {
        copy[i] = hs_xstrdup(texts[i]);
    }
    return copy;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(texts[i]);
    }
    free(texts);
}

struct hs_job *hs_job_dup(const struct hs_job *job)
{
    struct hs_job *copy = hs_xcalloc(1, sizeof(*copy));

    *copy = *job;
    copy->script = hs_xstrdup(job->script);
    copy->env = dup_texts(job->env, job->n_env);
    copy->sites = dup_texts(job->sites, job->n_sites);
    copy->not_sites = dup_texts(job->not_sites, job->n_not_sites);
    return copy;
}

bool hs_job_is_over(const struct hs_job *job)
{
    return job->state == HS_JOB_DONE || job->state == HS_JOB_FAILED
           || job->state == HS_JOB_CANCELLED;
}

const char *hs_job_state_word(enum hs_job_state state)
{
    static const char *const words[HS_JOB_STATE_COUNT_] = {
        [HS_JOB_HELD] = "held",           [HS_JOB_WAITING] = "waiting",
        [HS_JOB_STARTING] = "starting",   [HS_JOB_RUNNING] = "running",
        [HS_JOB_SUSPENDED] = "suspended", [HS_JOB_SAVED] = "saved",
        [HS_JOB_MIGRATING] = "migrating", [HS_JOB_STOPPING] = "stopping",
        [HS_JOB_DONE] = "done",           [HS_JOB_FAILED] = "failed",
        [HS_JOB_CANCELLED] = "cancelled",
    };

    return (size_t)state < HS_JOB_STATE_COUNT_ ? words[state] : "unknown";
}

const char *hs_job_class_word(enum hs_job_class base_class)
{
    static const char *const words[] = {
        [HS_CLASS_PINNED] = "pinned",         [HS_CLASS_MOVABLE] = "movable",
        [HS_CLASS_DEFERRABLE] = "deferrable", [HS_CLASS_ELASTIC] = "elastic",
        [HS_CLASS_FILLER] = "filler",
    };

    return (size_t)base_class < sizeof(words) / sizeof(words[0]) ? words[base_class] : "unknown";
}

void hs_job_free(struct hs_job *job)
{
    if (job != NULL) {
        free_texts(job->not_sites, job->n_not_sites);
        free_texts(job->sites, job->n_sites);
        free_texts(job->env, job->n_env);
        free(job->script);
        free(job);
    }
}
