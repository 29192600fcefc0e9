/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_check - would a request be taken, and if not, what would be right. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/timetext.h"
#include "scheduler/core/cycle_priv.h"

static bool site_is_allowed(const struct hs_job *job, const char *name)
{
    bool allowed = job->n_sites == 0;

    for (size_t i = 0; i < job->n_sites; i++) {
        allowed |= strcmp(job->sites[i], name) == 0;
    }
    for (size_t i = 0; i < job->n_not_sites; i++) {
        allowed &= strcmp(job->not_sites[i], name) != 0;
    }
    return allowed;
}

static int check_sites_known(const struct hs_cycle *cycle, char *const *sites, size_t n,
                             const char *pointer, struct hs_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (hs_estate_find_site(cycle->estate, sites[i]) == SIZE_MAX) {
            return hs_err_set(err, HS_E_INVALID, pointer, "no site '%s'; `hsched sites` lists them",
                              sites[i]);
        }
    }
    return 0;
}

/* The largest job that one host could take at the sites the job may use. */
static int check_size(const struct hs_cycle *cycle, const struct hs_job *job, struct hs_err *err)
{
    uint32_t most_vcpus = 0;
    uint64_t most_mib = 0;
    bool has_site = false;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        const struct hs_host *host = &cycle->estate->hosts[h];

        if (!site_is_allowed(job, cycle->estate->sites[host->site_idx].name)) {
            continue;
        }
        has_site = true;
        uint32_t vcpus = host->vcpus - host->pinned_vcpus;

        if (vcpus >= job->vcpus && host->memory_mib >= job->memory_mib) {
            return 0;
        }
        most_vcpus = vcpus > most_vcpus ? vcpus : most_vcpus;
        most_mib = host->memory_mib > most_mib ? host->memory_mib : most_mib;
    }
    if (!has_site) {
        return hs_err_set(err, HS_E_INVALID, "/not_sites",
                          "sites and not_sites leave no site with a host that it may use");
    }
    return hs_err_set(err, HS_E_INVALID, "/vcpus",
                      "larger than any host it may use: it asks for %u vCPUs and %llu MiB, one "
                      "host has at most %u vCPUs and %llu MiB free for jobs",
                      job->vcpus, (unsigned long long)job->memory_mib, most_vcpus,
                      (unsigned long long)most_mib);
}

int hs_cycle_check_job(const struct hs_cycle *cycle, struct hs_job *job, int64_t now_at_s,
                       char *ret_cannot_meet, struct hs_err *err)
{
    int rc = hs_policy_apply(cycle->options.policy, job, err);

    ret_cannot_meet[0] = '\0';
    if (rc != 0) {
        return rc;
    }
    rc = check_sites_known(cycle, job->sites, job->n_sites, "/sites", err);
    rc = rc != 0 ? rc
                 : check_sites_known(cycle, job->not_sites, job->n_not_sites, "/not_sites", err);
    rc = rc != 0 ? rc : hs_cycle_check_after_known(cycle, job, err);
    rc = rc != 0 ? rc : check_size(cycle, job, err);
    if (rc != 0) {
        return rc;
    }
    int64_t start_at_s = job->earliest_at_s > now_at_s ? job->earliest_at_s : now_at_s;

    if (job->due_at_s > 0 && start_at_s + job->duration_s > job->due_at_s) {
        char need[HS_TIMETEXT_MAX];
        char late[HS_TIMETEXT_MAX];

        hs_timetext_format_duration(job->duration_s, need);
        hs_timetext_format_duration(start_at_s + job->duration_s - job->due_at_s, late);
        snprintf(ret_cannot_meet, 192,
                 "its due time cannot be met: it needs %s and would end %s late if it started at "
                 "once",
                 need, late);
    }
    return 0;
}
