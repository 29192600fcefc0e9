/* SPDX-License-Identifier: Apache-2.0 */
/* heatworld - signals, readings and requests of a run, as events of the cycle. */
#include "scheduler/sim/heatworld.h"

#include <math.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/heatfaults.h"

/* How far `perfect` sees jobs: half of its horizon. What may end long after the horizon would be
 * crowded into its last hours, and push out what could wait: 46 h cost d5 a third of its saving. */
#define HEATWORLD_AHEAD_S  (24 * 3600)
#define HEATWORLD_DEMAND_S (48 * 3600) /* and demand, past the end of the run */

/* --- readings --- */

static void push_reading(struct hs_heatdrive *drive, enum hs_point_kind kind, size_t thing_idx,
                         double height_ratio, double value, int64_t taken_at_s, int64_t at_s)
{
    struct hs_event event = {
        .kind = HS_EVENT_READING,
        .at_s = at_s,
        .reading = {.point = {.kind = kind, .thing_idx = thing_idx, .height_ratio = height_ratio},
                    .value = value,
                    .taken_at_s = taken_at_s,
                    .received_at_s = at_s,
                    .quality = HS_QUALITY_GOOD},
    };

    hs_heatfaults_bend(drive, &event.reading);
    hs_heatdrive_push(drive, event);
}

/** The mean demand of the slot that has just passed, which began at @slot_at_s. */
static void push_demand(struct hs_heatdrive *drive, int64_t slot_at_s)
{
    const struct hs_scenario *scenario = drive->run->scenario;
    size_t slot = (size_t)((slot_at_s - scenario->start_at_s) / scenario->slot_s);

    for (size_t k = 0; k < scenario->estate->n_sinks; k++) {
        if (!hs_trace_is_known(drive->run->trace, k, slot)) {
            continue; /* no meter saw it; what simrun goes on with was held */
        }
        /* a second before the slot's end, so that the slot is closed with it */
        push_reading(drive, HS_POINT_DEMAND_HEAT_W, k, 0,
                     drive->run->trace->demand_heat_w[k * scenario->n_slots + slot], slot_at_s,
                     slot_at_s + scenario->slot_s - 1);
    }
}

/** What a series says of the slot that has just passed, if it was measured. */
static void push_measured(struct hs_heatdrive *drive, enum hs_point_kind kind, size_t site_idx,
                          const struct hs_series *series, int64_t slot_at_s)
{
    int64_t end_at_s = slot_at_s + drive->run->scenario->slot_s;

    if (series != NULL && hs_series_is_known(series, slot_at_s)) {
        push_reading(drive, kind, site_idx, 0, hs_series_get_mean(series, slot_at_s, end_at_s),
                     slot_at_s, end_at_s - 1);
    }
}

/** The weather of the slot that has just passed. Who knows the demand to come needs none. */
static void push_air(struct hs_heatdrive *drive, int64_t slot_at_s)
{
    const struct hs_scenario *scenario = drive->run->scenario;

    for (size_t s = 0; !drive->knows_future && s < scenario->estate->n_sites; s++) {
        const struct hs_scenario_air *air = &scenario->air[s];

        push_measured(drive, HS_POINT_OUTDOOR_C, s, air->t_out_c, slot_at_s);
        push_measured(drive, HS_POINT_OUTDOOR_GHI_W_PER_M2, s, air->ghi_w_per_m2, slot_at_s);
        push_measured(drive, HS_POINT_OUTDOOR_WIND_M_PER_S, s, air->wind_m_per_s, slot_at_s);
    }
}

/** Weather forecasts that were issued by @at_s and are new. */
static void tell_outlooks(struct hs_heatdrive *drive, int64_t at_s)
{
    const struct hs_scenario *scenario = drive->run->scenario;
    struct hs_outlook outlook;

    for (size_t s = 0; !drive->knows_future && s < scenario->estate->n_sites; s++) {
        if (hs_scenario_air_find_outlook(&scenario->air[s], at_s, &outlook)
            && outlook.issued_at_s != drive->told_issue_at_s[s]) {
            drive->told_issue_at_s[s] = outlook.issued_at_s;
            hs_cycle_set_outlook(drive->cycle, s, &outlook);
        }
    }
}

static void push_tank(struct hs_heatdrive *drive, size_t loop_idx, int64_t at_s)
{
    const struct hs_tank *spec = &drive->run->scenario->estate->loops[loop_idx].tank;
    const struct hs_plant_tank *tank = &drive->run->tanks[loop_idx];
    const double *height_ratio;
    size_t n = hs_plant_tank_get_sensors(tank, &height_ratio);

    for (size_t i = 0; i < n; i++) {
        push_reading(drive, HS_POINT_TANK_C, loop_idx, height_ratio[i],
                     hs_plant_tank_get_c(spec, tank, height_ratio[i]), at_s, at_s);
    }
}

static void push_plant(struct hs_heatdrive *drive, int64_t at_s)
{
    const struct hs_estate *estate = drive->run->scenario->estate;

    for (size_t k = 0; k < estate->n_sinks; k++) {
        push_reading(drive, HS_POINT_USEFUL_HEAT_WH, k, 0, drive->run->useful_wh[k], at_s, at_s);
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        push_tank(drive, l, at_s);
        push_reading(drive, HS_POINT_CAPTURED_HEAT_WH, l, 0, drive->run->captured_wh[l], at_s,
                     at_s);
        push_reading(drive, HS_POINT_REJECTED_HEAT_W, l, 0, drive->run->rejected_w[l], at_s, at_s);
    }
}

void hs_heatworld_tell_slots(struct hs_heatdrive *drive)
{
    const struct hs_scenario *scenario = drive->run->scenario;

    while (drive->told_slot < drive->run->slot) {
        int64_t slot_at_s = scenario->start_at_s + (int64_t)drive->told_slot * scenario->slot_s;

        push_air(drive, slot_at_s);
        push_demand(drive, slot_at_s);
        drive->told_slot++;
        push_plant(drive, slot_at_s + scenario->slot_s);
        tell_outlooks(drive, slot_at_s + scenario->slot_s);
    }
}

/* --- requests --- */

static struct hs_job *make_request(const struct hs_simjob *simjob, uint64_t job_id,
                                   double estimate_s, int64_t at_s)
{
    struct hs_job *job = hs_job_new();

    job->id = job_id;
    snprintf(job->name, sizeof(job->name), "trace-%llu-%u", (unsigned long long)simjob->record_idx,
             simjob->piece);
    if (simjob->user > 0) {
        snprintf(job->team, sizeof(job->team), "user%u", simjob->user);
    }
    job->vcpus = simjob->vcpus;
    job->memory_mib = simjob->memory_mib;
    job->duration_s = (int64_t)ceil(estimate_s);
    job->due_at_s = (int64_t)floor(simjob->due_at_s);
    job->interruptible = simjob->interruptible;
    job->movable = simjob->interruptible; /* docs/simulator.md: may resume on any allowed host */
    if (simjob->elastic) {
        snprintf(job->class_name, sizeof(job->class_name), "elastic");
    }
    job->state = HS_JOB_WAITING;
    job->submitted_at_s = at_s;
    job->since_at_s = job->submitted_at_s;
    return job;
}

static int submit(struct hs_heatdrive *drive, struct hs_job *request, struct hs_err *err)
{
    HS_AUTO(hs_job) job = request;
    char cannot_meet[192];
    int rc = hs_cycle_check_job(drive->cycle, job, hs_heatdrive_get_at_s(drive), cannot_meet, err);

    if (rc == 0) {
        hs_heatdrive_push(drive, (struct hs_event){.kind = HS_EVENT_JOB, .job = HS_STEAL(job)});
    }
    return rc;
}

/* When the cycle hears of a job: at its submit, or as early as it plans. */
static double told_at_s(const struct hs_heatdrive *drive, size_t job_idx)
{
    double at_s = drive->run->jobs->items[job_idx].submit_at_s;

    return drive->knows_future ? at_s - HEATWORLD_AHEAD_S : at_s;
}

/* A job told ahead may start from its submit on, in whole seconds. */
static double due_submit_at_s(const struct hs_heatdrive *drive, size_t job_idx)
{
    double at_s = drive->run->jobs->items[job_idx].submit_at_s;

    return drive->knows_future ? ceil(at_s) : at_s;
}

/* Plans made ahead put a job into whole slots after its submit: this one has no time for that. */
static bool cannot_wait(const struct hs_heatdrive *drive, size_t job_idx)
{
    const struct hs_simjob *simjob = &drive->run->jobs->items[job_idx];

    return simjob->due_at_s - simjob->submit_at_s - simjob->run_s
           < 2.0 * (double)drive->run->scenario->slot_s;
}

static int tell_job(struct hs_heatdrive *drive, size_t job_idx, struct hs_err *err)
{
    const struct hs_simjob *simjob = &drive->run->jobs->items[job_idx];
    int64_t submit_at_s = (int64_t)floor(simjob->submit_at_s);
    uint64_t job_id = (uint64_t)job_idx + 1;
    struct hs_job *job;

    if (!drive->knows_future) {
        return submit(drive, make_request(simjob, job_id, simjob->estimate_s, submit_at_s), err);
    }
    job = make_request(simjob, job_id, simjob->run_s, hs_heatdrive_get_at_s(drive));
    job->earliest_at_s = (int64_t)due_submit_at_s(drive, job_idx);
    return submit(drive, job, err);
}

int hs_heatworld_tell_jobs(struct hs_heatdrive *drive, double at_s, struct hs_err *err)
{
    size_t n_jobs = drive->run->jobs->n;
    bool is_urgent = false;

    for (; drive->next_told < n_jobs && told_at_s(drive, drive->next_told) <= at_s;
         drive->next_told++) {
        int rc = tell_job(drive, drive->next_told, err);

        if (rc != 0) {
            return rc;
        }
    }
    for (; drive->next_submit < n_jobs && due_submit_at_s(drive, drive->next_submit) <= at_s;
         drive->next_submit++) {
        is_urgent |= drive->knows_future && cannot_wait(drive, drive->next_submit);
    }
    if (is_urgent) {
        hs_cycle_replan(drive->cycle);
        drive->wake_at_s = hs_heatdrive_get_at_s(drive);
    }
    return 0;
}

void hs_heatworld_submit(struct hs_heatdrive *drive, size_t job_idx, uint64_t job_id,
                         double estimate_s)
{
    /* what was taken once is taken again: the same size, the same policy */
    (void)submit(drive,
                 make_request(&drive->run->jobs->items[job_idx], job_id, estimate_s,
                              hs_heatdrive_get_at_s(drive)),
                 NULL);
}

double hs_heatworld_next_at_s(const struct hs_heatdrive *drive)
{
    size_t n_jobs = drive->run->jobs->n;
    double at_s = INFINITY;

    if (drive->next_told < n_jobs) {
        at_s = told_at_s(drive, drive->next_told);
    }
    if (drive->next_submit < n_jobs) {
        at_s = fmin(at_s, due_submit_at_s(drive, drive->next_submit));
    }
    return at_s;
}

/* --- life --- */

/* True demand as a series; past the end of the run the last day again. */
static struct hs_series *make_known_demand(const struct hs_simrun *run, size_t sink_idx)
{
    const struct hs_scenario *scenario = run->scenario;
    const double *demand_w = &run->trace->demand_heat_w[sink_idx * scenario->n_slots];
    size_t n_day = (size_t)(HS_S_PER_DAY / scenario->slot_s);
    size_t n_ahead = (size_t)(HEATWORLD_DEMAND_S / scenario->slot_s);
    struct hs_series *series = hs_series_new();

    n_day = n_day < scenario->n_slots ? n_day : scenario->n_slots;
    for (size_t t = 0; t < scenario->n_slots + n_ahead; t++) {
        size_t at =
            t < scenario->n_slots ? t : scenario->n_slots - n_day + (t - scenario->n_slots) % n_day;

        hs_series_add(series, scenario->start_at_s + (int64_t)t * scenario->slot_s, demand_w[at]);
    }
    return series;
}

static void open_known_demand(struct hs_heatdrive *drive)
{
    size_t n_sinks = drive->run->scenario->estate->n_sinks;

    drive->known_demand_w = hs_xcalloc(n_sinks, sizeof(struct hs_series *));
    for (size_t k = 0; k < n_sinks; k++) {
        drive->known_demand_w[k] = make_known_demand(drive->run, k);
        hs_cycle_set_demand(drive->cycle, k, drive->known_demand_w[k]);
    }
}

static bool find_outlook(const void *arg, int64_t at_s, struct hs_outlook *ret_outlook)
{
    return hs_scenario_air_find_outlook(arg, at_s, ret_outlook);
}

/** Rows before the start, which a daemon with a history would have seen. */
static void train(struct hs_heatdrive *drive)
{
    const struct hs_scenario *scenario = drive->run->scenario;
    const struct hs_estate *estate = scenario->estate;

    for (size_t k = 0; !drive->knows_future && k < estate->n_sinks; k++) {
        const struct hs_scenario_air *air =
            &scenario->air[estate->loops[estate->sinks[k].loop_idx].site_idx];
        struct hs_cycle_air past = {.t_out_c = air->t_out_c,
                                    .ghi_w_per_m2 = air->ghi_w_per_m2,
                                    .wind_m_per_s = air->wind_m_per_s,
                                    .find_outlook = find_outlook,
                                    .arg = air};

        hs_cycle_train(drive->cycle, k, scenario->demand_heat_w[k], &past);
    }
}

void hs_heatworld_open(struct hs_heatdrive *drive)
{
    const struct hs_scenario *scenario = drive->run->scenario;
    const struct hs_estate *estate = scenario->estate;
    struct hs_cycle_options options = {
        .estate = estate,
        .policy = scenario->policy,
        .timezones = (const struct hs_timezone *const *)scenario->timezones,
        .now_at_s = scenario->start_at_s,
        .suspend_s = scenario->suspend_s,
        .move_s = scenario->move_s,
        .can_move = true,
        .can_throttle = true,
        .frees_memory = !scenario->suspended_memory_held,
        .bound_iterations = 20,
        .bound_every = 96,
        .is_told_ahead = drive->knows_future || scenario->no_expected_arrivals};

    drive->cycle = hs_cycle_new(&options);
    drive->told_issue_at_s = hs_xcalloc(estate->n_sites, sizeof(*drive->told_issue_at_s));
    hs_heatfaults_open(drive);
    if (drive->knows_future) {
        open_known_demand(drive);
    }
    for (size_t s = 0; s < estate->n_sites; s++) {
        hs_cycle_set_signal(drive->cycle, s, HS_SIGNAL_PRICE, scenario->price[s]);
        hs_cycle_set_signal(drive->cycle, s, HS_SIGNAL_CARBON, scenario->gco2_per_kwh[s]);
    }
    train(drive);
    tell_outlooks(drive, scenario->start_at_s);
    push_air(drive, scenario->start_at_s - scenario->slot_s);
    /* what the meters of the last slot before the start say */
    for (size_t k = 0; k < estate->n_sinks; k++) {
        int64_t from_at_s = scenario->start_at_s - scenario->slot_s;
        double mean_w =
            hs_series_get_mean(scenario->demand_heat_w[k], from_at_s, scenario->start_at_s);

        if (mean_w >= 0 && hs_series_is_known(scenario->demand_heat_w[k], from_at_s)) {
            push_reading(drive, HS_POINT_DEMAND_HEAT_W, k, 0, mean_w,
                         scenario->start_at_s - scenario->slot_s, scenario->start_at_s);
        }
    }
    push_plant(drive, scenario->start_at_s);
}

void hs_heatworld_close(struct hs_heatdrive *drive)
{
    hs_cycle_free(drive->cycle);
    drive->cycle = NULL;
    for (size_t k = 0; drive->known_demand_w != NULL && k < drive->run->scenario->estate->n_sinks;
         k++) {
        hs_series_free(drive->known_demand_w[k]);
    }
    free(drive->known_demand_w);
    free(drive->told_issue_at_s);
}
