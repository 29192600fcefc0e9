/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * policy - what the operator prefers: classes of work and the weight of each part of the cost.
 *
 * A weight multiplies its part in decisions only, never in reports. Files: policies.d, read in
 * name order; a class or weight in a later file replaces the earlier one of that name.
 */

#include <stddef.h>

#include "policies/limit.h"
#include "scheduler/base/conf.h"
#include "scheduler/model/job.h"

struct hs_policy_class {
    char name[HS_NAME_MAX];
    enum hs_job_class base;
    int priority;
    int max_moves_per_day; /* of one job that may be moved, evenly spread: once in 24 h / so many */
    double ceiling_cur_per_mwh; /* filler: most that its electricity, less its heat, may cost */
    double min_share; /* elastic: of the vCPUs' time that its jobs bear, unless they say so */
    double max_share;
    int64_t min_run_s;
    int64_t max_wait_s; /* 0: no bound of its own */
};

/** What a soft rule costs where it has to give way. */
struct hs_policy_prices {
    double late_cur_per_h;
    double comfort_cur_per_mwh_h;
    double hygiene_cur_per_h;
    double limit_cur_per_kwh;
    double ramp_cur_per_kw;
};

/** How running machines are moved. */
struct hs_policy_migration {
    int parallel_per_host;      /* moves from or to one host at a time */
    double bandwidth_mib_per_s; /* of one move; 0: as fast as it goes */
};

struct hs_policy {
    struct hs_policy_class *classes; /* [n_classes] the five base classes come first */
    size_t n_classes;
    double heat_weight;
    double electricity_weight;
    double carbon_weight;
    struct hs_policy_prices prices;
    struct hs_policy_migration migration;
    struct hs_limit *limits; /* [n_limits] of all files */
    size_t n_limits;
    double waiting_weight; /* a day of waiting counts as this share of a job's electricity */
};

/** Fields of a policy file. */
extern const struct hs_conf_table hs_policy_table;

/** The five base classes and weights 1, 1, 1, 0.01; owned by the caller. */
struct hs_policy *hs_policy_new(void);

/**
 * Read one policy file on top of @policy. On any error @policy is unchanged. A base class may be
 * given values of its own; `limits` add up; of `migration` downtimes and stalls, `teams` and a
 * class's `teams` are checked for their shape and take effect in a later version.
 *
 * @return 0 or -HS_E_INVALID with @report filled
 */
int hs_policy_parse(struct hs_policy *policy, const char *file, const char *text,
                    struct hs_conf_report *report);

/** What a class of @base is without a word of its own. */
void hs_policy_init_class(enum hs_job_class base, struct hs_policy_class *ret_class);

/** The class named @name, or NULL. Borrowed. */
const struct hs_policy_class *hs_policy_find_class(const struct hs_policy *policy,
                                                   const char *name);

/** Shares of vCPUs' time are given in quarters: the least of @min_share, the most of @max_share. */
unsigned hs_policy_get_least_quarters(double min_share);
unsigned hs_policy_get_most_quarters(double max_share);

/**
 * Fill in what the job's class says and its request left open (0); resolve base_class. Filler
 * work is always interruptible, pinned and movable work never. A class's max_wait sets the due
 * time: its start may come no later than max_wait after submission or earliest start.
 *
 * @return 0 or -HS_E_INVALID naming the nearest known class, or a share that cannot be
 */
int hs_policy_apply(const struct hs_policy *policy, struct hs_job *job, struct hs_err *err);

/** Accepts NULL. */
void hs_policy_free(struct hs_policy *policy);
HS_DEFINE_AUTO(hs_policy);
