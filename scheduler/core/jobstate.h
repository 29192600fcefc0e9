/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jobstate - which state may follow which, and what a change does to a job's times.
 *
 * done, failed and cancelled are final. Time counts as run only while running. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/model/job.h"

/** May a job in @from become @to? */
bool hs_jobstate_check(enum hs_job_state from, enum hs_job_state to);

/**
 * Change @job's state and keep its times: started_at_s at the first run, ran_s when a stretch
 * ends, ended_at_s at a final state. The same state again changes nothing.
 *
 * @return 0 or -HS_E_CONFLICT naming both states
 */
int hs_jobstate_apply(struct hs_job *job, enum hs_job_state to, int64_t at_s, struct hs_err *err);

/** From @at_s on it gets @share of its vCPUs' time. */
void hs_jobstate_set_share(struct hs_job *job, double share, int64_t at_s);

/** Plan seconds, at full share, it has run by @now_at_s, the present stretch included. */
double hs_jobstate_get_ran_s(const struct hs_job *job, int64_t now_at_s);
