/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_jobs - jobs as the planner sees them: how long, by when, what may be done with them. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

double hs_cycle_get_remaining_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    double overhead_s = (double)entry->job->suspends * cycle->options.suspend_s
                        + (double)entry->job->moves * cycle->options.move_s;
    double left_s = (double)entry->job->duration_s + overhead_s
                    - hs_jobstate_get_ran_s(entry->job, cycle->now_at_s);

    return fmax(left_s, 60.0) / hs_cycle_get_full_share(cycle, entry->job);
}

/* --- jobs --- */

static bool is_on_host(const struct hs_job *job)
{
    return job->state == HS_JOB_STARTING || job->state == HS_JOB_RUNNING
           || job->state == HS_JOB_SUSPENDED || job->state == HS_JOB_MIGRATING
           || job->state == HS_JOB_STOPPING;
}

static enum hs_place_freedom freedom_of(const struct hs_cycle *cycle,
                                        const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;
    bool may_stop = job->interruptible || job->base_class == HS_CLASS_FILLER;

    if (is_on_host(job)) {
        /* Nothing can be asked of a host that does not answer: what runs there, runs. */
        bool is_fixed = !may_stop || job->state == HS_JOB_STOPPING || job->state == HS_JOB_MIGRATING
                        || job->cancel_wanted || !cycle->hosts[entry->host_idx].is_up;

        if (!is_fixed && job->base_class == HS_CLASS_FILLER && !job->now) {
            return HS_PLACE_FILLER; /* it stops again where heat no longer pays */
        }
        return is_fixed ? HS_PLACE_FIXED : HS_PLACE_INTERRUPTIBLE;
    }
    if (job->now || job->base_class == HS_CLASS_PINNED || job->base_class == HS_CLASS_MOVABLE) {
        return HS_PLACE_AT_ONCE;
    }
    if (job->base_class == HS_CLASS_FILLER) {
        return HS_PLACE_FILLER;
    }
    return job->interruptible ? HS_PLACE_INTERRUPTIBLE : HS_PLACE_CONTIGUOUS;
}

bool hs_cycle_may_wait(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    enum hs_place_freedom freedom = freedom_of(cycle, entry);

    return freedom == HS_PLACE_CONTIGUOUS || freedom == HS_PLACE_INTERRUPTIBLE;
}

/*
 * An estimate that cannot end by the due time is likelier wrong than the due time: people ask
 * for fourteen times what they run. Room is kept until the due time only, and it starts at once.
 */
static void cut_hopeless(const struct hs_cycle *cycle, struct hs_place_job *job)
{
    int64_t start_at_s =
        job->earliest_at_s > cycle->now_at_s ? job->earliest_at_s : cycle->now_at_s;
    double left_s = (double)(job->due_at_s - start_at_s);

    if (job->remaining_s > left_s && left_s >= 60.0) {
        job->is_hopeless = true;
        job->remaining_s = left_s;
    }
}

/*
 * Work that may be suspended is laid out for the time that it will rather run, but so that it ends
 * by its due time even if it takes all that was asked for, or the quantile of its like if that is
 * more. Other work, and what has a host already, keeps room for all that was asked for: where it
 * did not, a few jobs in a thousand found their host taken when they had to go on.
 */
static void use_foreseen(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         struct hs_place_job *job)
{
    int64_t start_at_s =
        job->earliest_at_s > cycle->now_at_s ? job->earliest_at_s : cycle->now_at_s;
    double left_s = (double)(job->due_at_s - start_at_s);
    double safe_s = hs_cycle_get_safe_left_s(cycle, entry);
    double expected_s = hs_cycle_get_planned_left_s(cycle, entry);

    if (!hs_cycle_is_foreseen(entry) || left_s < 60.0) {
        return;
    }
    if (safe_s <= left_s) {
        job->remaining_s = expected_s;
        job->due_at_s -= (int64_t)ceil(safe_s - expected_s);
        return;
    }
    job->is_hopeless = true;
    job->remaining_s = fmin(expected_s, left_s);
    job->due_at_s = start_at_s + (int64_t)ceil(job->remaining_s); /* so it starts at once */
}

/* Filler waits for heat as long as it takes: a due time of its own only says until when. */
static void fill_filler(const struct hs_cycle *cycle, const struct hs_job *job,
                        struct hs_place_job *ret_job)
{
    const struct hs_policy_class *class =
        hs_policy_find_class(cycle->options.policy, job->class_name);
    int64_t end_at_s = cycle->plan_from_at_s + (int64_t)cycle->n_slots * cycle->estate->slot_s;

    ret_job->ceiling_cur_per_mwh = class != NULL ? class->ceiling_cur_per_mwh : 0.0;
    ret_job->due_at_s =
        job->due_at_s > cycle->now_at_s && job->due_at_s < end_at_s ? job->due_at_s : end_at_s;
}

/*
 * The move takes time of the work's own, so it is not for what has none to lose. What runs would
 * lose the rest of the slot as well; what waits where there is no room has only that to lose.
 */
static bool has_time_to_move(const struct hs_cycle *cycle, const struct hs_place_job *job)
{
    double left_s = (double)(job->due_at_s - cycle->now_at_s);
    double lost_s = job->move_s + (job->is_running ? (double)cycle->estate->slot_s : 0.0);

    return job->freedom == HS_PLACE_FIXED || (job->is_hopeless && !job->is_running)
           || job->remaining_s + lost_s <= left_s;
}

/* Any stop makes it later still. */
static bool cannot_be_in_time(const struct hs_cycle *cycle, const struct hs_place_job *job)
{
    return job->freedom != HS_PLACE_FILLER
           && (job->is_hopeless
               || (double)cycle->now_at_s + job->remaining_s > (double)job->due_at_s);
}

bool hs_cycle_fill_place_job(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                             struct hs_place_job *ret_job)
{
    const struct hs_job *other;

    if (entry->job->state == HS_JOB_WAITING
        && hs_cycle_check_after(cycle, entry->job, &other) != HS_CYCLE_AFTER_MET) {
        return false; /* nobody knows when it may start */
    }
    return hs_cycle_fill_place_job_alone(cycle, entry, ret_job);
}

bool hs_cycle_fill_place_job_alone(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                   struct hs_place_job *ret_job)
{
    const struct hs_job *job = entry->job;

    if (hs_job_is_over(job) || job->state == HS_JOB_HELD || job->cancel_wanted) {
        if (!is_on_host(job)) {
            return false;
        }
    }
    if (is_on_host(job) && entry->host_idx == SIZE_MAX) {
        return false;
    }
    *ret_job = (struct hs_place_job){
        .job_id = job->id,
        .freedom = freedom_of(cycle, entry),
        .size = {.vcpus = (int32_t)job->vcpus, .memory_mib = (int64_t)job->memory_mib},
        .remaining_s = hs_cycle_get_remaining_s(cycle, entry),
        .earliest_at_s = job->earliest_at_s,
        .due_at_s = entry->due_at_s,
        .margin_s = entry->margin_s,
        .min_run_s = job->min_run_s,
        .is_running = job->state == HS_JOB_RUNNING || job->state == HS_JOB_STARTING,
        .host_idx = is_on_host(job) ? entry->host_idx : SIZE_MAX,
        .priority = job->priority,
        .site_allowed = entry->site_allowed,
    };
    if (ret_job->freedom == HS_PLACE_FILLER) {
        fill_filler(cycle, job, ret_job);
    } else {
        use_foreseen(cycle, entry, ret_job);
        cut_hopeless(cycle, ret_job);
    }
    ret_job->must_run_now =
        job->state == HS_JOB_STARTING
        || (job->state == HS_JOB_RUNNING && !hs_cycle_soft_is_limited(cycle, entry->host_idx)
            && (cycle->now_at_s - job->since_at_s < job->min_run_s
                || cannot_be_in_time(cycle, ret_job)));
    ret_job->move_s = hs_cycle_get_move_s(cycle, job->memory_mib);
    ret_job->is_movable = !ret_job->must_run_now && hs_cycle_may_move(cycle, entry)
                          && has_time_to_move(cycle, ret_job);
    hs_cycle_fill_shares(cycle, job, ret_job);
    if (job->state == HS_JOB_MIGRATING) {
        ret_job->host_idx = entry->to_host_idx;
    }
    return true;
}
