/* SPDX-License-Identifier: Apache-2.0 */
/* job_parse_request - a job as a user writes it. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/model/job.h"
#include "scheduler/model/jobarray.h"

#define POINTER_MAX 300

/* As read, before times are resolved. The job comes first so that its offsets are its own. */
struct request {
    struct hs_job job;
    char earliest[64];
    char due[64];
};

#define AT(member) .offset = offsetof(struct request, member)

static const struct hs_conf_field fields[] = {
    {.name = "name",
     .type = HS_CONF_TEXT,
     AT(job.name),
     .size = HS_NAME_MAX,
     .help = "for people; need not be unique"},
    {.name = "image",
     .type = HS_CONF_NAME,
     AT(job.image),
     .size = HS_NAME_MAX,
     .help = "what boots; may be left out where there is one image"},
    {.name = "script", .type = HS_CONF_ANY, .help = "text of the script that the guest runs"},
    {.name = "vcpus",
     .type = HS_CONF_UINT32,
     AT(job.vcpus),
     .min = 1,
     .max = 65536,
     .has_default = true,
     .default_number = 1,
     .help = "virtual CPUs"},
    {.name = "memory_mib",
     .type = HS_CONF_UINT64,
     AT(job.memory_mib),
     .min = 16,
     .max = 1e9,
     .unit = "MiB",
     .has_default = true,
     .default_number = 2048,
     .help = "memory"},
    {.name = "duration",
     .type = HS_CONF_DURATION,
     AT(job.duration_s),
     .min = 1,
     .max = 31536000,
     .help = "how long you think it runs; else its limit, else an hour"},
    {.name = "limit",
     .type = HS_CONF_DURATION,
     AT(job.limit_s),
     .min = 1,
     .max = 31536000,
     .help = "killed after running this long"},
    {.name = "earliest",
     .type = HS_CONF_TEXT,
     AT(earliest),
     .size = 64,
     .help = "not before this time"},
    {.name = "due",
     .type = HS_CONF_TEXT,
     AT(due),
     .size = 64,
     .help = "done by this time: the deadline beats heat"},
    {.name = "class",
     .type = HS_CONF_NAME,
     AT(job.class_name),
     .size = HS_NAME_MAX,
     .default_text = "deferrable",
     .help = "pinned, movable, deferrable, elastic, filler, or a class of a policy"},
    {.name = "interruptible",
     .type = HS_CONF_BOOL,
     AT(job.interruptible),
     .has_default = true,
     .help = "may be suspended and resumed"},
    {.name = "movable",
     .type = HS_CONF_BOOL,
     AT(job.movable),
     .has_default = true,
     .help = "may go on on another host, within what its class allows in a day"},
    {.name = "min_run",
     .type = HS_CONF_DURATION,
     AT(job.min_run_s),
     .min = 0,
     .max = 31536000,
     .help = "shortest run between suspensions; else the class's"},
    {.name = "min_share",
     .type = HS_CONF_REAL,
     AT(job.min_share),
     .min = 0.25,
     .max = 1,
     .help = "elastic: least of its vCPUs' time that it bears; else the class's"},
    {.name = "max_share",
     .type = HS_CONF_REAL,
     AT(job.max_share),
     .min = 0.25,
     .max = 1,
     .help = "elastic: most of its vCPUs' time that it is given; else the class's"},
    {.name = "priority",
     .type = HS_CONF_INT,
     AT(job.priority),
     .min = -1000,
     .max = 1000,
     .help = "higher goes first; else the class's"},
    {.name = "team",
     .type = HS_CONF_NAME,
     AT(job.team),
     .size = HS_NAME_MAX,
     .help = "whose work it is"},
    {.name = "now",
     .type = HS_CONF_BOOL,
     AT(job.now),
     .has_default = true,
     .help = "start at once, whatever heat costs"},
    {.name = "sites", .type = HS_CONF_CHILDREN, .help = "names of the only sites it may run at"},
    {.name = "not_sites", .type = HS_CONF_CHILDREN, .help = "names of sites it must not run at"},
    {.name = "env",
     .type = HS_CONF_CHILDREN,
     .help = "environment of the script: {\"KEY\":\"value\"}"},
    {.name = "script_file",
     .type = HS_CONF_ANY,
     .help = "not here: `hsched submit` reads the file and sends its text as script"},
    {.name = "array",
     .type = HS_CONF_ANY,
     .help = "a job for each of FIRST-LAST, or FIRST-LAST%N: N at a time"},
    {.name = "after",
     .type = HS_CONF_CHILDREN,
     .help = "what it waits for: afterok:ID, afternotok:ID, afterany:ID, singleton"},
};
const struct hs_conf_table hs_job_table = {"job", fields, sizeof(fields) / sizeof(fields[0])};

/* Keys of an answer that a request must not set; the rest of them are request fields too. */
static const char *const status_keys[] = {
    "id",    "state", "submitted", "started", "ended",       "ran_s",      "since", "host",
    "moves", "moved", "suspends",  "why",     "exit_status", "base_class", "share", "throttled"};

static void check_status_keys(const json_t *object, struct hs_conf_report *report)
{
    for (size_t i = 0; i < sizeof(status_keys) / sizeof(status_keys[0]); i++) {
        char where[POINTER_MAX];

        if (json_object_get(object, status_keys[i]) != NULL) {
            snprintf(where, sizeof(where), "/%s", status_keys[i]);
            hs_conf_report_add(report, where, "'%s' is set by hsched, leave it out",
                               status_keys[i]);
        }
    }
}

static void check_unsupported(const json_t *object, struct hs_conf_report *report)
{
    static const char *const rows[][2] = {
        {"script_file", "send the file's text as 'script'; hsched submit does it for you"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const json_t *value = json_object_get(object, rows[i][0]);
        char where[POINTER_MAX];

        if (value != NULL && !json_is_null(value)) {
            snprintf(where, sizeof(where), "/%s", rows[i][0]);
            hs_conf_report_add(report, where, "%s", rows[i][1]);
        }
    }
}

/* The status keys are unknown to the table, so they are taken out of a shallow copy first. */
static bool read_table(const json_t *object, struct request *request, struct hs_conf_report *report)
{
    json_auto_t *rest = json_is_object(object) ? hs_jsonx_dup(object) : NULL;

    check_status_keys(object, report);
    for (size_t i = 0; i < sizeof(status_keys) / sizeof(status_keys[0]); i++) {
        (void)json_object_del(rest, status_keys[i]);
    }
    return hs_conf_read(&hs_job_table, rest != NULL ? rest : object, "", request, report);
}

static void read_time(const char *text, const char *pointer, int64_t now_at_s,
                      struct hs_conf_report *report, int64_t *ret_at_s)
{
    struct hs_err err;

    if (*text != '\0' && hs_timetext_parse(text, now_at_s, ret_at_s, &err) != 0) {
        hs_conf_report_add(report, pointer, "%s", err.text);
    }
}

static void read_names(const json_t *object, const char *key, struct hs_conf_report *report,
                       char ***ret_names, size_t *ret_n)
{
    const json_t *list = json_object_get(object, key);
    char where[POINTER_MAX];
    size_t i;
    json_t *item;

    snprintf(where, sizeof(where), "/%s", key);
    if (json_is_object(list)) {
        hs_conf_report_add(report, where, "must be a list of names in square brackets");
    }
    if (!json_is_array(list)) {
        return;
    }
    *ret_names = hs_xcalloc(json_array_size(list), sizeof(**ret_names));
    json_array_foreach (list, i, item) {
        snprintf(where, sizeof(where), "/%s/%zu", key, i);
        if (!json_is_string(item) || json_string_length(item) == 0
            || json_string_length(item) >= HS_NAME_MAX) {
            hs_conf_report_add(report, where, "must be a name in quotes");
        } else {
            (*ret_names)[(*ret_n)++] = hs_xstrdup(json_string_value(item));
        }
    }
}

static void check_after(const struct hs_job *job, struct hs_conf_report *report)
{
    for (size_t i = 0; i < job->n_after; i++) {
        struct hs_job_after after;
        struct hs_err err;

        if (hs_job_parse_after(job->after[i], &after, &err) != 0) {
            hs_conf_report_add(report, "/after", "%s", err.text);
        }
    }
}

static bool is_env_key(const char *key)
{
    if (!isalpha((unsigned char)*key) && *key != '_') {
        return false;
    }
    for (; *key != '\0'; key++) {
        if (!isalnum((unsigned char)*key) && *key != '_') {
            return false;
        }
    }
    return true;
}

static void read_env(const json_t *object, struct hs_conf_report *report, struct hs_job *job)
{
    json_t *env = json_object_get(object, "env");
    const char *key;
    json_t *value;

    if (json_is_array(env)) {
        hs_conf_report_add(report, "/env", "must be an object such as {\"KEY\":\"value\"}");
    }
    if (!json_is_object(env)) {
        return;
    }
    job->env = hs_xcalloc(json_object_size(env), sizeof(*job->env));
    json_object_foreach (env, key, value) {
        char where[POINTER_MAX];
        char *pair = NULL;

        snprintf(where, sizeof(where), "/env/%.250s", key);
        if (!is_env_key(key)) {
            hs_conf_report_add(report, where,
                               "'%.64s' is not a variable; use letters, digits and '_'", key);
        } else if (!json_is_string(value)) {
            hs_conf_report_add(report, where, "must be a text in quotes");
        } else if (asprintf(&pair, "%s=%s", key, json_string_value(value)) < 0) {
            hs_mem_exhausted();
        } else {
            job->env[job->n_env++] = pair;
        }
    }
}

static void read_script(const json_t *object, struct hs_conf_report *report, struct hs_job *job)
{
    const json_t *script = json_object_get(object, "script");

    if (json_is_string(script)) {
        job->script = hs_xstrdup(json_string_value(script));
    } else if (script != NULL && !json_is_null(script)) {
        hs_conf_report_add(report, "/script", "must be the script's text in quotes");
    }
}

static void check_array(const json_t *object, struct hs_conf_report *report)
{
    const json_t *array = json_object_get(object, "array");
    struct hs_jobarray read;
    struct hs_err err;

    if (json_is_string(array)) {
        if (hs_jobarray_parse(json_string_value(array), &read, &err) != 0) {
            hs_conf_report_add(report, "/array", "%s", err.text);
        }
    } else if (array != NULL && !json_is_null(array)) {
        hs_conf_report_add(report, "/array", "must be a text such as \"0-15%%4\"");
    }
}

static void check_times(const struct hs_job *job, struct hs_conf_report *report)
{
    char earliest[HS_TIMETEXT_MAX];

    if (job->limit_s > 0 && job->limit_s < job->duration_s) {
        hs_conf_report_add(report, "/limit",
                           "is shorter than the duration, so the job could never end by itself");
    }
    if (job->due_at_s != 0 && job->due_at_s <= job->earliest_at_s) {
        hs_timetext_format(job->earliest_at_s, earliest);
        hs_conf_report_add(report, "/due", "must be after earliest (%s)", earliest);
    }
}

int hs_job_parse_request(const json_t *object, int64_t now_at_s, struct hs_conf_report *report,
                         struct hs_job **ret_job)
{
    struct request request = {
        .job = {.base_class = HS_CLASS_DEFERRABLE, .share = 1.0, .state = HS_JOB_WAITING}};
    HS_AUTO(hs_job) job = NULL;
    size_t n_errors_before = report->n_errors;

    (void)read_table(object, &request, report);
    job = hs_job_dup(&request.job);
    job->submitted_at_s = now_at_s;
    job->since_at_s = now_at_s;
    if (job->duration_s == 0) {
        job->duration_s = job->limit_s > 0 ? job->limit_s : 3600;
    }
    read_time(request.earliest, "/earliest", now_at_s, report, &job->earliest_at_s);
    read_time(request.due, "/due", now_at_s, report, &job->due_at_s);
    read_names(object, "sites", report, &job->sites, &job->n_sites);
    read_names(object, "not_sites", report, &job->not_sites, &job->n_not_sites);
    read_names(object, "after", report, &job->after, &job->n_after);
    check_after(job, report);
    read_env(object, report, job);
    read_script(object, report, job);
    check_unsupported(object, report);
    check_array(object, report);
    check_times(job, report);
    if (report->n_errors > n_errors_before) {
        return -HS_E_INVALID;
    }
    *ret_job = HS_STEAL(job);
    return 0;
}
