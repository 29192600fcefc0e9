/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_move - who may be moved, and what came of it; see cycle_priv.h. */
#include <math.h>
#include <stdio.h>

#include "scheduler/core/cycle_priv.h"

/* Moves of a day are spread evenly, so no more than that many fall into any day. */
static bool has_budget(const struct hs_cycle *cycle, const struct hs_job *job)
{
    const struct hs_policy_class *class =
        hs_policy_find_class(cycle->options.policy, job->class_name);
    int n_max = class != NULL ? class->max_moves_per_day : 0;

    return n_max > 0
           && (job->moved_at_s == 0
               || (cycle->now_at_s - job->moved_at_s) * n_max >= (int64_t)HS_S_PER_DAY);
}

bool hs_cycle_may_move(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;
    bool is_live = job->state == HS_JOB_RUNNING && job->base_class == HS_CLASS_MOVABLE;
    bool may_stop = job->interruptible || job->base_class == HS_CLASS_FILLER;

    return cycle->options.can_move && job->movable && job->base_class != HS_CLASS_PINNED
           && !job->cancel_wanted && entry->op_id == 0 && !entry->is_op_unknown
           && entry->host_idx != SIZE_MAX && cycle->hosts[entry->host_idx].is_up
           && (is_live || (job->state == HS_JOB_RUNNING && may_stop)
               || job->state == HS_JOB_SUSPENDED)
           && cycle->now_at_s >= entry->no_move_until_s && has_budget(cycle, job);
}

double hs_cycle_get_move_s(const struct hs_cycle *cycle, uint64_t memory_mib)
{
    return fmax(cycle->options.move_s, hs_movecost_get_s(&cycle->movecost, memory_mib));
}

void hs_cycle_learn_move(struct hs_cycle *cycle, const struct hs_job *job, int64_t at_s)
{
    if (job->state == HS_JOB_MIGRATING) {
        hs_movecost_add(&cycle->movecost, job->memory_mib, (double)(at_s - job->since_at_s));
    }
}

json_t *hs_cycle_save_moves(const struct hs_cycle *cycle)
{
    return hs_movecost_save(&cycle->movecost);
}

int hs_cycle_restore_moves(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err)
{
    return hs_movecost_restore(&cycle->movecost, saved, err);
}

/* The machine as it was seen, now on the other host. */
static void carry_machine(struct hs_cycle *cycle, const struct hs_cycle_entry *entry, size_t to)
{
    struct hs_cycle_host *from = &cycle->hosts[entry->host_idx];
    bool is_there = false;

    for (size_t i = 0; i < cycle->hosts[to].machines.n; i++) {
        is_there |= cycle->hosts[to].machines.items[i].job_id == entry->job->id;
    }
    for (size_t i = from->machines.n; i-- > 0;) {
        if (from->machines.items[i].job_id == entry->job->id) {
            struct hs_machine machine = from->machines.items[i];

            HS_VEC_SWAP_REMOVE(&from->machines, i);
            if (!is_there) {
                (void)HS_VEC_PUSH(&cycle->hosts[to].machines, machine);
            }
        }
    }
}

void hs_cycle_finish_move(struct hs_cycle *cycle, struct hs_cycle_entry *entry, size_t host_idx,
                          int64_t at_s)
{
    struct hs_job *job = entry->job;

    if (host_idx != entry->host_idx) {
        carry_machine(cycle, entry, host_idx);
    }
    entry->host_idx = host_idx;
    snprintf(job->host, sizeof(job->host), "%s", cycle->estate->hosts[host_idx].path);
    job->moves++;
    job->moved_at_s = at_s;
    entry->is_changed = true;
    if (job->state == HS_JOB_MIGRATING) {
        hs_cycle_set_state(cycle, entry, entry->moved_from, at_s);
    }
}

void hs_cycle_fail_move(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int rc, int64_t at_s)
{
    entry->no_move_until_s =
        rc == -HS_E_UNSUPPORTED ? INT64_MAX : at_s + (int64_t)HS_CYCLE_NO_MOVE_S;
    cycle->is_plan_wanted = true;
    if (entry->job->state == HS_JOB_MIGRATING) {
        hs_cycle_set_state(cycle, entry, entry->moved_from, at_s);
    }
}
