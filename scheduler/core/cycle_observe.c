/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_observe - events into state.
 *
 * What a host shows outranks what was asked of it: a call that timed out is settled by the next
 * listing, a machine with our tag that the store knows as waiting is taken up again, a machine of
 * a job that is over is an orphan and is destroyed. Machines without our tag are counted, only.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

static struct hs_machine *find_machine(struct hs_cycle_host *host, const char *name)
{
    for (size_t i = 0; i < host->machines.n; i++) {
        if (strcmp(host->machines.items[i].name, name) == 0) {
            return &host->machines.items[i];
        }
    }
    return NULL;
}

static void put_machine(struct hs_cycle_host *host, const struct hs_machine *machine)
{
    struct hs_machine *seen = find_machine(host, machine->name);

    if (machine->state == HS_MACHINE_SHUT_OFF && machine->job_id != 0) {
        if (seen != NULL) {
            HS_VEC_SWAP_REMOVE(&host->machines, (size_t)(seen - host->machines.items));
        }
        return;
    }
    if (seen != NULL) {
        *seen = *machine;
    } else {
        (void)HS_VEC_PUSH(&host->machines, *machine);
    }
}

static bool has_machine_of(const struct hs_cycle_host *host, uint64_t job_id)
{
    for (size_t i = 0; i < host->machines.n; i++) {
        if (host->machines.items[i].job_id == job_id) {
            return true;
        }
    }
    return false;
}

static void drop_machine_of(struct hs_cycle_host *host, uint64_t job_id)
{
    for (size_t i = host->machines.n; i-- > 0;) {
        if (host->machines.items[i].job_id == job_id) {
            HS_VEC_SWAP_REMOVE(&host->machines, i);
        }
    }
}

/* --- jobs --- */

static void resolve_sites(const struct hs_cycle *cycle, struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;

    entry->site_allowed = hs_xcalloc(cycle->estate->n_sites, sizeof(bool));
    for (size_t s = 0; s < cycle->estate->n_sites; s++) {
        const char *name = cycle->estate->sites[s].name;
        bool allowed = job->n_sites == 0;

        for (size_t i = 0; i < job->n_sites; i++) {
            allowed |= strcmp(job->sites[i], name) == 0;
        }
        for (size_t i = 0; i < job->n_not_sites; i++) {
            allowed &= strcmp(job->not_sites[i], name) != 0;
        }
        entry->site_allowed[s] = allowed;
    }
}

static int64_t resolve_due(const struct hs_cycle *cycle, const struct hs_job *job)
{
    const struct hs_policy_class *class =
        hs_policy_find_class(cycle->options.policy, job->class_name);
    int64_t wait_s =
        class != NULL && class->max_wait_s > 0 ? class->max_wait_s : HS_CYCLE_DEFAULT_WAIT_S;
    int64_t from_at_s =
        job->earliest_at_s > job->submitted_at_s ? job->earliest_at_s : job->submitted_at_s;

    return job->due_at_s > 0 ? job->due_at_s : from_at_s + wait_s + job->duration_s;
}

void hs_cycle_init_entry(const struct hs_cycle *cycle, struct hs_job *job,
                         struct hs_cycle_entry *ret_entry)
{
    *ret_entry =
        (struct hs_cycle_entry){.job = job, .host_idx = SIZE_MAX, .run_made_at_s = INT64_MIN};
    resolve_sites(cycle, ret_entry);
    ret_entry->due_at_s = resolve_due(cycle, job);
}

static void add_job(struct hs_cycle *cycle, struct hs_job *job)
{
    struct hs_cycle_entry entry;

    if (hs_cycle_find_entry(cycle, job->id) != NULL) {
        hs_job_free(job);
        return;
    }
    hs_cycle_init_entry(cycle, job, &entry);
    if (job->host[0] != '\0') {
        entry.host_idx = hs_estate_find_host(cycle->estate, job->host);
    }
    if (job->state == HS_JOB_STARTING) {
        entry.is_op_unknown = true; /* an earlier life asked for it: the listing will tell */
        entry.op_kind = HS_ACTION_START;
    }
    if (!hs_job_is_over(job)) {
        hs_cycle_learn_request(cycle, &entry);
    }
    if (job->state == HS_JOB_MIGRATING) {
        entry.is_op_unknown = true;
        entry.op_kind = HS_ACTION_MOVE;
        entry.to_host_idx = entry.host_idx;
        entry.moved_from = HS_JOB_RUNNING;
    }
    entry.is_share_unknown = job->host[0] != '\0' && job->base_class == HS_CLASS_ELASTIC;
    if (job->state == HS_JOB_RUNNING) {
        hs_cycle_foresee_change(cycle, &entry, HS_JOB_STARTING);
    }
    (void)HS_VEC_PUSH(&cycle->entries, entry);
    for (size_t i = cycle->entries.n - 1; i > 0 && cycle->entries.items[i - 1].job->id > job->id;
         i--) {
        struct hs_cycle_entry other = cycle->entries.items[i - 1];

        cycle->entries.items[i - 1] = cycle->entries.items[i];
        cycle->entries.items[i] = other;
    }
    struct hs_cycle_entry *added = hs_cycle_find_entry(cycle, job->id);
    size_t added_idx = (size_t)(added - cycle->entries.items);

    for (size_t i = cycle->live.n; i-- > 0 && cycle->live.items[i] >= added_idx;) {
        cycle->live.items[i]++; /* it is behind the new one */
    }
    hs_cycle_add_live(cycle, added);
    cycle->is_insert_wanted = true;
}

static void end_job(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                    const struct hs_event *event)
{
    struct hs_job *job = entry->job;
    enum hs_job_state state = HS_JOB_DONE;

    if (hs_job_is_over(job)) {
        return;
    }
    if (job->cancel_wanted) {
        state = HS_JOB_CANCELLED;
    } else if (!event->has_exit_status) {
        state = HS_JOB_FAILED;
        if (job->why[0] == '\0') {
            snprintf(job->why, sizeof(job->why),
                     "its machine ended without an exit status; see its log");
        }
    } else if (event->exit_status != 0) {
        state = HS_JOB_FAILED;
        snprintf(job->why, sizeof(job->why), "its script ended with exit status %d",
                 event->exit_status);
    }
    job->has_exit_status = event->has_exit_status;
    job->exit_status = event->exit_status;
    entry->op_id = 0;
    entry->is_op_unknown = false;
    cycle->has_news |= state != HS_JOB_DONE
                       || hs_cycle_get_remaining_s(cycle, entry) > (double)cycle->estate->slot_s;
    hs_cycle_set_state(cycle, entry, state, event->at_s);
    if (state == HS_JOB_DONE) {
        hs_cycle_learn_end(cycle, entry);
        hs_cycle_foresee_end(cycle, entry);
    }
    /* Room came free before its time: who starts at once should not wait for the next slot. */
    cycle->is_insert_wanted = true;
}

static void cancel_job(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, event->job_id);

    if (entry == NULL || hs_job_is_over(entry->job)) {
        return;
    }
    entry->job->cancel_wanted = true;
    entry->is_changed = true; /* the answer waits until it is durable */
    entry->retry_at_s = 0;
    snprintf(entry->job->why, sizeof(entry->job->why), "cancelled by its owner");
    if (entry->job->state == HS_JOB_WAITING || entry->job->state == HS_JOB_HELD) {
        hs_cycle_set_state(cycle, entry, HS_JOB_CANCELLED, event->at_s);
        cycle->is_plan_wanted = true;
    }
}

/* --- actions --- */

static void start_done(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                       const struct hs_event *event)
{
    const struct hs_job *job = entry->job;
    struct hs_machine machine = {.state = HS_MACHINE_RUNNING,
                                 .vcpus = job->vcpus,
                                 .memory_mib = job->memory_mib,
                                 .cpu_s = NAN,
                                 .job_id = job->id};

    snprintf(machine.name, sizeof(machine.name), "hs-%llu", (unsigned long long)job->id);
    if (find_machine(&cycle->hosts[entry->host_idx], machine.name) == NULL) {
        put_machine(&cycle->hosts[entry->host_idx], &machine);
    }
    entry->n_fails = 0;
    entry->refused[0] = '\0';
    entry->job->share = 1.0; /* a new machine is not throttled */
    if (job->state == HS_JOB_STARTING) {
        hs_cycle_set_state(cycle, entry, HS_JOB_RUNNING, event->at_s);
    }
}

static void start_failed(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                         const struct hs_event *event)
{
    struct hs_job *job = entry->job;

    entry->retry_at_s = event->at_s + HS_CYCLE_RETRY_S;
    if (hs_job_is_over(job)) {
        return;
    }
    entry->host_idx = SIZE_MAX;
    job->host[0] = '\0';
    if (!hs_err_is_transient(event->rc) && ++entry->n_fails >= HS_CYCLE_FAILS_MAX) {
        snprintf(job->why, sizeof(job->why), "%.180s", event->text);
        hs_cycle_set_state(cycle, entry, HS_JOB_FAILED, event->at_s);
        return;
    }
    hs_cycle_set_state(cycle, entry, job->cancel_wanted ? HS_JOB_CANCELLED : HS_JOB_WAITING,
                       event->at_s);
    cycle->is_plan_wanted = true;
}

static void action_done(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_entry *entry = NULL;

    for (size_t i = 0; i < cycle->live.n; i++) {
        if (hs_cycle_get_live(cycle, i)->op_id == event->op_id) {
            entry = hs_cycle_get_live(cycle, i);
        }
    }
    if (entry == NULL || event->op_id == 0) {
        return;
    }
    entry->op_id = 0;
    if (event->rc != 0) {
        snprintf(entry->refused, sizeof(entry->refused), "%.190s", event->text);
        entry->retry_at_s = event->at_s + HS_CYCLE_RETRY_S;
        entry->is_op_unknown = event->rc == -HS_E_TIMEOUT;
        if (entry->op_kind == HS_ACTION_START && !entry->is_op_unknown) {
            start_failed(cycle, entry, event);
        } else if (entry->op_kind == HS_ACTION_MOVE && !entry->is_op_unknown) {
            hs_cycle_fail_move(cycle, entry, event->rc, event->at_s);
        } else if (entry->op_kind == HS_ACTION_THROTTLE) {
            hs_cycle_finish_throttle(cycle, entry, event->rc, event->at_s);
        }
        return;
    }
    struct hs_cycle_host *host = &cycle->hosts[entry->host_idx];
    char name[HS_NAME_MAX];

    snprintf(name, sizeof(name), "hs-%llu", (unsigned long long)entry->job->id);
    struct hs_machine *machine = find_machine(host, name);

    switch (entry->op_kind) {
    case HS_ACTION_START:
        start_done(cycle, entry, event);
        return;
    case HS_ACTION_SUSPEND:
        if (machine != NULL) {
            machine->state = HS_MACHINE_PAUSED;
        }
        hs_cycle_set_state(cycle, entry, HS_JOB_SUSPENDED, event->at_s);
        return;
    case HS_ACTION_RESUME:
        if (machine != NULL) {
            machine->state = HS_MACHINE_RUNNING;
        }
        hs_cycle_set_state(cycle, entry, HS_JOB_RUNNING, event->at_s);
        return;
    case HS_ACTION_MOVE:
        hs_cycle_learn_move(cycle, entry->job, event->at_s);
        hs_cycle_finish_move(cycle, entry, entry->to_host_idx, event->at_s);
        return;
    case HS_ACTION_THROTTLE:
        hs_cycle_finish_throttle(cycle, entry, 0, event->at_s);
        return;
    case HS_ACTION_SHUTDOWN:
    case HS_ACTION_DESTROY:
        if (!hs_job_is_over(entry->job)) {
            hs_cycle_set_state(cycle, entry, HS_JOB_STOPPING, event->at_s);
        }
        return;
    }
}

/* --- machines --- */

/*
 * A machine elsewhere than where the job is said to be is taken for its own only if that host
 * answers and has none: two that run are for people to part, and a silent host may have one.
 */
static bool is_second(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                      size_t host_idx)
{
    const struct hs_cycle_host *own =
        entry->host_idx != SIZE_MAX ? &cycle->hosts[entry->host_idx] : NULL;

    return own != NULL && entry->host_idx != host_idx
           && (!own->is_up || has_machine_of(own, entry->job->id));
}

/* Bring a job in line with the machine that carries its tag. */
static void follow_machine(struct hs_cycle *cycle, size_t host_idx,
                           const struct hs_machine *machine, int64_t at_s)
{
    struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, machine->job_id);
    enum hs_job_state state =
        machine->state == HS_MACHINE_PAUSED ? HS_JOB_SUSPENDED : HS_JOB_RUNNING;

    if (entry == NULL || entry->op_id != 0 || hs_job_is_over(entry->job)
        || entry->job->state == HS_JOB_STOPPING
        || entry->job->state == HS_JOB_MIGRATING /* one side of two: HS_EVENT_MOVE_SETTLED tells */
        || is_second(cycle, entry, host_idx)
        || (machine->state != HS_MACHINE_PAUSED && machine->state != HS_MACHINE_RUNNING)) {
        return;
    }
    entry->is_op_unknown = false;
    if (entry->host_idx != host_idx) {
        entry->host_idx = host_idx;
        snprintf(entry->job->host, sizeof(entry->job->host), "%s",
                 cycle->estate->hosts[host_idx].path);
        entry->is_changed = true;
    }
    if (entry->job->state != state) {
        hs_cycle_note(cycle, "job", entry->job->name, "machine '%s' on '%s' is %s", machine->name,
                      cycle->estate->hosts[host_idx].path, hs_machine_state_word(machine->state));
        hs_cycle_set_state(cycle, entry, state, at_s);
    }
}

/* What was refused because the host was silent need not wait any longer. */
static void retry_now(struct hs_cycle *cycle, size_t host_idx)
{
    for (size_t i = 0; i < cycle->live.n; i++) {
        if (hs_cycle_get_live(cycle, i)->host_idx == host_idx) {
            hs_cycle_get_live(cycle, i)->retry_at_s = 0;
        }
    }
}

static void host_listed(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_host *host = &cycle->hosts[event->host_idx];

    if (!host->is_up) {
        retry_now(cycle, event->host_idx);
        host->is_up = true;
        host->is_down = false;
        cycle->is_plan_wanted = true;
        hs_cycle_note(cycle, "host", cycle->estate->hosts[event->host_idx].path,
                      "answers, %zu machines", event->n_machines);
    }
    host->machines.n = 0;
    for (size_t i = 0; i < event->n_machines; i++) {
        put_machine(host, &event->machines[i]);
    }
    for (size_t i = 0; i < host->machines.n; i++) {
        struct hs_machine machine = host->machines.items[i];

        if (machine.job_id != 0) {
            follow_machine(cycle, event->host_idx, &machine, event->at_s);
        }
    }
    /* A start that timed out and left no machine, in whatever state, never happened. */
    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);

        if (entry->is_op_unknown && entry->op_kind == HS_ACTION_START
            && entry->host_idx == event->host_idx && entry->job->state == HS_JOB_STARTING
            && !has_machine_of(host, entry->job->id)) {
            entry->is_op_unknown = false;
            start_failed(cycle, entry,
                         &(struct hs_event){.at_s = event->at_s, .rc = -HS_E_TIMEOUT});
        }
    }
}

static void machine_ended(struct hs_cycle *cycle, const struct hs_event *event)
{
    struct hs_cycle_entry *entry = hs_cycle_find_entry(cycle, event->job_id);

    drop_machine_of(&cycle->hosts[event->host_idx], event->job_id);
    if (entry != NULL && entry->job->state == HS_JOB_MIGRATING && !event->has_exit_status) {
        return; /* gone without a word is what a move looks like from where it left */
    }
    if (entry != NULL && (entry->host_idx == event->host_idx || entry->host_idx == SIZE_MAX)) {
        end_job(cycle, entry, event);
    }
}

static bool is_bad(enum hs_quality quality)
{
    return quality != HS_QUALITY_GOOD && quality != HS_QUALITY_SUBSTITUTED
           && quality != HS_QUALITY_UNKNOWN;
}

/* Said when a point turns bad and when it is good again, not at each reading: sensors stay bad. */
static void take_reading(struct hs_cycle *cycle, const struct hs_reading *reading)
{
    const struct hs_estimator_value *value =
        hs_estimator_find_value(cycle->estimator, &reading->point);
    enum hs_quality before = value != NULL ? value->quality : HS_QUALITY_GOOD;
    char path[HS_POINT_MAX];

    hs_estimator_add(cycle->estimator, reading);
    value =
        hs_estimator_find_value(cycle->estimator, &reading->point); /* a new height is found now */
    if (value == NULL || is_bad(value->quality) == is_bad(before)) {
        return;
    }
    hs_reading_format_point(cycle->estate, &reading->point, path);
    if (!is_bad(value->quality)) {
        hs_cycle_note(cycle, "reading", path, "good again: %g", reading->value);
    } else if (isnan(value->value)) {
        hs_cycle_note(cycle, "reading", path, "%g is %s, left out: no good one has come yet",
                      reading->value, hs_reading_quality_word(value->quality));
    } else {
        hs_cycle_note(cycle, "reading", path, "%g is %s, left out: the last good one, %g, holds",
                      reading->value, hs_reading_quality_word(value->quality), value->value);
    }
}

void hs_cycle_observe(struct hs_cycle *cycle, const struct hs_event *event)
{
    switch (event->kind) {
    case HS_EVENT_READING:
        take_reading(cycle, &event->reading);
        return;
    case HS_EVENT_JOB:
        add_job(cycle, event->job);
        return;
    case HS_EVENT_CANCEL:
        cancel_job(cycle, event);
        return;
    case HS_EVENT_HOST_LISTED:
        host_listed(cycle, event);
        return;
    case HS_EVENT_HOST_LOST:
        hs_cycle_lose_host(cycle, event);
        return;
    case HS_EVENT_HOST_DOWN:
        hs_cycle_confirm_down(cycle, event);
        return;
    case HS_EVENT_MOVE_SETTLED:
        hs_cycle_settle_move(cycle, event);
        return;
    case HS_EVENT_MACHINE_CHANGED:
        put_machine(&cycle->hosts[event->host_idx], &event->machine);
        if (event->machine.job_id != 0) {
            follow_machine(cycle, event->host_idx, &event->machine, event->at_s);
        }
        return;
    case HS_EVENT_MACHINE_ENDED:
        machine_ended(cycle, event);
        return;
    case HS_EVENT_ACTION_DONE:
        action_done(cycle, event);
        return;
    }
}
