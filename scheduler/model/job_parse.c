/* SPDX-License-Identifier: Apache-2.0 */
/* job_parse - a job out of the store, or out of an answer of the daemon. */
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/model/job.h"

/* What is read, and the first thing that was wrong with it. */
struct source {
    const json_t *object;
    const char *bad_key; /* NULL while all is well */
    const char *want;
};

/* The value of @key, or NULL where absent or null. */
static const json_t *get(const struct source *source, const char *key)
{
    const json_t *value = json_object_get(source->object, key);

    return json_is_null(value) ? NULL : value;
}

static void refuse(struct source *source, const char *key, const char *want)
{
    if (source->bad_key == NULL) {
        source->bad_key = key;
        source->want = want;
    }
}

static void get_text(struct source *source, const char *key, char *ret_text, size_t n_bytes)
{
    const json_t *value = get(source, key);

    if (value == NULL) {
        return;
    }
    if (!json_is_string(value) || json_string_length(value) >= n_bytes) {
        refuse(source, key, "a text that fits");
        return;
    }
    memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
}

static void get_int(struct source *source, const char *key, int64_t least, int64_t most,
                    int64_t *ret_value)
{
    const json_t *value = get(source, key);

    if (value == NULL) {
        return;
    }
    if (!json_is_integer(value) || json_integer_value(value) < least
        || json_integer_value(value) > most) {
        refuse(source, key, "a whole number in its range");
        return;
    }
    *ret_value = json_integer_value(value);
}

static void get_bool(struct source *source, const char *key, bool *ret_value)
{
    const json_t *value = get(source, key);

    if (value != NULL && !json_is_boolean(value)) {
        refuse(source, key, "true or false");
    } else if (value != NULL) {
        *ret_value = json_is_true(value);
    }
}

static void get_at(struct source *source, const char *key, int64_t *ret_at_s)
{
    const json_t *value = get(source, key);
    const char *text = json_string_value(value);

    if (value != NULL && (text == NULL || hs_timetext_parse(text, 0, ret_at_s, NULL) != 0)) {
        refuse(source, key, "an RFC 3339 time");
    }
}

static void get_texts(struct source *source, const char *key, char ***ret_texts, size_t *ret_n)
{
    const json_t *list = get(source, key);
    size_t i;
    json_t *item;

    if (list != NULL && !json_is_array(list)) {
        refuse(source, key, "a list of texts");
        return;
    }
    *ret_texts = hs_xcalloc(json_array_size(list), sizeof(**ret_texts));
    json_array_foreach (list, i, item) {
        if (json_is_string(item)) {
            (*ret_texts)[(*ret_n)++] = hs_xstrdup(json_string_value(item));
        } else {
            refuse(source, key, "a list of texts");
        }
    }
}

static void get_env(struct source *source, struct hs_job *job)
{
    json_t *env = json_object_get(source->object, "env");
    const char *key;
    json_t *value;

    if (env != NULL && !json_is_null(env) && !json_is_object(env)) {
        refuse(source, "env", "an object of texts");
        return;
    }
    job->env = hs_xcalloc(json_object_size(env), sizeof(*job->env));
    json_object_foreach (env, key, value) {
        char *pair = NULL;

        if (!json_is_string(value)) {
            refuse(source, "env", "an object of texts");
        } else if (asprintf(&pair, "%s=%s", key, json_string_value(value)) < 0) {
            hs_mem_exhausted();
        } else {
            job->env[job->n_env++] = pair;
        }
    }
}

/* Which of @n_words numbered words stands at @key; *ret_index stays where it is absent. */
static void get_word(struct source *source, const char *key, const char *(*word_of)(int),
                     int n_words, int *ret_index)
{
    const json_t *value = get(source, key);

    if (value == NULL) {
        return;
    }
    for (int i = 0; i < n_words; i++) {
        if (json_is_string(value) && strcmp(json_string_value(value), word_of(i)) == 0) {
            *ret_index = i;
            return;
        }
    }
    refuse(source, key, "a known word");
}

static const char *class_word(int i)
{
    return hs_job_class_word((enum hs_job_class)i);
}

static void get_share(struct source *source, const char *key, double *io_share)
{
    const json_t *value = get(source, key);

    if (value != NULL
        && !(json_is_number(value) && json_number_value(value) > 0
             && json_number_value(value) <= 1)) {
        refuse(source, key, "a share of more than 0 and up to 1");
    } else if (value != NULL) {
        *io_share = json_number_value(value);
    }
}

static const char *state_word(int i)
{
    return hs_job_state_word((enum hs_job_state)i);
}

static void read_request(struct source *source, struct hs_job *job)
{
    int64_t id = 0, vcpus = job->vcpus, memory_mib = (int64_t)job->memory_mib, priority = 0;
    int base_class = HS_CLASS_DEFERRABLE;
    const json_t *script = get(source, "script");

    get_int(source, "id", 0, INT64_MAX, &id);
    get_text(source, "name", job->name, sizeof(job->name));
    get_text(source, "image", job->image, sizeof(job->image));
    get_text(source, "team", job->team, sizeof(job->team));
    get_text(source, "class", job->class_name, sizeof(job->class_name));
    get_word(source, "base_class", class_word, HS_CLASS_FILLER + 1, &base_class);
    get_int(source, "vcpus", 1, UINT32_MAX, &vcpus);
    get_int(source, "memory_mib", 1, INT64_MAX, &memory_mib);
    get_int(source, "duration_s", 0, INT64_MAX, &job->duration_s);
    get_int(source, "limit_s", 0, INT64_MAX, &job->limit_s);
    get_at(source, "earliest", &job->earliest_at_s);
    get_at(source, "due", &job->due_at_s);
    get_bool(source, "interruptible", &job->interruptible);
    get_bool(source, "movable", &job->movable);
    get_int(source, "min_run_s", 0, INT64_MAX, &job->min_run_s);
    get_share(source, "min_share", &job->min_share);
    get_share(source, "max_share", &job->max_share);
    get_int(source, "priority", INT32_MIN, INT32_MAX, &priority);
    get_bool(source, "now", &job->now);
    get_texts(source, "sites", &job->sites, &job->n_sites);
    get_texts(source, "not_sites", &job->not_sites, &job->n_not_sites);
    get_texts(source, "after", &job->after, &job->n_after);
    get_env(source, job);
    if (script != NULL && !json_is_string(script)) {
        refuse(source, "script", "a text");
    }
    job->script = hs_xstrdup(json_string_value(script));
    job->id = (uint64_t)id;
    job->vcpus = (uint32_t)vcpus;
    job->memory_mib = (uint64_t)memory_mib;
    job->priority = (int)priority;
    job->base_class = (enum hs_job_class)base_class;
}

static void read_status(struct source *source, struct hs_job *job)
{
    int64_t exit_status = 0, suspends = 0, moves = 0;
    int state = HS_JOB_WAITING;
    const json_t *ran_s = get(source, "ran_s");

    get_word(source, "state", state_word, HS_JOB_STATE_COUNT_, &state);
    get_at(source, "since", &job->since_at_s);
    get_at(source, "submitted", &job->submitted_at_s);
    get_at(source, "started", &job->started_at_s);
    get_at(source, "ended", &job->ended_at_s);
    if (ran_s != NULL && !(json_is_number(ran_s) && json_number_value(ran_s) >= 0)) {
        refuse(source, "ran_s", "seconds");
    }
    job->ran_s = json_number_value(ran_s);
    get_share(source, "share", &job->share);
    get_at(source, "throttled", &job->share_at_s);
    get_text(source, "host", job->host, sizeof(job->host));
    job->has_exit_status = get(source, "exit_status") != NULL;
    get_int(source, "exit_status", INT32_MIN, INT32_MAX, &exit_status);
    get_int(source, "suspends", 0, UINT32_MAX, &suspends);
    get_int(source, "moves", 0, UINT32_MAX, &moves);
    get_at(source, "moved", &job->moved_at_s);
    get_bool(source, "cancel_wanted", &job->cancel_wanted);
    get_text(source, "why", job->why, sizeof(job->why));
    job->state = (enum hs_job_state)state;
    job->exit_status = (int)exit_status;
    job->suspends = (uint32_t)suspends;
    job->moves = (uint32_t)moves;
}

int hs_job_parse(const json_t *object, struct hs_job **ret_job, struct hs_err *err)
{
    HS_AUTO(hs_job) job = hs_job_new();
    struct source source = {.object = object};

    if (!json_is_object(object)) {
        return hs_err_set(err, HS_E_PROTOCOL, "", "a job must be an object");
    }
    read_request(&source, job);
    read_status(&source, job);
    if (source.bad_key != NULL) {
        char where[64];

        snprintf(where, sizeof(where), "/%s", source.bad_key);
        return hs_err_set(err, HS_E_PROTOCOL, where, "'%s' of a job must be %s", source.bad_key,
                          source.want);
    }
    *ret_job = HS_STEAL(job);
    return 0;
}
