/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simrun - the truth of one run: what really runs where, the power, the plant, the account.
 *
 * A controller moves time forward and says what starts and stops; simrun integrates power to
 * the second, closes each slot with the plant's balance (adapters/plant/plant_balance.h) and
 * keeps the sums. It decides nothing. Semantics: simulator.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "adapters/plant/plant_tank.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/vec.h"
#include "scheduler/model/account.h"
#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/scenario.h"
#include "scheduler/sim/simfaults.h"
#include "scheduler/sim/trace.h"

enum hs_simrun_job_state {
    HS_SIMRUN_WAITING,
    HS_SIMRUN_RUNNING,
    HS_SIMRUN_SUSPENDED,
    HS_SIMRUN_DONE,
};

/** What has become of a job. */
struct hs_simrun_job {
    enum hs_simrun_job_state state;
    size_t host_idx;     /* while running; where it last ran */
    double started_at_s; /* first start; NAN before */
    double stretch_at_s; /* start of the stretch it is running */
    double share;        /* of its vCPUs' time: it runs so much slower, and draws so much less */
    double
        ran_s; /* at full share, in finished stretches, overhead in; what a lost host cost is out */
    double overhead_s; /* what moves and suspends have added to its run, s */
    double unpaid_s;   /* the part of it that it has not run yet */
    double ended_at_s; /* NAN until it is done */
};

enum hs_simrun_change {
    HS_SIMRUN_START,
    HS_SIMRUN_RESUME,
    HS_SIMRUN_MOVE, /* goes on at another host */
    HS_SIMRUN_SUSPEND,
    HS_SIMRUN_END,
    HS_SIMRUN_LOST, /* its host was lost; it waits again */
};

/** Is told of what changes, right after it did; looks and never touches. Slots are optional. */
struct hs_simrun_watcher {
    void (*job_changed)(void *arg, size_t job_idx, enum hs_simrun_change change);
    /** run->slot is the slot that closes; rack_elec_wh and slot_* are still its own. */
    void (*slot_closed)(void *arg);
    void *arg;
};

/** Why the controller just did this to that job, an object owned by the caller; NULL: no word. */
typedef json_t *hs_simrun_reason_fn(void *arg, size_t job_idx);

/** The figures of a finished run. */
struct hs_simrun_result {
    struct hs_account *sites; /* [n_sites] owned */
    size_t n_sites;
    struct hs_account total;
    double electricity_cur;        /* part of cost_cur */
    double backup_cur;             /* the other part: backup heat less the worth of heat left */
    size_t n_slots_over_rejection; /* loop-slots that rejected more than their limit */
    double over_limit_s;           /* for how long some rack or feeder drew more than it may */
    size_t jobs_total;
    size_t jobs_done;
    size_t jobs_late;
    double late_s_max;
    double late_s_sum;
    double wait_s_mean; /* NAN if nothing started */
    size_t moves;
    size_t suspends;
    size_t restarts;     /* jobs thrown off a lost host, each time */
    double overhead_wh;  /* electricity of what moves and suspends cost */
    double lost_work_wh; /* electricity of work that was lost with a host */
    bool is_bound;       /* of a bound: it places no job, so nothing is known of single ones */
    const char *note;    /* what the reader must know beside the figures; static, NULL: nothing */
};

struct hs_simrun {
    const struct hs_scenario *scenario;
    const struct hs_trace *trace;
    const struct hs_simjobs *jobs;
    double at_s;
    size_t slot;                  /* the open slot; n_slots when the run is over */
    struct hs_simrun_job *states; /* [n_jobs] */
    uint32_t *busy_vcpus;         /* [n_hosts] jobs only */
    double *unused_vcpus;         /* [n_hosts] of them, as jobs are throttled */
    double *rack_elec_w;          /* [n_racks] now */
    double *rack_elec_wh;         /* [n_racks] in the open slot */
    double *tank_wh;              /* [n_loops] usable energy, as tanks say */
    struct hs_plant_tank *tanks;  /* [n_loops] */
    double *rack_captured_w;      /* [n_racks] what its cooling hands over; ramps */
    double *demand_wh;            /* [n_sinks] sums */
    double *useful_wh;            /* [n_sinks] counters */
    double *captured_wh;          /* [n_loops] counters */
    double *rejected_w;           /* [n_loops] mean of the last closed slot */
    double *worth;                /* [n_sinks] cur/MWh */
    struct hs_account *accounts;  /* [n_sites] without the heat left in the tanks */
    double electricity_cur;
    double backup_cur;
    size_t n_slots_over_rejection;
    double over_limit_s;
    size_t moves;
    size_t suspends;
    size_t restarts;
    double overhead_wh;
    double lost_work_wh;
    int rc; /* the first slot whose heat did not close; see hs_simrun_check() */
    struct hs_err err;
    struct hs_simfaults *faults; /* owned */
    HS_VEC(size_t) thrown;       /* jobs that lost their host and were not taken back yet */
    struct hs_simrun_watcher watcher;
    hs_simrun_reason_fn *reason; /* set by a controller that can say why; else NULL */
    void *reason_arg;
    bool is_stopped; /* a watcher has seen enough: the controller returns at the next instant */
    /* scratch of one slot */
    double *slot_demand_w;  /* [n_sinks] */
    double *slot_useful_wh; /* [n_sinks] */
    double *slot_lift_wh;   /* [n_sinks] */
    double *slot_worth;     /* [n_sinks] of loop heat, cur/MWh */
};

/** At the start, nothing running, tanks half full. All three kept. Owned by the caller. */
struct hs_simrun *hs_simrun_new(const struct hs_scenario *scenario, const struct hs_trace *trace,
                                const struct hs_simjobs *jobs);

/** End of the open slot, Unix UTC; the end of the run when it is over. */
double hs_simrun_slot_end_at_s(const struct hs_simrun *run);

/**
 * Let time pass until @at_s (not past the end); closes the slots on the way. Scripted events
 * before @at_s take effect in their time; those of @at_s itself wait for
 * hs_simrun_apply_events(), so that job ends of that instant come first.
 */
void hs_simrun_advance(struct hs_simrun *run, double at_s);

/** When a scripted event next begins or ends, Unix UTC; INFINITY if never. Wake up for it. */
double hs_simrun_next_event_at_s(const struct hs_simrun *run);

/** Let the scripted events of now take effect. Call after the job ends of the instant. */
void hs_simrun_apply_events(struct hs_simrun *run);

/**
 * A job whose host was lost, one a call, in order of submit. It waits again: the work of its
 * last stretch is gone, what it had done before a suspension is kept.
 *
 * @return false if there is none left
 */
bool hs_simrun_take_thrown(struct hs_simrun *run, size_t *ret_job_idx);

/** False while a host is off. */
bool hs_simrun_is_host_up(const struct hs_simrun *run, size_t host_idx);

/** vCPUs of a host that neither a job nor pinned work holds; 0 if nothing may start there. */
uint32_t hs_simrun_get_free_vcpus(const struct hs_simrun *run, size_t host_idx);

/** Now: begin or go on on @host_idx; another host than before counts as a move. */
void hs_simrun_start_job(struct hs_simrun *run, size_t job_idx, size_t host_idx);

/** Now: stop without losing what was done. */
void hs_simrun_suspend_job(struct hs_simrun *run, size_t job_idx);

/** A running job gets @share of its vCPUs' time from now on. */
void hs_simrun_throttle_job(struct hs_simrun *run, size_t job_idx, double share);

/** Now: go on at once on another host that has room; costs a move, and no suspend. */
void hs_simrun_move_job(struct hs_simrun *run, size_t job_idx, size_t host_idx);

/** Now: it is done. */
void hs_simrun_end_job(struct hs_simrun *run, size_t job_idx);

/** Seconds the job has run up to now. */
double hs_simrun_get_ran_s(const struct hs_simrun *run, size_t job_idx);

/** When a running job ends if nothing stops it, Unix UTC. */
double hs_simrun_get_end_at_s(const struct hs_simrun *run, size_t job_idx);

/**
 * Seconds that a job still runs if it starts or goes on now on @host_idx, with what past
 * suspends and this move cost. The truth: only for what makes the truth.
 */
double hs_simrun_get_need_s(const struct hs_simrun *run, size_t job_idx, size_t host_idx);

/** 0, or -HS_E_INTERNAL with the first loop and slot whose heat did not close. */
int hs_simrun_check(const struct hs_simrun *run, struct hs_err *err);

/** Let the rest pass and sum up. @param ret_result  its sites are the caller's (free) */
void hs_simrun_finish(struct hs_simrun *run, struct hs_simrun_result *ret_result);

/** Accepts NULL. */
void hs_simrun_free(struct hs_simrun *run);
HS_DEFINE_AUTO(hs_simrun);
