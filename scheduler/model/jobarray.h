/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jobarray - one request many times: `0-15%4` is sixteen jobs, four of them at a time.
 *
 * Each task is a job of its own, with HSCHED_ARRAY_INDEX in its environment. Of `%4` task i waits
 * until task i - 4 is over, so never more than four run.
 */

#include "scheduler/base/err.h"
#include "scheduler/model/job.h"

#define HS_JOBARRAY_TASKS_MAX 10000

struct hs_jobarray {
    unsigned first;
    unsigned last;
    unsigned at_a_time; /* 0: no limit */
};

/** Read `FIRST-LAST` or `FIRST-LAST%N`. @return 0 or -HS_E_INVALID saying what is right */
int hs_jobarray_parse(const char *text, struct hs_jobarray *ret_array, struct hs_err *err);

/** The job of the task with @index, of one that stands for all of them. Owned by the caller. */
struct hs_job *hs_jobarray_dup_task(const struct hs_job *job, unsigned index);
