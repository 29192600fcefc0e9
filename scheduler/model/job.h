/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * job - a piece of work: what its owner asked for and what has become of it.
 *
 * The first half is the request as submitted (with class defaults filled in), the second half
 * is status and changes only in scheduler/core. Times are plan UTC; 0 means none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/model/site.h"

enum hs_job_class {
    HS_CLASS_PINNED,
    HS_CLASS_MOVABLE,
    HS_CLASS_DEFERRABLE,
    HS_CLASS_ELASTIC,
    HS_CLASS_FILLER
};

enum hs_job_state {
    HS_JOB_HELD,
    HS_JOB_WAITING,
    HS_JOB_STARTING,
    HS_JOB_RUNNING,
    HS_JOB_SUSPENDED,
    HS_JOB_SAVED,
    HS_JOB_MIGRATING,
    HS_JOB_STOPPING,
    HS_JOB_DONE,
    HS_JOB_FAILED,
    HS_JOB_CANCELLED,
    HS_JOB_STATE_COUNT_,
};

struct hs_job {
    /* the request */
    uint64_t id; /* 1.. ; 0 before the store gave one */
    char name[HS_NAME_MAX];
    char image[HS_NAME_MAX];
    char team[HS_NAME_MAX];
    char class_name[HS_NAME_MAX]; /* as the user said it: a base class or one of a policy */
    enum hs_job_class base_class; /* resolved */
    char *script;                 /* owned, nullable */
    char **env;                   /* owned, [n_env] "KEY=value" */
    size_t n_env;
    uint32_t vcpus;
    uint64_t memory_mib;
    int64_t duration_s; /* the owner's estimate of the run */
    int64_t limit_s;    /* killed after running this long; 0 none */
    int64_t earliest_at_s;
    int64_t due_at_s;
    bool interruptible;
    bool movable;      /* may go on on another host; class movable always may */
    int64_t min_run_s; /* shortest run between suspensions */
    double min_share;  /* elastic: least of its vCPUs' time that it bears ... */
    double max_share;  /* ... and most, ratios; 0 both: not elastic, or the class's */
    int priority;
    bool now;     /* --now: start at once, whatever heat costs */
    char **sites; /* owned, [n_sites]; empty: all allowed */
    size_t n_sites;
    char **not_sites; /* owned, [n_not_sites] */
    size_t n_not_sites;
    char **after; /* owned, [n_after] what it waits for, see hs_job_parse_after() */
    size_t n_after;

    /* the status */
    enum hs_job_state state;
    int64_t submitted_at_s;
    int64_t started_at_s; /* first start */
    int64_t ended_at_s;
    int64_t since_at_s;     /* when the present state began */
    double ran_s;           /* plan seconds run in finished stretches, at full share */
    double share;           /* of its vCPUs' time that it gets */
    int64_t share_at_s;     /* when that was changed; 0: never */
    char host[HS_PATH_MAX]; /* "site/host", "" while nowhere */
    bool has_exit_status;
    int exit_status;
    uint32_t suspends;
    uint32_t moves;
    int64_t moved_at_s; /* its last move; 0: never */
    bool cancel_wanted; /* its owner cancelled it; it ends as cancelled once its machine is gone */
    char why[192];      /* why it failed or was cancelled, "" otherwise */
};

/** Fields of a request as a user writes it. */
extern const struct hs_conf_table hs_job_table;

/** An empty request with defaults (deferrable, 1 vCPU, 2 GiB, 1 h); owned by the caller. */
struct hs_job *hs_job_new(void);

/** A deep copy; owned by the caller. */
struct hs_job *hs_job_dup(const struct hs_job *job);

/**
 * Read a request as a user writes it (docs/jobs.md, Fields): durations "2h", times RFC 3339,
 * `now+2h`, `18:00`, `tomorrow 06:00`. Status fields are refused. submitted_at_s becomes
 * @now_at_s; a duration that is not given is the limit, or an hour.
 *
 * @param now_at_s  what relative times count from
 * @param ret_job   owned by the caller on success
 */
int hs_job_parse_request(const json_t *object, int64_t now_at_s, struct hs_conf_report *report,
                         struct hs_job **ret_job);

/** The whole job as the store and `-o json` show it: ids integers, durations `_s`. Owned. */
json_t *hs_job_format(const struct hs_job *job);

/**
 * Inverse of hs_job_format(); keys it does not know are skipped, absent ones keep their default.
 *
 * @return 0 or -HS_E_PROTOCOL naming the field
 */
int hs_job_parse(const json_t *object, struct hs_job **ret_job, struct hs_err *err);

enum hs_job_after_kind {
    HS_JOB_AFTER_OK,        /* the other is done */
    HS_JOB_AFTER_NOT_OK,    /* the other failed or was cancelled */
    HS_JOB_AFTER_ANY,       /* the other is over */
    HS_JOB_AFTER_SINGLETON, /* no earlier job of this name and team is left */
};

struct hs_job_after {
    enum hs_job_after_kind kind;
    uint64_t job_id; /* 0 for singleton */
};

/**
 * Read one condition: `afterok:12`, `afternotok:12`, `afterany:12` or `singleton`.
 *
 * @return 0 or -HS_E_INVALID saying what is right
 */
int hs_job_parse_after(const char *text, struct hs_job_after *ret_after, struct hs_err *err);

/** True in done, failed and cancelled. */
bool hs_job_is_over(const struct hs_job *job);

/** Stable words: "waiting", "deferrable". */
const char *hs_job_state_word(enum hs_job_state state);
const char *hs_job_class_word(enum hs_job_class base_class);

/** Accepts NULL. */
void hs_job_free(struct hs_job *job);
HS_DEFINE_AUTO(hs_job);
