/* SPDX-License-Identifier: Apache-2.0 */
/* awaken - from an open store to a running daemon: clock, cycle, hosts, plant, then jobs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/daemon/daemon_priv.h"

#define RELIST_S 0.1 /* real */

/* --- the clock --- */

static void set_clock(struct hs_daemon *daemon, const struct hs_recall_memory *memory)
{
    const struct hs_config *config = daemon->config;
    struct hs_planclock_options options = {.speed = config->speed,
                                           .start_at_s = config->start_at_s,
                                           .start = config->start,
                                           .takes_wall = config->takes_wall_clock};

    daemon->planclock = hs_planclock_new(&options, &memory->clock);
    daemon->clock = hs_planclock_get(daemon->planclock);
    daemon->inbox =
        (struct hs_inbox){.clock = daemon->clock, .due = hs_daemon_make_due, .arg = daemon};
}

/** Write down where the plan clock is, for the next life. */
static void keep_clock(struct hs_daemon *daemon)
{
    HS_AUTO_MEM char *text = hs_planclock_format(daemon->planclock);

    hs_enact_write(daemon->enact, &(struct hs_store_op){HS_STORE_PUT, "meta", "clock", text});
}

/* --- the cycle --- */

/** Rows of @series before @until_at_s. Owned by the caller. */
static struct hs_series *cut_before(const struct hs_series *series, int64_t until_at_s)
{
    struct hs_series *cut = hs_series_new();

    for (size_t i = 0; i < series->n && series->at_s[i] < until_at_s; i++) {
        hs_series_add(cut, series->at_s[i], series->values[i]);
    }
    cut->step_s = series->step_s;
    return cut;
}

/** Weather of the site of @sink_idx, where a series of it is configured. */
static struct hs_cycle_air find_air(const struct hs_config *config, size_t sink_idx)
{
    const struct hs_estate *estate = config->estate;
    size_t site_idx = estate->loops[estate->sinks[sink_idx].loop_idx].site_idx;
    struct hs_cycle_air air = {0};

    for (size_t i = 0; i < config->n_signals; i++) {
        if (config->signals[i].kind == HS_SIGNAL_OUTDOOR
            && config->signals[i].site_idx == site_idx) {
            air.t_out_c = config->signals[i].series;
        }
    }
    return air;
}

/** Any of its hosts' machines can be moved to any other. */
static bool can_move(const struct hs_estate *estate)
{
    bool can = true;

    for (size_t h = 1; h < estate->n_hosts; h++) {
        can &= hs_compute_can_move(estate->hosts[0].uri, estate->hosts[h].uri);
    }
    return can;
}

static bool can_throttle(const struct hs_estate *estate)
{
    bool can = true;

    for (size_t h = 0; h < estate->n_hosts; h++) {
        can &= hs_compute_can_throttle(estate->hosts[h].uri);
    }
    return can;
}

static size_t count_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (size_t)n : 1;
}

static void set_cycle(struct hs_daemon *daemon, const struct hs_recall_memory *memory)
{
    const struct hs_config *config = daemon->config;
    struct hs_cycle_options options = {
        .estate = config->estate,
        .policy = config->policy,
        .timezones = (const struct hs_timezone *const *)config->timezones,
        .now_at_s = hs_clock_at_s(daemon->clock),
        .first_op_id = daemon->epoch * HS_ENACT_OPS_PER_EPOCH + 1,
        .can_move = can_move(config->estate),
        .can_throttle = can_throttle(config->estate),
        .has_no_planner = strcmp(config->planner, "thermostat") == 0,
        .bound_iterations = 10,
        .n_threads = count_cores(),
    };

    daemon->cycle = hs_cycle_new(&options);
    for (size_t i = 0; i < config->n_signals; i++) {
        hs_cycle_set_signal(daemon->cycle, config->signals[i].site_idx, config->signals[i].kind,
                            config->signals[i].series);
    }
    daemon->learned = hs_learned_new(daemon->cycle, config->estate, daemon->store);
    for (size_t i = 0; i < memory->learned.n; i++) {
        hs_learned_restore(daemon->learned, memory->learned.items[i].key,
                           memory->learned.items[i].text);
    }
    daemon->upkeep = hs_upkeep_new(daemon->cycle, config->estate, daemon->store);
    for (size_t i = 0; i < memory->maintenance.n; i++) {
        hs_upkeep_restore(daemon->upkeep, memory->maintenance.items[i].key,
                          memory->maintenance.items[i].text);
    }
    for (size_t i = 0; config->heat_history && i < config->n_heat; i++) {
        struct hs_cycle_air air = find_air(config, config->heat[i].sink_idx);
        HS_AUTO(hs_series) past = cut_before(config->heat[i].series, options.now_at_s);

        hs_cycle_train(daemon->cycle, config->heat[i].sink_idx, past, &air);
    }
}

/* --- the plant --- */

static void on_reading(void *arg, const struct hs_reading *reading)
{
    struct hs_daemon *daemon = arg;
    struct hs_event event = {.kind = HS_EVENT_READING, .reading = *reading};

    hs_inbox_add(&daemon->inbox, &event, HS_INBOX_LATER);
}

static int set_plant(struct hs_daemon *daemon, struct hs_err *err)
{
    const struct hs_plantset_options options = {
        .executor = daemon->executor,
        .clock = daemon->clock,
        .config = daemon->config,
        .heat_by_sink = daemon->heat_by_sink,
        .reading = on_reading,
        .arg = daemon,
    };

    int rc = hs_plantset_new(&options, &daemon->plants, err);

    if (rc == 0) {
        daemon->outbound = hs_outbound_new(daemon->cycle, daemon->config->estate, daemon->plants);
    }
    return rc;
}

/* --- the hosts --- */

/**
 * A machine of ours from a newer epoch shows that the store is older than what was led with it. A
 * job that the store does not know of has had its number all the same.
 */
static bool is_newer_seen(struct hs_daemon *daemon, size_t host_idx,
                          const struct hs_machine *machines, size_t n_machines)
{
    for (size_t i = 0; i < n_machines; i++) {
        char where[160];

        if (machines[i].job_id >= daemon->next_id) {
            daemon->next_id = machines[i].job_id + 1;
        }
        if (machines[i].job_id != 0 && machines[i].epoch > daemon->epoch) {
            snprintf(where, sizeof(where), "machine '%.64s' on '%.80s'", machines[i].name,
                     daemon->config->estate->hosts[host_idx].path);
            hs_lease_refuse_epoch(daemon->lease, machines[i].epoch, where);
            return true;
        }
    }
    return false;
}

static bool on_listed(void *arg, size_t host_idx, const struct hs_machine *machines,
                      size_t n_machines)
{
    struct hs_daemon *daemon = arg;

    if (is_newer_seen(daemon, host_idx, machines, n_machines)) {
        return false;
    }
    if (!daemon->has_stepped) {
        hs_fleet_list(daemon->fleet, host_idx, RELIST_S); /* jobs are not known yet */
        return false;
    }
    if (!hs_reconcile_check(daemon->reconcile, host_idx, machines, n_machines)) {
        return false;
    }
    hs_fences_listed(daemon->fences, host_idx, machines, n_machines);
    if (daemon->sweep != NULL && hs_lease_may_act(daemon->lease)) {
        hs_sweep_apply(daemon->sweep, host_idx);
    }
    return true;
}

void hs_daemon_note_end(void *arg, const struct hs_job *job)
{
    struct hs_daemon *daemon = arg;

    if (job->host[0] != '\0') {
        hs_sweep_add(daemon->sweep, job->host, job->id, job->ended_at_s);
    }
}

static void set_history(struct hs_daemon *daemon, const struct hs_recall_memory *memory)
{
    const struct hs_history_options options = {
        .store = daemon->store,
        .cycle = daemon->cycle,
        .clock = daemon->clock,
        .inbox = &daemon->inbox,
        .n_max = daemon->config->history_jobs,
        .age_s = daemon->config->history_age_s,
        .first = memory->ends_first,
        .next = memory->ends_next,
        .ended = hs_daemon_note_end,
        .arg = daemon,
    };

    daemon->history = hs_history_new(&options);
}

static int set_fleet(struct hs_daemon *daemon, struct hs_err *err)
{
    const struct hs_config *config = daemon->config;
    struct hs_fleet_options options = {
        .executor = daemon->executor,
        .clock = daemon->clock,
        .estate = config->estate,
        .images = config->images,
        .n_images = config->n_images,
        .store_id = daemon->store_id,
        .move_mib_per_s = config->policy->migration.bandwidth_mib_per_s,
        .state_dir = config->state_dir,
        .inbox = &daemon->inbox,
        .listed = on_listed,
        .arg = daemon,
    };
    struct hs_enact_options enact_options = {
        .store = daemon->store,
        .cycle = daemon->cycle,
        .estate = config->estate,
        .inbox = &daemon->inbox,
        .lease = daemon->lease,
        .history = daemon->history,
        .epoch = daemon->epoch,
    };
    int rc;

    if (strcmp(config->store, "mem") != 0) {
        daemon->localintent = hs_localintent_new(config->state_dir);
        enact_options.local = daemon->localintent;
    }
    daemon->enact = hs_enact_new(&enact_options);
    daemon->reconcile = hs_reconcile_new(daemon->cycle, config->estate, daemon->enact,
                                         &daemon->inbox, daemon->store);
    rc = hs_fleet_new(&options, &daemon->fleet, err);
    if (rc == 0) {
        hs_enact_set_fleet(daemon->enact, daemon->fleet);
        hs_reconcile_set_fleet(daemon->reconcile, daemon->fleet);
        daemon->fences = hs_fences_new(&(struct hs_fences_options){.cycle = daemon->cycle,
                                                                   .estate = config->estate,
                                                                   .fleet = daemon->fleet,
                                                                   .enact = daemon->enact,
                                                                   .reconcile = daemon->reconcile,
                                                                   .inbox = &daemon->inbox});
        daemon->sweep = hs_sweep_new(config->estate, daemon->fleet, daemon->enact, HS_SWEEP_KEPT);
    }
    return rc;
}

/* --- the weather --- */

static void set_weather(struct hs_daemon *daemon)
{
    struct hs_weatherwatch_options options = {
        .config = daemon->config,
        .executor = daemon->executor,
        .clock = daemon->clock,
        .cycle = daemon->cycle,
        .due = hs_daemon_make_due,
        .arg = daemon,
    };

    daemon->weather = hs_weatherwatch_new(&options);
}

/* --- the first tick --- */

static void begin(void *arg)
{
    struct hs_daemon *daemon = arg;

    daemon->tick = hs_executor_timer_add(daemon->executor, 0, hs_daemon_tick, daemon);
}

void hs_daemon_awaken(struct hs_recall_memory *memory, const struct hs_err *newer, void *arg)
{
    struct hs_daemon *daemon = arg;
    HS_AUTO(hs_recall_memory) taken = memory;
    struct hs_err err;

    daemon->n_read = hs_recall_get_n_rows(daemon->recall);
    hs_recall_free(HS_STEAL(daemon->recall));
    if (memory == NULL) {
        hs_lease_step_back(daemon->lease, newer->text);
        return;
    }
    daemon->epoch = hs_lease_get_epoch(daemon->lease);
    snprintf(daemon->store_id, sizeof(daemon->store_id), "%s",
             hs_lease_get_store_id(daemon->lease));
    daemon->next_id = memory->next_id;
    daemon->heat_by_sink = hs_config_get_heat_by_sink(daemon->config);
    set_clock(daemon, memory);
    set_cycle(daemon, memory);
    set_history(daemon, memory);
    if (set_fleet(daemon, &err) != 0 || set_plant(daemon, &err) != 0) {
        daemon->fatal(daemon->fatal_arg, &err);
        return;
    }
    if (strcmp(daemon->config->store, "mem") != 0) {
        keep_clock(daemon);
    }
    daemon->accounted_slot = hs_clock_at_s(daemon->clock) / daemon->config->estate->slot_s;
    set_weather(daemon);
    hs_daemon_revive(daemon, memory, begin);
}

/* --- leading --- */

static void on_led(void *arg)
{
    struct hs_daemon *daemon = arg;

    daemon->recall = hs_recall_new(daemon->executor, daemon->store, hs_daemon_awaken, daemon);
}

static void on_lost(void *arg, const struct hs_err *err)
{
    struct hs_daemon *daemon = arg;

    daemon->fatal(daemon->fatal_arg, err);
}

static void on_damaged(void *arg, const struct hs_store_damage *damage)
{
    (void)arg;
    HS_LOG_ERROR("store", "%s; it is left where it is", damage->err.text);
}

static int set_lease(struct hs_daemon *daemon, struct hs_err *err)
{
    const struct hs_config *config = daemon->config;
    bool is_mem = strcmp(config->store, "mem") == 0;
    const struct hs_lease_options options = {
        .executor = daemon->executor,
        .clock = daemon->real_clock,
        .store = daemon->store,
        .cell = config->cell,
        .state_dir = is_mem ? NULL : config->state_dir,
        .lease_s = config->lease_s,
        .led = on_led,
        .lost = on_lost,
        .arg = daemon,
    };

    return hs_lease_new(&options, &daemon->lease, err);
}

int hs_daemon_new(const struct hs_config *config, struct hs_executor *executor,
                  void (*fatal)(void *arg, const struct hs_err *err), void *arg,
                  struct hs_daemon **ret_daemon, struct hs_err *err)
{
    HS_AUTO(hs_daemon) daemon = hs_xcalloc(1, sizeof(*daemon));
    int rc;

    daemon->real_clock = hs_clock_new_real();
    daemon->config = config;
    daemon->executor = executor;
    daemon->fatal = fatal;
    daemon->fatal_arg = arg;
    if (strcmp(config->store, "mem") == 0) {
        daemon->store = hs_store_mem_new(executor);
    } else {
        const struct hs_redis_access access = hs_config_get_redis_access(&config->redis);
        rc = hs_store_redis_new_at(executor, &access, config->cell, &daemon->store, err);

        if (rc != 0) {
            return rc;
        }
    }
    daemon->intake = hs_intake_new(daemon->store);
    daemon->repeat = hs_repeat_new();
    hs_store_watch(daemon->store, on_damaged, NULL);
    daemon->storewatch = hs_storewatch_new(executor, daemon->real_clock, daemon->store);
    rc = set_lease(daemon, err);
    if (rc == 0) {
        *ret_daemon = HS_STEAL(daemon);
    }
    return rc;
}
