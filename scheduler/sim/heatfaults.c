/* SPDX-License-Identifier: Apache-2.0 */
/* heatfaults - edges of the script as events, readings and signals of the cycle. */
#include "scheduler/sim/heatfaults.h"

#include <math.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/heatworld.h"

#define KNOWN_AHEAD_S (48 * 3600) /* simulator.md: prices and carbon are known 48 h ahead */

/** The last reading that a sensor gave before it broke. */
struct last_reading {
    bool is_known;
    double value;
    int64_t taken_at_s;
};

struct hs_heatfaults {
    const struct hs_simevents *events;
    struct last_reading *last; /* [n_events] */
    bool *is_host_up;          /* [n_hosts] as told */
    bool *is_feed_lost;        /* [n_events] as told */
    HS_VEC(struct hs_series *) cut;
    HS_VEC(size_t) again; /* job_idx of every new submission, by id */
    size_t told_slot;
};

/* --- planned --- */

static void tell_plans(struct hs_heatdrive *drive)
{
    const struct hs_scenario *scenario = drive->run->scenario;

    for (size_t i = 0; i < scenario->events.n; i++) {
        const struct hs_simevent *event = &scenario->events.items[i];

        for (size_t h = 0; event->kind == HS_SIMEVENT_MAINTENANCE && h < scenario->estate->n_hosts;
             h++) {
            if (hs_simevents_has_host(event, scenario->estate, h)) {
                hs_cycle_close_host(drive->cycle, h, (int64_t)event->at_s, (int64_t)event->until_s);
            }
        }
    }
}

void hs_heatfaults_open(struct hs_heatdrive *drive)
{
    struct hs_heatfaults *faults = hs_xcalloc(1, sizeof(*faults));
    size_t n_hosts = drive->run->scenario->estate->n_hosts;

    faults->events = &drive->run->scenario->events;
    faults->last = hs_xcalloc(faults->events->n, sizeof(*faults->last));
    faults->is_feed_lost = hs_xcalloc(faults->events->n, sizeof(bool));
    faults->is_host_up = hs_xcalloc(n_hosts, sizeof(bool));
    for (size_t h = 0; h < n_hosts; h++) {
        faults->is_host_up[h] = true;
    }
    drive->faults = faults;
    tell_plans(drive);
}

/* --- hosts --- */

static void ignore_done(int rc, const struct hs_err *err, void *arg)
{
}

static void lose_host(struct hs_heatdrive *drive, size_t host_idx)
{
    struct hs_event event = {.kind = HS_EVENT_HOST_LOST, .host_idx = host_idx};
    const struct hs_machine *machines;
    size_t n = 0;

    snprintf(event.text, sizeof(event.text), "it is off, as scripted");
    hs_heatdrive_push(drive, event);
    machines = hs_cycle_get_machines(drive->cycle, host_idx, &n);
    for (size_t i = 0; i < n; i++) {
        if (machines[i].job_id != 0) {
            hs_compute_act(drive->computes[host_idx], machines[i].job_id, HS_ACTION_DESTROY,
                           ignore_done, NULL);
        }
    }
}

static void tell_hosts(struct hs_heatdrive *drive)
{
    struct hs_heatfaults *faults = drive->faults;

    for (size_t h = 0; h < drive->run->scenario->estate->n_hosts; h++) {
        bool is_up = hs_simrun_is_host_up(drive->run, h);

        if (is_up == faults->is_host_up[h]) {
            continue;
        }
        faults->is_host_up[h] = is_up;
        if (is_up) {
            /* empty: what it ran was lost with it */
            hs_heatdrive_push(drive,
                              (struct hs_event){.kind = HS_EVENT_HOST_LISTED, .host_idx = h});
        } else {
            lose_host(drive, h);
        }
    }
}

/* --- pumps and sinks --- */

static void push_part(struct hs_heatdrive *drive, enum hs_point_kind kind, size_t thing_idx,
                      bool is_off)
{
    int64_t at_s = hs_heatdrive_get_at_s(drive);
    struct hs_event event = {.kind = HS_EVENT_READING,
                             .reading = {.point = {.kind = kind, .thing_idx = thing_idx},
                                         .value = is_off ? 0 : 1,
                                         .taken_at_s = at_s,
                                         .received_at_s = at_s,
                                         .quality = HS_QUALITY_GOOD}};

    hs_heatdrive_push(drive, event);
}

/** What the parts say that some event ever touches: the others have no contact of their own. */
static void tell_parts(struct hs_heatdrive *drive)
{
    const struct hs_simfaults *truth = drive->run->faults;
    const struct hs_estate *estate = drive->run->scenario->estate;

    for (size_t i = 0; i < drive->faults->events->n; i++) {
        const struct hs_simevent *event = &drive->faults->events->items[i];

        if (event->kind == HS_SIMEVENT_PUMP_FAULT) {
            push_part(drive, HS_POINT_PUMP_OK, event->thing_idx,
                      truth->is_pump_off[event->thing_idx]);
        }
        for (size_t k = 0; event->kind == HS_SIMEVENT_SINK_OFF && k < estate->n_sinks; k++) {
            if (hs_simevents_has_sink(event, estate, k)) {
                push_part(drive, HS_POINT_SINK_OK, k, truth->is_sink_off[k]);
            }
        }
    }
}

/* --- feeds --- */

/** @series as it was known at @at_s: nothing later than 48 h on. Owned by the caller. */
static struct hs_series *cut_series(const struct hs_series *series, int64_t at_s)
{
    struct hs_series *cut = hs_series_new();

    for (size_t i = 0; i < series->n && series->at_s[i] < at_s + KNOWN_AHEAD_S; i++) {
        hs_series_add(cut, series->at_s[i], series->values[i]);
    }
    cut->step_s = series->step_s;
    return cut;
}

static void tell_feed(struct hs_heatdrive *drive, size_t site_idx, enum hs_signal_kind kind,
                      const struct hs_series *series, bool is_lost)
{
    if (series != NULL && is_lost) {
        struct hs_series *cut = cut_series(series, hs_heatdrive_get_at_s(drive));

        HS_VEC_PUSH(&drive->faults->cut, cut);
        series = cut;
    }
    hs_cycle_set_signal(drive->cycle, site_idx, kind, series);
}

static void tell_feeds(struct hs_heatdrive *drive)
{
    const struct hs_scenario *scenario = drive->run->scenario;
    struct hs_heatfaults *faults = drive->faults;

    for (size_t i = 0; i < faults->events->n; i++) {
        const struct hs_simevent *event = &faults->events->items[i];
        bool is_lost = event->kind == HS_SIMEVENT_FEED_LOST && !drive->knows_future
                       && hs_simevents_is_on(event, drive->run->at_s);

        if (is_lost == faults->is_feed_lost[i]) {
            continue;
        }
        faults->is_feed_lost[i] = is_lost;
        if (event->has_price) {
            tell_feed(drive, event->thing_idx, HS_SIGNAL_PRICE, scenario->price[event->thing_idx],
                      is_lost);
        }
        if (event->has_carbon) {
            tell_feed(drive, event->thing_idx, HS_SIGNAL_CARBON,
                      scenario->gco2_per_kwh[event->thing_idx], is_lost);
        }
    }
}

void hs_heatfaults_tell(struct hs_heatdrive *drive)
{
    struct hs_heatfaults *faults = drive->faults;
    bool is_edge = hs_simrun_next_event_at_s(drive->run) <= drive->run->at_s;
    size_t job_idx;

    if (faults->events->n == 0) {
        return;
    }
    hs_simrun_apply_events(drive->run);
    while (hs_simrun_take_thrown(drive->run, &job_idx)) {
        /* it comes back when its machine's end is told: hs_heatfaults_submit_again() */
    }
    if (is_edge) {
        tell_hosts(drive);
        tell_feeds(drive);
    }
    if (is_edge || drive->run->slot != faults->told_slot) {
        faults->told_slot = drive->run->slot;
        tell_parts(drive);
    }
}

/* --- sensors --- */

static bool is_same_point(const struct hs_estate *estate, const struct hs_point *a,
                          const struct hs_point *b)
{
    if (a->kind != b->kind || a->thing_idx != b->thing_idx) {
        return false;
    }
    if (a->kind == HS_POINT_TANK_C) {
        /* the nearest sensor; a stratified tank has one in each third */
        bool is_mixed = estate->loops[a->thing_idx].tank.nodes <= 1;

        return is_mixed || fabs(a->height_ratio - b->height_ratio) <= 0.17;
    }
    return true;
}

static void bend_one(const struct hs_simevent *event, struct last_reading *last,
                     struct hs_reading *reading)
{
    bool is_on = hs_simevents_is_on(event, (double)reading->received_at_s);

    if (!is_on || !last->is_known) {
        *last = (struct last_reading){true, reading->value, reading->taken_at_s};
    }
    if (!is_on) {
        return;
    }
    switch (event->kind) {
    case HS_SIMEVENT_SENSOR_STALE:
        reading->taken_at_s = last->taken_at_s;
        reading->value = last->value;
        return;
    case HS_SIMEVENT_SENSOR_STUCK:
        reading->value = last->value;
        return;
    case HS_SIMEVENT_SENSOR_NAN:
        reading->value = (double)NAN;
        return;
    default: /* HS_SIMEVENT_SENSOR_JUMP: no other kind has a point */
        reading->value += event->value;
        return;
    }
}

void hs_heatfaults_bend(struct hs_heatdrive *drive, struct hs_reading *reading)
{
    struct hs_heatfaults *faults = drive->faults;

    for (size_t i = 0; i < faults->events->n; i++) {
        const struct hs_simevent *event = &faults->events->items[i];

        if (event->scope == HS_SIMEVENT_POINT && !drive->knows_future
            && is_same_point(drive->run->scenario->estate, &event->point, &reading->point)) {
            bend_one(event, &faults->last[i], reading);
        }
    }
    /* as every plant backend does: only what cannot be is seen to be wrong */
    reading->quality = hs_reading_check(reading->point.kind, reading->value);
}

/* --- jobs --- */

size_t hs_heatfaults_get_job_idx(const struct hs_heatdrive *drive, uint64_t job_id)
{
    size_t n_jobs = drive->run->jobs->n;

    return job_id <= n_jobs ? (size_t)job_id - 1
                            : drive->faults->again.items[(size_t)job_id - 1 - n_jobs];
}

void hs_heatfaults_submit_again(struct hs_heatdrive *drive, size_t job_idx)
{
    struct hs_heatfaults *faults = drive->faults;
    const struct hs_simrun_job *state = &drive->run->states[job_idx];
    const struct hs_simjob *job = &drive->run->jobs->items[job_idx];
    double estimate_s = (drive->knows_future ? job->run_s : job->estimate_s) + state->overhead_s
                        - hs_simrun_get_ran_s(drive->run, job_idx);

    HS_VEC_PUSH(&faults->again, job_idx);
    hs_heatworld_submit(drive, job_idx, (uint64_t)(drive->run->jobs->n + faults->again.n),
                        fmax(estimate_s, 60));
}

void hs_heatfaults_close(struct hs_heatdrive *drive)
{
    struct hs_heatfaults *faults = drive->faults;

    if (faults == NULL) {
        return;
    }
    for (size_t i = 0; i < faults->cut.n; i++) {
        hs_series_free(faults->cut.items[i]);
    }
    HS_VEC_FINI(&faults->cut);
    HS_VEC_FINI(&faults->again);
    free(faults->is_host_up);
    free(faults->is_feed_lost);
    free(faults->last);
    free(faults);
    drive->faults = NULL;
}
