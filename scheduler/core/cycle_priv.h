/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * cycle_priv - the state behind cycle.h, for its own files only.
 *
 * cycle.c          life, time, the step
 * cycle_after.c    jobs that follow others
 * cycle_base.c     load of hosts that is not ours
 * cycle_breach.c   soft rules that the plan breaks
 * cycle_check.c    would a request be taken
 * cycle_bound.c    how far the plan can be from the best one
 * cycle_dispatch.c placements into guarded actions
 * cycle_over.c     jobs that are over: counted, shown, let go of
 * cycle_move.c     who may be moved, and what came of it
 * cycle_observe.c  events into state
 * cycle_expect.c   work to come into the horizon
 * cycle_feasible.c how far work may be put off
 * cycle_forecast.c readings and weather into forecasts, forecasts into demand
 * cycle_foresee.c  how long jobs will run
 * cycle_horizon.c  state into a horizon, the horizon into a plan
 * cycle_jobs.c     jobs as the planner sees them
 * cycle_life.c     what a cycle is made of
 * cycle_reason.c   why a job waits
 * cycle_share.c    shares of elastic jobs
 * cycle_explain.c  the whole explanation; cycle_explain_ask.c what would change it
 * cycle_miss.c     targets that the plan misses, by name and cause
 * cycle_view.c     JSON; cycle_<what>_view.c that of forecasts, loops and the plan
 */

#include "forecast/arrivals.h"
#include "forecast/baseload.h"
#include "forecast/forecast.h"
#include "forecast/movecost.h"
#include "forecast/runtimes.h"
#include "scheduler/base/units.h"
#include "scheduler/base/vec.h"
#include "scheduler/core/balance.h"
#include "scheduler/core/cycle.h"
#include "scheduler/core/cycle_hot.h"
#include "scheduler/core/cycle_soft.h"
#include "scheduler/core/estimator.h"
#include "scheduler/core/expected.h"
#include "scheduler/core/feasible.h"
#include "scheduler/core/guard.h"
#include "scheduler/core/interlock.h"
#include "scheduler/core/ledger.h"
#include "scheduler/core/loopstate.h"
#include "scheduler/core/place.h"

#define HS_CYCLE_SIGNALS 3 /* of enum hs_signal_kind */

#define HS_CYCLE_REPLAN_S       300 /* architecture.md, The reactor: plan every 5 min of news */
#define HS_CYCLE_ANEW_S         (6 * 3600)   /* every job is placed anew, not only some in turn */
#define HS_CYCLE_DEFAULT_WAIT_S HS_S_PER_DAY /* latest start of work without a due time */
#define HS_CYCLE_FORECAST_SLOTS 4            /* a forecast reaches so far past the horizon */
#define HS_CYCLE_TRAIN_S        (400 * HS_S_PER_DAY) /* history that a forecast is trained on */
#define HS_CYCLE_FEASIBLE_S     (10 * HS_S_PER_DAY)  /* due times further out are as near as this */
#define HS_CYCLE_RETRY_S        60                   /* after a step that failed or was refused */
#define HS_CYCLE_NO_MOVE_S      3600 /* after a move that failed, none is planned for so long */
#define HS_CYCLE_FAILS_MAX      5    /* starts that a host refused before the job is failed */

struct hs_cycle_host {
    bool is_up;
    bool is_down;              /* somebody who knows has said that nothing runs there */
    int64_t silent_since_at_s; /* while it is not up */
    HS_VEC(struct hs_machine) machines;
};

/** A loop or a rack as cycle_hot.h sees it. */
struct hs_cycle_zone {
    struct hs_loopstate heat; /* only whether it is too hot: a loop's water, what cools a rack */
    bool is_capped;
    bool is_hot; /* and nothing that may wait starts in it at all */
    int64_t capped_at_s;
    double cap_w; /* its hosts together are to draw no more */
};

struct hs_cycle_loop {
    struct hs_loopstate state;
    struct hs_interlock interlock;
    struct hs_balance balance;
    struct hs_cycle_zone zone;
    bool was_lit;        /* some host of it has answered once */
    bool is_dark;        /* none is there to give heat */
    size_t hot_rack_idx; /* of its racks the one nearest its inlet's limit; SIZE_MAX: none speaks */
    bool has_credit;     /* heat counts: there is a reading, or a forecast, to believe */
    bool is_tank_told;   /* that its tank loses otherwise than stated */
    enum hs_tankloss_doubt tank_doubt; /* as last told */
};

/** Planned maintenance of a host. */
struct hs_cycle_closure {
    size_t host_idx;
    int64_t from_at_s;
    int64_t until_at_s;
    bool is_off;    /* it is switched off */
    uint64_t of_id; /* the maintenance that says so; 0: hs_cycle_close_host() */
};

/** Planned maintenance of what heats a sink beside compute. */
struct hs_cycle_boiler {
    size_t sink_idx;
    int64_t from_at_s;
    int64_t until_at_s;
    bool is_told; /* that it has begun */
};

/** A job and what the cycle remembers of it. */
struct hs_cycle_entry {
    struct hs_job *job; /* owned */
    size_t host_idx;    /* SIZE_MAX while nowhere */
    bool *site_allowed; /* owned, [n_sites] */
    int64_t due_at_s;   /* the job's, or what its class allows it to wait */
    uint64_t op_id;     /* action in flight, 0 none */
    enum hs_action_kind op_kind;
    size_t to_host_idx;           /* of the last move asked for */
    enum hs_job_state moved_from; /* state before it */
    int64_t no_move_until_s;
    double to_share;       /* of the last throttle asked for */
    bool is_share_unknown; /* it timed out, or an earlier life asked for it */
    bool is_moving;        /* suspended for a move: its room on to_host_idx is kept */
    bool is_op_unknown;    /* it timed out: look before trying again */
    int64_t retry_at_s;    /* no new action before this */
    unsigned n_fails;
    bool is_changed; /* to be written to the store */
    double margin_s; /* ends so long before its due time, so that others find room */
    bool is_placed;  /* placement is of the plan in force */
    struct hs_placement placement;
    struct hs_runtimes_run foreseen; /* of its run, when it began; learned_s 0: it was not */
    struct hs_runtimes_run run;      /* the same as of run_made_at_s */
    int64_t run_made_at_s;           /* INT64_MIN: to be made */
    char refused[192];               /* what the guard or the host last said, "" if nothing */
};

/** How jobs have fared, in the words of the report. */
struct hs_cycle_tally {
    int64_t n_total;
    int64_t n_done;
    int64_t n_late;
    int64_t n_started;
    int64_t moves;
    int64_t suspends;
    double late_s_max;
    double wait_s;
};

struct hs_cycle {
    struct hs_cycle_options options;
    const struct hs_estate *estate;
    size_t n_slots;
    int64_t now_at_s;
    uint64_t next_op_id;

    struct hs_cycle_tally over;            /* of every job that is over */
    HS_VEC(struct hs_cycle_entry) entries; /* ascending job id */
    HS_VEC(size_t) live;         /* ascending indices of entries that may still need something */
    struct hs_cycle_host *hosts; /* [n_hosts] */
    struct hs_cycle_loop *loops; /* [n_loops] */
    struct hs_cycle_zone *racks; /* [n_racks] */
    HS_VEC(struct hs_cycle_closure) closures;
    HS_VEC(struct hs_cycle_boiler) boilers;
    const struct hs_series **signals; /* [n_sites][HS_CYCLE_SIGNALS] by hs_signal_kind */
    struct hs_estimator *estimator;
    struct hs_calendar **calendars; /* [n_sites] borrowed by the forecasts */
    struct hs_forecast **forecasts; /* [n_sinks] */
    double *forecast_w;             /* [n_sinks][n_slots + HS_CYCLE_FORECAST_SLOTS] as last made */
    double *forecast_p10_w;         /* as forecast_w */
    double *forecast_p90_w;
    int64_t *forecast_from_at_s;             /* [n_sinks] its first slot; INT64_MIN: to be made */
    int64_t *forecast_made_at_s;             /* [n_sinks] first slot as last made; or INT64_MIN */
    const struct hs_series **known_demand_w; /* [n_sinks] instead of a forecast; NULL: forecast */
    int64_t *learned_to_at_s; /* [n_sinks] slots before it were shown to its forecast */
    bool *has_history;        /* [n_sinks] its forecast has seen a metered slot */
    struct hs_ledger *ledger;
    struct hs_arrivals arrivals;
    struct hs_expected *expected;
    struct hs_feasible *feasible; /* room as of the last plan and what came since */
    bool are_margins_laid;        /* more is expected, so room is kept for it */
    struct hs_runtimes *runtimes;
    struct hs_movecost movecost;
    struct hs_baseload *baseloads; /* [n_hosts] electricity of what is not ours and of idling, W */
    double load_ratio;             /* of the vCPUs of the next day: planned and expected */
    int64_t expected_at_s;         /* when that was laid out */

    struct hs_place *place;
    struct hs_certificate *certificate; /* NULL until it is asked for */
    struct hs_cycle_bound bound;        /* at_s 0: none yet */
    size_t n_plans;                     /* that might have been bounded */
    size_t n_bound_steps;               /* towards better prices, in all */
    bool is_bound_set;                  /* the certificate knows the plan that is being made */
    bool was_guided;                    /* a plan was made by its prices */
    struct hs_cycle_soft *soft;
    bool cannot_throttle; /* a host said so */
    bool is_plan_wanted;  /* something has changed that a refresh would not see through */
    bool has_news;        /* something has changed since the last plan */
    bool is_insert_wanted;
    bool has_plan;
    int64_t planned_at_s;
    int64_t anew_at_s; /* when every job was last placed anew */
    int64_t plan_from_at_s;
    double *frame_elec;                    /* [n_sites][n_slots] from elec_from_at_s on */
    int64_t elec_from_at_s;                /* 0: nothing in frame_elec holds */
    double *frame_demand_wh;               /* [n_sinks][n_slots] scratch */
    double *frame_captured_wh;             /* [n_loops][n_slots] scratch */
    double *frame_reject;                  /* [n_loops][n_slots] scratch */
    double *frame_worth;                   /* [n_sinks] scratch */
    struct hs_thermal_input *frame_inputs; /* [n_loops] scratch */

    /* this step's output */
    HS_VEC(struct hs_action) actions;
    HS_VEC(uint64_t) changed_ids;
    HS_VEC(struct hs_note) notes;
};

/** The entry of @job_id, or NULL. Borrowed. */
struct hs_cycle_entry *hs_cycle_find_entry(const struct hs_cycle *cycle, uint64_t job_id);

/** The @i-th of the jobs that may still need something, by id; see live. Borrowed. */
static inline struct hs_cycle_entry *hs_cycle_get_live(const struct hs_cycle *cycle, size_t i)
{
    return &cycle->entries.items[cycle->live.items[i]];
}

/** It needs something again; nothing happens if it is live already. */
void hs_cycle_add_live(struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** All jobs: those that are over, and the others as they are. */
void hs_cycle_get_tally(const struct hs_cycle *cycle, int64_t now_at_s,
                        struct hs_cycle_tally *ret_tally);

/** What the loops are like now, what is to be rejected, and how much heat is too much. */
void hs_cycle_watch_loops(struct hs_cycle *cycle);

/** What the loop's points say to its interlock. */
void hs_cycle_fill_interlock(const struct hs_cycle *cycle, size_t loop_idx,
                             struct hs_interlock_input *ret_input);

/** Is some of its sinks out by its own word? @param ret_sink_idx  the first such; nullable */
bool hs_cycle_find_off_sink(const struct hs_cycle *cycle, size_t loop_idx, size_t *ret_sink_idx);

/** Say when no compute is left to heat the loop, and when some is again. */
void hs_cycle_watch_compute(struct hs_cycle *cycle, size_t loop_idx);

/** A slot has ended: does its heat add up? */
void hs_cycle_close_balances(struct hs_cycle *cycle);

/** The last slot's heat by source, and its residual; empty before the first. Owned. */
json_t *hs_cycle_format_balance(const struct hs_cycle *cycle, size_t loop_idx);

/** Heat that the loop's hosts give it now by their modelled power, W. */
double hs_cycle_get_modelled_w(const struct hs_cycle *cycle, size_t loop_idx);

/**
 * What to reckon with in the loop's tank, Wh; half of it while nothing was ever read. While no
 * reading of it is good, the most that it can hold since: bad readings never make room for heat.
 */
double hs_cycle_get_tank_wh(const struct hs_cycle *cycle, size_t loop_idx);

/** Say once that a tank loses much more or less than stated, or that its readings cannot be. */
void hs_cycle_watch_tank(struct hs_cycle *cycle, size_t loop_idx);

/** Events about hosts that do not answer and moves that were cut short; see cycle_lost.c. */
void hs_cycle_lose_host(struct hs_cycle *cycle, const struct hs_event *event);
void hs_cycle_confirm_down(struct hs_cycle *cycle, const struct hs_event *event);
void hs_cycle_settle_move(struct hs_cycle *cycle, const struct hs_event *event);

/** Set "state" of a host, and while it is silent "since" and what to do "next". */
void hs_cycle_format_silence(const struct hs_cycle *cycle, size_t host_idx, json_t *object);

/** A job whose machine is no more for sure: it waits again, or ends as was wanted. */
void hs_cycle_requeue(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int64_t at_s,
                      const char *why);

/** Write a line for the journal. */
__attribute__((format(printf, 4, 5))) void hs_cycle_note(struct hs_cycle *cycle, const char *kind,
                                                         const char *subject, const char *fmt, ...);

/** Change a job's state; a change that the table forbids is noted and left undone. */
void hs_cycle_set_state(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                        enum hs_job_state state, int64_t at_s);

/** Plan seconds of work that are left, at least a minute: an estimate that was short. */
double hs_cycle_get_remaining_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

enum hs_cycle_after { HS_CYCLE_AFTER_MET, HS_CYCLE_AFTER_OPEN, HS_CYCLE_AFTER_NEVER };

/** May the job start, as far as others go? @param ret_other  the one it waits for, unless met */
enum hs_cycle_after hs_cycle_check_after(const struct hs_cycle *cycle, const struct hs_job *job,
                                         const struct hs_job **ret_other);

/** 0 or -HS_E_INVALID: it is to follow a job that does not exist. */
int hs_cycle_check_after_known(const struct hs_cycle *cycle, const struct hs_job *job,
                               struct hs_err *err);

/** Cancel what waits for an end that another job can no longer come to. */
void hs_cycle_follow(struct hs_cycle *cycle);

/** May its machine be moved to another host now, as far as class, budget and backend go? */
bool hs_cycle_may_move(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** Its move is about to be told as done, by the call that made it: what that took is learned. */
void hs_cycle_learn_move(struct hs_cycle *cycle, const struct hs_job *job, int64_t at_s);

/** It is on its new host. */
void hs_cycle_finish_move(struct hs_cycle *cycle, struct hs_cycle_entry *entry, size_t host_idx,
                          int64_t at_s);

/** It stays where it was. @param rc  why */
void hs_cycle_fail_move(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int rc, int64_t at_s);

/** Shares between which the job may be throttled as things are, in quarters; 0 both: not at all. */
void hs_cycle_fill_shares(const struct hs_cycle *cycle, const struct hs_job *job,
                          struct hs_place_job *io_job);

/** The most of its vCPUs' time that the job is given. */
double hs_cycle_get_full_share(const struct hs_cycle *cycle, const struct hs_job *job);

/** What the plan gives it in @slot, as a ratio of its vCPUs' time; of its most: see speed. */
double hs_cycle_get_planned_share(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                  size_t slot);

/** It has been given another share, or a host would not. @param rc  0 or why not */
void hs_cycle_finish_throttle(struct hs_cycle *cycle, struct hs_cycle_entry *entry, int rc,
                              int64_t at_s);

/** vCPUs busy on a host that nobody uses, as its jobs are throttled. */
double hs_cycle_get_unused_vcpus(const struct hs_cycle *cycle, size_t host_idx);

/** vCPUs busy on a host: what is not ours (or pinned_vcpus, if more) and ours that run. */
uint32_t hs_cycle_get_busy_vcpus(const struct hs_cycle *cycle, size_t host_idx);

/** vCPUs of machines that are not ours, at least pinned_vcpus. */
uint32_t hs_cycle_get_base_vcpus(const struct hs_cycle *cycle, size_t host_idx);

/** Electricity of a host that is not ours to move, now, W: modelled, or by its rack's meter. */
double hs_cycle_get_base_elec_w(const struct hs_cycle *cycle, size_t host_idx);

/** It has gone on as it was until @to_at_s. */
void hs_cycle_learn_base(struct hs_cycle *cycle, size_t host_idx, int64_t to_at_s);

/** The same in the hour that holds @at_s; as now while too little is known. */
void hs_cycle_predict_base(const struct hs_cycle *cycle, size_t host_idx, int64_t at_s,
                           struct hs_baseload_range *ret_range);

/** Add what of it is captured to @captured_wh [n_slots]. */
void hs_cycle_add_base(const struct hs_cycle *cycle, size_t host_idx, double *captured_wh);

/** Into the Host @object: now and in an hour. */
void hs_cycle_format_base(const struct hs_cycle *cycle, size_t host_idx, json_t *object);

/** Modelled power of a host now, W. */
double hs_cycle_get_host_elec_w(const struct hs_cycle *cycle, size_t host_idx);

/** Price and carbon of a site's electricity at @at_s. */
void hs_cycle_get_prices(const struct hs_cycle *cycle, size_t site_idx, int64_t at_s,
                         struct hs_ledger_prices *ret_prices);

/** An entry for @job (taken with the entry), its sites and latest end resolved. */
void hs_cycle_init_entry(const struct hs_cycle *cycle, struct hs_job *job,
                         struct hs_cycle_entry *ret_entry);

/** Job and Explanation of an entry that need not be one of the cycle's. Owned by the caller. */
json_t *hs_cycle_format_entry(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                              int64_t now_at_s);
json_t *hs_cycle_explain_entry(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                               int64_t now_at_s);

/** Share of slot @t of the plan that still lies ahead. */
double hs_cycle_get_slot_share(const struct hs_cycle *cycle, size_t t);

/** It may start later than now, or be suspended. */
bool hs_cycle_may_wait(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** How long before its due time each job has to end so that all find room; sets margin_s. */
void hs_cycle_lay_margins(struct hs_cycle *cycle);

/** The same for one more job, beside what was laid. */
void hs_cycle_lay_margin(struct hs_cycle *cycle, struct hs_cycle_entry *entry);

/** Learn from a request that has just come. */
void hs_cycle_learn_request(struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** Learn from a job that has just ended by itself. */
void hs_cycle_learn_end(struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/**
 * Add the heat of work to come to the frame's captured heat.
 *
 * @param last_from_at_s  start of slot 0 of the plan that entries' placements are of
 */
void hs_cycle_add_expected(struct hs_cycle *cycle, int64_t last_from_at_s);

/**
 * A metered slot of a sink has ended; one learned before is left out.
 *
 * @param demand_heat_w  mean over the slot; NAN: unknown
 */
void hs_cycle_observe_slot(struct hs_cycle *cycle, size_t sink_idx, int64_t slot_at_s,
                           double demand_heat_w, const struct hs_weather *weather);

/** A hs_estimator_slot_fn. @param arg  the cycle */
void hs_cycle_close_slot(void *arg, size_t sink_idx, int64_t slot_at_s, double demand_heat_w,
                         const struct hs_weather *measured);

/** A site's series; NULL if none was given. */
const struct hs_series *hs_cycle_get_signal(const struct hs_cycle *cycle, size_t site_idx,
                                            enum hs_signal_kind kind);

/** Mean demand of each slot of the plan as forecast, W. @param ret_demand_heat_w  [n_slots] */
void hs_cycle_forecast_sink(struct hs_cycle *cycle, size_t sink_idx, double *ret_demand_heat_w);

/** Its state is no longer @before: what it tells of how long its like run. */
void hs_cycle_foresee_change(struct hs_cycle *cycle, struct hs_cycle_entry *entry,
                             enum hs_job_state before);

/** It has ended by itself: learn how long it ran. */
void hs_cycle_foresee_end(struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** How long it will run, anew if that was long ago. */
void hs_cycle_foresee(const struct hs_cycle *cycle, struct hs_cycle_entry *entry);

/** It waits, may be suspended, and what it asks for is not to be believed: by the history then. */
bool hs_cycle_is_foreseen(const struct hs_cycle_entry *entry);

/** Plan seconds that have to be left before its due time when it starts. */
double hs_cycle_get_safe_left_s(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry);

/** Plan seconds that it is laid out for. */
double hs_cycle_get_planned_left_s(const struct hs_cycle *cycle,
                                   const struct hs_cycle_entry *entry);

/** Set what is expected of its run, and from what. */
void hs_cycle_format_run(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         json_t *object);

/** Take one event into the state. */
void hs_cycle_observe(struct hs_cycle *cycle, const struct hs_event *event);

/** Say what runs now without any plan. */
void hs_cycle_run_thermostat(struct hs_cycle *cycle);

/** It has been done: nothing is placed for any later moment. */
void hs_cycle_end_thermostat(struct hs_cycle *cycle);

/** Make a full plan for now. */
void hs_cycle_make_plan(struct hs_cycle *cycle);

/** Are there prices for so many jobs to choose by, and no plan was made by them yet? */
bool hs_cycle_has_new_guide(const struct hs_cycle *cycle, size_t n_jobs);

/** Let @jobs of the plan to be made choose by the bound's prices, if there are any worth it. */
void hs_cycle_guide(struct hs_cycle *cycle, const struct hs_place_job *jobs, size_t n_jobs);

/** Look for a bound of the plan just made of @jobs, if it is this plan's turn. */
void hs_cycle_bound_plan(struct hs_cycle *cycle, const struct hs_place_job *jobs, size_t n_jobs);

/** The newest bound as people see it; owned by the caller. */
json_t *hs_cycle_format_bound(const struct hs_cycle *cycle);

/** Place waiting jobs that have no placement yet against the plan in force. */
void hs_cycle_insert_new(struct hs_cycle *cycle);

/** Want what the placements say of this moment; the guard has the last word. */
void hs_cycle_dispatch(struct hs_cycle *cycle);

/** The job as the planner sees it. @return false if it needs no place */
bool hs_cycle_fill_place_job(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                             struct hs_place_job *ret_job);

/** The same as if it followed no other job. */
bool hs_cycle_fill_place_job_alone(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                   struct hs_place_job *ret_job);

/** Reasons why it waits, most weighty first: [{code,text,object,change}]. Owned. */
json_t *hs_cycle_format_reasons(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                int64_t now_at_s);

/** The plan's slot that holds @now_at_s, cut to the horizon. */
size_t hs_cycle_get_slot(const struct hs_cycle *cycle, int64_t now_at_s);

/** What hs_cycle_get_breaches() gives but for jobs, among @misses. */
void hs_cycle_add_breaches(const struct hs_cycle *cycle, json_t *misses);

/** Planned start and end, plan UTC; 0 if not placed. */
void hs_cycle_get_window(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                         int64_t now_at_s, int64_t *ret_start_at_s, int64_t *ret_end_at_s);

/** Why its due time cannot be met or it cannot be placed; "" if it can. */
void hs_cycle_format_cannot_meet(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                                 char *ret_text, size_t size);

/** Instant at which the plan's last slot ends. */
int64_t hs_cycle_get_horizon_at_s(const struct hs_cycle *cycle);

/** It may only start after the last slot that is planned: nothing is wrong, its time will come. */
bool hs_cycle_starts_beyond(const struct hs_cycle *cycle, const struct hs_job *job);

/** Prices at its slots, alternatives, binding constraints, what would change it; into @object. */
void hs_cycle_set_choices(const struct hs_cycle *cycle, const struct hs_cycle_entry *entry,
                          json_t *object);

/** Ride-through, headroom and worth of heat by the hour of a loop, into @object. */
void hs_cycle_set_reach(const struct hs_cycle *cycle, size_t loop_idx, int64_t now_at_s,
                        json_t *object);

/** A target that the plan in force misses. Texts are borrowed for the call. */
struct hs_cycle_miss {
    const char *kind;   /* "job", "limit", "comfort", "hygiene", "ramp": what was aimed at */
    const char *name;   /* of what misses it: a job's id, "site/rack" */
    const char *cause;  /* a stable code: docs/api.md, Misses */
    const char *text;   /* how much, and why */
    const char *change; /* what would help */
    double by;          /* how much, in @unit; NAN if nobody can tell */
    const char *unit;   /* "s", "W", "Wh", "K", "vcpus" */
    double cost_cur;    /* by the policy's breach_prices; 0: it has none */
    int64_t from_at_s;  /* 0: all the time */
    int64_t until_at_s;
};

/** Append one to an array of misses. */
void hs_cycle_add_miss(json_t *misses, const struct hs_cycle_miss *miss);

/** Every target that the plan in force misses; owned by the caller. */
json_t *hs_cycle_format_misses(const struct hs_cycle *cycle);
