/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle - the only entrance to the decisions: (state, events since, now) -> (state, wanted
 * actions, what to write down, when to wake).
 *
 * hschedd feeds it from real adapters on a reactor, hsim from simulated ones on a virtual
 * queue; it cannot tell which. Pure: no clock, no I/O, same events and times give the same
 * decisions. Order of a step: sense -> forecast -> price -> place -> guard -> actions -> account.
 *
 * Invariants: machines that are not ours are counted and never acted upon; an action that the
 * guard refuses is not emitted; one action per job is in flight at most; a job in a final state
 * never changes again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forecast/heatmodel.h"
#include "forecast/weather.h"
#include "policies/policy.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/timezone.h"
#include "scheduler/model/account.h"
#include "scheduler/model/action.h"
#include "scheduler/model/breach.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/job.h"
#include "scheduler/model/machine.h"
#include "scheduler/model/maintenance.h"
#include "scheduler/model/plan.h"
#include "scheduler/model/reading.h"
#include "scheduler/model/series.h"

#define HS_CYCLE_FORECAST_MODEL "mixer" /* what forecasts the sinks; see forecast.h */

struct hs_cycle;

enum hs_signal_kind { HS_SIGNAL_PRICE, HS_SIGNAL_CARBON, HS_SIGNAL_OUTDOOR };

enum hs_event_kind {
    HS_EVENT_READING,         /* .reading */
    HS_EVENT_JOB,             /* .job (taken): a new one, or one loaded from the store as it was */
    HS_EVENT_CANCEL,          /* .job_id */
    HS_EVENT_HOST_LISTED,     /* .host_idx, .machines [n_machines], borrowed for the step */
    HS_EVENT_HOST_LOST,       /* .host_idx: unreachable; what runs there is unknown */
    HS_EVENT_HOST_DOWN,       /* .host_idx: fenced, or somebody says it is off; .text says who;
                               * SIZE_MAX: the host of .job_id, which has left the estate */
    HS_EVENT_MACHINE_CHANGED, /* .host_idx, .machine */
    HS_EVENT_MACHINE_ENDED,   /* .host_idx, .job_id, .has_exit_status, .exit_status */
    HS_EVENT_ACTION_DONE,     /* .op_id, .rc, .text */
    HS_EVENT_MOVE_SETTLED,    /* .job_id, .host_idx: where it is now; .rc NOTFOUND: nowhere */
};

struct hs_event {
    enum hs_event_kind kind;
    int64_t at_s;
    struct hs_reading reading;
    struct hs_job *job;
    uint64_t job_id;
    size_t host_idx;
    const struct hs_machine *machines;
    size_t n_machines;
    struct hs_machine machine;
    bool has_exit_status;
    int exit_status;
    uint64_t op_id;
    int rc;         /* 0 or -kind: TIMEOUT means unknown, read back before trying again */
    char text[192]; /* why it failed */
};

/** A line for the journal: what changed and why, with its readings. */
struct hs_note {
    int64_t at_s;
    char kind[24];             /* "loop", "job", "guard", "plan" */
    char subject[HS_PATH_MAX]; /* loop path or job id */
    char text[256];
};

/** What a step decided. Arrays are borrowed from the cycle until its next step. */
struct hs_decision {
    const struct hs_action *actions;
    size_t n_actions;
    const uint64_t *changed_job_ids; /* jobs to be written to the store, before the actions */
    size_t n_changed_job_ids;
    const struct hs_note *notes;
    size_t n_notes;
    int64_t wake_at_s; /* step again no later than this */
    bool planned;      /* a full plan was made in this step */
};

struct hs_cycle_options {
    const struct hs_estate *estate;             /* kept */
    const struct hs_policy *policy;             /* kept */
    const struct hs_timezone *const *timezones; /* [n_sites], kept; NULL: UTC everywhere */
    size_t n_slots;                             /* horizon; 0 takes 192 */
    int64_t now_at_s;
    bool is_told_ahead;      /* jobs are submitted long before they may start: expect no others */
    uint64_t first_op_id;    /* so that intents of an earlier life are not named again */
    double suspend_s;        /* s of a job's power and time that each suspend is known to cost */
    double move_s;           /* the same of a move; those that were made may show more */
    size_t bound_iterations; /* spent on a bound of the plan's cost; 0: none is looked for */
    size_t bound_every;      /* once in so many plans; 0: with each */
    size_t n_threads;        /* to plan on, where many jobs share no site; 0: one */
    bool can_move;           /* the hosts' backend can move machines among them */
    bool can_throttle;       /* and give them less than all of their vCPUs' time */
    bool frees_memory;       /* suspended machines are saved to disk and hold none */
    bool has_no_planner;     /* the thermostat's rule runs the loops, at each step */
};

/** A cycle that knows the estate and nothing else. Owned by the caller. */
struct hs_cycle *hs_cycle_new(const struct hs_cycle_options *options);

/**
 * Give (or replace) a series of a site; kept until replaced or free. Price and carbon are known
 * ahead; of the outdoor temperature only what has passed is looked at, and only where the site's
 * own sensor is silent.
 */
void hs_cycle_set_signal(struct hs_cycle *cycle, size_t site_idx, enum hs_signal_kind kind,
                         const struct hs_series *series);

/**
 * The newest weather forecast of a site, as it was issued; all its sinks reckon with it.
 *
 * @param outlook  borrowed; NULL: there is none, the last day's weather is thought to go on
 */
void hs_cycle_set_outlook(struct hs_cycle *cycle, size_t site_idx,
                          const struct hs_outlook *outlook);

/**
 * Planned maintenance: from @from_at_s until @until_at_s nothing is to start or go on on the
 * host. What runs there and cannot be suspended runs on. Known from now on; ends by itself.
 */
void hs_cycle_close_host(struct hs_cycle *cycle, size_t host_idx, int64_t from_at_s,
                         int64_t until_at_s);

/**
 * All the maintenance that people have told of, in place of what was told before: none of what it
 * covers is to start or go on in it. For a boiler's the tank is filled before.
 *
 * @param items  [n] borrowed; checked by hs_maintenance_check()
 */
void hs_cycle_set_maintenance(struct hs_cycle *cycle, const struct hs_maintenance *items, size_t n);

/** Weather before the start: as it was measured, each NULL where it was not, and foreseen. */
struct hs_cycle_air {
    const struct hs_series *t_out_c; /* borrowed, as the others */
    const struct hs_series *ghi_w_per_m2;
    const struct hs_series *wind_m_per_s;
    /* the newest forecast issued at @at_s or before; optional. @return false if there is none */
    bool (*find_outlook)(const void *arg, int64_t at_s, struct hs_outlook *ret_outlook);
    const void *arg;
};

/**
 * Let a sink's forecast learn slots before the start: the last 400 days of them, and of those only
 * what it has not learned.
 *
 * @param demand_heat_w  borrowed
 * @param air            NULL: nothing is known of the weather
 */
void hs_cycle_train(struct hs_cycle *cycle, size_t sink_idx, const struct hs_series *demand_heat_w,
                    const struct hs_cycle_air *air);

/** What the forecast of a sink has learned, for the next life; owned by the caller. */
json_t *hs_cycle_save_forecast(const struct hs_cycle *cycle, size_t sink_idx);

/**
 * Go on with what hs_cycle_save_forecast() gave, before anything is trained or stepped.
 *
 * @return 0, -HS_E_INVALID saying what does not fit or -HS_E_CONFLICT if it is of the future; the
 *         sink then learns anew
 */
int hs_cycle_restore_forecast(struct hs_cycle *cycle, size_t sink_idx, const json_t *saved,
                              struct hs_err *err);

/** What was learned of the work to come; owned by the caller. */
json_t *hs_cycle_save_arrivals(const struct hs_cycle *cycle);

/** What was learned of run times; owned by the caller. */
json_t *hs_cycle_save_runtimes(const struct hs_cycle *cycle);

/** Go on with what hs_cycle_save_runtimes() gave. @return 0 or -HS_E_INVALID: learns anew */
int hs_cycle_restore_runtimes(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err);

/** What was learned of moves: how long they take; owned by the caller. */
json_t *hs_cycle_save_moves(const struct hs_cycle *cycle);

/** Go on with what hs_cycle_save_moves() gave. @return 0 or -HS_E_INVALID: learns anew */
int hs_cycle_restore_moves(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err);

/** What the plan reckons that a move of a machine with so much memory takes, plan s. */
double hs_cycle_get_move_s(const struct hs_cycle *cycle, uint64_t memory_mib);

/** What was learned of the hosts' base load and the tanks' loss; owned by the caller. */
json_t *hs_cycle_save_plant(const struct hs_cycle *cycle);

/**
 * Go on with what hs_cycle_save_plant() gave, before anything is stepped; what is not there is new.
 *
 * @return 0, or -HS_E_INVALID naming what learns anew
 */
int hs_cycle_restore_plant(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err);

/** Go on with what hs_cycle_save_arrivals() gave. @return as hs_cycle_restore_forecast() */
int hs_cycle_restore_arrivals(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err);

/**
 * Would this request be taken? Fills class defaults in @job.
 *
 * @param ret_cannot_meet  set to a clause if it is accepted but its due time cannot be met or it
 *                         cannot be placed ("" otherwise); [192]
 * @return 0, -HS_E_INVALID (unknown class or site, larger than any host it may use …)
 */
int hs_cycle_check_job(const struct hs_cycle *cycle, struct hs_job *job, int64_t now_at_s,
                       char *ret_cannot_meet, struct hs_err *err);

/**
 * Plan with this demand of a sink instead of a forecast: it is known ahead.
 *
 * @param demand_heat_w  kept until replaced or free; NULL: forecast again
 */
void hs_cycle_set_demand(struct hs_cycle *cycle, size_t sink_idx,
                         const struct hs_series *demand_heat_w);

/** What was found of a plan's cost; see certificate.h, which defines both. */
struct hs_cycle_bound {
    int64_t at_s; /* when the plan was made */
    double cost_cur;
    double bound_cur;
    double gap_ratio; /* NAN: not to be told */
    bool is_guided;   /* jobs have chosen by the bound's prices at least once */
};

/** The newest bound; NULL before there is one. Borrowed until the next step. */
const struct hs_cycle_bound *hs_cycle_get_bound(const struct hs_cycle *cycle);

/** Take in @events in order and decide. @param ret_decision  overwritten */
void hs_cycle_step(struct hs_cycle *cycle, int64_t now_at_s, const struct hs_event *events,
                   size_t n_events, struct hs_decision *ret_decision);

/** Ask for a full plan at the next step. */
void hs_cycle_replan(struct hs_cycle *cycle);

/* --- jobs that are over --- */

/**
 * Let go of jobs that are over and written down elsewhere. Those that are still needed stay: others
 * wait for their end, an action is about them, or a machine of theirs was seen.
 *
 * @param io_ids  [n] in: to let go of; out: those that stay, first
 * @return how many stay
 */
size_t hs_cycle_forget(struct hs_cycle *cycle, uint64_t *io_ids, size_t n);

/** Counts of all jobs that are over, for the report of the next life; owned by the caller. */
json_t *hs_cycle_save_tally(const struct hs_cycle *cycle);

/** Go on with what hs_cycle_save_tally() gave. Jobs added as over are in it already. */
void hs_cycle_restore_tally(struct hs_cycle *cycle, const json_t *saved);

/** Count a job that was over before anything was counted. */
void hs_cycle_count_over(struct hs_cycle *cycle, const struct hs_job *job);

/** Job and Explanation of one that is over and need not be known; owned by the caller. */
json_t *hs_cycle_format_over(const struct hs_cycle *cycle, const struct hs_job *job,
                             int64_t now_at_s);
json_t *hs_cycle_explain_over(const struct hs_cycle *cycle, const struct hs_job *job,
                              int64_t now_at_s);

/* --- looking --- */

/** Borrowed until the next step; NULL if unknown. */
const struct hs_job *hs_cycle_get_job(const struct hs_cycle *cycle, uint64_t job_id);
size_t hs_cycle_get_n_jobs(const struct hs_cycle *cycle);
/** Jobs in id order. @param i  0..n_jobs-1 */
const struct hs_job *hs_cycle_get_job_at(const struct hs_cycle *cycle, size_t i);
/** The plan in force, or NULL before the first. */
const struct hs_plan *hs_cycle_get_plan(const struct hs_cycle *cycle);
/**
 * Every soft rule that the plan in force breaks, or that is broken now, with its cause and price.
 * Borrowed until the next step; empty before the first plan.
 */
const struct hs_breach *hs_cycle_get_breaches(const struct hs_cycle *cycle, size_t *ret_n);
/** IT power per rack as modelled from what runs, W. @param ret_rack_elec_w [n_racks] */
void hs_cycle_get_rack_elec_w(const struct hs_cycle *cycle, double *ret_rack_elec_w);
/** Sums since the start for a site. */
void hs_cycle_get_account(const struct hs_cycle *cycle, size_t site_idx,
                          struct hs_account *ret_account);
/** W/K that the loop's tank was seen to lose, with its standard error; NAN where not learned. */
void hs_cycle_get_tank_loss(const struct hs_cycle *cycle, size_t loop_idx,
                            struct hs_physics_figure *ret_w_per_k);
/** A loop as of the last step: what its plant is to be told. Texts are borrowed until the next. */
struct hs_cycle_loop_status {
    const char *state; /* "normal", "full", …: loopstate.h */
    const char *cause; /* why, with its readings */
    int64_t since_at_s;
    bool wants_rejection; /* heat that nobody takes is to be rejected */
    bool is_dark;         /* no compute is there to heat it: the building needs its backup */
    double cap_elec_w;    /* what its hosts may draw at most; INFINITY: as much as they like */
};

void hs_cycle_get_loop_status(const struct hs_cycle *cycle, size_t loop_idx,
                              struct hs_cycle_loop_status *ret_status);
/**
 * Heat that the building can count on in each of the hours from now on, mean W: as planned, of
 * hosts that answer; none while no compute runs.
 *
 * @param ret_heat_w  [n_hours] NAN past the plan's end
 */
void hs_cycle_get_offer(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                        size_t n_hours, double *ret_heat_w);

/** Machines last seen on a host. Borrowed until the next step. */
const struct hs_machine *hs_cycle_get_machines(const struct hs_cycle *cycle, size_t host_idx,
                                               size_t *ret_n);

/* --- as JSON, in the shapes of docs/api.md; owned by the caller --- */

json_t *hs_cycle_format_job(const struct hs_cycle *cycle, uint64_t job_id, int64_t now_at_s);
/** Job with its `explanation`, for a request that is only tried: nothing is taken. */
json_t *hs_cycle_format_trial(const struct hs_cycle *cycle, const struct hs_job *job,
                              int64_t now_at_s);
json_t *hs_cycle_format_explain(const struct hs_cycle *cycle, uint64_t job_id, int64_t now_at_s);
/** The same without what takes a search: alternatives, constraints, changes. */
json_t *hs_cycle_format_explain_brief(const struct hs_cycle *cycle, uint64_t job_id,
                                      int64_t now_at_s);
json_t *hs_cycle_format_site(const struct hs_cycle *cycle, size_t site_idx);
json_t *hs_cycle_format_loop(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s);
json_t *hs_cycle_format_host(const struct hs_cycle *cycle, size_t host_idx);
json_t *hs_cycle_format_forecast(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s);
json_t *hs_cycle_format_plan(const struct hs_cycle *cycle);
json_t *hs_cycle_format_report(const struct hs_cycle *cycle, int64_t now_at_s);

/** Accepts NULL. */
void hs_cycle_free(struct hs_cycle *cycle);
HS_DEFINE_AUTO(hs_cycle);
