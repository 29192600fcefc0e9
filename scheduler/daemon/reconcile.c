/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/reconcile.h"

#include <inttypes.h>
#include <string.h>

#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/settle.h"
#include "scheduler/daemon/strays.h"

#define RELIST_S 1.0 /* real; after a list and a look that did not agree */

/** A job whose host was asked about its end. */
struct asked {
    uint64_t job_id;
    int64_t since_at_s; /* state of the job that the question was about */
    bool is_pending;
};

struct hs_reconcile {
    const struct hs_cycle *cycle;
    const struct hs_estate *estate;
    struct hs_enact *enact;
    struct hs_inbox *inbox;
    struct hs_fleet *fleet;
    struct hs_sighting *sighting;
    struct hs_settle settle;
    struct hs_strays *strays;
    HS_VEC(struct asked) asked;
};

/** One question on its way. */
struct question {
    struct hs_reconcile *reconcile;
    uint64_t job_id;
    size_t host_idx;
};

static bool is_listed(const struct hs_machine *machines, size_t n_machines, uint64_t job_id)
{
    for (size_t i = 0; i < n_machines; i++) {
        if (machines[i].job_id == job_id) {
            return true;
        }
    }
    return false;
}

/** True if a machine of the job should be on its host now. */
static bool has_machine(const struct hs_reconcile *reconcile, const struct hs_job *job)
{
    return !hs_job_is_over(job) && job->state != HS_JOB_HELD && job->state != HS_JOB_WAITING
           && !hs_enact_is_busy(reconcile->enact, job->id);
}

static struct asked *find_asked(struct hs_reconcile *reconcile, uint64_t job_id)
{
    for (size_t i = 0; i < reconcile->asked.n; i++) {
        if (reconcile->asked.items[i].job_id == job_id) {
            return &reconcile->asked.items[i];
        }
    }
    return NULL;
}

static void forget_over(struct hs_reconcile *reconcile)
{
    for (size_t i = reconcile->asked.n; i-- > 0;) {
        const struct asked *asked = &reconcile->asked.items[i];
        const struct hs_job *job = hs_cycle_get_job(reconcile->cycle, asked->job_id);

        if (!asked->is_pending && (job == NULL || hs_job_is_over(job))) {
            HS_VEC_SWAP_REMOVE(&reconcile->asked, i);
        }
    }
}

static void tell_ended(struct hs_reconcile *reconcile, const struct question *question,
                       const struct hs_machine_end *end)
{
    struct hs_event event = {.kind = HS_EVENT_MACHINE_ENDED,
                             .host_idx = question->host_idx,
                             .job_id = question->job_id,
                             .has_exit_status = end != NULL && end->has_exit_status,
                             .exit_status = end != NULL ? end->exit_status : 0};

    HS_LOG_INFO("reconcile", "job %" PRIu64 ": its machine left '%s' %s", question->job_id,
                reconcile->estate->hosts[question->host_idx].path,
                event.has_exit_status ? "with an exit status" : "without a word");
    hs_inbox_add(reconcile->inbox, &event, HS_INBOX_SOON);
}

static void on_collected(int rc, const struct hs_err *err, const struct hs_machine_end *end,
                         void *arg)
{
    struct question *question = arg;
    struct hs_reconcile *reconcile = question->reconcile;
    const struct hs_job *job = hs_cycle_get_job(reconcile->cycle, question->job_id);
    struct asked *asked = find_asked(reconcile, question->job_id);

    if (asked != NULL) {
        asked->is_pending = false;
    }
    if (rc != 0 && rc != -HS_E_NOTFOUND) {
        /* not known yet: ask again at the next listing, soon if the machine was seen after all */
        if (asked != NULL) {
            asked->since_at_s = INT64_MIN;
        }
        if (rc == -HS_E_CONFLICT) {
            hs_fleet_list(reconcile->fleet, question->host_idx, RELIST_S);
        }
        free(question);
        return;
    }
    if (rc == 0) {
        tell_ended(reconcile, question, end);
    } else if (rc == -HS_E_NOTFOUND && job != NULL && job->state != HS_JOB_STARTING
               && job->state != HS_JOB_MIGRATING) {
        tell_ended(reconcile, question, NULL);
    }
    /* one that was moving is found on its other host; one that never started is left to the listing
     * itself: the cycle may start it again */
    hs_fleet_list(reconcile->fleet, question->host_idx, 0);
    free(question);
}

static void ask(struct hs_reconcile *reconcile, size_t host_idx, const struct hs_job *job)
{
    struct question *question = hs_xcalloc(1, sizeof(*question));
    struct asked *asked = find_asked(reconcile, job->id);

    if (asked == NULL) {
        asked = HS_VEC_PUSH(&reconcile->asked, (struct asked){.job_id = job->id});
    }
    asked->since_at_s = job->since_at_s;
    asked->is_pending = true;
    *question = (struct question){reconcile, job->id, host_idx};
    hs_compute_collect(hs_fleet_get_compute(reconcile->fleet, host_idx), job->id, on_collected,
                       question);
}

/** A call that began its machine may still land: no news is no news yet. */
static bool may_yet_appear(struct hs_reconcile *reconcile, size_t host_idx, uint64_t job_id)
{
    const struct hs_intent *intent;
    double since_mono_s;
    double wait_s;

    for (size_t i = 0; (intent = hs_enact_get_open(reconcile->enact, i, &since_mono_s)) != NULL;
         i++) {
        if (intent->job_id == job_id && intent->kind == HS_ACTION_START
            && !hs_settle_is_sure(&reconcile->settle, host_idx, since_mono_s, &wait_s)) {
            hs_fleet_list(reconcile->fleet, host_idx, wait_s);
            return true;
        }
    }
    return false;
}

/** It was taken to another host that answers: it has not ended. */
static bool is_elsewhere(const struct hs_reconcile *reconcile, size_t host_idx, uint64_t job_id)
{
    for (size_t h = 0; h < reconcile->estate->n_hosts; h++) {
        if (h != host_idx && hs_sighting_find(reconcile->sighting, h, job_id) != NULL) {
            return true;
        }
    }
    return false;
}

static bool collect_ends(struct hs_reconcile *reconcile, size_t host_idx,
                         const struct hs_machine *machines, size_t n_machines)
{
    const char *path = reconcile->estate->hosts[host_idx].path;
    size_t n_jobs = hs_cycle_get_n_jobs(reconcile->cycle);
    bool is_clear = true;

    for (size_t i = 0; i < n_jobs; i++) {
        const struct hs_job *job = hs_cycle_get_job_at(reconcile->cycle, i);
        const struct asked *asked;

        if (strcmp(job->host, path) != 0 || !has_machine(reconcile, job)
            || is_listed(machines, n_machines, job->id)
            || is_elsewhere(reconcile, host_idx, job->id)) {
            continue;
        }
        if (may_yet_appear(reconcile, host_idx, job->id)) {
            is_clear = false;
            continue;
        }
        asked = find_asked(reconcile, job->id);
        if (asked != NULL && asked->is_pending) {
            is_clear = false;
        } else if (asked == NULL || asked->since_at_s != job->since_at_s) {
            ask(reconcile, host_idx, job);
            is_clear = false;
        }
    }
    return is_clear;
}

bool hs_reconcile_check(struct hs_reconcile *reconcile, size_t host_idx,
                        const struct hs_machine *machines, size_t n_machines)
{
    forget_over(reconcile);
    hs_sighting_set(reconcile->sighting, host_idx, hs_clock_mono_s(reconcile->inbox->clock),
                    machines, n_machines);
    if (!collect_ends(reconcile, host_idx, machines, n_machines)) {
        return false;
    }
    hs_settle_apply(&reconcile->settle, host_idx);
    hs_strays_apply(reconcile->strays, host_idx, machines, n_machines);
    return true;
}

void hs_reconcile_confirm_down(struct hs_reconcile *reconcile, const char *path)
{
    size_t host_idx = hs_estate_find_host(reconcile->estate, path);

    if (host_idx != SIZE_MAX) {
        hs_sighting_set(reconcile->sighting, host_idx, hs_clock_mono_s(reconcile->inbox->clock),
                        NULL, 0);
    }
    hs_settle_apply_down(&reconcile->settle, path);
}

struct hs_reconcile *hs_reconcile_new(const struct hs_cycle *cycle, const struct hs_estate *estate,
                                      struct hs_enact *enact, struct hs_inbox *inbox,
                                      struct hs_store *store)
{
    struct hs_reconcile *reconcile = hs_xcalloc(1, sizeof(*reconcile));

    reconcile->cycle = cycle;
    reconcile->estate = estate;
    reconcile->enact = enact;
    reconcile->inbox = inbox;
    reconcile->sighting = hs_sighting_new(estate->n_hosts);
    reconcile->settle = (struct hs_settle){.cycle = cycle,
                                           .estate = estate,
                                           .sighting = reconcile->sighting,
                                           .enact = enact,
                                           .inbox = inbox};
    reconcile->strays = hs_strays_new(&reconcile->settle, store);
    return reconcile;
}

void hs_reconcile_set_fleet(struct hs_reconcile *reconcile, struct hs_fleet *fleet)
{
    reconcile->fleet = fleet;
    reconcile->settle.fleet = fleet;
}

void hs_reconcile_free(struct hs_reconcile *reconcile)
{
    if (reconcile != NULL) {
        HS_VEC_FINI(&reconcile->asked);
        hs_strays_free(reconcile->strays);
        hs_sighting_free(reconcile->sighting);
        free(reconcile);
    }
}
