/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/jobarray.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

json_t *hs_jobarray_format(const json_t *request, unsigned index, int64_t after_id)
{
    json_t *task = hs_jsonx_dup_deep(request);
    json_t *env = json_object_get(task, "env");
    json_t *after = json_object_get(task, "after");
    const char *name = json_string_value(json_object_get(task, "name"));
    char text[160];

    if (!json_is_object(env)) {
        env = hs_jsonx_object();
        hs_jsonx_set(task, "env", env);
    }
    snprintf(text, sizeof(text), "%u", index);
    hs_jsonx_set_text(env, "HSCHED_ARRAY_INDEX", text);
    if (name != NULL) {
        snprintf(text, sizeof(text), "%.50s-%u", name, index);
        hs_jsonx_set_text(task, "name", text);
    }
    if (after_id > 0) {
        if (!json_is_array(after)) {
            after = hs_jsonx_array();
            hs_jsonx_set(task, "after", after);
        }
        snprintf(text, sizeof(text), "afterany:%" PRId64, after_id);
        hs_jsonx_add(after, hs_jsonx_text(text));
    }
    return task;
}
