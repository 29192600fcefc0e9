/* SPDX-License-Identifier: Apache-2.0 */
/* job - life of a job record and its words. */
#include "scheduler/model/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

struct hs_job *hs_job_new(void)
{
    struct hs_job *job = hs_xcalloc(1, sizeof(*job));

    job->base_class = HS_CLASS_DEFERRABLE;
    snprintf(job->class_name, sizeof(job->class_name), "deferrable");
    job->vcpus = 1;
    job->memory_mib = 2048;
    job->duration_s = 3600;
    job->share = 1.0;
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
    copy->after = dup_texts(job->after, job->n_after);
    return copy;
}

int hs_job_parse_after(const char *text, struct hs_job_after *ret_after, struct hs_err *err)
{
    static const char *const words[] = {"afterok:", "afternotok:", "afterany:"};
    static const enum hs_job_after_kind kinds[] = {HS_JOB_AFTER_OK, HS_JOB_AFTER_NOT_OK,
                                                   HS_JOB_AFTER_ANY};
    unsigned long long job_id = 0;
    int n_read = 0;

    if (strcmp(text, "singleton") == 0) {
        *ret_after = (struct hs_job_after){.kind = HS_JOB_AFTER_SINGLETON};
        return 0;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *rest = text + strlen(words[i]);

        if (strncmp(text, words[i], strlen(words[i])) == 0 && *rest >= '1' && *rest <= '9'
            && sscanf(rest, "%18llu%n", &job_id, &n_read) == 1 && rest[n_read] == '\0') {
            *ret_after = (struct hs_job_after){.kind = kinds[i], .job_id = job_id};
            return 0;
        }
    }
    return hs_err_set(
        err, HS_E_INVALID, "/after",
        "'%.64s' is no condition: afterok:ID, afternotok:ID, afterany:ID or singleton", text);
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
        free_texts(job->after, job->n_after);
        free_texts(job->sites, job->n_sites);
        free_texts(job->env, job->n_env);
        free(job->script);
        free(job);
    }
}
