/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * runtimes - how long a job will run, from what was asked for and from jobs that ran before.
 *
 * Learns online from ends and from who is running still: a job that has run for an hour says that
 * its like runs longer. From all jobs to those of the same team, request and name, each narrower
 * group leans on the wider one as far as it has few ended jobs. The quantile is calibrated
 * online, so that the stated share of runs is longer. Where requests come true they
 * are believed. Bounded: HS_RUNTIMES_GROUPS groups, the one that was longest not heard of is
 * forgotten first. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_RUNTIMES_GROUPS     2048
#define HS_RUNTIMES_OVER_RATIO 0.1 /* of runs are longer than upper_s */

struct hs_runtimes;

/** What a job asks for. */
struct hs_runtimes_request {
    const char *team; /* "" is one, too */
    const char *name; /* "" if it has none; what differs in digits only is the same */
    double requested_s;
    double limit_s; /* killed after it; 0: never */
    uint32_t vcpus;
    uint64_t memory_mib;
};

/** Which jobs a prediction stands on, from wide to narrow. */
enum hs_runtimes_group {
    HS_RUNTIMES_ALL,
    HS_RUNTIMES_REQUEST,
    HS_RUNTIMES_TEAM,
    HS_RUNTIMES_TEAM_VCPUS,
    HS_RUNTIMES_TEAM_REQUEST,
    HS_RUNTIMES_TEAM_SIZE,
    HS_RUNTIMES_TEAM_SAME,
    HS_RUNTIMES_NAME,
    HS_RUNTIMES_N_GROUPS,
};

/** A prediction; of the whole run, what was run already included. */
struct hs_runtimes_run {
    double expected_s;            /* median */
    double upper_s;               /* HS_RUNTIMES_OVER_RATIO of runs are longer */
    double learned_s;             /* median by the history alone */
    double learned_upper_s;       /* the same, of upper_s; what is calibrated */
    double n_ended;               /* jobs of the group below that ended */
    enum hs_runtimes_group group; /* narrowest with enough ended jobs */
    bool is_request;              /* requests have come true: it is the request */
};

/** Nothing known: what is asked for is believed. Owned by the caller. */
struct hs_runtimes *hs_runtimes_new(void);

/**
 * Predict a job's run.
 *
 * @param ran_s  what it has run already; 0: it has not begun
 */
void hs_runtimes_predict(const struct hs_runtimes *runtimes,
                         const struct hs_runtimes_request *request, int64_t now_at_s, double ran_s,
                         struct hs_runtimes_run *ret_run);

/** Job @id runs since @at_s. Once more for the same job changes nothing. */
void hs_runtimes_start(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                       uint64_t id, int64_t at_s);

/** Job @id no longer runs, and says nothing of how long it would have. */
void hs_runtimes_drop(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                      uint64_t id);

/**
 * Job @id ended by itself.
 *
 * @param run_s     > 0
 * @param foreseen  what was predicted before it began; NULL: nothing was
 */
void hs_runtimes_end(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                     uint64_t id, double run_s, const struct hs_runtimes_run *foreseen);

/** Of which jobs @run speaks: "jobs of team 'x' that asked for as much". Static. */
const char *hs_runtimes_group_words(enum hs_runtimes_group group);

/** Everything learned, to be restored exactly; owned by the caller. */
json_t *hs_runtimes_save(const struct hs_runtimes *runtimes);

/** @return 0 or -HS_E_INVALID; @runtimes is then as it was */
int hs_runtimes_restore(struct hs_runtimes *runtimes, const json_t *saved, struct hs_err *err);

/** Accepts NULL. */
void hs_runtimes_free(struct hs_runtimes *runtimes);
HS_DEFINE_AUTO(hs_runtimes);
