/* SPDX-License-Identifier: Apache-2.0 */
/* job_format - a whole job as JSON, for the store and for people. */
#include <math.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/job.h"

static const char *absent(const char *text)
{
    return *text != '\0' ? text : NULL;
}

static json_t *format_texts(char *const *texts, size_t n)
{
    json_t *list = hs_jsonx_array();

    for (size_t i = 0; i < n; i++) {
        hs_jsonx_add(list, hs_jsonx_text(texts[i]));
    }
    return list;
}

static json_t *format_env(const struct hs_job *job)
{
    json_t *env = hs_jsonx_object();

    for (size_t i = 0; i < job->n_env; i++) {
        HS_AUTO_MEM char *key = hs_xstrdup(job->env[i]);
        char *equals = strchr(key, '=');

        if (equals != NULL) {
            *equals = '\0';
            hs_jsonx_set_text(env, key, equals + 1);
        }
    }
    return env;
}

static void set_count(json_t *object, const char *key, int64_t count)
{
    hs_jsonx_set(object, key, count != 0 ? hs_jsonx_int(count) : json_null());
}

static void set_share(json_t *object, const char *key, double share)
{
    hs_jsonx_set_real(object, key, share > 0 ? share : (double)NAN);
}

static void format_status(const struct hs_job *job, json_t *json)
{
    hs_jsonx_set_text(json, "state", hs_job_state_word(job->state));
    hs_jsonx_set_at(json, "since", job->since_at_s);
    hs_jsonx_set_at(json, "submitted", job->submitted_at_s);
    hs_jsonx_set_at(json, "started", job->started_at_s);
    hs_jsonx_set_at(json, "ended", job->ended_at_s);
    hs_jsonx_set_real(json, "ran_s", job->ran_s);
    hs_jsonx_set_real(json, "share", job->share);
    hs_jsonx_set_at(json, "throttled", job->share_at_s);
    hs_jsonx_set_text(json, "host", absent(job->host));
    hs_jsonx_set(json, "exit_status",
                 job->has_exit_status ? hs_jsonx_int(job->exit_status) : json_null());
    hs_jsonx_set_int(json, "suspends", job->suspends);
    hs_jsonx_set_int(json, "moves", job->moves);
    hs_jsonx_set_at(json, "moved", job->moved_at_s);
    hs_jsonx_set_bool(json, "cancel_wanted", job->cancel_wanted);
    hs_jsonx_set_text(json, "why", absent(job->why));
}

json_t *hs_job_format(const struct hs_job *job)
{
    json_t *json = hs_jsonx_object();

    set_count(json, "id", (int64_t)job->id);
    hs_jsonx_set_text(json, "name", absent(job->name));
    hs_jsonx_set_text(json, "image", absent(job->image));
    hs_jsonx_set_text(json, "team", absent(job->team));
    hs_jsonx_set_text(json, "class", job->class_name);
    hs_jsonx_set_text(json, "base_class", hs_job_class_word(job->base_class));
    hs_jsonx_set_int(json, "vcpus", job->vcpus);
    hs_jsonx_set_int(json, "memory_mib", (int64_t)job->memory_mib);
    hs_jsonx_set_int(json, "duration_s", job->duration_s);
    set_count(json, "limit_s", job->limit_s);
    hs_jsonx_set_at(json, "earliest", job->earliest_at_s);
    hs_jsonx_set_at(json, "due", job->due_at_s);
    hs_jsonx_set_bool(json, "interruptible", job->interruptible);
    hs_jsonx_set_bool(json, "movable", job->movable);
    hs_jsonx_set_int(json, "min_run_s", job->min_run_s);
    set_share(json, "min_share", job->min_share);
    set_share(json, "max_share", job->max_share);
    hs_jsonx_set_int(json, "priority", job->priority);
    hs_jsonx_set_bool(json, "now", job->now);
    hs_jsonx_set(json, "sites", format_texts(job->sites, job->n_sites));
    hs_jsonx_set(json, "not_sites", format_texts(job->not_sites, job->n_not_sites));
    hs_jsonx_set(json, "after", format_texts(job->after, job->n_after));
    hs_jsonx_set(json, "env", format_env(job));
    hs_jsonx_set_text(json, "script", job->script);
    format_status(job, json);
    return json;
}
