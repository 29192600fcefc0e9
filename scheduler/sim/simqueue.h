/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simqueue - what rivals share: the instants of a run and which job runs where until when.
 *
 * It moves a run from instant to instant (a job's end, a submit, the end of a slot), ends what
 * is done, and tells its user what came in; the user decides. It keeps each host's running jobs
 * in order of their expected ends. It never chooses.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/vec.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/simrun.h"

/** A running job as a fair controller sees it. */
struct hs_simqueue_running {
    size_t job_idx;
    double expected_at_s; /* by the estimate; may have passed */
};

struct hs_simqueue_host {
    HS_VEC(struct hs_simqueue_running) running; /* by expected end, then by start */
};

struct hs_simqueue_end {
    double at_s;
    size_t job_idx;
};

/** What its user does; all are called with the run at the instant. */
struct hs_simqueue_ops {
    /** A job has been submitted. */
    void (*submit)(void *arg, size_t job_idx);
    /** A job that ran was thrown off with its host and waits again. */
    void (*take_back)(void *arg, size_t job_idx);
    /** Everything of the instant is in: decide. Not called at the end of the run. */
    void (*schedule)(void *arg, bool is_slot_end);
    /** Next instant at which it wants to decide besides, INFINITY if none; optional. */
    double (*get_next_at_s)(void *arg);
};

struct hs_simqueue {
    struct hs_simrun *run;
    struct hs_simqueue_host *hosts;      /* [n_hosts] */
    bool *is_limited;                    /* [n_hosts] its rack's or site's power may bind */
    HS_VEC(struct hs_simqueue_end) ends; /* binary heap by (time, job); may hold stale ones */
    size_t next_submit;
};

/** @param run kept */
void hs_simqueue_init(struct hs_simqueue *queue, struct hs_simrun *run);

/** From the run's start to its end. @param options as the controller's drive() has them */
void hs_simqueue_drive(struct hs_simqueue *queue, const struct hs_simqueue_ops *ops, void *arg,
                       const struct hs_controller_options *options);

/** Now: begin or go on on @host_idx, which has room (hs_simroom_check). */
void hs_simqueue_start(struct hs_simqueue *queue, size_t job_idx, size_t host_idx);

/** Now: stop without losing what was done. */
void hs_simqueue_suspend(struct hs_simqueue *queue, size_t job_idx);

/** Now: go on at once on another host, which has room. */
void hs_simqueue_move(struct hs_simqueue *queue, size_t job_idx, size_t host_idx);

/** What a job still has to run by its estimate, s; never negative. */
double hs_simqueue_get_left_s(const struct hs_simqueue *queue, size_t job_idx);

void hs_simqueue_fini(struct hs_simqueue *queue);
