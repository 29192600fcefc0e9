/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_share - shares of elastic jobs: what may be planned, and what is; see cycle_priv.h. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

static bool may_throttle(const struct hs_cycle *cycle, const struct hs_job *job)
{
    return cycle->options.can_throttle && !cycle->cannot_throttle
           && job->base_class == HS_CLASS_ELASTIC && job->max_share > 0;
}

void hs_cycle_fill_shares(const struct hs_cycle *cycle, const struct hs_job *job,
                          struct hs_place_job *io_job)
{
    io_job->share_min = 0;
    io_job->share_max = 0;
    if (may_throttle(cycle, job)) {
        io_job->share_max = (uint8_t)hs_policy_get_most_quarters(job->max_share);
        io_job->share_min =
            job->now ? io_job->share_max : (uint8_t)hs_policy_get_least_quarters(job->min_share);
    }
}

double hs_cycle_get_full_share(const struct hs_cycle *cycle, const struct hs_job *job)
{
    struct hs_place_job shares = {0};

    hs_cycle_fill_shares(cycle, job, &shares);
    return hs_place_get_full_share(&shares);
}

double hs_cycle_get_planned_share(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                  size_t slot)
{
    struct hs_place_job shares = {0};

    hs_cycle_fill_shares(cycle, entry->job, &shares);
    return hs_place_get_full_share(&shares) * hs_place_get_speed(&shares, &entry->placement, slot);
}

void hs_cycle_finish_throttle(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int rc,
                              int64_t at_s)
{
    entry->is_share_unknown = rc == -HS_E_TIMEOUT;
    if (rc == 0) {
        hs_jobstate_set_share(entry->job, entry->to_share, at_s);
        entry->is_changed = true;
    } else if (rc == -HS_E_UNSUPPORTED) {
        cycle->cannot_throttle = true;
        cycle->is_plan_wanted = true;
        hs_cycle_note(cycle, "host", cycle->estate->hosts[entry->host_idx].path,
                      "cannot throttle machines: elastic work runs at its full share");
    }
}

double hs_cycle_get_unused_vcpus(const struct hs_cycle *cycle, size_t host_idx)
{
    const struct hs_cycle_host *host = &cycle->hosts[host_idx];
    double unused = 0.0;

    for (size_t i = 0; i < host->machines.n; i++) {
        const struct hs_machine *machine = &host->machines.items[i];
        const struct hs_cycle_entry *entry =
            machine->job_id != 0 && machine->state == HS_MACHINE_RUNNING
                ? hs_cycle_find_entry(cycle, machine->job_id)
                : NULL;

        if (entry != NULL && entry->job->share < 1.0) {
            unused += (1.0 - entry->job->share) * machine->vcpus;
        }
    }
    return unused;
}
