/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/model/jobarray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define INDEX_KEY     "HSCHED_ARRAY_INDEX"
#define NAME_KEPT_MAX 50 /* bytes of a name; the index has to find room behind it */

int hs_jobarray_parse(const char *text, struct hs_jobarray *ret_array, struct hs_err *err)
{
    struct hs_jobarray array = {0};
    size_t n_text = strlen(text);
    int n_range = 0;
    int n_all = 0;
    int n_found = sscanf(text, "%7u-%7u%n%%%7u%n", &array.first, &array.last, &n_range,
                         &array.at_a_time, &n_all);
    bool is_whole = (n_found == 2 && (size_t)n_range == n_text)
                    || (n_found == 3 && (size_t)n_all == n_text && array.at_a_time > 0);

    if (!is_whole || strpbrk(text, " +\t") != NULL || array.last < array.first
        || array.last - array.first >= HS_JOBARRAY_TASKS_MAX) {
        return hs_err_set(err, HS_E_INVALID, "",
                          "'%.64s' is no array of at most %d tasks: 0-15, or 0-15%%4 for four at a "
                          "time",
                          text, HS_JOBARRAY_TASKS_MAX);
    }
    *ret_array = array;
    return 0;
}

struct hs_job *hs_jobarray_dup_task(const struct hs_job *job, unsigned index)
{
    struct hs_job *task = hs_job_dup(job);
    size_t n_name = strlen(job->name);
    size_t n_env = 0;

    if (n_name > 0) {
        n_name = n_name < NAME_KEPT_MAX ? n_name : NAME_KEPT_MAX;
        snprintf(task->name + n_name, sizeof(task->name) - n_name, "-%u", index);
    }
    while (n_env < task->n_env
           && strncmp(task->env[n_env], INDEX_KEY "=", sizeof(INDEX_KEY)) != 0) {
        n_env++;
    }
    if (n_env == task->n_env) {
        task->env = hs_xrealloc(task->env, ++task->n_env, sizeof(*task->env));
    } else {
        free(task->env[n_env]);
    }
    if (asprintf(&task->env[n_env], INDEX_KEY "=%u", index) < 0) {
        hs_mem_exhausted();
    }
    return task;
}
