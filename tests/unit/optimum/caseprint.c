/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/optimum/caseprint.h"

#include <math.h>
#include <stdio.h>

#include "tests/unit/optimum/caseprice.h"

void caseprint_hours(const struct smallcase *c)
{
    static const char *const scopes[] = {"site", "loop", "rack"};

    for (size_t h = 0; h < c->estate.n_hosts; h++) {
        printf("host %2zd %s: %2u vCPUs (%u pinned) %6llu MiB, loop %zu%s\n", (ssize_t)h,
               c->hosts[h].path, c->hosts[h].vcpus, c->hosts[h].pinned_vcpus,
               (unsigned long long)c->hosts[h].memory_mib, c->hosts[h].loop_idx,
               c->barred[h] ? ", barred" : "");
    }
    for (size_t i = 0; i < c->n_reserved; i++) {
        printf("host %2zd: %d vCPUs %lld MiB are others' in slots %zu..%zu\n",
               (ssize_t)c->reserved[i].host_idx, c->reserved[i].size.vcpus,
               (long long)c->reserved[i].size.memory_mib, c->reserved[i].first,
               c->reserved[i].last);
    }
    for (size_t i = 0; i < c->n_closed; i++) {
        printf("host %2zd: closed in slots %zu..%zu\n", (ssize_t)c->closed[i].host_idx,
               c->closed[i].first, c->closed[i].last);
    }
    for (size_t i = 0; i < c->n_caps; i++) {
        printf("%s %zu: no more than %.0f W in slots %zu..%zu\n", scopes[c->caps[i].scope],
               c->caps[i].idx, c->caps[i].elec_w, c->caps[i].first, c->caps[i].last);
    }
    printf("suspended work %s its memory; a kW of ramp costs %g\n",
           c->frame.frees_memory ? "frees" : "holds", c->frame.ramp_cur_per_kw);
}

void caseprint_plan(const struct smallcase *c, const struct hs_plan *plan)
{
    for (size_t i = 0; i < plan->n_placements; i++) {
        const struct hs_placement *placement = &plan->placements[i];
        const struct hs_place_job *job = caseprice_find_job(c, placement->job_id);
        unsigned most = job->share_max > 0 ? job->share_max : 4;
        char text[SMALLCASE_SLOTS_MAX + 1] = {0};

        for (size_t t = 0; t < c->n_slots; t++) { /* quarters */
            bool runs = placement->host_idx != SIZE_MAX && hs_plan_runs(placement, t);

            text[t] = runs ? (char)('0' + most - hs_plan_get_cut(placement, t)) : '.';
        }
        printf("job %llu freedom %d %2d vCPUs %6lld MiB share %u..%u %s %2zd, %4.1f slots from "
               "%4.1f due %4.1f%s: host %2zd %s%s\n",
               (unsigned long long)job->job_id, (int)job->freedom, job->size.vcpus,
               (long long)job->size.memory_mib, job->share_min, job->share_max,
               job->is_movable ? "movable from" : "bound to", (ssize_t)job->host_idx,
               job->remaining_s / (double)c->estate.slot_s,
               fmax(0.0, (double)(job->earliest_at_s - c->frame.from_at_s))
                   / (double)c->estate.slot_s,
               (double)(job->due_at_s - c->frame.from_at_s) / (double)c->estate.slot_s,
               job->must_run_now ? " must run now"
               : job->is_running ? " runs"
                                 : "",
               (ssize_t)placement->host_idx, text, placement->is_late ? " late" : "");
    }
}
