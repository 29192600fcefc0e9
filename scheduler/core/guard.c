/* SPDX-License-Identifier: Apache-2.0 */
/* guard - see guard.h. */
#include "scheduler/core/guard.h"

#include <math.h>
#include <string.h>

/* Rounding of a sum of watts, not a licence. */
#define SLACK_W 1e-3

static bool names_site(char *const *sites, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(sites[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int check_site(const struct hs_site *site, const struct hs_job *job, struct hs_err *err)
{
    if ((job->n_sites > 0 && !names_site(job->sites, job->n_sites, site->name))
        || names_site(job->not_sites, job->n_not_sites, site->name)) {
        return hs_err_set(err, HS_E_DENIED, site->name, "job %llu may not run at site '%s'",
                          (unsigned long long)job->id, site->name);
    }
    return 0;
}

/* vCPUs that run on the host: paused machines hold memory only. */
static uint32_t busy_vcpus(const struct hs_host *host, const struct hs_guard_host *seen)
{
    uint32_t foreign = 0;
    uint32_t ours = 0;

    for (size_t i = 0; i < seen->n_machines; i++) {
        const struct hs_machine *machine = &seen->machines[i];

        if (machine->job_id == 0) {
            foreign += machine->state == HS_MACHINE_SHUT_OFF ? 0 : machine->vcpus;
        } else if (machine->state == HS_MACHINE_RUNNING) {
            ours += machine->vcpus;
        }
    }
    foreign = foreign > host->pinned_vcpus ? foreign : host->pinned_vcpus;
    return foreign + ours + seen->coming_vcpus;
}

static bool holds_memory(const struct hs_guard_view *view, const struct hs_machine *machine)
{
    bool is_saved =
        view->frees_memory && machine->job_id != 0 && machine->state == HS_MACHINE_PAUSED;

    return machine->state != HS_MACHINE_SHUT_OFF && !is_saved;
}

static uint64_t used_memory_mib(const struct hs_guard_view *view, const struct hs_guard_host *seen)
{
    uint64_t sum_mib = seen->coming_memory_mib;

    for (size_t i = 0; i < seen->n_machines; i++) {
        if (holds_memory(view, &seen->machines[i])) {
            sum_mib += seen->machines[i].memory_mib;
        }
    }
    return sum_mib;
}

/* A policy's limit of the hour. @param now_w  with the job */
static int check_cap(const struct hs_guard_view *view, size_t scope, const char *kind,
                     const char *name, double now_w, struct hs_err *err)
{
    const struct hs_guard_cap *cap = view->caps != NULL ? &view->caps[scope] : NULL;

    if (cap == NULL || now_w <= cap->elec_w + SLACK_W) {
        return 0;
    }
    return hs_err_set(err, HS_E_CONFLICT, name,
                      "%s '%s' would draw %.0f W, its limit at this time is %.0f W%s%s", kind, name,
                      now_w, cap->elec_w, cap->why[0] != '\0' ? ": " : "", cap->why);
}

static int check_caps(const struct hs_guard_view *view, const struct hs_host *host, double site_w,
                      double rack_w, double more_w, struct hs_err *err)
{
    const struct hs_estate *estate = view->estate;
    double loop_w = more_w;
    int rc;

    for (size_t h = 0; view->caps != NULL && h < estate->n_hosts; h++) {
        loop_w += estate->hosts[h].loop_idx == host->loop_idx ? view->hosts[h].elec_w : 0.0;
    }
    rc = check_cap(view, host->site_idx, "site", estate->sites[host->site_idx].name, site_w, err);
    rc = rc != 0 ? rc
                 : check_cap(view, estate->n_sites + host->loop_idx, "heat loop",
                             estate->loops[host->loop_idx].path, loop_w, err);
    return rc != 0 ? rc
                   : check_cap(view, estate->n_sites + estate->n_loops + host->rack_idx, "rack",
                               estate->racks[host->rack_idx].path, rack_w, err);
}

/* @param busy_vcpus  of the host without the job's @vcpus; if it sleeps, they wake it */
static int check_power(const struct hs_guard_view *view, size_t host_idx, uint32_t busy_vcpus,
                       uint32_t vcpus, struct hs_err *err)
{
    const struct hs_estate *estate = view->estate;
    const struct hs_host *host = &estate->hosts[host_idx];
    const struct hs_rack *rack = &estate->racks[host->rack_idx];
    const struct hs_site *site = &estate->sites[host->site_idx];
    double more_w = hs_host_elec_w(host, busy_vcpus + vcpus) - hs_host_elec_w(host, busy_vcpus);
    double rack_w = more_w;
    double site_w = more_w;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        rack_w += estate->hosts[h].rack_idx == host->rack_idx ? view->hosts[h].elec_w : 0.0;
        site_w += estate->hosts[h].site_idx == host->site_idx ? view->hosts[h].elec_w : 0.0;
    }
    if (rack_w > rack->limit_w + SLACK_W) {
        return hs_err_set(err, HS_E_CONFLICT, rack->path,
                          "rack '%s' would draw %.0f W, its limit is %.0f W", rack->path, rack_w,
                          rack->limit_w);
    }
    if (site_w > site->limit_w + SLACK_W) {
        return hs_err_set(err, HS_E_CONFLICT, site->name,
                          "site '%s' would draw %.0f W, its limit is %.0f W", site->name, site_w,
                          site->limit_w);
    }
    return check_caps(view, host, site_w, rack_w, more_w, err);
}

static int check_room(const struct hs_guard_view *view, const struct hs_action *action,
                      const struct hs_job *job, struct hs_err *err)
{
    const struct hs_host *host = &view->estate->hosts[action->host_idx];
    const struct hs_guard_host *seen = &view->hosts[action->host_idx];
    uint32_t vcpus = busy_vcpus(host, seen);
    uint64_t memory_mib = used_memory_mib(view, seen);

    if (vcpus + job->vcpus > host->vcpus) {
        return hs_err_set(err, HS_E_CONFLICT, host->path,
                          "host '%s' has %u of %u vCPUs busy, job %llu needs %u", host->path, vcpus,
                          host->vcpus, (unsigned long long)job->id, job->vcpus);
    }
    if ((action->kind != HS_ACTION_RESUME || view->frees_memory)
        && memory_mib + job->memory_mib > host->memory_mib) {
        return hs_err_set(err, HS_E_CONFLICT, host->path,
                          "host '%s' has %llu of %llu MiB in use, job %llu needs %llu", host->path,
                          (unsigned long long)memory_mib, (unsigned long long)host->memory_mib,
                          (unsigned long long)job->id, (unsigned long long)job->memory_mib);
    }
    return check_power(view, action->host_idx, vcpus, job->vcpus, err);
}

/* Anything but a start needs a machine there that carries our tag for this very job. */
static int check_ours(const struct hs_guard_view *view, const struct hs_action *action,
                      struct hs_err *err)
{
    const struct hs_guard_host *seen = &view->hosts[action->host_idx];

    for (size_t i = 0; i < seen->n_machines; i++) {
        if (seen->machines[i].job_id == action->job_id && action->job_id != 0) {
            return 0;
        }
    }
    return hs_err_set(err, HS_E_DENIED, view->estate->hosts[action->host_idx].path,
                      "no machine of job %llu is seen on host '%s'",
                      (unsigned long long)action->job_id,
                      view->estate->hosts[action->host_idx].path);
}

/* A machine of the job in any state, on any host that was ever seen: another would be a second. */
static int check_single(const struct hs_guard_view *view, const struct hs_action *action,
                        struct hs_err *err)
{
    for (size_t h = 0; h < view->estate->n_hosts; h++) {
        for (size_t i = 0; i < view->hosts[h].n_machines; i++) {
            const struct hs_machine *machine = &view->hosts[h].machines[i];

            if (machine->job_id == action->job_id) {
                return hs_err_set(err, HS_E_DENIED, view->estate->hosts[h].path,
                                  "job %llu has machine '%s' on host '%s' already, %s",
                                  (unsigned long long)action->job_id, machine->name,
                                  view->estate->hosts[h].path,
                                  hs_machine_state_word(machine->state));
            }
        }
    }
    return 0;
}

/* Another host for a machine of ours: one that may be moved, to where the job may be and fits. */
static int check_move(const struct hs_guard_view *view, const struct hs_action *action,
                      const struct hs_job *job, struct hs_err *err)
{
    const struct hs_host *to = &view->estate->hosts[action->to_host_idx];
    struct hs_action there = *action;
    int rc;

    if (job->base_class == HS_CLASS_PINNED || !job->movable) {
        return hs_err_set(err, HS_E_DENIED, NULL, "job %llu may not be moved",
                          (unsigned long long)job->id);
    }
    if (action->to_host_idx == action->host_idx) {
        return hs_err_set(err, HS_E_DENIED, to->path, "job %llu is on host '%s' already",
                          (unsigned long long)job->id, to->path);
    }
    if (!view->hosts[action->to_host_idx].is_up) {
        return hs_err_set(err, HS_E_UNAVAILABLE, to->path, "host '%s' does not answer", to->path);
    }
    there.host_idx = action->to_host_idx;
    rc = check_site(&view->estate->sites[to->site_idx], job, err);
    return rc != 0 ? rc : check_room(view, &there, job, err);
}

int hs_guard_check(const struct hs_guard_view *view, const struct hs_action *action,
                   const struct hs_job *job, struct hs_err *err)
{
    const struct hs_host *host = &view->estate->hosts[action->host_idx];
    int rc;

    if (!view->hosts[action->host_idx].is_up) {
        return hs_err_set(err, HS_E_UNAVAILABLE, host->path, "host '%s' does not answer",
                          host->path);
    }
    if (action->kind != HS_ACTION_START) {
        rc = check_ours(view, action, err);
        if (rc == 0 && action->kind == HS_ACTION_MOVE) {
            return check_move(view, action, job, err);
        }
        return rc != 0 || action->kind != HS_ACTION_RESUME ? rc
                                                           : check_room(view, action, job, err);
    }
    if (hs_job_is_over(job)) {
        return hs_err_set(err, HS_E_DENIED, NULL, "job %llu is %s", (unsigned long long)job->id,
                          hs_job_state_word(job->state));
    }
    rc = check_single(view, action, err);
    rc = rc != 0 ? rc : check_site(&view->estate->sites[host->site_idx], job, err);
    return rc != 0 ? rc : check_room(view, action, job, err);
}
