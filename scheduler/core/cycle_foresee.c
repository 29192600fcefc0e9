/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_foresee - how long jobs will run, learned from those that ran; see forecast/runtimes.h.
 *
 * A job that waits is looked at again now and then, one that runs once a slot: that it has not
 * ended yet is news.
 */
#include <math.h>
#include <stdio.h>

#include "scheduler/base/timetext.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

#define FORESEE_WAITING_S INT64_C(3600) /* what ended meanwhile changes little */
#define LEFT_MIN_S        60.0          /* an estimate that was short */

static struct hs_runtimes_request request_of(const struct hs_job *job)
{
    return (struct hs_runtimes_request){
        .team = job->team,
        .name = job->name,
        .requested_s = (double)job->duration_s,
        .limit_s = (double)job->limit_s,
        .vcpus = job->vcpus,
        .memory_mib = job->memory_mib,
    };
}

/* --- learning --- */

void hs_cycle_foresee_change(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                             enum hs_job_state before)
{
    const struct hs_job *job = entry->job;
    struct hs_runtimes_request request = request_of(job);

    if (job->state == HS_JOB_RUNNING && before != HS_JOB_RUNNING) {
        if (job->suspends == 0) {
            hs_runtimes_predict(cycle->runtimes, &request, cycle->now_at_s, 0, &entry->foreseen);
        }
        hs_runtimes_start(cycle->runtimes, &request, job->id,
                          job->since_at_s - (int64_t)job->ran_s);
    } else if (before == HS_JOB_RUNNING && job->state != HS_JOB_DONE) {
        hs_runtimes_drop(cycle->runtimes, &request, job->id);
    }
    entry->run_made_at_s = INT64_MIN;
}

void hs_cycle_foresee_end(struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    struct hs_runtimes_request request = request_of(entry->job);
    double overhead_s = (double)entry->job->suspends * cycle->options.suspend_s;
    double run_s = hs_jobstate_get_ran_s(entry->job, cycle->now_at_s) - overhead_s;

    hs_runtimes_end(cycle->runtimes, &request, entry->job->id, fmax(run_s, 1.0),
                    entry->foreseen.learned_s > 0 ? &entry->foreseen : NULL);
}

/* --- looking --- */

void hs_cycle_foresee(const struct hs_cycle *cycle, struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;
    int64_t every_s = job->state == HS_JOB_RUNNING ? cycle->estate->slot_s : FORESEE_WAITING_S;
    struct hs_runtimes_request request = request_of(job);

    if (entry->run_made_at_s != INT64_MIN && cycle->now_at_s - entry->run_made_at_s < every_s) {
        return;
    }
    entry->run_made_at_s = cycle->now_at_s;
    hs_runtimes_predict(cycle->runtimes, &request, cycle->now_at_s,
                        hs_jobstate_get_ran_s(job, cycle->now_at_s), &entry->run);
}

static double get_left_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         double run_s)
{
    double overhead_s = (double)entry->job->suspends * cycle->options.suspend_s;

    return fmax(run_s + overhead_s - hs_jobstate_get_ran_s(entry->job, cycle->now_at_s), LEFT_MIN_S)
           / hs_cycle_get_full_share(cycle, entry->job);
}

bool hs_cycle_is_foreseen(const struct hs_cycle_entry *entry)
{
    return entry->job->interruptible && entry->host_idx == SIZE_MAX
           && entry->run_made_at_s != INT64_MIN && !entry->run.is_request;
}

double hs_cycle_get_safe_left_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    double requested_s = hs_cycle_get_remaining_s(cycle, entry);

    return hs_cycle_is_foreseen(entry)
               ? fmax(requested_s, get_left_s(cycle, entry, entry->run.upper_s))
               : requested_s;
}

double hs_cycle_get_planned_left_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    return hs_cycle_is_foreseen(entry) ? fmin(get_left_s(cycle, entry, entry->run.expected_s),
                                              hs_cycle_get_safe_left_s(cycle, entry))
                                       : hs_cycle_get_remaining_s(cycle, entry);
}

/* --- showing --- */

void hs_cycle_format_run(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         json_t *object)
{
    const struct hs_job *job = entry->job;
    struct hs_runtimes_request request = request_of(job);
    struct hs_runtimes_run run;
    char asked[HS_TIMETEXT_MAX];
    char text[256];

    if (hs_job_is_over(job)) {
        return;
    }
    hs_runtimes_predict(cycle->runtimes, &request, cycle->now_at_s,
                        hs_jobstate_get_ran_s(job, cycle->now_at_s), &run);
    hs_timetext_format_duration(job->duration_s, asked);
    if (run.n_ended < 1) {
        snprintf(text, sizeof(text), "no job has ended yet; %s was asked for", asked);
    } else {
        snprintf(text, sizeof(text), "%s%.0f ended %s; %s was asked for",
                 run.is_request ? "what was asked for came true with " : "", run.n_ended,
                 hs_runtimes_group_words(run.group), asked);
    }
    hs_jsonx_set_int(object, "expected_run_s", (int64_t)ceil(run.expected_s));
    hs_jsonx_set_int(object, "upper_run_s", (int64_t)ceil(run.upper_s));
    hs_jsonx_set_text(object, "expected_run_from", text);
}

/* --- kept --- */

json_t *hs_cycle_save_runtimes(const struct hs_cycle *cycle)
{
    return hs_runtimes_save(cycle->runtimes);
}

int hs_cycle_restore_runtimes(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err)
{
    return hs_runtimes_restore(cycle->runtimes, saved, err);
}
