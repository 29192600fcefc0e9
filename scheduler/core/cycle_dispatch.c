/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle_dispatch - placements into actions, each past the guard.
 *
 * One action a job is in flight at most. What this step asks for counts as taken at once, so that
 * two jobs never get the same room.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/core/cycle_priv.h"
#include "scheduler/core/jobstate.h"

struct dispatch {
    struct hs_cycle *cycle;
    struct hs_guard_host *hosts; /* [n_hosts] what is seen plus what this step asked for */
    const struct hs_guard_cap *caps;
    bool *is_lacking; /* [n_hosts] what the plan has there now was refused for want of room */
    bool is_shedding; /* what is asked for now is for safety: no store is needed for it */
    bool *is_freeing; /* [n_sites] something was asked to stop there or to leave */
};

/* Count the job into what is coming to a host, or with @sign -1 out of it. */
static void count_coming(struct dispatch *dispatch, const struct hs_cycle_entry *entry,
                         size_t host_idx, bool with_memory, int sign)
{
    struct hs_guard_host *host = &dispatch->hosts[host_idx];
    uint32_t vcpus = entry->job->vcpus;
    uint64_t memory_mib = with_memory ? entry->job->memory_mib : 0;

    host->coming_vcpus = sign > 0 ? host->coming_vcpus + vcpus : host->coming_vcpus - vcpus;
    host->coming_memory_mib =
        sign > 0 ? host->coming_memory_mib + memory_mib : host->coming_memory_mib - memory_mib;
    /* as if nothing were throttled: it need not stay so */
    host->elec_w = hs_host_elec_w(&dispatch->cycle->estate->hosts[host_idx],
                                  hs_cycle_get_busy_vcpus(dispatch->cycle, host_idx)
                                      + (double)host->coming_vcpus);
}

/* A machine that is resumed has its memory already, unless it was saved. */
static bool takes_memory(const struct hs_cycle *cycle, enum hs_action_kind kind)
{
    return kind == HS_ACTION_START || cycle->options.frees_memory;
}

/* What was asked for and is not seen yet counts as there. */
static void fill_guard_hosts(struct dispatch *dispatch)
{
    struct hs_cycle *cycle = dispatch->cycle;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        dispatch->hosts[h] = (struct hs_guard_host){
            .is_up = cycle->hosts[h].is_up,
            .machines = cycle->hosts[h].machines.items,
            .n_machines = cycle->hosts[h].machines.n,
            /* as if nothing were throttled: it need not stay so */
            .elec_w = hs_host_elec_w(&cycle->estate->hosts[h], hs_cycle_get_busy_vcpus(cycle, h)),
        };
    }
    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        bool is_coming = entry->op_id != 0 || entry->is_op_unknown;

        if (entry->is_moving || (is_coming && entry->op_kind == HS_ACTION_MOVE)) {
            count_coming(dispatch, entry, entry->to_host_idx, true, 1);
        }
        if (!is_coming || entry->host_idx == SIZE_MAX
            || (entry->op_kind != HS_ACTION_START && entry->op_kind != HS_ACTION_RESUME)) {
            continue;
        }
        count_coming(dispatch, entry, entry->host_idx, takes_memory(cycle, entry->op_kind), 1);
    }
}

static void emit(struct dispatch *dispatch, struct hs_cycle_entry *entry,
                 const struct hs_action *action)
{
    struct hs_cycle *cycle = dispatch->cycle;
    const struct hs_host *place = &cycle->estate->hosts[action->host_idx];

    (void)HS_VEC_PUSH(&cycle->actions, *action);
    entry->op_id = action->op_id;
    entry->op_kind = action->kind;
    entry->is_op_unknown = false;
    entry->refused[0] = '\0';
    if (action->kind == HS_ACTION_START || action->kind == HS_ACTION_RESUME) {
        count_coming(dispatch, entry, action->host_idx, takes_memory(cycle, action->kind), 1);
    }
    dispatch->is_freeing[place->site_idx] |= action->kind == HS_ACTION_SUSPEND
                                             || action->kind == HS_ACTION_MOVE
                                             || action->kind == HS_ACTION_DESTROY;
    entry->to_share = action->share;
    if (action->kind == HS_ACTION_MOVE) {
        count_coming(dispatch, entry, action->to_host_idx, true, 1);
        entry->to_host_idx = action->to_host_idx;
        entry->moved_from = entry->job->state;
        hs_cycle_set_state(cycle, entry, HS_JOB_MIGRATING, cycle->now_at_s);
    }
    if (action->kind == HS_ACTION_START) {
        entry->host_idx = action->host_idx;
        snprintf(entry->job->host, sizeof(entry->job->host), "%s", place->path);
        hs_cycle_set_state(cycle, entry, HS_JOB_STARTING, cycle->now_at_s);
    }
}

static struct hs_guard_view view_of(const struct dispatch *dispatch)
{
    return (struct hs_guard_view){.estate = dispatch->cycle->estate,
                                  .caps = dispatch->caps,
                                  .hosts = dispatch->hosts,
                                  .frees_memory = dispatch->cycle->options.frees_memory};
}

/* @host_idx has no room for what the plan has there, or its rack or site no power. */
static void mark_lacking(struct dispatch *dispatch, size_t host_idx, const struct hs_err *err)
{
    const struct hs_estate *estate = dispatch->cycle->estate;
    const struct hs_host *host = &estate->hosts[host_idx];
    bool is_of_host = strcmp(err->where, host->path) == 0;

    if (err->kind != HS_E_CONFLICT) {
        return; /* nothing that room would mend */
    }
    dispatch->is_lacking[host_idx] = true;
    for (size_t h = 0; !is_of_host && h < estate->n_hosts; h++) {
        dispatch->is_lacking[h] |= estate->hosts[h].site_idx == host->site_idx;
    }
}

/* Nothing that may wait begins where its heat would be too much. */
static int check_hot(const struct dispatch *dispatch, const struct hs_cycle_entry *entry,
                     const struct hs_action *action, struct hs_err *err)
{
    const struct hs_cycle *cycle = dispatch->cycle;
    const struct hs_estate *estate = cycle->estate;
    size_t loop_idx = estate->hosts[action->to_host_idx].loop_idx;
    bool begins = action->kind == HS_ACTION_START || action->kind == HS_ACTION_RESUME
                  || action->kind == HS_ACTION_MOVE;
    double elec_w = 0.0;
    char why[192];

    for (size_t h = 0; begins && cycle->loops[loop_idx].zone.is_capped && h < estate->n_hosts;
         h++) {
        elec_w += estate->hosts[h].loop_idx == loop_idx ? dispatch->hosts[h].elec_w : 0.0;
    }
    if (!begins
        || hs_cycle_hot_check(cycle, entry->job, action->to_host_idx, elec_w, why, sizeof(why))) {
        return 0;
    }
    return hs_err_set(err, HS_E_UNAVAILABLE, estate->loops[loop_idx].path, "%s", why);
}

/* The last word before an action leaves: the guard's. */
static void want(struct dispatch *dispatch, struct hs_cycle_entry *entry, enum hs_action_kind kind,
                 size_t host_idx, const char *why)
{
    struct hs_cycle *cycle = dispatch->cycle;
    const struct hs_guard_view view = view_of(dispatch);
    struct hs_action action = {
        .op_id = cycle->next_op_id,
        .kind = kind,
        .job_id = entry->job->id,
        .host_idx = host_idx,
        .to_host_idx = kind == HS_ACTION_MOVE ? entry->placement.host_idx : host_idx,
        .is_live = kind == HS_ACTION_MOVE && entry->job->state == HS_JOB_RUNNING,
        .share = kind == HS_ACTION_THROTTLE ? hs_cycle_get_planned_share(cycle, entry, 0) : 1.0,
        .is_safety = dispatch->is_shedding,
        .wanted_at_s = cycle->now_at_s,
    };
    struct hs_err err;
    int64_t wait_s = 0;
    int rc;

    snprintf(action.why, sizeof(action.why), "%s", why);
    rc = check_hot(dispatch, entry, &action, &err);
    rc = rc != 0 ? rc : hs_guard_check(&view, &action, entry->job, &err);
    if (rc != 0) {
        mark_lacking(dispatch, action.to_host_idx, &err);
        if (strcmp(entry->refused, err.text) != 0) {
            char subject[32];

            snprintf(subject, sizeof(subject), "%llu", (unsigned long long)entry->job->id);
            hs_cycle_note(cycle, "guard", subject, "refused to %s: %s", hs_action_word(kind),
                          err.text);
            snprintf(entry->refused, sizeof(entry->refused), "%s", err.text);
        }
        entry->retry_at_s = cycle->now_at_s + HS_CYCLE_RETRY_S;
        return;
    }
    if ((kind == HS_ACTION_START || kind == HS_ACTION_RESUME)
        && !hs_cycle_soft_take_ramp(cycle, host_idx, entry->job->vcpus,
                                    entry->job->now || entry->placement.is_forced, &wait_s)) {
        entry->retry_at_s = cycle->now_at_s + wait_s;
        return;
    }
    cycle->next_op_id++;
    emit(dispatch, entry, &action);
}

/* On a host that the estate still has; nothing can be asked of any other. */
static bool is_machine_up(const struct hs_cycle_entry *entry)
{
    enum hs_job_state state = entry->job->state;

    return entry->host_idx != SIZE_MAX
           && (state == HS_JOB_RUNNING || state == HS_JOB_SUSPENDED || state == HS_JOB_STARTING);
}

static bool is_over_limit(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry)
{
    const struct hs_job *job = entry->job;

    return job->limit_s > 0 && job->state == HS_JOB_RUNNING && is_machine_up(entry)
           && hs_jobstate_get_ran_s(job, cycle->now_at_s) > (double)job->limit_s;
}

/* Would the guard let it move now? What is suspended for a move and then may not is worse off. */
static bool can_go(struct dispatch *dispatch, const struct hs_cycle_entry *entry,
                   struct hs_err *err)
{
    const struct hs_guard_view view = view_of(dispatch);
    const struct hs_action action = {.kind = HS_ACTION_MOVE,
                                     .job_id = entry->job->id,
                                     .host_idx = entry->host_idx,
                                     .to_host_idx = entry->placement.host_idx};

    return hs_guard_check(&view, &action, entry->job, err) == 0;
}

/* Moves from or to either of its hosts that are on their way, and suspends for one. */
static int count_moves(const struct hs_cycle *cycle, size_t from, size_t to)
{
    int n_from = 0;
    int n_to = 0;

    for (size_t i = 0; i < cycle->live.n; i++) {
        const struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        bool is_on_its_way = entry->op_id != 0 || entry->is_op_unknown;

        if (entry->is_moving || (is_on_its_way && entry->op_kind == HS_ACTION_MOVE)) {
            n_from += entry->host_idx == from || entry->to_host_idx == from;
            n_to += entry->host_idx == to || entry->to_host_idx == to;
        }
    }
    return n_from > n_to ? n_from : n_to;
}

/*
 * The plan has it run on another host now. Live what may not stop; the rest is suspended first,
 * its room there kept, and goes on once it has been moved.
 */
static void dispatch_move(struct dispatch *dispatch, struct hs_cycle_entry *entry)
{
    struct hs_cycle *cycle = dispatch->cycle;
    bool stops = entry->job->state == HS_JOB_RUNNING && entry->job->base_class != HS_CLASS_MOVABLE;
    char why[160];
    struct hs_err err;

    if (entry->is_moving) {
        count_coming(dispatch, entry, entry->to_host_idx, true, -1);
        entry->is_moving = false;
    }
    if (!hs_cycle_may_move(cycle, entry)) {
        entry->retry_at_s = cycle->now_at_s + HS_CYCLE_RETRY_S; /* the next plan knows */
        return;
    }
    if (count_moves(cycle, entry->host_idx, entry->placement.host_idx)
        >= cycle->options.policy->migration.parallel_per_host) {
        return; /* looked at again when one of those has ended */
    }
    if (stops && !can_go(dispatch, entry, &err)) {
        mark_lacking(dispatch, entry->placement.host_idx, &err);
        entry->retry_at_s = cycle->now_at_s + HS_CYCLE_RETRY_S;
        return;
    }
    snprintf(why, sizeof(why), "goes on at '%.80s', where heat is worth more than the move costs",
             cycle->estate->hosts[entry->placement.host_idx].path);
    want(dispatch, entry, stops ? HS_ACTION_SUSPEND : HS_ACTION_MOVE, entry->host_idx, why);
    if (stops && entry->op_id != 0) {
        entry->is_moving = true;
        entry->to_host_idx = entry->placement.host_idx;
        count_coming(dispatch, entry, entry->to_host_idx, true, 1);
    }
}

/* It goes on where it is, at another share than so far. */
static void dispatch_share(struct dispatch *dispatch, struct hs_cycle_entry *entry)
{
    double more = hs_cycle_get_planned_share(dispatch->cycle, entry, 0) - entry->job->share;

    if (entry->job->base_class == HS_CLASS_ELASTIC && !dispatch->cycle->cannot_throttle
        && dispatch->cycle->options.can_throttle
        && (fabs(more) > 1e-6 || entry->is_share_unknown)) {
        want(dispatch, entry, HS_ACTION_THROTTLE, entry->host_idx,
             more < 0 ? "the rest of it is cheaper later, and it may run slower"
                      : "cheapest at this share");
    }
}

static void dispatch_job(struct dispatch *dispatch, struct hs_cycle_entry *entry)
{
    struct hs_cycle *cycle = dispatch->cycle;
    struct hs_job *job = entry->job;

    if (entry->op_id != 0 || entry->is_op_unknown || cycle->now_at_s < entry->retry_at_s) {
        return;
    }
    if (job->cancel_wanted && is_machine_up(entry)) {
        want(dispatch, entry, HS_ACTION_DESTROY, entry->host_idx, job->why);
        return;
    }
    if (is_over_limit(cycle, entry)) {
        char limit[HS_TIMETEXT_MAX];

        hs_timetext_format_duration(job->limit_s, limit);
        snprintf(job->why, sizeof(job->why), "ran longer than its limit of %s", limit);
        want(dispatch, entry, HS_ACTION_DESTROY, entry->host_idx, job->why);
        return;
    }
    if (entry->is_placed && entry->placement.host_idx == SIZE_MAX
        && job->base_class == HS_CLASS_FILLER && job->state == HS_JOB_RUNNING) {
        want(dispatch, entry, HS_ACTION_SUSPEND, entry->host_idx,
             "its heat is no longer worth what it costs");
        return;
    }
    if (!entry->is_placed || entry->placement.host_idx == SIZE_MAX || job->cancel_wanted) {
        return;
    }
    bool runs_now = hs_plan_runs(&entry->placement, 0);

    if (entry->is_moving && (!runs_now || entry->placement.host_idx != entry->to_host_idx)) {
        count_coming(dispatch, entry, entry->to_host_idx, true, -1);
        entry->is_moving = false;
    }
    if (job->state == HS_JOB_WAITING && runs_now && job->earliest_at_s <= cycle->now_at_s) {
        want(dispatch, entry, HS_ACTION_START, entry->placement.host_idx,
             job->now                     ? "at once, as its owner asked"
             : entry->placement.is_forced ? "at its latest start"
                                          : "cheapest place and time that ends in time");
    } else if (runs_now && is_machine_up(entry) && entry->placement.host_idx != entry->host_idx) {
        dispatch_move(dispatch, entry);
    } else if (job->state == HS_JOB_SUSPENDED && runs_now) {
        want(dispatch, entry, HS_ACTION_RESUME, entry->host_idx,
             entry->placement.is_forced ? "at its latest start" : "heat and power are cheap again");
    } else if (job->state == HS_JOB_RUNNING && !runs_now && job->interruptible) {
        want(dispatch, entry, HS_ACTION_SUSPEND, entry->host_idx,
             "the rest of it is cheaper later and still ends in time");
    } else if (job->state == HS_JOB_RUNNING && runs_now) {
        dispatch_share(dispatch, entry);
    }
}

/*
 * Two jobs that are to change places wait for each other, and so does whoever is to have the room
 * of one of them: those who run where somebody lacks room, and are to go on elsewhere, stop first.
 * Not whom a host or the guard refused something lately: that is asked again in its time.
 */
static void make_room(struct dispatch *dispatch)
{
    struct hs_cycle *cycle = dispatch->cycle;

    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        bool goes_on_elsewhere = entry->is_placed && entry->placement.host_idx != SIZE_MAX
                                 && entry->placement.host_idx != entry->host_idx
                                 && hs_plan_runs(&entry->placement, 0);
        bool was_refused = entry->refused[0] != '\0' && cycle->now_at_s < entry->retry_at_s;

        if (entry->op_id == 0 && !entry->is_op_unknown && !was_refused
            && entry->job->state == HS_JOB_RUNNING && entry->host_idx != SIZE_MAX
            && entry->job->interruptible && goes_on_elsewhere
            && dispatch->is_lacking[entry->host_idx]) {
            want(dispatch, entry, HS_ACTION_SUSPEND, entry->host_idx,
                 "makes room here, and goes on elsewhere");
        }
    }
}

/* Who was just refused room that is about to come free asks again as soon as that is seen. */
static void ask_again(struct dispatch *dispatch)
{
    struct hs_cycle *cycle = dispatch->cycle;

    for (size_t i = 0; i < cycle->live.n; i++) {
        struct hs_cycle_entry *entry = hs_cycle_get_live(cycle, i);
        size_t host_idx = entry->is_placed ? entry->placement.host_idx : SIZE_MAX;
        bool was_just_refused =
            entry->op_id == 0 && entry->retry_at_s == cycle->now_at_s + HS_CYCLE_RETRY_S;

        if (was_just_refused && host_idx != SIZE_MAX && dispatch->is_lacking[host_idx]
            && dispatch->is_freeing[cycle->estate->hosts[host_idx].site_idx]) {
            entry->retry_at_s = cycle->now_at_s;
        }
    }
}

static void shed_entries(struct dispatch *dispatch, hs_cycle_hot_entries *entries, const char *why)
{
    for (size_t i = 0; i < entries->n; i++) {
        want(dispatch, entries->items[i], HS_ACTION_SUSPEND, entries->items[i]->host_idx, why);
    }
    HS_VEC_FINI(entries);
}

/* Where more heat comes than is taken, less comes, at once and with or without a plan. */
static void shed(struct dispatch *dispatch)
{
    struct hs_cycle *cycle = dispatch->cycle;
    char why[160];

    dispatch->is_shedding = true;
    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        hs_cycle_hot_entries entries = {0};

        hs_cycle_hot_pick(cycle, l, &entries);
        snprintf(why, sizeof(why),
                 cycle->loops[l].zone.is_hot ? "loop '%.80s' is too hot: shed until it is cool"
                                             : "loop '%.80s' cannot give all of its heat away",
                 cycle->estate->loops[l].path);
        shed_entries(dispatch, &entries, why);
    }
    for (size_t r = 0; r < cycle->estate->n_racks; r++) {
        hs_cycle_hot_entries entries = {0};

        hs_cycle_hot_pick_rack(cycle, r, &entries);
        snprintf(why, sizeof(why), "rack '%.80s' is too hot: shed until it is cool",
                 cycle->estate->racks[r].path);
        shed_entries(dispatch, &entries, why);
    }
    dispatch->is_shedding = false;
}

/* A machine with our tag whose job is over: nobody waits for it any more. */
static void destroy_orphans(struct dispatch *dispatch)
{
    struct hs_cycle *cycle = dispatch->cycle;

    for (size_t h = 0; h < cycle->estate->n_hosts; h++) {
        for (size_t i = 0; i < cycle->hosts[h].machines.n; i++) {
            uint64_t job_id = cycle->hosts[h].machines.items[i].job_id;
            struct hs_cycle_entry *entry = job_id != 0 ? hs_cycle_find_entry(cycle, job_id) : NULL;

            if (entry != NULL && hs_job_is_over(entry->job) && entry->op_id == 0
                && cycle->now_at_s >= entry->retry_at_s
                && cycle->now_at_s - entry->job->ended_at_s > HS_CYCLE_RETRY_S) {
                hs_cycle_add_live(cycle, entry);
                entry->host_idx = h;
                entry->retry_at_s = cycle->now_at_s + HS_CYCLE_RETRY_S;
                want(dispatch, entry, HS_ACTION_DESTROY, h, "its job is over");
            }
        }
    }
}

void hs_cycle_dispatch(struct hs_cycle *cycle)
{
    HS_AUTO_MEM struct hs_guard_host *hosts =
        hs_xcalloc(cycle->estate->n_hosts, sizeof(struct hs_guard_host));
    HS_AUTO_MEM bool *is_lacking = hs_xcalloc(cycle->estate->n_hosts, sizeof(bool));
    HS_AUTO_MEM bool *is_freeing = hs_xcalloc(cycle->estate->n_sites, sizeof(bool));
    struct dispatch dispatch = {.cycle = cycle,
                                .hosts = hosts,
                                .caps = hs_cycle_soft_get_guard_caps(cycle),
                                .is_lacking = is_lacking,
                                .is_freeing = is_freeing};

    fill_guard_hosts(&dispatch);
    shed(&dispatch);
    for (size_t i = 0; i < cycle->live.n; i++) {
        dispatch_job(&dispatch, hs_cycle_get_live(cycle, i));
    }
    make_room(&dispatch);
    ask_again(&dispatch);
    destroy_orphans(&dispatch);
}
