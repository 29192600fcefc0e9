/* SPDX-License-Identifier: Apache-2.0 */
/* policy - classes and weights in force, and what they do to a job. */
#include "policies/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define LIVE_MOVES_PER_DAY 4  /* each costs a service some breath */
#define MOVES_PER_DAY      24 /* of work that may be suspended anyhow */
#define ELASTIC_MIN_SHARE  0.25

void hs_policy_init_class(enum hs_job_class base, struct hs_policy_class *ret_class)
{
    *ret_class = (struct hs_policy_class){.base = base, .max_moves_per_day = MOVES_PER_DAY};
    if (base == HS_CLASS_ELASTIC) {
        ret_class->min_share = ELASTIC_MIN_SHARE;
        ret_class->max_share = 1.0;
    }
    if (base == HS_CLASS_PINNED) {
        ret_class->max_moves_per_day = 0;
    } else if (base == HS_CLASS_MOVABLE) {
        ret_class->max_moves_per_day = LIVE_MOVES_PER_DAY;
    }
}

struct hs_policy *hs_policy_new(void)
{
    struct hs_policy *policy = hs_xcalloc(1, sizeof(*policy));

    policy->n_classes = HS_CLASS_FILLER + 1;
    policy->classes = hs_xcalloc(policy->n_classes, sizeof(*policy->classes));
    for (size_t i = 0; i < policy->n_classes; i++) {
        struct hs_policy_class *row = &policy->classes[i];

        hs_policy_init_class((enum hs_job_class)i, row);
        snprintf(row->name, sizeof(row->name), "%s", hs_job_class_word(row->base));
    }
    policy->heat_weight = 1;
    policy->electricity_weight = 1;
    policy->carbon_weight = 1;
    policy->waiting_weight = 0.01;
    policy->prices = (struct hs_policy_prices){
        .late_cur_per_h = 10,
        .comfort_cur_per_mwh_h = 100,
        .hygiene_cur_per_h = 5,
        .limit_cur_per_kwh = 1,
        .ramp_cur_per_kw = 0.1,
    };
    policy->migration.parallel_per_host = 2;
    return policy;
}

const struct hs_policy_class *hs_policy_find_class(const struct hs_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_classes; i++) {
        if (strcmp(policy->classes[i].name, name) == 0) {
            return &policy->classes[i];
        }
    }
    return NULL;
}

static int refuse_class(const struct hs_policy *policy, const char *name, struct hs_err *err)
{
    HS_AUTO_MEM const char **known = hs_xcalloc(policy->n_classes + 1, sizeof(*known));
    const char *nearest;

    for (size_t i = 0; i < policy->n_classes; i++) {
        known[i] = policy->classes[i].name;
    }
    nearest = hs_conf_nearest(known, name);
    if (nearest == NULL) {
        return hs_err_set(err, HS_E_INVALID, "/class",
                          "there is no class '%.64s'; the base classes are pinned, "
                          "movable, deferrable, elastic and filler",
                          name);
    }
    return hs_err_set(err, HS_E_INVALID, "/class", "there is no class '%.64s', did you mean '%s'?",
                      name, nearest);
}

/* The latest start that the class allows, as a due time. */
static void set_due(const struct hs_policy_class *row, struct hs_job *job)
{
    int64_t from_at_s =
        job->earliest_at_s > job->submitted_at_s ? job->earliest_at_s : job->submitted_at_s;

    if (job->due_at_s == 0 && row->max_wait_s > 0 && from_at_s > 0) {
        job->due_at_s = from_at_s + row->max_wait_s + job->duration_s;
    }
}

unsigned hs_policy_get_least_quarters(double min_share)
{
    return (unsigned)ceil(min_share * 4.0 - 1e-9);
}

unsigned hs_policy_get_most_quarters(double max_share)
{
    return (unsigned)floor(max_share * 4.0 + 1e-9);
}

static int set_shares(const struct hs_policy_class *row, struct hs_job *job, struct hs_err *err)
{
    if (row->base != HS_CLASS_ELASTIC && (job->min_share > 0 || job->max_share > 0)) {
        return hs_err_set(err, HS_E_INVALID, job->min_share > 0 ? "/min_share" : "/max_share",
                          "only elastic work may be throttled, and class '%s' is %s", row->name,
                          hs_job_class_word(row->base));
    }
    job->min_share = job->min_share > 0 ? job->min_share : row->min_share;
    job->max_share = job->max_share > 0 ? job->max_share : row->max_share;
    if (hs_policy_get_least_quarters(job->min_share)
        > hs_policy_get_most_quarters(job->max_share)) {
        return hs_err_set(err, HS_E_INVALID, "/min_share",
                          "shares are given in quarters, and there is none from min_share %g to "
                          "max_share %g",
                          job->min_share, job->max_share);
    }
    return 0;
}

int hs_policy_apply(const struct hs_policy *policy, struct hs_job *job, struct hs_err *err)
{
    const struct hs_policy_class *row = hs_policy_find_class(policy, job->class_name);

    if (row == NULL) {
        return refuse_class(policy, job->class_name, err);
    }
    job->base_class = row->base;
    job->priority = job->priority != 0 ? job->priority : row->priority;
    job->min_run_s = job->min_run_s != 0 ? job->min_run_s : row->min_run_s;
    if (row->base == HS_CLASS_FILLER) {
        job->interruptible = true;
    } else if (row->base == HS_CLASS_PINNED || row->base == HS_CLASS_MOVABLE) {
        job->interruptible = false;
    }
    job->movable = row->base == HS_CLASS_MOVABLE || (row->base != HS_CLASS_PINNED && job->movable);
    set_due(row, job);
    return set_shares(row, job, err);
}

void hs_policy_free(struct hs_policy *policy)
{
    if (policy != NULL) {
        free(policy->limits);
        free(policy->classes);
        free(policy);
    }
}
